"""The camera's own payloads, kept while somebody watches."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.rtsp.depacketise import H264Depacketiser, H265Depacketiser
from drivers.rtsp.nal_units import KINDS
from drivers.rtsp.payloads import exact_payloads
from drivers.rtsp.video import CARRIED_LIMIT, VideoTrack
from drivers.simulator.device import EncodedUnit
from drivers.simulator.rtsp.packets import SEI, picture_payloads
from kernel.media import VideoCodec
from tests.fakes.rtp import KEY_SLICE, NEXT_SLICE, VIDEO_SDP, Bench, feed, media, sets

STEP = 3600
H264, H265 = VideoCodec.H264, VideoCodec.H265
DELIMITER = {H264: b"\x09\x10", H265: b"\x46\x01\x50"}
FRAGMENT_AT = {H264: 1, H265: 2}

# Bodies without a zero byte hold no start code, as emulation prevention guarantees for real ones.
bodies = st.binary(min_size=1, max_size=300).map(lambda data: data.replace(b"\x00", b"\x01"))
beginnings = st.sampled_from(
    [
        *(
            b"",
            b"\x41",
            b"\x67",
            b"\x78",
            b"\x78\x00\x01",
            b"\x7c\x85",
            b"\x7c\x05",
            b"\x7c\x45",
            b"\x5c\x01",
            b"\x7c\x87",
        ),
        *(
            b"\x02\x01",
            b"\x42\x01",
            b"\x60\x01",
            b"\x60\x01\x00\x02",
            b"\x62\x01\x81",
            b"\x62\x01\x01",
            b"\x62\x01\x41",
        ),
    ]
)
"""Of the payloads that matter: single units, aggregates, and fragments from the first to the last."""


class Watched:
    """A track whose payloads are kept while ``wanted``."""

    def __init__(self, codec: VideoCodec = H264, sdp: bytes | None = None) -> None:
        self.codec = codec
        self.wanted = True
        self.asked = 0
        self.bench = Bench()
        self.bench.delivery.keep_payloads = self._keep
        self.track = VideoTrack(media(sdp or VIDEO_SDP[codec]), self.bench, self.bench.delivery, self.bench.clock, 0.0)

    def _keep(self) -> bool:
        self.asked += 1
        return self.wanted

    def send(self, number: int, payloads: list[bytes]) -> None:
        """Send a picture's payloads, 40 ms after the last."""
        self.bench.pass_time(0.04)
        last = len(payloads) - 1
        feed(
            self.track,
            [
                self.bench.writer.packet(payload, number * STEP, marker=index == last)
                for index, payload in enumerate(payloads)
            ],
        )

    def keyframe(self, number: int = 0) -> None:
        """Send a keyframe with its parameter sets."""
        feed(self.track, self.bench.picture(self.codec, number * STEP, keyframe=True))

    @property
    def kept(self) -> tuple[bytes, ...]:
        """The payloads of the last picture."""
        return self.bench.sink.units[-1].payloads


def fragments(codec: VideoCodec, nal: bytes, cuts: list[int]) -> list[bytes]:
    """Cut a NAL unit into two fragments or more; one that is too short for it stays whole."""
    at = FRAGMENT_AT[codec]
    if len(nal) < at + 2:
        return [nal]
    places = sorted({at, *(at + 1 + cut % (len(nal) - at - 1) for cut in cuts)})
    made = []
    for start, stop in itertools.pairwise([*places, len(nal)]):
        flags = (0x80 if start == at else 0) | (0x40 if stop == len(nal) else 0)
        if codec is H265:
            made.append(bytes((nal[0] & 0x81 | 49 << 1, nal[1], flags | nal[0] >> 1 & 0x3F)) + nal[start:stop])
        else:
            made.append(bytes((nal[0] & 0xE0 | 28, flags | nal[0] & 0x1F)) + nal[start:stop])
    return made


def aggregate(codec: VideoCodec, nals: list[bytes]) -> bytes:
    """Put NAL units into one payload."""
    head = bytes((48 << 1, 1)) if codec is H265 else b"\x78"
    return head + b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)


