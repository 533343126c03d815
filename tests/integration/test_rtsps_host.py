"""Outlets on a whole camera host: put and taken away over its socket, its viewers told, its certificate found."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from config.outgoing import OutgoingSettings
from config.settings import Settings
from gateway.certificate import tls_files
from gateway.fleet import rpc
from gateway.fleet.handshake import digest
from gateway.fleet.hosts import HostClient, HostError
from gateway.fleet.outlets import OutletCamera, issue_credential
from gateway.worker import open_host
from kernel.clock import SystemClock
from kernel.ids import CameraId, StreamName
from tests.fakes.onecamera import one_camera
from tests.fakes.rtsps import outlet, run
from tests.fakes.waiting import until
from tests.integration.test_worker_host import Site, _settings, site_of

pytestmark = pytest.mark.timeout(60)
CLOCK = SystemClock()


def _open(folder: Path) -> Settings:
    door = OutgoingSettings.model_validate({"rtsps": True, "host": "127.0.0.1", "port": 0})
    return _settings(folder).model_copy(update={"outgoing": door})


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Give a host with a live camera and the door open."""
    settings = _open(tmp_path)
    await asyncio.to_thread(tls_files, settings.server, clock=CLOCK)
    socket = tmp_path / "run" / "host-0.sock"
    async with (
        one_camera(CLOCK) as device,
        open_host(settings, socket, clock=CLOCK) as host,
        HostClient(socket) as client,
    ):
        site = Site(host, client, device)
        listening = asyncio.create_task(site.listen())
        await client.assign(site.assignment(recording=False))
        await until(lambda: site.state(lambda s: s.main.frames > 0), what="pictures")
        yield site
        listening.cancel()
        await asyncio.wait([listening])


async def test_a_partner_sees_the_camera_until_the_outlet_is_taken_away(site: Site) -> None:
    """A credential that the gateway made opens the camera; who comes and goes is told; then it is over."""
    issued = issue_credential("met-41")
    wanted = outlet(
        username=issued.username, credential=issued.credential, cameras=(OutletCamera(id=site.id, number=7),)
    )
    port = (await site.client.put_outlet(wanted)).port
    listed = await site.client.outlets()
    assert (listed.outlets, listed.port) == ({"share-41": digest(wanted)}, port)
    url = f"rtsps://{issued.username}:{issued.password}@127.0.0.1:{port}/met-41/{site.id}/main"
    process = await asyncio.create_subprocess_exec(
        *("ffmpeg", "-v", "error", "-rtsp_transport", "tcp", "-i", url, "-f", "null", "-"),
        stderr=asyncio.subprocess.PIPE,
    )
    await until(lambda: site.state(lambda s: s.viewers == 1), what="the viewer in the state")
    (viewer,) = await site.client.viewers()
    assert (viewer.kind, viewer.outlet, viewer.stream) == ("rtsp", "share-41", StreamName.MAIN)
    await until(lambda: any(isinstance(line, rpc.ViewerCame) for line in site.lines), what="word of who came")
    assert (await site.client.remove_outlet("share-41")).ended == 1
    assert await site.client.viewers() == ()
    await asyncio.wait_for(process.communicate(), 20)
    await until(lambda: any(isinstance(line, rpc.ViewerWent) for line in site.lines), what="word of who went")
    status, _, complaint = await run("ffprobe", "-v", "error", "-rtsp_transport", "tcp", url)
    assert status != 0
    assert "401" in complaint


async def test_taking_away_what_is_not_there_is_no_error(site: Site) -> None:
    """Both sides may say it twice."""
    assert (await site.client.remove_outlet("never")).ended == 0
    assert (await site.client.put_outlet(outlet())).ended == 0
    assert (await site.client.put_outlet(outlet())).ended == 0
    assert CameraId("0" * 32) in {one.id for one in outlet().cameras}


async def test_a_host_without_the_door_says_so(tmp_path: Path) -> None:
    """Where RTSPS is switched off an outlet is refused with what to set."""
    async with one_camera(CLOCK) as device, site_of(tmp_path, device) as site:
        with pytest.raises(HostError, match=r"outgoing\.rtsps") as caught:
            await site.client.put_outlet(outlet())
        assert (caught.value.code, (await site.client.outlets()).port) == ("live.outlets-off", None)
        assert (await site.client.remove_outlet("share-41")).ended == 0
