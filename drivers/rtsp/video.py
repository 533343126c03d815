"""Access units from a video track: cut, timed, and never handed on damaged."""

from collections.abc import Callable
from struct import Struct

import structlog

from drivers.errors import CameraAnswerError
from drivers.rtsp.delivery import Delivery
from drivers.rtsp.depacketise import Depacketiser, H264Depacketiser, H265Depacketiser
from drivers.rtsp.nal_units import KINDS
from drivers.rtsp.parameters import ParameterKeeper, sprop_sets
from drivers.rtsp.payloads import exact_payloads
from drivers.rtsp.sdp import Media
from drivers.rtsp.track import Arrivals, Track
from kernel.clock import NS_PER_S, Clock
from kernel.media import VIDEO_CLOCK_HZ, AccessUnit, GapCause, VideoCodec, VideoParameters

log = structlog.get_logger(__name__)

UNIT_LIMIT_BYTES = 16 * 1024 * 1024
HOLE_LIMIT_S = 1.0
"""Loss that leaves out no more than this is a picture that stands still; beyond it, it is a gap."""
AHEAD_LIMIT_S = 3.0
"""Media time that runs this far ahead of the least delayed arrival has jumped."""
LEARN_KEYFRAMES = 3
"""After so many with the same parameters it is known whether a camera leaves start codes in its NAL units."""
CARRIED_LIMIT = 32
"""Most SEIs kept for one picture."""
CODECS = {"H264": VideoCodec.H264, "H265": VideoCodec.H265, "HEVC": VideoCodec.H265}


_FOLLOWING = Struct("!HHHHQI")
"""RFC 2326's frame and length, RFC 3550's header (flags, number, time and source), and the payload's beginning."""


def _nothing() -> None:
    """Do nothing about loss: the camera takes no requests."""