@pytest.mark.parametrize("codec", list(VideoCodec))
@given(
    slices=st.lists(st.tuples(bodies, st.lists(st.integers(0, 500), max_size=5)), min_size=1, max_size=5),
    joined=st.booleans(),
    delimited=st.booleans(),
)
def test_the_kept_payloads_carry_exactly_the_units(
    codec: VideoCodec,
    slices: list[tuple[bytes, list[int]]],
    joined: bool,  # noqa: FBT001 - hypothesis
    delimited: bool,  # noqa: FBT001 - hypothesis
) -> None:
    """However a camera cuts, what the kept payloads carry is what the picture holds, NAL unit for NAL unit."""
    watched = Watched(codec)
    watched.keyframe()
    nals = [NEXT_SLICE[codec] + body for body, _ in slices]
    payloads = [DELIMITER[codec]] if delimited else []
    if joined:
        payloads.append(aggregate(codec, nals))
    else:
        for nal, (_, cuts) in zip(nals, slices, strict=True):
            payloads += fragments(codec, nal, cuts) if cuts else [nal]
    watched.send(1, payloads)
    assert watched.kept == tuple(payloads[delimited:])
    reader = H265Depacketiser() if codec is H265 else H264Depacketiser()
    for payload in watched.kept:
        reader.push(bytearray(payload), 0, len(payload))
    assert tuple(reader.take()) == watched.bench.sink.units[-1].nals


@pytest.mark.parametrize("codec", list(VideoCodec))
@given(payloads=st.lists(st.builds(bytes.__add__, beginnings, st.binary(min_size=1, max_size=30)), max_size=12))
def test_whatever_comes_the_kept_payloads_never_carry_anything_else(codec: VideoCodec, payloads: list[bytes]) -> None:
    """Any bytes give payloads that decode to the picture's NAL units, or none."""
    kinds = KINDS[codec]
    reader = H265Depacketiser() if codec is H265 else H264Depacketiser()
    for payload in payloads:
        reader.push(bytearray(payload), 0, len(payload))
    nals = [nal for nal in reader.take() if kinds.passed(nal)]
    kept = exact_payloads(payloads, nals, kinds)
    for payload in kept:
        reader.push(bytearray(payload), 0, len(payload))
    assert kept == () or reader.take() == nals


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_a_keyframe_goes_without_its_parameter_sets(codec: VideoCodec) -> None:
    """Payloads that carry only parameter sets are left out: the sets stand in ``parameters``."""
    watched = Watched(codec)
    packets = watched.bench.picture(codec, 0, keyframe=True)
    feed(watched.track, packets)
    assert len(watched.kept) == len(packets) - 1
    assert watched.kept == tuple(packet[12:] for packet in packets[1:])


def test_nothing_is_kept_while_nobody_watches() -> None:
    """Payloads are kept from the first picture that begins after somebody came until the last before they left."""
    watched = Watched()
    watched.wanted = False
    watched.keyframe()
    for number in range(1, 6):
        watched.wanted = number in {2, 3}
        watched.send(number, [NEXT_SLICE[H264] + b"x"])
    assert [len(unit.payloads) for unit in watched.bench.sink.units] == [0, 0, 1, 1, 0, 0]


def test_somebody_who_comes_within_a_picture_waits_for_the_next() -> None:
    """A picture is kept whole or not at all: it is asked once, when it begins."""
    watched = Watched()
    watched.keyframe()
    pieces = fragments(H264, NEXT_SLICE[H264] + bytes(range(1, 90)), [20, 40, 60])
    packets = [watched.bench.writer.packet(p, STEP, marker=p is pieces[-1]) for p in pieces]
    watched.wanted = False
    feed(watched.track, packets[:2])
    watched.wanted = True
    feed(watched.track, packets[2:])
    assert watched.kept == ()
    assert watched.asked == 2


def test_a_picture_after_loss_has_none() -> None:
    """A keyframe that says ``lost_before`` is sent on from its NAL units."""
    watched = Watched()
    watched.keyframe()
    watched.bench.picture(H264, STEP)
    watched.keyframe(2)
    watched.send(3, [NEXT_SLICE[H264] + b"x"])
    assert [unit.lost_before for unit in watched.bench.sink.units] == [False, True, False]
    assert [bool(unit.payloads) for unit in watched.bench.sink.units] == [True, False, True]


def test_a_picture_that_made_no_sense_has_none() -> None:
    """A first keyframe with a senseless payload in it is delivered without its payloads."""
    watched = Watched()
    sets_and_slice = [sets(H264).sps, sets(H264).pps, KEY_SLICE[H264] + b"\x88"]
    watched.send(0, [*sets_and_slice, b"\x7c\x85"])
    assert watched.bench.sink.units[0].keyframe
    assert watched.kept == ()


