"""Visits: browsers that were sent to a provider of accounts and are to come back; and logout tokens already heard.

Nothing here opens anything: state and browser are hashes, and what the provider is shown is made from the cookie.
"""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.tables import logout_tokens, provider_visits, sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRow:
    """A row of provider_visits. ``purpose`` is gateway.access.oidc's word; it is for a session, or an invitation."""

    state_hash: str
    browser_hash: str
    provider: str
    purpose: str
    session_id: str | None
    invitation_id: str | None
    redirect_uri: str
    return_to: str
    created_ns: int
    expires_ns: int


class Visits:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, row: VisitRow) -> None:
        """Store a visit."""
        await self._connection.execute(
            insert(provider_visits).values(
                {column.name: getattr(row, column.name) for column in provider_visits.columns}
            )
        )

    async def take(self, state_hash: str) -> VisitRow | None:
        """Return the visit and delete it: one comes back once."""
        wanted = provider_visits.c.state_hash == state_hash
        row = (await self._connection.execute(select(provider_visits).where(wanted))).one_or_none()
        if row is None:
            return None
        taken = await self._connection.execute(delete(provider_visits).where(wanted))
        return VisitRow(**row._asdict()) if taken.rowcount else None

    async def user_of(self, session_id: str) -> str | None:
        """Return whose session it is that a visit is for; ``None``: it has ended meanwhile."""
        wanted = select(sessions.c.user_id).where(sessions.c.id == session_id)
        return (await self._connection.execute(wanted)).scalar_one_or_none()

    async def forget(self, now_ns: int) -> None:
        """Delete the visits and logout tokens whose time is over."""
        for table in (provider_visits, logout_tokens):
            await self._connection.execute(delete(table).where(table.c.expires_ns <= now_ns))

    async def heard(self, issuer: str, jti: str, *, expires_ns: int) -> bool:
        """Keep a logout token's name until it ends; return whether it was kept already."""
        row = {"issuer": issuer, "jti": jti, "expires_ns": expires_ns}
        try:
            async with self._connection.begin_nested():
                await self._connection.execute(insert(logout_tokens).values(row))
        except IntegrityError:
            return True
        return False
