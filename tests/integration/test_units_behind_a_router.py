"""Two units behind one address: enrolled, met and seen through forwarded ports alone, though they name their own."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.telemetry import ReachRule
from gateway.app import Gateway, open_gateway
from gateway.cli.borough import BoroughProcess, borough_process
from gateway.cli.demo import demo_settings, free_port
from gateway.fleet import rpc
from gateway.worker import open_host
from kernel.clock import SystemClock
from tests.fakes.forwarding import Forwarding, strangers_at
from tests.fakes.waiting import until
from tests.integration.test_api_borough import signed_in

pytestmark = [pytest.mark.xdist_group("borough"), pytest.mark.timeout(420)]
PATIENCE_S = 120.0
OUTSIDE = "127.77.0.1"
SMALL = ("--size", "320x180", "--sub-size", "none", "--own-passwords")
LABELS = ("D001", "D002")


def rule(label: str, unit: Mapping[str, Any], ports: Mapping[int, int]) -> ReachRule:
    """Return the rule of one unit: any address that it says is reached at the router's."""
    return ReachRule(
        units=(label,), via=OUTSIDE, ports={unit[one]: ports[unit[one]] for one in ("http_port", "rtsp_port")}
    )


@asynccontextmanager
async def _behind(
    folder: Path, borough: BoroughProcess, forwarding: Forwarding
) -> AsyncIterator[tuple[Gateway, httpx.AsyncClient]]:
    """Give a gateway that reaches both units through the router, and its administrator; the units call in."""
    settings = demo_settings(folder, port=0, units_port=free_port())
    rules = tuple(rule(one["label"], one, forwarding.ports) for one in borough.units)
    telemetry = settings.telemetry.model_copy(update={"reach": rules})
    settings = settings.model_copy(update={"telemetry": telemetry})
    async with (
        open_gateway(settings, clock=SystemClock(), open_host=open_host) as gateway,
        aclosing(await signed_in(gateway)) as client,
    ):
        pki = folder / "boxes"
        await asyncio.to_thread(pki.mkdir)
        for label in LABELS:
            assert (await client.post("/api/v1/units", json={"label": label})).status_code == 201
            bundle = (await client.post(f"/api/v1/units/{label}/certificate")).json()
            await asyncio.to_thread(_write, pki, label, bundle)
        url = settings.telemetry.url
        await borough.order({"units_broker": {"url": url, "certificates": str(pki), "protocol": "3.1.1"}})
        yield gateway, client


def _write(pki: Path, label: str, bundle: Mapping[str, str]) -> None:
    (pki / "ca.pem").write_text(bundle["authority"])
    (pki / f"{label}.pem").write_text(bundle["certificate"])
    (pki / f"{label}.key").write_text(bundle["key"])
    ssl.create_default_context().load_cert_chain(pki / f"{label}.pem", pki / f"{label}.key")


async def _says_where(gateway: Gateway, label: str) -> str:
    """Return where a unit says that its camera answers."""
    assert gateway.rooms.units is not None
    register = gateway.rooms.units.register
    await until(lambda: "state/address" in register.states(label), timeout_s=PATIENCE_S, what=f"{label} to call in")
    said = register.states(label)["state/address"].values
    return f"{said['host']}:{said['http_port']}"


async def _is_live(gateway: Gateway, camera: str) -> None:
    """Wait for pictures that are newer than now."""
    now_ns = SystemClock().wall_ns()

    def live() -> bool:
        state = next((gateway.fleet.state(one.id) for one in gateway.fleet.cameras() if one.id == camera), None)
        return state is not None and state.live is rpc.LiveState.LIVE and (state.last_frame_ns or 0) > now_ns

    await until(live, timeout_s=PATIENCE_S, what="pictures through the router")


