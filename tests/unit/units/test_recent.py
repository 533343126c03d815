"""What is kept in memory of what units told lately, and what is drawn of it."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.units.budget import Reading, used
from gateway.units.recent import BATTERY, DATA, KEPT, POINTS_MAX, Recents
from gateway.units.trends import STRETCHES, Point, thinned
from kernel.clock import NS_PER_S, utc

MINUTE_NS = 60 * NS_PER_S


def counted(steps: list[tuple[int, bool]]) -> list[Point]:
    """Return what a counter says each minute, that began anew where the second of a step is so."""
    found, sent, since = [], 0, 0
    for index, (step, anew) in enumerate(steps):
        sent, since = (step, since + 1) if anew else (sent + step, since)
        found.append(Point(index * MINUTE_NS, {"sent_bytes": sent, "since": utc(since * NS_PER_S).isoformat()}))
    return found


def sum_of(points: list[Point]) -> int:
    """Return what was sent between the first and the last of them."""
    return used([Reading(one.at_ns, int(str(one.values["sent_bytes"])), str(one.values["since"])) for one in points])


@given(st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 30).map(lambda n: n == 0)), min_size=1, max_size=400))
def test_of_a_counter_nothing_is_lost(steps: list[tuple[int, bool]]) -> None:
    """What was sent is the same by what is kept as by all of it, wherever it began anew."""
    recents, points = Recents(), counted(steps)
    for one in points:
        recents.add("D017", DATA, one)
    kept = recents.of("D017", DATA)
    assert sum_of(kept) == sum_of(points)
    assert (kept[0], kept[-1]) == (points[0], points[-1])


def test_a_counter_takes_little_room() -> None:
    """A point for two hours: a month of minutes is a few hundred."""
    recents = Recents()
    for one in counted([(1, False)] * (31 * 1440)):
        recents.add("D017", DATA, one)
    assert len(recents.of("D017", DATA)) <= 31 * 12 + 1


def test_whoever_makes_a_counter_begin_anew_all_the_time_fills_no_memory() -> None:
    """The oldest are folded, and the sum is the same."""
    recents, points = Recents(), counted([(index, True) for index in range(3 * POINTS_MAX)])
    for one in points:
        recents.add("D017", DATA, one)
    kept = recents.of("D017", DATA)
    assert len(kept) <= POINTS_MAX
    assert sum_of(kept) == sum_of(points)
    assert (kept[0].at_ns, kept[-1]) == (points[0].at_ns, points[-1])


def test_a_counter_does_not_begin_earlier_than_it_did() -> None:
    """A since that goes back and forth is no beginning each time: it is one counter, and takes little room."""
    recents = Recents()
    for index in range(50_000):
        since = f"2026-09-01T00:00:0{index % 2}Z"
        recents.add("D017", DATA, Point(index * NS_PER_S, {"sent_bytes": index, "since": since}))
    kept = recents.of("D017", DATA)
    assert len(kept) < 20
    assert sum_of(kept) == 49_999
    recents.add("D017", DATA, Point(50_000 * NS_PER_S, {"sent_bytes": 5, "since": "2020-01-01T00:00:00Z"}))
    assert sum_of(recents.of("D017", DATA)) == 49_999 + 5


def test_a_battery_is_kept_for_six_hours() -> None:
    """The last of every five minutes, and the newest."""
    recents = Recents()
    for minute in range(1000):
        recents.add("D017", BATTERY, Point(minute * MINUTE_NS, {"percent": 100}))
    kept = recents.of("D017", BATTERY)
    assert kept[-1].at_ns == 999 * MINUTE_NS
    assert kept[0].at_ns >= kept[-1].at_ns - KEPT[BATTERY].kept_ns
    assert 70 <= len(kept) <= 74


def test_what_is_not_foretold_takes_no_room() -> None:
    """Of tilt or temperature nothing is kept here."""
    recents = Recents()
    recents.add("D017", "state/tilt", Point(0, {"pitch_deg": 1.0}))
    assert recents.of("D017", "state/tilt") == []


@given(
    st.lists(
        st.tuples(st.integers(-120, -40), st.floats(-20, 0, allow_nan=False), st.booleans()), min_size=1, max_size=3000
    )
)
def test_what_is_drawn_loses_no_extreme(told: list[tuple[int, float, bool]]) -> None:
    """Of any value, of the whole and of each 250th of the time; points are whole, in order, and few."""
    points = [Point(at, {"a": one, "b": other, "c": third}) for at, (one, other, third) in enumerate(told)]
    kept = thinned(points, from_ns=0, to_ns=len(points))
    assert [one.at_ns for one in kept] == sorted({one.at_ns for one in kept})
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert len(kept) <= 3 * (2 * STRETCHES) + 2
    width = max(1, -(-len(points) // STRETCHES))
    for name in ("a", "b", "c"):
        for begin in range(0, len(points), width):
            stretch = [float(str(one.values[name] * 1)) for one in points[begin : begin + width]]  # type: ignore[operator]
            left = [
                float(str(one.values[name] * 1))  # type: ignore[operator]
                for one in kept
                if begin <= one.at_ns < begin + width
            ]
            assert (min(left), max(left)) == (min(stretch), max(stretch))


def test_a_few_points_are_all_drawn() -> None:
    """There is nothing to thin."""
    points = [Point(at, {"percent": 50}) for at in range(STRETCHES)]
    assert thinned(points, from_ns=0, to_ns=STRETCHES) == points


def test_a_steady_value_is_drawn_by_a_point_of_each_stretch() -> None:
    """So that a month of minutes is no more than 252 points, and the last among them."""
    points = [Point(at * MINUTE_NS, {"percent": 50}) for at in range(31 * 1440)]
    kept = thinned(points, from_ns=0, to_ns=31 * 1440 * MINUTE_NS)
    assert STRETCHES <= len(kept) <= STRETCHES + 2
