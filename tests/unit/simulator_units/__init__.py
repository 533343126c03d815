"""The deployable units of the simulated borough."""
