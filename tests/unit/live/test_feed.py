"""The feed of a stream: its line of time, its cache, and who is told what."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.live.feed import KEYFRAME_INTERVAL_S, STALE_S, LiveFeed, TimeLine
from gateway.live.payload import Picture
from kernel.clock import NS_PER_S
from kernel.ids import CameraId, StreamName
from kernel.media import (
    AccessUnit,
    AudioCodec,
    AudioFrame,
    AudioParameters,
    GapCause,
    MetadataDocument,
    StreamDescription,
    VideoCodec,
    VideoParameters,
)
from tests.fakes.clock import ManualClock

H264 = VideoParameters(VideoCodec.H264, 640, 360, sps=b"\x67\x42\xc0\x1e", pps=b"\x68\xce")
H265 = VideoParameters(VideoCodec.H265, 640, 360, sps=b"\x42\x01", pps=b"\x44\x01", vps=b"\x40\x01")
PCMU = AudioParameters(AudioCodec.PCMU, 8000, 1)
SILENT = StreamDescription(video=VideoCodec.H264, audio=None, metadata=False, transport="tcp")


class Eye:
    """Notes what a feed tells it."""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []
        self.sounds: list[int] = []
        self.ended: str | None = None

    def picture(self, picture: Picture) -> None:
        """See ``Watcher``."""
        self.pictures.append(picture)

    def sound(self, frame: AudioFrame, time_clock: int) -> None:
        """See ``Watcher``."""
        self.sounds.append(time_clock)

    def end(self, reason: str) -> None:
        """See ``Watcher``."""
        self.ended = reason


class Camera:
    """Makes units and counts the keyframes it is asked for."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.asked = 0

    def ask(self) -> None:
        """Be asked for a keyframe."""
        self.asked += 1

    def unit(
        self,
        time_90k: int,
        *,
        keyframe: bool = False,
        size: int = 100,
        parameters: VideoParameters = H264,
        lost: bool = False,
    ) -> AccessUnit:
        """Return a unit received now."""
        return AccessUnit(
            nals=(b"\x41" * size,),
            time_90k=time_90k,
            wall_ns=self.clock.wall_ns(),
            keyframe=keyframe,
            parameters=parameters,
            received_ns=self.clock.monotonic_ns(),
            lost_before=lost,
        )


@pytest.fixture
def camera(clock: ManualClock) -> Camera:
    """Return a source of units."""
    return Camera(clock)


@pytest.fixture
def feed(clock: ManualClock, camera: Camera) -> LiveFeed:
    """Return a feed that caches 1000 bytes."""
    return LiveFeed(CameraId("c"), StreamName.MAIN, clock=clock, request_keyframe=camera.ask, cache_bytes=1000)


@given(st.lists(st.tuples(st.booleans(), st.integers(-(2**33), 2**33), st.integers(0, 10**10)), max_size=40))
def test_the_line_of_time_only_grows(steps: list[tuple[bool, int, int]]) -> None:
    """However media times restart or bend, what viewers get grows by at least one tick."""
    line, now, placed = TimeLine(90_000), 0, []
    for restart, time, passed_ns in steps:
        now += passed_ns
        if restart:
            line.restart()
        placed.append(line.place(time, now))
    assert all(later > earlier for earlier, later in itertools.pairwise(placed))


@given(st.integers(0, 2**33), st.integers(1, 100), st.integers(0, 2**33))
def test_a_restart_leaves_the_silence_in_place(before: int, silence_s: int, after: int) -> None:
    """Between the last time before a restart and the first after lies as much time as truly passed."""
    line = TimeLine(90_000)
    first = line.place(before, 0)
    line.restart()
    assert line.place(after, silence_s * NS_PER_S) - first == silence_s * 90_000


def test_nothing_is_shown_before_a_keyframe(feed: LiveFeed, camera: Camera) -> None:
    """A stream that begins in the middle of a GOP is not live until its first keyframe."""
    eye = Eye()
    feed.join(eye)
    feed.started(SILENT)
    feed.video(camera.unit(0))
    assert not feed.live
    assert eye.pictures == []
    feed.video(camera.unit(3600, keyframe=True))
    assert feed.live
    assert [picture.keyframe for picture in eye.pictures] == [True]


def test_a_viewer_gets_the_cached_pictures_and_then_every_new_one(feed: LiveFeed, camera: Camera) -> None:
    """Joining gives what came since the last keyframe, and nothing is lost or doubled after it."""
    feed.started(SILENT)
    feed.video(camera.unit(0, keyframe=True))
    feed.video(camera.unit(3600))
    eye = Eye()
    cached = feed.join(eye)
    feed.video(camera.unit(7200))
    assert [picture.time_90k for picture in (*cached, *eye.pictures)] == [0, 3600, 7200]
    assert feed.viewers == 1
    feed.leave(eye)
    feed.leave(eye)
    feed.video(camera.unit(10800))
    assert len(eye.pictures) == 1


