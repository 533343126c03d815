"""Whether a unit has left its place, was tilted, knocked or opened."""

import math
import random
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.deployments.geofence import (
    Alarm,
    Case,
    Fence,
    Kind,
    Moved,
    Position,
    Quiet,
    Report,
    Shock,
    Tampered,
    Tilt,
    Watch,
    between_deg,
    judge,
)
from kernel.clock import NS_PER_S
from kernel.geography import LocalPlane, Place

HERE = Place(51.5, -0.1)
FENCE = Fence()
START_NS = 1_790_000_000 * NS_PER_S
LEVEL = Tilt(0.0, 0.0)
WATCH = Watch(place=HERE, level=LEVEL)


def at(east_m: float, north_m: float = 0.0, accuracy_m: float = 5.0) -> Position:
    """Return a fix so far from the place."""
    return Position(LocalPlane(HERE).to_place(east_m, north_m), accuracy_m)


def watched(reports: Iterable[Report], *, every_s: float = 10.0, watch: Watch = WATCH) -> list[Alarm]:
    """Return what is raised by reports that come one after the other."""
    raised = []
    for number, report in enumerate(reports):
        watch, alarm = judge(watch, report, START_NS + round(number * every_s * NS_PER_S), FENCE)
        raised += [alarm] if alarm is not None else []
    return raised


def kinds(reports: Iterable[Report], *, every_s: float = 10.0, watch: Watch = WATCH) -> list[Kind]:
    """Return the kinds of it."""
    return [alarm.kind for alarm in watched(reports, every_s=every_s, watch=watch)]


def test_a_unit_that_is_carried_off_has_left_once() -> None:
    """It is told with the third fix, how far and where, and not again while it goes on."""
    (alarm,) = watched(at(60.0 * number) for number in range(12))
    assert alarm.kind is Kind.LEFT
    assert alarm.at_ns == START_NS + 30 * NS_PER_S
    assert alarm.by == pytest.approx(180, abs=1)
    assert alarm.place == at(180).place


def test_a_unit_that_comes_back_is_told() -> None:
    """Near, for a while; then it can leave again."""
    away, home = [at(500)] * 4, [at(2)] * 4
    assert kinds([*away, *home, *away]) == [Kind.LEFT, Kind.RETURNED, Kind.LEFT]


@pytest.mark.parametrize("bad", [1, 2])
def test_a_fix_or_two_that_are_far_off_are_an_error(bad: int) -> None:
    """Houses reflect: what is near again right after never left."""
    assert kinds([*[at(1)] * 3, *[at(400)] * bad, at(1)] * 20) == []


def test_many_fixes_at_once_are_one_moment() -> None:
    """Three in a second are one and the same error."""
    assert kinds([at(400)] * 10, every_s=0.1) == []


def test_a_fix_counts_by_what_it_claims_to_be() -> None:
    """A hundred metres off with an accuracy of forty says nothing; with one of twenty it does."""
    assert kinds([at(100, accuracy_m=40.0)] * 10) == []
    assert kinds([at(100, accuracy_m=20.0)] * 10) == [Kind.LEFT]


def test_a_place_counts_by_what_it_may_be_off() -> None:
    """A phone's pin sixty metres off is not a theft: the unit stands where it was put up, and its fix is better."""
    pinned = replace(WATCH, accuracy_m=60.0)
    assert kinds([at(60.0)] * 12) == [Kind.LEFT]
    assert kinds([at(60.0)] * 12, watch=pinned) == []
    assert kinds([at(150.0)] * 12, watch=pinned) == [Kind.LEFT]
    assert kinds([at(60.0)] * 12, watch=replace(pinned, left=True)) == [Kind.RETURNED]


def test_a_place_that_nobody_knows_puts_no_fence_out_of_sight() -> None:
    """Said to be good to five kilometres, it counts as poor as a fix may be and no poorer."""
    assert kinds([at(300.0)] * 12, watch=replace(WATCH, accuracy_m=5000.0)) == [Kind.LEFT]


def test_what_is_told_late_is_another_thing_where_it_was_long_before() -> None:
    """A knock of two in the morning that comes after one of now is one of its own; one of a moment before is not."""
    watch, now = judge(WATCH, Shock(9.0), START_NS, FENCE)
    watch, soon = judge(watch, Shock(9.0), START_NS - 10 * NS_PER_S, FENCE)
    _, late = judge(watch, Shock(9.0), START_NS - 2400 * NS_PER_S, FENCE)
    assert (now is not None, soon, late and late.at_ns) == (True, None, START_NS - 2400 * NS_PER_S)


@pytest.mark.parametrize("accuracy_m", [101.0, -1.0, math.nan, math.inf])
def test_a_fix_too_poor_neither_raises_nor_ends_anything(accuracy_m: float) -> None:
    """It is as if it had not come: the count of good ones goes on."""
    poor = at(3000, accuracy_m=accuracy_m)
    assert kinds([poor] * 20) == []
    assert kinds([at(400), poor, at(400), poor, at(400)]) == [Kind.LEFT]


