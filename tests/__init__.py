"""Sightline's tests: unit, integration, e2e (a real browser), and the fakes they turn."""