def test_a_group_longer_than_the_cache_is_dropped_whole(feed: LiveFeed, camera: Camera) -> None:
    """No half group is kept: a viewer of an overlong one waits for a keyframe, and one is asked for."""
    feed.started(SILENT)
    feed.video(camera.unit(0, keyframe=True, size=600))
    feed.video(camera.unit(3600, size=600))
    feed.video(camera.unit(7200, size=10))
    assert feed.cached() == ()
    assert feed.live
    feed.join(Eye())
    assert camera.asked == 0, "a keyframe came just now"


async def test_keyframes_are_asked_for_at_most_once_a_second(
    feed: LiveFeed, camera: Camera, clock: ManualClock
) -> None:
    """The wishes of all viewers make one request a second."""
    for _ in range(5):
        feed.want_keyframe()
    assert camera.asked == 1
    await clock.turn(KEYFRAME_INTERVAL_S)
    feed.want_keyframe()
    assert camera.asked == 2


async def test_a_loss_on_the_cameras_side_asks_for_a_keyframe(
    feed: LiveFeed, camera: Camera, clock: ManualClock
) -> None:
    """Damage that viewers would see until the next keyframe is cut short, if anybody watches."""
    feed.started(SILENT)
    feed.video(camera.unit(0, keyframe=True))
    await clock.turn(2)
    feed.video(camera.unit(3600, lost=True))
    assert camera.asked == 0
    feed.join(Eye())
    feed.video(camera.unit(7200, lost=True))
    assert camera.asked == 1


async def test_a_stream_without_pictures_is_not_live(feed: LiveFeed, camera: Camera, clock: ManualClock) -> None:
    """After five silent seconds new viewers are turned away."""
    feed.started(SILENT)
    feed.video(camera.unit(0, keyframe=True))
    await clock.turn(STALE_S)
    assert not feed.live


def test_a_break_empties_the_cache_and_keeps_the_viewers(feed: LiveFeed, camera: Camera) -> None:
    """Old pictures are no start for anybody, but who watches goes on watching."""
    eye = Eye()
    feed.started(SILENT)
    feed.video(camera.unit(0, keyframe=True))
    feed.join(eye)
    feed.broken(GapCause.NETWORK, "it fell")
    assert feed.cached() == ()
    assert not feed.live
    assert eye.ended is None
    feed.started(SILENT)
    feed.video(camera.unit(90, keyframe=True))
    assert [picture.time_90k for picture in eye.pictures] == [1]


def test_another_coding_ends_the_views(feed: LiveFeed, camera: Camera) -> None:
    """A camera switched from H.264 to H.265 ends the views, whose answers named H.264."""
    eye = Eye()
    feed.started(SILENT)
    feed.video(camera.unit(0, keyframe=True))
    feed.join(eye)
    feed.video(camera.unit(3600, keyframe=True, parameters=H265))
    assert eye.ended is not None


def test_leaving_the_feed_ends_the_views(feed: LiveFeed) -> None:
    """When the camera is let go, its viewers are told."""
    eye = Eye()
    with feed:
        feed.join(eye)
    assert eye.ended is not None


@pytest.mark.parametrize(
    ("audio", "in_browsers"),
    [(PCMU, True), (AudioParameters(AudioCodec.AAC, 48000, 2, b"\x11\x90"), False), (None, False)],
)
def test_sound_is_passed_and_told_apart_for_browsers(
    feed: LiveFeed,
    camera: Camera,
    audio: AudioParameters | None,
    in_browsers: bool,  # noqa: FBT001
) -> None:
    """Sound of every coding goes to viewers untouched; that of browsers is G.711 alone; metadata never goes."""
    eye = Eye()
    feed.started(StreamDescription(video=VideoCodec.H264, audio=audio, metadata=True, transport="tcp"))
    frame = AudioFrame(b"\x00" * 160, 800, camera.clock.wall_ns(), audio or PCMU)
    feed.audio(frame)
    feed.video(camera.unit(0, keyframe=True))
    feed.join(eye)
    feed.audio(frame)
    feed.metadata(MetadataDocument(b"<tt/>", 0))
    feed.broken(GapCause.CAMERA, "")
    assert bool(eye.sounds) == (audio is not None)
    assert bool(feed.browser_sound) == in_browsers
