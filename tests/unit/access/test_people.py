"""Users and tokens are kept so that somebody can always administer and nobody outlives their rights."""

import pytest

from gateway.access.errors import NotSignedInError, PasswordPolicyError, UnknownError, UserError
from gateway.access.people import UserChange
from gateway.access.permissions import Permission, Role
from gateway.db.errors import ConflictError
from tests.unit.access.conftest import PASSWORD, Door

DAY_S = 86_400


async def test_names_are_unique_without_case(door: Door) -> None:
    """Ann and ann are one."""
    await door.add("ann")
    with pytest.raises(ConflictError, match="already a user called ann"):
        await door.add("ANN")


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "x" * 65, "<b>"])
async def test_odd_names_are_refused(door: Door, name: str) -> None:
    """A user name is letters, digits and few signs."""
    with pytest.raises(UserError):
        await door.add(name)


async def test_the_last_administrator_stays(door: Door) -> None:
    """Whatever is done, somebody can administer."""
    root = await door.add("root", Role.ADMINISTRATOR)
    for change in (UserChange(disabled=True), UserChange(role=Role.VIEWER)):
        with pytest.raises(UserError, match="nobody who can administer"):
            await door.people.change(root.id, change)
    with pytest.raises(UserError, match="nobody who can administer"):
        await door.people.remove(root.id)
    assert (await door.people.named("Root")).role == Role.ADMINISTRATOR


async def test_a_second_administrator_may_go(door: Door) -> None:
    """With two, one may be removed."""
    await door.add("root", Role.ADMINISTRATOR)
    other = await door.add("other", Role.ADMINISTRATOR)
    await door.people.remove(other.id)
    assert [user.username for user in await door.people.users()] == ["root"]


@pytest.mark.parametrize(
    "change", [UserChange(disabled=True), UserChange(password="another long one"), UserChange(role=Role.VIEWER)]
)
async def test_a_change_of_rights_ends_sessions(door: Door, change: UserChange) -> None:
    """Whoever was signed in with the old rights is not any more."""
    await door.add("root", Role.ADMINISTRATOR)
    user = await door.add()
    identity, secret = await door.sign_in()
    await door.people.change(user.id, change)
    assert door.ended == [identity.session]
    with pytest.raises(NotSignedInError):
        await door.access.of_session(secret)


async def test_a_new_name_ends_nothing(door: Door) -> None:
    """A change that gives and takes no right leaves sessions alone."""
    await door.add("root", Role.ADMINISTRATOR)
    user = await door.add()
    _, secret = await door.sign_in()
    after = await door.people.change(user.id, UserChange(name="Ann B."))
    assert after.name == "Ann B."
    assert (await door.access.of_session(secret)).name == "Ann B."


async def test_the_session_that_changes_its_password_stays(door: Door) -> None:
    """One is not thrown out by one's own change; one's other sessions are."""
    user = await door.add("root", Role.ADMINISTRATOR)
    here, secret = await door.sign_in("root")
    there, _ = await door.sign_in("root")
    await door.people.change(user.id, UserChange(password="another long one"), keep_session=here.session)
    assert door.ended == [there.session]
    await door.access.of_session(secret)


async def test_a_weak_new_password_changes_nothing(door: Door) -> None:
    """The policy holds for changes too."""
    user = await door.add("root", Role.ADMINISTRATOR)
    with pytest.raises(PasswordPolicyError):
        await door.people.change(user.id, UserChange(password="short"))
    await door.sign_in("root")


async def test_what_is_not_there_is_told(door: Door) -> None:
    """Unknown users and tokens are plain errors."""
    await door.add("root", Role.ADMINISTRATOR)
    with pytest.raises(UnknownError):
        await door.people.change("nobody", UserChange(name="x"))
    with pytest.raises(UnknownError):
        await door.people.change("nobody", UserChange(password=PASSWORD))
    with pytest.raises(UnknownError):
        await door.people.remove("nobody")
    with pytest.raises(UnknownError):
        await door.people.remove_token("none")
    with pytest.raises(UnknownError):
        await door.people.named("nobody")


async def test_a_token_is_its_users_with_its_own_role(door: Door) -> None:
    """A token acts for its user with the role it was given; the secret is not stored."""
    root = await door.add("root", Role.ADMINISTRATOR)
    row, secret = await door.people.add_token(user_id=root.id, name="wall", role=Role.VIEWER, days=30)
    identity = await door.access.of_token(secret)
    assert identity.shown == "root (wall)"
    assert Permission.VIEW_LIVE in identity.ceiling
    assert Permission.STEER not in identity.ceiling
    (stored,) = await door.people.tokens()
    assert secret not in str(stored)
    assert stored.used_ns == door.clock.wall_ns()
    assert stored.id == row.id


async def test_a_token_sinks_with_its_user(door: Door) -> None:
    """A user who may do less has tokens that may do less."""
    await door.add("root", Role.ADMINISTRATOR)
    user = await door.add("ann", Role.OPERATOR)
    _, secret = await door.people.add_token(user_id=user.id, name="script", role=Role.OPERATOR, days=30)
    await door.people.change(user.id, UserChange(role=Role.VIEWER))
    assert (await door.access.of_token(secret)).role is Role.VIEWER


async def test_a_token_ends(door: Door) -> None:
    """By its time."""
    user = await door.add("ann")
    _, secret = await door.people.add_token(user_id=user.id, name="script", role=Role.VIEWER, days=1)
    door.clock.jump_wall(DAY_S)
    with pytest.raises(NotSignedInError):
        await door.access.of_token(secret)


async def test_a_revoked_token_opens_nothing(door: Door) -> None:
    """And what goes on through it is ended."""
    user = await door.add("ann")
    row, secret = await door.people.add_token(user_id=user.id, name="script", role=Role.VIEWER, days=1)
    await door.people.remove_token(row.id)
    assert door.ended == [f"token:{row.id}"]
    with pytest.raises(NotSignedInError):
        await door.access.of_token(secret)


async def test_tokens_go_with_their_user(door: Door) -> None:
    """Removing or disabling a user closes their tokens."""
    await door.add("root", Role.ADMINISTRATOR)
    user = await door.add("ann")
    row, secret = await door.people.add_token(user_id=user.id, name="script", role=Role.VIEWER, days=1)
    await door.people.change(user.id, UserChange(disabled=True))
    with pytest.raises(NotSignedInError):
        await door.access.of_token(secret)
    await door.people.remove(user.id)
    assert f"token:{row.id}" in door.ended
    assert await door.people.tokens() == []


async def test_a_token_may_not_do_more_than_its_user(door: Door) -> None:
    """Nobody lifts themselves."""
    user = await door.add("ann", Role.VIEWER)
    with pytest.raises(UserError):
        await door.people.add_token(user_id=user.id, name="x", role=Role.OPERATOR, days=1)


@pytest.mark.parametrize("days", [0, 366])
async def test_a_token_does_not_live_for_ever(door: Door, days: int) -> None:
    """Its life is limited by configuration."""
    user = await door.add("ann")
    with pytest.raises(UserError, match="365 days"):
        await door.people.add_token(user_id=user.id, name="x", role=Role.VIEWER, days=days)


@pytest.mark.parametrize("token", ["", "x", "sightline_x"])
async def test_what_is_no_token_opens_nothing(door: Door, token: str) -> None:
    """Anything else as a bearer is refused."""
    with pytest.raises(NotSignedInError):
        await door.access.of_token(token)
