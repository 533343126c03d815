"""The first administrator is made with a one-time code, and only so."""

import pytest

from gateway.access.entrance import Opened
from gateway.access.errors import CredentialsError, PasswordPolicyError, TooManyAttemptsError, UserError
from gateway.access.people import UserChange
from gateway.access.permissions import Permission, Role
from gateway.access.secrets import hashed_code
from gateway.db.codes import Codes
from tests.unit.access.conftest import PASSWORD, Door, visitor


async def set_up(door: Door, code: str, *, username: str = "Ann", password: str = PASSWORD) -> Role:
    """Use a code."""
    return (await opened(door, code, username=username, password=password)).identity.role


async def opened(door: Door, code: str, *, username: str = "Ann", password: str = PASSWORD) -> Opened:
    """Use a code, and return what it opened."""
    return await door.entrance.set_up(code, username=username, name="", password=password, visitor=visitor())


async def test_the_code_makes_an_administrator(door: Door) -> None:
    """Who has the code becomes the administrator and is signed in."""
    code = await door.access.new_setup_code()
    made = await opened(door, code)
    assert Permission.ADMINISTER in made.identity.role.permissions
    assert (await door.access.of_session(made.secret)).username == "ann"
    assert not await door.access.setup_needed()


async def test_the_code_may_be_typed_in_any_way(door: Door) -> None:
    """Case, spaces and dashes do not matter."""
    code = await door.access.new_setup_code()
    assert await set_up(door, f" {code.lower().replace('-', ' ')} ") is Role.ADMINISTRATOR


async def test_the_code_is_not_stored(door: Door) -> None:
    """The database knows the hash alone."""
    code = await door.access.new_setup_code()
    async with door.database.write() as connection:
        row = await Codes(connection).take(hashed_code(code), "setup")
    assert row is not None
    assert code not in str(row)


async def test_a_wrong_code_makes_nobody(door: Door) -> None:
    """Without the code there is no way in."""
    await door.access.new_setup_code()
    with pytest.raises(CredentialsError):
        await set_up(door, "AAAA-BBBB-CCCC-DDDD")
    assert await door.access.setup_needed()


async def test_the_code_works_once(door: Door) -> None:
    """A second use is told that everything is set up."""
    code = await door.access.new_setup_code()
    await set_up(door, code)
    with pytest.raises(UserError, match="set up already"):
        await set_up(door, code, username="eve")


async def test_the_code_expires(door: Door) -> None:
    """A code that was printed long ago does not work."""
    code = await door.access.new_setup_code()
    door.clock.jump_wall(door.settings.code_valid_s)
    with pytest.raises(CredentialsError):
        await set_up(door, code)


async def test_a_newer_code_ends_the_older(door: Door) -> None:
    """Only the last code that was printed works."""
    old = await door.access.new_setup_code()
    new = await door.access.new_setup_code()
    with pytest.raises(CredentialsError):
        await set_up(door, old)
    await set_up(door, new)


async def test_a_weak_password_does_not_use_up_the_code(door: Door) -> None:
    """One may try again with a better password."""
    code = await door.access.new_setup_code()
    with pytest.raises(PasswordPolicyError):
        await set_up(door, code, password="short")
    await set_up(door, code)


async def test_codes_cannot_be_guessed_at_speed(door: Door) -> None:
    """After some wrong codes one has to wait."""
    await door.access.new_setup_code()
    for _ in range(door.settings.address_attempts):
        with pytest.raises(CredentialsError):
            await set_up(door, "WRONG")
    with pytest.raises(TooManyAttemptsError) as caught:
        await set_up(door, "WRONG")
    assert caught.value.retry_after_s > 0


async def test_no_code_once_there_are_users(door: Door) -> None:
    """Nobody can start over."""
    await door.add()
    with pytest.raises(UserError):
        await door.access.new_setup_code()


async def test_a_sign_in_code_lets_its_user_in_once(door: Door) -> None:
    """A one-time sign-in code opens a session for its user, one time."""
    user = await door.add(role=Role.ADMINISTRATOR)
    code = await door.access.new_sign_in_code(user.id)
    made = await door.entrance.sign_in_with_code(code, visitor=visitor())
    assert isinstance(made, Opened)
    assert made.identity.user_id == user.id
    with pytest.raises(CredentialsError):
        await door.entrance.sign_in_with_code(code, visitor=visitor())


async def test_a_sign_in_code_is_no_setup_code(door: Door) -> None:
    """Each code opens what it was made for."""
    code = await door.access.new_setup_code()
    with pytest.raises(CredentialsError):
        await door.entrance.sign_in_with_code(code, visitor=visitor())


async def test_a_sign_in_code_of_a_disabled_user_does_not_work(door: Door) -> None:
    """Disabling closes this way too."""
    await door.add("root", Role.ADMINISTRATOR)
    user = await door.add()
    code = await door.access.new_sign_in_code(user.id)
    await door.people.change(user.id, UserChange(disabled=True))
    with pytest.raises(CredentialsError):
        await door.entrance.sign_in_with_code(code, visitor=visitor())
