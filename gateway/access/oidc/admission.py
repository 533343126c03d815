"""Who comes in: from an account at a provider to a user here, with the role that their groups give."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gateway.access.errors import UnknownError, UserError
from gateway.access.identity import Identity
from gateway.access.oidc.errors import LastAdministratorError, NotAdmittedError
from gateway.access.oidc.mapping import SECOND_FACTOR, Given, OwnRole, claimed, groups_in, left_out, methods_in
from gateway.access.oidc.provider import Answered, Provider
from gateway.access.passwords import NO_PASSWORD
from gateway.access.permissions import Role
from gateway.access.service import Access
from gateway.db.engine import Database
from gateway.db.identities import Identities, IdentityRow, ProviderSessionRow, ProviderSessions
from gateway.db.rights import BundleRow, GrantRow, RightsRows
from gateway.db.sessions import Sessions
from gateway.db.users import UserRow, Users
from kernel.clock import NS_PER_S, Clock
from kernel.ids import new_id

USERNAME_MAX = 64
NAME_MAX = 120
GRANTED = "oidc"
"""Kind of a grant that stands for what a group at a provider gives: a role of the site's own making."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person as a provider knows them. ``given`` is what their groups make them here; ``None``: nobody."""

    issuer: str
    subject: str
    username: str
    name: str
    given: Given | None
    groups_withheld: bool
    methods: tuple[str, ...]
    sid: str | None
    id_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Who came in, and as what. ``was`` is the role that they had before, where it is another now."""

    user: UserRow
    identity: IdentityRow
    new: bool
    role: str
    was: str | None


async def account_of(provider: Provider, answered: Answered) -> Account:
    """Return the account that a sign-in is about; what the ID token does not say is asked for.

    Raises:
        ProviderUnreachableError, ProviderAnswerError: it cannot be had.
    """
    settings, claims = provider.settings, answered.claims
    groups = groups_in(claims, settings.groups_claim)
    more: dict[str, Any] = {}
    if groups is None or claimed(claims, settings.username_claim) is None:
        more = await provider.account(answered)
    if groups is None:
        groups = groups_in(more, settings.groups_claim)
    told = {**more, **claims}
    return Account(
        issuer=settings.issuer,
        subject=claims["sub"],
        username=_text(claimed(told, settings.username_claim)),
        name=_text(told.get("name"))[:NAME_MAX],
        given=provider.mapping.role(groups or ()),
        groups_withheld=groups is None and left_out(told, settings.groups_claim),
        methods=methods_in(claims, settings),
        sid=claims.get("sid"),
        id_token=answered.id_token,
    )


class Admission:
    """Lets accounts in and ties them to users."""

    def __init__(self, database: Database, *, clock: Clock, access: Access) -> None:
        self._database = database
        self._clock = clock
        self._access = access

    async def too_early(self) -> bool:
        """Return whether the first administrator is still to be made: nobody is to come before them."""
        return await self._access.setup_needed()

    async def admit(self, provider: Provider, account: Account) -> Admitted:
        """Return the user behind an account, made now where there is none yet.

        Raises:
            NotAdmittedError: no group of theirs means anything here, they are disabled here, or a second factor is due.
            LastAdministratorError: they would be no administrator any more, and nobody else is one.
        """
        async with self._database.read() as connection:
            identity = await Identities(connection).find(account.issuer, account.subject)
        if account.given is None and (identity is None or identity.governs):
            if identity is not None:
                await self._end(identity.id)
            raise _nobody(provider, account)
        check_factors(provider, account)
        try:
            admitted = await self._let_in(provider, account)
        except LastAdministratorError as error:
            # What the group gave is taken away like any other; only the row stays, so that there is an administrator.
            await self.end(await self._sessions_of(error.user_id))
            raise
        if admitted.was is not None:
            # What was opened as something else is not carried on as this.
            await self.end(await self._sessions_of(admitted.user.id))
        return admitted

    async def open(
        self, provider: Provider, account: Account, admitted: Admitted, *, address: str
    ) -> tuple[Identity, str]:
        """Open a session, which ends when the provider's time is over; return who they are and its secret."""
        identity, secret = await self._access.open_session(admitted.user, address=address, methods=account.methods)
        row = ProviderSessionRow(
            session_id=identity.session,
            identity_id=admitted.identity.id,
            provider=provider.settings.id,
            sid=account.sid,
            id_token=account.id_token,
        )
        expires_ns = self._clock.wall_ns() + provider.settings.max_session_s * NS_PER_S
        async with self._database.write() as connection:
            await ProviderSessions(connection).add(row, expires_ns=expires_ns)
        return identity, secret

    async def confirm(self, session: str, method: str) -> None:
        """Note that whoever has a session proved again who they are."""
        await self._access.confirmed(session, method)

    async def end(self, sessions: Iterable[str]) -> None:
        """End sessions, with all that goes on through them."""
        for session in sessions:
            await self._access.sign_out(session)

    async def tie(self, user_id: str, issuer: str, subject: str) -> IdentityRow:
        """Give a user an account of a provider to sign in with; their name and role stay as they are here.

        Raises:
            UnknownError: no such user.
            ConflictError: the account belongs to a user already.
        """
        row = IdentityRow(
            id=new_id(),
            issuer=issuer,
            subject=subject,
            user_id=user_id,
            governs=False,
            created_ns=self._clock.wall_ns(),
        )
        async with self._database.write() as connection:
            if await Users(connection).get(user_id) is None:
                raise UnknownError("There is no such user.", cure="See the list of users.")
            await Identities(connection).add(row)
        return row

    async def untie(self, user_id: str, identity_id: str) -> IdentityRow:
        """Take an account from a user; the sessions that it opened end.

        Raises:
            UnknownError: they have none like that.
            UserError: it is what made them.
        """
        async with self._database.read() as connection:
            row = await Identities(connection).get(identity_id)
        if row is None or row.user_id != user_id:
            raise UnknownError("There is no such account.", cure="See the list of the user's accounts.")
        if row.governs:
            raise UserError(
                "This user is who they are by that account.", cure="Disable or remove the user, or take the group away."
            )
        await self._end(row.id)
        async with self._database.write() as connection:
            await Identities(connection).remove(row.id)
        return row

    async def of_user(self, user_id: str) -> list[IdentityRow]:
        """Return the accounts that a user signs in with."""
        async with self._database.read() as connection:
            return await Identities(connection).of_user(user_id)

    async def _let_in(self, provider: Provider, account: Account) -> Admitted:
        async with self._database.write() as connection:
            rights, users, identities = RightsRows(connection), Users(connection), Identities(connection)
            identity = await identities.find(account.issuer, account.subject)
            if identity is not None and not identity.governs:
                # What they are was said here, to a user of ours: groups there have no part in it.
                user = _enabled(await users.get(identity.user_id))
                await identities.signed_in(identity.id, self._clock.wall_ns())
                return Admitted(user=user, identity=identity, new=False, role=user.role, was=None)
            if account.given is None:
                raise _nobody(provider, account)
            given = account.given
            bundle = await _bundle(rights, provider, given)
            role = Role.MEMBER if isinstance(given, OwnRole) else given
            called = bundle.name if bundle is not None else role.value
            if identity is None:
                user, identity = self._new(account, role, await _free_name(users, account, provider))
                await users.add(user)
                await identities.add(identity)
                await self._give(rights, user.id, bundle, provider)
                return Admitted(user=user, identity=identity, new=True, role=called, was=None)
            found = _enabled(await users.get(identity.user_id))
            _keep_an_administrator(await users.all(), found, role, provider)
            before = await self._give(rights, found.id, bundle, provider) or found.role
            await users.change(found.id, role=role.value, name=account.name or found.name)
            found = _enabled(await users.get(found.id))
            await identities.signed_in(identity.id, self._clock.wall_ns())
        was = before if before != called else None
        return Admitted(user=found, identity=identity, new=False, role=called, was=was)

    def _new(self, account: Account, role: Role, username: str) -> tuple[UserRow, IdentityRow]:
        now_ns = self._clock.wall_ns()
        user = UserRow(
            id=new_id(),
            username=username,
            name=account.name or account.username or "Somebody",
            role=role,
            password_hash=NO_PASSWORD,
            disabled=False,
            created_ns=now_ns,
        )
        identity = IdentityRow(
            id=new_id(),
            issuer=account.issuer,
            subject=account.subject,
            user_id=user.id,
            governs=True,
            created_ns=now_ns,
            signed_in_ns=now_ns,
        )
        return user, identity

    async def _give(self, rights: RightsRows, user_id: str, bundle: BundleRow | None, provider: Provider) -> str | None:
        """Grant a role of the site's own, and none that a group gave before; return the name of that one."""
        tables = await rights.everything()
        names = {row.id: row.name for row in tables.bundles}
        held = [row for row in tables.grants if row.user_id == user_id and row.kind == GRANTED]
        for row in held:
            if bundle is None or row.role != bundle.id:
                await rights.remove_grant(row.id)
        if bundle is not None and all(row.role != bundle.id for row in held):
            now_ns = self._clock.wall_ns()
            grant = GrantRow(
                id=new_id(),
                kind=GRANTED,
                user_id=user_id,
                team_id=None,
                role=bundle.id,
                group_id=None,
                starts_ns=now_ns,
                ends_ns=None,
                reason=f"Given by a group at {provider.settings.name}",
                granted_by=provider.settings.id,
                created_ns=now_ns,
            )
            await rights.put_grant(grant)
        return names.get(held[0].role) if held else None

    async def _sessions_of(self, user_id: str) -> list[str]:
        async with self._database.read() as connection:
            return await Sessions(connection).of_user(user_id)

    async def _end(self, identity_id: str) -> None:
        async with self._database.read() as connection:
            sessions = await ProviderSessions(connection).of_identity(identity_id)
        await self.end(sessions)


