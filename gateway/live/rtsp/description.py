"""What a stream is, in SDP (RFC 8866; RFC 6184 section 8.2, RFC 7798 section 7.2, RFC 3640 section 4.1, RFC 3551)."""

from base64 import b64encode

from gateway.live.payload import profile_level_id
from gateway.live.rtsp.messages import TRACK
from kernel.media import AudioCodec, AudioFrame, AudioParameters, VideoCodec, VideoParameters

VIDEO, AUDIO = "video", "audio"
VIDEO_TYPE = 96
AUDIO_TYPE = 97
_STATIC = {AudioCodec.PCMU: 0, AudioCodec.PCMA: 8}
"""RFC 3551 section 6, at 8000 Hz and one channel."""
_LAWS = {AudioCodec.PCMU: "PCMU", AudioCodec.PCMA: "PCMA"}
AAC_FRAME_MAX_BYTES = (1 << 13) - 1


def audio_type(sound: AudioParameters) -> int:
    """Return the RTP payload type that sound is sent with."""
    if sound.codec in _STATIC and (sound.clock_hz, sound.channels) == (8000, 1):
        return _STATIC[sound.codec]
    return AUDIO_TYPE


def audio_payload(frame: AudioFrame) -> bytes | None:
    """Return the RTP payload of a packet of sound; ``None`` of an AAC frame that no header can tell the length of."""
    if frame.parameters.codec is not AudioCodec.AAC:
        return frame.data
    size = len(frame.data)
    if size > AAC_FRAME_MAX_BYTES:
        return None
    # One access unit: 16 bits of headers, of which 13 are its size (mode AAC-hbr).
    return (16).to_bytes(2, "big") + (size << 3).to_bytes(2, "big") + frame.data


def describe(video: VideoParameters, sound: AudioParameters | None, *, session: int, title: str, address: str) -> bytes:
    """Return the description of a stream whose tracks are controlled at ``track=video`` and ``track=audio``."""
    network = f"IN {'IP6' if ':' in address else 'IP4'}"
    lines = [
        "v=0",
        f"o=- {session} 1 {network} {address}",
        f"s={title}",
        f"c={network} {'::' if ':' in address else '0.0.0.0'}",  # noqa: S104 - RFC 2326 appendix C.1.7: not known yet
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        f"m=video 0 RTP/AVP {VIDEO_TYPE}",
        f"a=rtpmap:{VIDEO_TYPE} {'H264' if video.codec is VideoCodec.H264 else 'H265'}/90000",
        f"a=fmtp:{VIDEO_TYPE} {_parameters(video)}",
        f"a=control:{TRACK}{VIDEO}",
    ]
    if sound is not None:
        lines += _sound(sound)
    return ("\r\n".join(lines) + "\r\n").encode()


def _parameters(video: VideoParameters) -> str:
    if video.codec is VideoCodec.H264:
        sets = ",".join(_text(nal) for nal in (video.sps, video.pps) if nal)
        return f"packetization-mode=1;profile-level-id={profile_level_id(video)};sprop-parameter-sets={sets}"
    named = (("sprop-vps", video.vps), ("sprop-sps", video.sps), ("sprop-pps", video.pps))
    return ";".join(f"{name}={_text(nal)}" for name, nal in named if nal)


def _sound(sound: AudioParameters) -> list[str]:
    kind = audio_type(sound)
    channels = f"/{sound.channels}" if sound.channels > 1 else ""
    name = _LAWS.get(sound.codec, "MPEG4-GENERIC")
    lines = [f"m=audio 0 RTP/AVP {kind}", f"a=rtpmap:{kind} {name}/{sound.clock_hz}{channels}"]
    if sound.codec is AudioCodec.AAC:
        lines.append(
            f"a=fmtp:{kind} streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;"
            f"indexdeltalength=3;config={sound.config.hex()}"
        )
    return [*lines, f"a=control:{TRACK}{AUDIO}"]


def _text(nal: bytes) -> str:
    return b64encode(nal).decode()
