"""Sound and documents from packets."""

import gzip
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.rtsp.audio import AudioTrack, audio_parameters
from drivers.rtsp.metadata import DOCUMENT_LIMIT_BYTES, MetadataTrack
from drivers.simulator.rtsp.packets import RtpWriter
from kernel.media import AudioCodec
from tests.fakes.rtp import SSRC, Bench, feed, feed_rtcp, media

AAC = b"m=audio 0 RTP/AVP 96\r\na=rtpmap:96 MPEG4-GENERIC/16000/1\r\na=fmtp:96 mode=AAC-hbr;config=1408;%s\r\n"
HBR = b"sizelength=13;indexlength=3;indexdeltalength=3"
XML = b"m=application 0 RTP/AVP 96\r\na=rtpmap:96 vnd.onvif.metadata%s/90000\r\n"


def sound(sdp: bytes, payload_type: int = 96) -> tuple[Bench, AudioTrack]:
    """Return a bench with a track of sound."""
    bench = Bench()
    bench.writer = RtpWriter(payload_type=payload_type, ssrc=SSRC, sequence=65_534, timestamp_base=0xFFFF_FF00)
    one = media(sdp)
    parameters = audio_parameters(one)
    assert parameters is not None
    return bench, AudioTrack(one, bench, bench.delivery, bench.clock, 0.0, parameters)


def documents(kind: bytes = b"") -> tuple[Bench, MetadataTrack]:
    """Return a bench with a metadata track."""
    bench = Bench()
    return bench, MetadataTrack(media(XML % kind), bench, bench.delivery, bench.clock, 0.0)


def aac_payload(frames: list[bytes]) -> bytes:
    """Return frames in one packet (RFC 3640 section 3.3.6)."""
    headers = b"".join((len(frame) << 3).to_bytes(2, "big") for frame in frames)
    return (len(frames) * 16).to_bytes(2, "big") + headers + b"".join(frames)


@pytest.mark.parametrize(("payload_type", "codec"), [(0, AudioCodec.PCMU), (8, AudioCodec.PCMA)])
def test_g711_comes_packet_by_packet(payload_type: int, codec: AudioCodec) -> None:
    """Each packet is a frame, on an unwrapped clock of 8 kHz."""
    bench, track = sound(b"m=audio 0 RTP/AVP %d\r\n" % payload_type, payload_type)
    for index in range(4):
        bench.pass_time(0.04)
        feed(track, [bench.writer.packet(b"%d" % index * 320, index * 320, marker=False)])
    assert [(frame.time_clock, frame.data[:1]) for frame in bench.sink.sounds] == [
        (0, b"0"),
        (320, b"1"),
        (640, b"2"),
        (960, b"3"),
    ]
    assert bench.sink.sounds[0].parameters.codec is codec
    assert bench.sink.sounds[3].wall_ns - bench.sink.sounds[0].wall_ns == 120_000_000


def test_lost_sound_is_a_step_in_its_clock() -> None:
    """The frames around a lost packet keep their own times, and a repeated one is dropped."""
    bench, track = sound(b"m=audio 0 RTP/AVP 0\r\n", 0)
    packets = [bench.writer.packet(b"x" * 320, index * 320, marker=False) for index in range(4)]
    feed(track, [packets[0], packets[2], packets[3]])
    feed(track, [bench.writer.packet(b"old", 960, marker=False)])
    assert [frame.time_clock for frame in bench.sink.sounds] == [0, 640, 960]


def test_a_jump_of_its_clock_does_not_stop_the_sound() -> None:
    """Sound whose timestamps jump goes on by arrival."""
    bench, track = sound(b"m=audio 0 RTP/AVP 0\r\n", 0)
    feed_rtcp(track, bench.sender_report(0, bench.clock.wall_ns()))
    for media_time in (0, 320, 90_000_000, 90_000_320, 5000):
        bench.pass_time(0.04)
        feed(track, [bench.writer.packet(b"x", media_time, marker=False)])
    assert [frame.time_clock for frame in bench.sink.sounds] == [0, 320, 640, 960, 1280]


