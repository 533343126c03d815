"""SDP of a stream (RFC 4566, RFC 6184 section 8.2, RFC 7798 section 7.2)."""

from base64 import b64encode

from drivers.simulator.device import Feed, SimulatedDevice, StreamSettings
from kernel.media import AudioCodec, VideoCodec

VIDEO, AUDIO, METADATA = "video", "audio", "metadata"
VIDEO_PAYLOAD_TYPE = 96
METADATA_PAYLOAD_TYPE = 107
G711 = {AudioCodec.PCMU: (0, "PCMU"), AudioCodec.PCMA: (8, "PCMA")}


def describe(device: SimulatedDevice, settings: StreamSettings, feed: Feed, *, base: str) -> str:
    """Return the session description; ``base`` is the prefix of controls, empty for relative ones."""
    lines = [
        "v=0",
        f"o=- {device.number} 1 IN IP4 {device.host}",
        f"s={device.name or 'camera'} {settings.name}",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "a=tool:sightline simulator",
        "a=range:npt=now-",
        f"a=control:{base or '*'}",
        f"m=video 0 RTP/AVP {VIDEO_PAYLOAD_TYPE}",
        f"b=AS:{settings.bitrate_kbit}",
        f"a=framerate:{settings.frame_rate:g}",
        f"a=x-dimensions:{settings.width},{settings.height}",
        *_video(feed),
        f"a=rtcp-fb:{VIDEO_PAYLOAD_TYPE} nack pli",
        f"a=rtcp-fb:{VIDEO_PAYLOAD_TYPE} ccm fir",
        "a=recvonly",
        f"a=control:{base}{VIDEO}",
    ]
    if device.audio is not None:
        payload_type, name = G711[device.audio]
        lines += [
            f"m=audio 0 RTP/AVP {payload_type}",
            f"a=rtpmap:{payload_type} {name}/8000",
            "a=recvonly",
            f"a=control:{base}{AUDIO}",
        ]
    lines += [
        f"m=application 0 RTP/AVP {METADATA_PAYLOAD_TYPE}",
        f"a=rtpmap:{METADATA_PAYLOAD_TYPE} vnd.onvif.metadata/90000",
        "a=recvonly",
        f"a=control:{base}{METADATA}",
    ]
    return "\r\n".join(lines) + "\r\n"


def _video(feed: Feed) -> list[str]:
    sets = feed.parameters
    sps, pps, vps = (b64encode(one).decode() for one in (sets.sps, sets.pps, sets.vps))
    if sets.codec is VideoCodec.H265:
        return [
            f"a=rtpmap:{VIDEO_PAYLOAD_TYPE} H265/90000",
            f"a=fmtp:{VIDEO_PAYLOAD_TYPE} sprop-vps={vps}; sprop-sps={sps}; sprop-pps={pps}",
        ]
    return [
        f"a=rtpmap:{VIDEO_PAYLOAD_TYPE} H264/90000",
        (
            f"a=fmtp:{VIDEO_PAYLOAD_TYPE} packetization-mode=1; profile-level-id={sets.sps[1:4].hex().upper()};"
            f" sprop-parameter-sets={sps},{pps}"
        ),
    ]
