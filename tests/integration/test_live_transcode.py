"""H.265 cameras in Debian's Chromium, which plays none: the H.264 sub stream, or pictures coded anew."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from config.live import LiveSettings
from gateway.fleet import rpc
from gateway.live import LiveHub, open_live
from kernel.clock import NS_PER_S, SystemClock
from kernel.ids import CameraId, StreamName
from kernel.media import VideoCodec
from tests.fakes.browser import chromium
from tests.fakes.live_page import live_page
from tests.fakes.onecamera import one_camera
from tests.fakes.pattern import TONE, PatternCamera
from tests.fakes.waiting import told, until
from tests.fakes.whep_desk import WhepDesk, whep_desk
from tests.integration.test_worker_host import Site, site_of

pytestmark = pytest.mark.timeout(120)
CLOCK = SystemClock()
CAMERA, ANOTHER = CameraId("0" * 32), CameraId("1" * 32)
ONLY_LOOPBACK = LiveSettings.model_validate({"loopback": True, "addresses": ["127.0.0.1"], "port": 0})
H264, H265 = VideoCodec.H264, VideoCodec.H265


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """Give Debian's Chromium."""
    async with chromium() as browser:
        yield browser


async def watch(page: Page, address: str, *, audio: bool = False) -> dict[str, Any]:
    """Watch the main stream; return what it was answered with."""
    await page.goto(address)
    found: dict[str, Any] = await page.evaluate("(audio) => watch('/whep/main', { audio })", audio)
    return found


async def frames(page: Page, more: int) -> int:
    """Return how many frames were decoded, once there are ``more`` than now."""

    async def count() -> int:
        return int((await page.evaluate("inbound()"))["video"]["frames"])

    now = await count()
    return await told(count, lambda decoded: decoded >= now + more, what=f"{more} more frames")


async def reading(page: Page) -> dict[str, Any]:
    """Return what the strip says once a picture of the last second is shown."""
    handle = await page.wait_for_function("() => { const s = readStrip(); return s && s.ageMs < 1000 ? s : null; }")
    found: dict[str, Any] = await handle.json_value()
    return found


@asynccontextmanager
async def recorded(site: Site) -> AsyncIterator[None]:
    """Have the camera recorded; afterwards its recording must have no gap, lack no frame and be sound."""
    await site.client.assign(site.assignment())
    await until(
        lambda: site.state(lambda s: s.main.recording and s.main.recording.on and s.main.frames > 20),
        what="the main stream on disk",
    )
    began_ns = CLOCK.wall_ns()
    yield
    ended_ns = CLOCK.wall_ns()
    timeline = await site.client.timeline(site.id, StreamName.MAIN, began_ns, ended_ns)
    assert timeline.gaps == ()
    (span,) = timeline.spans
    assert span.start_ns <= began_ns
    assert ended_ns - span.end_ns < 10 * NS_PER_S
    assert (await site.client.verify(site.id))["sound"] is True


async def load(site: Site) -> tuple[int, int]:
    """Return how many transcodes the host says run, and may."""
    health = await site.client.health()
    assert health.load is not None
    return health.load.transcodes, health.load.transcodes_max


async def test_a_camera_of_h265_alone_is_seen(tmp_path: Path, browser: Browser) -> None:
    """Its pictures of now are decoded and its strip reads, the host counts one of two, and its recording is whole."""
    async with (
        one_camera(CLOCK, codec=H265, sub=False) as device,
        site_of(tmp_path, device) as site,
        recorded(site),
        live_page(site.host.hub, site.id) as address,
    ):
        before = await load(site)
        page = await browser.new_page()
        answered = await watch(page, address)
        seen = await reading(page)
        await frames(page, 50)
        (viewer,) = await site.client.viewers()
        during = await load_of(site, 1)
        await page.evaluate("peer.close()")
        after = await load_of(site, 0)
    assert (answered["status"], "H264/90000" in answered["answer"]) == (201, True)
    assert (seen["number"], seen["width"], seen["height"]) == (7, 320, 180)
    assert viewer.frames_sent >= 50
    assert (before, during, after) == ((0, 2), (1, 2), (0, 2))


async def load_of(site: Site, transcodes: int) -> tuple[int, int]:
    """Return the load once the host says that so many run."""
    return await told(lambda: load(site), lambda found: found[0] == transcodes, what=f"{transcodes} transcodes")


async def test_the_h264_sub_stream_is_shown_in_its_place(tmp_path: Path, browser: Browser) -> None:
    """Where the camera has one nothing is converted, and the viewer is told which stream it is."""
    async with (
        one_camera(CLOCK, codec=H265) as device,
        site_of(tmp_path, device) as site,
        live_page(site.host.hub, site.id) as address,
    ):
        await site.client.assign(site.assignment(recording=False))
        await until(lambda: site.state(lambda s: s.main.frames > 5 and s.sub and s.sub.frames > 5), what="both streams")
        page = await browser.new_page()
        await watch(page, address)
        seen = await reading(page)
        (viewer,) = await site.client.viewers()
        transcodes = site.host.hub.transcodes
        await page.evaluate("peer.close()")
    assert (seen["width"], seen["height"]) == (160, 90)
    assert (viewer.stream, transcodes) == (StreamName.SUB, 0)


