"""Chromium watches one film over a bad line, and tells what it decoded and when it showed it."""

import itertools
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page

from config.live import LiveSettings
from gateway.fleet.rpc import ViewerState
from gateway.live import LiveFeed, LiveHub, open_live
from kernel.clock import SystemClock
from kernel.ids import CameraId, StreamName
from tests.fakes.browser import chromium
from tests.fakes.film_camera import FilmCamera, film
from tests.fakes.live_page import live_page
from tests.fakes.udp_relay import Carried, UdpRelay
from tests.fakes.waiting import until, until_page

CAMERA = CameraId("0" * 32)
LOOPBACK = LiveSettings(loopback=True, port=0, addresses=("127.0.0.1",), tcp=False)
GOP_FRAMES = 50
KEYFRAME_INTERVAL_MS = 2000
GOOD_PICTURES = 15
"""Over a good line, at the end of a bad one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of the pictures between two moments at which nothing was on the way."""

    taken: int
    """Pictures that the camera took."""
    sent: int
    """Pictures that the host sent, those of groups that it sent again too."""
    decoded: int
    shown: tuple[tuple[float, float | None], ...]
    """When each picture came on the glass, and how old it was, where the browser can tell (ms)."""
    browser: dict[str, float]
    """What the browser counts, since the view began."""
    viewer: ViewerState
    """What the host counts, since the view began."""
    carried: Carried
    """What became of the packets on their way down."""

    @property
    def share(self) -> float:
        """Return the share of the pictures that were decoded."""
        return self.decoded / max(self.taken, self.sent)

    @property
    def freezes_ms(self) -> list[float]:
        """Return how long pictures stood, the longest first."""
        return sorted((after[0] - before[0] for before, after in itertools.pairwise(self.shown)), reverse=True)

    @property
    def age_at_the_end_ms(self) -> float:
        """Return how old pictures were at the end: the median of the last second."""
        return statistics.median(age for _, age in self.shown[-25:] if age is not None)

    def __str__(self) -> str:
        """Return it for the message of an assertion."""
        return (
            f"decoded {self.decoded} of {self.taken} taken and {self.sent} sent, shown {len(self.shown)}, freezes "
            f"{[round(ms) for ms in self.freezes_ms[:5]]} ms, age at the end {self.age_at_the_end_ms:.0f} ms, "
            f"{self.browser}, resent {self.viewer.retransmitted} of {self.viewer.packets_sent}, {self.carried}"
        )


class KeyframeEater:
    """Loses a part of every large picture when it is first sent; what is sent again passes. For ``Way.eats``."""

    def __init__(self, first: int, last: int) -> None:
        self._range = range(first, last)
        self._source: bytes | None = None
        self._seen: dict[bytes, int] = {}
        self.eaten = 0

    def __call__(self, packet: bytes) -> bool:
        """Tell whether to lose a packet. RTP headers are in the clear (RFC 3711 section 3.1)."""
        if len(packet) < 100 or packet[0] >> 6 != 2:
            return False
        time, source = packet[4:8], packet[8:12]
        self._source = self._source or source
        if source != self._source:
            return False
        place = self._seen[time] = self._seen.get(time, 0) + 1
        if place not in self._range:
            return False
        self.eaten += 1
        return True


