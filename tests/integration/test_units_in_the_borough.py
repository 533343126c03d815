"""Deployable units of a simulated borough, from the first certificate to the removal, as the demonstration runs them.

Nothing is edited by hand: units call in over MQTT, the gateway follows them, and people use the API.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.app import Gateway, open_gateway
from gateway.cli.borough import BoroughProcess, borough_process
from gateway.cli.demo import demo_settings, free_port
from gateway.cli.demo_units import enrol_units
from gateway.cli.enrolment import enrol_borough
from gateway.fleet import rpc
from gateway.fleet.cameras import Camera
from gateway.units import Cause
from gateway.worker import open_host
from kernel.clock import SystemClock
from kernel.geography import Place, distance_m
from tests.fakes.photos import photo
from tests.fakes.waiting import told, until
from tests.integration.test_api_borough import signed_in

PATIENCE_S = 90.0
LIVE_AGAIN_S = 10.0

pytestmark = [pytest.mark.xdist_group("borough"), pytest.mark.timeout(420)]


@asynccontextmanager
async def _demo(folder: Path, borough: BoroughProcess) -> AsyncIterator[Gateway]:
    settings = demo_settings(folder, port=0, units_port=free_port())
    async with open_gateway(settings, clock=SystemClock(), open_host=open_host) as gateway:
        await enrol_borough(gateway, borough, told=lambda _: None)
        await enrol_units(gateway, borough, told=lambda _: None)
        yield gateway


@asynccontextmanager
async def _borough() -> AsyncIterator[BoroughProcess]:
    async with borough_process(
        "--cameras", "1", "--units", "1", "--size", "320x180", "--sub-size", "none", "--own-passwords"
    ) as borough:
        yield borough


def _unit_camera(gateway: Gateway, borough: BoroughProcess) -> Camera:
    return next(one for one in gateway.fleet.cameras() if one.number == borough.units[0]["number"])


def _state(gateway: Gateway, camera: Camera) -> rpc.CameraState:
    state = gateway.fleet.state(camera.id)
    assert state is not None
    return state


async def _is_live(gateway: Gateway, camera: Camera, *, timeout_s: float = PATIENCE_S) -> None:
    """Wait for pictures that are newer than now."""
    now_ns = SystemClock().wall_ns()
    await until(
        lambda: (
            (state := gateway.fleet.state(camera.id)) is not None
            and state.live is rpc.LiveState.LIVE
            and (state.last_frame_ns or 0) > now_ns
        ),
        timeout_s=timeout_s,
        what="its pictures",
    )


def _recording(gateway: Gateway, camera: Camera) -> rpc.StreamRecording:
    recording = _state(gateway, camera).main.recording
    assert recording is not None
    return recording


async def _alarms(client: httpx.AsyncClient) -> list[str]:
    (deployment,) = (await client.get("/api/v1/deployments")).json()
    found: list[str] = deployment["alarms"]
    return found


async def test_a_unit_is_deployed_moves_is_lost_found_and_removed(tmp_path: Path) -> None:
    """It records where it stands, is live again at each new address, and once removed nothing more is recorded."""
    async with _borough() as borough, _demo(tmp_path, borough) as gateway:
        camera = _unit_camera(gateway, borough)
        async with aclosing(await signed_in(gateway)) as client:
            await until(lambda: _recording(gateway, camera).on, timeout_s=PATIENCE_S, what="it to be recorded")
            await _moves(gateway, borough, camera)
            await _is_lost_and_found(gateway, borough, client)
            await _is_removed(gateway, client, camera)


async def _moves(gateway: Gateway, borough: BoroughProcess, camera: Camera) -> None:
    """Its modem is given another address: live again there, by its URN and serial alone."""
    before = gateway.fleet.camera(camera.id).address
    await borough.order({"unit": "D001", "fault": "new_address_s=1"})
    await until(lambda: gateway.fleet.camera(camera.id).address != before, what="the new address")
    await borough.order({"unit": "D001", "fault": "new_address_s=0"})
    assert gateway.rooms.units is not None
    register = gateway.rooms.units.register

    def settled() -> bool:
        at = register.states("D001")["state/address"].values
        return gateway.fleet.camera(camera.id).address.startswith(f"http://{at['host']}:{at['http_port']}/")

    await until(settled, what="its last address")
    await _is_live(gateway, camera, timeout_s=LIVE_AGAIN_S)
    assert gateway.fleet.camera(camera.id).description.identity == camera.description.identity
    assert not gateway.rooms.units.refusals.total(Cause.WRONG_UNIT)


async def _is_lost_and_found(gateway: Gateway, borough: BoroughProcess, client: httpx.AsyncClient) -> None:
    """Torn from its post it raises an alarm, with a picture; where it lies is known by its own word."""
    await borough.order({"unit": "D001", "fault": "stolen=on"})
    (deployment,) = (await client.get("/api/v1/deployments")).json()

    async def steps() -> list[dict[str, Any]]:
        log: list[dict[str, Any]] = (await client.get(f"/api/v1/deployments/{deployment['id']}/log")).json()
        return log

    await told(steps, lambda lines: _kinds(lines) >= {"knocked", "tampered"}, timeout_s=PATIENCE_S)
    await told(steps, lambda lines: any(one["step"] == "picture" for one in lines), timeout_s=PATIENCE_S)
    await told(lambda: _alarms(client), lambda found: "left" in found, timeout_s=180.0, what="it to have left")
    await borough.order({"unit": "D001", "fault": "stolen=off"})

    async def located() -> bool:
        answer = await client.post("/api/v1/units/D001/locate")
        return answer.status_code == 200 and bool(answer.json()["ok"])

    await told(located, bool, timeout_s=PATIENCE_S, what="the unit to say where it is")
    unit = (await client.get("/api/v1/units/D001")).json()
    found = next(one["values"] for one in unit["states"] if one["kind"] == "state/position")
    lies, stood = Place(found["latitude"], found["longitude"]), deployment["place"]
    assert distance_m(lies, Place(stood["latitude"], stood["longitude"])) > gateway.rooms.settings.deployments.fence_m


def _kinds(log: list[dict[str, Any]]) -> set[str]:
    return {one["said"]["kind"] for one in log if one["step"] == "alarm"}


async def _is_removed(gateway: Gateway, client: httpx.AsyncClient, camera: Camera) -> None:
    """Taken down for good: live pictures are the field team's still, and the disk gets nothing."""
    (deployment,) = (await client.get("/api/v1/deployments")).json()
    path = f"/api/v1/deployments/{deployment['id']}"
    assert (await client.post(f"{path}/removal", json={"reason": "It was torn down."})).status_code == 201
    await until(lambda: not _recording(gateway, camera).on, timeout_s=PATIENCE_S, what="recording to end")
    assert "deployment" in (_recording(gateway, camera).cause or "")
    sent = await client.post(
        f"{path}/photos",
        params={"kind": "sign-down"},
        content=photo(shade=9),
        headers={"Content-Type": "image/jpeg"},
    )
    assert sent.status_code == 201
    assert (await client.post(f"{path}/signs-down", json={"text": "Both."})).status_code == 201


