"""Tests of steering."""
