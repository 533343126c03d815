"""One port for every viewer: over IPv4, IPv6 and TCP, behind routers that forget, and in front of strangers."""

from collections.abc import AsyncIterator
from contextlib import closing

import aioice.ice
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from config.live import LiveSettings
from gateway.live import LiveHub, open_live
from gateway.live.seats import LAST_STUN_BYTE
from gateway.live.udp import Address
from kernel.clock import SystemClock
from kernel.ids import CameraId, StreamName
from tests.fakes.browser import chromium
from tests.fakes.guest import Stranger
from tests.fakes.live_page import live_page, reach_by
from tests.fakes.pattern import PatternCamera
from tests.fakes.python_viewer import python_viewer
from tests.fakes.router import router
from tests.fakes.waiting import until, until_page

CAMERA = CameraId("0" * 32)
BOTH = LiveSettings.model_validate({"addresses": ["127.0.0.1", "::1"], "port": 0})
DECODES = "inbound().then((now) => now.video?.frames > {more})"

pytestmark = pytest.mark.timeout(120)


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """Give Debian's Chromium."""
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[LiveHub]:
    """Give a hub on loopback with one camera that plays."""
    clock = SystemClock()
    camera = PatternCamera(clock, width=320, height=180, frame_rate=25)
    async with open_live(BOTH, clock=clock) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            async with camera.playing(feed):
                await until(lambda: len(feed.cached()) > 3, what="a cached GOP")
                yield hub


def _aim(hub: LiveHub, session: str) -> tuple[bool, Address]:
    """Return where a viewer's packets go: whether over TCP, and the address."""
    best = hub._session(session)._peer._session.pairs.best
    return best.protocol.path.tcp, best.remote_addr


async def _decoded(page: Page) -> int:
    count: int = await page.evaluate("inbound().then((now) => now.video?.frames ?? 0)")
    return count


async def _on_a_page(browser: Browser, hub: LiveHub, address: str, *, kept: str, changed: str) -> tuple[Page, str]:
    """Return a page that watches with those candidates of the answer that match ``kept``, changed, and its session."""
    page = await browser.new_page()
    await reach_by(page, kept, changed)
    await page.goto(address)
    before = {viewer.session for viewer in hub.viewers()}
    answered = await page.evaluate("watch('/whep/main')")
    assert answered["status"] == 201
    (session,) = {viewer.session for viewer in hub.viewers()} - before
    return page, session


