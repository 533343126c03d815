"""A field team's phone: a browser of its size and fingers, on a thin link, that loses its network and dies."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, expect
from playwright.async_api import Error as BrowserError

from tests.fakes.browser import CHROMIUM, FLAGS
from tests.fakes.photos import photo
from tests.fakes.waiting import told
from tests.fakes.watching import PHONE

PLACE = {"latitude": 51.50002, "longitude": -0.10001, "accuracy": 6}
FACING_EAST = (
    "() => dispatchEvent(new DeviceOrientationEvent('deviceorientationabsolute',"
    " {alpha: 270, beta: 0, gamma: 0, absolute: true}))"
)
THIRD_GENERATION = {"latency": 400, "downloadThroughput": 400_000 / 8, "uploadThroughput": 400_000 / 8}
UNBOUND = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
_KEPT = """() => navigator.serviceWorker.controller !== null
  && caches.match('/static/vendor/zxing-wasm/reader/zxing_reader.wasm').then((one) => one !== undefined)"""
PHOTO_TAPS = 3
"""The page's button, the shutter, and the phone's "use it"."""


class FieldPhone:
    """Counts what a thumb does. Made by :meth:`of`."""

    def __init__(self, browser: Browser, cookies: httpx.Cookies, url: str, folder: Path) -> None:
        self._browser = browser
        self._cookies = [{"name": name, "value": value, "url": url} for name, value in cookies.items()]
        self._url = url
        self._folder = folder
        self._flags: Sequence[str] = ()
        self._permissions = ["geolocation"]
        self._shade = 100
        self._cut = False
        self._link: dict[str, float] = dict(UNBOUND)
        self._context: BrowserContext
        self._wire: CDPSession
        self.size = PHONE
        self.place: dict[str, float] = dict(PLACE)
        self.large_photos = False
        """Its camera makes photos of 3 MB, as true ones do."""
        self.taps = 0
        self.broken: list[str] = []
        self.page: Page

    @classmethod
    async def of(
        cls,
        browser: Browser,
        somebody: httpx.AsyncClient,
        url: str,
        folder: Path,
        stack: AsyncExitStack,
        *,
        sees: Path | None = None,
        size: tuple[int, int] = PHONE,
        place: dict[str, float] | None = None,
    ) -> "FieldPhone":
        """Return the phone of somebody who is signed in, prepared where there is a network, and then on a thin link.

        ``sees`` is what its camera sees, as a video; the page may use it then.
        """
        phone = cls(browser, somebody.cookies, url, folder)
        phone.size, phone.place = size, dict(place or PLACE)
        if sees is not None:
            phone._permissions = ["geolocation", "camera"]
            phone._flags = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={sees}"]
        stack.push_async_callback(phone.end)
        await phone.start()
        await told(lambda: phone.page.evaluate(_KEPT), bool, what="the page to be kept on the phone")
        await phone.thin()
        return phone

    async def start(self, *, shown: str = ".field-strip") -> None:
        """Switch it on and open the page: its storage is that of before. ``shown`` is what is to be seen then."""
        self._context = await self._browser.browser_type.launch_persistent_context(
            self._folder / "phone",
            executable_path=CHROMIUM,
            args=[*FLAGS, *self._flags],
            viewport={"width": self.size[0], "height": self.size[1]},
            has_touch=True,
            is_mobile=True,
            geolocation=self.place,  # type: ignore[arg-type]
            permissions=self._permissions,
        )
        await self._context.add_cookies(self._cookies)  # type: ignore[arg-type]
        await self._context.set_offline(self._cut)
        self.page = self._context.pages[0]
        self.page.on("pageerror", lambda error: self.broken.append(str(error)))
        self._wire = await self._context.new_cdp_session(self.page)
        await self._wire.send("Network.enable")
        await self._conditions()
        await self.page.goto(f"{self._url}/field")
        await expect(self.page.locator(shown)).to_be_visible()

    async def die(self) -> None:
        """Run flat, in the middle of whatever it does: what the page had only in its memory is gone.

        The machine's own cache of the disk outlives this, as it would not a flat battery: that the page asks for more
        than that cache is asserted in ``tests/unit/console/js/field-kept.test.js``.
        """
        lock = self._folder / "phone" / "SingletonLock"
        os.kill(int(str(lock.readlink()).rpartition("-")[2]), signal.SIGKILL)
        await self.end()

    async def end(self) -> None:
        """Switch it off."""
        with contextlib.suppress(BrowserError):
            await self._context.close()

    async def lose(self) -> None:
        """Lose the network."""
        self._cut = True
        await self._context.set_offline(True)
        await self._conditions()

    async def find(self) -> None:
        """Have the network back."""
        self._cut = False
        await self._context.set_offline(False)
        await self._conditions()

    async def thin(self) -> None:
        """Leave for where there is 3G."""
        self._link = dict(THIRD_GENERATION)
        await self._conditions()

    async def is_sure_within(self, accuracy_m: float) -> None:
        """Have its place be as sure as it is between houses."""
        self.place["accuracy"] = accuracy_m
        await self._context.set_geolocation(self.place)  # type: ignore[arg-type]

    async def _conditions(self) -> None:
        await self._wire.send("Network.emulateNetworkConditions", {"offline": self._cut, **self._link})

    async def tap(self, selector: str) -> None:
        """Tap something once."""
        self.taps += 1
        await self.page.locator(selector).first.tap()

    async def shoot(self, selector: str, *, place: tuple[float, float] | None = None) -> None:
        """Take a photo: three taps on a true phone. ``place`` is what it says of itself."""
        self.taps += PHOTO_TAPS
        self._shade += 1
        file = self._folder / f"{self._shade}.jpg"
        said = place or (self.place["latitude"], self.place["longitude"])
        made = await asyncio.to_thread(photo, shade=self._shade, place=said, large=self.large_photos)
        await asyncio.to_thread(file.write_bytes, made)
        await self.page.set_input_files(selector, file)

    async def draw(self, selector: str, box: tuple[float, float, float, float]) -> None:
        """Draw with a finger, from one corner of a rectangle to the other: parts of what is drawn on."""
        one = self.page.locator(selector)
        # A finger reaches what is on the screen.
        await one.scroll_into_view_if_needed()
        room = await one.bounding_box()
        assert room is not None
        left, top, right, bottom = box
        for step in range(6):
            part = step / 5
            at = {
                "x": room["x"] + room["width"] * (left + (right - left) * part),
                "y": room["y"] + room["height"] * (top + (bottom - top) * part),
            }
            kind = "touchStart" if step == 0 else "touchMove"
            await self._wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
        await self._wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    @contextlib.asynccontextmanager
    async def hold(self, selector: str) -> AsyncIterator[None]:
        """Keep a finger on something for the time of the block."""
        one = self.page.locator(selector)
        # It is on the screen, stands, and takes what comes to where it is.
        await one.tap(trial=True)
        room = await one.bounding_box()
        assert room is not None
        at = {"x": room["x"] + room["width"] / 2, "y": room["y"] + room["height"] / 2}
        await self._wire.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
        try:
            yield
        finally:
            await self._wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    async def unfit(self) -> list[str]:
        """Return why the browser would not install the page; empty where it would."""
        found = await self._wire.send("Page.getInstallabilityErrors")
        return [one["errorId"] for one in found["installabilityErrors"]]

    async def stand_here(self) -> None:
        """Say where the unit stands: this phone's place, and its compass."""
        accuracy = f"[data-accuracy='{self.place['accuracy']:.0f}']"
        await expect(self.page.locator(accuracy)).to_be_visible()
        await self.page.evaluate(FACING_EAST)
        await expect(self.page.locator("#stands-here")).to_be_enabled()
        # Nobody looks for it: the whole step is on the screen by itself.
        await expect(self.page.locator("#stands-here")).to_be_in_viewport(ratio=1)
        await self.tap("#stands-here")
        await self.done("place")

    async def done(self, part: str) -> None:
        """Wait until a part is done."""
        await expect(self.page.locator(f'[data-part="{part}"]')).to_have_attribute("data-done", "true")

    async def waits(self, count: int) -> None:
        """Wait until so many steps wait to be sent."""
        await expect(self.page.locator(".field-sent")).to_have_attribute("data-waits", str(count))
