"""A street with a planned deployment: its gateway, its unit calling in, and the team's phone."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import numpy as np
import numpy.typing as npt
from playwright.async_api import Browser

from config.cameras import CameraSettings
from config.map import MapSettings
from config.telemetry import TelemetrySettings
from drivers.simulator.feed import Eye
from gateway.api.times import iso
from gateway.app import open_gateway
from gateway.worker import open_host
from kernel.clock import SystemClock
from tests.fakes.browser import chromium
from tests.fakes.deploying import PLACE, Deploying
from tests.fakes.desk import Desk, settings_in, sign_up
from tests.fakes.field_phone import FieldPhone
from tests.fakes.host import FakeHost
from tests.fakes.label_video import label_video
from tests.fakes.onecamera import MovingEye, one_camera
from tests.fakes.ports import free_port
from tests.fakes.unit_broker import unit_client
from tests.fakes.unit_field import say
from tests.fakes.unit_voice import Voice
from tests.fakes.waiting import told, until
from tests.fakes.watching import LIVE, PHONE


@dataclass(frozen=True, slots=True)
class Street:
    """A planned deployment, its unit calling in, and whoever puts it up."""

    deploying: Deploying
    browser: Browser
    folder: Path
    stack: AsyncExitStack
    unit: aiomqtt.Client
    voice: Voice
    place: dict[str, float] = field(default_factory=lambda: dict(PLACE))
    """Where the deployment is to stand; the phone is two metres from there."""

    @property
    def desk(self) -> Desk:
        """Return the gateway's desk."""
        return self.deploying.desk

    async def phone(self, *, label: npt.NDArray[np.bool_] | None = None, size: tuple[int, int] = PHONE) -> FieldPhone:
        """Return the team's phone. ``label`` is the code that its camera sees."""
        team = self.deploying.team
        sees = None if label is None else await asyncio.to_thread(label_video, self.folder / "label.y4m", label)
        here = {
            "latitude": self.place["latitude"] + 0.00002,
            "longitude": self.place["longitude"] - 0.00001,
            "accuracy": 6.0,
        }
        return await FieldPhone.of(
            self.browser, team, self.desk.url, self.folder, self.stack, sees=sees, size=size, place=here
        )

    async def stand(self) -> None:
        """Have the unit stand already."""
        await self.deploying.photo("sign-up")
        await self.deploying.step("signs-up", text="On LP 13.")
        await self.deploying.step("installation", place=self.place, bearing_deg=90.0)

    async def says(self, kind: str, **values: object) -> None:
        """Have the unit say something of itself, and wait until the gateway knows."""
        await say(self.unit, self.voice, kind, **values)

        async def kinds() -> set[str]:
            return {one["kind"] for one in (await self.desk.admin.get("/api/v1/units/D017")).json()["states"]}

        await told(kinds, lambda known: kind in known, what=f"{kind} to be known")

    async def known(self) -> dict[str, Any]:
        """Return the deployment as the gateway has it."""
        known: dict[str, Any] = (await self.deploying.team.get(self.deploying.path)).json()
        return known

    async def log(self) -> list[dict[str, Any]]:
        """Return its log since it was planned."""
        lines: list[dict[str, Any]] = (await self.deploying.team.get(f"{self.deploying.path}/log")).json()
        return lines[[line["step"] for line in lines].index("planned") + 1 :]

    async def steps(self) -> list[str]:
        """Return the steps of its log since it was planned."""
        return [line["step"] for line in await self.log()]

    def now(self) -> str:
        """Return the gateway's time, as the API says it."""
        return iso(self.desk.gateway.rooms.clock.wall_ns())


@asynccontextmanager
async def open_street(
    folder: Path, *, eye: Eye | None = None, ground: Path | None = None, place: dict[str, float] | None = None
) -> AsyncIterator[Street]:
    """Give it: the gateway has its camera host, and its units' broker, inside.

    ``eye`` is what the unit's camera sees, ``ground`` what the map is drawn on, ``place`` where it is to stand.
    """
    clock = SystemClock()
    telemetry = TelemetrySettings(embedded=True, host="127.0.0.1", port=free_port())
    settings = settings_in(folder).model_copy(
        update={
            "live": LIVE,
            "telemetry": telemetry,
            "map": MapSettings(ground_file=ground),
            "cameras": CameraSettings.model_validate({"allow_loopback": True}),
        }
    )
    async with AsyncExitStack() as stack:
        device = await stack.enter_async_context(one_camera(clock, eye=eye or MovingEye()))
        browser = await stack.enter_async_context(chromium())
        gateway = await stack.enter_async_context(open_gateway(settings, clock=clock, open_host=open_host))
        await until(lambda: gateway.fleet.up, what="the host to be linked")
        desk = Desk(gateway, FakeHost(), stack)
        await sign_up(desk)
        deploying = await Deploying.at(
            desk, address=f"{device.host}:{device.http_port}", username=device.username, password=device.password
        )
        answer = await desk.admin.post("/api/v1/units", json={"label": "D017", "camera": deploying.camera})
        assert answer.status_code == 201, answer.text
        bundle = (await desk.admin.post("/api/v1/units/D017/certificate")).json()
        tls = await asyncio.to_thread(_tls, bundle, folder)
        unit = await stack.enter_async_context(unit_client(telemetry.port, tls, "D017", modern=False))
        voice = Voice("D017", wall_ns=clock.wall_ns())
        await say(unit, voice, "online", online=True, firmware="2.1.0")

        async def called() -> Any:
            return (await desk.admin.get("/api/v1/units/D017")).json()

        await told(called, lambda one: one["link"] == "online", what="the unit to call in")
        place = place or PLACE
        await deploying.planned(signs=False, place=place)
        yield Street(deploying, browser, folder, stack, unit, voice, place)


def _tls(bundle: dict[str, Any], folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=bundle["authority"])
    (folder / "unit.pem").write_text(bundle["certificate"])
    (folder / "unit.key").write_text(bundle["key"])
    context.load_cert_chain(folder / "unit.pem", folder / "unit.key")
    return context
