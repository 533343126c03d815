"""Debian's Chromium, to look at pages with: one for all tests of a process, in which each has contexts of its own.

Starting Chromium and Playwright's driver takes more of the machine than most tests do in it. The shared one is its
headless shell, as Playwright's own is: the same engine without the windows, tabs and menus that Chromium builds around
each page also where nobody sees them, which takes it as long again as the page. Whoever asks for more flags has the
whole of it.
"""

import asyncio
import atexit
import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Playwright, async_playwright, expect

CHROMIUM = Path("/usr/bin/chromium")
SHELL = Path("/usr/lib/chromium/chromium-headless-shell")
"""Not by its name in /usr/bin: that is a script which runs it as a child, and leaves it behind when it is ended."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--autoplay-policy=no-user-gesture-required",
]
AS_PLAYWRIGHT_STARTS_IT = [
    "--headless",
    "--hide-scrollbars",
    "--mute-audio",
    "--disable-back-forward-cache",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-breakpad",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-ipc-flooding-protection",
    "--disable-popup-blocking",
    "--disable-prompt-on-repost",
    "--no-startup-window",
    "--force-color-profile=srgb",
    "--password-store=basic",
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",
]
START_S = 60.0
PATIENCE_MS = 60_000
"""Of whoever looks at a page: a machine with other work to do is slow, and slowness is no fault."""
PORT_FILE = "DevToolsActivePort"

# Playwright keeps one number for the whole process: where each file set its own, all had that of the file that was
# loaded last, and whoever wanted a minute had twenty seconds.
expect.set_options(timeout=PATIENCE_MS)

_drivers: dict[asyncio.AbstractEventLoop, Playwright] = {}
_shared: list[str] = []


@asynccontextmanager
async def driver() -> AsyncIterator[Playwright]:
    """Give Playwright's driver to all that run on this event loop, for the time of the block."""
    loop = asyncio.get_running_loop()
    async with async_playwright() as playwright:
        _drivers[loop] = playwright
        try:
            yield playwright
        finally:
            del _drivers[loop]


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Browser]:
    """Give the browser; with more flags one of its own.

    Raises:
        AssertionError: Chromium is not here, or does not start.
    """
    for part in (CHROMIUM, SHELL):
        assert part.exists(), f"Chromium is not here. Install it: apt-get install {part.name} (or: make test-parts)"
    async with contextlib.AsyncExitStack() as stack:
        playwright = _drivers.get(asyncio.get_running_loop())
        if playwright is None:
            playwright = await stack.enter_async_context(async_playwright())
        if flags:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        else:
            browser = await playwright.chromium.connect_over_cdp(await _endpoint(), is_local=True)
        try:
            yield browser
        finally:
            await browser.close()


async def _endpoint() -> str:
    """Return where the shared Chromium of this process answers; start it if there is none."""
    if not _shared:
        folder = Path(tempfile.mkdtemp(prefix="chromium-"))
        # It ends with this process, also when that is killed.
        command = ["setpriv", "--pdeathsig", "TERM", str(SHELL), *AS_PLAYWRIGHT_STARTS_IT, *FLAGS]
        command += ["--remote-debugging-port=0", f"--user-data-dir={folder}"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(_end, process, folder)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_S
        while not (folder / PORT_FILE).exists() or not (folder / PORT_FILE).read_text().count("\n"):
            assert process.poll() is None, f"Chromium ended with {process.returncode}"
            assert loop.time() < deadline, f"Chromium did not start within {START_S} s"
            await asyncio.sleep(0.05)
        _shared.append(f"http://127.0.0.1:{(folder / PORT_FILE).read_text().splitlines()[0]}")
    return _shared[0]


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    if process.poll() is None:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)
