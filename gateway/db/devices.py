"""Devices and their cameras: one ONVIF endpoint with its views, stored and removed together."""

from dataclasses import dataclass, fields

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.errors import ConflictError
from gateway.db.tables import cameras, devices


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A row of devices."""

    id: str
    urn: str
    address: str
    username: str
    password_sealed: bytes
    connection: str
    description: str
    measured_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraRow:
    """A row of cameras."""

    id: str
    device_id: str
    source_token: str
    number: int
    name: str
    street: str
    camera_group: str
    latitude_deg: float | None
    longitude_deg: float | None
    height_m: float | None
    bearing_deg: float | None
    hfov_deg: float | None
    recording: bool
    host: int
    enrolled_ns: int


class Devices:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_device(self, row: DeviceRow) -> None:
        """Store a device."""
        await self._connection.execute(insert(devices).values(_values(row)))

    async def change_device(self, row: DeviceRow) -> None:
        """Store what is known of a device anew."""
        await self._connection.execute(update(devices).where(devices.c.id == row.id).values(_values(row)))

    async def move_device(self, device_id: str, *, address: str, connection: str, description: str) -> None:
        """Store where a device is reached, and what it is made of there; its account and password stay."""
        values = {"address": address, "connection": connection, "description": description}
        await self._connection.execute(update(devices).where(devices.c.id == device_id).values(values))

    async def device(self, device_id: str) -> DeviceRow | None:
        """Return a device by identifier."""
        row = (await self._connection.execute(select(devices).where(devices.c.id == device_id))).one_or_none()
        return DeviceRow(**row._asdict()) if row is not None else None

    async def devices(self) -> list[DeviceRow]:
        """Return every device."""
        return [DeviceRow(**row._asdict()) for row in await self._connection.execute(select(devices))]

    async def by_urn(self, urn: str) -> DeviceRow | None:
        """Return a device by its endpoint reference."""
        row = (await self._connection.execute(select(devices).where(devices.c.urn == urn))).one_or_none()
        return DeviceRow(**row._asdict()) if row is not None else None

    async def urns(self) -> set[str]:
        """Return the endpoint references of every device."""
        return set((await self._connection.execute(select(devices.c.urn))).scalars())

    async def remove_device(self, device_id: str) -> None:
        """Delete a device and its cameras."""
        await self._connection.execute(delete(devices).where(devices.c.id == device_id))

    async def add_camera(self, row: CameraRow) -> None:
        """Store a camera.

        Raises:
            ConflictError: its number is taken.
        """
        try:
            await self._connection.execute(insert(cameras).values(_values(row)))
        except IntegrityError:
            raise _taken(row.number) from None

    async def change_camera(self, row: CameraRow) -> None:
        """Store a camera anew.

        Raises:
            ConflictError: its number is taken.
        """
        try:
            await self._connection.execute(update(cameras).where(cameras.c.id == row.id).values(_values(row)))
        except IntegrityError:
            raise _taken(row.number) from None

    async def cameras(self) -> list[tuple[CameraRow, DeviceRow]]:
        """Return every camera with its device, by number."""
        known = {device.id: device for device in await self.devices()}
        rows = await self._connection.execute(select(cameras).order_by(cameras.c.number))
        return [(CameraRow(**row._asdict()), known[row.device_id]) for row in rows]

    async def cameras_of(self, device_id: str) -> list[CameraRow]:
        """Return the cameras of one device, by number."""
        query = select(cameras).where(cameras.c.device_id == device_id).order_by(cameras.c.number)
        return [CameraRow(**row._asdict()) for row in await self._connection.execute(query)]

    async def remove_camera(self, camera_id: str) -> None:
        """Delete one camera, and its device with the last of its cameras."""
        device_id = (
            await self._connection.execute(select(cameras.c.device_id).where(cameras.c.id == camera_id))
        ).scalar_one_or_none()
        await self._connection.execute(delete(cameras).where(cameras.c.id == camera_id))
        if device_id is not None and not await self.cameras_of(device_id):
            await self.remove_device(device_id)


def _values(row: DeviceRow | CameraRow) -> dict[str, object]:
    return {field.name: getattr(row, field.name) for field in fields(row)}


def _taken(number: int) -> ConflictError:
    return ConflictError(f"Number {number} belongs to another camera.", cure="Choose a free number, or none.")
