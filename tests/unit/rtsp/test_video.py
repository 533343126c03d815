"""Pictures from packets: cut, timed, never damaged."""

import itertools
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import CameraAnswerError
from drivers.rtsp.video import UNIT_LIMIT_BYTES, VideoTrack
from drivers.simulator.device import EncodedUnit
from drivers.simulator.rtsp.packets import RtpWriter, picture_payloads
from kernel.media import GapCause, VideoCodec
from tests.fakes.rtp import KEY_SLICE, NEXT_SLICE, SSRC, VIDEO_SDP, Bench, feed, feed_rtcp, media, sets

STEP = 3600
H264 = VideoCodec.H264


def bench_and_track(codec: VideoCodec = H264, offset_s: float = 0.0) -> tuple[Bench, VideoTrack]:
    """Return a bench with a track on it."""
    bench = Bench()
    return bench, VideoTrack(media(VIDEO_SDP[codec]), bench, bench.delivery, bench.clock, offset_s)


def play(bench: Bench, track: VideoTrack, first: int, count: int, *, codec: VideoCodec = H264, gop: int = 5) -> None:
    """Send ``count`` pictures, 40 ms apart."""
    for index in range(first, first + count):
        bench.pass_time(0.04)
        feed(track, bench.picture(codec, index * STEP, keyframe=index % gop == 0))


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_pictures_come_whole_with_their_times(codec: VideoCodec) -> None:
    """Each picture arrives once, across both wraps, on a media time that only grows."""
    bench, track = bench_and_track(codec)
    play(bench, track, 0, 10, codec=codec)
    units = bench.sink.units
    assert [unit.time_90k for unit in units] == [index * STEP for index in range(10)]
    assert [unit.keyframe for unit in units] == [index % 5 == 0 for index in range(10)]
    assert units[0].nals == (KEY_SLICE[codec] + b"\xaa" * 3000,)
    assert bench.stats.lost == 0


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_parameters_stay_one_object_until_they_change(codec: VideoCodec) -> None:
    """The same sets at every keyframe are the same object; others give another, with the new size."""
    bench, track = bench_and_track(codec)
    play(bench, track, 0, 10, codec=codec)
    feed(track, bench.picture(codec, 10 * STEP, keyframe=True, parameters=sets(codec, 640, 360)))
    feed(track, bench.picture(codec, 11 * STEP, parameters=sets(codec, 640, 360)))
    parameters = [unit.parameters for unit in bench.sink.units]
    assert len({id(one) for one in parameters}) == 2
    assert parameters[0] is parameters[9]
    assert (parameters[0].width, parameters[10].width, parameters[11].width) == (320, 640, 640)
    assert parameters[10].sps == sets(codec, 640, 360).sps


@pytest.mark.parametrize("codec", list(VideoCodec))
@given(missing=st.sets(st.integers(0, 59), min_size=1, max_size=12))
def test_what_comes_out_after_loss_is_decodable(codec: VideoCodec, missing: set[int]) -> None:
    """Whatever packets are lost, each run of pictures starts whole at a keyframe and has no hole in it."""
    bench, track = bench_and_track(codec)
    packets: list[bytes] = []
    for index in range(20):
        packets += bench.picture(codec, index * STEP, keyframe=index % 4 == 0)
    for number, packet in enumerate(packets):
        bench.pass_time(0.012)
        if number not in missing:
            feed(track, [packet])
    body = {True: KEY_SLICE[codec] + b"\xaa" * 3000, False: NEXT_SLICE[codec] + b"\xaa" * 3000}
    before: int | None = None
    for unit in bench.sink.units:
        assert unit.nals == (body[unit.keyframe],)
        if not unit.keyframe:
            assert before is not None
            assert unit.time_90k - before == STEP
        assert unit.time_90k % STEP == 0
        before = unit.time_90k
    assert bench.stats.lost <= len(missing)


