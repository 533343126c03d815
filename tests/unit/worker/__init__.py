"""Tests of gateway.worker."""
