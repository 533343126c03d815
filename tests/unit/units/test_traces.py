"""Which points of a trend are kept."""

from gateway.units.recent import DATA
from gateway.units.traces import Kept, Trace
from gateway.units.trends import Point
from kernel.clock import NS_PER_S


def said(at_s: int, sent: int, day: int = 1) -> Point:
    """Return what a counter says."""
    return Point(at_s * NS_PER_S, {"sent_bytes": sent, "since": f"2026-09-{day:02}T00:00:00Z"})


def kept_of(points: list[Point]) -> list[Kept]:
    """Return what is kept of them."""
    trace, kept = Trace(), list[Kept]()
    for point in points:
        trace, more = trace.after(DATA, point)
        kept += more
    return kept


def test_what_a_counter_said_before_it_began_anew_is_kept() -> None:
    """Though a point was kept within the minute; once where it is one itself."""
    points = [said(0, 10), said(30, 20), said(40, 5, day=2), said(70, 9, day=2), said(140, 3, day=3)]
    first, last, anew, third = points[0], points[1], points[3], points[4]
    assert kept_of(points) == [Kept(first), Kept(last), Kept(anew, anew=True), Kept(third, anew=True)]


def test_a_counter_that_begins_anew_all_the_time_fills_no_disk() -> None:
    """Two points a minute are the most, however often that is."""
    assert len(kept_of([said(second, 1, day=1 + second // 30) for second in range(600)])) <= 20
    assert len(kept_of([said(second, 600 - second) for second in range(600)])) <= 20


def test_a_counter_that_says_an_earlier_beginning_has_not_begun_anew() -> None:
    """A since that goes back and forth is one counter, which began anew once."""
    kept = kept_of([said(second, second, day=1 + second % 2) for second in range(600)])
    assert sum(one.anew for one in kept) == 1
