"""Packets, tones and documents."""

import math
import struct
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.rtsp.depacketise import H264Depacketiser, H265Depacketiser
from drivers.simulator.device import DeviceEvent, EncodedUnit, Mount, SimulatedDevice
from drivers.simulator.head import Head
from drivers.simulator.rtsp import tone
from drivers.simulator.rtsp.metadata import MOTION_TOPIC, document
from drivers.simulator.rtsp.packets import PAYLOAD_LIMIT_BYTES, Burst, RtpWriter, picture_payloads
from kernel.geography import Place
from kernel.head import Velocity
from kernel.media import AudioCodec, VideoCodec
from tests.fakes.clock import ManualClock
from tests.fakes.rtp import sets

TT = "{http://www.onvif.org/ver10/schema}"


def nal(codec: VideoCodec, body: bytes) -> bytes:
    """Return a slice."""
    return (b"\x26\x01" if codec is VideoCodec.H265 else b"\x65") + body.replace(b"\x00", b"\x01")


@pytest.mark.parametrize("codec", list(VideoCodec))
@given(sizes=st.lists(st.integers(1, 6000), min_size=1, max_size=4), keyframe=st.booleans(), annexb=st.booleans())
def test_a_picture_survives_being_cut(codec: VideoCodec, sizes: list[int], keyframe: bool, annexb: bool) -> None:  # noqa: FBT001
    """Depacketised again, sets and slices are those of the unit; only the last packet has the marker."""
    nals = tuple(nal(codec, bytes([7]) * size) for size in sizes)
    parameters = sets(codec)
    cut = list(picture_payloads(EncodedUnit(nals, 0, 0, keyframe, parameters), annexb=annexb))
    collector = H265Depacketiser() if codec is VideoCodec.H265 else H264Depacketiser()
    for payload, _ in cut:
        assert len(payload) <= PAYLOAD_LIMIT_BYTES
        collector.push(bytearray(payload), 0, len(payload))
    before = [one for one in (parameters.vps, parameters.sps, parameters.pps) if one] if keyframe else []
    assert collector.take() == [*before, *nals]
    assert [marker for _, marker in cut] == [False] * (len(cut) - 1) + [True]


def test_numbers_wrap() -> None:
    """Sequence numbers and timestamps wrap as RFC 3550 has it."""
    writer = RtpWriter(payload_type=96, ssrc=5, sequence=65_535, timestamp_base=0xFFFF_FFFF)
    first, second = (writer.packet(b"x", media_time, marker=False) for media_time in (0, 1))
    assert struct.unpack_from("!HI", first, 2) == (65_535, 0xFFFF_FFFF)
    assert struct.unpack_from("!HI", second, 2) == (0, 0)


def test_framing_is_made_once_for_a_channel() -> None:
    """Clients on the same channel share the very same bytes."""
    burst = Burst([b"abc", b"d"])
    assert burst.interleaved(2) == b"$\x02\x00\x03abc$\x02\x00\x01d"
    assert burst.interleaved(2) is burst.interleaved(2)


@pytest.mark.parametrize("law", [AudioCodec.PCMU, AudioCodec.PCMA])
def test_the_tone_is_the_same_at_every_run(law: AudioCodec) -> None:
    """One second in packets of 40 ms, from a seed."""
    packets = tone.packets(law)
    assert [len(packet) for packet in packets] == [320] * 25
    tone.packets.cache_clear()
    assert tone.packets(law) == packets


def test_no_other_sound_is_spoken() -> None:
    """A camera set to AAC is told that it cannot."""
    with pytest.raises(ValueError, match=r"G\.711 only"):
        tone.packets(AudioCodec.AAC)


@pytest.mark.parametrize(
    ("sample", "mu", "a"), [(0, 0xFF, 0xD5), (-1, 0x7F, 0x55), (32_767, 0x80, 0xAA), (-32_768, 0x00, 0x2A)]
)
def test_the_laws_have_their_known_values(sample: int, mu: int, a: int) -> None:
    """Zero and the extremes are those of ITU-T G.711."""
    assert (tone.mu_law(sample), tone.a_law(sample)) == (mu, a)


@given(st.integers(-32_768, 32_767))
def test_louder_is_louder(sample: int) -> None:
    """Both laws keep order: the code of a larger sample stands for no smaller a value."""

    def value_mu(code: int) -> int:
        code = ~code & 0xFF
        magnitude = ((code & 0x0F) << 3) + 132 << (code >> 4 & 7)
        return (132 - magnitude) if code & 0x80 else magnitude - 132

    def value_a(code: int) -> int:
        code ^= 0x55
        exponent, mantissa = code >> 4 & 7, code & 0x0F
        magnitude = (mantissa << 4) + 8 if exponent == 0 else (mantissa << 4) + 0x108 << exponent - 1
        return magnitude if code & 0x80 else -magnitude

    for value in (value_mu(tone.mu_law(sample)), value_a(tone.a_law(sample))):
        assert math.isclose(value, sample, rel_tol=0.07, abs_tol=40)


def test_the_document_tells_position_and_motion(clock: ManualClock) -> None:
    """It is well-formed XML with the head's position and what the camera last told of motion."""
    mount = Mount(place=Place(51.5, 0.0), bearing_deg=0.0)
    head = Head(mount, clock)
    device = SimulatedDevice(number=1, name="", serial="", urn="", mount=mount, clock=clock, head=head)
    head.drive(Velocity(pan=1.0), timeout_s=None)
    clock._advance(clock.monotonic_ns() + 500_000_000)
    motion = DeviceEvent(MOTION_TOPIC, {"Source": 'a"<b'}, {"State": "true"}, 0)
    root = ET.fromstring(document(device, device.wall_ns(), motion))  # noqa: S314 - our own text
    assert root.tag == f"{TT}MetadataStream"
    pan_tilt = root.find(f".//{TT}Position/{TT}PanTilt")
    assert pan_tilt is not None
    position = head.position()
    assert position.pan > 0.05
    assert (pan_tilt.get("x"), pan_tilt.get("y")) == (f"{position.pan:.5f}", f"{position.tilt:.5f}")
    assert root.findtext(f".//{TT}MoveStatus/{TT}PanTilt") == "MOVING"
    values = {item.get("Name"): item.get("Value") for item in root.iter(f"{TT}SimpleItem")}
    assert values == {"Source": 'a"<b', "State": "true"}
    assert (root.findtext(f".//{TT}UtcTime") or "").endswith("Z")
