"""The service as the service manager sees it: readiness, the watchdog, SIGTERM, and errors at the start."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from weakref import WeakSet, ref

import pytest
from fastapi import FastAPI

from gateway.app import open_gateway, when_settled
from gateway.cli.run import feed_watchdog
from gateway.fleet import rpc
from kernel.clock import SystemClock
from tests.fakes.clock import ManualClock, settle
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.host import FakeHost
from tests.fakes.waiting import until


class Manager:
    """A service manager that listens on its notification socket, or is told directly."""

    def __init__(self, path: Path) -> None:
        self.heard: list[str] = []
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)  # noqa: FBT003 - its only argument

    def notify(self, state: str) -> None:
        """Be told directly."""
        self.heard.append(state)

    def listen(self) -> list[str]:
        """Return everything heard so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.heard += self._socket.recv(4096).decode().splitlines()
        return self.heard

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """Return a service manager."""
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.close()


@asynccontextmanager
async def service(config: Path, manager: Manager) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `sightline run` in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from gateway.cli import main; main()",
        "run",
        "--config",
        str(config),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "600000"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def written(tmp_path: Path, port: int = 0) -> Path:
    """Return a configuration."""
    config = tmp_path / "sightline.toml"
    config.write_text(
        f'[server]\nhost = "127.0.0.1"\nport = {port}\nplain_http = true\ndata_dir = "{tmp_path / "data"}"\n'
    )
    return config


async def test_the_service_is_ready_fed_and_stops_when_told(tmp_path: Path, manager: Manager) -> None:
    """READY, WATCHDOG while it works, and on SIGTERM an orderly end with 0."""
    async with service(written(tmp_path), manager) as process:
        await until(lambda: "READY=1" in manager.listen(), timeout_s=60, what="readiness")
        await until(lambda: manager.listen().count("WATCHDOG=1") > 2, timeout_s=60, what="the watchdog to be fed")
        process.send_signal(signal.SIGTERM)
        said, log = await process.communicate()
    assert process.returncode == 0, log.decode()
    assert "STOPPING=1" in manager.listen()
    assert b"one-time code" in said
    assert b"Traceback" not in log


async def test_a_port_that_is_taken_is_one_sentence_and_exit_2(tmp_path: Path, manager: Manager) -> None:
    """No traceback, no readiness."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with service(written(tmp_path, taken.getsockname()[1]), manager) as process:
            _, log = await process.communicate()
    assert process.returncode == 2
    assert b"is taken by another program" in log
    assert b"Traceback" not in log
    assert manager.listen() == []


async def test_readiness_waits_until_recording_runs(desk: Desk) -> None:
    """A camera that still connects keeps it waiting; one that is known to be out of reach does not."""
    camera = await desk.enrol()
    live = desk.host.live(camera)
    desk.host.state(live.model_copy(update={"live": rpc.LiveState.CONNECTING}))
    await until(lambda: not desk.gateway.fleet.settled, what="the camera to connect")
    told: list[bool] = []
    waiting = asyncio.create_task(
        when_settled(desk.gateway.fleet, clock=SystemClock(), told=lambda: told.append(desk.gateway.fleet.settled))
    )
    desk.host.state(live.model_copy(update={"live": rpc.LiveState.RETRYING}))
    await waiting
    assert told == [True]


async def test_readiness_waits_for_the_disk_not_for_a_reason(desk: Desk) -> None:
    """A live camera about to record keeps it waiting, whatever it says why; one whose storage failed does not."""
    camera = await desk.enrol()
    live, fleet = desk.host.live(camera), desk.gateway.fleet

    def recording(*, failed: bool) -> rpc.CameraState:
        facts_now = rpc.StreamRecording(on=False, cause="waiting for a keyframe", failed=failed)
        return live.model_copy(update={"main": live.main.model_copy(update={"recording": facts_now})})

    desk.host.state(recording(failed=False))
    await until(lambda: not fleet.settled, what="the camera to be waited for")
    desk.host.state(recording(failed=True))
    await until(lambda: fleet.settled, what="the failed storage to be known")


async def test_readiness_is_told_in_the_end_whatever_the_cameras_do(desk: Desk, clock: ManualClock) -> None:
    """After a minute a camera that still connects keeps it waiting no longer."""
    camera = await desk.enrol()
    desk.host.state(desk.host.live(camera).model_copy(update={"live": rpc.LiveState.CONNECTING}))
    await until(lambda: not desk.gateway.fleet.settled, what="the camera to connect")
    told: list[bool] = []
    waiting = asyncio.create_task(
        when_settled(desk.gateway.fleet, clock=clock, told=lambda: told.append(desk.gateway.fleet.settled))
    )
    await clock.turn(59)
    assert told == []
    await clock.turn(2)
    await until(lambda: told == [False], what="readiness")
    await waiting


async def test_the_watchdog_starves_when_the_host_stands_still(
    tmp_path: Path, manager: Manager, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only more work done feeds it: a host that answers and does nothing is stuck."""
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    host = FakeHost()
    async with open_gateway(settings_in(tmp_path), clock=SystemClock(), open_host=host.open) as gateway:
        feeding = asyncio.create_task(feed_watchdog(gateway, manager, clock=clock))
        for expected in (1, 2):
            host.progress += 1
            await clock.turn(10)
            await until(lambda: manager.heard.count("WATCHDOG=1") == expected and clock.sleepers)  # noqa: B023
        asked = host.health_asked
        for _ in range(3):
            await clock.turn(10)
            await until(lambda: host.health_asked > asked and clock.sleepers)  # noqa: B023
            asked = host.health_asked
        feeding.cancel()
        await asyncio.wait([feeding])
    assert manager.heard == ["WATCHDOG=1"] * 2


async def test_without_a_watchdog_nothing_is_fed(desk: Desk, manager: Manager, clock: ManualClock) -> None:
    """Outside a service manager there is nobody to tell."""
    await feed_watchdog(desk.gateway, manager, clock=clock)
    assert manager.heard == []


async def test_a_gateway_that_was_closed_is_forgotten(tmp_path: Path) -> None:
    """Nothing keeps its application, and so nothing keeps what is behind it."""

    def applications() -> list[FastAPI]:
        gc.collect()
        return [one for one in gc.get_objects() if isinstance(one, FastAPI)]

    before = WeakSet(applications())
    async with open_desk(tmp_path) as desk:
        await desk.enrol()
        (own,) = (ref(one) for one in applications() if one not in before)
    del desk
    await settle()
    gc.collect()
    assert own() is None
