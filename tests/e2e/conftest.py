"""The demo as a newcomer starts it, and Debian's Chromium to look at it with."""

import asyncio
import contextlib
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page
from pytest_asyncio import is_async_test

from drivers.simulator.device import Mount
from drivers.simulator.picture.painter import Painter
from drivers.simulator.town.town import Town
from kernel.clock import SystemClock
from tests.e2e.field_street import Street, open_street
from tests.fakes import browser
from tests.fakes.browser import PATIENCE_MS, driver

ROOT = Path(__file__).parents[2]
SIGHTLINE = Path(sys.executable).with_name("sightline")
STRIP = (ROOT / "benchmarks" / "strip.js").read_text(encoding="utf-8")
USER, PASSWORD = "anne", "correct horse battery"
START_S = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A started Sightline: where it is, the one-time code it printed, and how a line is typed at its terminal."""

    url: str
    code: str
    type: Callable[[str], None]


class Started:
    """A `sightline` process whose output is read as it comes."""

    def __init__(self, *arguments: str) -> None:
        self._said: list[str] = []
        self._url = threading.Event()
        self.running: Running | None = None
        self.process = subprocess.Popen(
            [SIGHTLINE, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.append(line)
            if found := re.search(r"(http://\S+)/#setup=(\S+)", line):
                self.running = Running(url=found[1], code=found[2], type=self.type)
                self._url.set()
        self._url.set()

    def type(self, line: str) -> None:
        """Type a line where it runs."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    @property
    def said(self) -> str:
        """Return what it has printed so far."""
        return "".join(self._said)

    def wait(self) -> Running:
        """Return where it is, once it says so."""
        assert self._url.wait(START_S), f"no address within {START_S} s:\n{''.join(self._said)}"
        assert self.running is not None, f"it ended:\n{''.join(self._said)}"
        return self.running

    def end(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.terminate()
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            # It says what it waits for; then a second request ends it at once, as an operator would.
            self.process.send_signal(signal.SIGUSR1)
            self._listener.join(2)
            self.process.terminate()
            self.process.wait(10)
            pytest.fail(f"it did not end within a minute:\n{''.join(self._said)}")
        self._listener.join(10)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        return code


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run all tests of this folder on one event loop; those that share a demo or a borough last, one after the other.

    On one loop they have one driver of the browser. Six simulated cameras take more than half a core from everybody
    else, and two such demos at once from each other.
    """
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is not None)


@pytest_asyncio.fixture(scope="session", loop_scope="session", autouse=True)
async def browser_driver() -> AsyncIterator[None]:
    """Have one driver of the browser for all tests of this folder."""
    async with driver():
        yield


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def no_leftover_tasks(browser_driver: None) -> AsyncIterator[None]:
    """Fail a test that leaves a task running on the loop that they share."""
    before = asyncio.all_tasks()
    yield
    left = {task for task in asyncio.all_tasks() - before if not task.done()} - {asyncio.current_task()}
    assert not left, f"left running: {left}"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`sightline demo` with its six cameras, in which Anne is the administrator; units have a test of their own."""
    with demonstrated(tmp_path_factory.mktemp("demo"), "--units", "0") as running:
        yield running


@contextmanager
def demonstrated(folder: Path, *arguments: str) -> Iterator[Running]:
    """Run `sightline demo` for the time of the block, in which Anne is the administrator."""
    started = Started("demo", "--data-dir", str(folder), "--port", "0", *arguments)
    try:
        running = started.wait()
        with httpx.Client(
            base_url=running.url, headers={"X-Sightline": "1", "Origin": running.url}, timeout=30
        ) as anne:
            anne.post(
                "/api/v1/setup", json={"code": running.code, "username": USER, "password": PASSWORD}
            ).raise_for_status()
            _wait_for_cameras(anne, started)
        yield running
    finally:
        started.end()


def _wait_for_cameras(anne: httpx.Client, started: Started) -> None:
    """Return once every camera is live: six encoders that start at once keep a busy machine for a while."""
    for _ in range(2 * START_S):
        cameras = anne.get("/api/v1/cameras").raise_for_status().json()
        if cameras and all(one["state"] is not None and one["state"]["live"] == "live" for one in cameras):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.process.wait(0.5)
    pytest.fail(f"not all cameras are live after {START_S} s:\n{started.said}")


@pytest_asyncio.fixture(loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium, headless."""
    async with browser.chromium() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """A page of a control-room monitor; what it complains of in its console fails the test."""
    context = await chromium.new_context(viewport={"width": 1920, "height": 1080})
    await context.add_init_script(STRIP)
    page = await context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    await context.close()
    assert not broken, broken


async def sign_in(page: Page, at: Running) -> None:
    """Sign Anne in as she would herself."""
    await page.goto(at.url)
    await page.fill("#username", USER)
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_selector('[data-wall="ready"]', timeout=PATIENCE_MS)


async def seen(page: Page, script: str, arg: object = None, *, timeout_s: float = PATIENCE_MS / 1000) -> None:
    """Return once a function of the page says yes.

    Playwright's own wait_for_function evaluates text inside the page, which the console's content security policy
    rightly forbids.

    Raises:
        AssertionError: it did not within ``timeout_s``.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while not await page.evaluate(script, arg):
        assert loop.time() < deadline, f"not seen within {timeout_s} s: {script}"
        await page.wait_for_timeout(50)


@pytest_asyncio.fixture(loop_scope="session")
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    """Give a street whose unit is planned and calls in, for a field team's phone."""
    async with open_street(tmp_path) as street:
        yield street


@pytest_asyncio.fixture(loop_scope="session")
async def mapped_street(tmp_path: Path) -> AsyncIterator[Street]:
    """Give one whose map has a ground."""
    corners = [[-0.2, 51.4], [0.0, 51.4], [0.0, 51.6], [-0.2, 51.6], [-0.2, 51.4]]
    square = {
        "type": "Feature",
        "properties": {"kind": "square"},
        "geometry": {"type": "Polygon", "coordinates": [corners]},
    }
    ground = tmp_path / "ground.geojson"
    await asyncio.to_thread(ground.write_text, json.dumps({"type": "FeatureCollection", "features": [square]}))
    async with open_street(tmp_path, ground=ground) as street:
        yield street


@pytest_asyncio.fixture(loop_scope="session")
async def sharp_street(tmp_path: Path) -> AsyncIterator[Street]:
    """Give one whose unit sees a town: how wide its lens looks is measured in its pictures."""
    town = Town(seed=3, clock=SystemClock())
    site = town.sites(1)[0]
    eye = Painter(town, Mount(place=town.place(site), bearing_deg=site.bearing_deg))
    async with open_street(tmp_path, eye=eye) as street:
        yield street
