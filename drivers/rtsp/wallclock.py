"""When a picture was taken: media time tied to the wall, by sender reports or else by arrival.

Within a run the tie moves by no more than a slew of one part in a thousand; anything more is a step, which ends
the run (docs/design/rtsp.md, *Time*).
"""

from kernel.clock import NS_PER_S
from kernel.media import GapCause, TimeSource

STEP_NS = NS_PER_S // 2
"""A correction larger than this is a step of a clock and not its drift."""
SLEW_PER_S = 0.001
SETTLING_NS = 2 * NS_PER_S
"""Arrival times are taken as they come for this long: the first pictures may come in a burst."""
WINDOW_NS = 30 * NS_PER_S
FUTURE_LIMIT_NS = 5 * NS_PER_S
PAST_LIMIT_NS = 30 * NS_PER_S
"""Reports further off than this, once corrected, come from a clock that is not set."""


class WallClock:
    """The wall time of one track's media time."""

    def __init__(self, clock_hz: int) -> None:
        self._clock_hz = clock_hz
        self._tie_ns: int | None = None
        """Wall time of media time 0."""
        self._source = TimeSource.ARRIVAL
        self._pending: tuple[int, TimeSource, GapCause] | None = None
        self._tied_ns = 0
        self._began_ns = 0
        self._windows: tuple[int, int | None, int] | None = None
        """Start of the current window (monotonic), least tie of the one before, least tie of this one."""
        self._latest_ns = 0

    @property
    def step(self) -> tuple[GapCause, float] | None:
        """Return whose clock stepped and by how many seconds, while :meth:`apply` has not been called."""
        if self._pending is None or self._tie_ns is None:
            return None
        return self._pending[2], (self._pending[0] - self._tie_ns) / NS_PER_S

    def reset(self) -> None:
        """Forget the tie: media time starts anew."""
        self._tie_ns = self._pending = self._windows = None
        self._source = TimeSource.ARRIVAL
        self._latest_ns = 0

    def apply(self) -> None:
        """Take the step: a new run begins."""
        if self._pending is not None:
            self._tie_ns, self._source, _ = self._pending
            self._pending = None
            self._latest_ns = 0

    def report(self, wall_ns: int, media_time: int, now_ns: int, now_wall_ns: int) -> bool:
        """Take a sender report, corrected by the clock offset; return whether it can be believed."""
        if not -PAST_LIMIT_NS <= wall_ns - now_wall_ns <= FUTURE_LIMIT_NS:
            if self._source is TimeSource.SENDER_REPORT:
                self._step_to_arrival(now_ns)
            return False
        self._sample(media_time, now_ns, now_wall_ns)
        self._move(wall_ns - self._ns(media_time), TimeSource.SENDER_REPORT, GapCause.CAMERA, now_ns)
        return True

    def arrived(self, media_time: int, now_ns: int, now_wall_ns: int) -> None:
        """Take the arrival of a unit (``now_ns`` monotonic); the least delayed one of half a minute counts."""
        self._sample(media_time, now_ns, now_wall_ns)
        if self._source is TimeSource.ARRIVAL:
            self._move(self._least(), TimeSource.ARRIVAL, GapCause.HOST, now_ns)

    def lead_s(self, media_time: int, now_wall_ns: int) -> float:
        """Return by how many seconds a unit comes sooner than the least delayed one would have."""
        if self._windows is None:
            return 0.0
        return (self._least() + self._ns(media_time) - now_wall_ns) / NS_PER_S

    def _sample(self, media_time: int, now_ns: int, now_wall_ns: int) -> None:
        """Keep the least of arrival minus media time; a report tells of it too, and no picture delays it."""
        tie_ns = now_wall_ns - self._ns(media_time)
        if self._windows is None:
            self._began_ns = now_ns
            self._windows = now_ns, None, tie_ns
            return
        began_ns, before_ns, least_ns = self._windows
        if now_ns - began_ns > WINDOW_NS:
            self._windows = now_ns, least_ns, tie_ns
        else:
            self._windows = began_ns, before_ns, min(least_ns, tie_ns)

    def _least(self) -> int:
        assert self._windows is not None
        _, before_ns, least_ns = self._windows
        return least_ns if before_ns is None else min(before_ns, least_ns)

    def wall_ns(self, media_time: int) -> tuple[int, TimeSource]:
        """Return the wall time of a unit, never earlier than the one before."""
        assert self._tie_ns is not None
        self._latest_ns = max(self._latest_ns, self._tie_ns + self._ns(media_time))
        return self._latest_ns, self._source

    def _step_to_arrival(self, now_ns: int) -> None:
        """Fall back: the camera's clock was believed and now says nonsense."""
        if self._windows is not None:
            self._source = TimeSource.ARRIVAL
            self._began_ns = now_ns - SETTLING_NS
            self._move(self._least(), TimeSource.ARRIVAL, GapCause.CAMERA, now_ns)

    def _move(self, target_ns: int, source: TimeSource, cause: GapCause, now_ns: int) -> None:
        tie_ns = self._tie_ns
        if tie_ns is None:
            self._tie_ns, self._source, self._tied_ns = target_ns, source, now_ns
            return
        change_ns = target_ns - tie_ns
        settling = source is TimeSource.ARRIVAL and now_ns - self._began_ns < SETTLING_NS
        if abs(change_ns) > STEP_NS and not settling:
            self._pending = target_ns, source, cause
            return
        self._pending = None
        if source is self._source and not (source is TimeSource.ARRIVAL and change_ns < 0):
            most_ns = round(max(0, now_ns - self._tied_ns) * SLEW_PER_S)
            change_ns = min(max(change_ns, -most_ns), most_ns)
        self._tie_ns, self._source, self._tied_ns = tie_ns + change_ns, source, now_ns

    def _ns(self, media_time: int) -> int:
        return media_time * NS_PER_S // self._clock_hz
