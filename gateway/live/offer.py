"""Reading a viewer's offer (draft-ietf-wish-whep section 4.2, RFC 8829)."""

import re
from dataclasses import dataclass

from aiortc import RTCDtlsParameters, RTCIceParameters
from aiortc.rtcicetransport import RTCIceCandidate
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.sdp import (
    H264Profile,
    MediaDescription,
    SessionDescription,
    parse_h264_profile_level_id,
)

from gateway.live.errors import LiveCodecError, LiveMediaTypeError, LiveOfferError, LiveOfferSizeError
from gateway.live.payload import profile_level_id
from gateway.live.profile import MAIN as _H265_MAIN
from gateway.live.profile import profile_idc
from kernel.media import AudioParameters, VideoCodec, VideoParameters

MAX_SDP_BYTES = 64 * 1024
MAX_MEDIA = 8
_CURE = "Send the SDP offer that RTCPeerConnection.createOffer() made, with one receiving video."
# RFC 8839 section 5.4: ice-char = ALPHA / DIGIT / "+" / "/"
UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """A coding both sides know, by the offer's payload type."""

    payload_type: int
    name: str
    """As rtpmap has it: ``H264/90000``."""
    fmtp: str = ""
    feedback: tuple[str, ...] = ()
    rtx_payload_type: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One m-line of the offer, in its order; ``coding`` is ``None`` where it is turned down."""

    kind: str
    protocol: str
    formats: str
    mid: str
    coding: Coding | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What an answer needs to know."""

    sections: tuple[Section, ...]
    bundled: bool
    ice: RTCIceParameters
    dtls: RTCDtlsParameters
    candidates: tuple[RTCIceCandidate, ...]

    def section(self, kind: str) -> Section | None:
        """Return the accepted section of a kind."""
        return next((section for section in self.sections if section.kind == kind and section.coding), None)


def text_of(body: bytes | str) -> str:
    """Return a body as text.

    Raises:
        LiveOfferSizeError: it is longer than 64 KiB.
        LiveMediaTypeError: it is not text.
    """
    data = body.encode() if isinstance(body, str) else body
    if len(data) > MAX_SDP_BYTES:
        raise LiveOfferSizeError(f"An offer of {len(data)} bytes is longer than any browser's (64 KiB).", cure=_CURE)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise LiveMediaTypeError("The body is not SDP: it is not even text.", cure=_CURE) from error


def read_offer(body: bytes | str, video: VideoParameters, audio: AudioParameters | None) -> Offer:
    """Read an offer and choose codings for what the camera sends.

    Raises:
        LiveOfferSizeError, LiveMediaTypeError: see :func:`text_of`.
        LiveOfferError: it is not an offer, or asks for no video.
        LiveCodecError: it holds no coding that can carry the camera's video.
    """
    text = text_of(body)
    if not text.lstrip().startswith("v=0"):
        raise LiveMediaTypeError("The body is not SDP: it does not begin with v=0.", cure=_CURE)
    try:
        description = SessionDescription.parse(text)
    except Exception as error:
        # aiortc's parser raises whatever its first wrong line makes Python raise; all of it is the sender's fault.
        raise LiveOfferError("The SDP cannot be read.", cure=_CURE) from error
    if not 1 <= len(description.media) <= MAX_MEDIA:
        raise LiveOfferError(f"An offer of {len(description.media)} media sections cannot be answered.", cure=_CURE)
    return _choose(description, video, audio)


def _choose(description: SessionDescription, video: VideoParameters, audio: AudioParameters | None) -> Offer:
    bundles = [group.items for group in description.group if group.semantic == "BUNDLE"]
    bundle = [str(item) for item in bundles[0]] if bundles else []
    sections: list[Section] = []
    carrier: MediaDescription | None = None
    for media in description.media:
        coding: Coding | None = None
        taken = any(section.kind == media.kind and section.coding for section in sections)
        receives = media.direction in {"recvonly", "sendrecv", None} and media.port != 0
        reachable = carrier is None or media.rtp.muxId in bundle
        if media.kind == "video" and receives and reachable and not taken:
            coding = _video_coding(media, video)
        elif media.kind == "audio" and receives and reachable and not taken and audio is not None and bundle:
            coding = _audio_coding(media, audio)
        if coding is not None and carrier is None:
            carrier = media
        sections.append(
            Section(
                kind=media.kind,
                protocol=media.profile,
                formats=" ".join(map(str, media.fmt)),
                mid=media.rtp.muxId,
                coding=coding,
            )
        )
    if carrier is None or not any(section.kind == "video" and section.coding for section in sections):
        raise LiveOfferError("The offer asks for no video.", cure=_CURE)
    # With BUNDLE every section repeats the credentials of the first (RFC 8843 section 9.1).
    ice, dtls = _transport(carrier)
    candidates = tuple(candidate for media in description.media for candidate in media.ice_candidates)
    return Offer(sections=tuple(sections), bundled=bool(bundle), ice=ice, dtls=dtls, candidates=candidates)


