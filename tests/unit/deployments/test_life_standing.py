"""What happens to a unit while it stands: it is signed off, raises alarms, is acknowledged."""

from dataclasses import replace

import pytest

from gateway.deployments.deployment import DAY_NS, Stage, Unseen
from gateway.deployments.done import WAY_NS
from gateway.deployments.errors import StepError, WishError
from gateway.deployments.geofence import Kind
from gateway.deployments.life import after
from gateway.deployments.steps import (
    Acknowledge,
    Evaluate,
    Note,
    Raise,
    Remove,
    SignsDown,
    Tick,
)
from tests.unit.deployments.test_life import (
    CHIEF,
    CLOCK,
    HOUR_NS,
    INSTALL,
    NO_SIGN,
    NOW_NS,
    OFF,
    RULES,
    SHOWN,
    STANDING,
    TEAM,
    lived,
)


def test_whoever_put_it_up_signs_it_off_with_every_tick() -> None:
    """Who and when are on record; one tick that is missing, whichever, leaves it unsigned."""
    signed = lived(*STANDING, SHOWN, OFF)
    assert (signed.signed_off_ns, signed.signed_off_by) == (NOW_NS, TEAM.name)
    for missing in Tick:
        ticks = tuple(tick for tick in Tick if tick is not missing)
        with pytest.raises(StepError, match=f"Not ticked yet: {missing.value}"):
            lived(*STANDING, SHOWN, replace(OFF, ticks=ticks))


def test_a_note_is_no_sign_off() -> None:
    """Whatever it begins with."""
    assert lived(*STANDING, SHOWN, Note(text="Signed off in the field.")).signed_off_ns is None


def test_another_unit_is_not_signed_off() -> None:
    """What hangs there is what was planned."""
    with pytest.raises(WishError, match="D099 was signed off, and D017 stands here"):
        lived(*STANDING, SHOWN, replace(OFF, unit="D099"))


def test_a_unit_that_nobody_photographed_is_not_signed_off() -> None:
    """Where the site asks for no photos, it is."""
    with pytest.raises(StepError, match="no photo"):
        lived(*STANDING, OFF)
    trusting = replace(RULES, sign_photos=False)
    assert after(lived(*STANDING), OFF, TEAM, rules=trusting, now_ns=NOW_NS).signed_off_ns == NOW_NS


