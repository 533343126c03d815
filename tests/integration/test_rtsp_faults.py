"""The RTSP client against every fault of a simulated camera."""

import asyncio

import pytest

from drivers.errors import CameraAnswerError, CameraAuthenticationError, CameraBusyError, StreamError
from drivers.rtsp import RtspStream, StreamState
from kernel.clock import NS_PER_S, SystemClock
from kernel.ids import StreamName
from kernel.media import AccessUnit, AudioCodec, GapCause, TimeSource, VideoCodec
from tests.fakes.media_sink import KeepingSink
from tests.fakes.rtsp import ReelCamera, pulling, reel_camera, source
from tests.fakes.waiting import until

LATE_NS = 60 * NS_PER_S
"""So old a picture may be on a machine that stands still; a clock that is taken for right is an hour off."""


def assert_as_sent(camera: ReelCamera, units: list[AccessUnit]) -> None:
    """Each delivered picture is one that the camera sent, bit for bit."""
    sent = {unit.nals for unit in camera.main.sent}
    assert all(unit.nals in sent for unit in units)


def assert_runs_start_with_keyframes(sink: KeepingSink) -> None:
    """The first picture after the start and after each break is a keyframe."""
    fresh = True
    for event in sink.story:
        if event in {"started", "broken"}:
            fresh = True
        elif event in {"picture", "keyframe"}:
            assert event == "keyframe" or not fresh
            fresh = False


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("codec", list(VideoCodec))
async def test_a_good_camera_is_received_whole(codec: VideoCodec, transport: str) -> None:
    """Pictures come as they were sent, with the camera's time, beside sound."""
    async with reel_camera(codec=codec) as camera:
        async with pulling(source(camera.url(), transport=transport)) as (stream, sink):
            await until(lambda: len(sink.units) > 30 and len(sink.sounds) > 5, what="media")
            assert stream.state is StreamState.LIVE
            assert sink.descriptions[0].video is codec
            assert sink.descriptions[0].transport == ("tcp" if transport == "tcp" else "libav")
        assert_as_sent(camera, sink.units)
        walls = {unit.nals: unit.wall_ns for unit in camera.main.sent}
        assert {unit.time_source for unit in sink.units} == {TimeSource.SENDER_REPORT}
        last = sink.units[-1]
        newest = max(unit.wall_ns for unit in camera.main.sent if unit.nals == last.nals)
        assert abs(newest - last.wall_ns) < NS_PER_S
        assert walls
        assert [b.time_90k - a.time_90k for a, b in zip(sink.units, sink.units[1:], strict=False)] == [1800] * (
            len(sink.units) - 1
        )
        assert sink.breaks == [(GapCause.HOST, "the stream was stopped here")]
        await until(lambda: camera.main.listeners == 0, what="the session to be torn down")


async def test_metadata_and_sound_come_as_documents_and_frames() -> None:
    """The metadata track's documents are whole XML; the sound is the law the camera speaks."""
    async with reel_camera(audio=AudioCodec.PCMA) as camera, pulling(source(camera.url("sub"))) as (_, sink):
        await until(lambda: len(sink.documents) > 1 and len(sink.sounds) > 10, what="documents and sound")
    assert all(document.xml.startswith(b"<?xml") for document in sink.documents)
    assert all(document.xml.endswith(b"</tt:MetadataStream>") for document in sink.documents)
    assert sink.sounds[0].parameters.codec is AudioCodec.PCMA
    assert sink.units[0].parameters.width == 160


async def test_what_is_not_wanted_is_not_set_up() -> None:
    """Without sound and metadata only pictures are asked for."""
    async with reel_camera() as camera, pulling(source(camera.url(), audio=False, metadata=False)) as (_, sink):
        await until(lambda: len(sink.units) > 5, what="pictures")
    assert sink.descriptions[0].audio is None
    assert not sink.descriptions[0].metadata
    assert (sink.sounds, sink.documents) == ([], [])


@pytest.mark.parametrize(
    "fault",
    ["rtp_info_zero", "annexb_in_rtp", "private_addresses", "two_challenges", "sha256_broken", "qop_auth_int"],
)
@pytest.mark.parametrize("codec", list(VideoCodec))
async def test_oddities_change_nothing(fault: str, codec: VideoCodec) -> None:
    """Zero RTP-Info, start codes in RTP, private addresses and every kind of challenge are borne."""
    async with reel_camera(fault, codec=codec) as camera:
        async with pulling(source(camera.url())) as (stream, sink):
            await until(lambda: len(sink.units) > 15, what="pictures")
        assert_as_sent(camera, sink.units)
        assert (stream.stats.lost, stream.stats.sessions, stream.stats.withheld) == (0, 1, 0)