async def test_a_killed_transcoder_is_a_moment_without_frames(tmp_path: Path, browser: Browser) -> None:
    """The same view goes on with another process; the recording has no gap and nothing is left of the first."""
    async with (
        one_camera(CLOCK, codec=H265, sub=False) as device,
        site_of(tmp_path, device) as site,
        recorded(site),
        live_page(site.host.hub, site.id) as address,
    ):
        page = await browser.new_page()
        await watch(page, address)
        await frames(page, 20)
        (transcode,) = site.host.hub.transcoders()
        (before,) = await site.client.viewers()
        killed = transcode.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await until(lambda: transcode.pid not in {None, killed}, what="another process")
        await frames(page, 50)
        seen = await reading(page)
        (after,) = await site.client.viewers()
        gone = not Path(f"/proc/{killed}").exists()
        await page.evaluate("peer.close()")
    assert seen["number"] == 7
    assert before.session == after.session
    assert gone


async def test_a_hung_transcoder_is_replaced(tmp_path: Path, browser: Browser) -> None:
    """One that is stopped in its tracks gives nothing; another takes its place and the view goes on."""
    async with (
        one_camera(CLOCK, codec=H265, sub=False) as device,
        site_of(tmp_path, device) as site,
        recorded(site),
        live_page(site.host.hub, site.id) as address,
    ):
        page = await browser.new_page()
        await watch(page, address)
        await frames(page, 20)
        (transcode,) = site.host.hub.transcoders()
        stopped = transcode.pid
        assert stopped is not None
        os.kill(stopped, signal.SIGSTOP)
        await until(lambda: transcode.pid not in {None, stopped}, timeout_s=30, what="another process")
        await frames(page, 20)
        gone = not Path(f"/proc/{stopped}").exists()
        await page.evaluate("peer.close()")
    assert gone


async def test_one_that_fell_behind_shows_now_again(browser: Browser) -> None:
    """After a while without the processor it drops what is old: pictures are of now, and no delay is left over."""
    camera = PatternCamera(CLOCK, codec=H265)
    async with open_live(ONLY_LOOPBACK, clock=CLOCK) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            async with camera.playing(feed), live_page(hub, CAMERA) as address:
                await until(lambda: feed.live, what="a live feed")
                page = await browser.new_page()
                await watch(page, address)
                (transcode,) = hub.transcoders()
                pid = transcode.pid
                assert pid is not None
                os.kill(pid, signal.SIGSTOP)
                await until(lambda: len(transcode._lane) > 30, what="pictures that wait")
                os.kill(pid, signal.SIGCONT)
                seen = await reading(page)
                await until(lambda: len(transcode._lane) < 3, what="nothing that waits")
                same = transcode.pid == pid
                await page.evaluate("peer.close()")
    assert seen["number"] == 7
    assert same


async def test_no_more_cameras_are_converted_than_may(browser: Browser) -> None:
    """With one place the second camera is refused by its own code; when the first viewer has left it is seen."""
    settings = ONLY_LOOPBACK.model_copy(update={"transcodes": 1})
    first, second = PatternCamera(CLOCK, codec=H265, number=1), PatternCamera(CLOCK, codec=H265, number=2)
    async with open_live(settings, clock=CLOCK) as hub:
        with (
            hub.feed(CAMERA, StreamName.MAIN, request_keyframe=first.request_keyframe) as feed,
            hub.feed(ANOTHER, StreamName.MAIN, request_keyframe=second.request_keyframe) as other,
        ):
            async with (
                first.playing(feed),
                second.playing(other),
                live_page(hub, CAMERA) as address,
                live_page(hub, ANOTHER) as another,
            ):
                await until(lambda: feed.live and other.live, what="live feeds")
                page, later = await browser.new_page(), await browser.new_page()
                await watch(page, address)
                refused = await watch(later, another)
                full = (hub.load().transcodes, hub.load().transcodes_max)
                await page.evaluate("peer.close()")
                await until(lambda: not hub.viewers(), what="the first viewer to be forgotten")
                answered = await watch(later, another)
                seen = await reading(later)
                await later.evaluate("peer.close()")
    assert refused == {"status": 503, "text": "live.transcodes-full"}
    assert full == (1, 1)
    assert (answered["status"], seen["number"]) == (201, 2)


async def test_two_viewers_share_and_sound_passes(browser: Browser) -> None:
    """Both see the camera from one process, and hear it as it is."""
    camera = PatternCamera(CLOCK, codec=H265, sound=TONE)
    async with open_live(ONLY_LOOPBACK, clock=CLOCK) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            async with camera.playing(feed), live_page(hub, CAMERA) as address:
                await until(lambda: feed.live, what="a live feed")
                pages = [await browser.new_page() for _ in range(2)]
                for page in pages:
                    await watch(page, address, audio=True)
                    await told(
                        lambda page=page: page.evaluate("inbound()"),  # type: ignore[misc]
                        lambda found: found.get("audio", {}).get("samples", 0) > 2000,
                        what="sound",
                    )
                seen = [(await reading(page))["number"] for page in pages]
                pids = {transcode.pid for transcode in hub.transcoders()}
                for page in pages:
                    await page.evaluate("peer.close()")
    assert seen == [7, 7]
    assert len(pids) == 1