async def test_two_units_behind_one_address_are_seen_through_forwarded_ports(tmp_path: Path) -> None:
    """Services, stream, control URLs and snapshot all name inside addresses and ports; nothing goes there directly."""
    faults = ("--fault", "2:private_addresses", "--fault", "3:private_addresses")
    async with AsyncExitStack() as stack:
        borough = await stack.enter_async_context(borough_process("--cameras", "1", "--units", "2", *SMALL, *faults))
        assert [one["number"] for one in borough.units] == [2, 3]
        inside = {port: one["host"] for one in borough.units for port in (one["http_port"], one["rtsp_port"])}
        forwarding = await stack.enter_async_context(Forwarding.open(OUTSIDE, inside))
        gateway, client = await stack.enter_async_context(_behind(tmp_path, borough, forwarding))
        cameras = {}
        for unit in borough.units:
            wish = {
                "address": await _says_where(gateway, unit["label"]),
                "username": unit["username"],
                "password": unit["password"],
                "number": unit["number"],
                "unit": unit["label"],
            }
            answer = await client.post("/api/v1/cameras", json=wish)
            assert answer.status_code == 201, answer.text
            cameras[unit["label"]] = answer.json()[0]["id"]
        for label, camera in cameras.items():
            await _is_live(gateway, camera)
            snapshot = await client.get(f"/api/v1/cameras/{camera}/snapshot")
            assert (snapshot.status_code, snapshot.content[:2]) == (200, b"\xff\xd8"), label
        for unit in borough.units:
            one = next(one for one in gateway.fleet.cameras() if one.id == cameras[unit["label"]])
            assert one.description.identity.serial == unit["serial"]
            assert one.view.main.rtsp_url.startswith(f"rtsp://{OUTSIDE}:{forwarding.ports[unit['rtsp_port']]}/")
            assert forwarding.carried[unit["http_port"]] > 0
            assert forwarding.carried[unit["rtsp_port"]] > 20_000, "no pictures came this way"
        assert await asyncio.to_thread(strangers_at, inside, OUTSIDE) == set()
        assert (await client.get("/api/v1/units")).json()["refusals"] == []


async def test_a_unit_that_says_hello_is_followed_to_its_new_address(tmp_path: Path) -> None:
    """Heard by the camera host on the network that it shares with the unit, which says nothing over MQTT at all."""
    async with AsyncExitStack() as stack:
        borough = await stack.enter_async_context(
            borough_process(
                "--cameras",
                "1",
                "--units",
                "1",
                "--size",
                "320x180",
                "--sub-size",
                "none",
                "--own-passwords",
                "--discovery",
            )
        )
        settings = demo_settings(tmp_path, port=0, units_port=free_port())
        gateway = await stack.enter_async_context(open_gateway(settings, clock=SystemClock(), open_host=open_host))
        client = await stack.enter_async_context(aclosing(await signed_in(gateway)))
        (unit,) = borough.units
        assert gateway.rooms.units is not None
        await gateway.rooms.units.register.enrol("D001", urn=unit["urn"], serial=unit["serial"])
        await gateway.rooms.units.credentials.issue("D001")  # a unit without one is believed nothing
        wish = {
            "address": unit["device_url"],
            "username": unit["username"],
            "password": unit["password"],
            "number": unit["number"],
            "unit": "D001",
        }
        answer = await client.post("/api/v1/cameras", json=wish)
        assert answer.status_code == 201, answer.text
        camera = answer.json()[0]["id"]
        await _is_live(gateway, camera)
        before = gateway.fleet.camera(camera).address
        await borough.order({"unit": "D001", "fault": "new_address_s=10"})
        await until(
            lambda: gateway.fleet.camera(camera).address != before, timeout_s=PATIENCE_S, what="the Hello to be heard"
        )
        await borough.order({"unit": "D001", "fault": "new_address_s=0"})
        await _is_live(gateway, camera)
        assert gateway.fleet.camera(camera).description.identity.urn == unit["urn"]
        assert gateway.rooms.units.register.states("D001") == {}
