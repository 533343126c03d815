"""RTP payloads: what a receiver puts together again is what the camera sent."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.live.payload import MAX_PACKET_BYTES, OVERHEAD_BYTES, Picture, payloads_of, profile_level_id
from kernel.media import AccessUnit, VideoCodec, VideoParameters

H264 = VideoParameters(VideoCodec.H264, 640, 360, sps=bytes.fromhex("6742c01e") + b"\x01" * 8, pps=b"\x68\xce\x06")
H265 = VideoParameters(
    VideoCodec.H265, 640, 360, sps=b"\x42\x01" + b"\x01" * 20, pps=b"\x44\x01\xc1", vps=b"\x40\x01" + b"\x0c" * 10
)

MAX_PAYLOAD_BYTES = MAX_PACKET_BYTES - OVERHEAD_BYTES


def _unit(nals: list[bytes], parameters: VideoParameters, *, keyframe: bool) -> AccessUnit:
    return AccessUnit(nals=tuple(nals), time_90k=0, wall_ns=0, keyframe=keyframe, parameters=parameters, received_ns=0)


def _reassemble(payloads: tuple[bytes, ...], codec: VideoCodec) -> list[bytes]:
    """Depacketise as RFC 6184 section 5 and RFC 7798 section 4.4 say, independently of the code under test."""
    head, aggregate, fragment = (1, 24, 28) if codec is VideoCodec.H264 else (2, 48, 49)
    nals: list[bytes] = []
    for payload in payloads:
        kind = payload[0] & 0x1F if head == 1 else payload[0] >> 1 & 0x3F
        if kind == aggregate:
            at = head
            while at < len(payload):
                size = int.from_bytes(payload[at : at + 2], "big")
                nals.append(payload[at + 2 : at + 2 + size])
                at += 2 + size
        elif kind == fragment:
            mark = payload[head]
            if mark & 0x80:
                first = payload[0] & 0xE0 | mark & 0x1F if head == 1 else payload[0] & 0x81 | (mark & 0x3F) << 1
                nals.append(bytes((first,)) + payload[1:head])
            nals[-1] += payload[head + 1 :]
        else:
            nals.append(payload)
    return nals


_SIZES = st.lists(
    st.one_of(
        st.integers(2, 40),
        st.integers(MAX_PAYLOAD_BYTES - 4, MAX_PAYLOAD_BYTES + 4),
        st.integers(2, 5 * MAX_PAYLOAD_BYTES),
    ),
    min_size=1,
    max_size=6,
)


@given(_SIZES, st.booleans())
def test_h264_comes_together_again(sizes: list[int], keyframe: bool) -> None:  # noqa: FBT001
    """Whatever the sizes, an H.264 picture is whole after depacketising, its sets before it where it is a keyframe."""
    nals = [bytes((0x65 if keyframe else 0x41,)) + bytes((n + size) % 251 for n in range(size - 1)) for size in sizes]
    payloads = payloads_of(_unit(nals, H264, keyframe=keyframe), MAX_PAYLOAD_BYTES)
    expected = [H264.sps, H264.pps, *nals] if keyframe else nals
    assert _reassemble(payloads, VideoCodec.H264) == expected
    assert max(map(len, payloads)) <= MAX_PAYLOAD_BYTES


@given(_SIZES, st.booleans())
def test_h265_comes_together_again(sizes: list[int], keyframe: bool) -> None:  # noqa: FBT001
    """The same holds for H.265."""
    nals = [bytes((0x26 if keyframe else 0x02, 1)) + bytes((n + size) % 251 for n in range(size - 2)) for size in sizes]
    payloads = payloads_of(_unit(nals, H265, keyframe=keyframe), MAX_PAYLOAD_BYTES)
    expected = [H265.vps, H265.sps, H265.pps, *nals] if keyframe else nals
    assert _reassemble(payloads, VideoCodec.H265) == expected
    assert max(map(len, payloads)) <= MAX_PAYLOAD_BYTES


@given(st.integers(MAX_PAYLOAD_BYTES + 1, 20 * MAX_PAYLOAD_BYTES))
def test_pieces_of_a_nal_unit_are_equally_long(size: int) -> None:
    """All pieces but the last have one length, so that the kernel may segment them."""
    payloads = payloads_of(_unit([b"\x41" + b"\x55" * (size - 1)], H264, keyframe=False), MAX_PAYLOAD_BYTES)
    assert {len(piece) for piece in payloads[:-1]} == {MAX_PAYLOAD_BYTES}
    assert [piece[1] >> 6 for piece in payloads] == [2, *[0] * (len(payloads) - 2), 1]


def test_parameter_sets_too_long_for_one_packet_go_alone() -> None:
    """Parameter sets that do not fit one aggregation packet are sent as units of their own."""
    for parameters in (
        VideoParameters(VideoCodec.H264, 2, 2, sps=b"\x67" + b"\x01" * 900, pps=b"\x68" + b"\x02" * 900),
        VideoParameters(VideoCodec.H265, 2, 2, sps=b"\x42\x01" + b"\x01" * 900, pps=b"\x44\x01" + b"\x02" * 900),
    ):
        nal = b"\x65\x88" if parameters.codec is VideoCodec.H264 else b"\x26\x01\x88"
        payloads = payloads_of(_unit([nal], parameters, keyframe=True), MAX_PAYLOAD_BYTES)
        assert _reassemble(payloads, parameters.codec) == [parameters.sps, parameters.pps, nal]


def test_the_cameras_own_cut_is_kept_where_it_fits() -> None:
    """Payloads as the camera cut them are passed on as they are, the parameter sets before them at a keyframe."""
    nal = b"\x65" + bytes(range(200)) * 10
    own = (b"\x7c\x85" + nal[1:1001], b"\x7c\x45" + nal[1001:])
    unit = replace(_unit([nal], H264, keyframe=True), payloads=own)
    payloads = payloads_of(unit, 1002)
    assert all(passed is given for passed, given in zip(payloads[1:], own, strict=True))
    assert _reassemble(payloads, VideoCodec.H264) == [H264.sps, H264.pps, nal]


def test_the_cameras_own_cut_is_made_anew_where_it_is_too_long() -> None:
    """One payload that does not fit the path has the picture cut here."""
    nal = b"\x41" + bytes(range(200)) * 10
    unit = replace(_unit([nal], H264, keyframe=False), payloads=(b"\x5c\x81" + nal[1:1402], b"\x5c\x41" + nal[1402:]))
    payloads = payloads_of(unit, MAX_PAYLOAD_BYTES)
    assert max(map(len, payloads)) == MAX_PAYLOAD_BYTES
    assert _reassemble(payloads, VideoCodec.H264) == [nal]


def test_empty_units_are_left_out() -> None:
    """A NAL unit without a byte makes no packet."""
    assert payloads_of(_unit([b"", b"\x41\x01"], H264, keyframe=False), MAX_PAYLOAD_BYTES) == (b"\x41\x01",)
    assert payloads_of(_unit([b"", b"\x02\x01\x01"], H265, keyframe=False), MAX_PAYLOAD_BYTES) == (b"\x02\x01\x01",)


def test_a_picture_is_packetised_once() -> None:
    """The payloads of a picture are the same objects for every viewer."""
    picture = Picture(_unit([b"\x41" + b"\x01" * 5000], H264, keyframe=False), 9)
    assert picture.payloads is picture.payloads
    assert (picture.size_bytes, picture.keyframe, picture.time_90k) == (5001, False, 9)


def test_the_profile_is_named_by_the_sps() -> None:
    """The three bytes after the SPS's header are SDP's profile-level-id."""
    assert profile_level_id(H264) == "42c01e"
