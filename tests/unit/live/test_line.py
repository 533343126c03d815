"""One viewer's line: what goes at once, what waits, and the change from stream to stream."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiortc.rtp import RtcpPacket, RtcpSrPacket
from structlog.testing import capture_logs

from config.live import LiveSettings
from gateway.live.feed import LiveFeed
from gateway.live.line import PictureLine
from gateway.live.offer import Coding
from gateway.live.track import Track
from kernel.clock import NS_PER_S
from kernel.ids import CameraId, StreamName
from kernel.media import AccessUnit, StreamDescription, VideoCodec, VideoParameters
from tests.fakes.clock import ManualClock, settle
from tests.fakes.live_wire import Wire

SETS = VideoParameters(VideoCodec.H264, 640, 360, sps=b"\x67\x42\xc0\x1e", pps=b"\x68\xce")
CODING = Coding(payload_type=102, name="H264/90000")
SETTINGS = LiveSettings(lane_pictures=10, pace_mbit_s=8.0)
GOP = 10
FRAME_NS = 40_000_000


class Stream:
    """A feed and what a camera sends into it: 25 pictures a second, named in their bytes."""

    def __init__(self, name: StreamName, clock: ManualClock, *, picture_bytes: int = 100) -> None:
        self.name = name
        self.asked = 0
        self.sent = 0
        self.picture_bytes = picture_bytes
        self.keyframe_bytes = picture_bytes
        self._clock = clock
        # Media times of two streams begin anywhere.
        self._begin_90k = 0 if name is StreamName.MAIN else 777_777
        self.feed = LiveFeed(
            CameraId("0" * 32), name, clock=clock, request_keyframe=self._ask, cache_bytes=8 * 1024 * 1024
        )
        self.feed.started(StreamDescription(video=VideoCodec.H264, audio=None, metadata=False, transport="tcp"))

    def _ask(self) -> None:
        self.asked += 1

    def send(self) -> None:
        """Send the next picture, taken now."""
        index = self.sent
        self.sent += 1
        keyframe = index % GOP == 0
        size = self.keyframe_bytes if keyframe else self.picture_bytes
        text = f"{self.name} {index} ".encode()
        self.feed.video(
            AccessUnit(
                nals=(bytes((0x65 if keyframe else 0x41,)) + text + bytes(max(0, size - len(text) - 1)),),
                time_90k=self._begin_90k + index * 3600,
                wall_ns=self._clock.wall_ns(),
                keyframe=keyframe,
                parameters=SETS,
                received_ns=self._clock.monotonic_ns(),
            )
        )


@dataclass
class Stand:
    """A line, its wire, and the two streams of its camera."""

    line: PictureLine
    track: Track
    wire: Wire
    main: Stream
    sub: Stream
    clock: ManualClock
    ended: list[str]

    async def play(self, pictures: int) -> None:
        """Let both streams run on."""
        for _ in range(pictures):
            await self.clock.turn(FRAME_NS / NS_PER_S)
            self.main.send()
            self.sub.send()
            await settle(10)

    def shown(self) -> list[tuple[str, int, int]]:
        """Return (stream, index, RTP time) of each whole picture that was sent, in order."""
        found: list[tuple[str, int, int]] = []
        begun: bytes | None = None
        for packet in self.wire.packets:
            payload = packet.payload
            if payload[0] & 0x1F == 24:
                continue
            begun = (payload[2:] if payload[1] & 128 else begun) if payload[0] & 31 == 28 else payload[1:]
            if packet.marker:
                assert begun is not None
                name, index = begun.split(b" ")[:2]
                found.append((name.decode(), int(index), packet.timestamp))
        return found

    def decodable(self) -> list[tuple[str, int, int]]:
        """Return what was shown, having checked that a decoder can follow it and that time only grows."""
        shown = self.shown()
        before: tuple[str, int, int] | None = None
        for name, index, time in shown:
            if before is not None:
                assert 0 < (time - before[2]) & 0xFFFFFFFF < 0x8000_0000
            if index % GOP:
                assert before is not None
                assert (name, index - 1) == before[:2], f"{name} {index} comes after {before}"
            before = (name, index, time)
        return shown


@asynccontextmanager
async def stand(
    clock: ManualClock, *, picture_bytes: int = 100, settings: LiveSettings = SETTINGS
) -> AsyncIterator[Stand]:
    """Give a line of which four pictures of the main stream are cached; its task runs when the block asks for it."""
    main, sub = Stream(StreamName.MAIN, clock, picture_bytes=picture_bytes), Stream(StreamName.SUB, clock)
    wire = Wire()
    track = Track(wire, CODING, clock_hz=90_000)
    ended: list[str] = []
    line = PictureLine(track, wire, main.feed, settings=settings, clock=clock, ended=ended.append)
    standing = Stand(line, track, wire, main, sub, clock, ended)
    await standing.play(4)

    async def run() -> None:
        await line.begin()
        await line.run()

    running = asyncio.create_task(run())
    await settle()
    try:
        yield standing
    finally:
        line.leave()
        running.cancel()
        await asyncio.wait([running])


async def test_the_cached_group_comes_first_and_ends_now(clock: ManualClock) -> None:
    """A new viewer gets the pictures since the keyframe 1 ms apart, so that the newest has its own time."""
    async with stand(clock) as at:
        await at.play(1)
        shown = at.decodable()
    assert [index for _, index, _ in shown] == [0, 1, 2, 3, 4]
    times = [time for _, _, time in shown]
    assert [(later - earlier) & 0xFFFFFFFF for earlier, later in itertools.pairwise(times)] == [
        90,
        90,
        90,
        3600,
    ]


async def test_a_picture_goes_within_the_call_that_brings_it(clock: ManualClock) -> None:
    """An ordinary picture waits for no task."""
    async with stand(clock) as at:
        before = at.line.frames_sent
        at.main.send()
        assert at.line.frames_sent == before + 1
        assert at.line.waiting == 0


async def test_a_socket_without_room_is_waited_for(clock: ManualClock) -> None:
    """What does not fit goes on from where it stopped, in order, and nothing is sent twice."""
    async with stand(clock, picture_bytes=5000) as at:
        at.wire.room = len(at.wire.packets) + 2
        at.main.send()
        at.main.send()
        await settle()
        assert (at.line.waiting, at.wire.waiting) == (1, 1)
        at.wire.widen(1000)
        await settle()
        await at.play(1)
        shown = at.decodable()
    assert [index for _, index, _ in shown] == [0, 1, 2, 3, 4, 5, 6]
    numbers = [packet.sequence_number for packet in at.wire.packets]
    assert numbers == [(numbers[0] + place) & 0xFFFF for place in range(len(numbers))]


async def test_a_lane_that_overflows_goes_on_at_a_keyframe(clock: ManualClock) -> None:
    """A viewer without room loses whole groups, a half-sent picture among them, and then sees a decodable stream."""
    async with stand(clock, picture_bytes=5000) as at:
        at.wire.room = len(at.wire.packets) + 2
        await at.play(14)
        assert at.line.dropped >= SETTINGS.lane_pictures
        at.wire.widen(10_000)
        await settle()
        await at.play(12)
        await at.clock.turn(1)
        shown = at.shown()
    assert shown[-1][1] == at.main.sent - 1
    after = [index for _, index, _ in shown]
    breaks = [later for earlier, later in itertools.pairwise(after) if later != earlier + 1]
    assert all(index % GOP == 0 for index in breaks)


async def test_a_keyframe_is_spread_out(clock: ManualClock) -> None:
    """A large keyframe leaves at the pace that is set, not in one burst; what follows waits behind it."""
    async with stand(clock) as at:
        await at.play(6)
        at.main.keyframe_bytes = 400_000
        await at.clock.turn(0.04)
        before = at.track.stats.octets
        at.main.send()
        await settle()
        at_once = at.track.stats.octets - before
        await at.clock.turn(0.1)
        later = at.track.stats.octets - before
        at.main.send()
        await at.clock.turn(0.5)
        shown = at.decodable()
    assert at_once <= 64 * 1024 + 1200
    assert later - at_once == pytest.approx(100_000, rel=0.4)
    assert [index for _, index, _ in shown][-2:] == [10, 11]


async def test_a_thin_line_paces_by_what_the_viewer_says(clock: ManualClock) -> None:
    """An estimate of 1 Mbit/s makes a keyframe leave at about twice that."""
    async with stand(clock) as at:
        at.line.pacer.estimated(1_000_000)
        await at.play(6)
        at.main.keyframe_bytes = 400_000
        await at.clock.turn(0.04)
        before = at.track.stats.octets
        at.main.send()
        await settle()
        at_once = at.track.stats.octets - before
        await at.clock.turn(0.4)
        later = at.track.stats.octets - before
    assert later - at_once == pytest.approx(100_000, rel=0.4)


async def test_down_is_at_once(clock: ManualClock) -> None:
    """The sub stream comes with its cached group before its next picture, at times that go on."""
    async with stand(clock) as at:
        await at.play(3)
        at.line.show(at.sub.feed, at_once=True)
        await at.play(2)
        shown = at.decodable()
    assert at.line.stream is StreamName.SUB
    assert [(name, index) for name, index, _ in shown] == [
        *(("main", index) for index in range(8)), *(("sub", index) for index in range(9)),
    ]  # fmt: skip
    apart = (shown[-1][2] - shown[7][2]) & 0xFFFFFFFF
    assert apart == 3600 + 90, "one picture later by the camera's clock, and 1 ms for the group between"
    assert (at.main.feed.viewers, at.sub.feed.viewers) == (0, 0), "after leaving nobody watches"


async def test_down_does_not_wait_for_what_the_line_could_not_take(clock: ManualClock) -> None:
    """A keyframe of the main stream that is half out on a thin line is broken off, and its debt is forgiven."""
    async with stand(clock) as at:
        await at.play(6)
        at.line.pacer.estimated(500_000)
        at.main.keyframe_bytes = 400_000
        await at.play(1)
        at.line.pacer.spend(1_000_000)
        at.line.show(at.sub.feed, at_once=True)
        await at.play(2)
        shown = at.decodable()
    assert [(name, index) for name, index, _ in shown][-3:] == [("sub", 10), ("sub", 11), ("sub", 12)]
    assert ("main", 10) not in {(name, index) for name, index, _ in shown}


async def test_nothing_of_the_stream_before_is_sent_again(clock: ManualClock) -> None:
    """What the viewer missed of the main stream is not sent once the sub stream is shown, whose pictures still are."""
    async with stand(clock) as at:
        await at.play(3)
        missed = at.wire.packets[-1].sequence_number
        at.line.show(at.sub.feed, at_once=True)
        await at.play(2)
        newest = at.wire.packets[-1].sequence_number
        assert at.track.retransmit([missed], clock.monotonic_ns(), 10_000) == 0
        assert at.track.retransmit([newest], clock.monotonic_ns(), 10_000) == at.sub.picture_bytes


async def test_up_is_at_a_keyframe(clock: ManualClock) -> None:
    """The main stream comes with its next keyframe, which the camera is asked for; until then the sub stream runs."""
    async with stand(clock) as at:
        at.line.show(at.sub.feed, at_once=True)
        await at.play(3)
        asked = at.main.asked
        await at.clock.turn(1.5)
        at.line.show(at.main.feed, at_once=False)
        await at.play(5)
        shown = at.decodable()
    assert at.main.asked == asked + 1
    assert [(name, index) for name, index, _ in shown][-3:] == [("sub", 9), ("main", 10), ("main", 11)]


async def test_a_change_of_mind_leaves_nobody_watching(clock: ManualClock) -> None:
    """Asked back before the change has come about, the line stays with the stream it has."""
    async with stand(clock) as at:
        at.line.show(at.sub.feed, at_once=False)
        at.line.show(at.main.feed, at_once=True)
        assert at.sub.feed.viewers == 0
        await at.play(8)
        assert {name for name, _, _ in at.decodable()} == {"main"}


async def test_asking_again_changes_nothing(clock: ManualClock) -> None:
    """A wish that is under way already is not begun anew: it would never come about where it is said each second."""
    async with stand(clock) as at:
        at.line.show(at.sub.feed, at_once=False)
        for _ in range(8):
            at.line.show(at.sub.feed, at_once=False)
            await at.play(1)
        assert at.line.stream is StreamName.SUB
        assert at.sub.asked <= 1


async def test_reports_go_on_over_a_change(clock: ManualClock) -> None:
    """After a change the sender report still ties the viewer's time to the camera's clock."""
    async with stand(clock) as at:
        at.line.show(at.sub.feed, at_once=True)
        await at.play(2)
        last_time = at.shown()[-1][2]
        compound = at.track.sender_report(clock.wall_ns(), clock.monotonic_ns(), "me")
    assert compound is not None
    report = RtcpPacket.parse(compound)[0]
    assert isinstance(report, RtcpSrPacket)
    assert report.sender_info.rtp_timestamp == last_time


async def test_the_end_of_the_stream_to_come_is_not_the_end(clock: ManualClock) -> None:
    """A sub stream that goes away before it was shown changes nothing; the end of what is shown ends the view."""
    async with stand(clock) as at:
        at.line.show(at.sub.feed, at_once=False)
        at.sub.feed.close()
        assert at.ended == []
        at.main.feed.close()
        assert len(at.ended) == 1


async def test_what_goes_wrong_is_the_viewers_alone(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in one line ends that view; the feed, and the recording behind it, do not see it."""
    async with stand(clock) as at:

        def broken(*_: object) -> int:
            raise RuntimeError("unforeseen")

        monkeypatch.setattr(at.track, "send", broken)
        with capture_logs() as logs:
            at.main.send()
    assert at.ended == ["failed"]
    assert [entry["event"] for entry in logs] == ["live.viewer_failed"]
