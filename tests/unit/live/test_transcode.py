"""Transcodes of a host: for whom they run, how many, what they are handed and give, and how they end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from config.live import LiveSettings
from gateway.live.errors import LiveTranscodeError, LiveTranscodesFullError
from gateway.live.feed import LiveFeed
from gateway.live.transcode.pool import REST_S, Transcodes
from gateway.live.transcode.running import ATTEMPTS, GAVE_UP, IDLE, LINGER_S, SILENT_S, DisplayTimes, Transcode
from gateway.transcoder.framing import Coded, KeyframeWish, Message, Parameters
from kernel.ids import CameraId, StreamName
from kernel.media import (
    AccessUnit,
    AudioFrame,
    GapCause,
    StreamDescription,
    TimeSource,
    VideoCodec,
    VideoParameters,
)
from tests.fakes.clock import ManualClock, settle
from tests.fakes.coder import SETS, FakeCoder, FakeCoders
from tests.unit.live.test_feed import H265, PCMU, Eye

OTHER = VideoParameters(VideoCodec.H265, 320, 180, sps=b"\x42\x02", pps=b"\x44\x02", vps=b"\x40\x02")


class Stand:
    """A pool over fake processes, and cameras whose pictures the test hands over itself."""

    def __init__(self, clock: ManualClock, group: asyncio.TaskGroup, limit: int) -> None:
        self.clock = clock
        self.coders = FakeCoders()
        self.ended: list[tuple[LiveFeed, str]] = []
        self.settings = LiveSettings(transcodes=limit, lane_pictures=10)
        self.pool = Transcodes(self.settings, clock=clock, group=group, ended=self._note, open_coder=self.coders.open)
        self.asked: dict[LiveFeed, int] = {}
        self._cameras = 0

    def _note(self, feed: LiveFeed, reason: str) -> None:
        self.ended.append((feed, reason))

    def camera(self) -> LiveFeed:
        """Return the feed of another camera that sends H.265, live."""

        def ask() -> None:
            self.asked[feed] += 1

        self._cameras += 1
        feed = LiveFeed(
            CameraId(f"{self._cameras:032x}"),
            StreamName.MAIN,
            clock=self.clock,
            request_keyframe=ask,
            cache_bytes=1 << 20,
        )
        self.asked[feed] = 0
        feed.started(StreamDescription(video=VideoCodec.H265, audio=PCMU, metadata=False, transport="tcp"))
        self.play(feed, 0, keyframe=True)
        return feed

    def play(
        self,
        feed: LiveFeed,
        time_90k: int,
        *,
        keyframe: bool = False,
        lost: bool = False,
        parameters: VideoParameters = H265,
    ) -> None:
        """Hand a picture to a feed, as its camera would."""
        feed.video(
            AccessUnit(
                nals=(b"\x26\x01%d" % time_90k,),
                time_90k=time_90k,
                wall_ns=self.clock.wall_ns(),
                keyframe=keyframe,
                parameters=parameters,
                received_ns=self.clock.monotonic_ns(),
                time_source=TimeSource.SENDER_REPORT,
                lost_before=lost,
            )
        )

    async def running(self, feed: LiveFeed) -> tuple[Transcode, FakeCoder]:
        """Return the transcode of a feed, held by one viewer, and its process, which has begun."""
        transcode = self.pool.hold(feed)
        await settle()
        return transcode, self.coders.all[-1]


@asynccontextmanager
async def stand_of(clock: ManualClock, limit: int) -> AsyncIterator[Stand]:
    """Give a stand whose pool ends with the context."""
    async with asyncio.TaskGroup() as group:
        stand = Stand(clock, group, limit)
        yield stand
        stand.coders.ending.set()
        stand.pool.close()


@pytest_asyncio.fixture
async def stand(clock: ManualClock) -> AsyncIterator[Stand]:
    """Give a pool of two."""
    async with stand_of(clock, 2) as stand:
        yield stand


def names(messages: list[Message]) -> list[str]:
    """Return what kinds of messages these are."""
    return [type(message).__name__ for message in messages]


# --- who runs, and how many


async def test_all_viewers_of_a_stream_share_one(stand: Stand) -> None:
    """The second viewer gets the first one's transcode, and no process is added."""
    feed = stand.camera()
    first, _ = await stand.running(feed)
    assert stand.pool.hold(feed) is first
    await settle()
    assert (len(stand.coders.running), stand.pool.count) == (1, 1)


