"""Tests of gateway.units."""
