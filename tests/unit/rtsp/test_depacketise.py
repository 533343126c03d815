"""NAL units from payloads."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.rtsp.depacketise import Depacketiser, H264Depacketiser, H265Depacketiser
from kernel.media import VideoCodec

# Bodies without a zero byte hold no start code, as emulation prevention guarantees for real ones.
bodies = st.binary(min_size=1, max_size=400).map(lambda data: data.replace(b"\x00", b"\x01"))


def depacketiser(codec: VideoCodec) -> Depacketiser:
    """Return a fresh one."""
    return H265Depacketiser() if codec is VideoCodec.H265 else H264Depacketiser()


def push(unit: Depacketiser, payload: bytes) -> None:
    """Push a payload that stands in the middle of a buffer."""
    unit.push(bytearray(b"\xff\xff" + payload + b"\xff"), 2, 2 + len(payload))


def nal(codec: VideoCodec, kind: int, body: bytes) -> bytes:
    """Return a NAL unit."""
    return bytes([kind << 1, 1]) + body if codec is VideoCodec.H265 else bytes([0x60 | kind]) + body


def fragments(codec: VideoCodec, unit: bytes, cuts: list[int]) -> list[bytes]:
    """Cut a NAL unit at the given places into fragmentation units."""
    header = 2 if codec is VideoCodec.H265 else 1
    places = sorted({header, len(unit), *(header + cut % max(1, len(unit) - header) for cut in cuts)})
    pieces = [unit[a:b] for a, b in itertools.pairwise(places)]
    made = []
    for index, piece in enumerate(pieces):
        flags = (0x80 if index == 0 else 0) | (0x40 if index == len(pieces) - 1 else 0)
        if codec is VideoCodec.H265:
            made.append(bytes([unit[0] & 0x81 | 49 << 1, unit[1], flags | unit[0] >> 1 & 0x3F]) + piece)
        else:
            made.append(bytes([unit[0] & 0xE0 | 28, flags | unit[0] & 0x1F]) + piece)
    return made


@pytest.mark.parametrize("codec", list(VideoCodec))
@given(
    units=st.lists(st.tuples(st.integers(1, 21), bodies, st.lists(st.integers(0, 500), max_size=6)), max_size=8),
)
def test_any_cutting_gives_the_same_units_back(codec: VideoCodec, units: list[tuple[int, bytes, list[int]]]) -> None:
    """However NAL units are fragmented, the same ones come out, in order."""
    collector = depacketiser(codec)
    wanted = [nal(codec, kind, body) for kind, body, _ in units]
    for whole, (_, _, cuts) in zip(wanted, units, strict=True):
        for payload in fragments(codec, whole, cuts) if cuts else [whole]:
            push(collector, payload)
    assert collector.take() == wanted
    assert not collector.damaged


@pytest.mark.parametrize("codec", list(VideoCodec))
@given(units=st.lists(bodies, min_size=1, max_size=6))
def test_aggregates_are_taken_apart(codec: VideoCodec, units: list[bytes]) -> None:
    """STAP-A and H.265 aggregation packets give their NAL units."""
    wanted = [nal(codec, 7, body) for body in units]
    head = bytes([48 << 1, 1]) if codec is VideoCodec.H265 else bytes([0x60 | 24])
    collector = depacketiser(codec)
    push(collector, head + b"".join(len(one).to_bytes(2, "big") + one for one in wanted))
    assert collector.take() == wanted


@pytest.mark.parametrize("codec", list(VideoCodec))
@given(units=st.lists(bodies, min_size=1, max_size=4), cuts=st.lists(st.integers(0, 800), max_size=5))
def test_start_codes_left_in_are_found(codec: VideoCodec, units: list[bytes], cuts: list[int]) -> None:
    """Annex B inside RTP, several units behind one another, fragmented or not, gives the units."""
    wanted = [nal(codec, 1, body) for body in units]
    stream = b"".join(b"\x00\x00\x00\x01" + one for one in wanted)
    collector = depacketiser(codec)
    for payload in fragments(codec, stream, cuts) if cuts else [stream]:
        push(collector, payload)
    assert collector.take() == wanted


@pytest.mark.parametrize("codec", list(VideoCodec))
@given(payloads=st.lists(st.binary(min_size=1, max_size=30), max_size=20))
def test_no_payload_crashes_it(codec: VideoCodec, payloads: list[bytes]) -> None:
    """Any bytes give NAL units that are not empty, or are noted as damage."""
    collector = depacketiser(codec)
    for payload in payloads:
        push(collector, payload)
    assert all(collector.take())


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_a_type_that_changes_within_a_fragmented_unit_is_accepted(codec: VideoCodec) -> None:
    """The first fragment's type counts; later ones are not looked at."""
    whole = nal(codec, 5, b"abcdefgh")
    first, *rest = fragments(codec, whole, [3, 6])
    at = 2 if codec is VideoCodec.H265 else 1
    changed = [piece[:at] + bytes([piece[at] & 0xC0 | 1]) + piece[at + 1 :] for piece in rest]
    collector = depacketiser(codec)
    for payload in [first, *changed]:
        push(collector, payload)
    assert collector.take() == [whole]


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_a_forgotten_end_bit_ends_at_the_next_unit(codec: VideoCodec) -> None:
    """A unit without its last fragment flag ends where the next begins, or where the picture does."""
    at = 2 if codec is VideoCodec.H265 else 1
    endless = []
    for body in (b"abcdefgh", b"ijklmnop", b"qrstuvwx"):
        pieces = fragments(codec, nal(codec, 1, body), [4])
        endless += [piece[:at] + bytes([piece[at] & 0xBF]) + piece[at + 1 :] for piece in pieces]
    collector = depacketiser(codec)
    for payload in endless[:4]:
        push(collector, payload)
    push(collector, nal(codec, 6, b"sei"))
    for payload in endless[4:]:
        push(collector, payload)
    wanted = [(1, b"abcdefgh"), (1, b"ijklmnop"), (6, b"sei"), (1, b"qrstuvwx")]
    assert collector.take() == [nal(codec, kind, body) for kind, body in wanted]


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_a_fragment_without_a_beginning_is_damage(codec: VideoCodec) -> None:
    """The rest of a unit whose first fragment was lost is not handed on."""
    collector = depacketiser(codec)
    for payload in fragments(codec, nal(codec, 5, b"abcdefgh"), [3])[1:]:
        push(collector, payload)
    assert collector.damaged
    assert collector.take() == []


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_dropping_forgets_an_unfinished_unit(codec: VideoCodec) -> None:
    """After loss the fragments before it are gone."""
    collector = depacketiser(codec)
    push(collector, fragments(codec, nal(codec, 5, b"abcdefgh"), [3])[0])
    collector.drop()
    assert collector.take() == []


@pytest.mark.parametrize(
    ("codec", "payload"),
    [
        (VideoCodec.H264, b"\x7c\x85"),
        (VideoCodec.H264, b"\x19\x00\x00"),
        (VideoCodec.H264, b"\x78\x00\x09\x41"),
        (VideoCodec.H264, b"\x78\x00\x00\x00\x00"),
        (VideoCodec.H265, b"\x62\x01\x93"),
        (VideoCodec.H265, b"\x40"),
        (VideoCodec.H265, b"\x64\x01\x00\x00"),
    ],
)
def test_senseless_payloads_are_damage(codec: VideoCodec, payload: bytes) -> None:
    """Truncated fragments, unknown kinds and aggregates that overrun are noted."""
    collector = depacketiser(codec)
    push(collector, payload)
    assert collector.damaged
    assert collector.take() == []
