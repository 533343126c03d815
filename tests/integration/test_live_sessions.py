"""Live sessions with a viewer that nobody here wrote, and everything that can end or refuse one."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from aiortc.rtcicetransport import RTCIceCandidate

from config.live import LiveSettings
from gateway.live import LiveError, LiveFeed, LiveHub, ViewerFacts, open_live
from gateway.live.errors import (
    LiveAddressError,
    LiveFragmentError,
    LiveFullError,
    LiveNotLiveError,
    LivePreconditionError,
    LiveSessionError,
)
from gateway.live.peer import Peer
from gateway.live.peer.ice import IceSession
from gateway.live.port import LivePort, open_port
from kernel.clock import SystemClock
from kernel.ids import CameraId, StreamName
from tests.fakes.clock import ManualClock
from tests.fakes.pattern import PatternCamera
from tests.fakes.python_viewer import python_viewer
from tests.fakes.waiting import until
from tests.unit.live.test_offer import CHROMIUM

CAMERA = CameraId("0" * 32)
ANN = ViewerFacts(who="ann", address="127.0.0.1")
LOOPBACK = LiveSettings.model_validate({"loopback": True, "addresses": ["127.0.0.1"], "port": 0, "max_viewers": 2})


class Stage:
    """A hub, a feed and a camera whose units the test hands over itself."""

    def __init__(self, hub: LiveHub, feed: LiveFeed, camera: PatternCamera, clock: ManualClock) -> None:
        self.clock = clock
        self.hub = hub
        self.feed = feed
        self.camera = camera

    def play(self, pictures: int = 1) -> None:
        """Hand over pictures of now."""
        for _ in range(pictures):
            self.feed.video(self.camera.unit())


@pytest_asyncio.fixture
async def stage(clock: ManualClock) -> AsyncIterator[Stage]:
    """Give a hub with one live feed, all on a clock that stands."""
    camera = PatternCamera(clock, width=320, height=180, frame_rate=25, gop_frames=25)
    async with open_live(LOOPBACK, clock=clock) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            feed.started(camera.description)
            stage = Stage(hub, feed, camera, clock)
            stage.play(5)
            yield stage


async def test_an_independent_viewer_reads_the_strip(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aiortc's own peer connects, decodes from the first cached picture on, and sees the right camera."""
    monkeypatch.setattr("gateway.live.pacing.BURST_BYTES", 500)
    clock = SystemClock()
    camera = PatternCamera(clock, number=31, width=320, height=180, frame_rate=25)
    async with open_live(LOOPBACK, clock=clock) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            async with camera.playing(feed):
                await until(lambda: len(feed.cached()) > 5, what="a cached GOP")
                async with python_viewer(hub, CAMERA, monkeypatch) as viewer:
                    await until(lambda: len(viewer.seen) > 20, what="decoded pictures")
                await until(lambda: not hub.viewers(), what="the end of the view")
    assert {reading.number for reading in viewer.seen if reading is not None} == {31}
    assert set(viewer.sizes) == {(320, 180)}


async def test_a_lost_picture_is_mended_from_the_cache(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PLI makes the pictures since the keyframe come again at once; the camera is not bothered."""
    async with python_viewer(stage.hub, CAMERA, monkeypatch) as viewer:
        await until(lambda: stage.hub.viewers()[0].frames_sent == 5, what="the cached pictures")
        await viewer.report_lost_picture()
        session = stage.hub._session(viewer.session.id)
        await until(lambda: session._line._whole_group, what="the PLI")
        stage.play()
        await until(lambda: stage.hub.viewers()[0].frames_sent == 11, what="the group again")
    assert stage.camera.keyframes_wanted == 0


async def test_a_keyframe_that_is_asked_for_comes_from_the_cache(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A FIR is a PLI by another name, RTCP that makes no sense is passed over, and a second wish must wait."""
    async with python_viewer(stage.hub, CAMERA, monkeypatch) as viewer:
        await until(lambda: stage.hub.viewers()[0].frames_sent == 5, what="the cached pictures")
        session = stage.hub._session(viewer.session.id)
        await viewer.ask_for_a_keyframe()
        await until(lambda: session._line._whole_group, what="the FIR")
        stage.play()
        await until(lambda: stage.hub.viewers()[0].frames_sent == 11, what="the group again")
        session._line.lost_picture(stage.clock.monotonic_ns())
        assert not session._line._whole_group


async def test_a_long_group_is_not_sent_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the cache holds more than fits a mending burst, the camera is asked for a keyframe."""
    monkeypatch.setattr("gateway.live.line.REPLAY_BYTES", 10)
    async with python_viewer(stage.hub, CAMERA, monkeypatch) as viewer:
        await until(lambda: stage.hub.viewers()[0].frames_sent == 5, what="the cached pictures")
        await stage.clock.turn(2)
        await viewer.report_lost_picture()
        await until(lambda: stage.camera.keyframes_wanted == 1, what="the wish for a keyframe")
        stage.play()
        await until(lambda: stage.hub.viewers()[0].frames_sent == 6, what="the next picture")
        stage.feed.video(stage.camera.unit(keyframe=True))
        await until(lambda: stage.hub.viewers()[0].frames_sent == 7, what="the keyframe")


async def test_a_viewer_with_another_certificate_is_refused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds another certificate than the offer named gets no picture."""
    async with python_viewer(stage.hub, CAMERA, monkeypatch, false_fingerprint=True) as viewer:
        await until(lambda: not stage.hub.viewers(), what="the end of the view")
    assert viewer.seen == []


async def test_a_camera_let_go_while_it_answers_leaves_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An offer that is overtaken by the camera's release is refused, and holds no place and no socket."""
    gather = Peer.gather

    async def slow(self: Peer) -> list[RTCIceCandidate]:
        found = await gather(self)
        stage.hub._feeds.clear()
        return found

    monkeypatch.setattr(Peer, "gather", slow)
    with pytest.raises(LiveNotLiveError):
        await stage.hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ANN)
    assert stage.hub.viewers() == []