CLAIMS_H265 = """(() => {
const claim = (sdp) => sdp.replaceAll("VP9/90000", "H265/90000");
const truth = (sdp) => sdp.replaceAll("H265/90000", "VP9/90000");
let real = RTCPeerConnection.prototype;
while (!Object.hasOwn(real, "createOffer")) real = Object.getPrototypeOf(real);
const { createOffer, setLocalDescription, setRemoteDescription } = real;
const local = Object.getOwnPropertyDescriptor(real, "localDescription").get;
const said = (description, how) => description && { type: description.type, sdp: how(description.sdp) };
real.createOffer = async function () { return said(await createOffer.call(this), claim); };
real.setLocalDescription = function (given) { return setLocalDescription.call(this, said(given, truth)); };
real.setRemoteDescription = function (given) { return setRemoteDescription.call(this, said(given, truth)); };
Object.defineProperty(real, "localDescription", { get() { return said(local.call(this), claim); } });
})();"""
"""A browser that takes H.265 for what it is not: it offers it, is sent it, and decodes nothing."""


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[WhepDesk]:
    """Give a gateway whose one camera sends H.265 alone."""
    async with whep_desk(tmp_path, ONLY_LOOPBACK, codec=H265) as desk:
        yield desk


async def test_a_browser_that_decodes_none_of_the_h265_it_claims_falls_back(desk: WhepDesk, browser: Browser) -> None:
    """The console sees no frame, offers again without H.265, and shows the converted picture and says that it is."""
    page = await desk.page(browser, before=CLAIMS_H265)
    await page.evaluate("(camera) => look(camera)", desk.camera)
    await until(lambda: len(desk.hub.viewers()) == 1, what="the first view")
    believed = desk.hub.transcodes
    await page.wait_for_function("() => reports.at(-1)?.state === 'playing'", timeout=20_000)
    report = await page.evaluate("reports.at(-1)")
    kept = await page.evaluate("sessionStorage.getItem('sightline.h265-fails')")
    decoded = await page.evaluate("picture.video.getVideoPlaybackQuality().totalVideoFrames")
    transcodes = desk.hub.transcodes
    await page.evaluate("picture.end()")
    await until(lambda: not desk.hub.viewers(), what="the end of both views")
    told = [entry.details for entry in await desk.desk.audit("view.started")]
    assert (believed, transcodes) == (0, 1)
    assert (report["stream"], report["convertedFrom"], kept) == ("main", "h265", "1")
    assert decoded > 0
    assert ["converted_from" in one for one in told] == [False, True]


async def test_a_browser_that_claims_none_is_shown_the_converted_picture_at_once(
    desk: WhepDesk, browser: Browser
) -> None:
    """One view, no detour, and the answer says what it is."""
    page = await desk.page(browser)
    await page.evaluate("(camera) => look(camera)", desk.camera)
    await page.wait_for_function("() => reports.at(-1)?.state === 'playing'", timeout=20_000)
    report = await page.evaluate("reports.at(-1)")
    await page.evaluate("picture.end()")
    await until(lambda: not desk.hub.viewers(), what="the end of the view")
    assert report["convertedFrom"] == "h265"
    assert len(await desk.desk.audit("view.started")) == 1


async def test_the_refusal_is_told_in_plain_words(tmp_path: Path, browser: Browser) -> None:
    """A console for which there is no place reads how many there are and what to do, and asks again by itself."""
    async with whep_desk(tmp_path, ONLY_LOOPBACK.model_copy(update={"transcodes": 1}), codec=H265) as desk:
        other = PatternCamera(CLOCK, codec=H265)
        hub: LiveHub = desk.hub
        with hub.feed(ANOTHER, StreamName.MAIN, request_keyframe=other.request_keyframe) as feed:
            async with other.playing(feed), live_page(hub, ANOTHER) as address:
                await until(lambda: feed.live, what="a live feed")
                first = await browser.new_page()
                await watch(first, address)
                page = await desk.page(browser)
                await page.evaluate("(camera) => look(camera)", desk.camera)
                await page.wait_for_function("() => reports.at(-1)?.problem")
                problem = rpc.Problem.model_validate(await page.evaluate("reports.at(-1).problem"))
                await first.evaluate("peer.close()")
                await page.wait_for_function("() => reports.at(-1)?.state === 'playing'", timeout=60_000)
                await page.evaluate("picture.end()")
                await until(lambda: not hub.viewers(), what="the end of the views")
    assert (problem.type.removeprefix("urn:sightline:"), problem.status) == ("live.transcodes-full", 503)
    assert "All places (1)" in problem.title
