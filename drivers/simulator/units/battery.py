"""A battery of four LiFePO4 cells: what is in it, what it shows, what frost takes from it."""

import math
from bisect import bisect_right
from dataclasses import dataclass

_S_PER_H = 3600.0
_CHARGING_LOSS = 0.06
"""Share of what the charger gives that becomes warmth."""
_RESISTANCE_OHM = 0.045
_CURVE: tuple[tuple[float, float], ...] = (
    (0.0, 10.4), (0.05, 12.2), (0.1, 12.55), (0.2, 12.85), (0.4, 13.05),
    (0.7, 13.2), (0.9, 13.3), (0.97, 13.4), (1.0, 13.7),
)  # fmt: skip
"""Volts at rest by share of charge: flat in the middle, as this chemistry is."""
_COLDEST_CHARGING_C = 0.0
"""Below that the charger waits: lithium would plate."""


@dataclass(slots=True, kw_only=True)
class Battery:
    """Energy in watt hours. ``step`` is the only thing that changes it; it never grows but by charging."""

    capacity_wh: float
    energy_wh: float
    current_a: float = 0.0
    """Out of it; negative while it is charged."""

    @property
    def share(self) -> float:
        """Return what is left of a full charge, 0..1."""
        return self.energy_wh / self.capacity_wh

    def locked_wh(self, celsius: float) -> float:
        """Return how much of its energy cannot be had at this temperature: a third at -20 degrees, nothing at 20."""
        return self.capacity_wh * min(max((20.0 - celsius) / 40.0, 0.0), 1.0) / 3.0

    def flat(self, celsius: float) -> bool:
        """Return whether it can no longer carry a load at this temperature."""
        return self.energy_wh <= self.locked_wh(celsius)

    def volts(self, celsius: float) -> float:
        """Return the voltage at its poles, under the load that it has."""
        share = min(self.share, 1.0)
        index = min(bisect_right(_CURVE, share, key=lambda point: point[0]), len(_CURVE) - 1)
        (low, from_v), (high, to_v) = _CURVE[index - 1], _CURVE[index]
        rest_v = from_v + (to_v - from_v) * (share - low) / (high - low)
        # Cold makes the cells stiff: twice the resistance for each 20 degrees below room temperature.
        return rest_v - self.current_a * _RESISTANCE_OHM * math.pow(2.0, max(0.0, (20.0 - celsius) / 20.0))

    def step(self, duration_s: float, *, load_w: float, charge_w: float, celsius: float) -> None:
        """Let ``duration_s`` pass under a load, with so much offered by a charger."""
        taken_w = charge_w if celsius > _COLDEST_CHARGING_C else min(charge_w, load_w)
        surplus_w = taken_w - load_w
        if surplus_w > 0.0:
            surplus_w *= 1.0 - _CHARGING_LOSS
        before_wh = self.energy_wh
        self.energy_wh = min(max(before_wh + surplus_w * duration_s / _S_PER_H, 0.0), self.capacity_wh)
        moved_w = (before_wh - self.energy_wh) * _S_PER_H / duration_s if duration_s > 0.0 else 0.0
        self.current_a = moved_w / 12.8
