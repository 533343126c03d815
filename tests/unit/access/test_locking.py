"""A console that nobody touches only shows live pictures until somebody proves who they are."""

import pytest

from gateway.access.errors import CredentialsError
from gateway.access.identity import SessionState
from gateway.access.permissions import Permission
from gateway.access.proofs import PasswordProof
from tests.unit.access.conftest import PASSWORD, Door, DoorWith, visitor

SHUT = {Permission.SIGNED_IN, Permission.VIEW_LIVE}


def told(door: Door) -> list[tuple[str, SessionState]]:
    """Return what will be told of sessions."""
    heard: list[tuple[str, SessionState]] = []
    door.access.when_state(lambda session, state: heard.append((session, state)))
    return heard


async def test_an_untouched_console_locks(door: Door) -> None:
    """Asking for things is not touching; whoever listens is told, once."""
    await door.add()
    who, secret = await door.sign_in()
    heard = told(door)
    door.clock.jump_wall(door.settings.lock_after_s - 1)
    assert (await door.access.of_session(secret)).state is SessionState.OPEN
    door.clock.jump_wall(1)
    locked = await door.access.of_session(secret)
    await door.access.end_expired()
    assert locked.ceiling == SHUT
    assert not locked.confirmed
    assert heard == [(who.session, SessionState.LOCKED)]


async def test_the_sweep_locks_without_being_asked(door: Door) -> None:
    """A stick is let go of although the console asks for nothing."""
    await door.add()
    who, _ = await door.sign_in()
    heard = told(door)
    door.clock.jump_wall(door.settings.lock_after_s)
    await door.access.end_expired()
    assert heard == [(who.session, SessionState.LOCKED)]


async def test_who_locked_by_idleness_is_told_once(door: Door) -> None:
    """Whoever comes to it first: a request or the sweep. What somebody locks by hand is not among it."""
    await door.add()
    who, secret = await door.sign_in()
    _, other = await door.sign_in()
    heard: list[tuple[str, str]] = []
    detach = door.access.when_idle(lambda session: heard.append((session.id, session.username)))
    await door.access.put_state((await door.access.of_session(other)).session, SessionState.LOCKED)
    door.clock.jump_wall(door.settings.lock_after_s)
    await door.access.of_session(secret)
    await door.access.end_expired()
    assert heard == [(who.session, "ann")]
    detach()


async def test_a_hand_keeps_it_open(door: Door) -> None:
    """A sign of activity starts the time anew."""
    await door.add()
    who, secret = await door.sign_in()
    for _ in range(4):
        door.clock.jump_wall(door.settings.lock_after_s - 1)
        await door.access.touched(who.session)
    assert (await door.access.of_session(secret)).state is SessionState.OPEN


async def test_never_means_never(door_with: DoorWith) -> None:
    """With 0 nothing locks by itself."""
    door = await door_with(lock_after_s=0)
    await door.add()
    _, secret = await door.sign_in()
    door.clock.jump_wall(door.settings.session_idle_s - 1)
    await door.access.end_expired()
    assert (await door.access.of_session(secret)).state is SessionState.OPEN


@pytest.mark.parametrize("state", [SessionState.LOCKED, SessionState.WALL])
async def test_only_a_proof_opens_it(door: Door, state: SessionState) -> None:
    """A wrong password leaves it as it is, the right one gives everything back."""
    await door.add()
    who, secret = await door.sign_in()
    await door.access.put_state(who.session, state)
    locked = await door.access.of_session(secret)
    assert (locked.state, set(locked.ceiling)) == (state, SHUT)
    with pytest.raises(CredentialsError):
        await door.entrance.confirm(locked, PasswordProof(password="wrong"), visitor=visitor())
    assert (await door.access.of_session(secret)).state is state
    await door.entrance.confirm(locked, PasswordProof(password=PASSWORD), visitor=visitor())
    assert Permission.STEER in (await door.access.of_session(secret)).ceiling


async def test_a_touch_does_not_open_a_locked_one(door: Door) -> None:
    """Activity that arrives late is not a proof."""
    await door.add()
    who, secret = await door.sign_in()
    door.clock.jump_wall(door.settings.lock_after_s)
    await door.access.end_expired()
    await door.access.touched(who.session)
    assert (await door.access.of_session(secret)).state is SessionState.LOCKED


async def test_a_wallboard_never_locks(door: Door) -> None:
    """It goes on showing for as long as its session lasts."""
    await door.add()
    who, secret = await door.sign_in()
    await door.access.put_state(who.session, SessionState.WALL)
    for _ in range(6):
        door.clock.jump_wall(door.settings.session_idle_s - 60)
        await door.access.end_expired()
        assert (await door.access.of_session(secret)).state is SessionState.WALL


async def test_a_clock_that_was_set_back_locks(door: Door) -> None:
    """How long ago a hand moved is not known then: it counts as too long ago, for requests and for the sweep."""
    await door.add()
    who, secret = await door.sign_in()
    heard = told(door)
    door.clock.jump_wall(-3600)
    await door.access.end_expired()
    assert heard == [(who.session, SessionState.LOCKED)]
    assert (await door.access.of_session(secret)).state is SessionState.LOCKED


async def test_a_request_sees_it_before_the_sweep(door: Door) -> None:
    """Nothing is let through until then."""
    await door.add()
    _, secret = await door.sign_in()
    door.clock.jump_wall(-3600)
    assert (await door.access.of_session(secret)).ceiling == SHUT


async def test_a_proof_from_the_future_is_none(door_with: DoorWith) -> None:
    """Also where consoles never lock."""
    door = await door_with(lock_after_s=0)
    await door.add()
    _, secret = await door.sign_in()
    assert (await door.access.of_session(secret)).confirmed
    door.clock.jump_wall(-3600)
    late = await door.access.of_session(secret)
    assert (late.state, late.confirmed) == (SessionState.OPEN, False)


async def test_a_clock_that_is_put_right_by_a_little_locks_nothing(door: Door) -> None:
    """That happens all the time."""
    await door.add()
    _, secret = await door.sign_in()
    door.clock.jump_wall(-1)
    await door.access.end_expired()
    now = await door.access.of_session(secret)
    assert (now.state, now.confirmed) == (SessionState.OPEN, True)
