"""Wall times of pictures, and what the camera is told."""

import pytest

from drivers.rtsp.errors import StreamFellError
from drivers.simulator.rtsp.reports import goodbye
from kernel.clock import NS_PER_S
from kernel.media import GapCause, TimeSource, VideoCodec
from tests.fakes.rtp import SSRC, feed, feed_rtcp
from tests.unit.rtsp.test_video import STEP, bench_and_track, play

H264 = VideoCodec.H264


def test_a_sender_report_gives_the_wall_time() -> None:
    """Wall time comes from the sender's clock, corrected by its offset, whatever the delay of the network."""
    bench, track = bench_and_track(offset_s=7.0)
    wall_ns = bench.clock.wall_ns()
    feed_rtcp(track, bench.sender_report(0, wall_ns + 7 * NS_PER_S))
    bench.pass_time(0.3)
    play(bench, track, 0, 3)
    units = bench.sink.units
    assert {unit.time_source for unit in units} == {TimeSource.SENDER_REPORT}
    assert [unit.wall_ns - wall_ns for unit in units] == [
        pytest.approx(index * 40_000_000, abs=2) for index in range(3)
    ]
    assert bench.stats.reports == 1
    assert bench.stats.sender_clock_s == pytest.approx(0.0, abs=1e-6)


def test_a_step_of_the_cameras_clock_begins_a_new_run_at_a_keyframe() -> None:
    """No picture is lost for it, and media time goes on."""
    bench, track = bench_and_track()
    feed_rtcp(track, bench.sender_report(0, bench.clock.wall_ns()))
    play(bench, track, 0, 7)
    feed_rtcp(track, bench.sender_report(7 * STEP, bench.clock.wall_ns() + 3 * NS_PER_S))
    play(bench, track, 7, 5)
    assert bench.sink.story.index("broken") == 11
    assert bench.sink.breaks[0][0] is GapCause.CAMERA
    assert [unit.time_90k // STEP for unit in bench.sink.units] == list(range(12))
    before, after = bench.sink.units[9], bench.sink.units[10]
    assert after.wall_ns - before.wall_ns == pytest.approx(3.04 * NS_PER_S, rel=0.05)


def test_reports_of_others_and_of_clocks_that_are_not_set_are_ignored() -> None:
    """A foreign SSRC, a time before 1970 and a time a day off leave the wall time to arrival."""
    bench, track = bench_and_track()
    play(bench, track, 0, 1)
    report = bench.sender_report(0, bench.clock.wall_ns())
    feed_rtcp(track, report[:4] + b"\x00\x00\x00\x63" + report[8:])
    feed_rtcp(track, report[:8] + b"\x00" * 8 + report[16:])
    feed_rtcp(track, bench.sender_report(0, bench.clock.wall_ns() + 86_400 * NS_PER_S))
    play(bench, track, 1, 1)
    assert {unit.time_source for unit in bench.sink.units} == {TimeSource.ARRIVAL}
    assert bench.stats.reports == 0
    assert bench.stats.sender_clock_s == pytest.approx(86_400, abs=1)


def test_reports_on_the_channel_of_the_pictures_are_read() -> None:
    """RTCP that comes on the RTP channel is RTCP all the same."""
    bench, track = bench_and_track()
    feed(track, [bench.sender_report(0, bench.clock.wall_ns())])
    play(bench, track, 0, 1)
    assert bench.sink.units[0].time_source is TimeSource.SENDER_REPORT


def test_a_goodbye_ends_the_stream() -> None:
    """BYE of our source is the camera's own end of the stream; another's is not."""
    bench, track = bench_and_track()
    play(bench, track, 0, 1)
    feed_rtcp(track, goodbye(99))
    with pytest.raises(StreamFellError) as caught:
        feed_rtcp(track, goodbye(SSRC))
    assert caught.value.cause is GapCause.CAMERA


def test_a_receiver_report_tells_loss_and_the_last_report() -> None:
    """Fraction since last time, total, highest number and the report's echo (RFC 3550 section 6.4.1)."""
    bench, track = bench_and_track()
    assert track.reception() is None
    feed_rtcp(track, bench.sender_report(0, bench.clock.wall_ns()))
    packets = bench.picture(H264, 0, keyframe=True, size=12_000)
    first = int.from_bytes(packets[0][2:4], "big")
    feed(track, packets[:3] + packets[4:])
    bench.pass_time(1.5)
    block = track.reception()
    assert block is not None
    assert (block.ssrc, block.lost) == (SSRC, 1)
    assert block.fraction_lost == 256 // len(packets)
    assert block.highest_sequence == first + len(packets) - 1
    assert block.delay_since == 0x18000
    again = track.reception()
    assert again is not None
    assert again.fraction_lost == 0
