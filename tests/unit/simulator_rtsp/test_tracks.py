"""The clock of a video track."""

import random
from dataclasses import replace

from drivers.simulator.device import Mount, SimulatedDevice
from drivers.simulator.rtsp.packets import Burst
from drivers.simulator.rtsp.tracks import VideoTrack
from kernel.clock import NS_PER_S
from kernel.geography import Place
from kernel.ids import StreamName
from tests.fakes.clock import ManualClock
from tests.fakes.reel import ReelFeed, reel_device


class Nowhere:
    """An outlet that drops everything."""

    def send(self, burst: Burst) -> None:
        """Drop it."""


class Halting(ManualClock):
    """Time goes on by ``halt_ns`` after each look at the wall: other processes had the machine."""

    halt_ns = 0

    def wall_ns(self) -> int:
        """Return the wall time, as it was before the halt."""
        now_ns = super().wall_ns()
        self._advance(self.monotonic_ns() + self.halt_ns)
        return now_ns


def camera(clock: ManualClock) -> tuple[SimulatedDevice, ReelFeed, VideoTrack]:
    """Return a camera with one client on its main track."""
    device = SimulatedDevice(
        number=1, name="", serial="", urn="", mount=Mount(place=Place(51.5, 0.0), bearing_deg=0.0), clock=clock
    )
    feed = reel_device(device)[StreamName.MAIN]
    track = VideoTrack(device, feed, random.Random(1))  # noqa: S311 - numbering
    track.join(Nowhere())
    return device, feed, track


def test_media_time_is_that_of_capture_however_late_the_encoder(clock: ManualClock) -> None:
    """A picture that took four seconds to encode is four seconds old."""
    _, feed, track = camera(clock)
    unit = feed.emit()
    clock._advance(clock.monotonic_ns() + 4 * NS_PER_S)
    track._picture(replace(unit, time_90k=unit.time_90k + 3600))
    assert track.media_now() == unit.time_90k + 3600 + 4 * 90_000


def test_a_process_that_was_kept_waiting_is_no_jump_of_the_clock() -> None:
    """However long it stands between two looks at the clock, a late picture is told to be late by as much."""
    clock = Halting()
    _, feed, track = camera(clock)
    unit = feed.emit()
    clock._advance(clock.monotonic_ns() + 4 * NS_PER_S)
    clock.halt_ns = NS_PER_S // 2
    track._picture(replace(unit, time_90k=unit.time_90k + 3600))
    assert track.media_now() >= unit.time_90k + 3600 + 4 * 90_000


def test_a_jump_of_the_cameras_clock_is_no_latency(clock: ManualClock) -> None:
    """Pictures from before a jump that come after it do not move media time."""
    device, feed, track = camera(clock)
    feed.emit()
    unit = feed.emit()
    device.faults.clock_jump_s = 3.0
    for _ in range(2):
        track._picture(unit)
        assert track.media_now() == unit.time_90k
