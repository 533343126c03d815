"""The register of cameras: the database's rows, and the cameras they mean."""

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import count

from pydantic import SecretStr

from drivers.model import CameraDescription, CameraTarget, CameraView, Credentials
from gateway.db.bounds import BoundsTable
from gateway.db.device_passwords import DevicePasswords, PasswordRow
from gateway.db.devices import CameraRow, DeviceRow, Devices
from gateway.db.engine import Database
from gateway.db.errors import ConflictError
from gateway.db.past_cameras import PastCameraRow, PastCameras
from gateway.db.reference_views import ReferenceView, ReferenceViews
from gateway.db.standing import Standing
from gateway.fleet.cameras import NUMBER_MAX, Camera, CameraFacts
from gateway.fleet.errors import UnknownCameraError
from gateway.fleet.moving import BOUNDS, left, place_of, settled
from gateway.fleet.pointing import Whither
from gateway.vault import Sealer, Vault, VaultError
from kernel.clock import Clock
from kernel.geography import bearing_wrap
from kernel.ids import CameraId, new_camera_id, new_id
from ptz.bounds import Bounds


class Register:
    """Cameras in the database. Each method is one transaction: a camera is stored whole or not at all."""

    def __init__(self, database: Database, *, clock: Clock, vault: Vault) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault

    async def cameras(self) -> list[Camera]:
        """Return every camera by number."""
        async with self._database.read() as connection:
            bounds, views = await BoundsTable(connection).all(), await ReferenceViews(connection).all()
            rows = await Devices(connection).cameras()
            return [_camera(row, device, bounds.get(row.id), views.get(row.id)) for row, device in rows]

    async def urns(self) -> set[str]:
        """Return the endpoint references of every enrolled device."""
        async with self._database.read() as connection:
            return await Devices(connection).urns()

    async def target(self, device_id: str) -> CameraTarget:
        """Return how to reach a device, password included.

        Raises:
            UnknownCameraError: no such device.
            VaultError: its password cannot be opened.
        """
        async with self._database.read() as connection:
            device = await Devices(connection).device(device_id)
        if device is None:
            raise unknown()
        return await self._target(device)

    async def targets(self) -> dict[str, CameraTarget | VaultError]:
        """Return how to reach every device, or why that cannot be told, by device identifier."""
        async with self._database.read() as connection:
            devices = await Devices(connection).devices()
        found: dict[str, CameraTarget | VaultError] = {}
        for device in devices:
            try:
                found[device.id] = await self._target(device)
            except VaultError as error:
                found[device.id] = error
        return found

    async def _target(self, device: DeviceRow) -> CameraTarget:
        password = await self._vault.open(device.password_sealed, context=device.urn)
        return CameraTarget(
            address=device.address,
            credentials=Credentials(username=device.username, password=SecretStr(password)),
            **json.loads(device.connection),
        )

    async def store(
        self,
        target: CameraTarget,
        description: CameraDescription,
        facts: CameraFacts,
        *,
        host: int,
        stands: CameraFacts | None = None,
    ) -> tuple[list[Camera], bool]:
        """Store a device with its views, and return its cameras and whether the unit was known.

        A new one is given to ``host``. A known unit (by its endpoint reference) keeps its host and its cameras and gets
        the new address, password and description; views it has gained become cameras, placed where it ``stands``.

        Raises:
            ConflictError: the number is taken.
        """
        now_ns = self._clock.wall_ns()
        async with self._database.write() as connection:
            devices = Devices(connection)
            known = await devices.by_urn(description.identity.urn)
            if known is not None:
                description = _with_lost_views(description, CameraDescription.model_validate_json(known.description))
            sealer = await self._vault.sealer(connection)
            device_id = known.id if known is not None else new_id()
            device = _device(device_id, target, description, sealer, now_ns)
            await (devices.add_device(device) if known is None else devices.change_device(device))
            await DevicePasswords(connection).forget(device_id)  # this one somebody typed, and it was tried
            rows = await devices.cameras_of(device.id)
            before = {row.id: row for row in rows}
            seen = {row.source_token for row in rows}
            numbers = {row.number for row, _ in await devices.cameras()}
            host = rows[0].host if rows else host
            fresh = [view for view in description.views if view.source_token not in seen]
            for place, view in enumerate(fresh, len(rows)):
                number = facts.number if facts.number is not None and not place else _free(numbers)
                row = _new_row(device.id, view, description, number=number, host=host, now_ns=now_ns)
                row = _with_facts(row, stands) if stands is not None else row
                numbers.add(row.number)
                if place:
                    row = replace(row, name=f"{facts.name or row.name} ({place + 1})")
                rows.append(row)
                await devices.add_camera(row)
            rows[0] = _with_facts(rows[0], facts)
            shared = CameraFacts(street=facts.street, group=facts.group, place=facts.place)
            rows[1:] = [_with_facts(row, shared) for row in rows[1:]]
            for row in rows:
                await devices.change_camera(row)
            kept = Standing(connection)
            held = [await settled(kept, before.get(row.id), row, now_ns=now_ns) for row in rows]
            return [_camera(row, device, *one) for row, one in zip(rows, held, strict=True)], known is not None

    async def change(
        self, camera: CameraId, facts: CameraFacts, *, clear: frozenset[str] = frozenset(), moved_ns: int | None = None
    ) -> Camera:
        """Change what people say of a camera; ``clear`` names facts to be forgotten (place, bearing_deg, hfov_deg).

        ``moved_ns``: it was put up, or taken down, then; also where its place stays the same.

        Raises:
            UnknownCameraError: no such camera.
            ConflictError: the number is taken.
        """
        async with self._database.write() as connection:
            devices = Devices(connection)
            for row, device in await devices.cameras():
                if row.id == camera:
                    changed = _with_facts(_cleared(row, clear), facts)
                    await devices.change_camera(changed)
                    now_ns = self._clock.wall_ns()
                    held = await settled(Standing(connection), row, changed, now_ns=now_ns, moved_ns=moved_ns)
                    return _camera(changed, device, *held)
        raise unknown()

    async def renewed(self, urn: str) -> bool:
        """Return whether a device has a password that we made, or one is on its way to it."""
        async with self._database.read() as connection:
            device = await Devices(connection).by_urn(urn)
            if device is None:
                return False
            return await DevicePasswords(connection).of(device.id) != PasswordRow(device_id=device.id)

    async def repoint(self, device_id: str, there: Whither) -> list[Camera]:
        """Store where a device is reached, as ``there`` makes it of what is stored at that moment; return its cameras.

        None where nothing is to change. Its password stays: whoever asked the network meanwhile knows an older one.

        Raises:
            UnknownCameraError: no such device.
            VaultError: its password cannot be opened.
        """
        async with self._database.write() as connection:
            devices = Devices(connection)
            known = await devices.device(device_id)
            if known is None:
                raise unknown()
            target = await self._target(known)
            moved = there(target, CameraDescription.model_validate_json(known.description))
            if moved is None:
                return []
            target, description = moved
            device = replace(
                known,
                address=target.address,
                connection=_connection(target),
                description=description.model_dump_json(),
            )
            await devices.move_device(
                device_id, address=device.address, connection=device.connection, description=device.description
            )
            kept = Standing(connection)
            return [
                _camera(row, device, await kept.bounds.of(row.id), await kept.views.of(row.id))
                for row in await devices.cameras_of(device_id)
            ]

    async def bind(self, camera: CameraId, bounds: Bounds) -> None:
        """Store the limits and no-look zones of a camera's head anew.

        Raises:
            UnknownCameraError: no such camera.
        """
        async with self._database.write() as connection:
            if all(row.id != camera for row, _ in await Devices(connection).cameras()):
                raise unknown()
            said = None if bounds.empty else BOUNDS.dump_json(bounds).decode()
            await BoundsTable(connection).put(camera, said)

    async def refer(self, camera: CameraId, view: ReferenceView | None) -> None:
        """Store the reference view of a camera anew, or forget it.

        Raises:
            UnknownCameraError: no such camera.
        """
        async with self._database.write() as connection:
            if all(row.id != camera for row, _ in await Devices(connection).cameras()):
                raise unknown()
            await ReferenceViews(connection).put(camera, view)

    async def move(self, hosts: Mapping[CameraId, int]) -> None:
        """Give cameras to other hosts."""
        async with self._database.write() as connection:
            devices = Devices(connection)
            for row, _ in await devices.cameras():
                if CameraId(row.id) in hosts:
                    await devices.change_camera(replace(row, host=hosts[CameraId(row.id)]))

    async def remove(self, camera: CameraId) -> None:
        """Forget a camera, and its device with its last view. Recordings stay until their retention ends.

        What a report says of it stays for as long as its days are kept.
        """
        async with self._database.write() as connection:
            devices, kept, now_ns = Devices(connection), Standing(connection), self._clock.wall_ns()
            for row, _ in await devices.cameras():
                if row.id == camera:
                    await kept.stays.end(camera, now_ns, await left(kept, row))
                    await PastCameras(connection).add(_past(row, now_ns))
            await devices.remove_camera(camera)


