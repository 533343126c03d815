"""The simulated borough in a process of its own, so that drawing does not share the gateway's interpreter."""

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from kernel.errors import SightlineError

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 10.0
LINE_MAX_BYTES = 64 * 1024 * 1024
"""The first line carries the borough's ground."""


class BoroughError(SightlineError):
    """The simulated borough did not start, or ended."""

    code = "demo.borough"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoroughProcess:
    """What the child told: its cameras, its deployable units' cameras and its ground. ``process`` is the child."""

    process: Process
    cameras: list[dict[str, Any]]
    ground: dict[str, Any] = field(repr=False)
    units: list[dict[str, Any]] = field(default_factory=list)

    async def order(self, order: dict[str, Any]) -> None:
        """Give an order (``drivers.simulator.orders``) that is not answered."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        await self.process.stdin.drain()


@asynccontextmanager
async def borough_process(*arguments: str) -> AsyncIterator[BoroughProcess]:
    """Run ``python -m drivers.simulator --json`` with ``arguments`` for the time of the block.

    The child ends when its standard input closes, so it does not outlive us however we end.

    Raises:
        BoroughError: it did not start.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "drivers.simulator",
        "--json",
        *arguments,
        stdin=PIPE,
        stdout=PIPE,
        limit=LINE_MAX_BYTES,
        start_new_session=True,  # Ctrl-C is ours to pass on, after the gateway has let go of the cameras
    )
    try:
        said = await _first_line(process)
        yield BoroughProcess(process=process, cameras=said["cameras"], ground=said["ground"], units=said["units"])
    finally:
        await _end(process)


async def _first_line(process: Process) -> dict[str, Any]:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            line = await process.stdout.readline()
        said: dict[str, Any] = json.loads(line)
    except (TimeoutError, ValueError) as error:
        raise BoroughError("The simulated borough did not start.", cure="Its own message stands above.") from error
    return said


async def _end(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
