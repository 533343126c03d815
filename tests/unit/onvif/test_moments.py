"""Times as cameras write them."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.onvif.moments import compose, read_moment, write_duration, write_moment
from kernel.clock import NS_PER_S, to_ns


@given(st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_iso_times_are_read_back(moment: datetime) -> None:
    """Whatever isoformat writes is read to the same instant."""
    assert read_moment(moment.isoformat()) == (to_ns(moment), False)
    assert read_moment(write_moment(to_ns(moment)))[0] == to_ns(moment.replace(microsecond=0))


@given(st.integers(0, 999), st.integers(0, 999), st.integers(0, 999))
def test_overflow_is_carried(hour: int, minute: int, second: int) -> None:
    """Fields beyond their range count on, and are told as odd."""
    wall_ns, odd = read_moment(f"2026-03-01T{hour:02d}:{minute:02d}:{second:02d}Z")
    midnight = to_ns(datetime(2026, 3, 1, tzinfo=UTC))
    assert wall_ns - midnight == ((hour * 60 + minute) * 60 + second) * NS_PER_S
    assert odd == (hour > 23 or minute > 59 or second > 59)


@pytest.mark.parametrize(
    ("text", "hour"), [("2026-03-01T10:00:00", 10), ("2026-03-01 10:00:00Z", 10), ("2026-03-01T10:00:00+02:00", 8),
                       ("2026-03-01T10:00:00-0130", 11.5), ("2026-03-01T-10:00:00Z", 10), ("2026-3-1T10:0:0.5Z", 10)]
)  # fmt: skip
def test_odd_notations(text: str, hour: float) -> None:
    """Zones, missing zones, blanks and strays are understood."""
    midnight = to_ns(datetime(2026, 3, 1, tzinfo=UTC))
    assert (read_moment(text)[0] - midnight) // NS_PER_S == hour * 3600


@pytest.mark.parametrize(
    "text", ["", "{{utc_time}}", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "yesterday", "1969-01-01T00:00:00Z"]
)
def test_what_is_no_time(text: str) -> None:
    """Anything else is an error, never a wrong time."""
    with pytest.raises(ValueError, match=r"time|month|day"):
        read_moment(text)


def test_compose_refuses_nonsense() -> None:
    """Negative or enormous fields are no time."""
    with pytest.raises(ValueError, match="no time"):
        compose((2026, 1, 1), (-1, 0, 0))


@given(st.floats(0, 1000))
def test_durations_are_seconds_never_less(duration_s: float) -> None:
    """Durations are written in seconds alone, rounded up to a tenth."""
    text = write_duration(duration_s)
    assert re.fullmatch(r"PT\d+(\.\d)?S", text)
    assert duration_s - 1e-6 <= float(text[2:-1]) < duration_s + 0.1001
