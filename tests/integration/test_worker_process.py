"""`sightline host` as the service manager runs it: readiness, watchdog, an orderly end, and a start over a dead one."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config.handover import to_line
from config.hosts import HostSettings
from config.server import ServerSettings
from config.settings import Settings
from gateway.fleet.hosts import HostClient
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(90)


class Manager:
    """The service manager's end of NOTIFY_SOCKET."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.told: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))
        # All the time, as the service manager: what is told while ten words wait to be heard is lost.
        asyncio.get_running_loop().add_reader(self._socket, self._hear)

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                self.told += self._socket.recv(4096).decode().splitlines()

    def heard(self, message: str) -> bool:
        """Return whether ``message`` was told."""
        self._hear()
        return message in self.told

    def close(self) -> None:
        """Listen no longer."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()


@asynccontextmanager
async def _host(directory: Path, manager: Manager) -> AsyncIterator[asyncio.subprocess.Process]:
    config = directory / "sightline.toml"
    config.write_text(
        f'[server]\ndata_dir = "{directory}"\n[hosts]\nworkers = 1\nsocket_dir = "{directory / "run"}"\n'
        # Not the usual one: another test's host may be on it.
        "[live]\nport = 0\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from gateway.cli import main; main()", "host", "--name", "0", "--config", str(config),
        env={**os.environ, "NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "300000"},
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_a_host_process_is_ready_watched_and_ends_in_order(tmp_path: Path) -> None:
    """READY comes once it answers, WATCHDOG while it works, and SIGTERM ends it with status 0 and no socket left."""
    manager = Manager(tmp_path / "notify")
    try:
        async with _host(tmp_path, manager) as process:
            await until(lambda: manager.heard("READY=1"), timeout_s=60.0, what="READY")
            async with HostClient(tmp_path / "run" / "host-0.sock") as client:
                assert (await client.health()).pid == process.pid
            await until(lambda: manager.heard("WATCHDOG=1"), what="the watchdog's food")
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
            assert manager.heard("STOPPING=1")
    finally:
        manager.close()
    assert not (tmp_path / "run" / "host-0.sock").exists()


async def test_a_killed_host_is_replaced_in_its_place(tmp_path: Path) -> None:
    """After kill -9 the next host takes over socket and disks."""
    manager = Manager(tmp_path / "notify")
    try:
        async with _host(tmp_path, manager) as process:
            await until(lambda: manager.heard("READY=1"), timeout_s=60.0, what="READY")
            process.kill()
            await process.wait()
            manager.told.clear()
        async with _host(tmp_path, manager) as process:
            await until(lambda: manager.heard("READY=1"), timeout_s=60.0, what="READY again")
            async with HostClient(tmp_path / "run" / "host-0.sock") as client:
                assert (await client.health()).pid == process.pid
    finally:
        manager.close()


async def _supervised(line: bytes) -> tuple[int | None, str]:
    """Run a host as the gateway starts it, and hand it a line; return its status and what it said.

    Without a line the pipe is closed, as it is when the gateway dies; otherwise it stays open, as it is while it lives.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "gateway.worker", "0",
        stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stderr is not None
    if line:
        process.stdin.write(line)
        await process.stdin.drain()
    else:
        process.stdin.close()
    said = await process.stderr.read()
    code = await process.wait()
    process.stdin.close()
    return code, said.decode()


async def test_a_supervised_host_without_settings_ends(tmp_path: Path) -> None:
    """A gateway that died before it had said anything leaves no host behind."""
    assert await _supervised(b"") == (0, "")


async def test_a_supervised_host_says_in_one_sentence_why_it_cannot_run(tmp_path: Path) -> None:
    """Recordings that cannot be opened are status 2 and a sentence, not a traceback."""
    (tmp_path / "recordings").write_text("a file where the directory should be")
    settings = Settings(server=ServerSettings(data_dir=tmp_path), hosts=HostSettings(workers=1))
    code, said = await _supervised(to_line(settings))
    assert code == 2, said
    assert "sightline: camera host 0: " in said
    assert "Traceback" not in said
