"""The cheap cameras as a benchmark meets them: another process."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


class CheapCameras:
    """Made by :func:`cheap_cameras`."""

    def __init__(self, process: Process, facts: dict[str, Any]) -> None:
        self.process = process
        self.port: int = facts["port"]
        self.kbit_s: float = facts["kbit_s"]
        """Of one camera, as coded; packet headers come on top."""
        self.packets_s: float = facts["packets_s"]
        self.keyframe_bytes: int = facts["keyframe_bytes"]

    def url(self, camera: int) -> str:
        """Return the RTSP address of a camera; any number is one."""
        return f"rtsp://127.0.0.1:{self.port}/{camera}"

    @property
    def device_url(self) -> str:
        """Return the ONVIF device service: it tells the time and nothing else."""
        return f"http://127.0.0.1:{self.port}/onvif/device_service"

    async def ask(self, question: str) -> dict[str, Any]:
        """Ask ``counts``, or say ``pause``, ``resume`` or ``drop``; return the counts."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(question.encode() + b"\n")
        async with asyncio.timeout(30):
            line = await self.process.stdout.readline()
        if not line:
            raise RuntimeError("the cheap cameras ended; their message stands above")
        return dict(json.loads(line))


@asynccontextmanager
async def cheap_cameras(*arguments: str) -> AsyncIterator[CheapCameras]:
    """Start them; see ``python -m cheap_cameras --help`` for the arguments."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cheap_cameras", *arguments, stdin=PIPE, stdout=PIPE, cwd=HERE.parent, limit=2**24
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            line = await process.stdout.readline()
        if not line:
            raise RuntimeError("the cheap cameras did not start; their message stands above")
        yield CheapCameras(process, json.loads(line))
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
