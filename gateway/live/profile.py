"""What an H.265 stream says a decoder must be able to do."""

from kernel.media import VideoParameters

MAIN, MAIN_10 = 1, 2
_AT = 3
"""After the NAL unit's header (two bytes) and the byte of VPS and layers."""


def profile_idc(parameters: VideoParameters) -> int | None:
    """Return general_profile_idc of an H.265 stream (ITU-T H.265 7.3.3), ``None`` where the SPS is cut short."""
    return parameters.sps[_AT] & 0x1F if len(parameters.sps) > _AT else None