def test_what_libav_hands_over_has_none() -> None:
    """Pictures that came over UDP were put together elsewhere."""
    watched = Watched()
    watched.track.ssrc = 0
    watched.track.picture([sets(H264).sps, sets(H264).pps, KEY_SLICE[H264] + b"x"], 0)
    assert watched.kept == ()


def test_sei_sent_with_a_marker_of_its_own_stays_with_its_picture() -> None:
    """A camera that marks an SEI has its payloads kept all the same, the SEI first."""
    watched = Watched()
    watched.keyframe()
    watched.send(1, [SEI[H264]])
    watched.send(1, [NEXT_SLICE[H264] + b"x"])
    assert watched.kept == (SEI[H264], NEXT_SLICE[H264] + b"x")


def test_endless_sei_takes_no_memory() -> None:
    """A camera that sends SEI and never a picture has no more of them kept than of any."""
    watched = Watched()
    for number in range(200):
        watched.send(number, [SEI[H264]])
    assert len(watched.track._payloads) <= CARRIED_LIMIT


def _odd(codec: VideoCodec) -> dict[str, list[bytes]]:
    """Return payloads of one picture that the depacketiser understands and nobody should be sent."""
    at = FRAGMENT_AT[codec]
    slice_ = NEXT_SLICE[codec] + bytes(range(1, 120))
    first, second, third = fragments(codec, slice_, [40, 80])
    kind_bit = 0x02  # of nal_unit_type: 1 becomes 3 in both codings
    importance = bytes((first[0] ^ (0x40 if codec is H264 else 0x01),))
    return {
        "Annex B inside": [b"\x00\x00\x00\x01" + slice_],
        "several units glued": [slice_ + b"\x00\x00\x01" + slice_],
        "Annex B inside fragments": fragments(codec, b"\x00\x00\x00\x01" + slice_, [40]),
        "fragment types that change": [first, second[:at] + bytes((second[at] ^ kind_bit,)) + second[at + 1 :], third],
        "fragment headers that change": [first, importance + second[1:], third],
        "a forgotten End bit": [first, second, third[:at] + bytes((third[at] & 0xBF,)) + third[at + 1 :]],
        "a fragment begun anew": [first, second[:at] + bytes((second[at] | 0x80,)) + second[at + 1 :], third],
        "Start and End in one": [first[:at] + bytes((first[at] | 0x40,)) + first[at + 1 :]],
        "a unit within a fragmented one": [first, slice_],
        "sets and slices in one": [aggregate(codec, [DELIMITER[codec], slice_])],
        "an aggregate with a tail": [aggregate(codec, [slice_]) + b"\x00"],
    }


@pytest.mark.parametrize("codec", list(VideoCodec))
@pytest.mark.parametrize("oddity", list(_odd(H264)))
def test_odd_cameras_give_none(codec: VideoCodec, oddity: str) -> None:
    """What has to be mended before it is sent on is cut anew from the NAL units."""
    watched = Watched(codec)
    watched.keyframe()
    watched.send(1, _odd(codec)[oddity])
    unit = watched.bench.sink.units[-1]
    assert unit.time_90k == STEP
    assert unit.payloads == ()


def test_a_second_picture_set_goes_with_the_keyframe_and_not_with_payloads() -> None:
    """A keyframe to which a further PPS was added is more than its payloads carry."""
    watched = Watched()
    feed(watched.track, [watched.bench.writer.packet(one, 0, marker=False) for one in (sets(H264).sps, sets(H264).pps)])
    feed(watched.track, [watched.bench.writer.packet(b"\x68\x4c\x3c\x80", 0, marker=False)])
    feed(watched.track, [watched.bench.writer.packet(KEY_SLICE[H264] + b"x", 0, marker=True)])
    assert len(watched.bench.sink.units[0].nals) == 2
    assert watched.kept == ()


def test_annexb_cameras_as_the_simulator_plays_them_give_none() -> None:
    """Start codes inside fragments, as the simulated camera of that fault sends them, keep nothing."""
    watched = Watched()
    unit = EncodedUnit((KEY_SLICE[H264] + b"\xaa" * 3000,), 0, 0, True, sets(H264))  # noqa: FBT003
    feed(watched.track, [watched.bench.writer.packet(p, 0, marker=m) for p, m in picture_payloads(unit, annexb=True)])
    assert watched.bench.sink.units[0].keyframe
    assert watched.kept == ()
