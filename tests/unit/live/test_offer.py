"""Offers as browsers send them, and as they should not be sent; and the answers to them."""

import re
from pathlib import Path

import pytest
from aiortc import RTCIceParameters
from aiortc.rtcicetransport import RTCIceCandidate
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from drivers.simulator.picture.encoder import Coding, parameters_of
from gateway.live.answer import Ground, Source, write_answer
from gateway.live.errors import LiveCodecError, LiveError, LiveMediaTypeError, LiveOfferError, LiveOfferSizeError
from gateway.live.offer import MAX_SDP_BYTES, Offer, read_offer
from gateway.live.profile import MAIN, profile_idc
from kernel.media import AudioCodec, AudioParameters, VideoCodec, VideoParameters

CHROMIUM = (Path(__file__).parent / "offers" / "chromium.sdp").read_text()
PCMU = AudioParameters(AudioCodec.PCMU, 8000, 1)
H265 = VideoParameters(VideoCodec.H265, 640, 360, sps=b"\x42\x01", pps=b"\x44\x01", vps=b"\x40\x01")
GROUND = Ground(
    session="0123456789abcdef0123456789abcdef",
    cname="cname",
    ice=RTCIceParameters(usernameFragment="ours", password="p" * 22),
    fingerprint="AA:BB",
    setup="active",
    candidates=[
        RTCIceCandidate(component=1, foundation="1", ip="10.0.0.1", port=4000, priority=1, protocol="udp", type="host")
    ],
)


def _camera(profile: str) -> VideoParameters:
    return VideoParameters(VideoCodec.H264, 640, 360, sps=b"\x67" + bytes.fromhex(profile) + b"\x01", pps=b"\x68\xce")


def _profile_of(offer: Offer) -> str:
    section = offer.section("video")
    assert section is not None
    assert section.coding is not None
    found = re.search("profile-level-id=([0-9a-f]{6})", section.coding.fmtp)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("camera", "chosen"),
    [
        ("42001f", "42001f"),
        ("42c01e", "42e01f"),
        ("4d0029", "4d001f"),
        ("640028", "42e01f"),
        ("f40028", "f4001f"),
        ("000000", "42e01f"),
    ],
)
def test_the_cameras_own_profile_is_chosen_where_offered(camera: str, chosen: str) -> None:
    """Chromium's offer is answered with the camera's own profile, else with constrained baseline."""
    assert _profile_of(read_offer(CHROMIUM, _camera(camera), None)) == chosen


def test_an_offer_with_other_profiles_only_is_answered_all_the_same() -> None:
    """Browsers decode what the SPS says: any H.264 in packetization mode 1 will do."""
    only_high = re.sub("profile-level-id=[0-9a-f]{6}", "profile-level-id=64001f", CHROMIUM)
    assert _profile_of(read_offer(only_high, _camera("42c01e"), None)) == "64001f"


def test_packetization_mode_0_is_no_coding_of_ours() -> None:
    """An offer whose H.264 is all in mode 0 has nothing that can carry a camera's slices."""
    with pytest.raises(LiveCodecError) as error:
        read_offer(CHROMIUM.replace("packetization-mode=1", "packetization-mode=0"), _camera("42c01e"), None)
    assert (error.value.status, error.value.facts["camera_codec"]) == (406, "h264")


def test_h265_names_the_sub_stream_as_the_cure() -> None:
    """A browser that offers no H.265 is told what to watch in its place."""
    with pytest.raises(LiveCodecError, match="sub stream") as error:
        read_offer(CHROMIUM, H265, None)
    assert error.value.code == "live.codec"


def test_h265_is_answered_where_offered() -> None:
    """A browser that offers H.265 gets it."""
    offered = CHROMIUM.replace("AV1/90000", "H265/90000").replace("level-idx=5;profile=0;tier=0", "level-id=93")
    section = read_offer(offered, H265, None).section("video")
    assert section is not None
    assert section.coding is not None
    assert section.coding.name == "H265/90000"


@pytest.mark.parametrize(
    ("camera", "offered", "chosen"),
    [
        (1, ("1", "2"), "1"),
        (1, ("2", "1"), "1"),
        (1, ("2", "2"), "2"),
        (2, ("1", "2"), "2"),
        (2, ("1", "1"), None),
        (2, ("x", ""), None),
        (4, ("1", "2"), None),
    ],
)
def test_h265_is_answered_in_a_profile_that_the_browser_decodes(
    camera: int, offered: tuple[str, str], chosen: str | None
) -> None:
    """Ten-bit pictures go only to who offers ten bits; eight-bit ones to all, by their own profile where there."""
    offer = CHROMIUM.replace("AV1/90000", "H265/90000")
    for place, profile in enumerate(offered):
        offer = offer.replace(f"level-idx=5;profile={place};tier=0", f"level-id=93;profile-id={profile}")
    video = VideoParameters(
        VideoCodec.H265, 640, 360, sps=b"\x42\x01\x01" + bytes((camera,)), pps=b"\x44\x01", vps=b"\x40\x01"
    )
    if chosen is None:
        with pytest.raises(LiveCodecError):
            read_offer(offer, video, None)
        return
    section = read_offer(offer, video, None).section("video")
    assert section is not None
    assert section.coding is not None
    assert f"profile-id={chosen}" in section.coding.fmtp


