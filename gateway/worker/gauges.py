"""What a camera host carries: taken once a second, told with every heartbeat (``gateway.fleet.load.HostLoad``).

Counting costs one pass over the streams a second and nothing per packet or picture: everything it looks at is counted
already by whoever does the work.
"""

import math
import os
import resource
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from gateway.fleet.load import HostLoad
from gateway.live import LiveHub
from gateway.worker.stream import StreamRun
from kernel.clock import NS_PER_MS, NS_PER_S, Clock
from kernel.ids import CameraId, StreamName

LOOK_S = 0.1
"""Between two looks at how late the loop is: more would cost an idle host more than all else that it does."""
LAG_WINDOW_S = 60.0
SAMPLE_LOOKS = 10
"""Looks between two samples: one second."""
RATE_SAMPLES = 6
"""Rates are those of five seconds: with a keyframe every other second one second says little."""


class LoopLag:
    """How late the event loop came to what was due, over the last minute; memory and cost do not grow.

    A loop that stands still for a second is one late wake-up, but everything that fell due meanwhile was late too. So
    the wake-ups it slept through are counted with the lateness they would have had; otherwise a loop that is blocked
    half of the time would show a good 99th percentile.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._looks = round(LAG_WINDOW_S / LOOK_S)
        self._late_ns: deque[int] = deque(maxlen=self._looks)
        self._due_ns = 0

    async def look(self) -> None:
        """Wait for the next look, and note how late it came."""
        period_ns = round(LOOK_S * NS_PER_S)
        now_ns = self._clock.monotonic_ns()
        if self._due_ns <= now_ns:
            self._due_ns = now_ns + period_ns
        await self._clock.sleep_until(self._due_ns)
        late_ns = max(0, self._clock.monotonic_ns() - self._due_ns)
        missed = min(late_ns // period_ns, self._looks - 1)
        for behind in range(missed + 1):
            self._late_ns.append(late_ns - behind * period_ns)
        self._due_ns += (missed + 1) * period_ns

    def milliseconds(self) -> tuple[float, float]:
        """Return the 99th percentile and the greatest lateness of the last minute."""
        if not self._late_ns:
            return 0.0, 0.0
        ordered = sorted(self._late_ns)
        p99 = ordered[math.ceil(0.99 * len(ordered)) - 1]
        return round(p99 / NS_PER_MS, 1), round(ordered[-1] / NS_PER_MS, 1)


class OwnProcess:
    """What this process itself has taken so far."""

    def cpu_s(self) -> float:
        """Return the CPU time of all its threads, in user and system mode."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    def memory_bytes(self) -> int:
        """Return its resident memory (proc_pid_statm(5))."""
        # No disk is behind this file: the kernel writes the answer while it is read.
        statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return int(os.pread(statm, 128, 0).split()[1]) * resource.getpagesize()
        finally:
            os.close(statm)


class Process(Protocol):
    """Whose CPU and memory is told."""

    def cpu_s(self) -> float:
        """Return its CPU time so far."""
        ...

    def memory_bytes(self) -> int:
        """Return its resident memory."""
        ...


@dataclass(slots=True)
class _Counts:
    """What one stream had counted at the last sample, and whose counts they were: these begin anew with each object."""

    stats: object = None
    bytes: int = 0
    frames: int = 0
    lost: int = 0
    recording: object = None
    cut: int = 0


@dataclass(frozen=True, slots=True)
class _Sample:
    at_ns: int
    cpu_s: float
    bytes: int
    frames: int


class Gauges:
    """Keeps :attr:`load` fresh for as long as :meth:`run` does."""

    def __init__(  # noqa: PLR0913 - what it looks at
        self,
        *,
        clock: Clock,
        hub: LiveHub,
        cameras: Callable[[], int],
        streams: Callable[[], Iterable[StreamRun]],
        record_lane_bytes: int,
        process: Process | None = None,
    ) -> None:
        """``cameras`` counts the host's cameras, ``streams`` gives their streams; ``record_lane_bytes`` fill a lane."""
        self.load: HostLoad | None = None
        """The newest sample; ``None`` before the first."""
        self._clock = clock
        self._hub = hub
        self._cameras = cameras
        self._streams = streams
        self._record_lane_bytes = record_lane_bytes
        self._process = process or OwnProcess()
        self._lag = LoopLag(clock)
        self._known: dict[tuple[CameraId, StreamName], _Counts] = {}
        self._bytes = 0
        self._frames = 0
        self._lost = 0
        self._cut = 0
        self._samples: deque[_Sample] = deque(maxlen=RATE_SAMPLES)

    async def run(self) -> None:
        """Look and sample until cancelled."""
        while True:
            self.sample()
            for _ in range(SAMPLE_LOOKS):
                await self._lag.look()

    def sample(self) -> None:
        """Take everything anew."""
        live = recording = waiting = fullest = 0
        known: dict[tuple[CameraId, StreamName], _Counts] = {}
        for run in self._streams():
            key = (run.plan.camera, run.plan.stream)
            counts = known[key] = self._known.get(key) or _Counts()
            live += run.live
            self._count_stream(run, counts)
            recorder = run.recorder
            if recorder is not None:
                self._count_recording(recorder.state, counts, recorder.state.cut)
                recording += recorder.state.recording
                waiting += recorder.waiting_bytes
                fullest = max(fullest, recorder.waiting_bytes)
        self._known = known
        now = _Sample(self._clock.monotonic_ns(), self._process.cpu_s(), self._bytes, self._frames)
        self._samples.append(now)
        first = self._samples[0]
        elapsed_s = (now.at_ns - first.at_ns) / NS_PER_S
        per_s = 1.0 / elapsed_s if elapsed_s > 0 else 0.0
        lag_p99_ms, lag_max_ms = self._lag.milliseconds()
        viewers = self._hub.load()
        self.load = HostLoad(
            cameras=self._cameras(),
            streams_live=live,
            recording=recording,
            viewers=viewers.viewers,
            viewers_max=viewers.viewers_max,
            transcodes=viewers.transcodes,
            transcodes_max=viewers.transcodes_max,
            mbit_s=round((now.bytes - first.bytes) * 8e-6 * per_s, 3),
            frames_s=round((now.frames - first.frames) * per_s, 1),
            packets_lost=self._lost,
            cpu_percent=round((now.cpu_s - first.cpu_s) * 100 * per_s, 1),
            memory_bytes=self._process.memory_bytes(),
            loop_lag_p99_ms=lag_p99_ms,
            loop_lag_max_ms=lag_max_ms,
            record_lane_bytes=waiting,
            record_lane_max_bytes=fullest,
            record_lane_limit_bytes=self._record_lane_bytes,
            live_lane_pictures=viewers.waiting,
            pictures_dropped=viewers.dropped,
            gaps=self._cut,
        )

    def _count_stream(self, run: StreamRun, counts: _Counts) -> None:
        stats = run.stats
        if stats is None:
            return
        if counts.stats is not stats:
            counts.stats, counts.bytes, counts.frames, counts.lost = stats, 0, 0, 0
        self._bytes += stats.bytes - counts.bytes
        self._frames += stats.frames - counts.frames
        self._lost += stats.lost - counts.lost
        counts.bytes, counts.frames, counts.lost = stats.bytes, stats.frames, stats.lost

    def _count_recording(self, state: object, counts: _Counts, cut: int) -> None:
        if counts.recording is not state:
            counts.recording, counts.cut = state, 0
        self._cut += cut - counts.cut
        counts.cut = cut
