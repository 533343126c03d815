"""A gateway that hears a unit whose camera it knows."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
from websockets.asyncio.client import ClientConnection

from config.telemetry import ReachRule, TelemetrySettings
from gateway.units import Link
from kernel.clock import NS_PER_S
from tests.fakes.deploying import Deploying
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.leaping import LeapingClock
from tests.fakes.ports import free_port
from tests.fakes.unit_broker import unit_client
from tests.fakes.unit_voice import Voice
from tests.fakes.waiting import told, until
from tests.integration.test_api_units import tls_of

UNIT = "/api/v1/units/D017"
URN, SERIAL = "urn:uuid:1", "id:1"
RULES = (
    ReachRule(units=("D017",), network="192.168.0.0/16", via="203.0.113.7", ports={80: 8017, 554: 5517}),
    ReachRule(units=("D018",), network="192.168.0.0/16", via="203.0.113.7", ports={80: 8018, 554: 5518}),
    ReachRule(network="10.64.0.0/16", via="10.8.0.0/16"),
)
NETWORKS = ("192.168.0.0/16", "10.64.0.0/16", "198.51.100.0/24")


class Field:
    """A gateway that hears D017, whose camera is enrolled and marked as its own."""

    def __init__(self, desk: Desk, client: aiomqtt.Client, deploying: Deploying, clock: LeapingClock) -> None:
        self.desk = desk
        self.client = client
        self.deploying = deploying
        self.clock = clock
        self.voice = Voice("D017", wall_ns=clock.wall_ns())

    async def says(self, rest: str, *, ago_s: float = 0.0, **values: Any) -> None:
        """Say something as the unit, by a clock that is right; what it kept is of some time ago."""
        self.voice.wall_ns = self.clock.wall_ns() - round(ago_s * NS_PER_S)
        await self.client.publish(
            self.voice.topic(rest), self.voice.payload(**values), qos=1, retain=rest.startswith(("state/", "online"))
        )

    async def is_at(self, host: str, **values: Any) -> None:
        """Say an address."""
        said = {"http_port": 80, "rtsp_port": 554, "urn": URN, "serial": SERIAL, **values}
        await self.says("state/address", host=host, **said)

    @property
    def assigned(self) -> tuple[str, str]:
        """Return by what addresses the host reaches the camera: its device service and its main stream."""
        one = self.desk.host.assignments[self.deploying.camera]
        return one.target.address, one.view.main.rtsp_url

    async def refused(self) -> dict[str, Any]:
        """Return the first thing that was refused of the unit."""

        async def refusals() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = (await self.desk.admin.get(UNIT)).json()["refusals"]
            return found

        return (await told(refusals, bool, what="a refusal"))[0]


@asynccontextmanager
async def unit_at_work(tmp_path: Path) -> AsyncIterator[Field]:
    """Give it, with the unit connected."""
    telemetry = TelemetrySettings(embedded=True, host="127.0.0.1", port=free_port(), reach=RULES, networks=NETWORKS)
    settings = settings_in(tmp_path).model_copy(update={"telemetry": telemetry})
    clock = LeapingClock()
    async with open_desk(tmp_path, settings=settings, clock=clock) as desk:
        deploying = await Deploying.at(desk)
        assert (await desk.admin.post("/api/v1/units", json={"label": "D017"})).status_code == 201
        bundle = (await desk.admin.post(f"{UNIT}/certificate")).json()
        tls = await asyncio.to_thread(tls_of, bundle, tmp_path)
        async with unit_client(telemetry.port, tls, "D017", modern=False) as client:
            field = Field(desk, client, deploying, clock)
            await client.subscribe(field.voice.topic("command/+"), qos=1)
            await field.says("online", online=True, firmware="2.1.0")
            units = desk.gateway.rooms.units
            assert units is not None
            await until(lambda: units.register.link("D017") is Link.ONLINE, what="its birth to be heard")
            yield field


@asynccontextmanager
async def reading(desk: Desk, client: Any) -> AsyncIterator[ClientConnection]:
    """Give the events that somebody is told."""
    async with desk.socket(client, "/api/v1/events") as socket:
        yield socket


async def following(socket: ClientConnection, *kinds: str) -> dict[str, Any]:
    """Return the next event of one of these kinds."""
    async with asyncio.timeout(40):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["t"] in kinds:
                return message
