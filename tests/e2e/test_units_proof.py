"""A unit's whole life, from the phone on the pavement to the wall in the control room; nothing is edited by hand.

A simulated borough's unit calls in over MQTT and its camera is recorded by a real camera host. People do what is
theirs, on the page in the field and on the console; the unit does what units do: it is torn down and carried off, its
link is lost, it is found at another address. Then it goes on to a second place, where nothing of the first one holds.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect
from websockets.asyncio.client import ClientConnection

from config.cameras import CameraSettings
from config.telemetry import TelemetrySettings
from gateway.app import open_gateway
from gateway.cli.borough import BoroughProcess, borough_process
from gateway.worker import open_host
from kernel.clock import NS_PER_S, SystemClock, utc
from kernel.geography import Place, distance_m
from tests.fakes.browser import chromium
from tests.fakes.deploying import Deploying
from tests.fakes.desk import Desk, settings_in, sign_up
from tests.fakes.field_phone import FACING_EAST, FieldPhone
from tests.fakes.host import FakeHost
from tests.fakes.ports import free_port
from tests.fakes.waiting import told, until
from tests.fakes.watching import LIVE

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("borough")]
CLOCK = SystemClock()
PATIENCE_S = 120.0
"""The machine may have other work to do. What is promised has its own bound."""
LIVE_AGAIN_S = 10.0
"""From the new address to the picture."""
KEEPALIVE_S = 4
FENCE_M = 30.0
ACCURACY_M = 5
ONWARD = 0.002
"""Degrees of latitude: 220 m."""
BINS, WINDOWS = "The bins", "Windows of number 12"
DRAWN = (0.6, 0.4, 0.9, 0.6)
EAST, SOUTH = 90, 180
PICTURE = "(image) => image.complete && image.naturalWidth > 0"
UNIT = "/api/v1/units/D001"


class Life:
    """A unit, the people who have to do with it, and what they see."""

    def __init__(self, desk: Desk, borough: BoroughProcess, deploying: Deploying) -> None:
        self.desk = desk
        self.borough = borough
        self.deploying = deploying
        self.phone: FieldPhone
        self.console: Page
        self.heard: list[dict[str, Any]] = []
        """What the console's socket was told."""

    @property
    def camera(self) -> str:
        """Return its camera."""
        return self.deploying.camera

    @property
    def tile(self) -> str:
        """Return the selector of its camera's tile."""
        return f'article[data-camera-id="{self.camera}"]'

    async def happens(self, fault: str) -> None:
        """Have something happen to the unit."""
        await self.borough.order({"unit": "D001", "fault": fault})

    async def unit(self) -> dict[str, Any]:
        """Return what the room knows of the unit."""
        known: dict[str, Any] = (await self.deploying.team.get(UNIT)).json()
        return known

    async def said(self, kind: str) -> dict[str, Any]:
        """Return what the unit said last of something, as who enrols is told: an address is for nobody else."""
        known: dict[str, Any] = (await self.desk.admin.get(UNIT)).json()
        states = {one["kind"]: one["values"] for one in known["states"]}
        found: dict[str, Any] = states.get(kind, {})
        return found

    async def told(self, wanted: Callable[[dict[str, Any]], object], what: str) -> dict[str, Any]:
        """Return the first message on the console's socket that is as wanted."""
        await until(lambda: any(wanted(one) for one in self.heard), timeout_s=PATIENCE_S, what=what)
        return next(one for one in self.heard if wanted(one))

    async def alarm(self, kind: str) -> dict[str, Any]:
        """Return an alarm of a kind."""
        return await self.told(lambda one: (one["t"], one.get("kind")) == ("unit-alarm", kind), f"the alarm {kind}")

    @property
    def row(self) -> Locator:
        """Return the unit's row on the console."""
        return self.console.locator(".unit-row[data-unit=D001]")

    async def holds(self) -> tuple[bool, list[tuple[str, bool]], float | None]:
        """Return whether its zones hold where it is, each preset and whether that does, and how its front looks."""
        path = f"/api/v1/cameras/{self.camera}"
        bounds, presets, camera = [
            (await self.desk.admin.get(one)).json() for one in (f"{path}/bounds", f"{path}/presets", path)
        ]
        assert [zone["name"] for zone in bounds["zones"]] == [WINDOWS]
        told_of = [(one["name"], one["confirmed"]) for one in presets]
        return bounds["confirmed"], told_of, camera["bearing_deg"]

    async def listen(self, socket: ClientConnection) -> None:
        """Hear what the console hears, for ever."""
        async for message in socket:
            self.heard.append(json.loads(message))

    async def line(self) -> dict[str, Any]:
        """Return the last two minutes of the camera's timeline."""
        now_ns = CLOCK.wall_ns()
        start, end = (utc(at_ns).isoformat() for at_ns in (now_ns - 120 * NS_PER_S, now_ns))
        params = {"stream": "main", "start": start, "end": end}
        line: dict[str, Any] = (
            await self.deploying.team.get(f"/api/v1/cameras/{self.camera}/timeline", params=params)
        ).json()
        return line

    async def recorded_past(self, instant: str) -> None:
        """Wait until there is footage of after an instant."""
        await told(
            self.line,
            lambda line: any(span["end"] > instant for span in line["spans"]),
            timeout_s=PATIENCE_S,
            what="footage",
        )

    async def on_the_wall(self, *, timeout_s: float = PATIENCE_S) -> None:
        """Wait until the console shows it live."""
        await self.console.wait_for_selector(f'{self.tile}[data-state="live"]', timeout=timeout_s * 1000)


