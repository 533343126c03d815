"""Where a server and its viewers meet: the loopback interface, or two network namespaces joined by a veth pair."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "sightline-bench"
_SERVER, _VIEWERS = "10.213.77.1", "10.213.77.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """How to start a process on either side, and the addresses by which the sides reach each other."""

    name: str
    server: tuple[str, ...]
    """What is put before a server's command, and before its camera's."""
    viewers: tuple[str, ...]
    server_address: str
    viewers_address: str


LOOPBACK = Ground(name="loopback", server=(), viewers=(), server_address="127.0.0.1", viewers_address="127.0.0.1")


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def _remove_left_over() -> None:
    """Remove the namespaces of runs that were killed before they could."""
    for line in _ip("netns", "list").splitlines():
        name = line.split()[0]
        if name.startswith(_PREFIX) and not Path(f"/proc/{name.split('-')[2]}").exists():
            with suppress(RuntimeError):
                _ip("netns", "delete", name)


@contextmanager
def namespaces() -> Iterator[Ground]:
    """Make two namespaces for the time of the block.

    Raises:
        RuntimeError: this user or machine may not; says what is missing.
    """
    if shutil.which("ip") is None:
        raise RuntimeError("The command ip is not here. Install it: apt-get install iproute2")
    if os.geteuid() != 0:
        raise RuntimeError("Only root may make network namespaces: run this with sudo, or without --versus janus.")
    _remove_left_over()
    near, far = (f"{_PREFIX}-{os.getpid()}-{side}" for side in ("server", "viewers"))
    made: list[str] = []
    try:
        for name in (near, far):
            _ip("netns", "add", name)
            made.append(name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("link", "add", "v0", "netns", near, "type", "veth", "peer", "name", "v1", "netns", far)
        for name, link, address in ((near, "v0", _SERVER), (far, "v1", _VIEWERS)):
            _ip("-n", name, "address", "add", f"{address}/24", "dev", link)
            _ip("-n", name, "link", "set", link, "up")
        yield Ground(
            name="network namespaces (veth)",
            server=("ip", "netns", "exec", near),
            viewers=("ip", "netns", "exec", far),
            server_address=_SERVER,
            viewers_address=_VIEWERS,
        )
    finally:
        for name in made:
            with suppress(RuntimeError):
                _ip("netns", "delete", name)


@asynccontextmanager
async def process(
    *command: str, cwd: Path, quiet: bool = False, patience_s: float = 15.0
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process for the time of the block, with pipes for input and output; it ends by SIGTERM, or is killed.

    It is in a session of its own: Ctrl-C reaches the benchmark alone, which then ends everything in order.
    """
    pipe = asyncio.subprocess.PIPE
    started = await asyncio.create_subprocess_exec(
        *command,
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.DEVNULL if quiet else None,
        cwd=cwd,
        limit=2**24,
        start_new_session=True,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            assert started.stdin is not None
            started.stdin.close()
            with suppress(ProcessLookupError):
                started.terminate()
            try:
                async with asyncio.timeout(patience_s):
                    await started.wait()
            except TimeoutError:
                started.kill()
                await started.wait()


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process, all its threads, user and system.

    What /proc/PID/stat counts in hundredths, to the nanosecond (clock_getcpuclockid(3)).
    """
    return time.clock_gettime(~pid << 3 | 2)
