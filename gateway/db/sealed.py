"""Which columns hold sealed secrets, and the rows of them: what a change of keys has to seal anew."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import Column, Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.dialects import WRITING
from gateway.db.tables import device_passwords, devices, share_outlets, totp, unit_authorities

Writing = AsyncConnection
"""A connection in a transaction that writes, as ``Database.write`` gives it."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed secrets. A row's context is ``prefix`` and the row's value of ``context``."""

    column: Column[bytes]
    context: Column[str]
    prefix: str = ""

    @property
    def name(self) -> str:
        """Return table and column."""
        return f"{self.table.name}.{self.column.name}"

    @property
    def table(self) -> Table:
        """Return the table."""
        return self.column.table


SEALED = (
    SealedColumn(devices.c.password_sealed, context=devices.c.urn),
    SealedColumn(device_passwords.c.next_sealed, context=device_passwords.c.device_id, prefix="next-password:"),
    SealedColumn(totp.c.secret_sealed, context=totp.c.user_id, prefix="totp:"),
    SealedColumn(share_outlets.c.credential_sealed, context=share_outlets.c.id, prefix="outlet:"),
    SealedColumn(unit_authorities.c.key_sealed, context=unit_authorities.c.id, prefix="unit-authority:"),
)
"""Every column of sealed secrets. A test finds a ``LargeBinary`` column ``…_sealed`` that is missing here."""


@dataclass(frozen=True, slots=True)
class SealedValue:
    """One sealed secret: where it stands and the context it is bound to."""

    where: SealedColumn
    key: tuple[object, ...]
    context: str
    sealed: bytes


class SealedValues:
    """The sealed secrets of the whole database, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> AsyncIterator[SealedValue]:
        """Yield every sealed secret that is there."""
        for where in SEALED:
            keys = list(where.table.primary_key.columns)
            query = select(*keys, where.context, where.column).where(where.column.is_not(None))
            for row in (await self._connection.execute(query)).all():
                *key, context, sealed = row
                yield SealedValue(where, tuple(key), f"{where.prefix}{context}", bytes(sealed))

    async def put(self, value: SealedValue, sealed: bytes) -> None:
        """Store a secret as it is sealed now."""
        change = update(value.where.table).values({value.where.column.name: sealed})
        for column, known in zip(value.where.table.primary_key.columns, value.key, strict=True):
            change = change.where(column == known)
        await self._connection.execute(change)


def check_writing(connection: Writing) -> None:
    """Return where ``connection`` is in a transaction that writes.

    Raises:
        RuntimeError: it is not: somebody else could write between what it reads and what it stores.
    """
    inner = connection.sync_connection
    if inner is None or not inner.in_transaction() or not inner.get_execution_options().get(WRITING, False):
        msg = "secrets are sealed inside the transaction that stores them: take a connection of Database.write"
        raise RuntimeError(msg)
