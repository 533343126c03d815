"""H.265 to be coded anew."""

from collections.abc import Iterable

import pytest

from gateway.transcoder.framing import Coded, Parameters
from kernel.clock import NS_PER_S
from kernel.media import VideoCodec
from tests.fakes.clock import ManualClock
from tests.fakes.pattern import PatternCamera


class Source:
    """A camera whose pictures go to a coder: as its host sends them."""

    def __init__(self, clock: ManualClock, **knobs: object) -> None:
        settings = {"width": 320, "height": 180, "frame_rate": 25.0, "gop_frames": 10, **knobs}
        self.clock = clock
        self.camera = PatternCamera(clock, codec=VideoCodec.H265, **settings)  # type: ignore[arg-type]
        sets = self.camera.unit(keyframe=True).parameters
        self.parameters = Parameters(
            sets.width, sets.height, tuple(nal for nal in (sets.vps, sets.sps, sets.pps) if nal)
        )

    def pictures(self, count: int) -> Iterable[Coded]:
        """Yield pictures, the first of them a keyframe, received as they are made, at the frame rate."""
        for place in range(count):
            unit = self.camera.unit(keyframe=place == 0)
            yield Coded(unit.nals, unit.time_90k, self.clock.monotonic_ns())
            self.clock._advance(self.clock.monotonic_ns() + round(NS_PER_S / self.camera.frame_rate))


@pytest.fixture
def source(clock: ManualClock) -> Source:
    """Give a small camera at 25 pictures a second."""
    return Source(clock)
