"""Tests of drivers.mqtt."""
