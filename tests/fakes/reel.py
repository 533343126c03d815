"""A feed that plays a short reel round and round: real coded pictures that cost nothing to make again."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from drivers.simulator.device import EncodedUnit, SimulatedDevice, StreamSettings
from drivers.simulator.picture.encoder import Coding, Encoder, Picture, parameters_of, to_frame
from kernel.clock import every
from kernel.ids import StreamName
from kernel.media import VIDEO_CLOCK_HZ, VideoCodec, VideoParameters

REEL_FRAMES = 10


@cache
def reel(coding: Coding, detail: int = 60) -> tuple[Picture, ...]:
    """Return one GOP; noise of ``detail`` grey levels makes keyframes larger than a packet."""
    encoder = Encoder(coding)
    rng = np.random.default_rng(7)
    noise = rng.integers(0, detail, (coding.height, coding.width, 3), dtype=np.uint8)
    pictures: list[Picture] = []
    for index in range(REEL_FRAMES):
        ramp = (np.arange(coding.width) * 3 + index * 8) % 150
        rgb = (noise + ramp[None, :, None]).astype(np.uint8)
        pictures += encoder.encode(to_frame(rgb), index * 3600, keyframe=index == 0)
    return tuple(pictures)


class ReelFeed:
    """Satisfies ``drivers.simulator.device.Feed``; :meth:`emit` sends the next picture, :meth:`run` sends for ever."""

    def __init__(self, device: SimulatedDevice, settings: StreamSettings) -> None:
        self.device = device
        self.settings = settings
        self.requests = 0
        self.sent: list[EncodedUnit] = []
        self.silent = False
        """It sends nothing more, and the connection stays."""
        self._listeners: dict[Callable[[EncodedUnit], None], bool] = {}
        self._index = 0
        self._time_90k = 0
        self._halved = False

    @property
    def coding(self) -> Coding:
        """What is coded; half the size under ``resolution_change``."""
        half = 2 if self.device.faults.resolution_change else 1
        s = self.settings
        return Coding(
            codec=s.codec,
            width=s.width // half,
            height=s.height // half,
            frame_rate=s.frame_rate,
            bitrate_kbit=s.bitrate_kbit,
        )

    @property
    def codec(self) -> VideoCodec:
        """See ``Feed``."""
        return self.settings.codec

    @property
    def parameters(self) -> VideoParameters:
        """See ``Feed``."""
        return parameters_of(self.coding)

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def attach(self, listener: Callable[[EncodedUnit], None]) -> Callable[[], None]:
        """See ``Feed``."""
        self._listeners[listener] = False
        self._index = 0

        def detach() -> None:
            self._listeners.pop(listener, None)

        return detach

    def request_keyframe(self) -> None:
        """See ``Feed``."""
        self.requests += 1
        if not self.device.faults.no_keyframes:
            self._index = 0

    async def jpeg(self) -> bytes:
        """See ``Feed``."""
        return b""

    def emit(self, *, step_90k: int | None = None) -> EncodedUnit:
        """Send the next picture of the reel."""
        if self.device.faults.resolution_change is not self._halved:
            self._halved = self.device.faults.resolution_change
            self._index = 0
        pictures = reel(self.coding)
        if self._index >= len(pictures):
            self._index = 1 if self.device.faults.no_keyframes else 0
        picture = pictures[self._index]
        self._index += 1
        self._time_90k += step_90k or round(VIDEO_CLOCK_HZ / self.settings.frame_rate)
        unit = EncodedUnit(picture.nals, self._time_90k, self.device.wall_ns(), picture.keyframe, self.parameters)
        self.sent.append(unit)
        for listener, started in list(self._listeners.items()):
            if started or unit.keyframe:
                self._listeners[listener] = True
                listener(unit)
        return unit

    async def run(self) -> None:
        """Send for ever at the frame rate."""
        async with every(self.device.clock, 1 / self.settings.frame_rate) as ticks:
            async for _ in ticks:
                if self._listeners and not self.silent:
                    self.emit()


def reel_device(device: SimulatedDevice, **settings: object) -> dict[StreamName, ReelFeed]:
    """Give ``device`` main and sub feeds of small reels; ``settings`` override ``StreamSettings``."""
    main = StreamSettings(
        token="main", name=StreamName.MAIN, width=320, height=240, frame_rate=50.0, gop_frames=REEL_FRAMES
    )
    for name, value in settings.items():
        setattr(main, name, value)
    sub = replace(main, token="sub", name=StreamName.SUB, width=160, height=120)
    device.streams = {StreamName.MAIN: main, StreamName.SUB: sub}
    feeds = {name: ReelFeed(device, stream) for name, stream in device.streams.items()}
    for feed in feeds.values():
        reel(feed.coding)  # encoded now, so that no picture is late for it
    device.feeds = dict(feeds)
    return feeds
