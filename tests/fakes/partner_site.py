"""A gateway, a real camera host and two cameras, a partner organisation, and what its systems take by RTSPS."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.cameras import CameraSettings
from config.hosts import HostSettings
from config.live import LiveSettings
from config.outgoing import OutgoingSettings
from config.recording import RecordingSettings
from config.server import ServerSettings
from config.settings import Settings
from drivers.simulator.device import SimulatedDevice
from gateway.app import Gateway, database_url, open_gateway
from gateway.db.engine import open_database
from gateway.fleet import rpc
from gateway.fleet.cameras import CameraFacts
from gateway.fleet.register import Register
from gateway.startup import prepare_data_dir
from gateway.vault import KeyFile, Vault
from gateway.worker import open_host
from kernel.clock import SystemClock
from kernel.ids import CameraId
from tests.fakes.desk import PASSWORD, Desk, sign_up
from tests.fakes.host import FakeHost
from tests.fakes.onecamera import MovingEye, described, one_camera, target_of
from tests.fakes.outside import organisation
from tests.fakes.ports import free_port
from tests.fakes.waiting import until

CLOCK = SystemClock()
NUMBERS = (7, 8)


@dataclass(frozen=True)
class Taken:
    """A share as a system takes it."""

    id: str
    share: str
    username: str
    password: str
    addresses: dict[int, str]
    """By the camera's number, without the credential."""

    def url(self, number: int = NUMBERS[0], stream: str = "") -> str:
        """Return an address with the credential in it."""
        bare = self.addresses[number].removeprefix("rtsps://")
        return f"rtsps://{self.username}:{self.password}@{bare}{f'/{stream}' if stream else ''}"


class PartnerSite:
    """Made by :func:`partner_site`."""

    desk: Desk
    organisation: str

    def __init__(self, settings: Settings, cameras: dict[int, CameraId], stack: AsyncExitStack) -> None:
        self.settings = settings
        self.cameras = cameras
        self._stack = stack

    @property
    def gateway(self) -> Gateway:
        """Return the gateway that runs now."""
        return self.desk.gateway

    async def start(self) -> None:
        """Run the gateway; at the first time make its administrator, and the partner."""
        first = not hasattr(self, "desk")
        gateway = await self._stack.enter_async_context(
            open_gateway(self.settings, clock=CLOCK, open_host=FakeHost().open)
        )
        desk = Desk(gateway, FakeHost(), self._stack)
        if first:
            await sign_up(desk)
            self.desk = desk
            self.organisation = await organisation(desk)
        else:
            desk.admin = await desk.anybody()
            signed_in = await desk.admin.post("/api/v1/session", json={"username": "root", "password": PASSWORD})
            assert signed_in.status_code == 200, signed_in.text
            self.desk = desk
        await self.plays()

    async def restart(self) -> None:
        """End the gateway, and run it anew; the camera host goes on meanwhile."""
        await self._stack.aclose()
        await self.start()

    async def plays(self) -> None:
        """Wait until both cameras are live."""
        await until(lambda: all(self._live(camera) for camera in self.cameras.values()), what="both cameras")

    def _live(self, camera: CameraId) -> bool:
        state = self.gateway.fleet.state(camera)
        return state is not None and state.live is rpc.LiveState.LIVE and state.main.frames > 0

    async def share(self, *numbers: int, **facts: Any) -> str:
        """Share cameras, both where none is named."""
        cameras = [self.cameras[number] for number in numbers or NUMBERS]
        body = {"organisation": self.organisation, "cameras": cameras, **facts}
        answer = await self.desk.admin.post("/api/v1/shares", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def outlet(self, share_id: str) -> Taken:
        """Give a share to a system."""
        answer = await self.desk.admin.post(f"/api/v1/shares/{share_id}/outlets", json={"name": "VMS"})
        assert answer.status_code == 201, answer.text
        made = answer.json()
        addresses = {one["number"]: one["url"] for one in made["addresses"]}
        return Taken(made["id"], share_id, made["username"], made["password"], addresses)

    async def taken(self, **facts: Any) -> Taken:
        """Share both cameras and give the share to a system."""
        return await self.outlet(await self.share(**facts))

    async def viewers(self, share_id: str) -> list[dict[str, Any]]:
        """Return who watches by a share."""
        return list((await self.desk.admin.get(f"/api/v1/shares/{share_id}/viewers")).json())


@asynccontextmanager
async def partner_site(path: Path, *, own_process: bool = False) -> AsyncIterator[PartnerSite]:
    """Give it. With ``own_process`` the gateway starts the host as a process, which then ends with the gateway."""
    settings = Settings(
        server=ServerSettings(host="127.0.0.1", port=0, plain_http=True, data_dir=path, shutdown_s=1.0),
        cameras=CameraSettings(allow_loopback=True),
        live=LiveSettings.model_validate({"loopback": True, "addresses": ["127.0.0.1"], "port": 0}),
        outgoing=OutgoingSettings(rtsps=True, host="127.0.0.1", port=free_port()),
        recording=RecordingSettings(batch_s=1.0),
        hosts=HostSettings(workers=1) if own_process else HostSettings(workers=1, supervisor="systemd"),
    )
    async with AsyncExitStack() as around, AsyncExitStack() as within:
        devices = [
            await around.enter_async_context(one_camera(CLOCK, number=number, eye=MovingEye())) for number in NUMBERS
        ]
        cameras = await _enrolled(settings, devices)
        if not own_process:
            await around.enter_async_context(open_host(settings.of_host(0), settings.host_socket(0), clock=CLOCK))
        site = PartnerSite(settings, cameras, within)
        await site.start()
        yield site


async def _enrolled(settings: Settings, devices: list[SimulatedDevice]) -> dict[int, CameraId]:
    """Enrol cameras before the gateway runs, without the time that trying their heads takes."""
    await asyncio.to_thread(prepare_data_dir, settings.server.data_dir)
    vault = await asyncio.to_thread(Vault.of, KeyFile(settings.server.data_dir, credentials=None))
    found: dict[int, CameraId] = {}
    async with open_database(database_url(settings)) as database:
        register = Register(database, clock=CLOCK, vault=vault)
        for device in devices:
            facts = CameraFacts(number=device.number, name=device.name, recording=False)
            (camera,), _ = await register.store(target_of(device), described(device), facts, host=0)
            found[device.number] = camera.id
    return found


@dataclass
class Player:
    """A player of a partner's: ffmpeg, which tells of every picture that it has decoded, and when."""

    process: Process
    pictures: list[int] = field(default_factory=list)
    """When each came (monotonic ns)."""
    reading: "asyncio.Task[None] | None" = None

    async def shows(self, more: int) -> None:
        """Wait for so many more pictures."""
        wanted = len(self.pictures) + more
        await until(lambda: len(self.pictures) >= wanted, what=f"{more} pictures at the player")

    async def over(self) -> None:
        """Return once it has ended of itself."""
        assert self.reading is not None
        async with asyncio.timeout(20):
            await self.reading
            await self.process.wait()

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if not line.startswith(b"#"):
                self.pictures.append(CLOCK.monotonic_ns())


@asynccontextmanager
async def player(url: str) -> AsyncIterator[Player]:
    """Give a player that takes an address."""
    process = await asyncio.create_subprocess_exec(
        *("ffmpeg", "-v", "error", "-rtsp_transport", "tcp", "-i", url, "-an", "-flush_packets", "1"),
        *("-f", "framecrc", "-"),
        stdout=PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    found = Player(process)
    found.reading = asyncio.create_task(found._read())
    try:
        yield found
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await found.reading
        await process.wait()
