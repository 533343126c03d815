"""Session descriptions, good and odd."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import CameraAnswerError
from drivers.rtsp.audio import audio_parameters
from drivers.rtsp.parameters import sprop_sets
from drivers.rtsp.sdp import parse
from kernel.media import AudioCodec, VideoCodec

GOOD = b"""v=0\r
o=- 1 1 IN IP4 10.0.0.9\r
s=Media\r
a=control:rtsp://10.0.0.9/live/\r
m=video 0 RTP/AVP 96\r
a=rtpmap:96 H264/90000\r
a=fmtp:96 packetization-mode=1;profile-level-id=42C01E; sprop-parameter-sets=Z0LA,aM48\r
a=rtcp-fb:96 nack pli\r
a=control:trackID=1\r
m=audio 0 RTP/AVP 0 97\r
a=control:trackID=2\r
m=application 0 RTP/AVP 107\r
a=rtpmap:107 vnd.onvif.metadata/90000\r
a=control:trackID=3\r
"""


def test_a_plain_description_is_read() -> None:
    """Encodings, clocks, parameters and controls of each track."""
    description = parse(GOOD)
    assert description.control == "rtsp://10.0.0.9/live/"
    video, audio, metadata = description.media
    assert (video.encoding, video.clock_hz, video.control, video.payload_type) == ("H264", 90_000, "trackID=1", 96)
    assert video.parameters["profile-level-id"] == "42C01E"
    assert video.feedback == {"nack pli"}
    assert (audio.encoding, audio.clock_hz, audio.payload_type) == ("PCMU", 8000, 0)
    assert metadata.encoding == "VND.ONVIF.METADATA"


def test_bare_newlines_spaces_and_bad_text_are_borne() -> None:
    """LF only, Latin-1 names, capitals and spaces in odd places do not matter."""
    odd = GOOD.replace(b"\r\n", b"\n").replace(b"s=Media", b"s=Stra\xdfe").replace(b"H264/90000", b"h264/90000 ")
    odd = odd.replace(b"a=control:trackID=1", b" a=control: trackID=1 ")
    video = parse(odd).media[0]
    assert (video.encoding, video.control) == ("H264", "trackID=1")


def test_the_first_payload_type_with_a_name_counts() -> None:
    """A list of payload types without maps is passed over up to one that is known."""
    media = parse(b"m=audio 0 RTP/AVP 110 8\r\n").media[0]
    assert (media.payload_type, media.encoding) == (8, "PCMA")


def test_a_track_without_any_type_has_no_encoding() -> None:
    """A section that names no payload type is no encoding at all."""
    media = parse(b"m=video 0 RTP/AVP\r\nm=\r\na=rtpmap:x y\r\n").media[0]
    assert (media.encoding, media.payload_type, media.parameters) == ("", -1, {})


def test_a_description_of_nothing_is_an_error() -> None:
    """An answer that names no media is refused with a sentence."""
    with pytest.raises(CameraAnswerError, match="no media"):
        parse(b"<html>hello</html>")


@given(st.binary(max_size=400))
def test_no_bytes_crash_the_parser(body: bytes) -> None:
    """Any bytes give a description or the named error."""
    try:
        description = parse(b"m=video 0 RTP/AVP 96\r\n" + body)
    except CameraAnswerError:
        return
    for media in description.media:
        assert isinstance(media.encoding, str)
        assert media.clock_hz >= 0
        audio_parameters(media)
        sprop_sets(VideoCodec.H265, media.parameters)


def test_sound_is_recognised() -> None:
    """G.711 by either law, and AAC with its configuration; other sound is none."""

    def sound(lines: str) -> object:
        return audio_parameters(parse(f"m=audio 0 RTP/AVP 97\r\n{lines}".encode()).media[0])

    aac = "a=rtpmap:97 MPEG4-GENERIC/16000/1\r\na=fmtp:97 mode=AAC-hbr;config={}\r\n"
    found = sound(aac.format("1408"))
    assert found is not None
    assert (found.codec, found.clock_hz, found.channels, found.config) == (  # type: ignore[attr-defined]
        AudioCodec.AAC,
        16_000,
        1,
        b"\x14\x08",
    )
    assert sound("a=rtpmap:97 PCMA/8000\r\n") is not None
    assert sound(aac.format("zz")) is None
    assert sound(aac.format("")) is None
    assert sound("a=rtpmap:97 G726-32/8000\r\n") is None
    assert sound("a=rtpmap:97 mpeg4-generic/8000\r\na=fmtp:97 mode=CELP-cbr\r\n") is None


def test_sets_in_descriptions_may_carry_start_codes() -> None:
    """Sets encoded with their start code, or without padding, are read; ones that do not decode are left out."""
    assert sprop_sets(VideoCodec.H264, {"sprop-parameter-sets": "AAAAAWdCwA,aM48gA==,!!!"}) == [
        b"\x67\x42\xc0",
        b"\x68\xce\x3c\x80",
    ]
    assert sprop_sets(VideoCodec.H265, {"sprop-vps": "QAEM", "sprop-pps": "RAHA"}) == [b"\x40\x01\x0c", b"\x44\x01\xc0"]