async def test_a_viewer_who_vanishes_is_forgotten(
    stage: Stage, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A viewer that reports nothing while pictures are sent is let go within thirty seconds."""
    async with python_viewer(stage.hub, CAMERA, monkeypatch) as viewer:
        await until(lambda: stage.hub.viewers()[0].frames_sent == 5, what="the cached pictures")
        viewer.vanish()
        for _ in range(30):
            stage.play()
            await clock.turn(1)
        await until(lambda: not stage.hub.viewers(), what="the end of the view")


async def test_a_viewer_who_never_comes_is_forgotten(stage: Stage, clock: ManualClock) -> None:
    """An answered offer holds its place for fifteen seconds, not for ever."""
    await stage.hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ANN)
    await clock.turn(20)
    await until(lambda: not stage.hub.viewers(), what="the end of the view")


async def test_a_slow_viewer_skips_to_the_next_keyframe(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who cannot take the pictures loses whole groups of them, and only they do."""
    blocked = True
    send = Peer.send_burst

    def gated(self: Peer, payloads: Sequence[bytes], start: int, stop: int, **header: Any) -> int:
        return 0 if blocked else send(self, payloads, start, stop, **header)

    monkeypatch.setattr(Peer, "send_burst", gated)
    async with python_viewer(stage.hub, CAMERA, monkeypatch):
        await until(lambda: stage.hub.viewers()[0].connected, what="the connection")
        stage.play(LOOPBACK.lane_pictures + 10)
        dropped = stage.hub.viewers()[0].frames_dropped
        blocked = False
        stage.play(30)
        await until(lambda: stage.hub.viewers()[0].frames_sent >= 10, what="pictures again")
        sent = stage.hub.viewers()[0].frames_sent
    assert dropped >= LOOPBACK.lane_pictures
    assert sent < LOOPBACK.lane_pictures


async def test_a_camera_that_is_not_live_says_when_to_ask_again(stage: Stage, clock: ManualClock) -> None:
    """An unknown camera, and one without pictures, answer 409 with a time to retry."""
    await clock.turn(10)
    for camera in (CAMERA, CameraId("f" * 32)):
        with pytest.raises(LiveNotLiveError) as error:
            await stage.hub.offer(camera, StreamName.MAIN, CHROMIUM, viewer=ANN)
        assert (error.value.status, error.value.retry_after_s) == (409, 2)


async def test_the_place_after_the_last_is_refused(stage: Stage) -> None:
    """When every place is taken the next viewer is told so, and those who watch are not disturbed."""
    for _ in range(2):
        await stage.hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ANN)
    with pytest.raises(LiveFullError) as error:
        await stage.hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ANN)
    assert (error.value.status, len(stage.hub.viewers())) == (503, 2)


async def test_trickled_candidates_need_the_etag(stage: Stage) -> None:
    """A PATCH is taken with the answer's ETag or ``*``, and refused without one or with another."""
    session = await stage.hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ANN)
    fragment = "a=candidate:1 1 udp 2113937151 127.0.0.1 9 typ host\r\na=candidate:1 1 tcp 1 127.0.0.1 9 typ host\r\n"
    await stage.hub.patch(session.id, fragment, session.etag)
    await stage.hub.patch(session.id, fragment, "*")
    for if_match, status in ((None, 428), ('"another"', 412)):
        with pytest.raises(LivePreconditionError) as error:
            await stage.hub.patch(session.id, fragment, if_match)
        assert error.value.status == status
    assert session.etag.startswith('"')


async def test_ice_is_not_restarted_before_it_is_connected(stage: Stage) -> None:
    """There is nothing to keep yet: 422, and the view goes on waiting for its viewer under the same tag."""
    session = await stage.hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ANN)
    with pytest.raises(LiveFragmentError) as error:
        await stage.hub.patch(session.id, f"a=ice-ufrag:other\r\na=ice-pwd:{'p' * 24}\r\n", "*")
    assert error.value.status == 422
    assert await stage.hub.patch(session.id, "a=end-of-candidates\r\n", session.etag) is None