@pytest_asyncio.fixture(loop_scope="session")
async def life(tmp_path: Path) -> AsyncIterator[Life]:
    """Give a unit that calls in, with a deployment that was granted and planned; the team's phone; the console."""
    telemetry = TelemetrySettings(embedded=True, host="127.0.0.1", port=free_port())
    settings = settings_in(tmp_path).model_copy(
        update={
            "live": LIVE,
            "telemetry": telemetry,
            "cameras": CameraSettings.model_validate({"allow_loopback": True}),
        }
    )
    arguments = ("--cameras", "1", "--units", "1", "--size", "320x180", "--sub-size", "none", "--own-passwords")
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        borough = await stack.enter_async_context(borough_process(*arguments))
        gateway = await stack.enter_async_context(open_gateway(settings, clock=CLOCK, open_host=open_host))
        await until(lambda: gateway.fleet.up, what="the host to be linked")
        desk = Desk(gateway, FakeHost(), stack)
        await sign_up(desk)
        deploying = await _provided(desk, borough, telemetry.port, tmp_path / "box")
        (unit,) = borough.units
        stands = {"latitude": unit["latitude"], "longitude": unit["longitude"], "height_m": 4.0}
        await deploying.planned(signs=False, place=stands)
        life = Life(desk, borough, deploying)
        socket = await stack.enter_async_context(desk.socket(deploying.team, "/api/v1/events"))
        listening = asyncio.create_task(life.listen(socket), name="what the console hears")
        stack.callback(listening.cancel)
        life.phone = await FieldPhone.of(browser, deploying.team, desk.url, tmp_path, stack)
        at = {"latitude": unit["latitude"], "longitude": unit["longitude"], "accuracy": ACCURACY_M}
        await life.phone.page.context.set_geolocation(at)  # type: ignore[arg-type]
        context = await browser.new_context(viewport={"width": 1440, "height": 900})
        stack.push_async_callback(context.close)
        cookies = deploying.team.cookies.items()
        await context.add_cookies([{"name": name, "value": value, "url": desk.url} for name, value in cookies])
        life.console = await context.new_page()
        broken: list[str] = []
        life.console.on("pageerror", lambda error: broken.append(str(error)))
        await life.console.goto(desk.url)
        await life.console.wait_for_selector('[data-wall="ready"]', timeout=60_000)
        yield life
        assert broken == []
        assert life.phone.broken == []


async def _provided(desk: Desk, borough: BoroughProcess, port: int, box: Path) -> Deploying:
    """Do what is done once for a new unit: its certificate goes into the box, it calls in, its camera is enrolled."""
    (unit,) = borough.units
    assert (await desk.admin.post("/api/v1/units", json={"label": "D001"})).status_code == 201
    bundle = (await desk.admin.post(f"{UNIT}/certificate")).json()
    box.mkdir()
    for name, part in (("ca.pem", "authority"), ("D001.pem", "certificate"), ("D001.key", "key")):
        (box / name).write_text(bundle[part])
    broker = {"url": f"mqtts://127.0.0.1:{port}", "certificates": str(box), "protocol": "3.1.1"}
    await borough.order({"units_broker": {**broker, "keepalive_s": KEEPALIVE_S}})

    async def says() -> dict[str, Any]:
        states = (await desk.admin.get(UNIT)).json()["states"]
        return next((one["values"] for one in states if one["kind"] == "state/address"), {})

    at = await told(says, bool, timeout_s=PATIENCE_S, what="the unit to call in")
    address = f"{at['host']}:{at['http_port']}"
    return await Deploying.at(
        desk, unit="D001", address=address, username=unit["username"], password=unit["password"], number=unit["number"]
    )


