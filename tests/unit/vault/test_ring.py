"""What is sealed opens with its key, in its place, unaltered, and not otherwise."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from gateway.vault import Key, Ring, SealedElsewhereError
from gateway.vault.ring import name_in

KEY, OTHER = Key(b"k" * 32), Key(b"x" * 32)


def sealed(text: str = "hush", context: str = "urn:1", key: Key = KEY) -> bytes:
    """Seal as a sealer does."""
    return key.encrypt(text.encode(), context=context.encode())


@given(st.text(), st.text())
def test_what_was_sealed_comes_back(secret: str, context: str) -> None:
    """Whatever the secret and wherever it stands."""
    assert Ring((OTHER, KEY)).open(sealed(secret, context), context=context) == secret


def test_sealing_twice_shows_nothing() -> None:
    """Two cameras with the same password do not look the same."""
    assert sealed() != sealed()
    assert b"hush" not in sealed()


@pytest.mark.parametrize(
    ("ring", "text", "context"),
    [
        (Ring((OTHER,)), sealed(), "urn:1"),
        (Ring((KEY,)), sealed(), "urn:2"),
        (Ring((KEY,)), b"", "urn:1"),
        (Ring((KEY,)), sealed()[:12], "urn:1"),
        (Ring((KEY,)), b"\x03" + sealed()[1:], "urn:1"),
    ],
    ids=["another key", "another place", "nothing", "cut short", "another version"],
)
def test_anything_else_opens_nothing(ring: Ring, text: bytes, context: str) -> None:
    """It is told that the key does not fit."""
    with pytest.raises(SealedElsewhereError):
        ring.open(text, context=context)


@given(st.integers(0, len(sealed()) - 1), st.integers(1, 255))
def test_a_changed_byte_opens_nothing(place: int, change: int) -> None:
    """Version and name of the key included."""
    text = bytearray(sealed())
    text[place] ^= change
    with pytest.raises(SealedElsewhereError):
        Ring((KEY,)).open(bytes(text), context="urn:1")


def test_what_the_first_versions_sealed_still_opens() -> None:
    """Their texts name no key: each is tried, also those that open nothing else."""
    old = b"\x01" + b"n" * 12 + AESGCM(KEY.secret).encrypt(b"n" * 12, b"hush", b"urn:1")
    assert Ring((OTHER, KEY)).open(old, context="urn:1") == "hush"
    assert Ring((OTHER,), nameless=(KEY,)).open(old, context="urn:1") == "hush"
    assert not Ring((KEY,)).is_current(old)


def test_a_key_hides_itself() -> None:
    """Neither what is printed of it nor its name tells the key."""
    assert "kkkk" not in repr(Ring((KEY,)))
    assert name_in(sealed()) == KEY.name
    assert KEY.name not in KEY.secret
