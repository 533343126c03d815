"""Tests of the simulated town, its pictures, feeds and borough."""