def test_after_loss_pictures_are_withheld_until_a_keyframe_that_says_so() -> None:
    """A short loss is no gap: the next keyframe carries ``lost_before`` and no break is told."""
    bench, track = bench_and_track()
    asked: list[int] = []
    track.on_loss = lambda: asked.append(1)
    play(bench, track, 0, 2)
    feed(track, bench.picture(H264, 2 * STEP)[1:])
    play(bench, track, 3, 3)
    assert [unit.time_90k // STEP for unit in bench.sink.units] == [0, 1, 5]
    assert [unit.lost_before for unit in bench.sink.units] == [False, False, True]
    assert bench.sink.breaks == []
    assert asked
    assert bench.stats.withheld == 2


def test_a_hole_of_more_than_a_second_is_a_gap() -> None:
    """Loss that leaves out more than a second of pictures ends the run, with the network as the cause."""
    bench, track = bench_and_track()
    play(bench, track, 0, 2, gop=50)
    bench.picture(H264, 2 * STEP)
    play(bench, track, 3, 50, gop=50)
    assert [cause for cause, _ in bench.sink.breaks] == [GapCause.NETWORK]
    assert bench.sink.story[-4:] == ["broken", "keyframe", "picture", "picture"]


def test_the_marker_on_an_sei_does_not_end_a_picture() -> None:
    """A marker before the slices is passed over, and the SEI stays with its picture."""
    bench, track = bench_and_track()
    nal = KEY_SLICE[H264] + b"\xaa" * 50
    unit = EncodedUnit((nal,), 0, 0, True, sets(H264))  # noqa: FBT003
    feed(track, [bench.writer.packet(p, 0, marker=m) for p, m in picture_payloads(unit, marked_sei=True)])
    assert [len(one.nals) for one in bench.sink.units] == [2]
    assert bench.sink.units[0].nals[0][0] == 6


def test_without_markers_the_timestamp_ends_a_picture() -> None:
    """A camera that never sets the marker is understood, one picture late."""
    bench, track = bench_and_track()
    for index in range(4):
        bench.pass_time(0.04)
        packets = bench.picture(H264, index * STEP, keyframe=index == 0)
        feed(track, [packet[:1] + bytes([packet[1] & 0x7F]) + packet[2:] for packet in packets])
    assert [unit.time_90k for unit in bench.sink.units] == [0, STEP, 2 * STEP]


def test_a_marker_on_every_slice_is_learned() -> None:
    """Where markers end slices and not pictures, the timestamp counts from then on, and pictures are whole."""
    bench, track = bench_and_track()
    for index in range(12):
        bench.pass_time(0.04)
        start = KEY_SLICE[H264] if index % 5 == 0 else NEXT_SLICE[H264]
        later = start[:1] + b"\x40"
        unit = EncodedUnit((start + b"a", later + b"b"), index * STEP, 0, index % 5 == 0, sets(H264))
        for payload, _ in picture_payloads(unit):
            feed(track, [bench.writer.packet(payload, index * STEP, marker=payload[0] & 0x1F in {1, 5})])
    assert all(len(unit.nals) == 2 for unit in bench.sink.units[1:])
    assert [unit.time_90k // STEP for unit in bench.sink.units[1:]] == [5, 6, 7, 8, 9, 10]


def test_a_jump_of_media_time_ends_the_run() -> None:
    """A forward jump is told as a break, pictures wait for a keyframe, and media time starts anew."""
    bench, track = bench_and_track()
    play(bench, track, 0, 6)
    play(bench, track, 100_000, 6)
    assert [cause for cause, _ in bench.sink.breaks] == [GapCause.CAMERA]
    assert "jumped by 3999" in bench.sink.breaks[0][1]
    after = bench.sink.units[6:]
    assert after[0].keyframe
    assert after[0].time_90k < 10 * STEP
    assert [b.time_90k - a.time_90k for a, b in itertools.pairwise(after)] == [STEP] * (len(after) - 1)


def test_a_jump_backwards_ends_the_run() -> None:
    """A picture that is older than the one before it, and that others refer to, is a jump."""
    bench, track = bench_and_track()
    play(bench, track, 1000, 6)
    play(bench, track, 5, 6)
    assert len(bench.sink.breaks) == 1
    assert bench.sink.units[6].keyframe


def test_a_camera_that_stood_still_has_not_jumped() -> None:
    """Media time that goes on with the clock over a pause is no jump."""
    bench, track = bench_and_track()
    play(bench, track, 0, 6)
    bench.pass_time(9.0)
    play(bench, track, 6 + 225, 2)
    assert bench.sink.breaks == []
    assert bench.sink.units[-1].time_90k == 232 * STEP


def test_pictures_nobody_refers_to_may_come_out_of_order() -> None:
    """B pictures, which step back in time, are left out and end nothing."""
    bench, track = bench_and_track()
    play(bench, track, 0, 3)
    unit = EncodedUnit((b"\x01\x9a" + b"b" * 20,), STEP, 0, False, sets(H264))  # noqa: FBT003
    feed(track, [bench.writer.packet(p, STEP + 7, marker=m) for p, m in picture_payloads(unit)])
    play(bench, track, 3, 1)
    assert [unit.time_90k // STEP for unit in bench.sink.units] == [0, 1, 2, 3]
    assert bench.sink.breaks == []
    assert bench.stats.withheld == 1


def test_pictures_before_the_first_keyframe_are_withheld() -> None:
    """A session that starts within a GOP delivers from its next keyframe."""
    bench, track = bench_and_track()
    play(bench, track, 2, 6)
    assert bench.sink.story == ["started", "keyframe", "picture", "picture"]
    assert bench.sink.units[0].lost_before is False


def test_sets_of_the_description_serve_a_camera_that_sends_none_in_band() -> None:
    """Parameter sets in the SDP are used; ones there that do not parse are ignored."""
    good = sets(H264)
    sprop = ",".join(b64encode(one).decode() for one in (b"\x67\x42\x00", good.sps, good.pps))
    sdp = VIDEO_SDP[H264] + f"a=fmtp:96 sprop-parameter-sets={sprop},%%%\r\n".encode()
    bench = Bench()
    track = VideoTrack(media(sdp), bench, bench.delivery, bench.clock, 0.0)
    feed(track, [bench.writer.packet(KEY_SLICE[H264] + b"x", 0, marker=True)])
    assert bench.sink.units[0].parameters.sps == good.sps


def test_a_set_that_does_not_parse_does_not_replace_a_good_one() -> None:
    """A damaged in-band SPS leaves the sets in force as they are."""
    bench, track = bench_and_track()
    play(bench, track, 0, 1)
    feed(track, [bench.writer.packet(b"\x67\x42", STEP, marker=False)])
    feed(track, [bench.writer.packet(KEY_SLICE[H264] + b"x", STEP, marker=True)])
    assert bench.sink.units[1].parameters is bench.sink.units[0].parameters


def test_without_sets_nothing_is_delivered() -> None:
    """Pictures without parameter sets are withheld: nobody could decode them."""
    bench, track = bench_and_track()
    feed(track, [bench.writer.packet(KEY_SLICE[H264] + b"x", 0, marker=True)])
    assert bench.sink.units == []
    assert bench.stats.withheld == 1


def test_a_second_picture_set_goes_with_the_keyframes() -> None:
    """PPS beyond the first have no place in the parameters; they stay in the stream."""
    bench, track = bench_and_track()
    second = b"\x68\x4c\x3c\x80"  # pic_parameter_set_id 1
    feed(track, [bench.writer.packet(one, 0, marker=False) for one in (sets(H264).sps, sets(H264).pps, second)])
    feed(track, [bench.writer.packet(KEY_SLICE[H264] + b"x", 0, marker=True)])
    assert bench.sink.units[0].nals == (second, KEY_SLICE[H264] + b"x")
    assert bench.sink.units[0].parameters.pps == sets(H264).pps


def test_other_sources_and_payload_types_are_ignored() -> None:
    """Packets of an unknown SSRC or payload type change nothing."""
    bench, track = bench_and_track()
    play(bench, track, 0, 2)
    stranger = RtpWriter(payload_type=96, ssrc=99, sequence=7, timestamp_base=0)
    other = RtpWriter(payload_type=97, ssrc=SSRC, sequence=7, timestamp_base=0)
    feed(track, [stranger.packet(b"\x41\x9ax", 0, marker=True), other.packet(b"\x41\x9ax", 0, marker=True)])
    feed(track, [b"\x80", b"\x40" + stranger.packet(b"x", 0, marker=True)[1:]])
    play(bench, track, 2, 1)
    assert len(bench.sink.units) == 3
    assert bench.stats.ignored == 4


def test_a_source_that_replaces_ours_is_taken_up_as_a_new_run() -> None:
    """A camera that restarts its encoder under another SSRC is followed, with a break."""
    bench, track = bench_and_track()
    play(bench, track, 0, 2)
    bench.writer = RtpWriter(payload_type=96, ssrc=99, sequence=7, timestamp_base=12)
    play(bench, track, 0, 60)
    assert [cause for cause, _ in bench.sink.breaks] == [GapCause.CAMERA]
    assert bench.sink.units[2].keyframe
    assert bench.sink.units[2].time_90k < 10 * STEP
    assert bench.stats.lost == 0


def test_late_and_repeated_packets_are_dropped() -> None:
    """A packet that was there already is ignored and not taken for loss."""
    bench, track = bench_and_track()
    packets = bench.picture(H264, 0, keyframe=True)
    feed(track, [packets[0], packets[0], *packets[1:], packets[1]])
    assert len(bench.sink.units) == 1
    assert bench.stats.lost == 0
    assert bench.stats.ignored == 2


def test_headers_with_extras_are_understood() -> None:
    """CSRCs, an extension and padding around the payload are taken off (RFC 3550 section 5.1)."""
    bench, track = bench_and_track()
    play(bench, track, 0, 1)
    plain = bench.writer.packet(NEXT_SLICE[H264] + b"x", STEP, marker=True)
    extras = b"\x00\x00\x00\x01" + b"\xab\xac\x00\x01" + b"\x00" * 4
    feed(track, [bytes([0x80 | 0x20 | 0x10 | 1]) + plain[1:12] + extras + plain[12:] + b"\x00\x00\x03"])
    assert bench.sink.units[1].nals == (NEXT_SLICE[H264] + b"x",)


def test_a_header_that_overruns_its_packet_is_ignored() -> None:
    """An extension longer than the packet, or padding longer than the payload, is damage."""
    bench, track = bench_and_track()
    for first in (0x90, 0xA0):
        packet = bench.writer.packet(b"\xff\xff\xff\xff", 0, marker=True)
        feed(track, [bytes([first]) + packet[1:]])
    feed(track, [b"\x90" + bench.writer.packet(b"", 0, marker=True)[1:]])
    assert bench.stats.ignored == 3


def test_a_picture_without_end_is_cut_off() -> None:
    """A camera that never ends a picture does not fill the memory."""
    bench, track = bench_and_track()
    packet = bench.writer.packet(b"\x41" + bytes([1]) * 60_000, 0, marker=False)

    def forever() -> None:
        for number in range(UNIT_LIMIT_BYTES // 60_000 + 2):
            feed(track, [packet[:2] + number.to_bytes(2, "big") + packet[4:]])

    with pytest.raises(CameraAnswerError, match="more than"):
        forever()


def test_a_late_picture_before_a_timely_one_is_no_jump() -> None:
    """A camera that drops pictures on a slow line catches up: its media time did not jump."""
    bench, track = bench_and_track()
    play(bench, track, 0, 6)
    bench.pass_time(8.0)
    feed(track, bench.picture(H264, 6 * STEP))  # taken eight seconds ago
    bench.pass_time(0.04)
    feed(track, bench.picture(H264, (7 + 200) * STEP))  # taken now
    assert bench.sink.breaks == []
    assert bench.sink.units[-1].time_90k == 207 * STEP


def test_a_first_picture_that_is_late_is_no_measure_where_reports_tell_better() -> None:
    """With a sender report, a late first picture does not make the timely second one a jump."""
    bench, track = bench_and_track()
    feed_rtcp(track, bench.sender_report(150 * STEP, bench.clock.wall_ns()))
    feed(track, bench.picture(H264, 0, keyframe=True))  # taken six seconds ago
    feed(track, bench.picture(H264, 150 * STEP))
    assert bench.sink.breaks == []
    assert len(bench.sink.units) == 2


def test_h265_pictures_nobody_refers_to_may_come_out_of_order() -> None:
    """Sub-layer non-reference pictures, which step back in time, are left out and end nothing."""
    codec = VideoCodec.H265
    bench, track = bench_and_track(codec)
    play(bench, track, 0, 3, codec=codec)
    unit = EncodedUnit((b"\x00\x01\xd0" + b"b" * 20,), STEP, 0, False, sets(codec))  # noqa: FBT003
    feed(track, [bench.writer.packet(p, STEP + 7, marker=m) for p, m in picture_payloads(unit)])
    play(bench, track, 3, 1, codec=codec)
    assert [unit.time_90k // STEP for unit in bench.sink.units] == [0, 1, 2, 3]
    assert bench.sink.breaks == []


def test_a_damaged_picture_set_does_not_replace_a_good_one() -> None:
    """A PPS that does not parse is ignored."""
    bench, track = bench_and_track()
    play(bench, track, 0, 1)
    feed(track, [bench.writer.packet(b"\x68", STEP, marker=False)])
    feed(track, [bench.writer.packet(KEY_SLICE[H264] + b"x", STEP, marker=True)])
    assert bench.sink.units[1].parameters is bench.sink.units[0].parameters