async def test_no_more_run_than_may(stand: Stand) -> None:
    """The third stream is refused in a sentence that says how many there are and what to do."""
    for _ in range(2):
        stand.pool.hold(stand.camera())
    with pytest.raises(LiveTranscodesFullError, match=r"All places \(2\)") as error:
        stand.pool.hold(stand.camera())
    assert (error.value.code, error.value.status, error.value.retry_after_s) == ("live.transcodes-full", 503, 10)
    assert "live.transcodes" in error.value.cure


async def test_an_idle_one_makes_room(stand: Stand) -> None:
    """Where nobody watches one any more, the longest idle ends for the newcomer; never one that is watched."""
    first, _ = await stand.running(stand.camera())
    second, _ = await stand.running(stand.camera())
    first.release()
    await stand.clock.turn(1)
    second.release()
    third, _ = await stand.running(stand.camera())
    assert (first.over, second.over, third.over) == (True, False, False)
    assert stand.pool.count == 2


async def test_a_process_that_is_still_ending_counts(stand: Stand) -> None:
    """The newcomer's process begins when the old one's is gone: there are never more than may be."""
    transcodes = [(await stand.running(stand.camera()))[0] for _ in range(2)]
    stand.coders.ending.clear()
    transcodes[0].release()
    stand.pool.hold(stand.camera())
    await settle()
    assert len(stand.coders.all) == 2
    stand.coders.ending.set()
    await settle()
    assert (len(stand.coders.all), len(stand.coders.running)) == (3, 2)


async def test_it_lingers_and_ends(stand: Stand) -> None:
    """A viewer who is back in time finds it running; a while after the last one it ends, and nothing is left of it."""
    feed = stand.camera()
    transcode, _ = await stand.running(feed)
    transcode.release()
    await stand.clock.turn(LINGER_S - 0.1)
    assert stand.pool.hold(feed) is transcode
    await stand.clock.turn(3 * LINGER_S)
    assert not transcode.over
    transcode.release()
    await stand.clock.turn(LINGER_S)
    assert (stand.pool.count, stand.coders.running, feed.viewers) == (0, [], 0)
    assert stand.ended == [(transcode.feed, IDLE)]


async def test_a_camera_that_is_let_go_takes_it_along(stand: Stand) -> None:
    """Its views are told why."""
    feed = stand.camera()
    transcode, _ = await stand.running(feed)
    stand.pool.let_go(feed, "gone")
    await settle()
    assert stand.ended == [(transcode.feed, "gone")]
    assert stand.coders.running == []


async def test_a_camera_that_changes_its_coding_ends_it(stand: Stand) -> None:
    """What comes from then on needs no coding, or another."""
    feed = stand.camera()
    transcode, _ = await stand.running(feed)
    h264 = VideoParameters(VideoCodec.H264, 640, 360, sps=b"\x67\x42\xc0\x1e", pps=b"\x68\xce")
    stand.play(feed, 3600, keyframe=True, parameters=h264)
    await settle()
    assert stand.ended == [(transcode.feed, "the camera changed its coding")]


# --- what it is handed, and what it gives


async def test_it_begins_with_the_pictures_since_the_keyframe(stand: Stand) -> None:
    """Parameter sets, the cached pictures, then what comes; the feed has them as H.264 with the camera's own times."""
    feed = stand.camera()
    stand.play(feed, 3600)
    transcode, coder = await stand.running(feed)
    stand.play(feed, 7200)
    await settle()
    assert names(coder.taken) == ["Parameters", "Coded", "Coded", "Coded"]
    assert coder.taken[0] == Parameters(640, 360, (H265.vps or b"", H265.sps, H265.pps))
    made = [picture.unit for picture in transcode.feed.cached()]
    assert [unit.time_90k for unit in made] == [0, 3600, 7200]
    assert {unit.parameters.codec for unit in made} == {VideoCodec.H264}
    assert {(unit.wall_ns, unit.received_ns, unit.time_source) for unit in made} == {
        (stand.clock.wall_ns(), stand.clock.monotonic_ns(), TimeSource.SENDER_REPORT)
    }
    assert transcode.feed.live
    assert transcode.feed.parameters is not None
    assert transcode.feed.parameters.sps == SETS.nals[0]


async def test_without_a_cached_keyframe_one_is_asked_for(clock: ManualClock) -> None:
    """Nothing is handed before it comes."""
    async with stand_of(clock, 1) as stand:
        feed = stand.camera()
        feed.broken(GapCause.NETWORK, "")
        await clock.turn(2)
        _, coder = await stand.running(feed)
        stand.play(feed, 3600)
        await settle()
        assert (coder.taken, stand.asked[feed]) == ([], 1)
        stand.play(feed, 7200, keyframe=True)
        await settle()
        assert names(coder.taken) == ["Parameters", "Coded"]


