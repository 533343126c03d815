"""Partner organisations, their people, and invitations. Only the hash of an invitation's code is stored."""

import json
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.errors import ConflictError
from gateway.db.tables import invitations, organisations, recipients


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationRow:
    """A force, or another room."""

    id: str
    name: str
    networks: tuple[str, ...]
    """CIDRs from which its people are let in; none is from anywhere."""
    certificate: str | None
    """SHA-256, in lower-case hex, of the client certificate that must be shown; ``None`` is without."""
    disabled: bool
    created_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientRow:
    """Somebody of an organisation, who is a user of the role ``partner``."""

    user_id: str
    organisation_id: str
    name: str
    invited_by: str
    enrolled_ns: int
    terms_version: str | None = None
    terms_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRow:
    """Somebody who may enrol once, until it expires."""

    id: str
    secret_hash: str
    organisation_id: str
    username: str
    name: str
    invited_by: str
    created_ns: int
    expires_ns: int


class PartnerRows:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def organisations(self) -> list[OrganisationRow]:
        """Return every organisation."""
        rows = await self._connection.execute(select(organisations))
        return [OrganisationRow(**{**row._asdict(), "networks": tuple(json.loads(row.networks))}) for row in rows]

    async def recipients(self) -> list[RecipientRow]:
        """Return everybody outside."""
        return [RecipientRow(**row._asdict()) for row in await self._connection.execute(select(recipients))]

    async def put_organisation(self, row: OrganisationRow) -> None:
        """Store an organisation, new or changed.

        Raises:
            ConflictError: another has that name.
        """
        values = {column.name: getattr(row, column.name) for column in organisations.columns}
        values["networks"] = json.dumps(row.networks)
        try:
            changed = await self._connection.execute(
                update(organisations).where(organisations.c.id == row.id).values(values)
            )
            if not changed.rowcount:
                await self._connection.execute(insert(organisations).values(values))
        except IntegrityError:
            raise ConflictError(
                f"There is already an organisation called {row.name}.", cure="Choose another name."
            ) from None

    async def remove_organisation(self, organisation_id: str) -> None:
        """Delete an organisation with its invitations and shares."""
        await self._connection.execute(delete(organisations).where(organisations.c.id == organisation_id))

    async def add_recipient(self, row: RecipientRow) -> None:
        """Store somebody who has enrolled."""
        await self._connection.execute(
            insert(recipients).values({column.name: getattr(row, column.name) for column in recipients.columns})
        )

    async def change_recipient(self, user_id: str, **values: object) -> None:
        """Set columns of a recipient."""
        await self._connection.execute(update(recipients).where(recipients.c.user_id == user_id).values(values))

    async def add_invitation(self, row: InvitationRow) -> None:
        """Store an invitation in place of those before it for the same user name."""
        await self._connection.execute(delete(invitations).where(invitations.c.username == row.username))
        await self._connection.execute(
            insert(invitations).values({column.name: getattr(row, column.name) for column in invitations.columns})
        )

    async def invitations(self) -> list[InvitationRow]:
        """Return every invitation that was not used, those that are too old as well."""
        rows = await self._connection.execute(select(invitations).order_by(invitations.c.created_ns))
        return [InvitationRow(**row._asdict()) for row in rows]

    async def invitation(self, secret_hash: str) -> InvitationRow | None:
        """Return the invitation of a code."""
        return await self._one(invitations.c.secret_hash == secret_hash)

    async def invitation_named(self, invitation_id: str) -> InvitationRow | None:
        """Return an invitation by identifier."""
        return await self._one(invitations.c.id == invitation_id)

    async def _one(self, wanted: ColumnElement[bool]) -> InvitationRow | None:
        row = (await self._connection.execute(select(invitations).where(wanted))).one_or_none()
        return InvitationRow(**row._asdict()) if row is not None else None

    async def remove_invitation(self, invitation_id: str) -> bool:
        """Delete an invitation; return whether it was there."""
        return bool(
            (await self._connection.execute(delete(invitations).where(invitations.c.id == invitation_id))).rowcount
        )

    async def remove_expired(self, now_ns: int) -> int:
        """Delete the invitations that can be used no more; return how many."""
        return (await self._connection.execute(delete(invitations).where(invitations.c.expires_ns <= now_ns))).rowcount