async def test_a_stream_is_wanted_from_the_offer_on(stage: Stage) -> None:
    """Pictures must be in time before the viewer has connected, and may be late again once the view is over."""
    assert not stage.feed.wanted
    session = await stage.hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ANN)
    assert stage.feed.wanted
    await stage.hub.close(session.id)
    await until(lambda: not stage.hub.viewers(), what="the end of the view")
    assert not stage.feed.wanted


async def test_an_offer_that_fails_leaves_the_stream_unwanted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was never answered is not waited for."""

    async def broken(_: Peer) -> list[RTCIceCandidate]:
        return []

    monkeypatch.setattr(Peer, "gather", broken)
    with pytest.raises(LiveAddressError):
        await stage.hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ANN)
    assert not stage.feed.wanted


async def test_a_closed_session_is_gone(stage: Stage) -> None:
    """DELETE ends the view; a second one finds nothing."""
    session = await stage.hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ANN)
    await stage.hub.close(session.id)
    await until(lambda: not stage.hub.viewers(), what="the end of the view")
    for again in (stage.hub.close(session.id), stage.hub.patch(session.id, "", "*")):
        with pytest.raises(LiveSessionError):
            await again


async def test_views_are_ended_by_person_and_camera(stage: Stage) -> None:
    """Ending one person's views leaves the others'."""
    await stage.hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ANN)
    await stage.hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ViewerFacts(who="bob", address=""))
    assert stage.hub.viewers_of(CAMERA) == 2
    assert stage.hub.end(camera=CameraId("f" * 32)) == 0
    assert stage.hub.end(who="ann") == 1
    await until(lambda: [viewer.who for viewer in stage.hub.viewers()] == ["bob"], what="ann's end")


async def test_many_views_are_ended_by_one_call(stage: Stage) -> None:
    """Those that are named and no others; one that is over already does no harm."""
    one, other = [await stage.hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ANN) for _ in range(2)]
    assert stage.hub.end(sessions={one.id, "over"}) == 1
    await until(lambda: [viewer.session for viewer in stage.hub.viewers()] == [other.id], what="the end of one")


async def test_an_answer_names_only_what_is_configured() -> None:
    """Viewers are told of the configured address with the one number of the host, over UDP and over TCP."""
    clock = SystemClock()
    camera = PatternCamera(clock, width=320, height=180)
    settings = LiveSettings.model_validate({"addresses": ["127.0.0.2"], "port": 0})
    async with open_live(settings, clock=clock) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            feed.started(camera.description)
            feed.video(camera.unit())
            answers = [await hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ANN) for _ in range(2)]
        number = str(hub.port.number)
    for answer in answers:
        lines = [line.split() for line in answer.answer_sdp.splitlines() if line.startswith("a=candidate:")]
        assert [(line[2], line[4], line[5]) for line in lines] == [
            ("udp", "127.0.0.2", number), ("tcp", "127.0.0.2", number),
        ]  # fmt: skip
        assert lines[1][-2:] == ["tcptype", "passive"]
        assert int(lines[0][3]) > int(lines[1][3])


async def test_a_public_address_stands_beside_the_local_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind 1:1 NAT viewers are told the router's address with the local port, over UDP and TCP, where it leads to."""
    local = RTCIceCandidate(
        component=1, foundation="1", ip="10.1.2.3", port=5000, priority=9, protocol="udp", type="host"
    )
    inner = replace(local, ip="127.0.0.1")

    async def gathered(_: IceSession) -> list[RTCIceCandidate]:
        return [local, inner]

    monkeypatch.setattr(IceSession, "gather", gathered)
    monkeypatch.setattr(LivePort, "listening", [("10.1.2.3", 5000), ("127.0.0.1", 5000)])
    settings = LiveSettings.model_validate(
        {"loopback": True, "addresses": ["127.0.0.1"], "port": 0, "public_addresses": ["203.0.113.7"]}
    )
    async with open_port(settings, clock=SystemClock(), machine=list) as port:
        peer = Peer(settings, port, on_rtcp=lambda _: None, on_over=lambda _: None)
        try:
            named = await peer.gather()
        finally:
            await peer.close()
    assert [(one.ip, one.port, one.type, one.tcpType) for one in named] == [
        ("10.1.2.3", 5000, "host", None), ("127.0.0.1", 5000, "host", None),
        ("10.1.2.3", 5000, "host", "passive"), ("127.0.0.1", 5000, "host", "passive"),
        ("203.0.113.7", 5000, "srflx", None), ("203.0.113.7", 5000, "srflx", "passive"),
    ]  # fmt: skip


async def test_a_host_without_an_address_says_what_to_set() -> None:
    """An address that is not this machine's leaves nothing to offer; the error names the setting."""
    clock = SystemClock()
    camera = PatternCamera(clock, width=320, height=180)
    settings = LiveSettings.model_validate({"addresses": ["192.0.2.77"], "port": 0})
    async with open_live(settings, clock=clock) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            feed.started(camera.description)
            feed.video(camera.unit())
            with pytest.raises(LiveAddressError, match=r"live\.addresses") as error:
                await hub.offer(CAMERA, StreamName.MAIN, CHROMIUM, viewer=ANN)
            assert hub.viewers() == []
    assert isinstance(error.value, LiveError)
