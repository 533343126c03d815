"""Transcodes that go wrong: processes that die, hang or lie, and times that restart."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.live.errors import LiveTranscodeError
from gateway.live.transcode.pool import REST_S
from gateway.live.transcode.running import ATTEMPTS, GAVE_UP, SILENT_S, DisplayTimes
from gateway.transcoder.framing import Coded, KeyframeWish, Message, Parameters
from kernel.media import (
    AccessUnit,
)
from tests.fakes.clock import ManualClock, settle
from tests.fakes.coder import SETS
from tests.fakes.transcodes import Stand, stand_of
from tests.unit.live.test_feed import Eye


@pytest_asyncio.fixture
async def stand(clock: ManualClock) -> AsyncIterator[Stand]:
    """Give a pool of two."""
    async with stand_of(clock, 2) as stand:
        yield stand


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