class VideoTrack(Track):
    """Cuts at the marker and at a change of timestamp, whichever is first."""

    def __init__(self, media: Media, arrivals: Arrivals, delivery: Delivery, clock: Clock, offset_s: float) -> None:
        super().__init__(media, arrivals, delivery, clock, offset_s)
        self.codec = CODECS[media.encoding]
        self._kinds = KINDS[self.codec]
        self._parameters = ParameterKeeper(self._kinds)
        for nal in sprop_sets(self.codec, media.parameters):
            self._parameters.offer(nal)
        self._depacketiser: Depacketiser = H265Depacketiser() if self.codec is VideoCodec.H265 else H264Depacketiser()
        self._push = self._depacketiser.push
        self._keeping = False
        self._payloads: list[bytes] = []
        """Of the unit being collected, while they are wanted."""
        self._timestamp: int | None = None
        """Of the unit being collected."""
        self._finished: int | None = None
        """Timestamp of the last unit that was cut."""
        self._size = 0
        self._carried: list[bytes] = []
        """NAL units that came before the slices they belong to."""
        self._suspect = False
        """Packets were lost right before or in the unit being collected."""
        self._waiting = True
        """For a keyframe."""
        self._lost = False
        """The next keyframe comes after loss."""
        self._marker_lies = False
        self._unit_ns = 0
        self._last_delivered: int | None = None
        self._current: VideoParameters | None = None
        self._clean_keyframes = 0
        """With the parameters in force, so far."""
        self.on_loss: Callable[[], None] = _nothing

    def _payload(self, buffer: bytearray, start: int, end: int, timestamp: int, marker: bool) -> None:  # noqa: FBT001
        if timestamp != self._timestamp:
            if self._size:
                self._cut()
            self._timestamp = timestamp
            self._keeping = self._delivery.keep_payloads()
            self._push = self._push_and_keep if self._keeping else self._depacketiser.push
        self._size += end - start
        if self._size > UNIT_LIMIT_BYTES:
            raise CameraAnswerError(f"The camera sends a picture of more than {UNIT_LIMIT_BYTES} bytes.")
        self._push(buffer, start, end)
        if marker and not self._marker_lies:
            self._cut()

    def follower(self, channel: int) -> Callable[[bytearray, int, int], tuple[int, int]]:
        """Return what takes the interleaved packets that only go on with the fragmented NAL unit under way.

        Most packets are such: of the same source and time, of the next number, neither the first nor the last of
        their unit. Seen in one look each, in one loop, they cost a quarter of what :meth:`receive` takes.
        """
        ours = 0x2400 | channel
        shift = 8 * (4 - self._depacketiser.middle_bytes)
        content_at = 16 + self._depacketiser.middle_bytes

        def follow(buffer: bytearray, start: int, end: int) -> tuple[int, int]:
            depacketiser = self._depacketiser
            middle = depacketiser.middle
            if middle < 0 or self.ssrc is None or self._timestamp is None or self._expected is None or self._keeping:
                return start, 0
            plain, expected, source = 0x8000 | self._payload_type, self._expected, self._timestamp << 32 | self.ssrc
            append, at, count = depacketiser.fragments.append, start, 0
            while end - at > _FOLLOWING.size:
                frame, size, lead, sequence, sender, content = _FOLLOWING.unpack_from(buffer, at)
                stop = at + 4 + size
                if (
                    sequence != expected
                    or sender != source
                    or content >> shift != middle
                    or lead != plain
                    or frame != ours
                    or stop > end
                    or stop <= at + _FOLLOWING.size
                ):
                    break
                append(buffer[at + content_at : stop])
                expected = expected + 1 & 0xFFFF
                count += 1
                at = stop
            if count:
                self._expected = expected
                self.packets += count
                self._size += at - start - count * content_at
            return at, count

        return follow

    def _push_and_keep(self, buffer: bytearray, start: int, end: int) -> None:
        self._payloads.append(bytes(memoryview(buffer)[start:end]))
        self._depacketiser.push(buffer, start, end)

    def _missed(self) -> None:
        self._depacketiser.drop()
        self._depacketiser.take()
        self._carried.clear()
        self._payloads.clear()
        self._suspect = True
        self._damage()

    def _restarted(self) -> None:
        self._missed()
        self._timestamp = self._finished = None
        self._size = 0
        self._suspect = False
        self._last_delivered = None
        self._delivery.interrupt(GapCause.CAMERA, "the camera began to send from another source")

    def _damage(self) -> None:
        if not self._waiting:
            self._waiting = True
            self._lost = True
        self.on_loss()  # while waiting too: it may be the keyframe that was hit

    def _cut(self) -> None:
        """End the unit being collected, if it has a picture in it."""
        self._size = 0
        depacketiser = self._depacketiser
        nals = depacketiser.take()
        damaged, depacketiser.damaged = depacketiser.damaged, False
        if self._timestamp is not None:
            self.picture(nals, self._timestamp, damaged=damaged)

    def picture(self, nals: list[bytes], timestamp: int, *, damaged: bool = False) -> None:
        """Take the NAL units of one timestamp (32 bits of RTP's clock), as far as they have come."""
        if damaged:
            self._suspect = True
            self._damage()
        kinds = self._kinds
        keyframe = False
        first: bytes | None = None
        kept = self._carried
        for nal in nals:
            kind = kinds.kind(nal)
            if kind in kinds.slices:
                if first is None:
                    first = nal
                    keyframe = kind in kinds.keyframes
                kept.append(nal)
            elif kind not in kinds.dropped and not self._parameters.offer(nal):
                kept.append(nal)
        if first is None:
            # Parameter sets or an SEI, with or without a marker: its slices are still to come.
            del kept[:-CARRIED_LIMIT]
            del self._payloads[:-CARRIED_LIMIT]
            return
        self._carried = []
        payloads, self._payloads = self._payloads, []
        if timestamp == self._finished:
            # The marker came before the picture's end: from now on only a new timestamp ends a unit.
            log.info("stream.marker_lies")
            self._marker_lies = True
            self._damage()
            return
        self._finished = timestamp
        suspect, self._suspect = self._suspect, False
        if suspect and not (keyframe and kinds.first_slice(first)):
            self._damage()
            self._withhold()
            return
        self._unit(kept, timestamp, first, [] if suspect else payloads, keyframe=keyframe)

    def _withhold(self) -> None:
        self._delivery.unit_ns = self._arrivals.received_ns
        self._stats.withheld += 1

    def _unit(self, nals: list[bytes], timestamp: int, first: bytes, payloads: list[bytes], *, keyframe: bool) -> None:
        """Time a whole unit and hand it on, or keep it back."""
        now_ns = self._arrivals.received_ns
        beginning = self._last_timestamp is None
        ticks = self._advance(timestamp)
        if not beginning and not self._goes_on(ticks, now_ns, first):
            return
        self._last_timestamp = timestamp
        self._media_time += ticks
        self._unit_ns = now_ns
        self._wall.arrived(self._media_time, now_ns, self._clock.wall_ns())
        self._measure_jitter(self._media_time)
        if keyframe:
            parameters = self._parameters.at_keyframe()
            self._clean_keyframes = self._clean_keyframes + 1 if parameters is self._current else 0
            self._depacketiser.thorough = self._clean_keyframes < LEARN_KEYFRAMES
            self._current = parameters
        if (self._waiting and not keyframe) or self._current is None:
            self._withhold()
            return
        if keyframe:
            self._at_keyframe()
            if extras := self._parameters.extras():
                nals = extras + nals
        wall_ns, source = self._wall.wall_ns(self._media_time)
        lost, self._lost = self._lost, False
        self._waiting = False
        self._last_delivered = self._media_time
        self._delivery.unit_ns = now_ns
        self._delivery.video(
            AccessUnit(
                tuple(nals),
                self._media_time
                if self._clock_hz == VIDEO_CLOCK_HZ
                else self._media_time * VIDEO_CLOCK_HZ // self._clock_hz,
                wall_ns,
                keyframe,
                self._current,
                now_ns,
                source,
                lost,
                exact_payloads(payloads, nals, self._kinds) if payloads and not lost else (),
            )
        )

    def _goes_on(self, ticks: int, now_ns: int, first: bytes) -> bool:
        """Return whether media time goes on; a jump ends the run."""
        if ticks <= 0 and -ticks < self._clock_hz and self._kinds.disposable(first):
            self._withhold()  # a B picture: media time here is decoding time, and nothing refers to it
            return False
        ahead_s = ticks / self._clock_hz - (now_ns - self._unit_ns) / NS_PER_S
        if ahead_s > AHEAD_LIMIT_S:
            # The picture before may have been late: cameras drop pictures when the line is slow, and then catch up.
            ahead_s = self._wall.lead_s(self._media_time + ticks, self._clock.wall_ns())
        if ticks <= 0 or ahead_s > AHEAD_LIMIT_S:
            self._jumped(ticks)
        return True

    def _jumped(self, ticks: int) -> None:
        seconds = ticks / self._clock_hz
        log.warning("stream.media_time_jumped", seconds=round(seconds, 3))
        self._delivery.interrupt(GapCause.CAMERA, f"the camera's media time jumped by {seconds:.3f} s")
        self._wall.reset()
        self._report = None
        self._last_delivered = None
        self._transit = None
        # The unit counts on from the last one by nothing: media time restarts, and a keyframe begins the new run.
        self._media_time = -ticks
        self._waiting = True
        self._lost = False
        self.on_loss()

    def _at_keyframe(self) -> None:
        """Begin a new run where the wall clock stepped or loss left a hole worth a gap."""
        step = self._wall.step
        if step is not None:
            cause, seconds = step
            log.warning("stream.clock_stepped", cause=cause, seconds=round(seconds, 3))
            self._delivery.interrupt(cause, f"the clock of the pictures stepped by {seconds:.3f} s")
            self._wall.apply()
        elif self._lost and self._last_delivered is not None:
            hole_s = (self._media_time - self._last_delivered) / self._clock_hz
            if hole_s > HOLE_LIMIT_S:
                self._delivery.interrupt(GapCause.NETWORK, f"packets were lost: {hole_s:.3f} s of pictures are missing")
