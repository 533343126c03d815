"""Partner organisations, the people of them who have enrolled, and the invitations by which they do."""

import hashlib
import ipaddress
import json
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from config.sharing import SharingSettings
from gateway.db.engine import Database
from gateway.db.partners import InvitationRow, OrganisationRow, PartnerRows, RecipientRow
from gateway.sharing.errors import InvitationError, OutsideError, ShareError, UnknownShareError
from kernel.clock import NS_PER_S, Clock
from kernel.ids import new_id

ORGANISATIONS_MAX = 200
PEOPLE_MAX = 1000
"""Of one organisation, those who are invited included."""
NETWORKS_MAX = 64
FINGERPRINT_CHARS = 64
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_MINUTE_NS = 60 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationWish:
    """An organisation as it is to be."""

    name: str
    networks: tuple[str, ...] = ()
    certificate: str | None = None
    """SHA-256 of the client certificate, in hex, with or without colons."""
    disabled: bool = False


class Partners:
    """Who is outside. Everything is held in memory, and written before it holds."""

    def __init__(
        self, database: Database, *, clock: Clock, settings: SharingSettings, changed: Callable[[], None]
    ) -> None:
        """``changed`` is called when what somebody may see may be another."""
        self._database = database
        self._clock = clock
        self._settings = settings
        self._changed = changed
        self._organisations: dict[str, OrganisationRow] = {}
        self._recipients: dict[str, RecipientRow] = {}
        self._leaving: set[str] = set()
        """Organisations that are being removed."""
        self.terms_version = hashlib.sha256(settings.terms.encode()).hexdigest()[:16]

    async def load(self) -> None:
        """Read everything."""
        async with self._database.read() as connection:
            rows = PartnerRows(connection)
            self._organisations = {row.id: row for row in await rows.organisations()}
            self._recipients = {row.user_id: row for row in await rows.recipients()}

    # --- reading

    def organisations(self) -> list[OrganisationRow]:
        """Return every organisation by name."""
        return sorted(self._organisations.values(), key=lambda row: row.name.casefold())

    def organisation(self, organisation_id: str) -> OrganisationRow:
        """Return one organisation.

        Raises:
            UnknownShareError: there is none.
        """
        row = self._organisations.get(organisation_id)
        if row is None:
            raise UnknownShareError("There is no such organisation.", cure="See the list of organisations.")
        return row

    def staying(self, organisation_id: str) -> OrganisationRow:
        """Return an organisation that is not being removed: one that something may be shared with.

        Raises:
            UnknownShareError: there is none.
        """
        if organisation_id in self._leaving:
            raise UnknownShareError("The organisation is being removed.", cure="See the list of organisations.")
        return self.organisation(organisation_id)

    def name_of(self, organisation_id: str) -> str:
        """Return an organisation's name; of one that was removed that it was."""
        row = self._organisations.get(organisation_id)
        return row.name if row is not None else "(removed)"

    def named(self, name: str) -> OrganisationRow | None:
        """Return an organisation by its name."""
        return next((row for row in self._organisations.values() if row.name.casefold() == name.casefold()), None)

    def people(self, organisation_id: str) -> list[RecipientRow]:
        """Return everybody of an organisation by name."""
        of_it = (row for row in self._recipients.values() if row.organisation_id == organisation_id)
        return sorted(of_it, key=lambda row: row.name.casefold())

    def recipient(self, user_id: str) -> RecipientRow | None:
        """Return what is known of a user outside; ``None`` of everybody else."""
        return self._recipients.get(user_id)

    def own(self, user_id: str) -> RecipientRow:
        """Return what is known of a user who must be one outside.

        Raises:
            UnknownShareError: they are not.
        """
        row = self._recipients.get(user_id)
        if row is None:
            raise UnknownShareError("You belong to no partner organisation.", cure="Ask the control room.")
        return row

    def admitted(self, user_id: str) -> RecipientRow | None:
        """Return a recipient who may see what is shared with them: in an organisation that may, terms accepted."""
        row = self._recipients.get(user_id)
        if row is None or row.terms_version != self.terms_version:
            return None
        return row if self._usable(row.organisation_id) else None

    def _usable(self, organisation_id: str) -> bool:
        organisation = self._organisations.get(organisation_id)
        return organisation is not None and not organisation.disabled and organisation_id not in self._leaving

    def check_entry(self, user_id: str, *, address: str, certificate: str | None) -> None:
        """Make sure that a user who is outside comes as their organisation agreed; of others nothing is asked.

        ``certificate`` is the SHA-256 (hex) of the one that was verified.

        Raises:
            OutsideError: they do not.
        """
        row = self._recipients.get(user_id)
        if row is None:
            return
        organisation = self._organisations.get(row.organisation_id)
        if organisation is None or not self._usable(row.organisation_id):
            raise OutsideError("Nothing is shared with your organisation.", cure="Ask the control room.")
        if organisation.networks and not _within(address, organisation.networks):
            raise OutsideError(
                f"{organisation.name} is let in from its own networks only, and you are at {address}.",
                cure="Go through your organisation's network, or ask the control room to add this one.",
            )
        if organisation.certificate is not None and certificate != organisation.certificate:
            raise OutsideError(
                f"{organisation.name} is let in with its own client certificate only.",
                cure="Use the workplace that has it.",
            )

    # --- organisations

    async def put(self, wish: OrganisationWish, organisation_id: str | None = None) -> OrganisationRow:
        """Make an organisation, or change one.

        Raises:
            ShareError: a network or certificate that is none, or too many of anything.
            UnknownShareError: no such organisation.
            ConflictError: another has that name.
        """
        created_ns = self._clock.wall_ns()
        if organisation_id is not None:
            created_ns = self.organisation(organisation_id).created_ns
        elif len(self._organisations) >= ORGANISATIONS_MAX:
            raise ShareError(f"There are {ORGANISATIONS_MAX} organisations, which is the most.", cure="Remove one.")
        row = OrganisationRow(
            id=organisation_id or new_id(),
            name=wish.name,
            networks=_networks(wish.networks),
            certificate=_fingerprint(wish.certificate),
            disabled=wish.disabled,
            created_ns=created_ns,
        )
        async with self._database.write() as connection:
            await PartnerRows(connection).put_organisation(row)
        self._organisations[row.id] = row
        self._changed()
        return row

    @contextmanager
    def leaving(self, organisation_id: str) -> Iterator[OrganisationRow]:
        """Let an organisation see, be given and take in nothing more while it is being removed.

        Raises:
            UnknownShareError: no such organisation, or somebody else is removing it.
        """
        row = self.staying(organisation_id)
        self._leaving.add(organisation_id)
        try:
            self._changed()
            yield row
        finally:
            self._leaving.discard(organisation_id)
            self._changed()

    async def remove(self, organisation_id: str) -> OrganisationRow:
        """Forget an organisation with its people's membership and its invitations. Its shares must be over.

        Raises:
            UnknownShareError: no such organisation.
        """
        row = self.organisation(organisation_id)
        async with self._database.write() as connection:
            await PartnerRows(connection).remove_organisation(organisation_id)
        del self._organisations[organisation_id]
        self._recipients = {
            user_id: one for user_id, one in self._recipients.items() if one.organisation_id != organisation_id
        }
        self._changed()
        return row

    def forget(self, user_ids: Collection[str]) -> None:
        """Forget people whose users were removed."""
        gone = [user_id for user_id in user_ids if self._recipients.pop(user_id, None) is not None]
        if gone:
            self._changed()

    # --- invitations

    async def invite(
        self, organisation_id: str, *, username: str, name: str, invited_by: str
    ) -> tuple[InvitationRow, str]:
        """Invite somebody; return the invitation, and its code, which is shown this once.

        Raises:
            UnknownShareError: no such organisation.
            ShareError: the organisation has as many people as it may have.
        """
        self.staying(organisation_id)
        waiting = [one for one in await self.invitations() if one.organisation_id == organisation_id]
        if len(self.people(organisation_id)) + len(waiting) >= PEOPLE_MAX:
            raise ShareError(f"An organisation has {PEOPLE_MAX} people at most.", cure="Remove who has left.")
        code = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))
        now_ns = self._clock.wall_ns()
        row = InvitationRow(
            id=new_id(),
            secret_hash=_hashed(code),
            organisation_id=organisation_id,
            username=username,
            name=name,
            invited_by=invited_by,
            created_ns=now_ns,
            expires_ns=now_ns + self._settings.invitation_minutes * _MINUTE_NS,
        )
        async with self._database.write() as connection:
            await PartnerRows(connection).add_invitation(row)
        return row, code

    async def invitations(self) -> list[InvitationRow]:
        """Return every invitation that can still be used."""
        async with self._database.read() as connection:
            rows = await PartnerRows(connection).invitations()
        now_ns = self._clock.wall_ns()
        return [row for row in rows if now_ns < row.expires_ns]

    async def withdraw(self, invitation_id: str) -> None:
        """Make an invitation worthless.

        Raises:
            UnknownShareError: there is none, or it was used.
        """
        async with self._database.write() as connection:
            if not await PartnerRows(connection).remove_invitation(invitation_id):
                raise UnknownShareError("There is no such invitation.", cure="It was used, or withdrawn before.")

    async def invitation(self, code: str) -> InvitationRow:
        """Return the invitation of a code. It is not used up: :meth:`enrolled` does that.

        Raises:
            InvitationError: wrong, used or too old: the answer is the same.
        """
        async with self._database.read() as connection:
            row = await PartnerRows(connection).invitation(_hashed(code))
        return self._fresh(row)

    async def invitation_named(self, invitation_id: str) -> InvitationRow:
        """Return an invitation that somebody showed the code of before they went to their provider.

        Raises:
            InvitationError: it was used or withdrawn meanwhile, or is too old.
        """
        async with self._database.read() as connection:
            row = await PartnerRows(connection).invitation_named(invitation_id)
        return self._fresh(row)

    def _fresh(self, row: InvitationRow | None) -> InvitationRow:
        if row is None or self._clock.wall_ns() >= row.expires_ns or row.organisation_id in self._leaving:
            raise _no_invitation()
        return row

    async def enrolled(self, invitation: InvitationRow, *, user_id: str, name: str) -> RecipientRow:
        """Use up an invitation for the user that was made by it.

        Raises:
            InvitationError: somebody else was quicker.
        """
        row = RecipientRow(
            user_id=user_id,
            organisation_id=invitation.organisation_id,
            name=name,
            invited_by=invitation.invited_by,
            enrolled_ns=self._clock.wall_ns(),
        )
        async with self._database.write() as connection:
            rows = PartnerRows(connection)
            if not await rows.remove_invitation(invitation.id):
                raise _no_invitation()
            await rows.add_recipient(row)
        self._recipients[user_id] = row
        return row

    # --- terms

    async def accept_terms(self, user_id: str, version: str) -> RecipientRow:
        """Note that somebody accepts the terms as they read them.

        Raises:
            UnknownShareError: they are of no partner organisation.
            ShareError: the terms have changed since.
        """
        row = self.own(user_id)
        if version != self.terms_version:
            raise ShareError("The terms have changed since you read them.", cure="Read them again.")
        now_ns = self._clock.wall_ns()
        async with self._database.write() as connection:
            await PartnerRows(connection).change_recipient(user_id, terms_version=version, terms_ns=now_ns)
        row = self._recipients[user_id] = replace(row, terms_version=version, terms_ns=now_ns)
        self._changed()
        return row