def check_factors(provider: Provider, account: Account) -> None:
    """Make sure that somebody signed in there as it is needed here.

    Raises:
        NotAdmittedError: with one factor, or the provider does not say with how many.
    """
    if provider.settings.require_two_factor and SECOND_FACTOR not in account.methods:
        raise NotAdmittedError(
            f"{provider.settings.name} does not say that you signed in with two factors, which is needed here.",
            cure="Sign in there with your second factor; if you did, tell an administrator.",
        )


def _enabled(user: UserRow | None) -> UserRow:
    assert user is not None
    if user.disabled:
        raise NotAdmittedError("Your account here is disabled.", cure="Ask an administrator.")
    return user


def _nobody(provider: Provider, account: Account) -> NotAdmittedError:
    name = provider.settings.name
    if account.groups_withheld:
        return NotAdmittedError(
            f"{name} did not say which groups you are in, because there are too many of them.",
            cure="Its administrators can have it name only the groups that are meant for Sightline.",
        )
    return NotAdmittedError(
        f"You are signed in at {name}, but none of your groups there may use Sightline.",
        cure="Ask whoever keeps the accounts there for a group that may.",
    )


async def _bundle(rights: RightsRows, provider: Provider, given: Given) -> BundleRow | None:
    if not isinstance(given, OwnRole):
        return None
    bundles = (await rights.everything()).bundles
    found = next((row for row in bundles if row.name.casefold() == given.name.casefold()), None)
    if found is None:
        raise NotAdmittedError(
            f"Your group at {provider.settings.name} stands for the role {given.name}, which is not there any more.",
            cure="Ask an administrator to make that role, or to change the groups in the settings.",
        )
    return found


def _keep_an_administrator(users: Iterable[UserRow], user: UserRow, role: Role, provider: Provider) -> None:
    if user.role != Role.ADMINISTRATOR or role is Role.ADMINISTRATOR:
        return
    if not any(one.role == Role.ADMINISTRATOR and not one.disabled and one.id != user.id for one in users):
        raise LastAdministratorError(provider.settings.name, user_id=user.id, role=role.value)


async def _free_name(users: Users, account: Account, provider: Provider) -> str:
    """Return a user name that nobody has: who is called like a user here already is not that user."""
    wanted, provider_id = account.username, provider.settings.id
    kept = "".join(sign if sign.isalnum() or sign in "._-@" else "-" for sign in wanted.strip().casefold())
    base = kept.strip("-")[: USERNAME_MAX - len(provider_id) - 6] or "person"
    name, count = base, 1
    while await users.named(name) is not None:
        name = f"{base}@{provider_id}" if count == 1 else f"{base}-{count}@{provider_id}"
        count += 1
    return name


def _text(value: Any) -> str:
    """Return a claim that people are shown, of printable signs alone."""
    return "".join(sign for sign in value if sign.isprintable()).strip() if isinstance(value, str) else ""
