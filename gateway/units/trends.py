"""What is kept of a unit's states over time: a point a minute at most of what is drawn, for a month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gateway.units.report import Value
from kernel.clock import NS_PER_S

DRAWN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "state/battery": ("percent", "volts", "charging"),
        "state/signal": ("rsrp_dbm", "rsrq_db"),
        "state/temperature": ("celsius",),
        "state/data": ("sent_bytes", "since"),
    }
)
"""Of each kind that has a trend, what is kept of it."""
APART_NS = 60 * NS_PER_S
KEPT_NS = 31 * 86_400 * NS_PER_S
STRETCHES = 250
"""What is drawn of a trend has so many stretches of time, and of each value the lowest and the highest of each."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a unit said at an instant of ours."""

    at_ns: int
    values: Mapping[str, Value]


def drawn(name: str, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return what is kept of a report's values."""
    return {key: values[key] for key in DRAWN[name] if key in values}


def thinned(points: Sequence[Point], *, from_ns: int, to_ns: int) -> list[Point]:
    """Return, of points in order, those that draw the same picture: at most 502 for each value that they bear.

    The span from ``from_ns`` to ``to_ns`` is cut into ``STRETCHES``; of each the points stay at which a value is lowest
    or highest, whole, and the first and the last of all: no extreme is lost, and nothing is averaged.
    """
    if len(points) <= STRETCHES:
        return list(points)
    width_ns = max(1, -(-(to_ns - from_ns) // STRETCHES))
    lowest: dict[tuple[int, str], tuple[float, int]] = {}
    highest: dict[tuple[int, str], tuple[float, int]] = {}
    for index, point in enumerate(points):
        stretch = (point.at_ns - from_ns) // width_ns
        for name, value in point.values.items():
            if isinstance(value, int | float):  # whether it charges is one of them
                key = stretch, name
                if key not in lowest or value < lowest[key][0]:
                    lowest[key] = value, index
                if key not in highest or value > highest[key][0]:
                    highest[key] = value, index
    # What stays the same throughout a stretch is shown by any point of it.
    varied = [key for key, (value, _) in lowest.items() if value < highest[key][0]]
    kept = {0, len(points) - 1, *(found[key][1] for key in varied for found in (lowest, highest))}
    shown = {stretch for stretch, _ in varied}
    kept |= {index for (stretch, _), (_, index) in lowest.items() if stretch not in shown}
    return [points[index] for index in sorted(kept)]
