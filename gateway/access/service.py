"""Signing in and out, and telling who is asking."""

from collections.abc import Callable

import structlog

from config.access import AccessSettings
from gateway.access.errors import CredentialsError, NotSignedInError, UserError
from gateway.access.identity import Identity
from gateway.access.limits import Attempts, SignInLimits, network_of
from gateway.access.passwords import Passwords
from gateway.access.permissions import Permission, Role
from gateway.access.secrets import TOKEN_PREFIX, hashed, hashed_code, new_code, new_secret
from gateway.db.codes import CodeRow, Codes
from gateway.db.engine import Database
from gateway.db.sessions import SessionRow, Sessions
from gateway.db.tokens import TokenRow, Tokens
from gateway.db.users import UserRow, Users
from kernel.clock import NS_PER_S, Clock
from kernel.ids import new_id

log = structlog.get_logger()

SETUP = "setup"
SIGN_IN = "sign-in"
_NOTE_USE_NS = 30 * NS_PER_S
"""The use of a session or token is written at most this often."""


class Access:
    """Everything about being let in. Users and tokens are kept by :mod:`gateway.access.people`."""

    def __init__(self, database: Database, *, clock: Clock, settings: AccessSettings, passwords: Passwords) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._passwords = passwords
        self._limits = SignInLimits(
            accounts=Attempts(clock=clock, capacity=settings.account_attempts, refill_s=settings.account_refill_s),
            addresses=Attempts(clock=clock, capacity=settings.address_attempts, refill_s=settings.address_refill_s),
        )
        self._ended: list[Callable[[str], None]] = []

    # --- the first administrator

    async def setup_needed(self) -> bool:
        """Return whether there is nobody yet."""
        async with self._database.read() as connection:
            return await Users(connection).count() == 0

    async def new_setup_code(self) -> str:
        """Return a fresh code that makes the first administrator; those before it no longer work.

        Raises:
            UserError: there are users already.
        """
        if not await self.setup_needed():
            raise UserError("Sightline is set up already.", cure="Ask an administrator for an account.")
        return await self._new_code(SETUP, None)

    async def set_up(self, code: str, *, username: str, name: str, password: str, address: str) -> tuple[Identity, str]:
        """Make the administrator and sign them in; return who they are and the session's secret.

        Raises:
            UserError: there are users already, or the user name cannot be one.
            CredentialsError: the code is wrong, used or too old.
            PasswordPolicyError: the password is too weak; the code can be used again.
            TooManyAttemptsError: too many wrong codes.
        """
        self._limits.begin("setup", address)
        username = folded(username)
        self._passwords.check_policy(password, username=username)
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
        self._limits.succeeded("setup", address)
        return await self.open_session(user, address=address)

    # --- signing in

    async def new_sign_in_code(self, user_id: str) -> str:
        """Return a fresh one-time code that signs this user in once."""
        return await self._new_code(SIGN_IN, user_id)

    async def sign_in(self, username: str, password: str, *, address: str) -> tuple[Identity, str]:
        """Check a password and open a session; return who they are and the session's secret.

        Raises:
            CredentialsError: wrong, unknown or disabled: the answer and the time it takes are the same.
            TooManyAttemptsError: too many wrong ones for this account or from this address.
        """
        username = username.strip().casefold()
        self._limits.begin(username, address)
        async with self._database.read() as connection:
            user = await Users(connection).named(username)
        right = await self._passwords.verify(user.password_hash if user is not None else None, password)
        if user is None or not right or user.disabled:
            raise CredentialsError("User name or password is wrong.", cure="Check both and try again.")
        self._limits.succeeded(username, address)
        if self._passwords.outdated(user.password_hash):
            fresh = await self._passwords.hash(password)
            async with self._database.write() as connection:
                await Users(connection).change(user.id, password_hash=fresh)
        return await self.open_session(user, address=address)

    async def sign_in_with_code(self, code: str, *, address: str) -> tuple[Identity, str]:
        """Use up a one-time code.

        Raises:
            CredentialsError: the code is wrong, used or too old, or its user is disabled.
            TooManyAttemptsError: too many wrong ones from this address.
        """
        self._limits.begin("code", address)
        async with self._database.write() as connection:
            row = await Codes(connection).take(hashed_code(code), SIGN_IN)
            self._check_code(row)
            assert row is not None
            user = await Users(connection).get(row.user_id or "")
        if user is None or user.disabled:
            raise CredentialsError("This one-time code does not work any more.", cure="Ask for a new one.")
        self._limits.succeeded("code", address)
        return await self.open_session(user, address=address)

    async def check_password(self, identity: Identity, password: str, *, address: str) -> None:
        """Make sure that it is still them at the keys.

        Raises:
            CredentialsError: the password is not theirs.
            TooManyAttemptsError: too many wrong ones.
        """
        self._limits.begin(identity.username, address)
        async with self._database.read() as connection:
            user = await Users(connection).get(identity.user_id)
        if not await self._passwords.verify(user.password_hash if user is not None else None, password):
            raise CredentialsError("The current password is wrong.", cure="Check it and try again.")
        self._limits.succeeded(identity.username, address)

    def attempt(self, what: str, address: str) -> None:
        """Take an attempt at a secret that is no password: an invitation's code.

        Raises:
            TooManyAttemptsError: too many wrong ones from this address.
        """
        self._limits.begin(f"{what} {network_of(address)}", address)

    def succeeded(self, what: str, address: str) -> None:
        """Give the attempt back: it was right."""
        self._limits.succeeded(f"{what} {network_of(address)}", address)

    async def sign_out(self, session: str) -> None:
        """End a session."""
        async with self._database.write() as connection:
            await Sessions(connection).remove(session)
        self._tell(session)

    # --- who is asking

    async def of_session(self, secret: str) -> Identity:
        """Return whose session a cookie's secret opens.

        Raises:
            NotSignedInError: none, or one that has ended.
        """
        now_ns = self._clock.wall_ns()
        async with self._database.read() as connection:
            found = await Sessions(connection).find(hashed(secret))
        if found is None:
            raise NotSignedInError("You are signed out.", cure="Sign in.")
        session, user = found
        if user.disabled or now_ns >= session.expires_ns or now_ns - session.used_ns >= self._idle_ns:
            await self.sign_out(session.id)
            raise NotSignedInError("Your session has ended.", cure="Sign in again.")
        if now_ns - session.used_ns >= _NOTE_USE_NS:
            async with self._database.write() as connection:
                await Sessions(connection).used(session.id, now_ns)
        return _identity(user, session=session.id)

    async def of_token(self, token: str) -> Identity:
        """Return whose API token it is; its role is never more than its user's.

        Raises:
            NotSignedInError: none, or one that has ended.
        """
        found = None
        if token.startswith(TOKEN_PREFIX):
            async with self._database.read() as connection:
                found = await Tokens(connection).find(hashed(token))
        now_ns = self._clock.wall_ns()
        if found is None or found[1].disabled or now_ns >= found[0].expires_ns:
            raise NotSignedInError("The API token is not valid.", cure="Ask an administrator for a new one.")
        row, user = found
        if row.used_ns is None or now_ns - row.used_ns >= _NOTE_USE_NS:
            async with self._database.write() as connection:
                await Tokens(connection).used(row.id, now_ns)
        return _identity(user, session=f"token:{row.id}", token=row)

    # --- the end of sessions

    def when_ended(self, call: Callable[[str], None]) -> Callable[[], None]:
        """Call ``call(session)`` whenever a session or token ends; returns the detaching call."""
        self._ended.append(call)
        return lambda: self._ended.remove(call)

    async def end_expired(self) -> None:
        """End every session past its time."""
        now_ns = self._clock.wall_ns()
        async with self._database.read() as connection:
            over = await Sessions(connection).expired(now_ns, now_ns - self._idle_ns)
        for session in over:
            log.info("session.expired", session=session)
            await self.sign_out(session)

    def tell_ended(self, sessions: list[str]) -> None:
        """Pass on that these sessions were ended elsewhere in this room."""
        for session in sessions:
            self._tell(session)

    # --- inside

    @property
    def _idle_ns(self) -> int:
        return self._settings.session_idle_s * NS_PER_S

    def _tell(self, session: str) -> None:
        for call in tuple(self._ended):
            call(session)

    def _check_code(self, row: CodeRow | None) -> None:
        if row is None or self._clock.wall_ns() >= row.expires_ns:
            raise CredentialsError(
                "This one-time code is wrong, was used, or is too old.",
                cure="Start Sightline again, or run `sightline users code`, for a new one.",
            )

    async def _new_code(self, purpose: str, user_id: str | None) -> str:
        code = new_code()
        now_ns = self._clock.wall_ns()
        row = CodeRow(
            secret_hash=hashed_code(code),
            purpose=purpose,
            user_id=user_id,
            created_ns=now_ns,
            expires_ns=now_ns + self._settings.code_valid_s * NS_PER_S,
        )
        async with self._database.write() as connection:
            await Codes(connection).replace(row)
        return code

    async def open_session(self, user: UserRow, *, address: str) -> tuple[Identity, str]:
        """Begin a session; return who they are and its secret."""
        secret = new_secret()
        now_ns = self._clock.wall_ns()
        row = SessionRow(
            id=new_id(),
            secret_hash=hashed(secret),
            user_id=user.id,
            created_ns=now_ns,
            used_ns=now_ns,
            expires_ns=now_ns + self._settings.session_absolute_s * NS_PER_S,
            address=address,
        )
        async with self._database.write() as connection:
            await Sessions(connection).add(row)
            await Users(connection).change(user.id, signed_in_ns=now_ns)
        return _identity(user, session=row.id), secret


def folded(username: str) -> str:
    """Return a user name as it is stored and compared.

    Raises:
        UserError: it cannot be one.
    """
    name = username.strip().casefold()
    if not 1 <= len(name) <= 64 or not all(character.isalnum() or character in "._-@" for character in name):
        raise UserError("A user name has 1 to 64 letters, digits, dots, dashes or @.", cure="Choose another.")
    return name


def _identity(user: UserRow, *, session: str, token: TokenRow | None = None) -> Identity:
    role = Role(user.role)
    ceiling = frozenset(Permission)
    if token is not None:
        ceiling = Role(token.role).ceiling
        # Its name for people: a token shows as what it was made as, and never as more than its user is by now.
        role = Role(token.role) if Role(token.role).permissions <= role.permissions else role
    return Identity(
        user_id=user.id,
        username=user.username,
        name=user.name,
        role=role,
        session=session,
        token_name=token.name if token is not None else None,
        ceiling=ceiling,
    )
