"""Sessions open with a password and end when they should."""

import pytest
from argon2 import PasswordHasher

from gateway.access.entrance import Opened
from gateway.access.errors import CredentialsError, NotSignedInError, TooManyAttemptsError
from gateway.access.passwords import Passwords
from gateway.access.people import UserChange
from gateway.access.permissions import Role
from gateway.access.secrets import hashed
from gateway.access.service import SESSIONS_MAX
from gateway.db.sessions import Sessions
from tests.unit.access.conftest import HERE, PASSWORD, Door, door_over, visitor


async def test_the_right_password_opens_a_session(door: Door) -> None:
    """The session knows who it is; the user name is compared without case."""
    await door.add("ann")
    _, secret = await door.sign_in(" ANN ")
    identity = await door.access.of_session(secret)
    assert (identity.username, identity.role, identity.shown) == ("ann", Role.OPERATOR, "ann")


async def test_the_secret_is_not_stored(door: Door) -> None:
    """The database knows the hash alone."""
    await door.add()
    _, secret = await door.sign_in()
    async with door.database.read() as connection:
        found = await Sessions(connection).find(hashed(secret))
    assert found is not None
    assert secret not in str(found)


@pytest.mark.parametrize(("username", "password"), [("ann", "wrong"), ("bob", PASSWORD), ("", "")])
async def test_wrong_and_unknown_are_told_apart_by_nobody(door: Door, username: str, password: str) -> None:
    """The answer to a wrong password and to an unknown user is the same."""
    await door.add("ann")
    with pytest.raises(CredentialsError, match="User name or password is wrong"):
        await door.sign_in(username, password)


async def test_an_unknown_user_costs_a_hash_too(door: Door) -> None:
    """Time does not tell who exists: a decoy is verified."""
    verified: list[str] = []

    class Watching(Passwords):
        def _matches(self, stored: str, password: str) -> bool:
            verified.append(stored)
            return super()._matches(stored, password)

    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords = Watching(min_length=12, hasher=hasher)
    other = door_over(door.database, door.clock, door.settings, passwords)
    with pytest.raises(CredentialsError):
        await other.sign_in("nobody")
    assert len(verified) == 1


async def test_a_disabled_user_is_told_no_more(door: Door) -> None:
    """Disabled is answered as wrong."""
    await door.add("root", Role.ADMINISTRATOR)
    user = await door.add()
    await door.people.change(user.id, UserChange(disabled=True))
    with pytest.raises(CredentialsError, match="User name or password is wrong"):
        await door.sign_in()


async def test_a_session_ends_when_it_is_not_used(door: Door) -> None:
    """The idle time ends it, use prolongs it."""
    await door.add()
    _, secret = await door.sign_in()
    half = door.settings.session_idle_s / 2 + 60
    for _ in range(3):
        door.clock.jump_wall(half)
        await door.access.of_session(secret)
    door.clock.jump_wall(door.settings.session_idle_s)
    with pytest.raises(NotSignedInError, match="has ended"):
        await door.access.of_session(secret)


async def test_a_session_ends_at_last(door: Door) -> None:
    """However busy, it ends at its absolute time."""
    await door.add()
    identity, secret = await door.sign_in()
    used = 0.0
    step = door.settings.session_idle_s - 60
    while used + step < door.settings.session_absolute_s:
        door.clock.jump_wall(step)
        used += step
        await door.access.of_session(secret)
    door.clock.jump_wall(step)
    with pytest.raises(NotSignedInError):
        await door.access.of_session(secret)
    assert door.ended == [identity.session]


async def test_signing_out_ends_it_for_good(door: Door) -> None:
    """The cookie opens nothing afterwards, and whoever listens is told."""
    await door.add()
    identity, secret = await door.sign_in()
    await door.access.sign_out(identity.session)
    with pytest.raises(NotSignedInError, match="signed out"):
        await door.access.of_session(secret)
    assert door.ended == [identity.session]


async def test_expired_sessions_are_swept(door: Door) -> None:
    """A session nobody uses ends without being asked."""
    await door.add()
    old, _ = await door.sign_in()
    door.clock.jump_wall(door.settings.session_idle_s - 60)
    fresh, _ = await door.sign_in()
    door.clock.jump_wall(120)
    await door.access.end_expired()
    assert door.ended == [old.session]
    assert fresh.session not in door.ended


async def test_a_listener_can_leave(door: Door) -> None:
    """Who no longer listens is not called."""
    heard: list[str] = []
    leave = door.access.when_ended(heard.append)
    leave()
    await door.access.sign_out("x")
    assert heard == []


async def test_guessing_one_account_has_to_wait(door: Door) -> None:
    """After its attempts an account waits at that address, and the wait is told."""
    await door.add()
    await _guess(door, door.settings.account_attempts, HERE)
    with pytest.raises(TooManyAttemptsError) as caught:
        await door.sign_in()
    assert 0 < caught.value.retry_after_s <= door.settings.account_refill_s
    await door.clock.turn(caught.value.retry_after_s)
    await door.sign_in()


async def test_guessing_elsewhere_slows_nobody_down(door: Door) -> None:
    """Who is at another address signs in while somebody guesses at their account."""
    await door.add()
    await _guess(door, door.settings.account_attempts, "192.0.2.66")
    await door.sign_in()


async def test_guessing_one_account_from_many_addresses_has_a_bound(door: Door) -> None:
    """All addresses together have so many attempts; then browsers from which nobody has signed in wait."""
    await door.add()
    for address in range(door.settings.account_wide_attempts):
        await _guess(door, 1, f"10.0.0.{address}")
    with pytest.raises(TooManyAttemptsError):
        await door.sign_in()


