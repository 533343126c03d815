"""How long a battery lasts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.health.battery import HOUR_NS, Charge, hours_left

NOW = 1_000 * HOUR_NS


def said(*levels: float, every_h: float = 0.25, charging: bool = False) -> list[Charge]:
    """Return what a unit said until now, at such intervals."""
    times = [NOW - round((len(levels) - 1 - place) * every_h * HOUR_NS) for place in range(len(levels))]
    return [Charge(at_ns, level, charging) for at_ns, level in zip(times, levels, strict=True)]


@given(percent=st.floats(5, 80), per_hour=st.floats(0.5, 4))
def test_it_goes_on_as_it_went(percent: float, per_hour: float) -> None:
    """A battery that falls evenly is empty when its line reaches nought."""
    levels = [percent + per_hour * 0.25 * back for back in range(20, -1, -1)]
    assert hours_left(said(*levels), now_ns=NOW) == pytest.approx(percent / per_hour)


def test_whole_percents_are_evened_out() -> None:
    """Two percent an hour, told in steps, last twenty-five hours from fifty, to one."""
    levels = [round(50 + back * 0.5) for back in range(20, -1, -1)]
    assert hours_left(said(*levels), now_ns=NOW) == pytest.approx(25, abs=1)


def test_only_since_it_was_charged_last() -> None:
    """What it rose by counts for nothing."""
    before = said(20, 30, 40, charging=True)
    after = said(40, 39, 38, 37, 36)
    shifted = [Charge(one.at_ns - 2 * HOUR_NS, one.percent, one.charging) for one in before]
    assert hours_left([*shifted, *after], now_ns=NOW) == pytest.approx(9)


@pytest.mark.parametrize("rise", [1, 3])
@given(at=st.integers(1, 19))
def test_a_level_that_comes_back_a_little_was_not_charged(rise: int, at: int) -> None:
    """A percent or three up, at any time: a unit that will be empty in four hours does not leave the list for it."""
    levels = [25 + back * 1.5 for back in range(20, -1, -1)]
    levels[at] += rise + 1.5
    assert hours_left(said(*levels), now_ns=NOW) == pytest.approx(25 / 6, abs=1)


def test_a_battery_that_was_changed_is_judged_from_then_on() -> None:
    """Whatever it says of charging; nor does a charge that is not told of, little by little."""
    assert hours_left(said(22, 21, 20, 90, 89, 88, 87), now_ns=NOW) == pytest.approx(87 / 4)
    assert hours_left(said(10, 12, 14, 16, 18, 20, 19, 18, 17, 16), now_ns=NOW) == pytest.approx(4)


def test_a_battery_that_was_just_changed_is_not_foretold() -> None:
    """What it fell by before says nothing of the new one."""
    assert hours_left(said(23, 22, 21, 20, 90), now_ns=NOW) is None


@pytest.mark.parametrize(
    "known",
    [
        [],
        said(50),
        said(50, 49),
        said(50, 50, 50, 50),
        said(50, 51, 52, 53),
        said(50, 49, 48, 47, charging=True),
        [Charge(one.at_ns - 24 * HOUR_NS, one.percent, one.charging) for one in said(50, 49, 48, 47)],
    ],
)
def test_nothing_is_foretold_without_a_fall(known: list[Charge]) -> None:
    """Nothing said, too little, no fall, a charge, or all of it long ago."""
    assert hours_left(known, now_ns=NOW) is None


def test_an_empty_battery_lasts_no_more() -> None:
    """And never less."""
    assert hours_left(said(3, 2, 1, 0, 0), now_ns=NOW) == pytest.approx(0, abs=0.5)