def test_what_may_be_near_ends_no_alarm() -> None:
    """A poor fix that could be anywhere is not home."""
    assert kinds([*[at(500)] * 4, *[at(90, accuracy_m=50.0)] * 10]) == [Kind.LEFT]


@given(seed=st.integers(0, 2**32 - 1), accuracy_m=st.floats(1.0, 40.0))
def test_ordinary_noise_never_raises(seed: int, accuracy_m: float) -> None:
    """A day of fixes that are as accurate as they say, of a unit that stands."""
    noise = random.Random(seed)  # noqa: S311 - noise
    axis_m = accuracy_m / 1.515  # two of three within the radius, of a circular normal
    assert kinds(at(noise.gauss(0, axis_m), noise.gauss(0, axis_m), accuracy_m) for _ in range(300)) == []


def test_sway_is_no_tilt_and_a_lean_is() -> None:
    """Wind moves it for a moment; what lasts ten seconds is told, once, and that it hangs right again."""
    sway = [Tilt(14.0, 0.0), Tilt(-3.0, 2.0)] * 20
    lean = [Tilt(9.0, 9.0)] * 5
    assert kinds(sway, every_s=5) == []
    assert kinds([*lean, *[LEVEL] * 5], every_s=5) == [Kind.TILTED, Kind.LEVELLED]


def test_how_it_was_put_up_is_learnt() -> None:
    """A bracket may lean; one odd report among the first does not count."""
    first = [Tilt(20.0, -4.0), Tilt(21.0, -4.0), Tilt(80.0, 60.0), Tilt(20.5, -4.5), Tilt(20.0, -4.0)]
    new = replace(WATCH, level=None)
    assert kinds([*first, *[Tilt(21.0, -4.0)] * 10], watch=new) == []
    assert kinds([*first, *[LEVEL] * 10], watch=new) == [Kind.TILTED]


def test_a_blow_is_told_at_once_and_a_series_once() -> None:
    """Somebody hammers for a minute; another blow much later is another."""
    assert kinds([Shock(2.4), Shock(math.nan)]) == []
    assert kinds([Shock(4.0)] * 30, every_s=2) == [Kind.KNOCKED]
    assert kinds([Shock(4.0), Shock(4.0)], every_s=61) == [Kind.KNOCKED] * 2


def test_a_lid_is_told_when_it_opens_and_closes() -> None:
    """Not each time that it is reported."""
    assert kinds([Case(open=False), *[Case(open=True)] * 3, Case(open=False)]) == [Kind.OPENED, Kind.CLOSED]


def test_a_lid_that_flaps_is_told_once_each_way() -> None:
    """A thousand reports in ten seconds are two alarms, not a thousand lines that nobody can delete."""
    flapping = [Case(open=number % 2 == 0) for number in range(1000)]
    assert kinds(flapping, every_s=0.01) == [Kind.OPENED, Kind.CLOSED]
    assert kinds(flapping, every_s=30) == [Kind.OPENED, Kind.CLOSED] * 500


@pytest.mark.parametrize(
    ("then", "last"), [((True, False, True), [Kind.OPENED]), ((True, False, True, False), []), ((False, True), [])]
)
def test_how_a_lid_is_in_the_end_is_told_once_that_has_lasted(then: tuple[bool, ...], last: list[Kind]) -> None:
    """With whatever the unit says next, or nothing: one that stays open is not taken for closed."""
    first = [Kind.OPENED, Kind.CLOSED] if len(then) > 2 else [Kind.OPENED]
    flapped = [Case(open=one) for one in then]
    for after in (Quiet(), at(0), Case(open=then[-1])):
        assert kinds([*flapped, *[after] * 20], every_s=5) == [*first, *last]


def test_what_the_unit_says_itself_is_told() -> None:
    """With the place that it had last."""
    moved, tampered = watched([at(10), Moved(), Tampered(), Moved()])
    assert (moved.kind, tampered.kind) == (Kind.MOVED, Kind.TAMPERED)
    assert moved.place == at(10).place


angles = st.floats(-90, 90)


@given(a=angles, b=angles, c=angles, d=angles)
def test_the_angle_between_two_ways_of_hanging(a: float, b: float, c: float, d: float) -> None:
    """It is the same from either, none from itself, and no more than half a turn."""
    one, other = Tilt(a, b), Tilt(c, d)
    assert between_deg(one, one) == pytest.approx(0, abs=1e-6)
    assert between_deg(one, other) == pytest.approx(between_deg(other, one))
    assert 0 <= between_deg(one, other) <= 180
    assert between_deg(LEVEL, Tilt(a, 0)) == pytest.approx(abs(a), abs=1e-6)
