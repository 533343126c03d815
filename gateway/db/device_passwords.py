"""Passwords that we give to devices: the next one, which the device may take already, beside the one that it took."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.tables import device_passwords, devices


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRow:
    """``next_sealed`` is on its way; ``changed_ns`` says since when the password in force is one that we made."""

    device_id: str
    next_sealed: bytes | None = None
    changed_ns: int | None = None


class DevicePasswords:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> list[PasswordRow]:
        """Return that of every device that has one of our making, or one on its way."""
        rows = await self._connection.execute(select(device_passwords))
        return [PasswordRow(**row._asdict()) for row in rows]

    async def of(self, device_id: str) -> PasswordRow:
        """Return that of one device."""
        query = select(device_passwords).where(device_passwords.c.device_id == device_id)
        row = (await self._connection.execute(query)).one_or_none()
        return PasswordRow(**row._asdict()) if row is not None else PasswordRow(device_id=device_id)

    async def put(self, row: PasswordRow) -> None:
        """Store that of one device anew."""
        await self.forget(row.device_id)
        values = {"device_id": row.device_id, "next_sealed": row.next_sealed, "changed_ns": row.changed_ns}
        await self._connection.execute(insert(device_passwords).values(values))

    async def forget(self, device_id: str) -> None:
        """Forget that of a device: its password is one that somebody typed."""
        await self._connection.execute(delete(device_passwords).where(device_passwords.c.device_id == device_id))

    async def take(self, device_id: str, sealed: bytes) -> None:
        """Store the password that a device takes from now on."""
        await self._connection.execute(update(devices).where(devices.c.id == device_id).values(password_sealed=sealed))
