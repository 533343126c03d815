"""Changing the key that everything is sealed with, while the gateway runs.

1. A new key goes to the head of the file, the old one stays behind it. Who seals from now on takes the new one.
2. One transaction seals anew what the new key did not seal.
3. The file is written with the new key alone.

Killed after 1 or 2, both keys are in the file, everything opens, and the next rotation goes on where this one stopped.
A secret that no key opens is left as it is and told: dropping the old key takes nothing away from it.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass

import structlog

from gateway.db.engine import Database
from gateway.db.sealed import SEALED, SealedValues
from gateway.vault.errors import SealedElsewhereError
from gateway.vault.keyfile import KeyFile
from gateway.vault.ring import Key, Ring, name_in

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What a rotation did. ``lost`` says where secrets stand that no key opens."""

    key: str
    resumed: bool
    sealed_anew: int
    dropped: int
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnStatus:
    """The secrets of one column: by the current key, by an older one, and such as no key opens."""

    name: str
    current: int
    older: int
    lost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStatus:
    """Which keys there are, and what is sealed with them."""

    keys: tuple[str, ...]
    """Names in hex, the current one first."""
    wrapped_by: tuple[str, ...]
    """For each of them: the name of the credential key that wraps it, or "plain"."""
    credential: tuple[str, ...]
    """Names of the credential's keys in hex; empty without one."""
    columns: tuple[ColumnStatus, ...]

    @property
    def whole(self) -> bool:
        """Return whether nothing is left to do: one key, wrapped as it should be, and it sealed everything."""
        wrapper = self.credential[0] if self.credential else "plain"
        return self.wrapped_by == (wrapper,) and not any(column.older or column.lost for column in self.columns)


async def rotate(database: Database, keys: KeyFile) -> Rotation:
    """Seal everything with a new key and drop the old one; or finish a rotation that was broken off.

    Raises:
        KeyFileError: the keys cannot be read or written. Nothing is lost; ask again.
        RotatingError: another command is at it.
        DatabaseUnusableError: nothing was changed but that the new key is there; ask again.
    """
    # The lock is taken in this thread and held over the awaits: it belongs to an open file, not to a thread.
    with keys.locked():
        ring = await asyncio.to_thread(keys.load)
        resumed = not ring.whole
        if not resumed:
            ring = Ring((Key.new(), *ring.keys), nameless=ring.nameless)
            await asyncio.to_thread(keys.write, ring.keys)
        sealed_anew, lost = await _seal_anew(database, ring)
        await asyncio.to_thread(keys.write, (ring.current,))
    name = ring.current.name.hex()
    log.info("vault.rotated", key=name, sealed_anew=sealed_anew, lost=len(lost))
    return Rotation(key=name, resumed=resumed, sealed_anew=sealed_anew, dropped=len(ring.keys) - 1, lost=tuple(lost))


async def _seal_anew(database: Database, ring: Ring) -> tuple[int, list[str]]:
    done, lost = 0, []
    async with database.write() as connection:
        values = SealedValues(connection)
        async for value in values.all():
            if ring.is_current(value.sealed):
                continue
            try:
                secret = ring.open(value.sealed, context=value.context)
            except SealedElsewhereError:
                lost.append(f"{value.where.name} of {'/'.join(map(str, value.key))}")
                continue
            await values.put(value, ring.current.encrypt(secret.encode(), context=value.context.encode()))
            done += 1
    return done, lost


async def status(database: Database, keys: KeyFile) -> KeyStatus:
    """Return which keys there are, and how many secrets each column has under which.

    Raises:
        FileNotFoundError: no key was made yet.
        KeyFileError: the keys cannot be read.
    """
    ring = await asyncio.to_thread(keys.read)
    found: dict[str, Counter[str]] = {where.name: Counter() for where in SEALED}
    async with database.read() as connection:
        async for value in SealedValues(connection).all():
            found[value.where.name][_standing(ring, value.sealed, value.context)] += 1
    return KeyStatus(
        keys=tuple(key.name.hex() for key in ring.keys),
        wrapped_by=tuple(await asyncio.to_thread(keys.wrapped_by)),
        credential=tuple(await asyncio.to_thread(keys.credential_names)),
        columns=tuple(
            ColumnStatus(name=name, current=count["current"], older=count["older"], lost=count["lost"])
            for name, count in found.items()
        ),
    )


def _standing(ring: Ring, sealed: bytes, context: str) -> str:
    try:
        ring.open(sealed, context=context)
    except SealedElsewhereError:
        return "lost"
    return "current" if name_in(sealed) == ring.current.name else "older"
