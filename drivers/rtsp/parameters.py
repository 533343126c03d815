"""Keeps the parameter sets in force, from the session description and from the stream."""

from base64 import b64decode
from collections.abc import Mapping

import structlog

from drivers.rtsp.errors import ParameterSetError
from drivers.rtsp.nal_units import NalKinds
from drivers.rtsp.parameter_sets import picture_size, pps_id
from kernel.media import VideoCodec, VideoParameters

log = structlog.get_logger(__name__)


class ParameterKeeper:
    """Collects sets and turns them, at a keyframe, into one object that stays the same until they change."""

    def __init__(self, kinds: NalKinds) -> None:
        self._kinds = kinds
        self._vps = b""
        self._sps = b""
        self._pps: dict[int, bytes] = {}
        self._changed = False
        self._in_force: VideoParameters | None = None

    def offer(self, nal: bytes) -> bool:
        """Take ``nal`` if it is a parameter set; return whether it was one."""
        kinds = self._kinds
        kind = kinds.kind(nal)
        if kind == kinds.sps:
            if nal != self._sps:
                self._take_sps(nal)
        elif kind == kinds.pps:
            self._take_pps(nal)
        elif kind == kinds.vps:
            if nal != self._vps:
                self._vps = nal
                self._changed = True
        else:
            return False
        return True

    def _take_sps(self, nal: bytes) -> None:
        try:
            picture_size(self._kinds.codec, nal)
        except ParameterSetError as error:
            log.warning("stream.parameter_set_ignored", set="sps", reason=error.message)
            return
        self._sps = nal
        self._pps.clear()  # picture sets belong to their sequence set
        self._changed = True

    def _take_pps(self, nal: bytes) -> None:
        try:
            identity = pps_id(self._kinds.codec, nal)
        except ParameterSetError as error:
            log.warning("stream.parameter_set_ignored", set="pps", reason=error.message)
            return
        if self._pps.get(identity) != nal:
            self._pps[identity] = nal
            self._changed = True

    def at_keyframe(self) -> VideoParameters | None:
        """Return the parameters in force from this keyframe on, or ``None`` while sets are missing."""
        complete = self._sps and self._pps and (self._vps or self._kinds.codec is VideoCodec.H264)
        if self._changed and complete:
            self._changed = False
            primary = self._pps[min(self._pps)]
            if self._in_force is None or (self._vps, self._sps, primary) != (
                self._in_force.vps,
                self._in_force.sps,
                self._in_force.pps,
            ):
                width, height = picture_size(self._kinds.codec, self._sps)
                self._in_force = VideoParameters(
                    self._kinds.codec, width, height, sps=self._sps, pps=primary, vps=self._vps
                )
        return self._in_force if complete else None

    def extras(self) -> list[bytes]:
        """Return picture sets beyond the first: they have no place in ``VideoParameters`` and go with keyframes."""
        if len(self._pps) < 2:
            return []
        return [self._pps[identity] for identity in sorted(self._pps)[1:]]


def sprop_sets(codec: VideoCodec, parameters: Mapping[str, str]) -> list[bytes]:
    """Return the sets in an fmtp line (RFC 6184 section 8.1, RFC 7798 section 7.1), without what does not decode."""
    if codec is VideoCodec.H265:
        texts = [parameters.get(name, "") for name in ("sprop-vps", "sprop-sps", "sprop-pps")]
    else:
        texts = [parameters.get("sprop-parameter-sets", "")]
    found = []
    for text in ",".join(texts).split(","):
        try:
            nal = b64decode(text + "=" * (-len(text) % 4), validate=True)
        except ValueError:
            continue
        # Some cameras encode the start code too.
        nal = nal.lstrip(b"\x00")[1:] if nal.startswith((b"\x00\x00\x01", b"\x00\x00\x00\x01")) else nal
        if len(nal) > 2:
            found.append(nal)
    return found
