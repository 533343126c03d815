"""Second factors: an authenticator application, passkeys, recovery codes. What a person has, adds and removes."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from config.access import AccessSettings
from gateway.access import passkeys, totp
from gateway.access.errors import CredentialsError, FactorError, UnknownError
from gateway.access.identity import Identity
from gateway.access.passkeys import Site
from gateway.access.permissions import Role
from gateway.access.secrets import hashed_code, new_code
from gateway.access.tickets import Purpose, Tickets
from gateway.db.engine import Database
from gateway.db.factors import FactorRows, PasskeyRow, TotpRow
from gateway.db.identities import Identities
from gateway.db.users import UserRow, Users
from kernel.clock import NS_PER_S, Clock
from kernel.ids import new_id

RECOVERY_CODES = 10
PASSKEYS_MAX = 20


class Method(StrEnum):
    """How somebody proved who they are."""

    PASSWORD = "password"  # noqa: S105 - a word, not a password
    CODE = "code"
    """A one-time code from the gateway's terminal."""
    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY = "recovery"
    OIDC = "oidc"
    """Another organisation's accounts say so."""
    MFA = "mfa"
    """They say that they asked for two factors."""


_TWO = frozenset({Method.TOTP, Method.PASSKEY, Method.RECOVERY, Method.MFA})


def is_two_factor(methods: Iterable[str]) -> bool:
    """Return whether a session was opened by more than something that one knows."""
    return not _TWO.isdisjoint(methods)


def always_asked(settings: AccessSettings, role: Role) -> bool:
    """Return whether somebody must have a second factor: everybody where the settings say so, partners anywhere.

    A partner's desk is out of the room's sight, and their password is the one thing there that the room gave out.
    """
    return settings.second_factor == "required" or role is Role.PARTNER


def enrolment_due(settings: AccessSettings, role: Role, methods: Iterable[str]) -> bool:
    """Return whether a session may do nothing yet but enrol a second factor.

    A partner whom their own force's accounts let in has been asked there what that force asks.
    """
    methods = frozenset(methods)
    if is_two_factor(methods):
        return False
    return settings.second_factor == "required" or (role is Role.PARTNER and Method.OIDC not in methods)


class Sealer(Protocol):
    """Seals for one transaction."""

    def seal(self, secret: str, *, context: str) -> bytes:
        """Return the sealed secret."""
        ...


