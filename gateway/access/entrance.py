"""Signing in: a password and what follows it, a passkey alone, a one-time code; and proving again who one is."""

import hmac
from dataclasses import dataclass, replace
from typing import Any

import structlog

from config.access import AccessSettings
from gateway.access import passkeys
from gateway.access.errors import CredentialsError, NoPasskeysError, UserError
from gateway.access.factors import Factors, Has, Method, has_password
from gateway.access.identity import Identity
from gateway.access.limits import SignInLimits
from gateway.access.passkeys import Site
from gateway.access.passwords import Passwords
from gateway.access.permissions import Role
from gateway.access.proofs import PasskeyProof, PasswordProof, Proof, RecoveryProof, Second, TotpProof
from gateway.access.secrets import hashed, hashed_code, new_secret
from gateway.access.service import SETUP, SIGN_IN, Access, folded
from gateway.access.tickets import Purpose, Ticket, Tickets
from gateway.db.codes import CodeRow, Codes
from gateway.db.engine import Database
from gateway.db.known_devices import KnownDevices
from gateway.db.users import UserRow, Users
from kernel.clock import Clock
from kernel.ids import new_id

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Where an attempt comes from."""

    address: str
    browser: str = ""
    device: str | None = None
    """The secret of the browser's device cookie, if it has one."""
    site: Site | None = None
    """Where the browser thinks it is; ``None`` where passkeys cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Somebody is in."""

    identity: Identity
    secret: str
    """For the session's cookie."""
    device: str
    """For the device cookie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondDue:
    """The password was right; one more proof, and they are in."""

    ticket: str
    methods: tuple[Method, ...]
    options: dict[str, Any] | None
    """What the browser is to be asked for a passkey, where that is one of them."""


class Entrance:
    """The ways in."""

    def __init__(  # noqa: PLR0913 - the composition root joins it
        self,
        database: Database,
        *,
        clock: Clock,
        settings: AccessSettings,
        passwords: Passwords,
        access: Access,
        factors: Factors,
        tickets: Tickets,
    ) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._access = access
        self._factors = factors
        self._tickets = tickets
        self._limits = SignInLimits(clock=clock, settings=settings)

    # --- the first administrator

    async def set_up(self, code: str, *, username: str, name: str, password: str, visitor: Visitor) -> Opened:
        """Make the administrator and sign them in.

        Raises:
            UserError: there are users already, or the user name cannot be one.
            CredentialsError: the code is wrong, used or too old.
            PasswordPolicyError: the password is too weak; the code can be used again.
            TooManyAttemptsError: too many wrong codes from this address.
        """
        self._limits.begin("", visitor.address)
        username = folded(username)
        await self._passwords.check_policy(password, username=username)
        user = UserRow(
            id=new_id(),
            username=username,
            name=name or username,
            role=Role.ADMINISTRATOR,
            password_hash=await self._passwords.hash(password),
            disabled=False,
            created_ns=self._clock.wall_ns(),
        )
        async with self._database.write() as connection:
            if await Users(connection).count():
                raise UserError("Sightline is set up already.", cure="Sign in, or ask an administrator for an account.")
            row = await Codes(connection).take(hashed_code(code), SETUP)
            self._check_code(row)
            await Users(connection).add(user)
            await Codes(connection).clear(SETUP)
        self._limits.succeeded("", visitor.address)
        return await self._open(user, visitor, Method.PASSWORD)

    # --- signing in

    async def sign_in(self, username: str, password: str, *, visitor: Visitor) -> Opened | SecondDue:
        """Check a password; open a session, or ask for the second factor that they have.

        Raises:
            CredentialsError: wrong, unknown or disabled: the answer and the time it takes are the same.
            TooManyAttemptsError: too many wrong ones.
        """
        username = username.strip().casefold()
        async with self._database.read() as connection:
            user = await Users(connection).named(username)
        device = await self._known(user, visitor)
        self._limits.begin(username, visitor.address, device=device)
        stored = user.password_hash if user is not None and has_password(user) else None
        right = await self._passwords.verify(stored, password)
        if user is None or stored is None or not right or user.disabled:
            raise CredentialsError("User name or password is wrong.", cure="Check both and try again.")
        if self._passwords.outdated(stored):
            fresh = await self._passwords.hash(password)
            async with self._database.write() as connection:
                await Users(connection).change(user.id, password_hash=fresh)
            user = replace(user, password_hash=fresh)
        return await self._after_first(user, visitor, Method.PASSWORD, device=device)

    def attempt(self, address: str) -> None:
        """Take an attempt at a secret that names nobody and is kept elsewhere: an invitation's code.

        Raises:
            TooManyAttemptsError: too many wrong ones from this address.
        """
        self._limits.begin("", address)

    def succeeded(self, address: str) -> None:
        """Give the attempt back: it was right."""
        self._limits.succeeded("", address)

    async def sign_in_with_code(self, code: str, *, visitor: Visitor) -> Opened | SecondDue:
        """Use up a one-time code; it stands in for the password, not for the second factor.

        Raises:
            CredentialsError: the code is wrong, used or too old, or its user is disabled.
            TooManyAttemptsError: too many wrong ones from this address.
        """
        self._limits.begin("", visitor.address)
        async with self._database.write() as connection:
            row = await Codes(connection).take(hashed_code(code), SIGN_IN)
            self._check_code(row)
            assert row is not None
            user = await Users(connection).get(row.user_id or "")
        if user is None or user.disabled:
            raise CredentialsError("This one-time code does not work any more.", cure="Ask for a new one.")
        self._limits.succeeded("", visitor.address)
        return await self._after_first(user, visitor, Method.CODE)

    async def second(self, ticket: str, proof: Second, *, visitor: Visitor) -> Opened:
        """Complete a sign-in.

        Raises:
            CredentialsError: the proof is wrong, or the ticket is too old or from elsewhere.
            TooManyAttemptsError: too many wrong codes for this account, or tickets that there are not.
        """
        held = self._ticket(ticket, Purpose.SECOND, visitor)
        self._limits.begin_second(held.user_id)
        async with self._database.read() as connection:
            user = await Users(connection).get(held.user_id)
        method, right = await self._proved(held.user_id, proof, visitor, challenge=held.challenge)
        if user is None or user.disabled or user.password_hash != held.stamp or not right:
            raise CredentialsError("That was not right.", cure="Try again, or use another way.")
        self._tickets.drop(ticket)
        self._limits.second_succeeded(user.id)
        device = await self._known(user, visitor)
        if held.secret == Method.PASSWORD:
            self._limits.succeeded(user.username, visitor.address, device=device)
        return await self._open(user, visitor, Method(held.secret), method)

    async def owner(self, ticket: str) -> UserRow | None:
        """Return whose sign-in a ticket is to complete, for the record of an attempt."""
        held = self._tickets.peek(ticket)
        if held is None or held.purpose is not Purpose.SECOND:
            return None
        async with self._database.read() as connection:
            return await Users(connection).get(held.user_id)

    def passkey_challenge(self, visitor: Visitor) -> tuple[str, dict[str, Any]]:
        """Return a ticket and what the browser is to be asked, for somebody who signs in with a passkey alone.

        Raises:
            NoPasskeysError: passkeys cannot be used at this address.
        """
        site = site_of_passkeys(visitor)
        ticket, challenge = self._tickets.new(Purpose.PASSKEY, address=visitor.address)
        return ticket, passkeys.request_options(site, challenge=challenge)

    async def sign_in_with_passkey(self, proof: PasskeyProof, *, visitor: Visitor) -> Opened:
        """Sign in with a passkey alone: it is something they have, and the authenticator has verified them.

        Raises:
            CredentialsError: it does not hold, or its user is disabled.
            TooManyAttemptsError: too many wrong ones from this address.
        """
        self._limits.begin("", visitor.address)
        held = self._tickets.use(proof.ticket, Purpose.PASSKEY, address=visitor.address)
        self._tickets.drop(proof.ticket)
        user_id = await self._factors.check_passkey(
            proof.credential, site=site_of_passkeys(visitor), challenge=held.challenge
        )
        async with self._database.read() as connection:
            user = await Users(connection).get(user_id)
        if user is None or user.disabled:
            raise CredentialsError("The passkey was not accepted.", cure="Try again, or use another way.")
        self._limits.succeeded("", visitor.address)
        return await self._open(user, visitor, Method.PASSKEY)

    # --- proving again who one is

    async def confirm_challenge(self, who: Identity, visitor: Visitor) -> tuple[str, dict[str, Any]]:
        """Return a ticket and what the browser is to be asked of somebody who is signed in.

        Raises:
            NoPasskeysError: passkeys cannot be used at this address.
        """
        site = site_of_passkeys(visitor)
        known = (await self._factors.of(who.user_id)).passkeys
        ticket, challenge = self._tickets.new(
            Purpose.CONFIRM, address=visitor.address, user_id=who.user_id, session=who.session
        )
        return ticket, passkeys.request_options(site, challenge=challenge, known=known)

    async def confirm(self, who: Identity, proof: Proof, *, visitor: Visitor) -> Method:
        """Make sure that it is still them at the keys: opens a locked session, and sharp acts for a while.

        Raises:
            CredentialsError: it is not.
            TooManyAttemptsError: too many wrong ones.
        """
        challenge = b""
        if isinstance(proof, PasskeyProof):
            held = self._ticket(proof.ticket, Purpose.CONFIRM, visitor)
            self._tickets.drop(proof.ticket)
            if held.session != who.session:
                raise CredentialsError("That was begun in another session.", cure="Begin again.")
            challenge = held.challenge
        if isinstance(proof, PasswordProof):
            await self.check_password(who, proof.password, visitor=visitor)
            method = Method.PASSWORD
        else:
            self._limits.begin_second(who.user_id)
            method, right = await self._proved(who.user_id, proof, visitor, challenge=challenge)
            if not right:
                raise CredentialsError("That was not right.", cure="Try again, or use another way.")
            self._limits.second_succeeded(who.user_id)
        await self._access.confirmed(who.session, method)
        return method

    async def check_password(self, who: Identity, password: str, *, visitor: Visitor) -> None:
        """Make sure that a password is theirs.

        Raises:
            CredentialsError: it is not.
            TooManyAttemptsError: too many wrong ones.
        """
        async with self._database.read() as connection:
            user = await Users(connection).get(who.user_id)
        device = await self._known(user, visitor)
        self._limits.begin(who.username, visitor.address, device=device)
        stored = user.password_hash if user is not None and has_password(user) else None
        if not await self._passwords.verify(stored, password):
            raise CredentialsError("The password is wrong.", cure="Check it and try again.")
        self._limits.succeeded(who.username, visitor.address, device=device)

    # --- inside

    def _ticket(self, name: str, purpose: Purpose, visitor: Visitor) -> Ticket:
        """Return what is to be completed. One that there is not is an attempt of whoever brings it."""
        try:
            return self._tickets.use(name, purpose, address=visitor.address)
        except CredentialsError:
            self._limits.begin("", visitor.address)
            raise

    async def _after_first(
        self, user: UserRow, visitor: Visitor, method: Method, *, device: str | None = None
    ) -> Opened | SecondDue:
        has = await self._factors.of(user.id)
        if not has.second:
            if method is Method.PASSWORD:
                self._limits.succeeded(user.username, visitor.address, device=device)
            return await self._open(user, visitor, method)
        if method is Method.PASSWORD:
            self._limits.give_back(user.username, visitor.address, device=device)
        return self._second_due(user, has, visitor, method)

    def _second_due(self, user: UserRow, has: Has, visitor: Visitor, first: Method) -> SecondDue:
        ticket, challenge = self._tickets.new(
            Purpose.SECOND, address=visitor.address, user_id=user.id, secret=first.value, stamp=user.password_hash
        )
        options = None
        if visitor.site is not None and any(row.rp_id == visitor.site.rp_id for row in has.passkeys):
            options = passkeys.request_options(visitor.site, challenge=challenge, known=has.passkeys)
        return SecondDue(ticket=ticket, methods=has.second, options=options)

    async def _proved(self, user_id: str, proof: Second, visitor: Visitor, *, challenge: bytes) -> tuple[Method, bool]:
        match proof:
            case TotpProof():
                return Method.TOTP, await self._factors.check_totp(user_id, proof.code)
            case RecoveryProof():
                return Method.RECOVERY, await self._factors.check_recovery(user_id, proof.code)
            case PasskeyProof():
                owner = await self._factors.check_passkey(
                    proof.credential, site=site_of_passkeys(visitor), challenge=challenge
                )
                return Method.PASSKEY, hmac.compare_digest(owner, user_id)

    async def _known(self, user: UserRow | None, visitor: Visitor) -> str | None:
        """Return the hash of the browser's cookie where this user has signed in with it before."""
        if user is None or not visitor.device:
            return None
        device = hashed(visitor.device)
        async with self._database.read() as connection:
            return device if await KnownDevices(connection).knows(device, user.id) else None

    async def _open(self, user: UserRow, visitor: Visitor, *methods: Method) -> Opened:
        identity, secret = await self._access.open_session(
            user, address=visitor.address, methods=methods, browser=visitor.browser
        )
        device = visitor.device
        async with self._database.write() as connection:
            devices = KnownDevices(connection)
            if not device or not await devices.given(hashed(device)):
                # A cookie that we did not give is not kept: somebody else may have put it there.
                device = new_secret()
            await devices.note(hashed(device), user.id, self._clock.wall_ns())
        return Opened(identity=identity, secret=secret, device=device)

    def _check_code(self, row: CodeRow | None) -> None:
        if row is None or self._clock.wall_ns() >= row.expires_ns:
            raise CredentialsError(
                "This one-time code is wrong, was used, or is too old.",
                cure="Start Sightline again, or run `sightline users code`, for a new one.",
            )


def site_of_passkeys(visitor: Visitor) -> Site:
    """Return where somebody is, for a passkey.

    Raises:
        NoPasskeysError: passkeys cannot be used there.
    """
    if visitor.site is None:
        raise NoPasskeysError(
            "Passkeys cannot be used at this address.", cure="Open the console by its name, over HTTPS."
        )
    return visitor.site
