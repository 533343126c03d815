"""Cameras' passwords: one that we make, that nobody sees, and that is never lost on its way to the camera.

The new one is stored, sealed, before the camera hears of it, and beside the old one: whichever the camera takes is
known. The old one goes when the camera has been seen to take the new one; the new one goes only where the camera
refused it in an orderly way and was seen to take the old one. Where the link dies in between, both are kept, and what
the camera takes is found out as soon as it answers again. A second try sends the same new password, never a third.
"""

import asyncio
import secrets
import string
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import structlog
from pydantic import SecretStr

from drivers.model import CameraDescription, CameraTarget
from gateway.db.device_passwords import DevicePasswords, PasswordRow
from gateway.db.devices import Devices
from gateway.db.engine import Database
from gateway.fleet.accounts import AccountModel
from gateway.fleet.cameras import Camera
from gateway.fleet.errors import DesertedError, PasswordNotTakenError, PasswordUnsureError, UnknownCameraError
from gateway.fleet.hosts import HostClient, HostError
from gateway.fleet.pointing import check_same
from gateway.fleet.register import Register, unknown
from gateway.fleet.service import Fleet
from gateway.vault import Vault
from kernel.clock import Clock
from kernel.errors import SightlineError

log = structlog.get_logger()

LENGTH = 16
"""As many as every make that we know of takes; letters and digits alone are 95 bits."""
LETTERS = string.ascii_letters + string.digits
CONTEXT = "next-password:"
WRONG = "camera.authentication"
REFUSED = "camera.fault"
RETRIES_S = (0.5, 1.0, 2.0)
"""A camera that has a new password may be busy with itself for a moment."""
FIND_OUT_S = (5.0, 15.0, 30.0, 60.0)
"""How long after a link died it is asked again which password it takes; the last one goes on."""


def new_password() -> str:
    """Return a random password with capitals, small letters and digits: there are cameras that insist on each."""
    while True:
        made = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        if any(map(str.isupper, made)) and any(map(str.islower, made)) and any(map(str.isdigit, made)):
            return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """A camera's password is one that nobody knows.

    ``others`` are the camera's other accounts, which are as they were: whoever knows their passwords comes in by them.
    ``in_clear``: it was told over plain HTTP, as ONVIF has it, and whoever listened on that network knows it.
    """

    changed_ns: int
    others: tuple[AccountModel, ...]
    in_clear: bool