def test_where_a_unit_was_between_two_installations_is_nothing_of_its_place() -> None:
    """What it tells late of the van and the yard raises nothing, and what it recorded there is not the street's."""
    down = after(lived(*STANDING), Remove(reason="x"), TEAM, rules=RULES, now_ns=NOW_NS + HOUR_NS)
    again = after(down, INSTALL, TEAM, rules=RULES, now_ns=NOW_NS + 6 * HOUR_NS)
    down = after(again, Remove(reason="x"), TEAM, rules=RULES, now_ns=NOW_NS + 7 * HOUR_NS)
    again = after(down, INSTALL, TEAM, rules=RULES, now_ns=NOW_NS + 8 * HOUR_NS)
    stood = [again.stood(NOW_NS + half * HOUR_NS // 2) for half in range(18)]
    assert stood == [True] * 2 + [False] * 10 + [True] * 2 + [False] * 2 + [True] * 2


def test_what_was_seen_before_it_was_put_up_again_is_not_signed() -> None:
    """Seen live in the morning, taken down and put up again since: who signs looks again. Nor is what is to come."""
    down = after(lived(*STANDING, SHOWN), Remove(reason="x"), TEAM, rules=RULES, now_ns=NOW_NS + HOUR_NS)
    again = after(down, INSTALL, TEAM, rules=RULES, now_ns=NOW_NS + 2 * HOUR_NS)
    for live_ns in (NOW_NS, NOW_NS + 2 * HOUR_NS - WAY_NS - 1, NOW_NS + 3 * HOUR_NS + WAY_NS + 1):
        with pytest.raises(StepError, match="not seen live since"):
            after(again, replace(OFF, live_ns=live_ns), TEAM, rules=RULES, now_ns=NOW_NS + 3 * HOUR_NS)
    seen = replace(OFF, live_ns=NOW_NS + 2 * HOUR_NS)
    assert after(again, seen, TEAM, rules=RULES, now_ns=NOW_NS + 3 * HOUR_NS).signed_off_by == TEAM.name


def test_nothing_is_signed_off_before_it_stands_or_after() -> None:
    """And signed twice, the first counts."""
    for steps in (STANDING[:-1], [*STANDING, Remove(reason="x")]):
        with pytest.raises(StepError, match="cannot be signed-off"):
            lived(*steps, OFF)
    again = after(lived(*STANDING, SHOWN, OFF), OFF, CHIEF, rules=RULES, now_ns=NOW_NS + DAY_NS)
    assert (again.signed_off_ns, again.signed_off_by) == (NOW_NS, TEAM.name)


def test_a_removal_that_is_told_late_says_why_the_unit_left() -> None:
    """In the van it had left its place: that waits for nobody. A knock of before it was taken down does."""
    one = lived(*STANDING, knock())
    away = Raise(kind=Kind.LEFT, by=900.0, place=None)
    gone = after(one, away, CLOCK, rules=RULES, now_ns=NOW_NS + 2 * DAY_NS)
    down = after(gone, Remove(reason="x"), TEAM, rules=RULES, now_ns=NOW_NS + DAY_NS)
    assert (down.removed_ns, down.alarms, set(down.unseen)) == (NOW_NS + DAY_NS, {}, {Kind.KNOCKED})


def knock() -> Raise:
    """Return a blow."""
    return Raise(kind=Kind.KNOCKED, by=4.0, place=None)


def test_an_alarm_waits_until_somebody_acknowledges_it() -> None:
    """A knock is over at once, and is there all the same; those of one kind are one, with their number."""
    one = lived(*STANDING, knock(), knock())
    assert (one.alarms, one.unseen) == ({}, {Kind.KNOCKED: Unseen(2, NOW_NS, one.entries)})
    seen = after(one, Acknowledge(kind=Kind.KNOCKED, line=one.entries, text=""), TEAM, rules=RULES, now_ns=NOW_NS)
    assert seen.unseen == {}


def test_what_happened_since_somebody_looked_stays() -> None:
    """Who acknowledges a knock has not seen the next one, and says nothing of another kind."""
    one = lived(*STANDING, knock())
    looked_at = one.entries
    again = lived(*STANDING, knock(), knock())
    with pytest.raises(StepError, match="again"):
        after(again, Acknowledge(kind=Kind.KNOCKED, line=looked_at, text=""), TEAM, rules=RULES, now_ns=NOW_NS)
    with pytest.raises(StepError, match="already"):
        after(again, Acknowledge(kind=Kind.LEFT, line=99, text=""), TEAM, rules=RULES, now_ns=NOW_NS)


def test_what_lasts_goes_on_after_it_is_acknowledged() -> None:
    """Somebody sees to the unit that has left; it is away until it is back."""
    one = lived(*STANDING, Raise(kind=Kind.LEFT, by=300.0, place=None))
    seen = after(one, Acknowledge(kind=Kind.LEFT, line=one.entries, text=""), TEAM, rules=RULES, now_ns=NOW_NS)
    assert (seen.unseen, set(seen.alarms)) == ({}, {Kind.LEFT})


def test_an_alarm_outlives_the_stay() -> None:
    """It is acknowledged after the unit is down too, and before the evaluation closes the file."""
    one = lived(*STANDING, knock(), Remove(reason="x"), NO_SIGN, SignsDown(text="x"))
    with pytest.raises(StepError, match="acknowledged"):
        after(one, Evaluate(found="x", effect="less"), TEAM, rules=RULES, now_ns=NOW_NS)
    seen = after(one, Acknowledge(kind=Kind.KNOCKED, line=one.entries, text=""), TEAM, rules=RULES, now_ns=NOW_NS)
    assert after(seen, Evaluate(found="x", effect="less"), TEAM, rules=RULES, now_ns=NOW_NS).stage is Stage.EVALUATED
