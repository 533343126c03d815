"""What is known of a camera's picture, and when it was looked at last."""

from dataclasses import replace

import numpy as np
import pytest

from gateway.health.picture import HEIGHT, WIDTH
from gateway.worker.problems import NotSeenError
from gateway.worker.rest import SETTLE_NS
from gateway.worker.sight import NARROW_DEG, Sight
from kernel.head import Position
from ptz import HeadState
from tests.fakes.clock import ManualClock

GREY = np.full((HEIGHT, WIDTH), 90, dtype=np.uint8)
HERE = Position(0.2, -0.1, 0.05)
STILL = HeadState(position=HERE)
SETTLED_NS = 5 * SETTLE_NS


def sight(clock: ManualClock, *, head: bool = False) -> Sight:
    """Return that of a camera of which nothing was seen."""
    return Sight(b"", None, head=head, looking=clock)


async def test_it_is_told_when_a_picture_was_looked_at(clock: ManualClock) -> None:
    """Not before the first; and since when nobody has looked, from when on there may have been one."""
    one = sight(clock)
    began_ns = clock.wall_ns()
    await clock.turn(40.0)
    assert (one.looked_ns, one.unlooked_since_ns) == (None, began_ns)
    one.came(GREY, 0)
    looked_ns = clock.wall_ns()
    await clock.turn(40.0)
    assert (one.looked_ns, one.unlooked_since_ns) == (looked_ns, looked_ns)


async def test_where_no_picture_comes_nobody_has_to_look(clock: ManualClock) -> None:
    """What was seen before says nothing any more; once pictures come again, it counts from then."""
    one = sight(clock)
    one.came(GREY, 0)
    await clock.turn(40.0)
    one.none_comes()
    assert (one.looked_ns, one.unlooked_since_ns) == (None, clock.wall_ns())
    with pytest.raises(NotSeenError):
        one.view(None, None, 0)


def test_a_picture_shows_what_a_head_shows_now_once_it_has_settled(clock: ManualClock) -> None:
    """Of a camera without one, from now on."""
    assert sight(clock).settled_ns(7) == 7
    one = sight(clock, head=True)
    one.head_stands(STILL, SETTLED_NS)
    assert one.settled_ns(SETTLED_NS) == SETTLED_NS + SETTLE_NS
    assert one.settled_ns(3 * SETTLED_NS) == 3 * SETTLED_NS


def test_a_view_is_taken_with_where_the_head_stands(clock: ManualClock) -> None:
    """It stood there when the picture came, and still does."""
    one = sight(clock, head=True)
    one.head_stands(STILL, 0)
    one.came(GREY, SETTLED_NS)
    grey, at = one.view(STILL, 40.0, SETTLED_NS)
    assert (set(grey), at) == ({90}, HERE)


@pytest.mark.parametrize(
    ("state", "hfov_deg"),
    [
        (None, 40.0),
        (HeadState(), 40.0),
        (replace(STILL, position=Position(0.5, 0.0, 0.0)), 40.0),
        (STILL, NARROW_DEG / 2),
    ],
)
def test_a_view_that_could_not_be_compared_later_is_not_taken(
    clock: ManualClock, state: HeadState | None, hfov_deg: float
) -> None:
    """Its head does not say where it stands, has turned since, or is zoomed in."""
    one = sight(clock, head=True)
    one.head_stands(STILL, 0)
    one.came(GREY, SETTLED_NS)
    if state is not None:
        one.head_stands(state, SETTLED_NS)
    with pytest.raises(NotSeenError):
        one.view(state, hfov_deg, 2 * SETTLED_NS)
