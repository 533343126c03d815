"""Keys, and what is sealed with them.

Sealed (version 2): 0x02, the key's name (8 bytes), a nonce (12 bytes), AES-256-GCM ciphertext with its tag. Version and
name are authenticated together with the context, so that nothing sealed opens in another place. Version 1 (0x01, nonce,
ciphertext; the context alone authenticated) names no key and is only opened.
"""

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.vault.errors import SealedElsewhereError

KEY_BYTES = 32
NAME_BYTES = 8
NONCE_BYTES = 12
_NAMELESS = b"\x01"
_NAMED = b"\x02"
_HEAD_BYTES = len(_NAMED) + NAME_BYTES


@dataclass(frozen=True, slots=True)
class Key:
    """32 random bytes. Its name is derived from them and tells nothing about them."""

    secret: bytes = field(repr=False)

    @classmethod
    def new(cls) -> "Key":
        """Return a fresh key."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @property
    def name(self) -> bytes:
        """Return the 8 bytes by which sealed texts name their key."""
        return hashlib.sha256(b"sightline key\0" + self.secret).digest()[:NAME_BYTES]

    def encrypt(self, plain: bytes, *, context: bytes) -> bytes:
        """Return version, name, nonce and ciphertext."""
        head, nonce = _NAMED + self.name, secrets.token_bytes(NONCE_BYTES)
        return head + nonce + AESGCM(self.secret).encrypt(nonce, plain, head + context)

    def decrypt(self, sealed: bytes, *, context: bytes) -> bytes | None:
        """Return what this key sealed; ``None`` where another did, or somebody altered or moved it."""
        head = len(_NAMELESS) if sealed[:1] == _NAMELESS else _HEAD_BYTES
        known = context if sealed[:1] == _NAMELESS else sealed[:head] + context
        nonce, ciphertext = sealed[head : head + NONCE_BYTES], sealed[head + NONCE_BYTES :]
        with suppress(InvalidTag, ValueError):  # ValueError: too short to be anything
            return AESGCM(self.secret).decrypt(nonce, ciphertext, known)
        return None


def name_in(sealed: bytes) -> bytes | None:
    """Return the name of the key that sealed a text; ``None`` where it is of the version that names none."""
    return sealed[1:_HEAD_BYTES] if sealed[:1] == _NAMED else None


@dataclass(frozen=True, slots=True)
class Ring:
    """Keys, the current one first: it seals, all of them open. ``nameless`` keys open texts of version 1 alone."""

    keys: tuple[Key, ...]
    nameless: tuple[Key, ...] = ()

    @property
    def current(self) -> Key:
        """Return the key that seals."""
        return self.keys[0]

    @property
    def whole(self) -> bool:
        """Return whether no rotation is under way: there is one key."""
        return len(self.keys) == 1

    def knows(self, sealed: bytes) -> bool:
        """Return whether the key that a text names is here. One that names none may be anybody's."""
        name = name_in(sealed)
        return name is None or any(key.name == name for key in self.keys)

    def is_current(self, sealed: bytes) -> bool:
        """Return whether the current key sealed a text."""
        return name_in(sealed) == self.current.name

    def open(self, sealed: bytes, *, context: str) -> str:
        """Return what was sealed.

        Raises:
            SealedElsewhereError: by none of these keys, in another place, or it was altered.
        """
        name = name_in(sealed)
        tried = (*self.keys, *self.nameless) if name is None else [key for key in self.keys if key.name == name]
        for key in tried:
            plain = key.decrypt(sealed, context=context.encode())
            if plain is not None:
                return plain.decode()
        raise SealedElsewhereError(
            "A stored secret cannot be opened: the key is not the one it was sealed with.",
            cure="Restore the keys from the backup that belongs to this database (`sightline keys status`), or enter "
            "it again: enrol the camera anew.",
        )
