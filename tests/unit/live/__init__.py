"""Tests of gateway.live."""
