"""Tests of gateway.sharing."""
