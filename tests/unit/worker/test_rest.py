"""When a head stands still where its reference view was taken."""

from dataclasses import replace

import pytest

from gateway.worker.rest import POSE, SETTLE_NS, ZOOM, HeadRest, near
from kernel.errors import SightlineError
from kernel.head import Position
from ptz import HeadState

HERE = Position(0.2, -0.1, 0.05)
STILL = HeadState(position=HERE)
DEAF = replace(STILL, fault=SightlineError("It does not answer.", cure="Wait."))
LATER = 100 * SETTLE_NS


def rest(*states: HeadState) -> HeadRest:
    """Return what is known after these, one at each settling time."""
    one = HeadRest()
    for place, state in enumerate(states):
        one.noted(state, place * SETTLE_NS)
    return one


def test_a_picture_counts_once_the_head_has_settled() -> None:
    """One that came sooner may have been taken while it turned."""
    one = rest(replace(STILL, moving=True), STILL, STILL)
    assert one.stood(2 * SETTLE_NS - 1) is None
    assert one.stood(2 * SETTLE_NS) == HERE


@pytest.mark.parametrize(
    "state",
    [
        HeadState(),
        replace(STILL, moving=True),
        replace(STILL, fault=SightlineError("It does not answer.", cure="Wait.")),
    ],
)
def test_a_head_that_turns_or_does_not_say_stands_nowhere(state: HeadState) -> None:
    """However long ago it stood."""
    assert rest(STILL, state).stood(LATER) is None


def test_a_head_that_was_turned_by_somebody_else_stands_there_from_then_on() -> None:
    """A small play is none."""
    there = replace(HERE, pan=HERE.pan + 3 * POSE)
    one = rest(STILL, replace(STILL, position=replace(HERE, pan=HERE.pan + POSE / 2)), replace(STILL, position=there))
    assert one.stood(3 * SETTLE_NS - 1) is None
    assert one.stood(3 * SETTLE_NS) == there
    assert near(HERE, replace(HERE, zoom=HERE.zoom + ZOOM / 2))
    assert not near(HERE, replace(HERE, zoom=HERE.zoom + 2 * ZOOM))