async def test_a_known_browser_is_not_slowed_down(door: Door) -> None:
    """Whatever goes on from elsewhere or from its own address, who signed in there before signs in."""
    await door.add()
    opened = await door.begin()
    assert isinstance(opened, Opened)
    for address in range(door.settings.account_wide_attempts):
        await _guess(door, 1, f"10.0.0.{address}")
    for other in range(door.settings.address_attempts):
        await _guess(door, 1, HERE, username=f"user{other}")
    with pytest.raises(TooManyAttemptsError):
        await door.sign_in()
    await door.sign_in(device=opened.device)


async def test_a_known_browser_may_not_guess_for_ever(door: Door) -> None:
    """It has its own bucket."""
    await door.add()
    opened = await door.begin()
    assert isinstance(opened, Opened)
    await _guess(door, door.settings.account_attempts, HERE, device=opened.device)
    with pytest.raises(TooManyAttemptsError):
        await door.sign_in(device=opened.device)


async def test_a_browser_is_known_for_one_person_only(door: Door) -> None:
    """That one signed in from it says nothing about attempts at another's account."""
    await door.add("ann")
    await door.add("bob")
    opened = await door.begin("ann")
    assert isinstance(opened, Opened)
    await _guess(door, door.settings.account_attempts, HERE, username="bob", device=opened.device)
    with pytest.raises(TooManyAttemptsError):
        await door.sign_in("bob")


async def test_a_device_cookie_that_we_did_not_give_is_replaced(door: Door) -> None:
    """Somebody else may have planted it; one that we gave is kept, for everybody who uses that browser."""
    await door.add("ann")
    await door.add("bob")
    opened = await door.begin("ann", device="planted")
    assert isinstance(opened, Opened)
    assert opened.device != "planted"
    other = await door.begin("bob", device=opened.device)
    assert isinstance(other, Opened)
    assert other.device == opened.device


async def test_a_browser_is_forgotten_in_time(door: Door) -> None:
    """A year unseen, it counts as any other."""
    await door.add()
    opened = await door.begin()
    assert isinstance(opened, Opened)
    door.clock.jump_wall(door.settings.device_known_days * 86_400 + 1)
    await door.access.end_expired()
    again = await door.begin(device=opened.device)
    assert isinstance(again, Opened)
    assert again.device != opened.device


async def test_guessing_many_accounts_from_one_address_has_to_wait(door: Door) -> None:
    """One address cannot try one password on everybody; others sign in meanwhile."""
    await door.add()
    for attempt in range(door.settings.address_attempts):
        with pytest.raises(CredentialsError):
            await door.sign_in(f"user{attempt}", "wrong")
    with pytest.raises(TooManyAttemptsError):
        await door.sign_in()
    await door.sign_in(address="198.51.100.1")


async def test_signing_in_forgives_the_account(door: Door) -> None:
    """Some slips before the right password do not count for the next day."""
    await door.add()
    for _ in range(3):
        await _guess(door, door.settings.account_attempts - 1, HERE)
        await door.sign_in()


async def test_an_old_hash_is_renewed_at_the_next_sign_in(door: Door) -> None:
    """Stronger parameters reach every account by and by."""
    user = await door.add()
    stronger = Passwords(min_length=12, hasher=PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    await door_over(door.database, door.clock, door.settings, stronger).sign_in()
    (after,) = await door.people.users()
    assert after.password_hash != user.password_hash
    assert not stronger.outdated(after.password_hash)


async def test_ones_own_password_is_asked_for(door: Door) -> None:
    """Who changes it must know it."""
    await door.add()
    identity, _ = await door.sign_in()
    await door.entrance.check_password(identity, PASSWORD, visitor=visitor())
    with pytest.raises(CredentialsError):
        await door.entrance.check_password(identity, "wrong", visitor=visitor())


async def _guess(door: Door, times: int, address: str, username: str = "ann", device: str | None = None) -> None:
    for _ in range(times):
        with pytest.raises(CredentialsError):
            await door.sign_in(username, "wrong", address=address, device=device)


async def test_one_person_has_so_many_sessions(door: Door) -> None:
    """Beyond them the one that was used longest ago ends, whoever listens is told, and others' are left alone."""
    await door.add("ann")
    await door.add("bob")
    await door.sign_in("bob")
    out: list[str] = []
    door.access.when_crowded(lambda session: out.append(session.id))
    opened = []
    for _ in range(SESSIONS_MAX):
        opened.append(await door.sign_in("ann"))
        door.clock.jump_wall(60)
    await door.access.of_session(opened[0][1])  # the oldest is in use
    await door.sign_in("ann")
    assert out == door.ended == [opened[1][0].session]
    ann = {session.id for session in await door.access.sessions() if session.username == "ann"}
    assert len(ann) == SESSIONS_MAX
    assert opened[0][0].session in ann
    with pytest.raises(NotSignedInError):
        await door.access.of_session(opened[1][1])


async def test_a_program_that_was_stopped_begins_anew(door: Door) -> None:
    """What goes on through it, or is being opened, ends; its token stays, and is good for the next request."""
    user = await door.add("wall", Role.PARTNER)
    row, secret = await door.people.add_token(user_id=user.id, name="wall", role=Role.PARTNER, days=1)
    program = (await door.access.of_token(secret)).session
    await door.people.sign_out(user.id)
    assert (door.ended, door.access.has_ended(program)) == ([program], True)
    await door.access.of_token(secret)
    assert not door.access.has_ended(program)
    await door.people.remove_token(row.id)
    assert door.access.has_ended(program)
