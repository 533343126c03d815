"""Transcodes of a host: for whom they run, how many, what they are handed and give, and how they end."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.live.errors import LiveTranscodesFullError
from gateway.live.transcode.running import IDLE, LINGER_S
from gateway.transcoder.framing import Message, Parameters
from kernel.media import (
    AudioFrame,
    GapCause,
    TimeSource,
    VideoCodec,
    VideoParameters,
)
from tests.fakes.clock import ManualClock, settle
from tests.fakes.coder import SETS
from tests.fakes.transcodes import H265, PCMU, Stand, stand_of
from tests.unit.live.test_feed import Eye

OTHER = VideoParameters(VideoCodec.H265, 320, 180, sps=b"\x42\x02", pps=b"\x44\x02", vps=b"\x40\x02")


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
