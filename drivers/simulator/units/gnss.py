"""A satellite receiver: a place with an error that wanders, and a word on how large it may be."""

import math
import random
from dataclasses import dataclass

from drivers.simulator.town.streets import Point

_WANDERS_S = 180.0
"""The error of one instant is forgotten after about so long."""
_FIRST_FIX_S = 25.0
_DRIFT_M_S = 0.05


@dataclass(frozen=True, slots=True)
class Fix:
    """Metres from Market Square; ``accuracy_m`` is the radius within which it is in two of three cases."""

    at: Point
    accuracy_m: float
    satellites: int


class Gnss:
    """One unit's receiver."""

    def __init__(self, rng: random.Random) -> None:
        self.fix: Fix | None = None
        self._rng = rng
        self._error = (rng.gauss(0.0, 1.0), rng.gauss(0.0, 1.0))
        """In units of one axis' share of the accuracy."""
        self._searching_s = 0.0
        self._drift_m = 0.0
        self._drift_bearing = rng.uniform(0.0, math.tau)

    def off(self) -> None:
        """Forget where it was."""
        self.fix = None
        self._searching_s = 0.0

    def step(self, duration_s: float, at: Point, *, sky: float, drift_m: float = 0.0) -> None:
        """Look at the sky for ``duration_s``; ``sky`` is how much of it is free, 0 (none) to 1."""
        satellites = round(14.0 * sky)
        if satellites < 4:
            self.off()
            return
        self._searching_s += duration_s
        kept = math.exp(-duration_s / _WANDERS_S)
        fresh = math.sqrt(1.0 - kept * kept)
        east, north = (min(max(part * kept + self._rng.gauss(0.0, fresh), -3.0), 3.0) for part in self._error)
        self._error = (east, north)
        step_m = _DRIFT_M_S * duration_s
        self._drift_m += min(max(drift_m - self._drift_m, -step_m), step_m)
        if self._searching_s < _FIRST_FIX_S:
            return
        accuracy_m = 2.0 / sky
        one_axis_m = accuracy_m / 1.5
        self.fix = Fix(
            (
                at[0] + east * one_axis_m + self._drift_m * math.sin(self._drift_bearing),
                at[1] + north * one_axis_m + self._drift_m * math.cos(self._drift_bearing),
            ),
            accuracy_m,
            satellites,
        )
