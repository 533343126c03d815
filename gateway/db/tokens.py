"""API tokens: a program's way in. Only the hash of a token is stored."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.rights import RightsRows
from gateway.db.tables import tokens, users
from gateway.db.users import UserRow


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A row of tokens."""

    id: str
    secret_hash: str
    user_id: str
    name: str
    role: str
    created_ns: int
    expires_ns: int
    used_ns: int | None = None


class Tokens:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, row: TokenRow) -> None:
        """Store a new token."""
        await self._connection.execute(
            insert(tokens).values({column.name: getattr(row, column.name) for column in tokens.columns})
        )
        await RightsRows(self._connection).raise_version()

    async def find(self, secret_hash: str) -> tuple[TokenRow, UserRow] | None:
        """Return a token by its hash, and its user."""
        row = (await self._connection.execute(select(tokens).where(tokens.c.secret_hash == secret_hash))).one_or_none()
        if row is None:
            return None
        user = (await self._connection.execute(select(users).where(users.c.id == row.user_id))).one()
        return TokenRow(**row._asdict()), UserRow(**user._asdict())

    async def all(self) -> list[TokenRow]:
        """Return every token, oldest first."""
        rows = await self._connection.execute(select(tokens).order_by(tokens.c.created_ns, tokens.c.id))
        return [TokenRow(**row._asdict()) for row in rows]

    async def used(self, token_id: str, at_ns: int) -> None:
        """Note that a token was used."""
        await self._connection.execute(update(tokens).where(tokens.c.id == token_id).values(used_ns=at_ns))

    async def remove(self, token_id: str) -> bool:
        """Revoke a token; return whether there was one."""
        result = await self._connection.execute(delete(tokens).where(tokens.c.id == token_id))
        await RightsRows(self._connection).raise_version()
        return result.rowcount > 0
