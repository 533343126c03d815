"""Sound in MP4: sample entries of the codings a camera may send.

G.711 has no entry of its own in ISO/IEC 14496; QuickTime's ``ulaw`` and ``alaw`` are what libav, VLC and Chromium
read. No browser's MSE takes them, which is why playlists leave sound out (docs/design/recording.md).
"""

from struct import pack

from kernel.media import AudioCodec, AudioFrame, AudioParameters
from recording.mux.boxes import box, full_box

_ENTRY = {AudioCodec.PCMU: b"ulaw", AudioCodec.PCMA: b"alaw", AudioCodec.AAC: b"mp4a"}


def _descriptor(tag: int, *parts: bytes) -> bytes:
    """Return an MPEG-4 descriptor (ISO/IEC 14496-1, section 8.3.3) with a four-byte length."""
    size = sum(map(len, parts))
    return b"".join((bytes((tag, 0x80 | size >> 21 & 0x7F, 0x80 | size >> 14 & 0x7F, 0x80 | size >> 7 & 0x7F)),
                     bytes((size & 0x7F,)), *parts))  # fmt: skip


def audio_sample_entry(parameters: AudioParameters) -> bytes:
    """Return the sample entry of ``parameters``."""
    rate = parameters.clock_hz << 16 if parameters.clock_hz < 1 << 16 else 0
    head = b"\0\0\0\0\0\0\0\x01" + bytes(8) + pack(">HHHH", parameters.channels, 16, 0, 0) + pack(">I", rate)
    if parameters.codec is not AudioCodec.AAC:
        return box(_ENTRY[parameters.codec], head)
    decoder = _descriptor(4, b"\x40\x15", bytes(11), _descriptor(5, parameters.config))
    stream = _descriptor(3, b"\0\0\0", decoder, _descriptor(6, b"\x02"))
    return box(b"mp4a", head, full_box(b"esds", 0, 0, stream))


def nominal_ticks(frame: AudioFrame) -> int:
    """Return how long a packet sounds, in its own clock, when no packet after it tells."""
    if frame.parameters.codec is AudioCodec.AAC:
        return 1024
    return max(1, len(frame.data) // max(1, frame.parameters.channels))