async def test_new_parameters_go_before_their_picture(stand: Stand) -> None:
    """A camera that changes its size is decoded on."""
    feed = stand.camera()
    _, coder = await stand.running(feed)
    stand.play(feed, 3600, keyframe=True, parameters=OTHER)
    await settle()
    assert names(coder.taken[2:]) == ["Parameters", "Coded"]


async def test_after_a_lost_picture_nothing_is_shown_until_a_keyframe(stand: Stand) -> None:
    """Smears are nobody's picture; the camera is asked for a keyframe, and with it the view goes on."""
    feed = stand.camera()
    _, coder = await stand.running(feed)
    await stand.clock.turn(2)
    stand.play(feed, 3600, lost=True)
    stand.play(feed, 7200)
    await settle()
    assert (len(coder.pictures), stand.asked[feed]) == (1, 1)
    stand.play(feed, 10_800, keyframe=True)
    stand.play(feed, 14_400)
    await settle()
    assert [picture.time_90k for picture in coder.pictures] == [0, 10_800, 14_400]


async def test_viewers_wishes_reach_the_coder(stand: Stand) -> None:
    """A keyframe is made here at once; the camera is not bothered for it."""
    feed = stand.camera()
    transcode, coder = await stand.running(feed)
    await stand.clock.turn(2)
    transcode.feed.want_keyframe()
    stand.play(feed, 3600)
    await settle()
    assert names(coder.taken[2:]) == ["KeyframeWish", "Coded"]
    assert transcode.feed.cached()[-1].keyframe
    assert stand.asked[feed] == 0


async def test_a_process_that_falls_behind_holds_up_nobody(stand: Stand) -> None:
    """Pictures wait for it, so many and no more; then all up to a keyframe are dropped, and one is asked for."""
    feed = stand.camera()
    transcode, coder = await stand.running(feed)
    await stand.clock.turn(2)
    coder.stuck = True
    for place in range(1, 40):
        stand.play(feed, place * 3600)
        await settle(3)
    assert len(transcode._lane) <= stand.settings.lane_pictures
    assert stand.asked[feed] >= 1


async def test_sound_passes_on_the_same_line_as_the_pictures(stand: Stand) -> None:
    """It is not touched, and a camera that restarts its times moves both alike."""
    feed = stand.camera()
    transcode, _ = await stand.running(feed)
    eye = Eye()
    transcode.feed.join(eye)
    feed.audio(AudioFrame(b"\xd5" * 160, 8000, stand.clock.wall_ns(), PCMU))
    feed.audio(AudioFrame(b"\xd5" * 160, 8160, stand.clock.wall_ns(), PCMU))
    assert eye.sounds[1] - eye.sounds[0] == 160
    feed.broken(GapCause.NETWORK, "")
    await stand.clock.turn(1)
    stand.play(feed, 999, keyframe=True)
    feed.audio(AudioFrame(b"\xd5" * 160, 50, stand.clock.wall_ns(), PCMU))
    await settle()
    assert eye.sounds[2] - eye.sounds[1] == 8000
    assert transcode.feed.cached()[-1].time_90k == 90_000


# --- what goes wrong


async def test_a_killed_process_is_started_anew(stand: Stand) -> None:
    """The view stays, and the new process begins with the pictures since the camera's keyframe."""
    feed = stand.camera()
    transcode, coder = await stand.running(feed)
    eye = Eye()
    transcode.feed.join(eye)
    coder.die()
    await stand.clock.turn(1)
    stand.play(feed, 90_000)
    await settle()
    assert len(stand.coders.all) == 2
    assert [picture.time_90k for picture in stand.coders.all[1].pictures] == [0, 90_000]
    assert (eye.ended, eye.pictures[-1].time_90k) == (None, 90_000)
    assert stand.coders.running == [stand.coders.all[1]]


@pytest.mark.parametrize(
    "said",
    [
        Coded((b"\x65",), 0, 0),
        Parameters(1, 1, ()),
        Parameters(1, 1, (b"", b"")),
        Parameters(1, 1, (b"\x68", b"\x67")),
        Parameters(1, 1, (b"\x67", b"\x68", b"")),
        KeyframeWish(),
    ],
)
async def test_a_process_that_says_what_it_may_not_is_ended(stand: Stand, said: Message) -> None:
    """A picture before parameter sets, other parameter sets, a word that is not its own."""
    stand.coders.dumb = True
    _, coder = await stand.running(stand.camera())
    coder.made.put_nowait(said)
    await stand.clock.turn(1)
    assert coder not in stand.coders.running
    assert len(stand.coders.all) == 2


