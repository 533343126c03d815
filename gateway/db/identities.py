"""Identities: people as a provider of accounts knows them. What ties one to a user is issuer and subject, no more."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.errors import ConflictError
from gateway.db.tables import identities, provider_sessions, sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRow:
    """A row of identities. One that ``governs`` made its user, and says their name and role at each sign-in."""

    id: str
    issuer: str
    subject: str
    user_id: str
    governs: bool
    created_ns: int
    signed_in_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSessionRow:
    """A session that a provider let in: ``sid`` is the provider's name of its own, ``id_token`` what it said then."""

    session_id: str
    identity_id: str
    provider: str
    sid: str | None
    id_token: str


class Identities:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, row: IdentityRow) -> None:
        """Store an identity.

        Raises:
            ConflictError: it belongs to a user already.
        """
        try:
            await self._connection.execute(
                insert(identities).values({column.name: getattr(row, column.name) for column in identities.columns})
            )
        except IntegrityError:
            raise ConflictError(
                "That account belongs to a user already.", cure="Take it away from that user first."
            ) from None

    async def find(self, issuer: str, subject: str) -> IdentityRow | None:
        """Return an identity by what makes it one."""
        wanted = identities.c.issuer == issuer, identities.c.subject == subject
        row = (await self._connection.execute(select(identities).where(*wanted))).one_or_none()
        return IdentityRow(**row._asdict()) if row is not None else None

    async def get(self, identity_id: str) -> IdentityRow | None:
        """Return an identity by identifier."""
        row = (await self._connection.execute(select(identities).where(identities.c.id == identity_id))).one_or_none()
        return IdentityRow(**row._asdict()) if row is not None else None

    async def of_user(self, user_id: str) -> list[IdentityRow]:
        """Return a user's identities, oldest first."""
        wanted = select(identities).where(identities.c.user_id == user_id)
        rows = await self._connection.execute(wanted.order_by(identities.c.created_ns, identities.c.id))
        return [IdentityRow(**row._asdict()) for row in rows]

    async def govern(self, user_id: str) -> bool:
        """Return whether a provider made this user, and says what they may do."""
        wanted = select(identities.c.id).where(identities.c.user_id == user_id, identities.c.governs)
        return (await self._connection.execute(wanted)).first() is not None

    async def signed_in(self, identity_id: str, at_ns: int) -> None:
        """Note a sign-in."""
        await self._connection.execute(
            update(identities).where(identities.c.id == identity_id).values(signed_in_ns=at_ns)
        )

    async def remove(self, identity_id: str) -> None:
        """Delete an identity; its user stays."""
        await self._connection.execute(delete(identities).where(identities.c.id == identity_id))


class ProviderSessions:
    """The sessions that providers let in, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, row: ProviderSessionRow, *, expires_ns: int) -> None:
        """Store one, which ends at ``expires_ns`` if nothing ends it before."""
        await self._connection.execute(
            update(sessions)
            .where(sessions.c.id == row.session_id, sessions.c.expires_ns > expires_ns)
            .values(expires_ns=expires_ns)
        )
        await self._connection.execute(
            insert(provider_sessions).values(
                {column.name: getattr(row, column.name) for column in provider_sessions.columns}
            )
        )

    async def get(self, session_id: str) -> ProviderSessionRow | None:
        """Return what a provider said of a session; ``None`` for one that none let in."""
        wanted = select(provider_sessions).where(provider_sessions.c.session_id == session_id)
        row = (await self._connection.execute(wanted)).one_or_none()
        return ProviderSessionRow(**row._asdict()) if row is not None else None

    async def of_identity(self, identity_id: str, *, sid: str | None = None) -> list[str]:
        """Return the sessions of an identity, or those of its one session (``sid``) at the provider."""
        wanted = select(provider_sessions.c.session_id).where(provider_sessions.c.identity_id == identity_id)
        if sid is not None:
            wanted = wanted.where(provider_sessions.c.sid == sid)
        return list((await self._connection.execute(wanted)).scalars())

    async def of_sid(self, issuer: str, sid: str) -> list[str]:
        """Return the sessions that came of one session at a provider."""
        wanted = (
            select(provider_sessions.c.session_id)
            .join(identities, identities.c.id == provider_sessions.c.identity_id)
            .where(identities.c.issuer == issuer, provider_sessions.c.sid == sid)
        )
        return list((await self._connection.execute(wanted)).scalars())

    async def of_others(self, issuers: list[str]) -> list[str]:
        """Return the sessions of providers other than these."""
        wanted = (
            select(provider_sessions.c.session_id)
            .join(identities, identities.c.id == provider_sessions.c.identity_id)
            .where(identities.c.issuer.not_in(issuers))
        )
        return list((await self._connection.execute(wanted)).scalars())
