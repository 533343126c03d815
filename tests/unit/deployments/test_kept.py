"""What is sent again is what was sent: the same words by the same person."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.deployments.done import Done
from gateway.deployments.errors import SentError
from gateway.deployments.hands import Hand
from gateway.deployments.kept import check_same, entry_of
from gateway.deployments.steps import Grant, Note, Plan, Refuse, Review, Step
from tests.unit.deployments.test_life import TEAM, lived

PLAN = Plan(urn="urn:uuid:1", unit="D017", responsible="K. Osei", review_days=7, mount="LP 14")


def sent_as(step: Step, again: Step, *, by: Hand = TEAM) -> None:
    """Have a step be sent, and then another under its key."""
    entry = entry_of(lived(), step, TEAM, done=Done(1, 1), key="phone-1-0001", before="")
    check_same(entry, again, by)


def review(next_ns: int | None) -> Review:
    """Return a review that says when to look again, or leaves that to us."""
    said: dict[str, Any] = {"found": "Quieter.", "needed": True, "next_ns": next_ns}
    return Review(**said)


@pytest.mark.parametrize(
    ("step", "again"),
    [(PLAN, PLAN), (PLAN, replace(PLAN, unit="D018")), (review(5), review(5)), (review(5), review(None))],
)
def test_the_same_words_are_the_same_step(step: Step, again: Step) -> None:
    """What we found by ourselves, or was left to us, may be otherwise by now."""
    sent_as(step, again)


@pytest.mark.parametrize(
    ("step", "again"),
    [
        (Grant(reason="Serious.", max_days=10), Refuse(reason="Serious.")),
        (Note(text="Serious."), Refuse(reason="Serious.")),
        (PLAN, replace(PLAN, responsible="J. Marsh")),
        (review(5), review(6)),
    ],
)
def test_other_words_are_another_step(step: Step, again: Step) -> None:
    """It was not done, and is not said to be."""
    with pytest.raises(SentError):
        sent_as(step, again)


def test_another_person_takes_another_step() -> None:
    """What somebody signed is not told to somebody else to be theirs."""
    with pytest.raises(SentError):
        sent_as(PLAN, PLAN, by=replace(TEAM, user_id="another"))