async def test_a_unit_without_a_valid_deployment_is_silent_on_disk(tmp_path: Path) -> None:
    """It is live, and nothing of it is written; its timeline says why. A second start keeps it and its camera."""
    async with _borough() as borough:
        async with _demo(tmp_path, borough) as gateway:
            camera = _unit_camera(gateway, borough)
            deployment = gateway.rooms.deployments.standing(camera.description.identity.urn)
            assert deployment is not None
            async with aclosing(await signed_in(gateway)) as client:
                path = f"/api/v1/deployments/{deployment.id}"
                assert (await client.post(f"{path}/removal", json={"reason": "Done."})).status_code == 201
                await until(lambda: not _recording(gateway, camera).on, timeout_s=PATIENCE_S, what="recording to end")
                await _is_live(gateway, camera)
                files = await asyncio.to_thread(_footage, tmp_path, camera)
                await _is_live(gateway, camera)
                assert await asyncio.to_thread(_footage, tmp_path, camera) == files
        async with _demo(tmp_path, borough) as gateway:
            assert _unit_camera(gateway, borough).id == camera.id


def _footage(folder: Path, camera: Camera) -> dict[str, int]:
    return {
        str(file): file.stat().st_size
        for file in (folder / "recordings").rglob("*")
        if file.is_file() and camera.id in str(file) and file.suffix in {".mp4", ".m4s"}
    }