async def test_viewers_share_one_port_over_both_families(hub: LiveHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three viewers, one of them over IPv6, see their pictures from one number, each at its own address."""
    async with (
        python_viewer(hub, CAMERA, monkeypatch) as ann,
        python_viewer(hub, CAMERA, monkeypatch, who="bob") as bob,
        python_viewer(hub, CAMERA, monkeypatch, who="cem", host="::1") as cem,
    ):
        for viewer in (ann, bob, cem):
            await until(lambda viewer=viewer: len(viewer.seen) > 20, what="decoded pictures")  # type: ignore[misc]
        aims = [_aim(hub, viewer.session.id) for viewer in (ann, bob, cem)]
        assert [path.local for path in hub.port.serving] == [("127.0.0.1", hub.port.number), ("::1", hub.port.number)]
    assert [address[0] for _, address in aims] == ["127.0.0.1", "127.0.0.1", "::1"]
    assert len(set(aims)) == 3
    assert hub.port.counters.unauthenticated == hub.port.counters.refused == 0


async def test_chromium_without_udp_watches_over_tcp(browser: Browser, hub: LiveHub) -> None:
    """Where nothing but TCP gets through, the same number serves the picture, whole."""
    async with live_page(hub, CAMERA) as address:
        page, session = await _on_a_page(browser, hub, address, kept=" tcp .* 127", changed="(line) => line")
        await until_page(page, DECODES.format(more=50), what="pictures over TCP")
        tcp, _ = _aim(hub, session)
        lost = await page.evaluate("inbound().then((now) => now.video.lost)")
        await page.evaluate("peer.close()")
        await until(lambda: not hub.viewers(), what="the end of the view")
    assert tcp
    assert lost == 0


async def test_chromium_watches_over_ipv6(browser: Browser, hub: LiveHub) -> None:
    """A browser that has only our IPv6 candidate sees its picture there."""
    async with live_page(hub, CAMERA) as address:
        page, session = await _on_a_page(browser, hub, address, kept=" udp .* ::1 ", changed="(line) => line")
        await until_page(page, DECODES.format(more=25), what="pictures over IPv6")
        _, (host, _) = _aim(hub, session)
        await page.evaluate("peer.close()")
        await until(lambda: not hub.viewers(), what="the end of the view")
    assert host == "::1"


async def test_chromium_whose_connection_breaks_comes_again(browser: Browser, hub: LiveHub) -> None:
    """A TCP connection that is cut is made anew by the browser, and the same view goes on over it."""
    async with live_page(hub, CAMERA) as address:
        page, session = await _on_a_page(browser, hub, address, kept=" tcp .* 127", changed="(line) => line")
        await until_page(page, DECODES.format(more=10), what="pictures over TCP")
        before = _aim(hub, session)
        hub._session(session)._peer._session.pairs.best.protocol.path.close()
        await until(lambda: _aim(hub, session) != before, what="the new connection", timeout_s=30)
        decoded = await _decoded(page)
        await until_page(page, DECODES.format(more=decoded + 25), what="pictures over it")
        assert [viewer.session for viewer in hub.viewers()] == [session]
        await page.evaluate("peer.close()")
        await until(lambda: not hub.viewers(), what="the end of the view")


async def test_chromium_whose_router_forgets_it_is_followed(browser: Browser, hub: LiveHub) -> None:
    """A viewer whose address changes goes on in the same view, once a check from there was answered."""
    async with live_page(hub, CAMERA) as address, router(("127.0.0.1", hub.port.number)) as nat:
        changed = f'(line) => line.replace(/127.0.0.1 \\d+/, "127.0.0.1 {nat.port}")'
        page, session = await _on_a_page(browser, hub, address, kept=" udp .* 127", changed=changed)
        assert _aim(hub, session) == (False, nat.outside)
        nat.forget()
        await until(lambda: _aim(hub, session) == (False, nat.outside), what="the new address", timeout_s=30)
        before = await _decoded(page)
        await until_page(page, DECODES.format(more=before + 50), what="pictures at the new address")
        assert [viewer.session for viewer in hub.viewers()] == [session]
        await page.evaluate("peer.close()")
        await until(lambda: not hub.viewers(), what="the end of the view")


async def test_a_viewer_that_nominates_nothing_anew_is_followed_too(
    hub: LiveHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checks of consent need not nominate, and aiortc's do not: what answers takes the place of what is silent."""
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.5)
    async with (
        router(("127.0.0.1", hub.port.number)) as nat,
        python_viewer(hub, CAMERA, monkeypatch, through=nat.port) as viewer,
    ):
        await until(lambda: len(viewer.seen) > 5, what="decoded pictures")
        old = nat.outside
        assert _aim(hub, viewer.session.id) == (False, old)
        nat.forget()
        await until(lambda: _aim(hub, viewer.session.id) == (False, nat.outside), what="the new address")
        before = len(viewer.seen)
        await until(lambda: len(viewer.seen) > before + 20, what="pictures at the new address")
        assert nat.outside != old


async def test_a_recorded_check_moves_nothing(hub: LiveHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger who sends a viewer's own nominating checks again gets checks of ours, and no packet of the view."""
    async with (
        router(("127.0.0.1", hub.port.number)) as nat,
        python_viewer(hub, CAMERA, monkeypatch, through=nat.port) as viewer,
    ):
        await until(lambda: len(viewer.seen) > 5, what="decoded pictures")
        aim, before = _aim(hub, viewer.session.id), len(viewer.seen)
        with closing(Stranger()) as stranger:
            recorded = list(nat.checks)
            assert recorded
            for _ in range(5):
                for check in recorded:
                    stranger.send(check, ("127.0.0.1", hub.port.number))
            heard: list[bytes] = []
            await until(lambda: heard.extend(stranger.heard()) or heard, what="an answer")  # type: ignore[func-returns-value]
            await until(lambda: len(viewer.seen) > before + 50, what="pictures as before")
            heard += stranger.heard()
        assert _aim(hub, viewer.session.id) == aim == (False, nat.outside)
        assert max(data[0] for data in heard) <= LAST_STUN_BYTE


async def test_the_port_is_quiet_once_everybody_left(hub: LiveHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the last view no address, fragment, transaction or connection is left."""
    async with python_viewer(hub, CAMERA, monkeypatch) as viewer:
        await until(lambda: viewer.seen, what="a decoded picture")
    await until(lambda: not hub.viewers(), what="the end of the view")
    seats = hub.port.seats
    assert (seats.by_fragment, seats.expected) == ({}, {})
    assert all(not path.known for path in hub.port.serving)