def _transport(media: MediaDescription) -> tuple[RTCIceParameters, RTCDtlsParameters]:
    if not media.rtcp_mux:
        raise LiveOfferError("The offer does not multiplex RTCP (a=rtcp-mux).", cure=_CURE)
    ice, dtls = media.ice, media.dtls
    if ice is None or not (UFRAG.fullmatch(ice.usernameFragment or "") and PASSWORD.fullmatch(ice.password or "")):
        raise LiveOfferError("The offer's ICE credentials are missing or malformed.", cure=_CURE)
    known = {"sha-256", "sha-384", "sha-512"}
    if dtls is None or not any(fingerprint.algorithm.lower() in known for fingerprint in dtls.fingerprints):
        raise LiveOfferError("The offer has no DTLS fingerprint with its setup role.", cure=_CURE)
    return ice, dtls


def _video_coding(media: MediaDescription, video: VideoParameters) -> Coding:
    name = "h264" if video.codec is VideoCodec.H264 else "h265"
    offered = [codec for codec in media.rtp.codecs if codec.name.lower() == name and codec.clockRate == 90_000]
    chosen = _best_h264(offered, video) if video.codec is VideoCodec.H264 else _best_h265(offered, video)
    if chosen is None:
        if video.codec is VideoCodec.H265:
            raise LiveCodecError(
                "The camera sends H.265 and this browser offers no H.265.",
                cure="Watch the camera's sub stream, where that is H.264, or a browser and computer that decode H.265.",
                camera_codec="h265",
            )
        raise LiveCodecError(
            "The camera sends H.264 and the offer has no H.264 in packetization mode 1.",
            cure="Use a browser with H.264 in WebRTC.",
            camera_codec="h264",
        )
    rtx = next(
        (
            codec.payloadType
            for codec in media.rtp.codecs
            if codec.name.lower() == "rtx" and codec.parameters.get("apt") == chosen.payloadType
        ),
        None,
    )
    fmtp = ";".join(key if value is None else f"{key}={value}" for key, value in chosen.parameters.items())
    wanted = {("nack", None), ("nack", "pli"), ("ccm", "fir"), ("rrtr", None), ("goog-remb", None)}
    feedback = tuple(
        f"{item.type} {item.parameter}" if item.parameter else item.type
        for item in chosen.rtcpFeedback
        if (item.type, item.parameter) in wanted
    )
    return _coding(chosen, fmtp=fmtp, feedback=feedback, rtx=rtx)


def _coding(codec: RTCRtpCodecParameters, *, fmtp: str, feedback: tuple[str, ...], rtx: int | None) -> Coding:
    assert codec.payloadType is not None
    return Coding(payload_type=codec.payloadType, name=str(codec), fmtp=fmtp, feedback=feedback, rtx_payload_type=rtx)


def _best_h264(offered: list[RTCRtpCodecParameters], video: VideoParameters) -> RTCRtpCodecParameters | None:
    """Return the camera's own profile where offered, else constrained baseline, else any: the SPS decides."""
    own = _profile(profile_level_id(video))
    ranked: list[tuple[int, RTCRtpCodecParameters]] = []
    for codec in offered:
        if str(codec.parameters.get("packetization-mode", "0")) != "1":
            continue
        profile = _profile(str(codec.parameters.get("profile-level-id", "42e01f")))
        rank = (
            0 if own is not None and profile is own else 1 if profile is H264Profile.PROFILE_CONSTRAINED_BASELINE else 2
        )
        ranked.append((rank, codec))
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


def _best_h265(offered: list[RTCRtpCodecParameters], video: VideoParameters) -> RTCRtpCodecParameters | None:
    """Return the camera's own profile where offered; Main is decoded by all others too, and no other is by Main."""
    own = profile_idc(video)
    fitting = [codec for codec in offered if own in {None, _H265_MAIN} or _h265_profile(codec) == own]
    return min(fitting, key=lambda codec: _h265_profile(codec) != own, default=None)


def _h265_profile(codec: RTCRtpCodecParameters) -> int | None:
    """Return the profile of a coding of an offer; Main where it names none (RFC 7798 section 7.1)."""
    named = str(codec.parameters.get("profile-id", _H265_MAIN))
    return int(named) if named.isdecimal() else None


def _profile(text: str) -> H264Profile | None:
    try:
        profile, _ = parse_h264_profile_level_id(text)
    except ValueError:
        return None
    return profile


def _audio_coding(media: MediaDescription, audio: AudioParameters) -> Coding | None:
    for codec in media.rtp.codecs:
        if codec.name.lower() == audio.codec.value and codec.clockRate == audio.clock_hz:
            return _coding(codec, fmtp="", feedback=(), rtx=None)
    return None
