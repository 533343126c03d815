"""The whole gateway with a real camera host and a simulated borough in a process of its own, as the demo runs it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from gateway.app import Gateway, open_gateway
from gateway.cli.borough import BoroughError, BoroughProcess, borough_process
from gateway.cli.demo import demo_settings, sign_in_url
from gateway.cli.enrolment import enrol_borough
from gateway.worker import open_host
from kernel.clock import SystemClock, every
from tests.fakes.desk import PASSWORD, Desk
from tests.fakes.host import FakeHost
from tests.fakes.waiting import until

PATIENCE_S = 90.0

pytestmark = pytest.mark.xdist_group("demo")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def borough() -> AsyncIterator[BoroughProcess]:
    """Return a borough of one camera."""
    async with borough_process("--cameras", "1") as borough:
        yield borough


async def signed_in(gateway: Gateway) -> httpx.AsyncClient:
    """Return the first administrator's browser, let in by the address that the demo prints."""
    url = await sign_in_url(gateway)
    client = httpx.AsyncClient(base_url=gateway.url, headers={"Origin": gateway.url, "X-Sightline": "1"}, timeout=60)
    kind, code = re.findall(r"#(\w+)=(\S+)$", url)[0]
    if kind == "setup":
        body = {"code": code, "username": "root", "password": PASSWORD}
        assert (await client.post("/api/v1/setup", json=body)).status_code == 201
    else:
        assert (await client.post("/api/v1/session", json={"code": code})).status_code == 200
    return client


@pytest.mark.timeout(300)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_simulated_camera_is_enrolled_recorded_played_back_and_steered(
    borough: BoroughProcess, tmp_path: Path
) -> None:
    """From the enrolment through footage on disk to a clip, and the head follows the stick; then once more."""
    told: list[str] = []
    settings = demo_settings(tmp_path, port=0)
    async with open_gateway(settings, clock=SystemClock(), open_host=open_host) as gateway:
        await enrol_borough(gateway, borough, told=told.append)
        client = await signed_in(gateway)
        async with aclosing(client):
            camera = await _live(client, gateway)
            await _plays_back(client, camera["id"], camera["state"]["last_frame"])
            await _steers(gateway, client, camera["id"])
        assert (await gateway.trail.verify()).sound
    assert told == [f"  1  {borough.cameras[0]['name']}"]
    async with open_gateway(settings, clock=SystemClock(), open_host=open_host) as gateway:
        await enrol_borough(gateway, borough, told=told.append)
        async with aclosing(await signed_in(gateway)) as client:
            (again,) = (await client.get("/api/v1/cameras")).json()
            assert again["id"] == camera["id"]


async def _live(client: httpx.AsyncClient, gateway: Gateway) -> dict[str, Any]:
    """Return the camera once it is live and recorded."""
    (known,) = gateway.fleet.cameras()

    def recorded() -> bool:
        state = gateway.fleet.state(known.id)
        recording = state.main.recording if state is not None else None
        return recording is not None and recording.on

    await until(recorded, timeout_s=PATIENCE_S, what="the camera to be recorded")
    assert gateway.fleet.settled
    (camera,) = (await client.get("/api/v1/cameras")).json()
    assert camera["state"]["live"] == "live"
    assert camera["head"]["axes"] == ["pan", "tilt", "zoom"]
    return dict(camera)


async def _plays_back(client: httpx.AsyncClient, camera: str, seen: str) -> None:
    """Ask for what was recorded until it is there, in each form."""
    path = f"/api/v1/cameras/{camera}"
    day = {"start": "2026-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}
    spans: list[dict[str, str]] = []

    async def footage() -> None:
        while not spans:
            answer = await client.get(f"{path}/timeline", params={"start": seen[:10] + "T00:00:00Z", "end": day["end"]})
            spans.extend(answer.json().get("spans", []))

    async with asyncio.timeout(PATIENCE_S):
        await footage()
    window = {"start": spans[0]["start"], "end": spans[0]["end"]}
    playlist = await client.get(f"{path}/hls/main/index.m3u8", params=window)
    assert playlist.text.startswith("#EXTM3U")
    init = re.findall(r'URI="(init-[^"]+)"', playlist.text)[0]
    fragment = re.findall(r"^\S+\.m4s$", playlist.text, re.MULTILINE)[0]
    assert b"ftyp" in (await client.get(f"{path}/hls/main/{init}")).content[:16]
    assert b"moof" in (await client.get(f"{path}/hls/main/{fragment}")).content[:200]
    still = await client.get(f"{path}/still", params={"at": spans[0]["start"]})
    assert still.content[:2] == b"\xff\xd8", still.text
    clip = await client.get(f"{path}/clip.mp4", params=window)
    assert (clip.status_code, b"moov" in clip.content) == (200, True)


async def _steers(gateway: Gateway, client: httpx.AsyncClient, camera: str) -> None:
    """Turn the head by the stick and see it turn."""
    desk = Desk(gateway, FakeHost(), AsyncExitStack())
    pans: list[float] = []
    async with desk.socket(client, f"/api/v1/cameras/{camera}/steer") as socket, asyncio.timeout(PATIENCE_S):

        async def turn() -> None:
            async with every(SystemClock(), 0.15) as beats:
                async for _ in beats:
                    await socket.send('{"t":"move","pan":0.5,"n":1}')

        await socket.send('{"t":"take"}')
        turning = asyncio.create_task(turn())
        while not pans or abs(pans[-1] - pans[0]) < 0.02:
            said = json.loads(await socket.recv())
            assert said["t"] != "error", said
            if said["t"] == "head" and said["pan"] is not None:
                pans.append(said["pan"])
        turning.cancel()
        await asyncio.wait([turning])
        await socket.send('{"t":"stop","n":2}')
        while json.loads(await socket.recv()).get("n") != 2:
            pass


async def test_a_borough_that_does_not_start_is_told() -> None:
    """A plain error, and no child is left."""
    with pytest.raises(BoroughError, match="did not start"):
        async with borough_process("--cameras", "0"):
            pass
