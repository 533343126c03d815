"""Deployable units of a simulated borough as the demonstration runs them, with a camera host and files on a disk."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway.app import Gateway, open_gateway
from gateway.cli.borough import BoroughProcess, borough_process
from gateway.cli.demo import demo_settings, free_port
from gateway.cli.demo_units import enrol_units
from gateway.deployments.standing import WITHHELD
from gateway.fleet import rpc
from gateway.fleet.cameras import Camera
from gateway.units import Cause
from gateway.worker import open_host
from kernel.clock import NS_PER_S, SystemClock, utc
from tests.fakes.waiting import told, until
from tests.integration.test_api_borough import signed_in

PATIENCE_S = 90.0
LIVE_AGAIN_S = 10.0

pytestmark = [pytest.mark.xdist_group("borough"), pytest.mark.timeout(420)]


@asynccontextmanager
async def _demo(folder: Path, borough: BoroughProcess, *, units: bool = True) -> AsyncIterator[Gateway]:
    settings = demo_settings(folder, port=0, units_port=free_port())
    async with open_gateway(settings, clock=SystemClock(), open_host=open_host) as gateway:
        if units:
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


async def _log(client: httpx.AsyncClient) -> list[str]:
    """Return the steps of the one deployment that there is."""
    (deployment,) = (await client.get("/api/v1/deployments")).json()
    lines = (await client.get(f"/api/v1/deployments/{deployment['id']}/log")).json()
    return [line["step"] for line in lines]


async def _gaps(client: httpx.AsyncClient, camera: Camera) -> list[tuple[str, str]]:
    """Return cause and detail of the gaps of the last minute, as the API tells them."""
    now_ns = SystemClock().wall_ns()
    start, end = (utc(at_ns).isoformat() for at_ns in (now_ns - 60 * NS_PER_S, now_ns))
    params = {"stream": "main", "start": start, "end": end}
    line = (await client.get(f"/api/v1/cameras/{camera.id}/timeline", params=params)).json()
    return [(gap["cause"], gap["detail"]) for gap in line["gaps"]]


async def test_a_unit_of_the_demonstration_is_deployed_recorded_and_followed(tmp_path: Path) -> None:
    """Every step of its deployment is on file, and with a new address it is live again by URN and serial alone."""
    async with _borough() as borough, _demo(tmp_path, borough) as gateway:
        camera = _unit_camera(gateway, borough)
        await until(lambda: _recording(gateway, camera).on, timeout_s=PATIENCE_S, what="it to be recorded")
        async with aclosing(await signed_in(gateway)) as client:
            steps = await _log(client)
            assert steps[0] == "referred"
            assert steps[-5:] == ["photo", "signs-up", "installed", "photo", "signed-off"]
            unit = (await client.get("/api/v1/units/D001")).json()
            assert (unit["link"], unit["cameras"]) == ("online", [camera.id])
        await _moves(gateway, borough, camera)


async def _moves(gateway: Gateway, borough: BoroughProcess, camera: Camera) -> None:
    """Its modem is given another address: live again there, by its URN and serial alone."""
    before = gateway.fleet.camera(camera.id).address
    await borough.order({"unit": "D001", "fault": "new_address_s=10"})
    await until(lambda: gateway.fleet.camera(camera.id).address != before, timeout_s=PATIENCE_S, what="a new address")
    await borough.order({"unit": "D001", "fault": "new_address_s=0"})
    assert gateway.rooms.units is not None
    register = gateway.rooms.units.register

    def settled() -> bool:
        at = register.states("D001")["state/address"].values
        return gateway.fleet.camera(camera.id).address.startswith(f"http://{at['host']}:{at['http_port']}/")

    await until(settled, timeout_s=LIVE_AGAIN_S, what="its last address")
    await _is_live(gateway, camera, timeout_s=LIVE_AGAIN_S)
    assert gateway.fleet.camera(camera.id).description.identity == camera.description.identity
    assert not gateway.rooms.units.refusals.total(Cause.WRONG_UNIT)


async def test_a_unit_without_a_valid_deployment_is_silent_on_disk(tmp_path: Path) -> None:
    """Once it is removed it is live, and nothing of it is written: its timeline says why, after a restart as well."""
    async with _borough() as borough:
        async with _demo(tmp_path, borough) as gateway:
            camera = _unit_camera(gateway, borough)
            await _writes(tmp_path, camera)
            deployment = gateway.rooms.deployments.standing(camera.description.identity.urn)
            assert deployment is not None
            async with aclosing(await signed_in(gateway)) as client:
                path = f"/api/v1/deployments/{deployment.id}"
                assert (await client.post(f"{path}/removal", json={"text": "Done."})).status_code == 201
                await _is_silent(gateway, client, camera, tmp_path)
        async with _demo(tmp_path, borough, units=False) as gateway:
            assert _unit_camera(gateway, borough).id == camera.id
            async with aclosing(await signed_in(gateway)) as client:
                await _is_silent(gateway, client, camera, tmp_path)


async def _writes(folder: Path, camera: Camera) -> None:
    """See footage grow on the disk: what is to stop does happen, and is looked for in the right place."""

    async def size() -> int:
        return sum((await asyncio.to_thread(_footage, folder, camera)).values())

    before = await told(size, bool, timeout_s=PATIENCE_S, what="footage")
    await told(size, lambda now: now > before, timeout_s=PATIENCE_S, what="more of it")


async def _is_silent(gateway: Gateway, client: httpx.AsyncClient, camera: Camera, folder: Path) -> None:
    await until(lambda: not _recording(gateway, camera).on, timeout_s=PATIENCE_S, what="recording to end")
    await _is_live(gateway, camera)
    files = await asyncio.to_thread(_footage, folder, camera)
    assert files
    await _is_live(gateway, camera)
    assert await asyncio.to_thread(_footage, folder, camera) == files
    gaps = await told(
        lambda: _gaps(client, camera), lambda found: found and found[-1][0] == "privacy", what="the cause of the gap"
    )
    assert gaps[-1] == ("privacy", WITHHELD)


def _footage(folder: Path, camera: Camera) -> dict[str, int]:
    return {
        str(file): file.stat().st_size
        for file in (folder / "recordings").rglob("*.mp4")
        if camera.id in file.relative_to(folder).parts
    }
