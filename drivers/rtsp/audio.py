"""Sound: G.711 (RFC 3551) and AAC (RFC 3640, mode AAC-hbr)."""

from drivers.rtsp.delivery import Delivery
from drivers.rtsp.sdp import Media
from drivers.rtsp.track import Arrivals, Track
from kernel.clock import NS_PER_S, Clock
from kernel.media import AudioCodec, AudioFrame, AudioParameters

AAC_FRAME_SAMPLES = 1024
JUMP_LIMIT_S = 10.0
"""Further apart than this from one packet to the next, arrival and media time have nothing to do with each other."""
_G711 = {"PCMU": AudioCodec.PCMU, "PCMA": AudioCodec.PCMA}


def audio_parameters(media: Media) -> AudioParameters | None:
    """Return what a track carries, or ``None`` for sound that is not understood here."""
    if media.encoding in _G711:
        return AudioParameters(_G711[media.encoding], media.clock_hz, media.channels)
    if media.encoding != "MPEG4-GENERIC" or media.parameters.get("mode", "AAC-hbr").upper() != "AAC-HBR":
        return None
    try:
        config = bytes.fromhex(media.parameters.get("config", ""))
    except ValueError:
        return None
    if len(config) < 2:
        return None
    channels = config[1] >> 3 & 0x0F  # channelConfiguration (ISO/IEC 14496-3 section 1.6.2.1)
    return AudioParameters(AudioCodec.AAC, media.clock_hz, channels or media.channels, config)


class AudioTrack(Track):
    """Times each frame on its own clock; loss is seen as a step in ``time_clock``."""

    def __init__(  # noqa: PLR0913, PLR0917 - those of every track, and the parameters
        self,
        media: Media,
        arrivals: Arrivals,
        delivery: Delivery,
        clock: Clock,
        offset_s: float,
        parameters: AudioParameters,
    ) -> None:
        super().__init__(media, arrivals, delivery, clock, offset_s)
        self.parameters = parameters
        self._sizes = _AacSizes(media) if parameters.codec is AudioCodec.AAC else None
        self._partial = bytearray()
        self._heard_ns: int | None = None

    def _missed(self) -> None:
        self._partial.clear()

    def _payload(self, buffer: bytearray, start: int, end: int, timestamp: int, marker: bool) -> None:  # noqa: FBT001
        if self._sizes is None:
            self.frames(timestamp, [bytes(buffer[start:end])])
            return
        data = bytes(buffer[start:end])
        sizes, at = self._sizes.read(data)
        if len(sizes) == 1 and (self._partial or sizes[0] > len(data) - at):
            # One frame in several packets (RFC 3640 section 3.2.3.1); each names the whole frame's size.
            self._partial += data[at:]
            if len(self._partial) >= sizes[0] or marker:
                frame, self._partial = bytes(self._partial), bytearray()
                self.frames(timestamp, [frame] if len(frame) == sizes[0] else [])
            return
        frames = []
        for size in sizes:
            if size == 0 or at + size > len(data):
                self._stats.ignored += 1
                break
            frames.append(data[at : at + size])
            at += size
        self.frames(timestamp, frames)

    def frames(self, timestamp: int, frames: list[bytes]) -> None:
        """Take the coded frames of one timestamp (32 bits of RTP's clock)."""
        ticks = self._advance(timestamp)
        if not frames:
            return
        now_ns = self._arrivals.received_ns
        if self._heard_ns is not None:
            elapsed = (now_ns - self._heard_ns) * self._clock_hz // NS_PER_S
            if abs(ticks - elapsed) > JUMP_LIMIT_S * self._clock_hz:
                # Its clock jumped: the sound goes on by arrival, the run of the pictures is not ended for it.
                ticks = max(1, elapsed)
                self._wall.reset()
                self._report = None
            elif ticks <= 0:
                return
        self._heard_ns = now_ns
        self._last_timestamp = timestamp
        self._media_time += ticks
        self._wall.arrived(self._media_time, now_ns, self._clock.wall_ns())
        self._measure_jitter(self._media_time)
        self._wall.apply()  # a step of the clock ends the run of the pictures, not of the sound
        wall_ns, _ = self._wall.wall_ns(self._media_time)
        for index, data in enumerate(frames):
            later = index * AAC_FRAME_SAMPLES
            self._delivery.audio(
                AudioFrame(
                    data,
                    self._media_time + later,
                    wall_ns + later * NS_PER_S // self.parameters.clock_hz,
                    self.parameters,
                )
            )


class _AacSizes:
    """Reads the AU header section (RFC 3640 section 3.2.1)."""

    def __init__(self, media: Media) -> None:
        def number(name: str, default: int) -> int:
            text = media.parameters.get(name, "")
            return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else default

        self._size_bits = max(1, number("sizelength", 13))
        self._index_bits = number("indexlength", 3)
        self._delta_bits = number("indexdeltalength", self._index_bits)

    def read(self, data: bytes) -> tuple[list[int], int]:
        """Return the frames' sizes and where the first begins; no sizes for a damaged packet."""
        if len(data) < 2:
            return [], len(data)
        left = int.from_bytes(data[:2], "big")
        stop = 2 + (left + 7) // 8
        if stop > len(data):
            return [], len(data)
        headers = int.from_bytes(data[2:stop], "big") >> (stop - 2) * 8 - left
        sizes: list[int] = []
        while left >= (width := self._size_bits + (self._delta_bits if sizes else self._index_bits)):
            left -= width
            sizes.append(headers >> left + width - self._size_bits & (1 << self._size_bits) - 1)
        return sizes, stop
