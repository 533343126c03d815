"""Instants, ranges of time and of bytes, as the API says them."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.api.ranges import bounds
from gateway.api.times import iso, iso_after, iso_or_none
from kernel.clock import NS_PER_MS, to_ns

WALL = st.integers(0, 4_000_000_000_000_000_000)


@given(WALL)
def test_an_instant_is_said_to_the_millisecond(wall_ns: int) -> None:
    """Down to it, or up to it where footage starts: what was told is inside what is there."""
    said, after = (to_ns(datetime.fromisoformat(text)) for text in (iso(wall_ns), iso_after(wall_ns)))
    assert 0 <= wall_ns - said < NS_PER_MS
    assert 0 <= after - wall_ns < NS_PER_MS
    assert iso(wall_ns).endswith("Z")


def test_no_instant_is_none() -> None:
    """An unknown is null."""
    assert iso_or_none(None) is None


@given(st.integers(1, 1000), st.integers(0, 2000), st.one_of(st.none(), st.integers(0, 2000)))
def test_a_byte_range_is_within_the_body_or_nothing(size: int, first: int, last: int | None) -> None:
    """Whatever is asked for, never a byte beyond."""
    begin, end = bounds(str(first), str(last) if last is not None else None, size)
    if begin <= end:
        assert begin == first
        assert end < size
        assert end == (size - 1 if last is None else min(last, size - 1))
    else:
        assert first >= size or (last is not None and last < first)


@given(st.integers(1, 1000), st.integers(1, 2000))
def test_a_suffix_range_is_the_end_of_the_body(size: int, length: int) -> None:
    """As much of it as there is."""
    begin, end = bounds(None, str(length), size)
    assert end == size - 1
    assert end - begin + 1 == min(size, length)
