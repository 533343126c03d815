"""A stage for benchmarks: the real gateway and a simulated borough, each in a process of its own, and a browser.

Nothing here measures. What could not be set up is raised, so that a benchmark exits non-zero and prints no figure.
"""

import asyncio
import contextlib
import json
import re
import shutil
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, Page, async_playwright

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
USER, PASSWORD = "benchmark", "a long enough password"
STRIP = (Path(__file__).parent / "strip.js").read_text(encoding="utf-8")


@dataclass(slots=True, kw_only=True)
class Stage:
    """What a benchmark may use. ``cameras`` are the API's, in the order of their numbers."""

    url: str
    cameras: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    """The borough's own words on the same cameras: addresses and credentials."""
    api: httpx.AsyncClient
    gateway: Process
    borough: Process

    async def ask_borough(self, question: dict[str, Any]) -> dict[str, Any]:
        """Write one JSON line to the borough and return its answering line."""
        assert self.borough.stdin is not None
        assert self.borough.stdout is not None
        self.borough.stdin.write(json.dumps(question).encode() + b"\n")
        await self.borough.stdin.drain()
        async with asyncio.timeout(10):
            return dict(json.loads(await self.borough.stdout.readline()))


@asynccontextmanager
async def stage(*borough_arguments: str) -> AsyncIterator[Stage]:
    """Start both, make the administrator, enrol every camera, and wait until all are live."""
    async with contextlib.AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sightline-benchmark-")))
        borough = await stack.enter_async_context(
            _process(sys.executable, "-m", "drivers.simulator", "--json", *borough_arguments, stdin=PIPE)
        )
        said = json.loads(await _line(borough, 120))
        config = home / "sightline.toml"
        config.write_text(
            f"""
[server]
host = "127.0.0.1"
port = 0
plain_http = true
data_dir = "{home / "data"}"
[cameras]
allow_loopback = true
[live]
port = 0
loopback = true
[sharing]
views_of_one_camera = 1000
[log]
level = "error"
[[recording.disks]]
path = "{home / "recordings"}"
quota_bytes = 2_000_000_000
""",
            encoding="utf-8",
        )
        gateway = await stack.enter_async_context(
            _process(str(Path(sys.executable).with_name("sightline")), "run", "--config", str(config))
        )
        url, code = "", ""
        while not code:
            line = await _line(gateway, 60)
            if found := re.search(r"(http://\S+)/#setup=(\S+)", line):
                url, code = found.groups()
        api = await stack.enter_async_context(
            httpx.AsyncClient(base_url=url, headers={"X-Sightline": "1", "Origin": url}, timeout=60)
        )
        stack.push_async_callback(_drain_until_closed, asyncio.ensure_future(_drain(gateway)))
        made = await api.post("/api/v1/setup", json={"code": code, "username": USER, "password": PASSWORD})
        made.raise_for_status()
        (await api.post("/api/v1/session", json={"username": USER, "password": PASSWORD})).raise_for_status()
        for camera in said["cameras"]:
            enrolled = await api.post(
                "/api/v1/cameras",
                json={
                    "address": camera["device_url"],
                    "username": camera["username"],
                    "password": camera["password"],
                    "number": camera["number"],
                    "name": camera["name"],
                },
            )
            if enrolled.is_error:
                raise RuntimeError(f"camera {camera['number']} was not enrolled: {enrolled.text}")
        async with asyncio.timeout(60):
            while True:
                cameras = (await api.get("/api/v1/cameras")).raise_for_status().json()
                if all(camera["state"]["live"] == "live" for camera in cameras):
                    break
                await asyncio.sleep(0.2)
        yield Stage(
            url=url,
            sources=said["cameras"],
            cameras=sorted(cameras, key=lambda camera: int(camera["number"])),
            api=api,
            gateway=gateway,
            borough=borough,
        )


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, headless."""
    if shutil.which(CHROMIUM) is None:
        raise RuntimeError("Chromium is not here. Install it: apt-get install chromium (or: make test-parts)")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        try:
            yield chromium
        finally:
            await chromium.close()


@asynccontextmanager
async def signed_in(chromium: Browser, at: Stage) -> AsyncIterator[Page]:
    """A console page of a signed-in administrator, with the strip reader in it as ``window.readStrip(video)``."""
    context = await chromium.new_context(viewport={"width": 1920, "height": 1080})
    try:
        await context.add_init_script(STRIP)
        await context.add_cookies(
            [{"name": cookie.name, "value": cookie.value or "", "url": at.url} for cookie in at.api.cookies.jar]
        )
        page = await context.new_page()
        await page.goto(at.url)
        yield page
    finally:
        await context.close()


@asynccontextmanager
async def _process(*arguments: str, stdin: int = DEVNULL) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *arguments, stdin=stdin, stdout=PIPE, cwd=ROOT, limit=64 * 1024 * 1024
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(15):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def _line(process: Process, timeout_s: float) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(timeout_s):
        line = await process.stdout.readline()
    if not line:
        raise RuntimeError("a process of the stage ended before it was ready; its message stands above")
    return line.decode()


async def _drain(process: Process) -> None:
    assert process.stdout is not None
    while await process.stdout.readline():
        pass


async def _drain_until_closed(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
