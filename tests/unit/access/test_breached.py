"""Passwords known from breaches are looked up in a list on this machine."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.access import AccessSettings
from gateway.access.breached import BreachedList
from gateway.access.errors import BreachedListError, PasswordPolicyError
from gateway.access.passwords import open_passwords

STOLEN = "trustno1 but longer"


def listed(path: Path, passwords: list[str], *, lower: bool = False, newline: str = "\r\n") -> BreachedList:
    """Write a list as Have I Been Pwned does."""
    hashes = sorted(hashlib.sha1(one.encode(), usedforsecurity=False).hexdigest().upper() for one in passwords)
    lines = [f"{one.lower() if lower else one}:{number * 7919 + 1}{newline}" for number, one in enumerate(hashes)]
    path.write_bytes("".join(lines).encode())
    return BreachedList(path)


@given(
    words=st.sets(st.text(min_size=1, max_size=6), min_size=1, max_size=80),
    lower=st.booleans(),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_exactly_what_is_on_the_list_is_found(
    tmp_path_factory: pytest.TempPathFactory, *, words: set[str], lower: bool, newline: str
) -> None:
    """Every one of them, first and last too, and nothing else."""
    path = tmp_path_factory.mktemp("breached") / "list.txt"
    known = listed(path, sorted(words), lower=lower, newline=newline)
    assert all(known.has(word) for word in words)
    assert not any(known.has(f"{word} and more") for word in words)


async def test_a_stolen_password_is_refused(tmp_path: Path) -> None:
    """With the list in the settings nobody can choose it; another one of its kind can be chosen."""
    listed(tmp_path / "list.txt", [STOLEN, "another of theirs"])
    passwords = await open_passwords(AccessSettings(breached_passwords=tmp_path / "list.txt"))
    with pytest.raises(PasswordPolicyError, match="stolen"):
        await passwords.check_policy(STOLEN, username="ann")
    await passwords.check_policy("never seen by anybody", username="ann")


async def test_a_file_that_is_no_list_keeps_the_gateway_from_starting(tmp_path: Path) -> None:
    """A list of other hashes, or of passwords as they are, would find nothing for ever."""
    path = tmp_path / "list.txt"
    path.write_text("5F4DCC3B5AA765D61D8327DEB882CF99:12\n")
    with pytest.raises(BreachedListError, match="not a list"):
        await open_passwords(AccessSettings(breached_passwords=path))


async def test_a_list_that_is_gone_lets_no_password_through(tmp_path: Path) -> None:
    """What cannot be checked is refused, with the reason."""
    listed(tmp_path / "list.txt", [STOLEN])
    passwords = await open_passwords(AccessSettings(breached_passwords=tmp_path / "list.txt"))
    (tmp_path / "list.txt").unlink()
    with pytest.raises(BreachedListError, match="cannot be read"):
        await passwords.check_policy("never seen by anybody", username="ann")
