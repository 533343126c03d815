"""One RTP source: numbers, times, retransmission and reports."""

import pytest
from aiortc.rtp import RtcpPacket, RtcpReceiverInfo, RtcpSdesPacket, RtcpSrPacket, unwrap_rtx
from hypothesis import given
from hypothesis import strategies as st

from gateway.live.offer import Coding
from gateway.live.track import HISTORY_PACKETS, RETRANSMISSIONS_PER_S, Track, report_delay_s
from kernel.clock import NS_PER_S
from tests.fakes.live_wire import Wire

CODING = Coding(payload_type=102, name="H264/90000", rtx_payload_type=103)
PLAIN = Coding(payload_type=102, name="H264/90000")
WALL_NS = 1_790_000_000 * NS_PER_S
ALL = 10_000_000
"""Bytes, more than any of these tests sends again."""


def _sent(wire: Wire, pictures: list[list[bytes]], coding: Coding = CODING) -> Track:
    track = Track(wire, coding, clock_hz=90_000)
    for index, payloads in enumerate(pictures):
        assert track.send(payloads, 0, len(payloads), index * 3600) == len(payloads)
        track.taken(index * 3600, WALL_NS + index * 40_000_000)
    return track


@given(st.lists(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=5), min_size=1, max_size=20))
def test_numbers_follow_and_times_are_shared(pictures: list[list[bytes]]) -> None:
    """Sequence numbers rise by one, a picture's packets share its time, and the last alone is marked."""
    wire = Wire()
    _sent(wire, pictures)
    numbers = [packet.sequence_number for packet in wire.packets]
    assert numbers == [(numbers[0] + index) & 0xFFFF for index in range(len(numbers))]
    places = [
        (index, place == len(payloads) - 1) for index, payloads in enumerate(pictures) for place in range(len(payloads))
    ]
    start = wire.packets[0].timestamp
    for packet, (index, last) in zip(wire.packets, places, strict=True):
        assert (packet.timestamp - start) & 0xFFFFFFFF == index * 3600
        assert packet.marker == last
    assert b"".join(packet.payload for packet in wire.packets) == b"".join(
        payload for payloads in pictures for payload in payloads
    )


def test_a_full_socket_loses_nothing() -> None:
    """What found no room goes on where it stopped: numbers follow, the last alone is marked, all can be repaired."""
    wire = Wire(room=1)
    track, payloads = Track(wire, CODING, clock_hz=90_000), [b"a", b"b", b"c", b"d"]
    assert track.send(payloads, 0, 4, 0) == 1
    assert track.send(payloads, 1, 4, 0) == 1
    wire.room = 100
    assert track.send(payloads, 1, 3, 0) == 3
    assert track.send(payloads, 3, 4, 0) == 4
    assert [packet.payload for packet in wire.packets] == payloads
    assert [packet.marker for packet in wire.packets] == [0, 0, 0, 1]
    first = wire.packets[0].sequence_number
    assert [packet.sequence_number - first for packet in wire.packets] == [0, 1, 2, 3]
    assert (track.stats.packets, track.stats.octets) == (4, 4)
    track.retransmit([packet.sequence_number for packet in wire.packets[:4]], NS_PER_S, ALL)
    again = [unwrap_rtx(packet, payload_type=102, ssrc=track.ssrc) for packet in wire.packets[4:]]
    assert [packet.serialize() for packet in again] == [packet.serialize() for packet in wire.packets[:4]]


def test_sound_does_not_wait_for_room() -> None:
    """A packet of sound that finds no room is dropped, and its number is not used."""
    wire = Wire(room=1)
    track = Track(wire, PLAIN, clock_hz=8000)
    assert track.send_now(b"a", 0, WALL_NS)
    assert not track.send_now(b"b", 160, WALL_NS)
    wire.room = 2
    assert track.send_now(b"c", 320, WALL_NS)
    assert (wire.packets[1].sequence_number - wire.packets[0].sequence_number) & 0xFFFF == 1


def test_a_lost_packet_goes_again_over_rtx() -> None:
    """With RTX negotiated the viewer gets the original back from a packet on the other source."""
    wire = Wire()
    track = _sent(wire, [[b"one", b"two"]])
    lost = wire.packets[1]
    track.retransmit([lost.sequence_number], NS_PER_S, ALL)
    again = wire.packets[2]
    assert (again.ssrc, again.payload_type) == (track.rtx_ssrc, 103)
    original = unwrap_rtx(again, payload_type=102, ssrc=track.ssrc)
    assert original.serialize() == lost.serialize()
    assert track.stats.retransmitted == 1