def unknown() -> UnknownCameraError:
    """Return the error for a camera that is not there."""
    return UnknownCameraError("There is no such camera.", cure="It may have been removed; load the list again.")


def _past(row: CameraRow, removed_ns: int) -> PastCameraRow:
    return PastCameraRow(
        camera_id=row.id,
        number=row.number,
        name=row.name,
        camera_group=row.camera_group,
        latitude_deg=row.latitude_deg,
        longitude_deg=row.longitude_deg,
        height_m=row.height_m,
        host=row.host,
        enrolled_ns=row.enrolled_ns,
        removed_ns=removed_ns,
    )


def _device(
    device_id: str, target: CameraTarget, description: CameraDescription, sealer: Sealer, now_ns: int
) -> DeviceRow:
    urn = description.identity.urn
    return DeviceRow(
        id=device_id,
        urn=urn,
        address=target.address,
        username=target.credentials.username,
        password_sealed=sealer.seal(target.credentials.password.get_secret_value(), context=urn),
        connection=_connection(target),
        description=description.model_dump_json(),
        measured_ns=now_ns,
    )


def _connection(target: CameraTarget) -> str:
    return target.model_dump_json(include={"tls_verify", "tls_fingerprint_sha256", "port_map", "roams", "deserted"})


def _camera(row: CameraRow, device: DeviceRow, bounds: str | None, reference: ReferenceView | None) -> Camera:
    description = CameraDescription.model_validate_json(device.description)
    view = next(view for view in description.views if view.source_token == row.source_token)
    return Camera(
        id=CameraId(row.id),
        device_id=row.device_id,
        number=row.number,
        name=row.name,
        street=row.street,
        group=row.camera_group,
        place=place_of(row.latitude_deg, row.longitude_deg, row.height_m),
        bearing_deg=row.bearing_deg,
        hfov_deg=row.hfov_deg,
        recording=row.recording,
        host=row.host,
        enrolled_ns=row.enrolled_ns,
        address=device.address,
        view=view,
        description=description,
        bounds=BOUNDS.validate_json(bounds) if bounds is not None else Bounds(),
        reference=reference,
    )


