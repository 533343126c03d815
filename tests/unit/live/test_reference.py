"""Round trips of viewers that only receive (RFC 3611)."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from gateway.live.reference import ReferenceTimes

NS_PER_S = 1_000_000_000
_EMPTY_REPORT = struct.pack("!BBHL", 0x80, 201, 1, 77)


def _rrtr(ssrc: int, seconds: int, fraction: int) -> bytes:
    return struct.pack("!BBHL", 0x80, 207, 4, ssrc) + struct.pack("!BBHLL", 4, 0, 2, seconds, fraction)


def test_a_reference_time_is_answered_with_its_middle_bits_and_the_delay() -> None:
    """Half a second after a report of 0x11112222.33334444 the answer says 0x22223333 and 0.5 s."""
    times = ReferenceTimes()
    times.heard(_EMPTY_REPORT + _rrtr(77, 0x1111_2222, 0x3333_4444), 10 * NS_PER_S)
    answer = times.answer(5, 10 * NS_PER_S + NS_PER_S // 2)
    assert struct.unpack("!BBHLBBHLLL", answer) == (0x80, 207, 5, 5, 5, 0, 3, 77, 0x2222_3333, 32_768)


def test_without_a_report_there_is_no_answer() -> None:
    """A viewer that did not ask is sent nothing extra."""
    times = ReferenceTimes()
    times.heard(_EMPTY_REPORT, 0)
    assert times.answer(5, 0) == b""


def test_a_stale_report_is_not_answered() -> None:
    """After a minute the delay says nothing."""
    times = ReferenceTimes()
    times.heard(_rrtr(77, 1, 2), 0)
    assert times.answer(5, 61 * NS_PER_S) == b""


@given(st.binary(max_size=200))
def test_nonsense_is_read_without_harm(data: bytes) -> None:
    """Whatever a viewer sends, reading it ends and raises nothing."""
    times = ReferenceTimes()
    times.heard(data, 0)
    assert len(times.answer(5, 1)) in (0, 24)


def test_a_report_cut_short_is_not_believed() -> None:
    """A block that ends before its time says nothing."""
    times = ReferenceTimes()
    times.heard(struct.pack("!BBHLBBHL", 0x80, 207, 3, 77, 4, 0, 2, 1), 0)
    assert times.answer(5, 1) == b""


def test_an_extended_report_without_a_word_says_nothing() -> None:
    """A header that claims no body is passed over, whatever follows it."""
    times = ReferenceTimes()
    times.heard(bytes([0x80, 207, 0, 0]) * 2, NS_PER_S)
    assert times.answer(1, NS_PER_S) == b""
