"""How long a unit's battery will last, as it has gone in the last hours. Pure arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.clock import NS_PER_S

HOUR_NS = 3600 * NS_PER_S
RATE_NS = 6 * HOUR_NS
"""The forecast goes on as the last hours went: a night's load says little of a noon's."""
LEAST_NS = HOUR_NS // 2
"""From less nothing is foretold: batteries tell whole percents."""
PLAY_PERCENT = 3.0
"""By so much a level rises without a charge: it is read from a voltage, which recovers under a lighter load."""


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
    falling = _since_charged([one for one in said if one.at_ns >= now_ns - RATE_NS])
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


def _since_charged(said: Sequence[Charge]) -> list[Charge]:
    """Return what was said since it was charged last or its battery changed, told of or not; newest first."""
    falling: list[Charge] = []
    peak = 0
    for one in reversed(said):
        if one.charging:
            break
        if falling and one.percent < falling[peak].percent - PLAY_PERCENT:
            # It rose to there, at once or little by little.
            return falling[: peak + 1]
        if not falling or one.percent >= falling[peak].percent:
            peak = len(falling)
        falling.append(one)
    return falling
