"""One holder of the stick at a time."""

import pytest

from ptz import Holder, Priority, Stick
from ptz.errors import StickHeldError, StickNotHeldError
from tests.fakes.clock import ManualClock

ANNE = Holder("s1", "Anne")
BEN = Holder("s2", "Ben")


@pytest.fixture
def stick(clock: ManualClock) -> Stick:
    """A free stick."""
    return Stick(clock=clock, idle_release_s=60.0)


def test_free_stick_is_taken(stick: Stick, clock: ManualClock) -> None:
    """A free stick goes to whoever asks, and everybody sees who."""
    assert stick.take(ANNE) is None
    assert stick.state.holder == ANNE
    assert stick.state.since_ns == clock.wall_ns()


async def test_held_stick_is_refused(stick: Stick, clock: ManualClock) -> None:
    """While Anne steers Ben is told who has it and how long it has lain still."""
    stick.take(ANNE)
    await clock.turn(10.0)
    with pytest.raises(StickHeldError, match="Anne is steering") as caught:
        stick.take(BEN)
    assert caught.value.facts["idle_s"] == 10.0
    assert "50 s" in caught.value.cure


async def test_idle_stick_changes_hands(stick: Stick, clock: ManualClock) -> None:
    """A stick left alone for a minute may be taken, and who lost it is told."""
    stick.take(ANNE)
    await clock.turn(60.0)
    assert stick.take(BEN) == ANNE


async def test_touching_keeps_it(stick: Stick, clock: ManualClock) -> None:
    """Whoever goes on steering keeps the stick; taking it again is touching it."""
    stick.take(ANNE)
    await clock.turn(50.0)
    stick.touch("s1")
    await clock.turn(50.0)
    assert stick.take(ANNE) is None
    assert stick.state.idle_s == 0.0
    with pytest.raises(StickHeldError):
        stick.take(BEN)


@pytest.mark.parametrize("held", [True, False])
def test_only_the_holder_steers(stick: Stick, held: bool) -> None:  # noqa: FBT001
    """A wish from anybody else is refused with the holder's name."""
    if held:
        stick.take(ANNE)
    with pytest.raises(StickNotHeldError, match="Anne" if held else "Nobody"):
        stick.touch("s2")


def test_release(stick: Stick) -> None:
    """Only the holder's release frees the stick, and twice is harmless."""
    stick.take(ANNE)
    assert not stick.release("s2")
    assert stick.release("s1")
    assert not stick.release("s1")
    assert stick.state.holder is None
    assert stick.state.idle_s == 0.0


GUEST = Holder("s3", "PC Smith", priority=Priority.GUEST)


def test_the_room_takes_the_stick_from_a_guest(stick: Stick) -> None:
    """At once, however busy the guest is; the guest is who lost it."""
    stick.take(GUEST)
    assert stick.take(ANNE) == GUEST
    assert stick.state.holder == ANNE


async def test_a_guest_never_takes_the_stick_from_the_room(stick: Stick, clock: ManualClock) -> None:
    """However long it has lain still."""
    stick.take(ANNE)
    await clock.turn(3600.0)
    with pytest.raises(StickHeldError, match="Anne of the control room"):
        stick.take(GUEST)


async def test_guests_are_equals(stick: Stick, clock: ManualClock) -> None:
    """One takes it from another only when it has lain still, as in the room."""
    other = Holder("s4", "PC Jones", priority=Priority.GUEST)
    stick.take(GUEST)
    with pytest.raises(StickHeldError):
        stick.take(other)
    await clock.turn(60.0)
    assert stick.take(other) == GUEST
