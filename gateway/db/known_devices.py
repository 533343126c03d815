"""Browsers from which a user has signed in before. Only the hash of a browser's cookie is stored."""

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.tables import known_devices


class KnownDevices:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def knows(self, secret_hash: str, user_id: str) -> bool:
        """Return whether this user has signed in from this browser."""
        query = select(known_devices.c.user_id).where(
            known_devices.c.secret_hash == secret_hash, known_devices.c.user_id == user_id
        )
        return (await self._connection.execute(query)).first() is not None

    async def given(self, secret_hash: str) -> bool:
        """Return whether anybody has signed in from this browser."""
        query = select(known_devices.c.user_id).where(known_devices.c.secret_hash == secret_hash)
        return (await self._connection.execute(query)).first() is not None

    async def note(self, secret_hash: str, user_id: str, at_ns: int) -> None:
        """Note that a user signed in from a browser."""
        known = await self._connection.execute(
            update(known_devices)
            .where(known_devices.c.secret_hash == secret_hash, known_devices.c.user_id == user_id)
            .values(used_ns=at_ns)
        )
        if not known.rowcount:
            await self._connection.execute(
                insert(known_devices).values(secret_hash=secret_hash, user_id=user_id, used_ns=at_ns)
            )

    async def prune(self, used_before_ns: int) -> None:
        """Forget browsers that nobody has signed in from for so long."""
        await self._connection.execute(delete(known_devices).where(known_devices.c.used_ns < used_before_ns))