@pytest.mark.parametrize(("nals", "time_90k"), [((b"\x65",), 12_345), ((), 0), ((b"\x65", b""), 0)])
async def test_a_process_that_gives_other_pictures_is_ended(
    stand: Stand, nals: tuple[bytes, ...], time_90k: int
) -> None:
    """One that it was not handed, or one of nothing, reaches no viewer."""
    stand.coders.dumb = True
    transcode, coder = await stand.running(stand.camera())
    coder.made.put_nowait(SETS)
    coder.made.put_nowait(Coded(nals, time_90k, 0))
    await stand.clock.turn(1)
    assert coder not in stand.coders.running
    assert transcode.feed.cached() == ()


@pytest.mark.parametrize("knob", ["dumb", "stuck"])
async def test_a_process_that_hangs_is_ended(stand: Stand, knob: str) -> None:
    """One that takes pictures and gives none, or takes none at all."""
    setattr(stand.coders, knob, True)
    feed = stand.camera()
    _, coder = await stand.running(feed)
    for place in range(1, int(SILENT_S) + 3):
        stand.play(feed, place * 90_000)
        await stand.clock.turn(1)
    await stand.clock.turn(1)
    assert coder not in stand.coders.running
    assert len(stand.coders.all) == 2


async def test_a_process_whose_camera_sends_nothing_is_left_alone(stand: Stand) -> None:
    """Its last picture may have been one too many to be coded; that is no hang."""
    feed = stand.camera()
    transcode, coder = await stand.running(feed)
    coder.dumb = True
    stand.play(feed, 3600)
    await stand.clock.turn(60)
    assert stand.coders.running == [coder]
    assert not transcode.over


@pytest.mark.parametrize("refuse", [False, True])
async def test_what_cannot_be_decoded_is_given_up(stand: Stand, *, refuse: bool) -> None:
    """After some attempts views end, viewers are told for a while that it does not work, and then it is tried again."""
    feed = stand.camera()
    stand.coders.refuse = refuse
    transcode = stand.pool.hold(feed)
    for _ in range(ATTEMPTS):
        await settle()
        if not refuse:
            stand.coders.all[-1].die()
        await stand.clock.turn(6)
    assert stand.ended == [(transcode.feed, GAVE_UP)]
    stand.play(feed, 3600, keyframe=True)
    with pytest.raises(LiveTranscodeError, match="could not be decoded") as error:
        stand.pool.hold(feed)
    assert (error.value.code, error.value.status) == ("live.transcode", 503)
    await stand.clock.turn(REST_S)
    stand.coders.refuse = False
    assert not stand.pool.hold(feed).over


async def test_failures_long_apart_are_forgiven(stand: Stand) -> None:
    """After a healthy minute counting begins anew."""
    feed = stand.camera()
    transcode, _ = await stand.running(feed)
    for _ in range(2 * ATTEMPTS):
        stand.coders.all[-1].die()
        await stand.clock.turn(70)
    assert not transcode.over


async def test_a_bug_is_its_viewers_alone(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks in one ends its views; the pool and the others go on."""
    feed = stand.camera()
    other, _ = await stand.running(stand.camera())

    def broken(_: AccessUnit) -> None:
        raise RuntimeError("unforeseen")

    transcode = stand.pool.hold(feed)
    monkeypatch.setattr(transcode.feed, "video", broken)
    with capture_logs() as logs:
        await stand.clock.turn(1)
    assert [entry["exc_info"] for entry in logs if entry["event"] == "transcode.broke"] == [True]
    assert stand.ended == [(transcode.feed, "failed")]
    assert not other.over
    assert len(stand.coders.running) == 1


@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=30), st.integers(0, 2**40), st.integers(-(2**40), 2**40))
def test_display_times_keep_the_cameras_distances(steps: list[int], start: int, shift: int) -> None:
    """Pictures in order lie where the feed placed them."""
    times, at = DisplayTimes(), start
    for step in steps:
        at += step
        assert times.of(at, at + shift) == at + shift


def test_pictures_shown_before_the_newest_are_placed_before_it() -> None:
    """Decoded I P B B P: the feed's places only grow, display times are the camera's."""
    times = DisplayTimes()
    pairs = [(0, 0), (3, 3), (1, 4), (2, 5), (6, 6)]
    assert [times.of(media, placed) for media, placed in pairs] == [0, 3, 1, 2, 6]


def test_times_that_restart_are_placed_where_the_feed_places_them() -> None:
    """However far back they go."""
    times = DisplayTimes()
    assert times.of(900_000, 900_000) == 900_000
    assert times.of(0, 990_000) == 990_000
    assert times.of(3600, 993_600) == 993_600
