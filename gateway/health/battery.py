"""How long a unit's battery will last, as it has gone in the last hours. Pure arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.clock import NS_PER_S

HOUR_NS = 3600 * NS_PER_S
RATE_NS = 6 * HOUR_NS
"""The forecast goes on as the last hours went: a night's load says little of a noon's."""
LEAST_NS = HOUR_NS // 2
"""From less nothing is foretold: batteries tell whole percents."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What a unit said of its battery at an instant."""

    at_ns: int
    percent: float
    charging: bool


def hours_left(said: Sequence[Charge], *, now_ns: int) -> float | None:
    """Return for how many hours from now on it lasts; ``None`` where it is charged, or too little is known.

    ``said`` in order. The rate is the slope of least squares over the newest stretch without charging, which evens out
    that percents come in steps.
    """
    falling: list[Charge] = []
    for one in reversed(said):
        # A level that rises was charged, or its battery changed, whatever is said.
        risen = bool(falling) and one.percent < falling[-1].percent
        if one.charging or risen or one.at_ns < now_ns - RATE_NS:
            break
        falling.append(one)
    if not falling or falling[0].at_ns - falling[-1].at_ns < LEAST_NS:
        return None
    hours = [(one.at_ns - now_ns) / HOUR_NS for one in falling]
    levels = [one.percent for one in falling]
    mean_h, mean_level = sum(hours) / len(hours), sum(levels) / len(levels)
    spread = sum((hour - mean_h) ** 2 for hour in hours)
    slope = sum((hour - mean_h) * (level - mean_level) for hour, level in zip(hours, levels, strict=True)) / spread
    if slope >= 0.0:
        return None
    return max(0.0, (mean_level - slope * mean_h) / -slope)
