"""When a step was done, of what its sender's clock says."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.deployments.done import LATE_DAYS, WAY_NS, Done, Told, done, follows_ns
from gateway.deployments.steps import Note, Remove, Review, SignsDown, SignsUp
from kernel.clock import NS_PER_S, to_ns
from tests.unit.deployments.test_life import INSTALL, NOW_NS, OFF, STANDING, lived

HOUR_NS = 3600 * NS_PER_S
LONG_AGO_NS = NOW_NS - 400 * 24 * HOUR_NS


def found(said_ns: int, sent_ns: int | None = NOW_NS, *, follows_ns: int = LONG_AGO_NS) -> Done:
    """Return when a step was done that comes now."""
    return done(Told(said_ns, sent_ns), now_ns=NOW_NS, follows_ns=follows_ns)


def test_what_says_nothing_of_its_time_was_done_as_it_came() -> None:
    """A console sends a step as it is taken."""
    assert done(None, now_ns=NOW_NS, follows_ns=LONG_AGO_NS) == Done(NOW_NS, NOW_NS)


def test_what_is_sent_later_was_done_so_long_before_it_came() -> None:
    """Two hours without a network are two hours."""
    assert found(NOW_NS - 2 * HOUR_NS) == Done(NOW_NS, NOW_NS - 2 * HOUR_NS, 0.0)


@pytest.mark.parametrize("off_s", [-86_400 * 365, -300, 300, 86_400 * 365])
def test_a_clock_that_is_wrong_changes_nothing_and_is_said(off_s: int) -> None:
    """How long lies between doing and sending is right by any clock that runs."""
    off_ns = off_s * NS_PER_S
    assert found(NOW_NS - 2 * HOUR_NS + off_ns, NOW_NS + off_ns) == Done(NOW_NS, NOW_NS - 2 * HOUR_NS, off_s)


def test_a_sender_whose_clock_is_ours_need_not_say_when_it_sends() -> None:
    """What was done an hour ago was."""
    assert found(NOW_NS - HOUR_NS, None).at_ns == NOW_NS - HOUR_NS


@pytest.mark.parametrize(
    ("said_ns", "why"),
    [
        (NOW_NS + HOUR_NS, "after it was sent"),
        (NOW_NS - (LATE_DAYS * 24 + 1) * HOUR_NS, "more than 7 days before it was sent"),
        (NOW_NS - 3 * HOUR_NS, "before what it follows"),
    ],
)
def test_a_time_that_cannot_be_counts_for_nothing_and_is_said(said_ns: int, why: str) -> None:
    """It then counts from when it came: the step was done all the same."""
    when = found(said_ns, follows_ns=NOW_NS - 2 * HOUR_NS)
    said = datetime.fromisoformat(when.doubt.removeprefix("the sender said ").split(",")[0])
    assert (when.at_ns, to_ns(said), when.doubt.endswith(why)) == (NOW_NS, said_ns, True)
    assert said.tzinfo is UTC


@pytest.mark.parametrize(
    "said_ns",
    [NOW_NS - 2 * HOUR_NS - WAY_NS - 1, NOW_NS - (LATE_DAYS * 24 + 1) * HOUR_NS, NOW_NS + HOUR_NS],
)
def test_a_step_of_before_what_it_follows_is_told(said_ns: int) -> None:
    """Be it by a time that is not believed, or by one that leaves open whether it was before; not for its way."""
    follows = NOW_NS - 2 * HOUR_NS
    assert not found(said_ns, follows_ns=follows).after
    assert found(follows - WAY_NS, follows_ns=follows).after


def test_what_follows_closely_is_not_doubted_for_its_way() -> None:
    """A photo was long on its way, and what was done next was not: that was done no earlier, and nothing is odd."""
    follows = NOW_NS - HOUR_NS
    assert found(follows - WAY_NS + 1, follows_ns=follows) == Done(NOW_NS, follows, 0.0)


def test_a_clock_that_is_put_right_meanwhile_by_a_little_is_no_lie() -> None:
    """A phone that finds its network sets its clock back by a second: the step was done now."""
    assert found(NOW_NS + NS_PER_S) == Done(NOW_NS, NOW_NS, 0.0)


def test_nothing_is_done_after_it_came() -> None:
    """Not where what it follows is ahead of the clock."""
    assert found(NOW_NS, follows_ns=NOW_NS + NS_PER_S).at_ns == NOW_NS


def test_each_step_follows_the_one_that_the_law_has_before_it() -> None:
    """Signs follow the grant, the unit its signs, its removal its installation, signs down the removal."""
    one = replace(lived(*STANDING), referred_ns=1, decided_ns=2, signs_up_ns=3, deployed_ns=4)
    steps = (Note(text="x"), SignsUp(text="x"), INSTALL, Remove(reason="x"))
    assert [follows_ns(one, step) for step in steps] == [1, 2, 3, 4]
    assert [follows_ns(one, step) for step in (Review(found="x", needed=True, next_ns=9), OFF)] == [4, 4]
    down = replace(one, removed_ns=5)
    assert [follows_ns(down, step) for step in (SignsDown(text="x"), INSTALL)] == [5, 5]
    again = replace(one, again_ns=6)
    assert [follows_ns(again, step) for step in (Remove(reason="x"), OFF)] == [6, 6]
