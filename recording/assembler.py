"""Pictures and sound to fragments: one per GOP, or several where a GOP is long.

Pure bookkeeping on the event loop, one call per picture: nothing is copied, nothing waits.
"""

from collections.abc import Callable
from struct import Struct

from kernel.clock import NS_PER_S
from kernel.ids import new_id
from kernel.media import VIDEO_CLOCK_HZ, AccessUnit, AudioFrame, AudioParameters
from recording.mux.fragment import Fragment, ns_to_ticks

_LENGTH = Struct(">I").pack
JUMP_S = 10.0
"""Media time that goes back, or on by more than this between two pictures, is a jump: the run ends."""
WALL_JUMP_NS = NS_PER_S // 2
"""So is wall time that moved by this much against media time between two keyframes."""
MAX_GOP_AUDIO = 4096
"""Packets of sound kept while no picture comes."""
_DEFAULT_STEP_90K = 3600


class Assembler:
    """Gathers the units of one stream into fragments; a new ``run`` follows every break."""

    __slots__ = ("_audio", "_fragment", "_key", "_last_90k", "_max_90k", "_new_id", "_run", "_step_90k",
                 "audio_parameters", "end_ns", "skipped")  # fmt: skip

    def __init__(self, *, fragment_s: float, new_id: Callable[[], str] = new_id) -> None:
        self._max_90k = round(fragment_s * VIDEO_CLOCK_HZ)
        self._new_id = new_id
        self._run = ""
        self._fragment: Fragment | None = None
        self._key: tuple[int, int] | None = None
        self._last_90k = 0
        self._step_90k = _DEFAULT_STEP_90K
        self._audio: list[AudioFrame] = []
        self.audio_parameters: AudioParameters | None = None
        self.skipped = 0
        """Pictures that came before the first keyframe of their run."""
        self.end_ns: int | None = None
        """Capture of the latest picture of this run."""

    def push(self, unit: AccessUnit) -> Fragment | None:
        """Take a picture; return the fragment that it completes, if it does."""
        done = None
        if self._fragment is None:
            if not unit.keyframe:
                self.skipped += 1
                return None
            self._begin_run(unit)
        else:
            step = unit.time_90k - self._last_90k
            if self._jumped(unit, step):
                done = self.finish()
                if not unit.keyframe:
                    self.skipped += 1
                    return done
                self._begin_run(unit)
            elif unit.keyframe or unit.time_90k - self._fragment.start_90k >= self._max_90k:
                self._step_90k = step or self._step_90k
                done = self._cut(step, unit.wall_ns, ends_gop=unit.keyframe)
                self._begin(unit)
            else:
                self._step_90k = step or self._step_90k
                self._fragment.table[-2] = step
        self._append(unit)
        return done

    def sound(self, frame: AudioFrame) -> None:
        """Take a packet of sound; before the first picture there is nowhere to put it."""
        if self._fragment is not None and len(self._audio) < MAX_GOP_AUDIO:
            self._audio.append(frame)

    def finish(self) -> Fragment | None:
        """End the run; return what was gathered, if anything. The next picture taken is a keyframe."""
        done = None
        if self._fragment is not None:
            done = self._cut(self._step_90k, None, ends_gop=True)
        self._fragment = None
        self._key = None
        self.end_ns = None
        self._audio.clear()
        return done

    def _jumped(self, unit: AccessUnit, step: int) -> bool:
        if step < 0 or step > JUMP_S * VIDEO_CLOCK_HZ:
            return True
        if not unit.keyframe or self._key is None:
            return False
        key_90k, key_ns = self._key
        drift_90k = ns_to_ticks(unit.wall_ns - key_ns) - (unit.time_90k - key_90k)
        return abs(drift_90k) > ns_to_ticks(WALL_JUMP_NS)

    def _begin_run(self, unit: AccessUnit) -> None:
        self._run = self._new_id()
        self._step_90k = _DEFAULT_STEP_90K
        self._begin(unit)

    def _begin(self, unit: AccessUnit) -> None:
        if unit.keyframe:
            self._key = (unit.time_90k, unit.wall_ns)
        self._fragment = Fragment(
            run=self._run, parameters=unit.parameters, audio_parameters=self.audio_parameters,
            time_source=unit.time_source.value, start_90k=unit.time_90k, duration_90k=0, wall_ns=unit.wall_ns,
            received_ns=unit.received_ns, keyframe=unit.keyframe, ends_gop=False, damaged=False, size_bytes=0,
            table=[], chunks=[],
        )  # fmt: skip

    def _append(self, unit: AccessUnit) -> None:
        fragment = self._fragment
        assert fragment is not None
        size = 0
        chunks = fragment.chunks
        for nal in unit.nals:
            length = len(nal)
            chunks += (_LENGTH(length), nal)
            size += 4 + length
        fragment.table += (0, size)
        fragment.size_bytes += size
        if unit.lost_before:
            fragment.damaged = True
        self._last_90k = unit.time_90k
        self.end_ns = unit.wall_ns

    def _cut(self, last_step: int, next_wall_ns: int | None, *, ends_gop: bool) -> Fragment:
        """Complete the fragment; sound captured after ``next_wall_ns`` stays for the next one."""
        fragment = self._fragment
        assert fragment is not None
        fragment.table[-2] = last_step
        fragment.duration_90k = self._last_90k + last_step - fragment.start_90k
        fragment.ends_gop = ends_gop
        if next_wall_ns is None:
            fragment.audio, self._audio = self._audio, []
        else:
            fragment.audio = [frame for frame in self._audio if frame.wall_ns < next_wall_ns]
            self._audio = [frame for frame in self._audio if frame.wall_ns >= next_wall_ns]
        return fragment
