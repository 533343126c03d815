"""Debian's Chromium watches a live stream, and the strip in its picture says which camera it is and how old."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from config.live import LiveSettings
from gateway.live import LiveHub, open_live
from gateway.live.udp import UdpPath
from kernel.clock import SystemClock
from kernel.ids import CameraId, StreamName
from kernel.media import VideoCodec
from tests.fakes.browser import chromium
from tests.fakes.live_page import live_page
from tests.fakes.pattern import TONE, PatternCamera
from tests.fakes.waiting import until, until_page

CAMERA = CameraId("0" * 32)
# Chromium reaches us over loopback alone: a machine without any other interface must do.
ONLY_LOOPBACK = LiveSettings(loopback=True, port=0, addresses=("127.0.0.1",))

pytestmark = pytest.mark.timeout(120)


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """Give Debian's Chromium."""
    async with chromium() as browser:
        yield browser


async def _watch(page: Page, address: str, *, audio: bool = False, stream: str = "main") -> dict[str, Any]:
    await page.goto(address)
    found: dict[str, Any] = await page.evaluate("([path, audio]) => watch(path, { audio })", [f"/whep/{stream}", audio])
    return found


async def _reading(page: Page, *, fresh_ms: int = 1000) -> dict[str, Any]:
    """Return what the strip says once a picture younger than ``fresh_ms`` is shown."""
    handle = await page.wait_for_function(
        "(fresh) => { const seen = readStrip(); return seen && seen.ageMs < fresh ? seen : null; }", arg=fresh_ms
    )
    found: dict[str, Any] = await handle.json_value()
    return found


async def test_chromium_shows_the_right_camera_of_now(browser: Browser) -> None:
    """A viewer sees camera 42 in pictures under a second old, from the cached GOP on."""
    clock = SystemClock()
    camera = PatternCamera(clock, number=42)
    async with open_live(ONLY_LOOPBACK, clock=clock) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            async with camera.playing(feed), live_page(hub, CAMERA) as address:
                await until(lambda: len(feed.cached()) > 5, what="a cached GOP")
                page = await browser.new_page()
                answered = await _watch(page, address)
                reading = await _reading(page)
                await until(lambda: hub.viewers()[0].frames_sent > 5, what="more pictures than the first few")
                (viewer,) = hub.viewers()
                await page.evaluate("peer.close()")
                await until(lambda: not hub.viewers(), what="the viewer who closed to be forgotten")
    assert answered["status"] == 201
    assert (reading["number"], reading["width"], reading["height"]) == (42, 640, 360)
    assert viewer.connected


async def test_the_cameras_own_profile_and_sound_are_passed_on(browser: Browser) -> None:
    """G.711 sound plays beside the video, and nothing is encoded anew for it."""
    clock = SystemClock()
    camera = PatternCamera(clock, sound=TONE)
    async with open_live(ONLY_LOOPBACK, clock=clock) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            async with camera.playing(feed), live_page(hub, CAMERA) as address:
                await until(lambda: feed.live, what="a live feed")
                page = await browser.new_page()
                answered = await _watch(page, address, audio=True)
                await until_page(page, "inbound().then((now) => now.audio?.samples > 2000)", what="sound")
                await page.evaluate("peer.close()")
    assert "PCMU/8000" in answered["answer"]
    assert "opus" not in answered["answer"]


async def test_a_camera_that_comes_back_goes_on_in_the_same_view(browser: Browser) -> None:
    """After a break whose media times restart, the picture in the browser is fresh again without a new offer."""
    clock = SystemClock()
    camera, after = PatternCamera(clock, number=5), PatternCamera(clock, number=6, width=320, height=180)
    async with open_live(ONLY_LOOPBACK, clock=clock) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            async with live_page(hub, CAMERA) as address:
                page = await browser.new_page()
                async with camera.playing(feed):
                    await until(lambda: feed.live, what="a live feed")
                    await _watch(page, address)
                    before = await _reading(page)
                async with after.playing(feed):
                    await page.wait_for_function("() => readStrip()?.number === 6")
                    later = await _reading(page)
                viewers = len(hub.viewers())
                await page.evaluate("peer.close()")
    assert before["number"] == 5
    assert (later["number"], later["width"]) == (6, 320)
    assert viewers == 1


async def test_lost_packets_are_sent_again(browser: Browser, hub_that_loses: LiveHub) -> None:
    """With every 20th packet lost on the way the browser decodes on, from retransmissions."""
    clock = SystemClock()
    camera = PatternCamera(clock, bitrate_kbit=3000, frame_rate=25)
    with hub_that_loses.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
        async with camera.playing(feed), live_page(hub_that_loses, CAMERA) as address:
            await until(lambda: feed.live, what="a live feed")
            page = await browser.new_page()
            await _watch(page, address)
            await until(lambda: hub_that_loses.viewers()[0].retransmitted > 5, what="retransmissions")
            frames = (await page.evaluate("inbound()"))["video"]["frames"]
            await until_page(page, f"inbound().then((now) => now.video.frames > {frames + 25})", what="pictures")
            reading = await _reading(page, fresh_ms=2000)
            await page.evaluate("peer.close()")
    assert reading["number"] == 7


@pytest_asyncio.fixture
async def hub_that_loses(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LiveHub]:
    """Give a hub whose network loses every 20th packet."""
    count = 0
    send = UdpPath.send

    def lossy(self: UdpPath, data: bytes | memoryview, address: tuple[str, int]) -> bool:
        nonlocal count
        count += 1
        return True if count % 20 == 0 else send(self, data, address)

    monkeypatch.setattr(UdpPath, "send", lossy)
    monkeypatch.setattr("gateway.live.peer.srtp.SEGMENTS", 1)  # each packet by itself
    async with open_live(ONLY_LOOPBACK, clock=SystemClock()) as hub:
        yield hub


async def test_h265_is_refused_where_the_browser_has_none(browser: Browser) -> None:
    """Where nothing may be converted, Chromium without an H.265 decoder is told so by a code of its own."""
    clock = SystemClock()
    camera = PatternCamera(clock, codec=VideoCodec.H265)
    async with open_live(ONLY_LOOPBACK.model_copy(update={"transcodes": 0}), clock=clock) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            async with camera.playing(feed), live_page(hub, CAMERA) as address:
                await until(lambda: feed.live, what="a live feed")
                page = await browser.new_page()
                answered = await asyncio.wait_for(_watch(page, address), 30)
    assert answered == {"status": 406, "text": "live.codec"}
