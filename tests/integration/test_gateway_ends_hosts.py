"""`sightline run` with camera hosts of its own: they end with it, however it ends."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.fleet.hosts import HostClient
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(120)
WORKERS = 2


class Service:
    """A gateway process and what it writes to its log."""

    def __init__(self, process: Process, path: Path) -> None:
        self.process = process
        self.path = path
        self.log = ""

    async def read(self) -> None:
        """Take the log to its end."""
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.log += line.decode()

    @property
    def pids(self) -> list[int]:
        """Return the host processes it has started."""
        return [int(pid) for pid in re.findall(r'"pid": (\d+), "event": "host.started"', self.log)]

    def told(self, word: str) -> set[int]:
        """Return the hosts of which a line of the log has this as its event or its error."""
        lines = (json.loads(line) for line in self.log.splitlines() if f'"{word}"' in line)
        return {line["host"] for line in lines if word in {line.get("event"), line.get("error")}}

    @property
    def sockets(self) -> list[Path]:
        """Return where its hosts answer."""
        return [self.path / "data" / "run" / f"host-{index}.sock" for index in range(WORKERS)]


def runs(pid: int) -> bool:
    """Return whether a process runs; one that is dead and not yet buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@asynccontextmanager
async def service(path: Path, *arguments: str, **environment: str) -> AsyncIterator[Service]:
    """Run a gateway with two hosts in a process of its own."""
    config = path / "sightline.toml"
    config.write_text(
        f'[server]\nhost = "127.0.0.1"\nport = 0\nplain_http = true\ndata_dir = "{path / "data"}"\n'
        f"[hosts]\nworkers = {WORKERS}\n[live]\nport = 0\nloopback = true\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", "run", "--config", str(config), *arguments,
        stdout=asyncio.subprocess.DEVNULL, stderr=PIPE, env={**os.environ, **environment},
    )  # fmt: skip
    running = Service(process, path)
    reading = asyncio.create_task(running.read())
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await reading


async def linked(running: Service) -> None:
    """Wait until both hosts are linked."""
    await until(lambda: len(running.told("host.linked")) == WORKERS, timeout_s=60.0, what="both hosts")
    assert len(running.pids) == WORKERS


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_hosts_end_with_the_gateway(tmp_path: Path, end: signal.Signals) -> None:
    """In order, their sockets taken away: told by the gateway, or, where that was killed, by the end of their pipe."""
    async with service(tmp_path) as running:
        await linked(running)
        running.process.send_signal(end)
        assert await running.process.wait() == (0 if end is signal.SIGTERM else -signal.SIGKILL)
        await until(lambda: not any(runs(pid) for pid in running.pids), timeout_s=60.0, what="the hosts' end")
    assert not any(path.exists() for path in running.sockets)
    assert "Traceback" not in running.log


async def test_a_stopped_host_does_not_outlive_a_killed_gateway(tmp_path: Path) -> None:
    """It hears of the end as soon as it runs again."""
    async with service(tmp_path) as running:
        await linked(running)
        os.kill(running.pids[0], signal.SIGSTOP)
        try:
            running.process.kill()
            await until(lambda: not runs(running.process.pid), what="the gateway's death")
        finally:
            os.kill(running.pids[0], signal.SIGCONT)
        await until(lambda: not any(runs(pid) for pid in running.pids), timeout_s=60.0, what="the hosts' end")


async def test_with_systemd_as_supervisor_nothing_is_started(tmp_path: Path) -> None:
    """The gateway says which host it misses and how an operator starts it, and starts none."""
    async with service(tmp_path, SIGHTLINE_HOSTS__SUPERVISOR="systemd") as running:
        await until(lambda: len(running.told("host.unreachable")) == WORKERS, timeout_s=60.0, what="both missed")
        await until(lambda: '"gateway.listening"' in running.log, timeout_s=60.0, what="the gateway")
        assert running.pids == []
        running.process.send_signal(signal.SIGTERM)
        assert await running.process.wait() == 0


async def test_each_host_is_told_apart(tmp_path: Path) -> None:
    """Each answers on its own socket as the owner of its own recordings."""
    async with service(tmp_path) as running:
        await linked(running)
        told = []
        for path in running.sockets:
            async with HostClient(path) as client:
                told.append(await client.version())
        assert [one.owner for one in told] == ["host-0", "host-1"]
        assert sorted(one.pid for one in told) == sorted(running.pids)
        running.process.send_signal(signal.SIGTERM)
        assert await running.process.wait() == 0
