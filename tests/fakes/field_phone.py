"""A field team's phone: a browser of its size and fingers, on a thin link, that loses its network and dies."""

from contextlib import AsyncExitStack
from pathlib import Path

import httpx
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, expect

from tests.fakes.photos import photo
from tests.fakes.watching import PHONE

PLACE = {"latitude": 51.50002, "longitude": -0.10001, "accuracy": 6}
FACING_EAST = (
    "() => dispatchEvent(new DeviceOrientationEvent('deviceorientationabsolute',"
    " {alpha: 270, beta: 0, gamma: 0, absolute: true}))"
)
THIRD_GENERATION = {"latency": 400, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
_READS = """globalThis.BarcodeDetector = class {
  static async getSupportedFormats() { return ["qr_code"]; }
  async detect(video) { return video.videoWidth > 0 ? [{ rawValue: "CODE" }] : []; }
};"""
PHOTO_TAPS = 3
"""The page's button, the shutter, and the phone's "use it"."""


class FieldPhone:
    """Counts what a thumb does. Made by :meth:`of`."""

    def __init__(self, context: BrowserContext, url: str, folder: Path) -> None:
        self._context = context
        self._url = url
        self._folder = folder
        self._shade = 100
        self._cut = False
        self.taps = 0
        self.broken: list[str] = []
        self.page: Page
        self._wire: CDPSession

    @classmethod
    async def of(
        cls,
        browser: Browser,
        somebody: httpx.AsyncClient,
        url: str,
        folder: Path,
        stack: AsyncExitStack,
        *,
        code: str | None = None,
    ) -> "FieldPhone":
        """Return the phone of somebody who is signed in, with the page open and kept. ``code``: read off units."""
        context = await browser.new_context(
            viewport={"width": PHONE[0], "height": PHONE[1]},
            has_touch=True,
            is_mobile=True,
            geolocation=PLACE,  # type: ignore[arg-type]
            permissions=["geolocation"] if code is None else ["geolocation", "camera"],
        )
        if code is not None:
            await context.add_init_script(_READS.replace("CODE", code))
        stack.push_async_callback(context.close)
        await context.add_cookies(
            [{"name": name, "value": value, "url": url} for name, value in somebody.cookies.items()]
        )
        phone = cls(context, url, folder)
        await phone.start()
        await phone.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        return phone

    async def start(self) -> None:
        """Open the page."""
        self.page = await self._context.new_page()
        self.page.on("pageerror", lambda error: self.broken.append(str(error)))
        self._wire = await self._context.new_cdp_session(self.page)
        await self._wire.send("Network.enable")
        await self._link()
        await self.page.goto(f"{self._url}/field")
        await expect(self.page.locator(".field-strip")).to_be_visible()

    async def die(self) -> None:
        """Run flat: what was not on the disk is gone."""
        await self.page.close()

    async def lose(self) -> None:
        """Lose the network."""
        self._cut = True
        await self._context.set_offline(True)
        await self._link()

    async def find(self) -> None:
        """Have the network back."""
        self._cut = False
        await self._context.set_offline(False)
        await self._link()

    async def _link(self) -> None:
        await self._wire.send("Network.emulateNetworkConditions", {"offline": self._cut, **THIRD_GENERATION})

    async def tap(self, selector: str) -> None:
        """Tap something once."""
        self.taps += 1
        await self.page.locator(selector).first.tap()

    async def shoot(self, selector: str) -> None:
        """Take a photo: three taps on a true phone."""
        self.taps += PHOTO_TAPS
        self._shade += 1
        file = self._folder / f"{self._shade}.jpg"
        file.write_bytes(photo(shade=self._shade, place=(PLACE["latitude"], PLACE["longitude"])))
        await self.page.set_input_files(selector, file)

    async def done(self, part: str) -> None:
        """Wait until a part is done."""
        await expect(self.page.locator(f'[data-part="{part}"]')).to_have_attribute("data-done", "true")

    async def waits(self, count: int) -> None:
        """Wait until so many steps wait to be sent."""
        await expect(self.page.locator(".field-sent")).to_have_attribute("data-waits", str(count))