class Vault(Protocol):
    """Keeps secrets at rest sealed, each bound to its context."""

    async def sealer(self, transaction: Any) -> Sealer:
        """Return what seals in this writing transaction."""
        ...

    async def open(self, sealed: bytes, *, context: str) -> str:
        """Return what was sealed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Has:
    """What one person has."""

    password: bool
    totp_since_ns: int | None
    passkeys: tuple[PasskeyRow, ...]
    recovery_left: int
    provider: bool = False
    """They have an account at a provider that is set, which can ask them who they are."""
    governed: bool = False
    """That provider keeps them, and alone lets them in."""

    @property
    def second(self) -> tuple[Method, ...]:
        """Return what can follow a password; empty where no second factor was enrolled."""
        own = [
            *([Method.PASSKEY] if self.passkeys else []),
            *([Method.TOTP] if self.totp_since_ns is not None else []),
        ]
        return (*own, Method.RECOVERY) if own and self.recovery_left else tuple(own)

    @property
    def confirming(self) -> tuple[Method, ...]:
        """Return the ways to prove again who they are."""
        own = [method for method in self.second if method is not Method.RECOVERY]
        if self.password and not self.governed:
            own.append(Method.PASSWORD)
        return (*own, Method.OIDC) if self.provider else tuple(own)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTotp:
    """A secret that an application is to take, until a first code proves that it did."""

    ticket: str
    secret: str
    uri: str
    picture: str
    """A QR code in a ``data:`` URL."""


class Factors:
    """The second factors of everybody."""

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        database: Database,
        *,
        clock: Clock,
        settings: AccessSettings,
        vault: Vault,
        tickets: Tickets,
        issuers: Collection[str] = (),
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._vault = vault
        self._tickets = tickets
        self._issuers = frozenset(issuers)
        """Of the providers that are set."""

    async def of(self, user_id: str) -> Has:
        """Return what somebody has."""
        async with self._database.read() as connection:
            user = await Users(connection).get(user_id)
            rows = FactorRows(connection)
            secret = await rows.totp(user_id)
            accounts = await Identities(connection).of_user(user_id)
            return Has(
                password=user is not None and has_password(user),
                totp_since_ns=secret.created_ns if secret is not None else None,
                passkeys=tuple(await rows.passkeys(user_id)),
                recovery_left=await rows.recovery_left(user_id),
                provider=any(row.issuer in self._issuers for row in accounts),
                governed=any(row.governs for row in accounts),
            )

    # --- an authenticator application

    async def begin_totp(self, who: Identity, *, address: str) -> NewTotp:
        """Return a secret for an application; nothing is stored until :meth:`add_totp`."""
        secret = totp.new_secret()
        ticket, _ = self._tickets.new(
            Purpose.ADD_TOTP, address=address, user_id=who.user_id, session=who.session, secret=secret
        )
        uri = totp.address(secret, username=who.username)
        return NewTotp(ticket=ticket, secret=secret, uri=uri, picture=await asyncio.to_thread(totp.picture, uri))

    async def add_totp(self, who: Identity, ticket: str, code: str, *, address: str) -> list[str]:
        """Store the secret, in place of one before; return new recovery codes where there were none.

        Raises:
            CredentialsError: the code is not the application's, or the ticket is too old.
        """
        held = self._tickets.use(ticket, Purpose.ADD_TOTP, address=address)
        step = totp.step_of(held.secret, code, at_s=self._clock.wall_ns() // NS_PER_S)
        if step is None or held.session != who.session:
            raise CredentialsError(
                "That is not the code of now.", cure="Check that the phone's clock is right, and type the newest one."
            )
        self._tickets.drop(ticket)
        async with self._database.write() as connection:
            sealer = await self._vault.sealer(connection)
            row = TotpRow(
                user_id=who.user_id,
                secret_sealed=sealer.seal(held.secret, context=_context(who.user_id)),
                created_ns=self._clock.wall_ns(),
                used_step=step,
            )
            rows = FactorRows(connection)
            await rows.put_totp(row)
            return await self._first_codes(rows, who.user_id)

    async def remove_totp(self, who: Identity) -> None:
        """Remove it.

        Raises:
            UnknownError: there is none.
            FactorError: it is the last factor, and one is required.
        """
        async with self._database.write() as connection:
            rows = FactorRows(connection)
            if not await rows.remove_totp(who.user_id):
                raise UnknownError("There is no authenticator app.", cure="See the list.")
            await self._after_removal(rows, who)

    async def check_totp(self, user_id: str, code: str) -> bool:
        """Use a code up; return whether it was right. The same one, or an older one, is refused from then on."""
        async with self._database.write() as connection:
            rows = FactorRows(connection)
            row = await rows.totp(user_id)
            if row is None:
                return False
            secret = await self._vault.open(row.secret_sealed, context=_context(user_id))
            step = totp.step_of(secret, code, at_s=self._clock.wall_ns() // NS_PER_S)
            return step is not None and await rows.use_step(user_id, step)

    # --- passkeys

    async def begin_passkey(self, who: Identity, site: Site, *, address: str) -> tuple[str, dict[str, Any]]:
        """Return a ticket, and what the browser is to be asked.

        Raises:
            FactorError: they have as many as one may have.
        """
        known = (await self.of(who.user_id)).passkeys
        if len(known) >= PASSKEYS_MAX:
            raise FactorError(f"You have {PASSKEYS_MAX} passkeys, which is the most.", cure="Remove one first.")
        ticket, challenge = self._tickets.new(
            Purpose.ADD_PASSKEY, address=address, user_id=who.user_id, session=who.session
        )
        options = passkeys.creation_options(site, who, challenge=challenge, known=known)
        return ticket, options

    async def add_passkey(  # noqa: PLR0913 - what a browser and a person say of it
        self, who: Identity, ticket: str, credential: dict[str, Any], *, site: Site, name: str, address: str
    ) -> tuple[PasskeyRow, list[str]]:
        """Store a passkey; return it, and new recovery codes where there were none.

        Raises:
            CredentialsError: the answer does not hold, or the ticket is too old.
            ConflictError: the passkey is known already.
        """
        held = self._tickets.use(ticket, Purpose.ADD_PASSKEY, address=address)
        self._tickets.drop(ticket)
        if held.session != who.session:
            raise CredentialsError("That was begun in another session.", cure="Begin again.")
        made = passkeys.created(site, challenge=held.challenge, credential=credential)
        row = PasskeyRow(
            id=new_id(),
            user_id=who.user_id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            rp_id=site.rp_id,
            name=name,
            created_ns=self._clock.wall_ns(),
            used_ns=None,
        )
        async with self._database.write() as connection:
            rows = FactorRows(connection)
            await rows.add_passkey(row)
            return row, await self._first_codes(rows, who.user_id)

    async def rename_passkey(self, who: Identity, passkey_id: str, name: str) -> None:
        """Rename it.

        Raises:
            UnknownError: it is not theirs.
        """
        async with self._database.write() as connection:
            if not await FactorRows(connection).rename_passkey(who.user_id, passkey_id, name):
                raise UnknownError("There is no such passkey.", cure="See the list.")

    async def remove_passkey(self, who: Identity, passkey_id: str) -> None:
        """Remove it.

        Raises:
            UnknownError: it is not theirs.
            FactorError: it is the last factor, and one is required.
        """
        async with self._database.write() as connection:
            rows = FactorRows(connection)
            if not await rows.remove_passkey(who.user_id, passkey_id):
                raise UnknownError("There is no such passkey.", cure="See the list.")
            await self._after_removal(rows, who)

    async def check_passkey(self, credential: dict[str, Any], *, site: Site, challenge: bytes) -> str:
        """Use a passkey; return whose it is.

        Raises:
            CredentialsError: unknown, of another site, or its answer does not hold.
        """
        async with self._database.read() as connection:
            row = await FactorRows(connection).passkey(passkeys.credential_id(credential))
        handle = passkeys.user_handle(credential)
        if row is None or row.rp_id != site.rp_id or handle not in {None, row.user_id}:
            raise CredentialsError("The passkey was not accepted.", cure="Try again, or use another way.")
        count = passkeys.new_count(site, row, challenge=challenge, credential=credential)
        async with self._database.write() as connection:
            fresh = await FactorRows(connection).use_passkey(
                row.id, sign_count=count, seen=row.sign_count, at_ns=self._clock.wall_ns()
            )
        if not fresh:
            raise CredentialsError("The passkey was not accepted.", cure="Try again, or use another way.")
        return row.user_id

    # --- recovery codes

    async def new_recovery(self, user_id: str) -> list[str]:
        """Return new codes, which are shown this once; those before no longer work.

        Raises:
            FactorError: there is no factor that they could stand in for.
        """
        if not (await self.of(user_id)).second:
            raise FactorError(
                "Recovery codes stand in for a passkey or an authenticator app.", cure="Add one of these first."
            )
        async with self._database.write() as connection:
            return await self._codes(FactorRows(connection), user_id)

    async def check_recovery(self, user_id: str, code: str) -> bool:
        """Use a code up; return whether it was one of theirs."""
        async with self._database.write() as connection:
            return await FactorRows(connection).take_recovery(user_id, hashed_code(code))

    async def remove_all(self, user_id: str) -> None:
        """Remove every factor of somebody who has lost them."""
        async with self._database.write() as connection:
            await FactorRows(connection).remove_all(user_id)

    # --- inside

    async def _first_codes(self, rows: FactorRows, user_id: str) -> list[str]:
        return [] if await rows.recovery_left(user_id) else await self._codes(rows, user_id)

    async def _codes(self, rows: FactorRows, user_id: str) -> list[str]:
        codes = [new_code() for _ in range(RECOVERY_CODES)]
        await rows.put_recovery(user_id, [hashed_code(code) for code in codes], self._clock.wall_ns())
        return codes

    async def _after_removal(self, rows: FactorRows, who: Identity) -> None:
        if await rows.totp(who.user_id) is not None or await rows.passkeys(who.user_id):
            return
        if always_asked(self._settings, who.role):
            raise FactorError("A second factor is required here.", cure="Add another one before you remove this one.")
        await rows.remove_all(who.user_id)


def has_password(user: UserRow) -> bool:
    """Return whether somebody has a password here; who comes through another organisation's accounts has none."""
    return user.password_hash.startswith("$argon2")


def names(methods: Sequence[Method]) -> list[str]:
    """Return methods as the API says them."""
    return [method.value for method in methods]


def _context(user_id: str) -> str:
    return f"totp:{user_id}"
