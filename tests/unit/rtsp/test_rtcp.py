"""RTCP read and written."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.rtsp.rtcp import Goodbye, Reception, SenderReport, parse, picture_loss, receiver_report
from drivers.simulator.rtsp.reports import goodbye, read_feedback, sender_report
from kernel.clock import NS_PER_S

WALL_NS = 1_790_000_000_123_456_789


@given(wall_ns=st.integers(0, 2_085_978_495 * NS_PER_S), timestamp=st.integers(0, 0xFFFF_FFFF))
def test_a_sender_report_comes_back_to_the_nanosecond(wall_ns: int, timestamp: int) -> None:
    """NTP and back loses less than two nanoseconds, until NTP's era ends in 2036."""
    (report,) = parse(sender_report(ssrc=7, wall_ns=wall_ns, rtp_timestamp=timestamp, packets=1, octets=2, name="x"))
    assert isinstance(report, SenderReport)
    assert report.wall_ns is not None
    assert abs(report.wall_ns - wall_ns) < 2
    assert (report.ssrc, report.rtp_timestamp) == (7, timestamp)


@given(st.binary(max_size=200))
def test_no_packet_crashes_the_parser(packet: bytes) -> None:
    """Any bytes give a list."""
    assert isinstance(parse(packet), list)
    assert read_feedback(packet).receiver_reports >= 0


def test_a_compound_packet_is_read_part_by_part() -> None:
    """A report and a goodbye in one packet are both seen."""
    packet = sender_report(ssrc=7, wall_ns=WALL_NS, rtp_timestamp=1, packets=1, octets=2, name="camera") + goodbye(7)
    kinds = [type(part) for part in parse(packet)]
    assert kinds == [SenderReport, Goodbye]


def test_a_time_before_1970_is_no_time() -> None:
    """A camera that counts from its own start does not know the wall time."""
    packet = sender_report(ssrc=7, wall_ns=WALL_NS, rtp_timestamp=1, packets=1, octets=2, name="")
    (report,) = parse(packet[:8] + b"\x00\x00\x12\x34" + packet[12:])
    assert isinstance(report, SenderReport)
    assert report.wall_ns is None


def test_a_receiver_report_is_one_to_the_other_side() -> None:
    """The simulator reads what the client writes, with and without a block, and the request in it."""
    block = Reception(7, 300, 70_000_000, 1 << 33, 5, 6, 7)
    assert read_feedback(receiver_report(1, block, "sightline")).receiver_reports == 1
    asked = read_feedback(receiver_report(1, None, "sightline") + picture_loss(1, 7))
    assert (asked.receiver_reports, asked.keyframe_wanted) == (1, True)


def test_lengths_are_whole_words() -> None:
    """Each packet's length field leads to the next (RFC 3550 section 6.4.1)."""
    for name in ("", "a", "ab", "abc", "abcd"):
        packet = receiver_report(1, Reception(7, 0, 0, 0, 0, 0, 0), name)
        at, kinds = 0, []
        while at < len(packet):
            kinds.append(packet[at + 1])
            at += 4 * (1 + int.from_bytes(packet[at + 2 : at + 4], "big"))
        assert (at, kinds) == (len(packet), [201, 202])