def test_without_rtx_the_same_packet_goes_again() -> None:
    """A viewer without RTX gets the very packet again."""
    wire = Wire()
    track = _sent(wire, [[b"one", b"two"]], PLAIN)
    track.retransmit([wire.packets[0].sequence_number], NS_PER_S, ALL)
    assert wire.packets[2].serialize() == wire.packets[0].serialize()


def test_history_holds_more_than_the_largest_keyframe() -> None:
    """A keyframe of 4 MB can be repaired from its first packet on."""
    wire = Wire()
    track = _sent(wire, [[b"x"] * 3500])
    track.retransmit([wire.packets[0].sequence_number], NS_PER_S, ALL)
    assert track.stats.retransmitted == 1


@given(st.lists(st.integers(1, 700), min_size=1, max_size=40), st.data())
def test_any_of_the_newest_packets_can_be_repaired(sizes: list[int], data: st.DataObject) -> None:
    """Each of the last 4,096 packets is found again as it was, whatever pictures they were of."""
    wire = Wire()
    track = _sent(wire, [[f"{index} {place}".encode() for place in range(size)] for index, size in enumerate(sizes)])
    originals = list(wire.packets)
    place = data.draw(st.integers(max(0, len(originals) - HISTORY_PACKETS), len(originals) - 1))
    track.retransmit([originals[place].sequence_number], NS_PER_S, ALL)
    again = unwrap_rtx(wire.packets[-1], payload_type=102, ssrc=track.ssrc)
    assert again.serialize() == originals[place].serialize()


def test_what_is_no_longer_known_is_not_sent() -> None:
    """Numbers that were never sent, or long ago, are passed over."""
    wire = Wire()
    track = _sent(wire, [[b"x"] * 100, [b"y"] * HISTORY_PACKETS])
    track.retransmit([wire.packets[0].sequence_number, (wire.packets[-1].sequence_number + 9) & 0xFFFF], NS_PER_S, ALL)
    assert track.stats.retransmitted == 0


