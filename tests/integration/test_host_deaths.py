"""Camera hosts as processes of the gateway: one dies or stands still under load, and nobody else takes harm."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from config.cameras import CameraSettings
from config.hosts import HostSettings
from config.live import LiveSettings
from config.recording import RecordingSettings
from config.server import ServerSettings
from config.settings import Settings
from gateway.app import Gateway, open_gateway
from gateway.fleet import footage, rpc
from gateway.fleet.hosts import HostClient, HostUnreachableError
from gateway.hosting import HostProcess, Patience, open_hosting
from kernel.clock import NS_PER_S, SystemClock
from kernel.ids import CameraId, StreamName
from kernel.media import GapCause
from tests.fakes.desk import Desk, sign_up
from tests.fakes.host import FakeHost
from tests.fakes.probe import packets
from tests.fakes.street import GOP_FRAMES, Street, open_street
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(180)
CLOCK = SystemClock()
EACH = 6
"""Cameras of each host."""
FIRST, SECOND = 0, 1


def settings_in(path: Path) -> Settings:
    """Return the settings of a gateway with two hosts that it supervises itself."""
    return Settings(
        server=ServerSettings(host="127.0.0.1", port=0, plain_http=True, data_dir=path, shutdown_s=1.0),
        cameras=CameraSettings(allow_loopback=True),
        live=LiveSettings(loopback=True, port=0),
        recording=RecordingSettings(batch_s=1.0),
        hosts=HostSettings(workers=2),
    )


class Site:
    """A gateway with two hosts and their cameras."""

    def __init__(self, gateway: Gateway, street: Street, cameras: dict[int, list[CameraId]], path: Path) -> None:
        self.gateway = gateway
        self.street = street
        self.cameras = cameras
        self.path = path

    def state(self, camera: CameraId) -> rpc.CameraState | None:
        """Return the newest state of a camera."""
        return self.gateway.fleet.state(camera)

    def frames(self, host: int) -> list[int]:
        """Return how many pictures have come from each camera of a host."""
        return [state.main.frames if (state := self.state(one)) else 0 for one in self.cameras[host]]

    def records(self, host: int) -> bool:
        """Return whether every camera of a host is being recorded."""
        states = [self.state(camera) for camera in self.cameras[host]]
        return all(one and one.main.recording and one.main.recording.on for one in states)

    async def record(self, *hosts: int) -> None:
        """Wait until all cameras of these hosts are being recorded."""
        for host in hosts:
            await until(lambda host=host: self.records(host), timeout_s=60.0, what=f"recording at host {host}")  # type: ignore[misc]

    async def go_on(self, host: int, pictures: int) -> None:
        """Wait until so many more pictures have come from each camera of a host."""
        before = self.frames(host)
        await until(
            lambda: all(now >= then + pictures for now, then in zip(self.frames(host), before, strict=True)),
            timeout_s=60.0,
            what=f"{pictures} more pictures at host {host}",
        )

    async def timeline(self, camera: CameraId) -> footage.TimelineReply:
        """Return everything recorded of a camera."""
        client = self.gateway.fleet.host_of(self.gateway.fleet.camera(camera))
        now_ns = CLOCK.wall_ns()
        return await client.timeline(camera, StreamName.MAIN, now_ns - 3600 * NS_PER_S, now_ns)

    def on_disk(self, host: int) -> dict[int, int]:
        """Return how many pictures libav finds in the files of each camera of a host, by its number."""
        root = self.path / "recordings"
        return {
            self.gateway.fleet.camera(camera).number: sum(
                len(packets(file)) for file in root.glob(f"*/media/{camera}/main/*/*.mp4")
            )
            for camera in self.cameras[host]
        }


@asynccontextmanager
async def open_site(path: Path) -> AsyncIterator[Site]:
    """Give a site whose cameras are all being recorded."""
    settings = settings_in(path)
    async with open_street() as street:
        cameras = await street.enrolled(settings, [FIRST, SECOND] * EACH, clock=CLOCK)
        async with open_gateway(settings, clock=CLOCK, open_host=FakeHost().open) as gateway:
            site = Site(gateway, street, cameras, path)
            await site.record(FIRST, SECOND)
            yield site


@contextmanager
def stopped(pid: int | None) -> Iterator[None]:
    """Have a process stand still for the time of the block, if it is there that long."""
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_a_killed_host_costs_its_own_cameras_only_and_only_for_a_while(tmp_path: Path) -> None:
    """After SIGKILL under load its cameras record again, the gap says why, and the neighbour lost not one picture."""
    async with open_site(tmp_path) as site:
        victim, neighbour = site.gateway.hosts
        await site.go_on(FIRST, 3 * GOP_FRAMES)
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGKILL)
        await until(lambda: not site.gateway.fleet.links[FIRST].up, what="the death to be noticed")
        await until(lambda: victim.starts == 2, what="the next process")
        await site.record(FIRST)
        await site.go_on(FIRST, 3 * GOP_FRAMES)
        assert neighbour.starts == 1
        sent = await site.street.falls_silent()
        numbers = [site.gateway.fleet.camera(camera).number for camera in site.cameras[SECOND]]
        expected = {number: sent[number].frames for number in numbers}
        await until(lambda: site.frames(SECOND) == list(expected.values()), what="the last pictures at the neighbour")
        for camera in site.cameras[FIRST]:
            told = await site.timeline(camera)
            assert [gap.cause for gap in told.gaps if gap.start_ns < told.spans[-1].start_ns] == [GapCause.HOST]
        for camera in site.cameras[SECOND]:
            told = await site.timeline(camera)
            assert len(told.spans) == 1
            assert [gap for gap in told.gaps if gap.start_ns < told.spans[-1].end_ns] == []
    assert {number: (sent[number].sessions, sent[number].cut) for number in numbers} == dict.fromkeys(numbers, (1, 0))
    assert await asyncio.to_thread(site.on_disk, SECOND) == expected


async def test_the_gateway_does_not_wait_for_a_host_that_stands_still(tmp_path: Path) -> None:
    """Questions about its cameras fail with a plain reason, all others are answered, and once it goes on it is back."""
    async with open_site(tmp_path) as site, AsyncExitStack() as stack:
        desk = Desk(site.gateway, FakeHost(), stack)
        await sign_up(desk)
        lost, kept = site.cameras[FIRST][0], site.cameras[SECOND][0]
        link = site.gateway.fleet.links[FIRST]
        where = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"}
        with stopped(site.gateway.hosts[FIRST].pid):
            waiting = asyncio.create_task(desk.admin.get(f"/api/v1/cameras/{lost}/timeline", params=where))
            await site.go_on(SECOND, GOP_FRAMES)
            answer = await desk.admin.get(f"/api/v1/cameras/{kept}/timeline", params=where)
            assert answer.status_code == 200, answer.text
            await until(lambda: link.problem is not None and link.problem.type == "host.silent", what="the silence")
            late = await waiting
            at_once = await desk.admin.get(f"/api/v1/cameras/{lost}/timeline", params=where)
            for answer in (late, at_once):
                assert answer.status_code == 503
                assert "host.silent" in answer.json()["type"]
            listed = (await desk.admin.get("/api/v1/cameras")).json()
            assert len(listed) == 2 * EACH
            state = site.state(lost)
            assert state is not None
            assert state.problem is not None
            assert (state.live, state.problem.type) == (rpc.LiveState.OFF, "host.silent")
            assert site.records(SECOND)
        await until(lambda: link.up, what="the host to be back")
        await site.record(FIRST)
        assert site.gateway.hosts[FIRST].starts == 1


@asynccontextmanager
async def bare_hosts(path: Path, patience: Patience) -> AsyncIterator[tuple[HostProcess, ...]]:
    """Give two supervised hosts without cameras; both answer."""
    settings = settings_in(path)
    async with open_hosting(settings, clock=CLOCK, patience=patience) as hosts:
        for host in hosts:
            await answers(settings, host)
        yield hosts


async def answers(settings: Settings, host: HostProcess) -> None:
    """Wait until the process that runs now is the one that answers."""
    async with HostClient(settings.host_socket(host.index)) as client, asyncio.timeout(60):
        while True:
            try:
                if (await client.version()).pid == host.pid:
                    return
            except HostUnreachableError:
                asked_again = asyncio.Event()
                asyncio.get_running_loop().call_later(0.05, asked_again.set)
                await asked_again.wait()


async def test_a_host_that_stands_still_for_too_long_is_replaced(tmp_path: Path) -> None:
    """A real process that feeds its watchdog no more is ended, though it hears SIGKILL alone, and started anew."""
    # Long enough for a neighbour on a busy machine, which is to have done some work meanwhile.
    patience = Patience(watchdog_s=10.0, stacks_s=0.2)
    async with bare_hosts(tmp_path, patience) as (host, neighbour):
        before = host.pid
        assert before is not None
        os.kill(before, signal.SIGSTOP)
        await until(lambda: host.starts == 2, timeout_s=60.0, what="another process")
        await answers(settings_in(tmp_path), host)
        assert host.ended is not None
        assert "has done no work for 10 s" in host.ended.message
        assert neighbour.starts == 1
    assert host.pid is neighbour.pid is None
