"""A unit's own clock: right, until somebody turns its knobs."""

from drivers.simulator.units.faults import UnitFaults
from kernel.clock import NS_PER_S, Clock, utc


class OwnClock:
    """Ahead of the true time by an offset, a jump, and what it has gained by drifting."""

    def __init__(self, clock: Clock, faults: UnitFaults) -> None:
        self._clock = clock
        self._faults = faults
        self._drifted_s = 0.0

    def step(self, duration_s: float) -> None:
        """Let it drift for ``duration_s``."""
        self._drifted_s += self._faults.clock_drift_ppm * 1e-6 * duration_s

    def set_right(self) -> None:
        """Ask a time server, as it does when it starts."""
        self._drifted_s = 0.0

    @property
    def error_s(self) -> float:
        """Return its time minus the true time."""
        return self._faults.clock_offset_s + self._faults.clock_jump_s + self._drifted_s

    def told(self) -> str:
        """Return its time as RFC 3339 with microseconds, in UTC."""
        moment = utc(self._clock.wall_ns() + round(self.error_s * NS_PER_S))
        return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
