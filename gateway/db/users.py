"""Users: people who may sign in."""

from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.errors import ConflictError
from gateway.db.rights import RightsRows
from gateway.db.tables import users


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """A row of users. ``username`` is folded; ``role`` is gateway.access's word."""

    id: str
    username: str
    name: str
    role: str
    password_hash: str
    disabled: bool
    created_ns: int
    signed_in_ns: int | None = None


class Users:
    """The repository, on one transaction. What changes rights raises their version with it."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, row: UserRow) -> None:
        """Store a new user.

        Raises:
            ConflictError: the user name is taken.
        """
        try:
            await self._connection.execute(
                insert(users).values({column.name: getattr(row, column.name) for column in users.columns})
            )
        except IntegrityError:
            raise ConflictError(
                f"There is already a user called {row.username}.", cure="Choose another name."
            ) from None
        await RightsRows(self._connection).raise_version()

    async def get(self, user_id: str) -> UserRow | None:
        """Return a user by identifier."""
        row = (await self._connection.execute(select(users).where(users.c.id == user_id))).one_or_none()
        return UserRow(**row._asdict()) if row is not None else None

    async def named(self, username: str) -> UserRow | None:
        """Return a user by folded name."""
        row = (await self._connection.execute(select(users).where(users.c.username == username))).one_or_none()
        return UserRow(**row._asdict()) if row is not None else None

    async def all(self) -> list[UserRow]:
        """Return every user by name."""
        rows = await self._connection.execute(select(users).order_by(users.c.username))
        return [UserRow(**row._asdict()) for row in rows]

    async def count(self) -> int:
        """Return how many there are."""
        return int((await self._connection.execute(select(func.count()).select_from(users))).scalar_one())

    async def change(self, user_id: str, **values: object) -> None:
        """Set columns of a user."""
        await self._connection.execute(update(users).where(users.c.id == user_id).values(values))
        if {"role", "disabled"} & set(values):
            await RightsRows(self._connection).raise_version()

    async def remove(self, user_id: str) -> None:
        """Delete a user with their sessions and tokens."""
        await self._connection.execute(delete(users).where(users.c.id == user_id))
        await RightsRows(self._connection).raise_version()