async def test_a_units_life_from_the_phone_to_the_control_room(life: Life) -> None:
    """It is put up, seen, carried off, lost, found, moved on to a second place and taken down; the room knows."""
    await _is_put_up(life)
    await _is_carried_off(life)
    await _is_lost(life)
    await _is_found(life)
    await _moves_on(life)
    await _is_taken_down(life)


async def _stands_there(life: Life, bearing_deg: int) -> None:
    """Signs, place, bearing and unit: from the unit in the hand to its live picture."""
    phone = life.phone
    await phone.shoot("#sign-photo")
    await phone.done("signs")
    await expect(phone.page.locator(f"[data-accuracy='{ACCURACY_M}']")).to_be_visible()
    if bearing_deg == EAST:
        await phone.page.evaluate(FACING_EAST)
    else:
        await phone.page.fill("#bearing", str(bearing_deg))
    await expect(phone.page.locator("#stands-here")).to_be_enabled()
    await phone.tap("#stands-here")
    await phone.done("place")
    await phone.shoot("#unit-photo")
    await phone.done("photo")
    await expect(phone.page.locator(".field-view")).to_have_attribute("data-state", "live")


async def _is_signed_off(life: Life) -> dict[str, Any]:
    """Sign it off, and return the deployment."""
    phone = life.phone
    await phone.tap("#fast")
    await phone.tap("#sign-off")
    await expect(phone.page.locator("[data-stage=deployed]")).to_be_visible()
    await phone.waits(0)
    await phone.page.goto("about:blank")  # the team drives on
    known: dict[str, Any] = (await life.deploying.team.get(life.deploying.path)).json()
    assert (known["stage"], known["signed_off"] is not None) == ("deployed", True)
    return known


async def _is_put_up(life: Life) -> None:
    """From the phone; the wall has it live, and the map at its new place. Before, nothing of it was recorded."""
    assert not (await life.line())["spans"]
    phone, mark = life.phone, f'[data-camera="{life.borough.units[0]["number"]}"]'
    assert await life.console.locator(mark).count() == 0
    await phone.tap("[data-deployment]")
    await phone.tap("[data-unit=D001]")
    await _stands_there(life, EAST)
    await phone.tap("#draw-zone")
    await expect(phone.page.locator(".field-view")).to_have_attribute("data-drawing", "true")
    await phone.draw(".field-view", DRAWN)
    await phone.page.fill("#zone-name", WINDOWS)
    await phone.page.keyboard.press("Enter")
    await expect(phone.page.locator(f"[data-zone='{WINDOWS}']")).to_be_visible()
    await phone.page.fill("#preset-name", BINS)
    await phone.page.keyboard.press("Enter")
    await expect(phone.page.locator("[data-preset]").filter(has_text=BINS)).to_have_attribute("data-confirmed", "true")
    assert await life.holds() == (True, [(BINS, True)], EAST)
    known = await _is_signed_off(life)
    await expect(life.console.locator(mark)).to_have_count(1)
    await life.console.keyboard.press("Alt+1")
    await life.console.keyboard.type(str(life.borough.units[0]["number"]))
    await life.console.keyboard.press("Enter")
    await life.on_the_wall()
    await life.recorded_past(known["deployed"])


async def _is_carried_off(life: Life) -> None:
    """Torn from its post: alarms with a picture; it goes on recording, and says where it is until it is far away."""
    await life.happens("stolen=on")
    torn = await life.alarm("tampered")
    assert torn["cameras"] == [life.camera]
    picture = await life.told(lambda one: one["t"] == "unit-picture", "its picture")
    seen = await life.deploying.team.get(f"{life.deploying.path}/pictures/{picture['sha256']}")
    assert seen.content[:2] == b"\xff\xd8"
    left = await life.alarm("left")
    assert {"left", "opened"} <= set(left["alarms"])
    # What the room sees of it: above the pictures, with the picture, and counted.
    notice = life.console.locator(".dep-alarm[data-unit=D001]")
    for words in ("has left its place", "was opened"):
        await expect(notice).to_contain_text(words)
    shown = notice.locator(".dep-alarm-picture img")
    await expect(shown).to_be_visible()
    await told(lambda: shown.evaluate(PICTURE), bool, timeout_s=PATIENCE_S, what="the picture on the console")
    await expect(life.console.locator("#unit-alarms")).to_have_attribute("data-count", "1")
    assert left["by"] > FENCE_M
    await life.recorded_past(left["at"])
    await life.happens("stolen=off")
    lies, unit = left["place"], life.borough.units[0]
    stood = Place(unit["latitude"], unit["longitude"])
    assert distance_m(Place(lies["latitude"], lies["longitude"]), stood) > FENCE_M


