"""A pool of transcodes over fake processes, and cameras whose pictures a test hands over itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from config.live import LiveSettings
from gateway.live.feed import LiveFeed
from gateway.live.transcode.pool import Transcodes
from gateway.live.transcode.running import Transcode
from kernel.ids import CameraId, StreamName
from kernel.media import (
    AccessUnit,
    AudioCodec,
    AudioParameters,
    StreamDescription,
    TimeSource,
    VideoCodec,
    VideoParameters,
)
from tests.fakes.clock import ManualClock, settle
from tests.fakes.coder import FakeCoder, FakeCoders

H265 = VideoParameters(VideoCodec.H265, 640, 360, sps=b"\x42\x01", pps=b"\x44\x01", vps=b"\x40\x01")
PCMU = AudioParameters(AudioCodec.PCMU, 8000, 1)


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