class CameraPasswords:
    """Made by :func:`open_passwords`."""

    def __init__(
        self, database: Database, vault: Vault, fleet: Fleet, *, clock: Clock, group: asyncio.TaskGroup
    ) -> None:
        self._database = database
        self._vault = vault
        self._register = Register(database, clock=clock, vault=vault)
        self._fleet = fleet
        self._clock = clock
        self._group = group
        self._finding: dict[str, asyncio.Task[None]] = {}

    async def standing(self, device_id: str) -> PasswordRow:
        """Return since when a device has a password of ours, and whether one is on its way."""
        async with self._database.read() as connection:
            return await DevicePasswords(connection).of(device_id)

    async def renew(self, device_id: str) -> Renewed:
        """Give a device a random password; return once it was seen to take it, and its hosts use it.

        Raises:
            UnknownCameraError: it was removed.
            AnotherDeviceError: at its address answers another device: that is told nothing.
            HostError: it cannot be reached, or refuses; its password is as it was.
            PasswordNotTakenError: it said yes, and takes the old one still.
            PasswordUnsureError: the link died in between: it is found out by itself.
            VaultError: its password cannot be opened.
            DesertedError: nobody vouches for where it is.
        """
        async with self._turn(device_id):
            if (await self.standing(device_id)).next_sealed is not None:
                listed = await self._find_out(device_id)
                if listed is not None:
                    return await self._renewed(device_id, listed)
            camera = self._camera(device_id)
            host, known = self._fleet.host_of(camera), camera.description
            before = await self._vouched(device_id)
            # Units share one password as they come from the factory: told to the wrong one, ours would lock us out.
            check_same(known.identity, await host.identify(before, known.identity.urn))
            await _check_rights(host, before, known)
            after = await self._begin(device_id, before)
            said: HostError | None = None
            try:
                await host.set_password(before, known, after.credentials.password)
            except HostError as error:
                said = error
            return await self._concluded(device_id, said)

    async def _concluded(self, device_id: str, said: HostError | None) -> Renewed:
        """Find out what a device takes that was told, and do as is fit; ``said`` is its refusal, if it gave one."""
        try:
            listed = await self._find_out(device_id, tries=len(RETRIES_S))
        except SightlineError as error:
            self._find_out_later(device_id)
            raise PasswordUnsureError(
                "The link to the camera broke while it was given its password.",
                cure="Nothing is lost: the old and the new one are kept, and which it takes is found out by itself.",
                cause=error.code,
            ) from error
        if listed is not None:
            return await self._renewed(device_id, listed)
        if said is None:
            raise PasswordNotTakenError(
                "The camera said that it took the new password, and takes the old one still.",
                cure="Check its firmware, and try again; it is as it was.",
            )
        if said.code == REFUSED:
            await self._put(replace(await self.standing(device_id), next_sealed=None))
        raise said

    async def _find_out(self, device_id: str, *, tries: int = 0) -> tuple[AccountModel, ...] | None:
        """Return the accounts of a device that takes the new password: from then on it is the one in force.

        ``None``: it takes the old one.

        Raises:
            HostError: it answers neither, or not at all.
        """
        camera = self._camera(device_id)
        host, known = self._fleet.host_of(camera), camera.description
        before = await self._vouched(device_id)
        after = await self._next(device_id, before)
        if after is None:
            return None
        for tried in range(tries + 1):
            try:
                try:
                    listed = await host.accounts(after, known)
                except HostError as error:
                    if error.code != WRONG:
                        raise
                    await host.accounts(before, known)
                    return None
                break
            except HostError as error:
                if error.code == WRONG or tried == tries:
                    raise
                await self._clock.sleep(RETRIES_S[tried])
        await self._taken(device_id, known.identity.urn, after)
        return tuple(listed)

    async def _renewed(self, device_id: str, listed: tuple[AccountModel, ...]) -> Renewed:
        camera = self._camera(device_id)
        target = await self._register.target(device_id)
        row = await self.standing(device_id)
        assert row.changed_ns is not None
        return Renewed(
            changed_ns=row.changed_ns,
            others=tuple(one for one in listed if one.name != target.credentials.username),
            in_clear=camera.description.device_url.startswith("http:"),
        )

    # --- what is kept

    async def _vouched(self, device_id: str) -> CameraTarget:
        """Return how to reach a device.

        Raises:
            DesertedError: nobody vouches for who answers there: that is told no password.
        """
        target = await self._register.target(device_id)
        if target.deserted:
            raise DesertedError
        return target

    async def _begin(self, device_id: str, target: CameraTarget) -> CameraTarget:
        """Store the password that a device is to have; one that is on its way is that."""
        made = new_password()
        async with self._database.write() as connection:
            rows = DevicePasswords(connection)
            row = await rows.of(device_id)
            if row.next_sealed is not None:
                made = await self._vault.open(row.next_sealed, context=f"{CONTEXT}{device_id}")
            else:
                sealer = await self._vault.sealer(connection)
                await rows.put(replace(row, next_sealed=sealer.seal(made, context=f"{CONTEXT}{device_id}")))
        return _with(target, made)

    async def _next(self, device_id: str, target: CameraTarget) -> CameraTarget | None:
        sealed = (await self.standing(device_id)).next_sealed
        if sealed is None:
            return None
        return _with(target, await self._vault.open(sealed, context=f"{CONTEXT}{device_id}"))

    async def _taken(self, device_id: str, urn: str, after: CameraTarget) -> None:
        """Write down that a device takes a password, and have its hosts use it."""
        password = after.credentials.password.get_secret_value()
        async with self._database.write() as connection:
            sealer = await self._vault.sealer(connection)
            if await Devices(connection).device(device_id) is None:
                raise unknown()
            rows = DevicePasswords(connection)
            await rows.take(device_id, sealer.seal(password, context=urn))
            await rows.put(PasswordRow(device_id=device_id, changed_ns=self._clock.wall_ns()))
        log.info("camera.password_renewed", device=device_id)
        await self._fleet.judge(urn)

    async def _put(self, row: PasswordRow) -> None:
        async with self._database.write() as connection:
            await DevicePasswords(connection).put(row)

    def _turn(self, device_id: str) -> asyncio.Lock:
        """Return what keeps it from being enrolled anew meanwhile, by a password that it takes no more."""
        return self._fleet.turns[self._camera(device_id).description.identity.urn]

    def _camera(self, device_id: str) -> Camera:
        found = next((one for one in self._fleet.cameras() if one.device_id == device_id), None)
        if found is None:
            raise unknown()
        return found

    # --- links that died

    async def find_out_all(self) -> None:
        """Find out what those devices take whose password was on its way when we stopped."""
        async with self._database.read() as connection:
            rows = await DevicePasswords(connection).all()
        for row in rows:
            if row.next_sealed is not None:
                self._find_out_later(row.device_id)

    def _find_out_later(self, device_id: str) -> None:
        known = self._finding.get(device_id)
        if known is None or known.done():
            task = self._group.create_task(self._until_found_out(device_id), name=f"password of {device_id}")
            self._finding[device_id] = task

    async def _until_found_out(self, device_id: str) -> None:
        """Ask again and again, as long as nothing answers: a wrong password is tried once, for no account's lock."""
        tries = 0
        while True:
            await self._clock.sleep(FIND_OUT_S[min(tries, len(FIND_OUT_S) - 1)])
            tries += 1
            try:
                async with self._turn(device_id):
                    taken = await self._find_out(device_id) is not None
            except UnknownCameraError:
                return
            except SightlineError as error:
                if error.code == WRONG:
                    log.warning("camera.takes_no_password", device=device_id)
                    return
                continue
            log.info("camera.password_found_out", device=device_id, new=taken)
            return

    def close(self) -> None:
        """Find out nothing any more."""
        for task in self._finding.values():
            task.cancel()


async def _check_rights(host: HostClient, target: CameraTarget, known: CameraDescription) -> None:
    try:
        await host.accounts(target, known)
    except HostError as error:
        if error.code != WRONG:
            raise
        raise PasswordNotTakenError(
            "The account by which we come to the camera may not change passwords.",
            cure="Enrol the camera anew with an administrator's account of it.",
        ) from error


def _with(target: CameraTarget, password: str) -> CameraTarget:
    credentials = target.credentials.model_copy(update={"password": SecretStr(password)})
    return target.model_copy(update={"credentials": credentials})


@asynccontextmanager
async def open_passwords(
    database: Database, vault: Vault, fleet: Fleet, *, clock: Clock
) -> AsyncIterator[CameraPasswords]:
    """Give cameras passwords for the time of the block, and see to those that were on their way."""
    async with asyncio.TaskGroup() as group:
        passwords = CameraPasswords(database, vault, fleet, clock=clock, group=group)
        await passwords.find_out_all()
        try:
            yield passwords
        finally:
            passwords.close()
