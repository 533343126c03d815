"""A camera stream without a camera: a moving pattern under the strip, encoded and handed to a sink in real time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import numpy as np

from drivers.simulator.picture import strip
from drivers.simulator.picture.encoder import Coding, Encoder, to_frame
from kernel.clock import NS_PER_MS, NS_PER_S, Clock
from kernel.media import (
    AccessUnit,
    AudioCodec,
    AudioFrame,
    AudioParameters,
    MediaSink,
    StreamDescription,
    VideoCodec,
)

TONE = AudioParameters(AudioCodec.PCMU, 8000, 1)


class PatternCamera:
    """Knobs: size, rate, GOP, number, sound. ``unit()`` makes one picture; :meth:`run` plays in real time."""

    def __init__(
        self,
        clock: Clock,
        *,
        number: int = 7,
        width: int = 640,
        height: int = 360,
        frame_rate: float = 12.5,
        gop_frames: int = 25,
        codec: VideoCodec = VideoCodec.H264,
        bitrate_kbit: int = 1000,
        sound: AudioParameters | None = None,
    ) -> None:
        self._clock = clock
        self.number = number
        self._gop_frames = gop_frames
        self._sound = sound
        self.frame_rate = frame_rate
        self._size = (height, width)
        self._encoder = Encoder(
            Coding(codec=codec, width=width, height=height, frame_rate=frame_rate, bitrate_kbit=bitrate_kbit)
        )
        self._count = 0
        self.keyframes_wanted = 0
        self.held = False
        """While it is, :meth:`run` gives no pictures."""

    @property
    def description(self) -> StreamDescription:
        """What the session carries."""
        return StreamDescription(video=self._encoder.coding.codec, audio=self._sound, metadata=False, transport="tcp")

    def request_keyframe(self) -> None:
        """Make the next picture a keyframe."""
        self.keyframes_wanted += 1

    def unit(self, *, keyframe: bool | None = None, time_90k: int | None = None) -> AccessUnit:
        """Return the picture of now."""
        height, width = self._size
        now_ns = self._clock.wall_ns()
        picture = np.empty((height, width, 3), dtype=np.uint8)
        picture[...] = (np.arange(width, dtype=np.uint16)[None, :, None] + 4 * self._count) % 200
        strip.paint(picture, now_ns // NS_PER_MS, self.number)
        due = self._count % self._gop_frames == 0 if keyframe is None else keyframe
        time = round(self._count * 90_000 / self.frame_rate) if time_90k is None else time_90k
        (coded,) = self._encoder.encode(to_frame(picture), time, keyframe=due)
        self._count += 1
        return AccessUnit(
            nals=coded.nals,
            time_90k=time,
            wall_ns=now_ns,
            keyframe=coded.keyframe,
            parameters=self._encoder.parameters,
            received_ns=self._clock.monotonic_ns(),
        )

    async def run(self, sink: MediaSink) -> None:
        """Play into ``sink`` until cancelled."""
        sink.started(self.description)
        period_ns = round(NS_PER_S / self.frame_rate)
        due_ns = self._clock.monotonic_ns()
        samples = round(8000 / self.frame_rate)
        while True:
            if self.held:
                due_ns += period_ns
                await self._clock.sleep_until(due_ns)
                continue
            unit = await asyncio.to_thread(self.unit)
            sink.video(unit)
            if self._sound is not None:
                time = (self._count - 1) * samples
                sink.audio(AudioFrame(b"\xd5" * samples, time, unit.wall_ns, self._sound))
            due_ns += period_ns
            await self._clock.sleep_until(due_ns)

    @asynccontextmanager
    async def playing(self, sink: MediaSink) -> AsyncIterator[None]:
        """Play for as long as the context lasts."""
        task = asyncio.create_task(self.run(sink))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
