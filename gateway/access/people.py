"""Keeping users and API tokens: what administrators do."""

from dataclasses import dataclass

from config.access import AccessSettings
from gateway.access.errors import UnknownError, UserError
from gateway.access.passwords import NO_PASSWORD, Passwords
from gateway.access.permissions import Role
from gateway.access.secrets import hashed, new_token
from gateway.access.service import Access, folded
from gateway.db.engine import Database
from gateway.db.glass import GlassBreaks
from gateway.db.identities import Identities
from gateway.db.sessions import Sessions
from gateway.db.tokens import TokenRow, Tokens
from gateway.db.users import UserRow, Users
from kernel.clock import NS_PER_S, Clock
from kernel.ids import new_id

_DAY_NS = 86_400 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChange:
    """What is to change of a user; ``None`` leaves it."""

    name: str | None = None
    role: Role | None = None
    disabled: bool | None = None
    password: str | None = None


class People:
    """Users and tokens."""

    def __init__(
        self, database: Database, *, clock: Clock, settings: AccessSettings, passwords: Passwords, access: Access
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._passwords = passwords
        self._access = access

    async def users(self) -> list[UserRow]:
        """Return everybody by name."""
        async with self._database.read() as connection:
            return await Users(connection).all()

    async def named(self, username: str) -> UserRow:
        """Return a user by name.

        Raises:
            UnknownError: there is none.
        """
        async with self._database.read() as connection:
            user = await Users(connection).named(username.strip().casefold())
        if user is None:
            raise UnknownError(f"There is no user called {username}.", cure="See the list of users.")
        return user

    async def add(self, *, username: str, name: str, role: Role, password: str | None) -> UserRow:
        """Add a user; without a password they come in with an account that others keep.

        Raises:
            UserError: the name cannot be one.
            ConflictError: the name is taken.
            PasswordPolicyError: the password is too weak.
        """
        username = folded(username)
        if password is not None:
            await self._passwords.check_policy(password, username=username)
        user = UserRow(
            id=new_id(),
            username=username,
            name=name or username,
            role=role,
            password_hash=await self._passwords.hash(password) if password is not None else NO_PASSWORD,
            disabled=False,
            created_ns=self._clock.wall_ns(),
        )
        async with self._database.write() as connection:
            await Users(connection).add(user)
        return user

    async def change(self, user_id: str, change: UserChange, *, keep_session: str | None = None) -> UserRow:
        """Change a user. A new password, a lesser role or disabling ends their sessions but ``keep_session``.

        Raises:
            UnknownError: no such user.
            UserError: nobody would be left to administer.
            PasswordPolicyError: the password is too weak.
        """
        values: dict[str, object] = {}
        if change.password is not None:
            user = await self.get(user_id)
            await self._passwords.check_policy(change.password, username=user.username)
            values["password_hash"] = await self._passwords.hash(change.password)
        if change.name is not None:
            values["name"] = change.name
        if change.role is not None:
            values["role"] = change.role.value
        if change.disabled is not None:
            values["disabled"] = change.disabled
        ended: list[str] = []
        async with self._database.write() as connection:
            users = Users(connection)
            before = await users.get(user_id)
            if before is None:
                raise UnknownError("There is no such user.", cure="See the list of users.")
            if values:
                await users.change(user_id, **values)
            _keep_an_administrator(await users.all())
            if change.password is not None or change.disabled or change.role not in {None, before.role}:
                sessions = Sessions(connection)
                for session in await sessions.of_user(user_id):
                    if session != keep_session:
                        await sessions.remove(session)
                        ended.append(session)
            after = await users.get(user_id)
            assert after is not None
        self._access.tell_ended(ended)
        return after

    async def remove(self, user_id: str) -> UserRow:
        """Remove a user with their sessions and tokens. What they did stays in the audit.

        Raises:
            UnknownError: no such user.
            UserError: nobody would be left to administer.
        """
        async with self._database.write() as connection:
            users = Users(connection)
            user = await users.get(user_id)
            if user is None:
                raise UnknownError("There is no such user.", cure="See the list of users.")
            ended = await Sessions(connection).of_user(user_id)
            ended += [f"token:{token.id}" for token in await Tokens(connection).all() if token.user_id == user_id]
            await GlassBreaks(connection).close_of(user_id, self._clock.wall_ns())
            await users.remove(user_id)
            _keep_an_administrator(await users.all())
        self._access.tell_ended(ended)
        return user

    async def sign_out(self, user_id: str) -> None:
        """End every session of a user, and what goes on through their programs; their tokens stay."""
        async with self._database.write() as connection:
            sessions = Sessions(connection)
            ended = await sessions.of_user(user_id)
            for session in ended:
                await sessions.remove(session)
            programs = [f"token:{token.id}" for token in await Tokens(connection).all() if token.user_id == user_id]
        self._access.tell_ended(ended)
        self._access.tell_stopped(programs)

    async def tokens(self) -> list[TokenRow]:
        """Return every token, without what would open anything."""
        async with self._database.read() as connection:
            return await Tokens(connection).all()

    async def add_token(self, *, user_id: str, name: str, role: Role, days: int) -> tuple[TokenRow, str]:
        """Make a token and return it with its secret, which is shown this once.

        Raises:
            UserError: it would live too long, may do more than its user, or that is a provider's.
            UnknownError: no such user.
        """
        user = await self.get(user_id)
        async with self._database.read() as connection:
            governed = await Identities(connection).govern(user_id)
        if governed:
            raise UserError(
                f"{user.username} is kept by a provider of accounts, which cannot take a token away.",
                cure="Make a user of its own for the program, and give that the token.",
            )
        if not 1 <= days <= self._settings.token_max_days:
            raise UserError(
                f"A token lives 1 to {self._settings.token_max_days} days.",
                cure="Give it a shorter life, and renew it.",
            )
        if not role.permissions <= Role(user.role).permissions:
            raise UserError(f"A token of {user.username} cannot be {role.value}.", cure=f"Make it {user.role} or less.")
        secret = new_token()
        now_ns = self._clock.wall_ns()
        row = TokenRow(
            id=new_id(),
            secret_hash=hashed(secret),
            user_id=user_id,
            name=name,
            role=role,
            created_ns=now_ns,
            expires_ns=now_ns + days * _DAY_NS,
        )
        async with self._database.write() as connection:
            await Tokens(connection).add(row)
        return row, secret

    async def remove_token(self, token_id: str) -> None:
        """Revoke a token.

        Raises:
            UnknownError: no such token.
        """
        async with self._database.write() as connection:
            found = await Tokens(connection).remove(token_id)
        if not found:
            raise UnknownError("There is no such token.", cure="See the list of tokens.")
        self._access.tell_ended([f"token:{token_id}"])

    async def get(self, user_id: str) -> UserRow:
        """Return a user.

        Raises:
            UnknownError: no such user.
        """
        async with self._database.read() as connection:
            user = await Users(connection).get(user_id)
        if user is None:
            raise UnknownError("There is no such user.", cure="See the list of users.")
        return user


def _keep_an_administrator(users: list[UserRow]) -> None:
    if not any(user.role == Role.ADMINISTRATOR and not user.disabled for user in users):
        raise UserError(
            "That would leave nobody who can administer.", cure="Make somebody else an administrator first."
        )