def _new_row(  # noqa: PLR0913 - the parts of a row
    device_id: str, view: CameraView, description: CameraDescription, *, number: int, host: int, now_ns: int
) -> CameraRow:
    identity = description.identity
    return CameraRow(
        id=new_camera_id(),
        device_id=device_id,
        source_token=view.source_token,
        number=number,
        name=f"{identity.manufacturer} {identity.model}".strip()[:100] or "Camera",
        street="",
        camera_group="",
        latitude_deg=None,
        longitude_deg=None,
        height_m=None,
        bearing_deg=None,
        hfov_deg=None,
        recording=True,
        host=host,
        enrolled_ns=now_ns,
    )


def _with_facts(row: CameraRow, facts: CameraFacts) -> CameraRow:
    said: dict[str, object] = {
        "number": facts.number,
        "name": facts.name,
        "street": facts.street,
        "camera_group": facts.group,
        "hfov_deg": facts.hfov_deg,
        "recording": facts.recording,
        "bearing_deg": bearing_wrap(facts.bearing_deg) if facts.bearing_deg is not None else None,
    }
    if facts.place is not None:
        said |= {
            "latitude_deg": facts.place.latitude_deg,
            "longitude_deg": facts.place.longitude_deg,
            "height_m": facts.place.height_m,
        }
    return replace(row, **{key: value for key, value in said.items() if value is not None})  # type: ignore[arg-type]


def _cleared(row: CameraRow, clear: frozenset[str]) -> CameraRow:
    if "place" in clear:
        row = replace(row, latitude_deg=None, longitude_deg=None, height_m=None)
    if "bearing_deg" in clear:
        row = replace(row, bearing_deg=None)
    if "hfov_deg" in clear:
        row = replace(row, hfov_deg=None)
    return row


def _with_lost_views(new: CameraDescription, old: CameraDescription) -> CameraDescription:
    """Keep views that the device no longer shows: their cameras stay, and say that they are off."""
    there = {view.source_token for view in new.views}
    lost = tuple(view for view in old.views if view.source_token not in there)
    return new.model_copy(update={"views": new.views + lost})


def _free(numbers: set[int]) -> int:
    following = max(numbers, default=0) + 1
    if following <= NUMBER_MAX:
        return following
    free = next(number for number in count(1) if number not in numbers)
    if free > NUMBER_MAX:
        raise ConflictError(f"All numbers up to {NUMBER_MAX} are in use.", cure="Remove cameras that are gone.")
    return free