@pytest.mark.parametrize("codec", list(VideoCodec))
async def test_a_marker_on_an_sei_leaves_pictures_whole(codec: VideoCodec) -> None:
    """The SEI comes with its picture and the picture is whole."""
    async with reel_camera("marker_on_sei", codec=codec) as camera:
        async with pulling(source(camera.url())) as (_, sink):
            await until(lambda: len(sink.units) > 15, what="pictures")
        sent = {unit.nals for unit in camera.main.sent}
        assert all(unit.nals[1:] in sent for unit in sink.units)


async def test_without_sender_reports_arrival_counts() -> None:
    """The wall time is that of arrival, and says so."""
    async with reel_camera("no_sender_reports") as camera, pulling(source(camera.url())) as (stream, sink):
        await until(lambda: len(sink.units) > 15, what="pictures")
        now_ns = camera.device.clock.wall_ns()
    assert {unit.time_source for unit in sink.units} == {TimeSource.ARRIVAL}
    assert abs(now_ns - sink.units[-1].wall_ns) < LATE_NS
    assert stream.stats.reports == 0


async def test_a_clock_that_is_wrong_is_corrected_by_its_offset() -> None:
    """A camera an hour fast gives true times once its offset is known."""
    async with (
        reel_camera("clock_error_s=3600") as camera,
        pulling(source(camera.url(), clock_offset_s=3600.0)) as (_, sink),
    ):
        await until(lambda: len(sink.units) > 15, what="pictures")
        now_ns = camera.device.clock.wall_ns()
    assert sink.units[-1].time_source is TimeSource.SENDER_REPORT
    assert abs(now_ns - sink.units[-1].wall_ns) < LATE_NS


async def test_a_jump_of_the_cameras_clock_ends_the_run() -> None:
    """A clock that steps by two seconds begins a new run, and no picture is lost for it."""
    async with reel_camera() as camera, pulling(source(camera.url())) as (_, sink):
        await until(lambda: len(sink.units) > 5, what="pictures")
        camera.device.faults.clock_jump_s = 2.0
        await until(lambda: sink.breaks, what="the break")
        await until(lambda: sink.recovered, what="pictures after it")
    assert sink.breaks[0][0] is GapCause.CAMERA
    assert "stepped by 2.0" in sink.breaks[0][1] or "stepped by 1.9" in sink.breaks[0][1]
    steps = [b.time_90k - a.time_90k for a, b in zip(sink.units, sink.units[1:], strict=False)]
    assert set(steps) == {1800}
    assert_runs_start_with_keyframes(sink)


async def test_lost_packets_cost_pictures_and_never_damage_one() -> None:
    """With two packets in a hundred lost, every delivered picture is whole and every run decodable."""
    async with reel_camera("packet_loss=0.02") as camera:
        async with pulling(source(camera.url())) as (stream, sink):
            await until(lambda: len(sink.units) > 60 and stream.stats.lost > 10, what="pictures and loss")
        assert_as_sent(camera, sink.units)
    for before, after in zip(sink.units, sink.units[1:], strict=False):
        assert after.keyframe or after.time_90k - before.time_90k == 1800
    assert any(unit.lost_before for unit in sink.units)
    assert stream.stats.withheld > 0
    assert_runs_start_with_keyframes(sink)


async def test_loss_makes_the_client_ask_for_a_keyframe() -> None:
    """The camera offers picture loss indications, so it is sent one."""
    async with reel_camera("packet_loss=0.05") as camera, pulling(source(camera.url())) as (stream, _):
        before = camera.main.requests
        await until(lambda: stream.stats.lost > 3 and camera.main.requests > before, what="a request")


async def test_a_keyframe_can_be_asked_for() -> None:
    """A request reaches the encoder, at most one in a second; before the session it does nothing."""
    async with reel_camera() as camera, pulling(source(camera.url())) as (stream, sink):
        stream.request_keyframe()
        await until(lambda: sink.units, what="pictures")
        before = camera.main.requests
        for _ in range(5):
            stream.request_keyframe()
        await until(lambda: camera.main.requests == before + 1, what="the request")
        count = len(sink.units)
        await until(lambda: len(sink.units) > count + 5, what="more pictures")
        assert camera.main.requests == before + 1


async def test_a_change_of_resolution_brings_new_parameters() -> None:
    """Mid-stream, without a break: the first picture of the new size is a keyframe with other parameters."""
    async with reel_camera() as camera, pulling(source(camera.url())) as (_, sink):
        await until(lambda: len(sink.units) > 5, what="pictures")
        camera.device.faults.resolution_change = True
        await until(lambda: sink.units[-1].parameters.width == 160, what="the new size")
        camera.device.faults.resolution_change = False
        await until(lambda: sink.units[-1].parameters.width == 320, what="the old size")
    changes = [b for a, b in zip(sink.units, sink.units[1:], strict=False) if a.parameters is not b.parameters]
    assert [(unit.parameters.width, unit.keyframe) for unit in changes] == [(160, True), (320, True)]
    assert len(sink.descriptions) == 1


