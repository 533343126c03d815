"""A camera host dies under the eyes of an operator: real processes, a real camera stream, a real browser."""

import asyncio
import contextlib
import sys
import tempfile
import tomllib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from config.settings import Settings
from gateway.app import Gateway, open_gateway
from gateway.worker import open_host
from kernel.clock import SystemClock
from tests.e2e.conftest import PASSWORD, USER
from tests.fakes.onecamera import MovingEye, one_camera
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(180)


HOST = 'import sys; from gateway.cli import main; sys.argv[0] = "sightline"; main()'


@dataclass(slots=True)
class Room:
    """A gateway whose one camera host is a process of its own, with one camera; Anne is the administrator."""

    gateway: Gateway
    config: Path
    host: asyncio.subprocess.Process | None = None

    async def start_host(self) -> None:
        """Start the host, as its service manager would."""
        self.host = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HOST, "host", "--name", "0", "--config", str(self.config)
        )
        await until(lambda: self.gateway.fleet.up, timeout_s=60.0, what="the host to be linked")

    async def kill_host(self) -> None:
        """Kill -9."""
        if self.host is not None:
            with contextlib.suppress(ProcessLookupError):
                self.host.kill()
            await self.host.wait()


@asynccontextmanager
async def _enrolled(room: Room, address: str, username: str, password: str) -> AsyncIterator[None]:
    url = room.gateway.url
    async with httpx.AsyncClient(base_url=url, headers={"Origin": url, "X-Sightline": "1"}, timeout=60) as admin:
        body = {"code": room.gateway.setup_code, "username": USER, "password": PASSWORD}
        (await admin.post("/api/v1/setup", json=body)).raise_for_status()
        camera = {"address": address, "username": username, "password": password, "number": 7}
        (await admin.post("/api/v1/cameras", json=camera)).raise_for_status()
        yield


@pytest_asyncio.fixture(loop_scope="session")
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Return the gateway with its host at work and the camera live."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        sockets = stack.enter_context(tempfile.TemporaryDirectory(prefix="sl-"))
        config = tmp_path / "sightline.toml"
        config.write_text(
            f'[server]\nhost = "127.0.0.1"\nport = 0\nplain_http = true\ndata_dir = "{tmp_path}"\nshutdown_s = 1.0\n'
            f'[hosts]\nworkers = 1\nsupervisor = "systemd"\nsocket_dir = "{sockets}"\n'
            "[cameras]\nallow_loopback = true\n[live]\nloopback = true\nport = 0\n"
        )
        settings = Settings(**tomllib.loads(config.read_text()))
        camera = await stack.enter_async_context(one_camera(clock, eye=MovingEye()))
        gateway = await stack.enter_async_context(open_gateway(settings, clock=clock, open_host=open_host))
        room = Room(gateway, config)
        stack.push_async_callback(room.kill_host)
        await room.start_host()
        address = f"{camera.host}:{camera.http_port}"
        await stack.enter_async_context(_enrolled(room, address, camera.username, camera.password))
        await until(lambda: gateway.fleet.settled, timeout_s=60.0, what="the camera to be recorded")
        yield room


async def test_the_picture_comes_back_without_a_hand(room: Room, page: Page) -> None:
    """While the host is dead the tile says so in words and is not called live; with the host the picture is back."""
    await page.goto(room.gateway.url)
    await page.fill("#username", USER)
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    tile = page.locator("article[data-camera-number='7']")
    await expect(tile).to_have_attribute("data-state", "live")
    await page.evaluate("window.__sameDocument = true")
    await page.get_by_role("tab", name="Hosts").click()
    card = page.locator(".host")
    await expect(card).to_have_attribute("data-standing", "up")
    await expect(card).to_contain_text("1 recorded")
    await room.kill_host()
    await expect(tile).to_have_attribute("data-state", "offline")
    await expect(tile).to_contain_text("Its camera host")
    await expect(tile.locator(".rec")).to_have_text("not recording")
    await expect(card).to_have_attribute("data-standing", "down")
    await expect(card).to_contain_text("systemctl restart sightline-host@0")
    await room.start_host()
    await expect(tile).to_have_attribute("data-state", "live")
    await expect(tile.locator(".rec")).to_have_text("rec")
    await expect(card).to_have_attribute("data-standing", "up")
    await expect(card).to_contain_text("1 viewer")
    assert await page.evaluate("window.__sameDocument")