class LossyView:
    """Made by :func:`lossy_view`; the view has begun."""

    def __init__(self, hub: LiveHub, feed: LiveFeed, camera: FilmCamera, relay: UdpRelay, page: Page) -> None:
        self.hub = hub
        self.feed = feed
        self.camera = camera
        self.relay = relay
        self.page = page
        self.first_frame_ms = 0.0
        self._begun = (0, 0, 0)

    @property
    def viewer(self) -> ViewerState:
        """Return what the host knows of it."""
        (viewer,) = self.hub.viewers()
        return viewer

    async def begin(self) -> None:
        """Offer, wait for the first picture, and let the line be good until nothing is on the way any more."""
        await self.page.evaluate("note()")
        answered = await self.page.evaluate("watch('/whep/main', { referenceTimes: true })")
        self.first_frame_ms = answered["firstFrameMs"]
        self._begun = await self._settled()
        await self.page.evaluate("shown.length = 0")
        self.camera.held = False

    async def play(self, pictures: int) -> None:
        """Wait until so many more pictures were sent."""
        goal = self.camera.played + pictures
        await until(lambda: self.camera.played >= goal, timeout_s=60, what="the camera")

    async def sees(self, width: int) -> None:
        """Wait until the picture on the glass is so wide."""
        await until_page(self.page, f"document.getElementById('video').videoWidth === {width}")

    async def inbound(self) -> dict[str, float]:
        """Return what the browser counts."""
        found: dict[str, float] = (await self.page.evaluate("inbound()"))["video"]
        return found

    async def verdict(self) -> Verdict:
        """Let the line be good again, have the camera stop, let what is on the way arrive, and judge."""
        ended = await self._settled()
        taken, sent, decoded = (after - before for before, after in zip(self._begun, ended, strict=True))
        return Verdict(
            taken=taken,
            sent=sent,
            decoded=decoded,
            shown=tuple((at, age) for at, age in await self.page.evaluate("shown")),
            browser=await self.inbound(),
            viewer=self.viewer,
            carried=self.relay.down.carried,
        )

    async def _settled(self) -> tuple[int, int, int]:
        """Return how many pictures were taken, sent and decoded, once the browser has decoded all that it will."""
        ways = (self.relay.down, self.relay.up)
        losses = [way.loss for way in ways]
        for way in ways:
            way.loss = 0.0
        await self.play(GOOD_PICTURES)  # what is lost before them is missed, and asked for, when they come
        self.camera.held = True
        await self.page.evaluate("window.framesThen = null")
        await until_page(self.page, _SETTLED)
        for way, loss in zip(ways, losses, strict=True):
            way.loss = loss
        return self.camera.played, self.viewer.frames_sent, int((await self.inbound())["frames"])


_SETTLED = """(async () => {
  const { frames } = (await inbound()).video, now = performance.now();
  if (frames !== window.framesThen) [window.framesThen, window.framesSince] = [frames, now];
  return now - framesSince > 700;
})()"""


@asynccontextmanager
async def lossy_view(*, seed: int, loss: float = 0.0, sub: bool = False) -> AsyncIterator[LossyView]:
    """Give Chromium over a line of 100 ms each way on which, both ways, packets are lost, overtaken and doubled.

    With ``sub`` the camera has a sub stream too, of 320 pixels width.
    """
    clock = SystemClock()
    camera = FilmCamera(clock, film(gop_frames=GOP_FRAMES))
    async with chromium() as browser, open_live(LOOPBACK, clock=clock) as hub:
        with (
            UdpRelay(("127.0.0.1", hub.port.number), seed=seed) as relay,
            hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed,
        ):
            for way in (relay.down, relay.up):
                way.loss, way.delay_s, way.late, way.duplicate = loss, 0.1, 0.1, 0.01
            async with _sub(hub, sub), camera.playing(feed), live_page(hub, CAMERA, through=relay.address) as address:
                await until(lambda: len(feed.cached()) > 5, what="a cached GOP")
                page: Any = await browser.new_page()
                await page.goto(address)
                view = LossyView(hub, feed, camera, relay, page)
                await view.begin()
                yield view
                await page.evaluate("peer.close()")


@asynccontextmanager
async def _sub(hub: LiveHub, wanted: bool) -> AsyncIterator[None]:  # noqa: FBT001 - whether there is one
    if not wanted:
        yield
        return
    camera = FilmCamera(SystemClock(), film(width=320, height=180, gop_frames=GOP_FRAMES, grain=30))
    with hub.feed(CAMERA, StreamName.SUB, request_keyframe=camera.request_keyframe) as feed:
        async with camera.playing(feed):
            yield