async def test_no_keyframe_for_long_restarts_the_session() -> None:
    """A camera that moves bytes and never a keyframe is begun anew, with itself as the cause."""
    async with reel_camera() as camera:
        wanted = source(camera.url(), keyframe_timeout_s=0.5)
        async with pulling(wanted) as (stream, sink):
            await until(lambda: len(sink.units) > 5, what="pictures")
            camera.device.faults.no_keyframes = True
            await until(lambda: sink.breaks, what="the break")
            camera.device.faults.no_keyframes = False
            await until(lambda: sink.story.count("started") > 1 and sink.recovered, what="recovery")
    cause, detail = sink.breaks[0]
    assert cause is GapCause.CAMERA
    assert "no keyframe for 0.5 s" in detail
    assert isinstance(stream.last_error, StreamError)
    assert_runs_start_with_keyframes(sink)


async def test_a_link_that_hangs_is_noticed_and_recovers() -> None:
    """No pictures for a while ends the session as a network gap; when the link is back so are pictures."""
    async with (
        reel_camera() as camera,
        pulling(source(camera.url(), frame_timeout_s=0.5, answer_timeout_s=0.5)) as (stream, sink),
    ):
        await until(lambda: len(sink.units) > 5, what="pictures")
        camera.device.faults.drop_link = True
        await until(lambda: sink.breaks and stream.state is StreamState.RETRYING, what="the retry")
        camera.device.faults.drop_link = False
        await until(lambda: sink.recovered and stream.state is StreamState.LIVE, what="pictures again")
    assert sink.breaks[0][0] is GapCause.NETWORK
    assert_runs_start_with_keyframes(sink)


async def test_garbage_from_the_start_is_an_error_and_no_session() -> None:
    """Random bytes in place of an answer are told as such, and the sink hears nothing."""
    async with reel_camera("garbage") as camera:
        sink = KeepingSink()
        stream = RtspStream(source(camera.url()), sink, clock=SystemClock())
        with pytest.raises(CameraAnswerError, match="not RTSP"):
            await stream.run_once()
    assert sink.story == []


async def test_garbage_in_mid_stream_never_reaches_the_sink() -> None:
    """A camera that goes mad is left and tried again; every picture delivered is one that was sent."""
    async with reel_camera() as camera:
        async with pulling(source(camera.url(), frame_timeout_s=0.5)) as (stream, sink):
            await until(lambda: len(sink.units) > 5, what="pictures")
            camera.device.faults.garbage = True
            await until(lambda: stream.state is StreamState.RETRYING, what="the retry")
            camera.device.faults.garbage = False
            await until(lambda: sink.recovered and stream.state is StreamState.LIVE, what="recovery")
        assert_as_sent(camera, sink.units)
    assert_runs_start_with_keyframes(sink)


async def test_a_full_camera_is_busy_and_tried_again() -> None:
    """453 is its own error; when the other viewer leaves the stream begins."""
    async with reel_camera("session_slots=1") as camera:
        async with pulling(source(camera.url())) as (_, first):
            await until(lambda: first.units, what="the first viewer's pictures")
            with pytest.raises(CameraBusyError, match="no session left"):
                await RtspStream(source(camera.url()), KeepingSink(), clock=SystemClock()).run_once()
        async with pulling(source(camera.url())) as (_, second):
            await until(lambda: second.units, what="the second viewer's pictures")


async def test_a_wrong_password_parks_the_stream() -> None:
    """It is tried once, run() returns, and the error stands."""
    async with reel_camera() as camera:
        stream = RtspStream(source(camera.url(), password="wrong"), KeepingSink(), clock=SystemClock())
        await asyncio.wait_for(stream.run(), 40)
    assert stream.state is StreamState.PARKED
    assert isinstance(stream.last_error, CameraAuthenticationError)
    assert stream.stats.sessions == 1
    assert "wrong" not in repr(stream.source)


async def test_credentials_in_the_url_serve_where_none_are_given() -> None:
    """A pasted URL with its password works."""
    async with (
        reel_camera() as camera,
        pulling(source(camera.url_with_password(), username="", password="")) as (_, sink),
    ):
        await until(lambda: sink.units, what="pictures")


async def test_the_gate_staggers_connecting() -> None:
    """While another stream connects this one waits, and a playing one holds nobody up."""
    async with reel_camera() as camera:
        gate = asyncio.Semaphore(1)
        sink = KeepingSink()
        stream = RtspStream(source(camera.url()), sink, clock=SystemClock(), connect_gate=gate)
        async with gate:
            task = asyncio.create_task(stream.run())
            await until(lambda: stream.stats.sessions == 1, what="the attempt")
            assert camera.feeds[StreamName.MAIN].listeners == 0
        await until(lambda: sink.units, what="pictures")
        assert not gate.locked()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
