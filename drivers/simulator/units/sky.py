"""Weather over the town: warmth and sun as functions of time, so that two who ask are told the same."""

import math
import random
from functools import lru_cache

from kernel.clock import NS_PER_S

_DAY_S = 86_400.0
_YEAR_DAYS = 365.2422
_LATITUDE_RAD = math.radians(51.5)
_MIDSUMMER_DAY = 171.0
_WARMEST_DAY = 200.0
_WARMEST_HOUR = 15.0


def celsius(wall_ns: int, seed: int) -> float:
    """Return the air's temperature in London at a true instant: by season, hour and the day's own mood."""
    day, hour = _day_and_hour(wall_ns)
    season = 11.5 + 7.0 * math.cos(math.tau * (day - _WARMEST_DAY) / _YEAR_DAYS)
    daily = 4.0 * math.cos(math.tau * (hour - _WARMEST_HOUR) / 24.0)
    return season + daily + 3.0 * _between(wall_ns, _DAY_S, f"mood {seed}")


def sun(wall_ns: int, seed: int) -> float:
    """Return how much of full sunlight falls on a level panel, 0..1; clouds come and go by the hour."""
    day, hour = _day_and_hour(wall_ns)
    declination = math.radians(23.44) * math.cos(math.tau * (day - _MIDSUMMER_DAY) / _YEAR_DAYS)
    angle = math.tau * (hour - 12.0) / 24.0
    height = math.sin(_LATITUDE_RAD) * math.sin(declination) + math.cos(_LATITUDE_RAD) * math.cos(
        declination
    ) * math.cos(angle)
    clear = 0.55 + 0.4 * _between(wall_ns, 3600.0, f"clouds {seed}")
    return max(0.0, height) * clear


def _day_and_hour(wall_ns: int) -> tuple[float, float]:
    """Return the day of the year and the hour, near enough for weather."""
    days, within_s = divmod(wall_ns / NS_PER_S, _DAY_S)
    return days % _YEAR_DAYS, within_s / 3600.0


def _between(wall_ns: int, period_s: float, name: str) -> float:
    """Return a smooth course through one random number in -1..1 for each period."""
    index, share = divmod(wall_ns / NS_PER_S / period_s, 1.0)
    here, there = _drawn(name, int(index)), _drawn(name, int(index) + 1)
    eased = share * share * (3.0 - 2.0 * share)
    return here + (there - here) * eased


@lru_cache(maxsize=256)
def _drawn(name: str, index: int) -> float:
    return random.Random(f"{name}/{index}").uniform(-1.0, 1.0)  # noqa: S311 - a drawing
