"""What an offer is answered with, by what the browser offers and what the camera sends."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.live.choice import Choice, choose
from gateway.live.errors import LiveCodecError, LiveTranscodeError, LiveTranscodesFullError
from gateway.live.feed import LiveFeed
from kernel.media import VideoCodec, VideoParameters
from tests.fakes.clock import ManualClock
from tests.fakes.transcodes import H265, Stand, stand_of
from tests.unit.live.test_offer import CHROMIUM

H264 = VideoParameters(VideoCodec.H264, 640, 360, sps=b"\x67\x42\xc0\x1e", pps=b"\x68\xce")
WITH_H265 = CHROMIUM.replace("AV1/90000", "H265/90000").replace("level-idx=5;profile=0;tier=0", "level-id=93")
NO_H264 = re.sub("H264/90000", "VP8/90000", CHROMIUM)
ONLY_H265 = re.sub("H264/90000", "VP8/90000", WITH_H265)


@pytest_asyncio.fixture
async def stand(clock: ManualClock) -> AsyncIterator[Stand]:
    """Give a pool of one."""
    async with stand_of(clock, 1) as stand:
        yield stand


def feed_of(stand: Stand, parameters: VideoParameters) -> LiveFeed:
    """Return the feed of a camera that sends this."""
    feed = stand.camera()
    if parameters is not H265:
        stand.play(feed, 3600, keyframe=True, parameters=parameters)
    return feed


def said(choice: Choice) -> str:
    """Return the coding that is answered."""
    section = choice.offer.section("video")
    assert section is not None
    assert section.coding is not None
    return section.coding.name


@pytest.mark.parametrize("offer", [CHROMIUM, WITH_H265])
@pytest.mark.parametrize("other", [None, H264, H265])
async def test_h264_is_passed_on(stand: Stand, offer: str, other: VideoParameters | None) -> None:
    """Whatever else there is, a camera's H.264 is shown as it is."""
    asked = feed_of(stand, H264)
    choice = choose(offer, asked, feed_of(stand, other) if other else None, stand.pool)
    assert (choice.feed, choice.origin, choice.transcode, said(choice)) == (asked, asked, None, "H264/90000")


@pytest.mark.parametrize("offer", [WITH_H265, ONLY_H265])
@pytest.mark.parametrize("other", [None, H264, H265])
async def test_h265_is_passed_on_where_it_is_offered(stand: Stand, offer: str, other: VideoParameters | None) -> None:
    """A browser that offers it is believed."""
    asked = feed_of(stand, H265)
    choice = choose(offer, asked, feed_of(stand, other) if other else None, stand.pool)
    assert (choice.feed, choice.transcode, said(choice)) == (asked, None, "H265/90000")


async def test_the_h264_stream_comes_before_a_transcode(stand: Stand) -> None:
    """It costs nothing; and no place is taken for it."""
    asked, other = feed_of(stand, H265), feed_of(stand, H264)
    choice = choose(CHROMIUM, asked, other, stand.pool)
    assert (choice.feed, choice.origin, choice.over, stand.pool.count) == (other, other, False, 0)
    choice.release()


@pytest.mark.parametrize("other", [None, H265])
async def test_only_h265_is_coded_anew(stand: Stand, other: VideoParameters | None) -> None:
    """The stream that was asked for, held for this viewer until they let go of it."""
    asked = feed_of(stand, H265)
    choice = choose(CHROMIUM, asked, feed_of(stand, other) if other else None, stand.pool)
    assert choice.transcode is not None
    assert (choice.origin, choice.feed.transcoded, said(choice)) == (asked, True, "H264/90000")
    assert choice.transcode.holders == 1
    choice.release()
    assert choice.transcode.holders == 0


@pytest.mark.parametrize("camera", [H264, H265])
async def test_an_offer_of_neither_is_refused(stand: Stand, camera: VideoParameters) -> None:
    """Nothing is begun for a browser that could not show it."""
    with pytest.raises(LiveCodecError):
        choose(NO_H264, feed_of(stand, camera), None, stand.pool)
    assert stand.pool.count == 0


async def test_where_none_may_run_h265_is_refused_as_such(clock: ManualClock) -> None:
    """``live.transcodes = 0``: the browser is told that it lacks H.265, not that places are taken."""
    async with stand_of(clock, 0) as stand:
        with pytest.raises(LiveCodecError, match=r"H\.265") as error:
            choose(CHROMIUM, feed_of(stand, H265), None, stand.pool)
    assert (error.value.code, error.value.status) == ("live.codec", 406)


async def test_where_all_places_are_taken_a_stream_that_has_one_is_shown(stand: Stand) -> None:
    """The camera's sub stream, which another viewer's transcode makes already, is better than no picture."""
    asked, other = feed_of(stand, H265), feed_of(stand, H265)
    running = stand.pool.hold(other)
    choice = choose(CHROMIUM, asked, other, stand.pool)
    assert (choice.transcode, running.holders) == (running, 2)
    with pytest.raises(LiveTranscodesFullError):
        choose(CHROMIUM, asked, feed_of(stand, H265), stand.pool)


async def test_where_one_stream_cannot_be_decoded_the_other_is_tried(stand: Stand) -> None:
    """A main stream beyond our decoder may have a sub stream that is not."""
    asked, other = feed_of(stand, H265), feed_of(stand, H265)
    stand.coders.refuse = True
    stand.pool.hold(asked)
    await stand.clock.turn(15)
    stand.coders.refuse = False
    stand.play(asked, 3600, keyframe=True)
    stand.play(other, 3600, keyframe=True)
    with pytest.raises(LiveTranscodeError):
        choose(CHROMIUM, asked, None, stand.pool)
    assert choose(CHROMIUM, asked, other, stand.pool).origin is other
