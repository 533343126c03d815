"""Viewers who send garbage, flood, stall or vanish: their own view ends, and a neighbour misses no picture."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import aioice.ice
import pytest
from aiortc.rtp import RTCP_RTPFB_NACK, RtcpRtpfbPacket

from config.live import LiveSettings
from gateway.live import LiveFeed, LiveHub, open_live
from gateway.live.peer import CONSENT_FAILURES
from gateway.live.seats import PACKETS_BURST
from kernel.clock import NS_PER_MS, SystemClock
from kernel.ids import CameraId, StreamName
from tests.fakes.browser import chromium
from tests.fakes.clock import settle
from tests.fakes.guest import Stranger, check
from tests.fakes.live_page import live_page, reach_by
from tests.fakes.pattern import PatternCamera
from tests.fakes.python_viewer import PythonViewer, python_viewer
from tests.fakes.router import line
from tests.fakes.waiting import until

CAMERA = CameraId("0" * 32)
ENDED_S = 20.0
"""Whoever falls silent is gone by then with these times; patience with a busy machine must not hide it."""
SHORT = LiveSettings.model_validate(
    {"addresses": ["127.0.0.1"], "port": 0, "stall_timeout_s": 5, "connect_timeout_s": 8}
)
"""Short, and yet far more than the 1.5 s between two reports of a viewer who is well on a busy machine."""

pytestmark = pytest.mark.timeout(120)


class Street:
    """A camera that plays, and what it has shown: the instants of its pictures, as their strips tell."""

    def __init__(self, hub: LiveHub) -> None:
        self.hub = hub
        self.shown: list[int] = []

    async def play(self, feed: LiveFeed, camera: PatternCamera, clock: SystemClock) -> None:
        """Show 25 pictures a second."""
        feed.started(camera.description)
        while True:
            unit = await asyncio.to_thread(camera.unit)
            self.shown.append(unit.wall_ns // NS_PER_MS)
            feed.video(unit)
            await clock.sleep(0.04)


@asynccontextmanager
async def street() -> AsyncIterator[Street]:
    """Give a camera that plays to a hub with short patience."""
    clock = SystemClock()
    camera = PatternCamera(clock, width=320, height=180, frame_rate=25)
    async with open_live(SHORT, clock=clock) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            street = Street(hub)
            playing = asyncio.create_task(street.play(feed, camera, clock))
            await until(lambda: len(feed.cached()) > 3, what="a cached GOP")
            try:
                yield street
            finally:
                playing.cancel()
                await asyncio.wait([playing])


def _instants(viewer: PythonViewer) -> list[int]:
    return [seen.wall_ms for seen in viewer.seen if seen is not None]


async def _nothing_is_missed(viewer: PythonViewer, street: Street) -> None:
    """Fail unless the neighbour decodes every picture from its first one until now."""
    last = street.shown[-1]
    await until(lambda: last in _instants(viewer), what="the neighbour's picture")
    seen = _instants(viewer)
    first = street.shown.index(seen[0])
    assert seen == street.shown[first : first + len(seen)]


async def garbage(viewer: PythonViewer, street: Street) -> None:
    """Send what is no packet of anything, as the viewer and as a stranger."""
    peer: Any = viewer.peer
    (transport,) = peer._RTCPeerConnection__iceTransports
    to = ("127.0.0.1", street.hub.port.number)
    fragment = street.hub._session(viewer.session.id)._peer.parameters.usernameFragment
    with closing(Stranger()) as stranger:
        for number in range(600):
            junk = os.urandom(number % 1400)
            for first in (b"", b"\x80\xc8", b"\x80\x60", b"\x16\xfe\xfd", b"\x00\x01", b"\x01\x01"):
                stranger.send(first + junk, to)
                await transport._connection.send(first + junk or b"\xff")
            stranger.send(check(str(fragment)), to)
            if number % 20 == 0:
                await settle()
    counters = street.hub.port.counters
    await until(lambda: counters.unknown > 1000 and counters.unauthenticated > 100, what="the garbage")


async def flood(viewer: PythonViewer, street: Street) -> None:
    """Ask for thousands of packets again, in as long and as many reports as go through."""
    receiver: Any = viewer.peer.getReceivers()[0]
    lost = list(range(0, 300 * 17, 17))
    report = bytes(RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=viewer.video_ssrc, lost=lost))
    for number in range(2 * PACKETS_BURST):
        await receiver.transport._send_rtp(report)
        if number % 20 == 0:
            await settle()
    await until(lambda: street.hub.port.counters.flooded, what="the cut")


@pytest.mark.parametrize("attack", [garbage, flood], ids=["garbage", "a flood"])
async def test_who_sends_too_much_costs_a_neighbour_nothing(
    monkeypatch: pytest.MonkeyPatch, attack: Callable[[PythonViewer, Street], Awaitable[None]]
) -> None:
    """Garbage and floods of true RTCP are dropped, and every picture reaches the others."""
    async with street() as there, python_viewer(there.hub, CAMERA, monkeypatch) as ann:
        await until(lambda: ann.seen, what="a decoded picture")
        async with python_viewer(there.hub, CAMERA, monkeypatch, who="eve") as eve:
            await until(lambda: eve.seen, what="a decoded picture")
            await attack(eve, there)
            await _nothing_is_missed(ann, there)
        await until(
            lambda: [viewer.who for viewer in there.hub.viewers()] == ["ann"], what="eve's end", timeout_s=ENDED_S
        )
        await _nothing_is_missed(ann, there)


async def test_who_stalls_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A viewer whose ICE lives on but who reports nothing any more is ended, and its neighbour misses nothing."""
    async with street() as there, python_viewer(there.hub, CAMERA, monkeypatch) as ann:
        async with python_viewer(there.hub, CAMERA, monkeypatch, who="eve") as eve:
            await until(lambda: eve.seen and ann.seen, what="decoded pictures")
            receiver: Any = eve.peer.getReceivers()[0]
            receiver._RTCRtpReceiver__rtcp_task.cancel()
            await until(
                lambda: [viewer.who for viewer in there.hub.viewers()] == ["ann"], what="eve's end", timeout_s=ENDED_S
            )
        await _nothing_is_missed(ann, there)


