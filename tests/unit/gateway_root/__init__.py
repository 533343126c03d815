"""Tests of what lies at the root of gateway/."""
