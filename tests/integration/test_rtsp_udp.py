"""The fallback over UDP, in its thread."""

import asyncio
import threading

import pytest

from drivers.errors import CameraAuthenticationError
from drivers.rtsp import RtspStream, StreamState, libav
from kernel.clock import SystemClock
from kernel.media import AccessUnit, GapCause, TimeSource
from tests.fakes.media_sink import KeepingSink
from tests.fakes.rtsp import pulling, reel_camera, source
from tests.fakes.waiting import until


def threads() -> int:
    """Return how many libav threads run."""
    return sum(thread.name == "rtsp-libav" for thread in threading.enumerate())


async def test_without_reports_arrival_counts() -> None:
    """Over UDP too the wall time is that of arrival where the camera sends no reports."""
    async with (
        reel_camera("no_sender_reports") as camera,
        pulling(source(camera.url(), transport="udp", audio=False)) as (stream, sink),
    ):
        await until(lambda: len(sink.units) > 15, what="pictures")
        assert {unit.time_source for unit in sink.units} == {TimeSource.ARRIVAL}
        assert sink.descriptions[0].audio is None
        assert sink.sounds == []
        stream.request_keyframe()  # cannot be sent, and does no harm


async def test_leaving_ends_the_thread() -> None:
    """A stopped stream leaves no thread behind, and the camera's session is torn down."""
    async with reel_camera() as camera:
        async with pulling(source(camera.url(), transport="udp")) as (_, sink):
            await until(lambda: sink.units, what="pictures")
            assert threads() == 1
        assert threads() == 0
        await until(lambda: camera.main.listeners == 0, what="the teardown")


async def test_a_wrong_password_parks_before_libav_is_asked() -> None:
    """The native description judges the password."""
    async with reel_camera() as camera:
        stream = RtspStream(source(camera.url(), transport="udp", password="wrong"), KeepingSink(), clock=SystemClock())
        await asyncio.wait_for(stream.run(), 40)
    assert stream.state is StreamState.PARKED
    assert isinstance(stream.last_error, CameraAuthenticationError)


async def test_a_camera_that_goes_is_a_gap_and_comes_back() -> None:
    """Silence ends the session as a network gap; pictures begin again when the link does."""
    async with (
        reel_camera() as camera,
        pulling(source(camera.url(), transport="udp", answer_timeout_s=0.5, frame_timeout_s=0.5)) as (stream, sink),
    ):
        await until(lambda: len(sink.units) > 5, what="pictures")
        camera.device.faults.drop_link = True
        await until(lambda: sink.breaks, what="the break")
        camera.device.faults.drop_link = False
        await until(lambda: sink.story.count("started") > 1 and sink.recovered, what="recovery")
        await until(lambda: stream.state is StreamState.LIVE, what="it to last")
    assert sink.breaks[0][0] is GapCause.NETWORK


async def test_a_change_of_resolution_brings_new_parameters() -> None:
    """Parameter sets in the stream are followed over UDP as well."""
    async with reel_camera() as camera, pulling(source(camera.url(), transport="udp")) as (_, sink):
        await until(lambda: len(sink.units) > 5, what="pictures")
        camera.device.faults.resolution_change = True
        await until(lambda: sink.units[-1].parameters.width == 160, what="the new size")
    change = next(unit for unit in sink.units if unit.parameters.width == 160)
    assert change.keyframe


async def test_an_event_loop_that_cannot_keep_up_costs_pictures_not_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound, what the thread reads is dropped as loss, and pictures begin again at a keyframe."""
    monkeypatch.setattr(libav, "UNREAD_LIMIT_BYTES", 30_000)
    async with reel_camera() as camera, pulling(source(camera.url(), transport="udp")) as (stream, _):
        # Keyframes of this reel are larger than the bound: none is ever handed over.
        await until(lambda: stream.stats.withheld > 5, what="withheld pictures")
        assert stream.stats.frames == 0


async def test_a_bug_in_a_sink_escapes_the_thread() -> None:
    """A sink that raises ends the stream with its own error, and no thread stays."""

    class Broken(KeepingSink):
        def video(self, unit: AccessUnit) -> None:
            raise ZeroDivisionError

    async with reel_camera() as camera:
        stream = RtspStream(source(camera.url(), transport="udp"), Broken(), clock=SystemClock())
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(stream.run(), 40)
    assert threads() == 0
