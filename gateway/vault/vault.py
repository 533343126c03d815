"""Sealing and opening for a process that goes on while the keys are rotated beside it.

The file is the truth about which key is current, and a rotation writes it before it touches the database. So a secret
is sealed inside the transaction that stores it, with the key that the file names then: writers follow one another,
hence the rotation either re-seals what was stored before it, or its new key has been seen.
"""

import asyncio
from dataclasses import replace
from typing import Protocol

import structlog

from gateway.db.sealed import Writing, check_writing
from gateway.vault.keyfile import Stamp
from gateway.vault.ring import Key, Ring

log = structlog.get_logger()


class Sealer:
    """Seals for one transaction. A sealed text is bound to its context: it opens nowhere else."""

    __slots__ = ("_key",)

    def __init__(self, key: Key) -> None:
        self._key = key

    def seal(self, secret: str, *, context: str) -> bytes:
        """Return what is stored of a secret."""
        return self._key.encrypt(secret.encode(), context=context.encode())


class Keys(Protocol):
    """Where keys come from; ``KeyFile`` is one. Its methods may block."""

    def stamp(self) -> Stamp | None:
        """Return something that differs after every change."""
        ...

    def load(self) -> Ring:
        """Return the keys."""
        ...


class Vault:
    """Made by :meth:`of`; ``ring`` was read when the keys bore ``stamp``."""

    def __init__(self, keys: Keys, ring: Ring, stamp: Stamp | None) -> None:
        self._keys = keys
        self._ring = ring
        self._stamp = stamp

    @classmethod
    def of(cls, keys: Keys) -> "Vault":
        """Return the vault of ``keys``, made where there are none. Blocks.

        Raises:
            KeyFileError: they cannot be used.
        """
        ring, stamp = _read(keys)
        return cls(keys, ring, stamp)

    async def open(self, sealed: bytes, *, context: str) -> str:
        """Return what was sealed.

        Raises:
            SealedElsewhereError: by none of our keys, in another place, or it was altered.
            KeyFileError: a key that we have not read yet sealed it, and the keys cannot be read now.
        """
        if not self._ring.knows(sealed):
            await self._follow()
        return self._ring.open(sealed, context=context)

    async def sealer(self, transaction: Writing) -> Sealer:
        """Return what seals in this writing transaction, with the key that is current in it.

        Raises:
            KeyFileError: the keys cannot be read.
        """
        check_writing(transaction)
        await self._follow()
        return Sealer(self._ring.current)

    async def _follow(self) -> None:
        """Read the keys again where they were changed."""
        if await asyncio.to_thread(self._keys.stamp) != self._stamp:
            known = self._ring.keys
            fresh, self._stamp = await asyncio.to_thread(_read, self._keys)
            # What was read of the database a moment ago may be of a key that has left the file since.
            left = tuple(key for key in known if key not in fresh.keys)
            self._ring = replace(fresh, keys=(*fresh.keys, *left))
            log.info("vault.keys_read", current=self._ring.current.name.hex(), keys=len(self._ring.keys))


def _read(keys: Keys) -> tuple[Ring, Stamp | None]:
    """Return the ring with its stamp; read again where it changed in between."""
    while True:
        before = keys.stamp()
        ring = keys.load()
        if before == keys.stamp():
            return ring, before
        # Made just now, or changed while it was read.
