"""XML Schema durations and times, both ways, with the ways in which cameras get them wrong."""

import re
from datetime import UTC, datetime, timedelta

from drivers.simulator.faults import Faults
from kernel.clock import NS_PER_S, to_ns, utc

_DURATION = re.compile(
    r"(?P<sign>-)?P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<days>\d+)D)?"
    r"(?P<time>T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
)
_LONGEST_S = 1e9
_SECONDS = {"years": 31_536_000, "months": 2_592_000, "days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}


def duration_s(text: str, faults: Faults) -> float:
    """Return the seconds of an ``xs:duration``.

    Raises:
        ValueError: it is not one.
    """
    match = _DURATION.fullmatch(text.strip())
    parts = {} if match is None else {name: match[name] for name in _SECONDS if match[name]}
    if match is None or not parts:
        msg = f"{text!r} is not a duration"
        raise ValueError(msg)
    units = _SECONDS | ({"minutes": 1} if faults.minutes_as_seconds else {})
    total = sum(float(value) * units[name] for name, value in parts.items())
    if total > _LONGEST_S:
        msg = f"{text!r} is longer than a camera lives"
        raise ValueError(msg)
    return -total if match["sign"] else total


def duration(seconds: float) -> str:
    """Return seconds as an ``xs:duration``."""
    return f"PT{seconds:.3f}".rstrip("0").rstrip(".") + "S"


def instant(wall_ns: int, faults: Faults) -> str:
    """Return a time as ``xs:dateTime`` in UTC, with milliseconds."""
    moment = odd(utc(wall_ns)) if faults.odd_times else None
    if moment is not None:
        day, hour, minute, second = moment
        return f"{day:%Y-%m-%d}T{hour:02d}:{minute:02d}:{second:02d}Z"
    return utc(wall_ns).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def odd(moment: datetime) -> tuple[datetime, int, int, int]:
    """Return (day, hour, minute, second) of the same instant with an hour too few and 60 minutes too many."""
    earlier = moment - timedelta(hours=1)
    return earlier, earlier.hour, earlier.minute + 60, earlier.second


def parse_instant(text: str) -> int:
    """Return nanoseconds since 1970 of an ``xs:dateTime``; one without a zone is UTC, as cameras take it.

    Raises:
        ValueError: it is not one.
    """
    moment = datetime.fromisoformat(text.strip())
    return to_ns(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def termination_ns(text: str, now_ns: int, faults: Faults) -> int:
    """Return when a subscription ends, given a duration or a time.

    Raises:
        ValueError: it is neither.
    """
    if text.strip().startswith(("P", "-P")):
        return now_ns + round(duration_s(text, faults) * NS_PER_S)
    return parse_instant(text)