def test_a_simulated_cameras_profile_is_read() -> None:
    """What libx265 makes of eight-bit pictures is Main."""
    coding = Coding(codec=VideoCodec.H265, width=320, height=180, frame_rate=25.0, bitrate_kbit=500)
    assert profile_idc(parameters_of(coding)) == MAIN
    assert profile_idc(H265) is None


def test_an_answer_reads_back_as_an_answer() -> None:
    """The answer has the offer's sections in order, sends only, and carries candidates, RTX and both sources."""
    offer = read_offer(CHROMIUM, _camera("42c01e"), PCMU)
    sources = {"video": Source(ssrc=1, rtx_ssrc=2), "audio": Source(ssrc=3)}
    text = write_answer(offer, GROUND, sources)
    answer = SessionDescription.parse(text)
    video, audio = answer.media
    assert [media.kind for media in answer.media] == ["video", "audio"]
    assert [media.direction for media in answer.media] == ["sendonly", "sendonly"]
    assert [group.items for group in answer.group] == [["0", "1"]]
    assert [codec.name for codec in video.rtp.codecs] == ["H264", "rtx"]
    assert [codec.name for codec in audio.rtp.codecs] == ["PCMU"]
    assert [group.items for group in video.ssrc_group] == [[1, 2]]
    assert video.ice_candidates[0].ip == "10.0.0.1"
    assert video.ice_candidates_complete
    assert {(item.type, item.parameter) for item in video.rtp.codecs[0].rtcpFeedback} == {
        ("nack", None), ("nack", "pli"), ("ccm", "fir"), ("goog-remb", None),
    }  # fmt: skip
    assert text.endswith("\r\n")


def test_sound_that_is_not_there_is_turned_down() -> None:
    """Without sound from the camera the audio section is refused, and left out of the bundle."""
    offer = read_offer(CHROMIUM, _camera("42c01e"), None)
    text = write_answer(offer, GROUND, {"video": Source(ssrc=1, rtx_ssrc=2)})
    audio = SessionDescription.parse(text).media[1]
    assert audio.port == 0
    assert "a=group:BUNDLE 0\r\n" in text


def test_a_plain_offer_without_bundle_or_rtx_is_answered() -> None:
    """A client that offers one bare video section gets its video, without retransmission of its own."""
    text = "\r\n".join(
        [
            "v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0",
            "m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=recvonly", "a=rtcp-mux",
            "a=ice-ufrag:abcd", "a=ice-pwd:" + "p" * 24, "a=setup:actpass",
            "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
            "a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1",
            "m=audio 9 UDP/TLS/RTP/SAVPF 0", "c=IN IP4 0.0.0.0", "a=recvonly", "a=rtcp-mux",
            "a=rtpmap:0 PCMU/8000", "",
        ]
    )  # fmt: skip
    offer = read_offer(text, _camera("42c01e"), PCMU)
    answer = write_answer(offer, GROUND, {"video": Source(ssrc=1, rtx_ssrc=2)})
    assert offer.section("audio") is None, "without BUNDLE sound would need a second transport"
    assert "BUNDLE" not in answer
    assert "rtx" not in answer


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", LiveMediaTypeError, 415),
        (b"\xff\xfe", LiveMediaTypeError, 415),
        (b"{}", LiveMediaTypeError, 415),
        (b"v=0\r\n", LiveOfferError, 400),
        (b"v=0\r\nm=video nonsense\r\n", LiveOfferError, 400),
        (b"v=0\r\n" + b"m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 9, LiveOfferError, 400),
        (b"v=0\r\na=" + b"x" * MAX_SDP_BYTES, LiveOfferSizeError, 413),
        (CHROMIUM.replace("a=recvonly", "a=sendonly"), LiveOfferError, 400),
        (CHROMIUM.replace("a=rtcp-mux\n", "").replace("a=rtcp-mux\r\n", ""), LiveOfferError, 400),
        (re.sub("a=ice-ufrag:.*", "a=ice-ufrag:a b", CHROMIUM), LiveOfferError, 400),
        (re.sub("a=ice-pwd:.*", "a=ice-pwd:short", CHROMIUM), LiveOfferError, 400),
        (re.sub("a=fingerprint:sha-256", "a=fingerprint:md5", CHROMIUM), LiveOfferError, 400),
        (re.sub("a=setup:.*", "a=x-nothing", CHROMIUM), LiveOfferError, 400),
    ],
)
def test_what_is_no_offer_is_refused_with_a_cure(body: bytes | str, kind: type[LiveError], status: int) -> None:
    """Each kind of wrong body has its own error, a plain sentence, and what to do."""
    with pytest.raises(kind) as error:
        read_offer(body, _camera("42c01e"), None)
    assert error.value.status == status
    assert error.value.cure


@given(st.integers(0, len(CHROMIUM) - 1), st.text(max_size=8))
def test_a_damaged_offer_raises_nothing_but_our_errors(at: int, junk: str) -> None:
    """Whatever is cut out or put in, the reader answers or refuses; it never fails."""
    for text in (CHROMIUM[:at] + junk + CHROMIUM[at + len(junk) :], CHROMIUM[:at]):
        try:
            read_offer(text, _camera("42c01e"), PCMU)
        except LiveError:
            continue