async def test_a_connection_that_takes_nothing_in_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser over TCP whose line stalls is ended though the connection stays, and its neighbour misses nothing."""
    async with (
        chromium() as browser,
        street() as there,
        python_viewer(there.hub, CAMERA, monkeypatch) as ann,
        line(("127.0.0.1", there.hub.port.number)) as stalling,
        live_page(there.hub, CAMERA) as address,
    ):
        page = await browser.new_page()
        await reach_by(page, " tcp ", f'(line) => line.replace(/127.0.0.1 \\d+/, "127.0.0.1 {stalling.port}")')
        await page.goto(address)
        assert (await page.evaluate("watch('/whep/main')"))["status"] == 201
        assert sorted(viewer.who for viewer in there.hub.viewers()) == ["ann", "test"]
        await stalling.stall()
        await until(
            lambda: [viewer.who for viewer in there.hub.viewers()] == ["ann"],
            what="the end of the view",
            timeout_s=ENDED_S,
        )
        await _nothing_is_missed(ann, there)
        await page.evaluate("peer.close()")


async def test_who_vanishes_while_nothing_is_shown_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are no pictures to report on it is consent that ends a view (RFC 7675)."""
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.2)
    clock = SystemClock()
    camera = PatternCamera(clock, width=320, height=180, frame_rate=25)
    async with open_live(SHORT, clock=clock) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            feed.started(camera.description)
            feed.video(camera.unit())
            async with python_viewer(hub, CAMERA, monkeypatch) as viewer:
                await until(lambda: hub.viewers()[0].connected, what="the connection")
                viewer.vanish()
                await until(lambda: not hub.viewers(), what="the end of the view", timeout_s=ENDED_S)


async def test_who_never_comes_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that nobody takes up ends by itself, and a neighbour misses nothing."""
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.2)
    async with street() as there, python_viewer(there.hub, CAMERA, monkeypatch) as ann:
        async with python_viewer(there.hub, CAMERA, monkeypatch, who="eve") as eve:
            eve.vanish()
            await until(lambda: ann.seen, what="a decoded picture")
            await until(
                lambda: [viewer.who for viewer in there.hub.viewers()] == ["ann"], what="eve's end", timeout_s=ENDED_S
            )
        await _nothing_is_missed(ann, there)


def test_every_way_to_fall_silent_ends_within_thirty_seconds() -> None:
    """Never connecting, reporting nothing, not answering: as shipped, each is noticed within half a minute."""
    settings, report_s = LiveSettings(), 1.5
    assert settings.connect_timeout_s + report_s < 30
    assert settings.stall_timeout_s + 2 * report_s < 30
    assert CONSENT_FAILURES * (aioice.ice.CONSENT_INTERVAL * 1.2 + 0.5) < 30
