"""What of the deployments needs a person, in the order in which it does."""

from dataclasses import replace

import pytest

from gateway.deployments.deployment import DAY_NS, Deployment
from gateway.deployments.due import due
from gateway.deployments.geofence import Kind
from gateway.deployments.steps import Acknowledge, Raise, Remove, Review, SignsDown, Step, Withdraw
from gateway.deployments.why import Why
from tests.unit.deployments.test_life import NO_SIGN, NOW_NS, OFF, SHOWN, STANDING, lived

SIGNED: list[Step] = [*STANDING, SHOWN, OFF]


def found(*known: Deployment, days: float) -> list[tuple[Why, bool]]:
    """Return what is due some days after all began, and whether it is overdue."""
    listed = due(known, now_ns=NOW_NS + round(days * DAY_NS), warn_days=2, evaluation_days=60)
    return [(one.why, one.overdue) for one in listed]


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (4.9, []),
        (5.1, [(Why.REVIEW, False)]),
        (7.1, [(Why.REVIEW, True)]),
        (18.1, [(Why.REVIEW, True), (Why.STAY, False)]),
        (20.1, [(Why.REVIEW, True), (Why.STAY, True)]),
    ],
)
def test_reviews_and_ends_are_told_before_and_stand_out_after(days: float, told: list[tuple[Why, bool]]) -> None:
    """Two days ahead, and overdue from the instant on."""
    assert found(lived(*SIGNED), days=days) == told


def test_what_overstays_comes_first() -> None:
    """Before reviews that are overdue for longer."""
    over = replace(lived(*SIGNED), id="over", lapsed_ns=NOW_NS + 20 * DAY_NS)
    assert found(lived(*SIGNED), over, days=20.5)[0] == (Why.OVERSTAYED, True)


def test_a_unit_in_alarm_comes_first_of_all() -> None:
    """It is to be seen to now, and until somebody has; what is over and was seen is not."""
    gone = Raise(kind=Kind.LEFT, by=300.0, place=None)
    back = Raise(kind=Kind.RETURNED, by=2.0, place=None)
    assert found(lived(*SIGNED, gone), days=20.5)[0] == (Why.ALARM, True)
    assert found(lived(*SIGNED, gone, back), days=0) == [(Why.ALARM, True)]
    seen = Acknowledge(kind=Kind.LEFT, line=len(SIGNED) + 2, text="")
    assert found(lived(*SIGNED, gone, seen), days=0) == [(Why.ALARM, True)]
    assert found(lived(*SIGNED, gone, back, seen), days=0) == []


def test_signs_that_hang_for_no_unit_are_to_come_down() -> None:
    """Where it was withdrawn after they were up, too; and no longer once they are down."""
    for over in (Remove(reason="x"), Withdraw(reason="x")):
        steps = STANDING if isinstance(over, Remove) else STANDING[:-1]
        hanging = lived(*steps, over)
        assert (Why.SIGNS, True) in found(hanging, days=0.1)
        assert Why.SIGNS not in [why for why, _ in found(lived(*steps, over, NO_SIGN, SignsDown(text="x")), days=0.1)]
    assert found(lived(*STANDING[:-3], Withdraw(reason="x")), days=0.1) == []


def test_what_is_not_needed_is_to_be_taken_down() -> None:
    """From the review that found so, not from the next."""
    unneeded = lived(*SIGNED, Review(found="x", needed=False, next_ns=NOW_NS + 9 * DAY_NS))
    assert found(unneeded, days=0.1) == [(Why.UNNEEDED, False)]
    assert found(unneeded, days=9.1) == [(Why.UNNEEDED, True)]


def test_a_unit_that_nobody_signed_off_is_due() -> None:
    """An hour after it was put up whoever did should be done; taken down it needs no signature any more."""
    assert found(lived(*STANDING), days=0.9 / 24) == []
    assert found(lived(*STANDING), days=1.1 / 24) == [(Why.SIGN_OFF, True)]
    assert found(lived(*STANDING, SHOWN, OFF), days=1.1 / 24) == []
    assert Why.SIGN_OFF not in [why for why, _ in found(lived(*STANDING, Remove(reason="x")), days=1)]


def test_signs_that_still_hang_are_overdue_at_once() -> None:
    """They say that somebody is watched where nobody is."""
    down = lived(*STANDING, Remove(reason="x"))
    assert found(down, days=0.1) == [(Why.SIGNS, True)]


def test_effects_are_to_be_evaluated_some_time_after() -> None:
    """Sixty days, and two days' warning."""
    down = lived(*STANDING, Remove(reason="x"), NO_SIGN, SignsDown(text="x"))
    assert found(down, days=57) == []
    assert found(down, days=58.5) == [(Why.EVALUATION, False)]
    assert found(down, days=60.5) == [(Why.EVALUATION, True)]


def test_a_referral_waits_for_its_decision() -> None:
    """It is listed at once."""
    assert found(lived(), days=0) == [(Why.DECISION, False)]