async def _is_lost(life: Life) -> None:
    """Nothing passes any more and nobody says so: the room is told that it is gone, and the wall shows no old one."""
    await life.console.click("#tab-units")
    await expect(life.row).to_have_attribute("data-link", "online")
    await life.happens("lost_link=on")
    await life.happens("new_address_s=1")
    await expect(life.row).to_have_attribute("data-link", "gone")
    await life.console.wait_for_selector(f'{life.tile}:not([data-state="live"])', timeout=PATIENCE_S * 1000)


async def _is_found(life: Life) -> None:
    """It attaches anew, somewhere else in the network: within ten seconds of its word it is live, and on the wall."""
    before = await life.said("state/address")
    await life.happens("new_address_s=0")
    await life.happens("lost_link=off")
    at = await told(
        lambda: life.said("state/address"), lambda at: at != before, timeout_s=PATIENCE_S, what="its new address"
    )
    said_ns, fleet = CLOCK.wall_ns(), life.desk.gateway.fleet

    def live() -> bool:
        state = fleet.state(life.camera)  # type: ignore[arg-type]
        return state is not None and (state.last_frame_ns or 0) > said_ns

    await until(live, timeout_s=LIVE_AGAIN_S, what="its pictures")
    assert f"//{at['host']}:{at['http_port']}/" in fleet.camera(life.camera).address
    await life.on_the_wall()
    await expect(life.row).to_have_attribute("data-link", "online")
    unit = await life.unit()
    assert unit["link"] == "online"
    # What was on its way as the link broke came twice, or a birth never.
    assert {one["cause"] for one in unit["refusals"]} <= {"replayed", "missing"}


async def _moves_on(life: Life) -> None:
    """By the phone: nothing that held at the first place holds at the second, until it is said to."""
    first, phone, unit = life.deploying.path, life.phone, life.borough.units[0]
    there = {"latitude": unit["latitude"] + ONWARD, "longitude": unit["longitude"]}
    await life.deploying.planned(signs=False, place={**there, "height_m": 4.0}, street="Hope Street")
    await phone.page.goto(f"{life.desk.url}/field")
    await phone.tap("[data-stage=deployed]")
    await phone.tap("[data-unit=D001]")
    await phone.tap("#is-down")
    await phone.done("removal")
    await phone.shoot("#sign-photo")
    await phone.done("signs-down")
    phone.place = {**there, "accuracy": ACCURACY_M}
    await phone.page.context.set_geolocation(phone.place)  # type: ignore[arg-type]
    # Somebody carries it there: the van, the ladder.
    await life.borough.order({"unit": "D001", "stand": {**there, "bearing_deg": SOUTH, "mains": True}})
    await phone.tap("#onward [data-onward]")
    await phone.done("unit")
    await _stands_there(life, SOUTH)
    # On the phone and in the gateway: the bearing is of here, presets and zones of there.
    assert await life.holds() == (False, [(BINS, False)], SOUTH)
    preset = phone.page.locator("[data-preset]").filter(has_text=BINS)
    await expect(preset).to_have_attribute("data-confirmed", "false")
    await expect(phone.page.locator("#sign-off")).to_have_count(0)
    await phone.tap("#confirm-bounds")
    await preset.get_by_role("button", name="Is what I see now").tap()
    await expect(preset).to_have_attribute("data-confirmed", "true")
    assert await life.holds() == (True, [(BINS, True)], SOUTH)
    stands = await _is_signed_off(life)
    stood = (await life.deploying.team.get(first)).json()
    assert (stood["stage"], stood["bearing_deg"], stands["bearing_deg"]) == ("removed", EAST, SOUTH)
    places = [Place(one["place"]["latitude"], one["place"]["longitude"]) for one in (stood, stands)]
    assert distance_m(*places) > 2 * FENCE_M
    await life.on_the_wall()
    await life.recorded_past(stands["deployed"])
    assert stands["alarms"] == []


async def _is_taken_down(life: Life) -> None:
    """From the phone: it stands nowhere, and from then on nothing is recorded, for privacy."""
    phone = life.phone
    await phone.page.goto(f"{life.desk.url}/field")
    await phone.tap("[data-stage=deployed]")
    await phone.page.fill("#unit-label", "d001")
    await phone.tap(".typed button")
    await phone.tap("#is-down")
    await phone.done("removal")
    await phone.shoot("#sign-photo")
    await phone.done("signs-down")
    await phone.waits(0)
    known = (await life.deploying.team.get(life.deploying.path)).json()
    assert (known["stage"], known["alarms"]) == ("removed", [])
    line = await told(
        life.line,
        lambda line: line["gaps"] and line["gaps"][-1]["cause"] == "privacy",
        timeout_s=PATIENCE_S,
        what="the gap for privacy",
    )
    assert line["spans"][-1]["end"] <= line["gaps"][-1]["end"]
    assert "deployment" in line["gaps"][-1]["detail"]
