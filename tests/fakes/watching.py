"""A room that shares live pictures, and officers in Chromium at the partner's page: real views of drawn cameras."""

import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import av
import numpy as np
import pyotp
from playwright.async_api import Browser, Page
from starlette.requests import Request
from starlette.responses import Response

from config.live import LiveSettings
from config.settings import Settings
from gateway.live import LiveHub, open_live
from kernel.clock import NS_PER_S, SystemClock
from kernel.ids import CameraId, StreamName
from tests.fakes.browser import PATIENCE_MS, chromium
from tests.fakes.descriptions import description
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.outside import Officer
from tests.fakes.pattern import PatternCamera
from tests.fakes.waiting import until
from tests.fakes.whep_desk import LiveHost

LIVE = LiveSettings.model_validate({"loopback": True, "addresses": ["127.0.0.1"], "port": 0})
DESK, PHONE = (1280, 800), (390, 844)
NAMES = (("High Street", "at the bank"), ("Market Square", "north side"), ("Station Road", "bus stops"))


def jpeg(width: int = 320, height: int = 180) -> bytes:
    """Return a grey picture."""
    written = io.BytesIO()
    with av.open(written, "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), 90, np.uint8), format="rgb24")
        container.mux(stream.encode(frame.reformat(format="yuvj420p")))
        container.mux(stream.encode(None))
    return written.getvalue()


class PictureHost(LiveHost):
    """Its cameras give a true snapshot."""

    async def _snapshot(self, _request: Request) -> Response:
        return self._refused("snapshot") or Response(jpeg(), media_type="image/jpeg")


class Room:
    """Made by :func:`watched_room`. ``cameras`` play; ``streets`` are where their pictures come from."""

    def __init__(self, desk: Desk, host: PictureHost, browser: Browser, stack: AsyncExitStack) -> None:
        self.desk = desk
        self.host = host
        self.cameras: list[str] = []
        self.streets: list[PatternCamera] = []
        self.broken: list[str] = []
        self._browser = browser
        self._stack = stack

    @property
    def hub(self) -> LiveHub:
        """Return the host's views."""
        return self.host.hub

    async def page(self, *, phone: bool = False, who: Officer | None = None, path: str = "/watch") -> Page:
        """Open a page in a browser of its own, signed in as ``who``; the page must raise nothing."""
        width, height = PHONE if phone else DESK
        context = await self._browser.new_context(
            viewport={"width": width, "height": height}, has_touch=phone, is_mobile=phone
        )
        self._stack.push_async_callback(context.close)
        if who is not None:
            await context.add_cookies(
                [{"name": name, "value": value, "url": self.desk.url} for name, value in who.browser.cookies.items()]
            )
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.broken.append(str(error)))
        page.on("console", lambda said: self.broken.append(said.text) if "Content Security" in said.text else None)
        await page.goto(self.desk.url + path)
        return page

    async def _add(self, clock: SystemClock, number: int, *, size: tuple[int, int]) -> None:
        name, street = NAMES[(number - 1) % len(NAMES)]
        self.host.found = description(f"urn:uuid:{number}")
        identity = await self.desk.enrol(number=number, name=name, street=street)
        camera = PatternCamera(clock, number=number, width=size[0], height=size[1], frame_rate=12.5)
        for stream in (StreamName.MAIN, StreamName.SUB):
            feed = self._stack.enter_context(
                self.hub.feed(CameraId(identity), stream, request_keyframe=camera.request_keyframe)
            )
            if stream is StreamName.MAIN:
                await self._stack.enter_async_context(camera.playing(feed))
                await until(lambda feed=feed: len(feed.cached()) > 3, what="a cached GOP")  # type: ignore[misc]
        self.host.state(self.host.live(identity))
        self.cameras.append(identity)
        self.streets.append(camera)


async def _with_a_second_factor(desk: Desk) -> None:
    """Let the administrator have what everybody must have here."""
    offer = (await desk.admin.post("/api/v1/session/factors/totp")).json()
    code = pyotp.TOTP(offer["secret"]).at(SystemClock().wall_ns() // NS_PER_S)
    answer = await desk.admin.put("/api/v1/session/factors/totp", json={"ticket": offer["ticket"], "code": code})
    assert answer.is_success, answer.text


@asynccontextmanager
async def watched_room(
    path: Path, *, cameras: int = 1, settings: Settings | None = None, size: tuple[int, int] = (320, 180)
) -> AsyncIterator[Room]:
    """Give a gateway whose cameras play, and a browser."""
    clock = SystemClock()
    settings = (settings or settings_in(path)).model_copy(update={"live": LIVE})
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        hub = await stack.enter_async_context(open_live(LIVE, clock=clock))
        host = PictureHost(hub)
        desk = await stack.enter_async_context(open_desk(path, settings=settings, host=host))
        if settings.access.second_factor == "required":
            await _with_a_second_factor(desk)
        room = Room(desk, host, browser, stack)
        for number in range(1, cameras + 1):
            await room._add(clock, number, size=size)
        yield room
    assert not room.broken, room.broken