def test_retransmission_is_bounded() -> None:
    """A viewer that asks for everything, again and again, gets no more than the bound in a second."""
    wire = Wire()
    track = _sent(wire, [[b"x"] * 1000])
    numbers = [packet.sequence_number for packet in wire.packets]
    for turn in range(50):
        track.retransmit(numbers, NS_PER_S + turn * NS_PER_S // 50, ALL)
    assert track.stats.retransmitted <= 2 * RETRANSMISSIONS_PER_S


def test_a_packet_on_its_way_again_is_not_sent_once_more() -> None:
    """Within a round trip one request is enough, however often the viewer repeats it."""
    wire = Wire()
    track = _sent(wire, [[b"x", b"y"]])
    track.stats.rtt_ms = 100.0
    number = wire.packets[0].sequence_number
    track.retransmit([number, number], NS_PER_S, ALL)
    track.retransmit([number], NS_PER_S + 90_000_000, ALL)
    assert track.stats.retransmitted == 1


def test_a_packet_that_was_lost_again_goes_twice() -> None:
    """After a round trip the retransmission was lost too: now two go, each with a number of its own."""
    wire = Wire()
    track = _sent(wire, [[b"x", b"y"]])
    track.stats.rtt_ms = 100.0
    number = wire.packets[0].sequence_number
    size = track.retransmit([number], NS_PER_S, ALL) + track.retransmit([number], NS_PER_S + 110_000_000, ALL)
    assert track.stats.retransmitted == size == 3
    assert len({packet.sequence_number for packet in wire.packets[2:]}) == 3


def test_a_request_across_the_wrap_is_answered() -> None:
    """A NACK's numbers may count beyond 16 bits (RFC 4585 section 6.2.1: PID and the 16 that follow)."""
    wire = Wire()
    track = Track(wire, CODING, clock_hz=90_000)
    track._sequence = 65_530
    track.send([b"x"] * 20, 0, 20, 0)
    track.retransmit([65_534, 65_535, 65_536, 65_537], NS_PER_S, ALL)
    again = [unwrap_rtx(packet, payload_type=102, ssrc=track.ssrc).sequence_number for packet in wire.packets[20:]]
    assert again == [65_534, 65_535, 0, 1]


def test_a_view_that_is_over_holds_no_pictures() -> None:
    """After the end nothing is sent again, and the payloads are let go of."""
    wire = Wire()
    track = _sent(wire, [[b"x", b"y"]])
    track.forget()
    track.retransmit([packet.sequence_number for packet in wire.packets], NS_PER_S, ALL)
    assert track.stats.retransmitted == 0


def test_retransmission_gives_way_to_a_full_socket() -> None:
    """What finds no room is left for the viewer to ask for again."""
    wire = Wire()
    track = _sent(wire, [[b"x", b"y"]])
    wire.room = 0
    track.retransmit([packet.sequence_number for packet in wire.packets], NS_PER_S, ALL)
    assert track.stats.retransmitted == 0


@given(st.integers(0, 60_000))
def test_a_sender_report_tells_the_media_time_of_now(later_ms: int) -> None:
    """The report's RTP time is where the line of time stands at its NTP time."""
    wire = Wire()
    track = _sent(wire, [[b"a"]])
    wall_ns = WALL_NS + later_ms * 1_000_000
    compound = track.sender_report(wall_ns, NS_PER_S, "me")
    assert compound is not None
    report, names = RtcpPacket.parse(compound)
    assert isinstance(report, RtcpSrPacket)
    assert isinstance(names, RtcpSdesPacket)
    info = report.sender_info
    assert (info.rtp_timestamp - wire.packets[0].timestamp) & 0xFFFFFFFF == later_ms * 90
    unix_s = (info.ntp_timestamp / 2**32) - 2_208_988_800
    assert unix_s == pytest.approx(wall_ns / NS_PER_S, abs=1e-3)
    assert (info.packet_count, info.octet_count) == (1, 1)
    assert names.chunks[0].items == [(1, b"me")]


def test_nothing_is_reported_before_anything_was_sent() -> None:
    """A source that has not spoken makes no report."""
    assert Track(Wire(), CODING, clock_hz=90_000).sender_report(WALL_NS, 0, "me") is None


def test_squeezed_pictures_do_not_anchor_reports() -> None:
    """The time of a cached picture says nothing of when it was taken, so no report is made from it."""
    track = Track(Wire(), CODING, clock_hz=90_000)
    track.send([b"a"], 0, 1, 90)
    assert track.sender_report(WALL_NS, 0, "me") is None
    assert track.last_time == 90


def test_a_receiver_report_gives_loss_and_round_trip() -> None:
    """Loss and the round-trip time come from the viewer's own reports (RFC 3550 section 6.4.1)."""
    wire = Wire()
    track = _sent(wire, [[b"a"]])
    compound = track.sender_report(WALL_NS, 10 * NS_PER_S, "me")
    assert compound is not None
    (report, _) = RtcpPacket.parse(compound)
    assert isinstance(report, RtcpSrPacket)
    middle = report.sender_info.ntp_timestamp >> 16 & 0xFFFFFFFF
    track.reported(
        RtcpReceiverInfo(
            ssrc=track.ssrc, fraction_lost=64, packets_lost=12, highest_sequence=99, jitter=0, lsr=middle, dlsr=6554
        ),
        10 * NS_PER_S + 150_000_000,
    )
    stats = track.stats
    assert (stats.lost, stats.fraction_lost, stats.highest_reported) == (12, 0.25, 99)
    assert stats.rtt_ms == pytest.approx(50.0, abs=0.1)


def test_reports_are_not_in_step() -> None:
    """Reports come between half a second and one and a half apart."""
    delays = {report_delay_s() for _ in range(50)}
    assert len(delays) > 10
    assert all(0.5 <= delay <= 1.5 for delay in delays)


def test_no_more_is_sent_again_than_the_line_has_credit_for() -> None:
    """Of a lost keyframe so much comes again as the pace allows; the viewer asks again for the rest."""
    wire = Wire()
    track = _sent(wire, [[bytes(1000)] * 20])
    numbers = [packet.sequence_number for packet in wire.packets]
    assert track.retransmit(numbers, NS_PER_S, 4500) == 5000
    assert track.retransmit(numbers, NS_PER_S, 0) == 0
    assert track.retransmit(numbers[5:], NS_PER_S + 1, ALL) == 15_000
