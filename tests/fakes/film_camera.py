"""A camera stream that costs next to nothing: a film coded beforehand, handed to a sink at its frame rate for ever.

The film is what a street camera sees: a finely grained scene that stands still, in which something moves. So keyframes
are large, some hundred packets, and the pictures between them small.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache

import numpy as np

from drivers.simulator.picture.encoder import Coding, Encoder, Picture, to_frame
from kernel.clock import NS_PER_S, Clock
from kernel.media import VIDEO_CLOCK_HZ, AccessUnit, MediaSink, StreamDescription, VideoCodec, VideoParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """One group of pictures, to be shown again and again; the first is the keyframe."""

    pictures: tuple[Picture, ...]
    parameters: VideoParameters
    frame_rate: float

    @property
    def keyframe_bytes(self) -> int:
        """Return how large the keyframe is."""
        return sum(map(len, self.pictures[0].nals))

    @property
    def kbit_s(self) -> float:
        """Return the mean rate in 10^3 bits a second."""
        size = sum(len(nal) for picture in self.pictures for nal in picture.nals)
        return size * 8 / 1000 * self.frame_rate / len(self.pictures)


@cache
def film(
    *, width: int = 640, height: int = 360, frame_rate: float = 25.0, gop_frames: int = 50, grain: int = 90
) -> Film:
    """Code a film; ``grain`` is how many grey levels the scene's texture spans."""
    # Not held back by any rate, so that each picture is as large as what is in it.
    encoder = Encoder(
        Coding(codec=VideoCodec.H264, width=width, height=height, frame_rate=frame_rate, bitrate_kbit=20_000)
    )
    random = np.random.default_rng(7)
    scene = random.integers(60, 60 + grain, (height, width), dtype=np.uint8)
    side = height // 5
    pictures: list[Picture] = []
    for index in range(gop_frames):
        grey = scene.copy()
        x = (width - side) * index // gop_frames
        grey[height // 2 : height // 2 + side, x : x + side] = 40 + index * 3 % 180
        rgb = np.repeat(grey[:, :, None], 3, axis=2)
        time_90k = round(index * VIDEO_CLOCK_HZ / frame_rate)
        pictures += encoder.encode(to_frame(rgb), time_90k, keyframe=index == 0)
    return Film(pictures=tuple(pictures), parameters=encoder.parameters, frame_rate=frame_rate)


class FilmCamera:
    """Plays ``film``. ``played`` counts the pictures; a wish for a keyframe is granted with the next one.

    While ``held`` time goes on, and no picture comes.
    """

    def __init__(self, clock: Clock, film: Film) -> None:
        self.film = film
        self.played = 0
        self.held = False
        self.taken_ns = 0
        """Wall time of the newest picture."""
        self.keyframes_wanted = 0
        self._running: asyncio.Task[None] | None = None
        self._clock = clock
        self._at = 0
        self._ticks = 0

    @property
    def description(self) -> StreamDescription:
        """What the session carries."""
        return StreamDescription(video=VideoCodec.H264, audio=None, metadata=False, transport="tcp")

    def request_keyframe(self) -> None:
        """Begin the group of pictures anew with the next one."""
        self.keyframes_wanted += 1
        self._at = 0

    def unit(self) -> AccessUnit:
        """Return the next picture, taken now."""
        picture = self.film.pictures[self._at]
        self.taken_ns = self._clock.wall_ns()
        unit = AccessUnit(
            nals=picture.nals,
            time_90k=round(self._ticks * VIDEO_CLOCK_HZ / self.film.frame_rate),
            wall_ns=self.taken_ns,
            keyframe=picture.keyframe,
            parameters=self.film.parameters,
            received_ns=self._clock.monotonic_ns(),
        )
        self._at = (self._at + 1) % len(self.film.pictures)
        self.played += 1
        return unit

    async def run(self, sink: MediaSink) -> None:
        """Play into ``sink`` until cancelled."""
        sink.started(self.description)
        period_ns = round(NS_PER_S / self.film.frame_rate)
        due_ns = self._clock.monotonic_ns()
        while True:
            if not self.held:
                sink.video(self.unit())
            self._ticks += 1
            due_ns += period_ns
            await self._clock.sleep_until(due_ns)

    async def stop(self) -> None:
        """Play no more; the sink is not told."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    @asynccontextmanager
    async def playing(self, sink: MediaSink) -> AsyncIterator[None]:
        """Play for as long as the context lasts, or until it is stopped."""
        self._running = asyncio.create_task(self.run(sink))
        try:
            yield
        finally:
            await self.stop()
