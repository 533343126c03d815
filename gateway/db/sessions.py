"""Sessions: a signed-in browser. Only the hash of its secret is stored."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, or_, select, update
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
    browser: str
    methods: str
    """Words with spaces between: how they proved who they are (gateway.access.factors.Method)."""
    confirmed_ns: int
    active_ns: int
    state: str
    """gateway.access.identity.SessionState."""
    reference: str = ""
    """The incident or request that is worked on, as somebody typed it."""


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

    async def get(self, session_id: str) -> SessionRow | None:
        """Return a session."""
        row = (await self._connection.execute(select(sessions).where(sessions.c.id == session_id))).one_or_none()
        return SessionRow(**row._asdict()) if row is not None else None

    async def change(self, session_id: str, **values: object) -> None:
        """Set columns of a session."""
        await self._connection.execute(update(sessions).where(sessions.c.id == session_id).values(values))

    async def lock_idle(
        self, active_before_ns: int, active_after_ns: int, *, open_state: str, locked_state: str
    ) -> list[tuple[SessionRow, UserRow]]:
        """Put open sessions that no hand moved between these instants into the other state.

        Return them as they were, and whose.
        """
        untouched = or_(sessions.c.active_ns <= active_before_ns, sessions.c.active_ns > active_after_ns)
        idle = sessions.c.state == open_state, untouched
        found = (await self._connection.execute(select(sessions).where(*idle))).all()
        if found:
            await self._connection.execute(update(sessions).where(*idle).values(state=locked_state))
        return await self._with_people(found)

    async def listed(self, user_id: str | None = None) -> list[tuple[SessionRow, UserRow]]:
        """Return everybody's sessions, or one user's, the newest first."""
        query = select(sessions).order_by(sessions.c.created_ns.desc())
        if user_id is not None:
            query = query.where(sessions.c.user_id == user_id)
        return await self._with_people((await self._connection.execute(query)).all())

    async def _with_people(self, rows: Sequence[Row[Any]]) -> list[tuple[SessionRow, UserRow]]:
        if not rows:
            return []
        people = {row.id: UserRow(**row._asdict()) for row in await self._connection.execute(select(users))}
        return [(SessionRow(**row._asdict()), people[row.user_id]) for row in rows]

    async def remove(self, session_id: str) -> None:
        """End a session."""
        await self._connection.execute(delete(sessions).where(sessions.c.id == session_id))

    async def there(self, sessions_: Collection[str]) -> set[str]:
        """Return which of these sessions there are."""
        rows = await self._connection.execute(select(sessions.c.id).where(sessions.c.id.in_(list(sessions_))))
        return set(rows.scalars())

    async def of_user(self, user_id: str) -> list[str]:
        """Return the identifiers of a user's sessions."""
        rows = await self._connection.execute(select(sessions.c.id).where(sessions.c.user_id == user_id))
        return list(rows.scalars())

    async def crowd(self, user_id: str, *, keep: str, kept: int) -> list[SessionRow]:
        """End a user's sessions beyond ``kept``, not counting ``keep``, those used longest ago first; return them."""
        others = (
            select(sessions)
            .where(sessions.c.user_id == user_id, sessions.c.id != keep)
            .order_by(sessions.c.used_ns.desc(), sessions.c.created_ns.desc())
            .offset(kept)
        )
        over = [SessionRow(**row._asdict()) for row in await self._connection.execute(others)]
        for row in over:
            await self.remove(row.id)
        return over

    async def expired(self, now_ns: int, used_before_ns: int) -> list[str]:
        """Return the sessions past their end, or unused since ``used_before_ns``."""
        rows = await self._connection.execute(
            select(sessions.c.id).where(or_(sessions.c.expires_ns <= now_ns, sessions.c.used_ns <= used_before_ns))
        )
        return list(rows.scalars())
