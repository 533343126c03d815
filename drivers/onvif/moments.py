"""Times as cameras write them: overflowing fields are carried, a missing zone is UTC, seconds may have a fraction."""

import math
import re
from datetime import UTC, datetime, timedelta

from kernel.clock import NS_PER_S, to_ns, utc

_MOMENT = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T\s-]{1,2}(\d{1,3}):(\d{1,3}):(\d{1,3})(?:[.,](\d{1,9})\d*)?\s*"
    r"(Z|UTC|[+-]\d{2}:?\d{2})?$",
    re.IGNORECASE,
)


def compose(date: tuple[int, int, int], time: tuple[int, int, int]) -> tuple[int, bool]:
    """Return nanoseconds since 1970 of a UTC date and time, and whether a field had to be carried (00:61:16).

    Raises:
        ValueError: not even so.
    """
    year, month, day = date
    hour, minute, second = time
    if not (1970 <= year <= 2200 and 0 <= hour < 1000 and 0 <= minute < 1000 and 0 <= second < 1000):
        msg = f"no time: {date} {time}"
        raise ValueError(msg)
    odd = hour > 23 or minute > 59 or second > 59
    moment = datetime(year, month, day, tzinfo=UTC) + timedelta(hours=hour, minutes=minute, seconds=second)
    return to_ns(moment), odd


def read_moment(text: str) -> tuple[int, bool]:
    """Return nanoseconds since 1970 of an xs:dateTime, and whether a field had to be carried.

    Raises:
        ValueError: it is no time.
    """
    found = _MOMENT.match(text.strip())
    if found is None:
        msg = f"no time: {text[:40]!r}"
        raise ValueError(msg)
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    wall_ns, odd = compose((year, month, day), (hour, minute, second))
    fraction, zone = found.group(7), (found.group(8) or "Z").upper()
    wall_ns += int((fraction or "0").ljust(9, "0"))
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        shift_s = (int(digits[:2]) * 60 + int(digits[2:])) * 60
        wall_ns -= shift_s * NS_PER_S * (1 if zone[0] == "+" else -1)
    return wall_ns, odd


def write_moment(wall_ns: int) -> str:
    """Return an xs:dateTime in whole seconds, with Z."""
    return utc(wall_ns).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_duration(duration_s: float) -> str:
    """Return an xs:duration in seconds alone: some cameras read minutes as seconds."""
    tenths = math.ceil(max(duration_s, 0.0) * 10 - 1e-9)
    whole, rest = divmod(tenths, 10)
    return f"PT{whole}.{rest}S" if rest else f"PT{whole}S"
