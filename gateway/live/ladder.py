"""Which of a camera's two streams a viewer's line can carry: the main one, or the sub stream until it can again.

Feedback tells of loss (receiver reports, RFC 3550 section 6.4.1) and of what the receiver takes its line for (REMB,
draft-alvestrand-rmcat-remb-03). An estimate follows what is sent and grows slowly: a low one alone says nothing where a
quiet scene has just come to life, so it counts together with what is on its way for long. On the sub stream it never
says that the main one would fit; after a while that is tried, and a trial that fails doubles the while.
"""

from kernel.clock import NS_PER_S

LOSS = 0.08
"""Share of packets lost, after which the main stream is too much: retransmissions are more than the line's slack."""
LITTLE_LOSS = 0.03
ESTIMATE_SHARE = 0.85
"""Of the main stream's rate; an estimate below it is too little."""
LATE_S, LATE_AND_NARROW_S = 1.5, 0.6
"""What is on its way, in seconds of the stream; a keyframe alone is some 0.3 s."""
REPORTS = 2
"""As many reports in a row say the same before anything is done."""
SETTLE_NS = 3 * NS_PER_S
"""After a change, reports still tell of what was before."""
FIRST_TRIAL_NS, LAST_TRIAL_NS = 15 * NS_PER_S, 240 * NS_PER_S
TRIAL_NS = 20 * NS_PER_S
"""A change to the main stream that is taken back sooner was a trial that failed."""


class Ladder:
    """Decides for one viewer, who has the main stream from ``now_ns`` on."""

    def __init__(self, now_ns: int) -> None:
        self.lower = False
        """Whether it ought to have the sub stream."""
        self.strained = False
        """Whether the line shows in any way that it is near its bound; only then does an estimate say something."""
        self._bad = 0
        self._estimate_bit_s: float | None = None
        self._changed_ns = now_ns
        self._tried = False
        self._rest_ns = FIRST_TRIAL_NS

    @property
    def estimate_bit_s(self) -> float | None:
        """Return the viewer's newest estimate."""
        return self._estimate_bit_s

    def estimated(self, bit_s: float) -> None:
        """Take an estimate of the viewer's."""
        self._estimate_bit_s = bit_s

    def overrun(self, now_ns: int) -> None:
        """Note that pictures were left out, as the line did not take them: that is worse than any report."""
        self._bad = REPORTS
        self._decide(now_ns, good=False)

    def reported(self, fraction_lost: float, behind_s: float, main_bit_s: float, now_ns: int) -> None:
        """Take a receiver report; ``behind_s`` is how much of the stream was sent and has not arrived.

        ``main_bit_s`` is the main stream's rate, 0 where it is not known yet.
        """
        self.strained = self.lower or fraction_lost > LITTLE_LOSS or behind_s > LATE_AND_NARROW_S
        if now_ns - self._changed_ns < SETTLE_NS:
            return
        narrow = self._estimate_bit_s is not None and self._estimate_bit_s < ESTIMATE_SHARE * main_bit_s
        late = behind_s > (LATE_AND_NARROW_S if narrow else LATE_S)
        self._bad = self._bad + 1 if fraction_lost > LOSS or late else 0
        self._decide(now_ns, good=fraction_lost < LITTLE_LOSS and not late)

    def _decide(self, now_ns: int, *, good: bool) -> None:
        since_ns = now_ns - self._changed_ns
        if not self.lower and self._bad >= REPORTS:
            failed = self._tried and since_ns < TRIAL_NS
            self._rest_ns = min(2 * self._rest_ns, LAST_TRIAL_NS) if failed else FIRST_TRIAL_NS
            self._change(now_ns, lower=True)
        elif self.lower and good and since_ns >= self._rest_ns:
            self._tried = True
            self._change(now_ns, lower=False)

    def _change(self, now_ns: int, *, lower: bool) -> None:
        self.lower = lower
        self._bad = 0
        self._estimate_bit_s = None
        self._changed_ns = now_ns