@given(frames=st.lists(st.binary(min_size=1, max_size=400), min_size=1, max_size=6))
def test_aac_frames_are_taken_apart(frames: list[bytes]) -> None:
    """Several frames in a packet come with 1024 samples between them."""
    bench, track = sound(AAC % HBR)
    feed(track, [bench.writer.packet(aac_payload(frames), 0, marker=True)])
    assert [frame.data for frame in bench.sink.sounds] == frames
    assert [frame.time_clock for frame in bench.sink.sounds] == [1024 * index for index in range(len(frames))]
    assert bench.sink.sounds[0].parameters.config == b"\x14\x08"


def test_an_aac_frame_in_several_packets_is_joined() -> None:
    """Fragments name the whole frame's size and end at the marker; one with a hole is left out."""
    bench, track = sound(AAC % HBR)
    whole = bytes(range(200)) * 10
    head = (16).to_bytes(2, "big") + (len(whole) << 3).to_bytes(2, "big")
    for start in (0, 4096, 8192):
        pieces = [whole[at : at + 700] for at in range(0, len(whole), 700)]
        packets = [bench.writer.packet(head + piece, start, marker=piece is pieces[-1]) for piece in pieces]
        feed(track, packets[:1] + packets[2:] if start == 4096 else packets)
    assert [frame.data for frame in bench.sink.sounds] == [whole, whole]
    assert bench.stats.lost == 1


@given(payload=st.binary(min_size=1, max_size=60))
def test_no_payload_of_sound_crashes_it(payload: bytes) -> None:
    """Any bytes give frames within the payload, or none."""
    for sdp in (AAC % HBR, AAC % b"sizelength=0;indexlength=xx"):
        bench, track = sound(sdp)
        feed(track, [bench.writer.packet(payload, 0, marker=False)])
        assert all(0 < len(frame.data) <= len(payload) for frame in bench.sink.sounds)


@given(cuts=st.lists(st.integers(1, 60), max_size=5))
def test_a_document_is_joined_over_its_packets(cuts: list[int]) -> None:
    """However a document is cut, it comes whole at the marker."""
    bench, track = documents()
    xml = b"<tt:MetadataStream>" + b"x" * 60 + b"</tt:MetadataStream>"
    places = sorted({0, len(xml), *cuts})
    pieces = [xml[a:b] for a, b in itertools.pairwise(places)]
    feed(track, [bench.writer.packet(piece, 0, marker=piece is pieces[-1]) for piece in pieces])
    assert [document.xml for document in bench.sink.documents] == [xml]


def test_without_a_marker_the_timestamp_ends_a_document() -> None:
    """Cameras that never set the marker are understood, one document late."""
    bench, track = documents()
    feed(track, [bench.writer.packet(b"<%d/>" % n, n * 90_000, marker=False) for n in range(3)])
    assert [document.xml for document in bench.sink.documents] == [b"<0/>", b"<1/>"]


def test_a_document_with_a_hole_is_left_out() -> None:
    """Loss costs the documents it touches and no others."""
    bench, track = documents()
    packets = []
    for n in range(4):
        packets += [bench.writer.packet(b"<MetadataStream n='%d'>" % n, n * 90_000, marker=False)]
        packets += [bench.writer.packet(b"</MetadataStream>", n * 90_000, marker=True)]
    feed(track, [packet for index, packet in enumerate(packets) if index not in {2, 5}])
    assert [document.xml for document in bench.sink.documents] == [
        b"<MetadataStream n='0'></MetadataStream>",
        b"<MetadataStream n='3'></MetadataStream>",
    ]


def test_compressed_documents_are_unpacked_within_limits() -> None:
    """Gzip is understood; a bomb, and what is not gzip, are left out."""
    bench, track = documents(b".gzip")
    for number, data in enumerate([gzip.compress(b"<a/>"), gzip.compress(bytes(50_000_000)), b"nonsense"]):
        feed(track, [bench.writer.packet(data, number * 90_000, marker=True)])
    assert [document.xml for document in bench.sink.documents] == [b"<a/>"]
    assert bench.stats.ignored == 2


def test_a_document_without_end_is_dropped() -> None:
    """More than a megabyte is no document, and the next one is read again."""
    bench, track = documents()
    for _ in range(DOCUMENT_LIMIT_BYTES // 60_000 + 2):
        feed(track, [bench.writer.packet(b"<" + b"x" * 60_000, 0, marker=False)])
    feed(track, [bench.writer.packet(b"<MetadataStream/>", 90_000, marker=True)])
    assert [document.xml for document in bench.sink.documents] == [b"<MetadataStream/>"]
