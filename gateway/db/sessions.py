"""Sessions: a signed-in browser. Only the hash of its secret is stored."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.tables import sessions, users
from gateway.db.users import UserRow


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A row of sessions."""

    id: str
    secret_hash: str
    user_id: str
    created_ns: int
    used_ns: int
    expires_ns: int
    address: str


class Sessions:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, row: SessionRow) -> None:
        """Store a new session."""
        await self._connection.execute(
            insert(sessions).values({column.name: getattr(row, column.name) for column in sessions.columns})
        )

    async def find(self, secret_hash: str) -> tuple[SessionRow, UserRow] | None:
        """Return a session by its secret's hash, and its user."""
        row = (
            await self._connection.execute(select(sessions).where(sessions.c.secret_hash == secret_hash))
        ).one_or_none()
        if row is None:
            return None
        user = (await self._connection.execute(select(users).where(users.c.id == row.user_id))).one()
        return SessionRow(**row._asdict()), UserRow(**user._asdict())

    async def used(self, session_id: str, at_ns: int) -> None:
        """Note that a session was used."""
        await self._connection.execute(update(sessions).where(sessions.c.id == session_id).values(used_ns=at_ns))

    async def remove(self, session_id: str) -> None:
        """End a session."""
        await self._connection.execute(delete(sessions).where(sessions.c.id == session_id))

    async def of_user(self, user_id: str) -> list[str]:
        """Return the identifiers of a user's sessions."""
        rows = await self._connection.execute(select(sessions.c.id).where(sessions.c.user_id == user_id))
        return list(rows.scalars())

    async def remove_of_user(self, user_id: str) -> None:
        """End every session of a user."""
        await self._connection.execute(delete(sessions).where(sessions.c.user_id == user_id))

    async def expired(self, now_ns: int, used_before_ns: int) -> list[str]:
        """Return the sessions past their end, or unused since ``used_before_ns``."""
        rows = await self._connection.execute(
            select(sessions.c.id).where(or_(sessions.c.expires_ns <= now_ns, sessions.c.used_ns <= used_before_ns))
        )
        return list(rows.scalars())
