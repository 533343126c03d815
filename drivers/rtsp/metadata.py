"""ONVIF metadata: XML documents cut over packets (ONVIF Streaming, section 5.2.1.1)."""

import zlib

from drivers.rtsp.delivery import Delivery
from drivers.rtsp.sdp import Media
from drivers.rtsp.track import Arrivals, Track
from kernel.clock import Clock
from kernel.media import MetadataDocument

DOCUMENT_LIMIT_BYTES = 1024 * 1024
_ROOT = b"MetadataStream"
PLAIN, GZIP = "VND.ONVIF.METADATA", "VND.ONVIF.METADATA.GZIP"


class MetadataTrack(Track):
    """A document ends at the marker, or where the timestamp changes; one with a hole in it is left out."""

    def __init__(self, media: Media, arrivals: Arrivals, delivery: Delivery, clock: Clock, offset_s: float) -> None:
        super().__init__(media, arrivals, delivery, clock, offset_s)
        self._gzip = media.encoding == GZIP
        self._parts = bytearray()
        self._timestamp: int | None = None
        self._skipping = False

    def _missed(self) -> None:
        self._parts.clear()
        self._skipping = True

    def _payload(self, buffer: bytearray, start: int, end: int, timestamp: int, marker: bool) -> None:  # noqa: FBT001
        if timestamp != self._timestamp:
            self._finish()
            # After loss a packet that does not begin a document belongs to one whose beginning is gone.
            self._skipping = self._skipping and not self._begins(buffer, start)
            self._timestamp = timestamp
        if not self._skipping:
            self._parts += buffer[start:end]
        if len(self._parts) > DOCUMENT_LIMIT_BYTES:
            self._stats.ignored += 1
            self._missed()
        if marker:
            self._finish()
            self._skipping = False

    def _begins(self, buffer: bytearray, start: int) -> bool:
        if self._gzip:
            return buffer[start] == 0x1F
        return buffer[start] == 0x3C and buffer[start + 1 : start + 2] != b"/" and _ROOT in buffer[start : start + 512]

    def _finish(self) -> None:
        if not self._parts or self._timestamp is None:
            return
        data, self._parts = bytes(self._parts), bytearray()
        if self._gzip:
            unpacker = zlib.decompressobj(wbits=31)
            try:
                data = unpacker.decompress(data, DOCUMENT_LIMIT_BYTES)
            except zlib.error:
                self._stats.ignored += 1
                return
            if unpacker.unconsumed_tail:
                self._stats.ignored += 1
                return
        self._media_time += self._advance(self._timestamp)
        self._last_timestamp = self._timestamp
        self._wall.arrived(self._media_time, self._arrivals.received_ns, self._clock.wall_ns())
        self._wall.apply()
        self._delivery.metadata(MetadataDocument(data, self._wall.wall_ns(self._media_time)[0]))
