"""A first camera, enrolled in a real browser by somebody who has only its address and password."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from gateway.cli.borough import borough_process
from tests.e2e.conftest import PASSWORD, USER, Running, Started, seen
from tests.fakes.browser import PATIENCE_MS

pytestmark = pytest.mark.timeout(300)

NUMBER = 42
"""What the operator calls the camera: not what stands in its picture."""


@pytest_asyncio.fixture(loop_scope="session")
async def fresh(tmp_path: Path) -> AsyncIterator[Running]:
    """`sightline run` with nothing in it, which may reach cameras on this machine."""
    config = tmp_path / "sightline.toml"
    config.write_text(
        f'[server]\nhost = "127.0.0.1"\nport = 0\nplain_http = true\ndata_dir = "{tmp_path / "data"}"\n'
        f'[cameras]\nallow_loopback = true\n[live]\nport = 0\nloopback = true\naddresses = ["127.0.0.1"]\n'
        f'[[recording.disks]]\npath = "{tmp_path / "disk"}"\n'
    )
    started = Started("run", "--config", str(config))
    try:
        yield await asyncio.to_thread(started.wait)
    finally:
        code = await asyncio.to_thread(started.end)
    assert code == 0


@pytest_asyncio.fixture(loop_scope="session")
async def camera() -> AsyncIterator[dict[str, Any]]:
    """A simulated camera in a process of its own: what it says of itself."""
    async with borough_process("--cameras", "1", "--size", "640x360", "--sub-size", "none") as borough:
        yield borough.cameras[0]


async def _become_administrator(page: Page, at: Running) -> None:
    await page.goto(f"{at.url}/#setup={at.code}")
    await page.fill("#setup-username", USER)
    await page.fill("#setup-password", PASSWORD)
    await page.fill("#setup-again", PASSWORD)
    await page.press("#setup-again", "Enter")
    await page.wait_for_selector('[data-wall="empty"]', timeout=PATIENCE_MS)


async def _known(page: Page, at: Running) -> list[dict[str, Any]]:
    """Return the cameras that the gateway has."""
    answer = await page.request.get(f"{at.url}/api/v1/cameras")
    assert answer.ok
    cameras: list[dict[str, Any]] = await answer.json()
    return cameras


async def _look(page: Page, camera: dict[str, Any], password: str) -> None:
    """Type what the operator was told and ask to look at it."""
    await page.fill("#enrol-address", f"{camera['host']}:{camera['http_port']}")
    await page.fill("#enrol-username", camera["username"])
    await page.fill("#enrol-password", password)
    await page.press("#enrol-password", "Enter")


async def test_a_camera_is_enrolled_by_hand(page: Page, fresh: Running, camera: dict[str, Any]) -> None:
    """A wrong password leaves nothing; the right one shows what is there, and the camera is live and recorded."""
    await _become_administrator(page, fresh)
    await page.click("#enrol-first")

    await _look(page, camera, "not its password")
    said = page.locator('.enrol [role="alert"]')
    await said.wait_for(timeout=90_000)
    assert await said.get_attribute("data-problem") == "camera.authentication"
    words = await said.inner_text()
    assert "password" in words, words
    assert "not its password" not in words
    assert await page.get_attribute(".enrol", "data-step") == "address"
    assert await _known(page, fresh) == []

    await _look(page, camera, camera["password"])
    await page.wait_for_selector('.enrol[data-step="look"]', timeout=90_000)
    await seen(page, "() => document.querySelector('.snapshot img')?.naturalWidth === 640")
    facts = dict(
        zip(
            await page.locator(".facts-list dt").all_inner_texts(),
            await page.locator(".facts-list dd").all_inner_texts(),
            strict=True,
        )
    )
    assert facts["Serial"] == camera["serial"]
    assert facts["Main"].startswith("H264 640\N{MULTIPLICATION SIGN}360")
    assert facts["Head"].startswith("pan, tilt, zoom")
    # Looking is not enrolling.
    assert await _known(page, fresh) == []

    await page.fill("#enrol-number", str(NUMBER))
    await page.fill("#enrol-name", "Corn Market")
    await page.press("#enrol-name", "Enter")
    tile = f'article[data-camera-number="{NUMBER}"][data-state="live"]'
    await page.wait_for_selector(tile, timeout=120_000)
    assert await page.inner_text(f"{tile} .name b") == "Corn Market"
    await seen(
        page,
        "([tile, number]) => window.readStrip(document.querySelector(`${tile} video`))?.number === number",
        [tile, camera["number"]],
        timeout_s=60,
    )
    (known,) = await _known(page, fresh)
    assert (known["number"], known["name"]) == (NUMBER, "Corn Market")
    assert camera["password"] not in str(known)

    await page.wait_for_selector(f"{tile} .rec:not(.lost)", timeout=60_000)
    await page.wait_for_selector(".timeline .track .span", state="attached", timeout=60_000)
    spans = await page.evaluate(
        """async (id) => {
          const now = Date.now(), iso = (ms) => new Date(ms).toISOString();
          const range = `start=${iso(now - 600000)}&end=${iso(now)}`;
          return (await (await fetch(`/api/v1/cameras/${id}/timeline?stream=main&${range}`)).json()).spans;
        }""",
        known["id"],
    )
    assert {(span["codec"], span["width"], span["height"]) for span in spans} == {("h264", 640, 360)}