def _hashed(code: str) -> str:
    return hashlib.sha256("".join(code.upper().split()).replace("-", "").encode()).hexdigest()


def _no_invitation() -> InvitationError:
    return InvitationError(
        "This invitation is wrong, was used, or is too old.", cure="Ask the control room for a new one."
    )


def _networks(wished: tuple[str, ...]) -> tuple[str, ...]:
    if len(wished) > NETWORKS_MAX:
        raise ShareError(f"An organisation has {NETWORKS_MAX} networks at most.", cure="Name larger ones.")
    found = []
    for one in wished:
        try:
            found.append(str(ipaddress.ip_network(one.strip())))
        except ValueError:
            raise ShareError(f"{json.dumps(one)} is not a network.", cure='Write it as in "192.0.2.0/24".') from None
    return tuple(dict.fromkeys(found))


def _fingerprint(wished: str | None) -> str | None:
    if wished is None:
        return None
    plain = wished.replace(":", "").strip().lower()
    if len(plain) != FINGERPRINT_CHARS or set(plain) - set("0123456789abcdef"):
        raise ShareError("That is not the SHA-256 of a certificate.", cure="Give its 64 hexadecimal digits.")
    return plain


def _within(address: str, networks: tuple[str, ...]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return any(ip in ipaddress.ip_network(network) for network in networks)
