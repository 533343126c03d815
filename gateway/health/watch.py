"""What is wrong with one camera's picture over time: a finding stands once it was seen again and again, and no sooner.

A lorry before the lens is no cover, and a cloud is no fault.
"""

from dataclasses import dataclass

import numpy as np

from gateway.health.picture import HEIGHT, LIT, OVERLAY, Grey, fault_of, measure
from gateway.health.view import halved, shift
from kernel.clock import NS_PER_S
from kernel.media import PictureFault

FIRM_LOOKS = 3
FIRM_NS = 60 * NS_PER_S
"""A fault is stated once so many looks in a row showed it, over so long a time; it is over after as many without."""
FROZEN = ((4, 600 * NS_PER_S), (10, 3 * 3600 * NS_PER_S))
"""No pixel has changed by more than so many grey levels for so long. A picture that stands changes by up to 8 where it
is coded anew, mostly by none; one of an empty street by 6 and more, by its noise alone, and by more with the light."""
LOST_NS = 600 * NS_PER_S
"""Nothing of the reference view is where it was for so long: longer than a lorry stands before a lens."""
LOST_PLAIN_SHARE = 0.5
"""Where more than that is plain, it may be fog that hides it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault that stands, and since when: wall time in ns of the first look that showed it."""

    fault: PictureFault
    since_ns: int


@dataclass(slots=True)
class _Run:
    """Looks in a row that said the same."""

    fault: PictureFault | None
    since_ns: int
    began_ns: int
    looks: int = 1


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Since when something is so: the first picture that showed it, wall and monotonic time."""

    grey: Grey
    wall_ns: int
    monotonic_ns: int


class PictureWatch:
    """Of one camera. ``reference`` is its reference view, halved; ``None`` where it has none, or a head that moves."""

    def __init__(self, reference: Grey | None = None) -> None:
        self.finding: Finding | None = None
        """What is wrong with its picture."""
        self._reference = reference
        self._run: _Run | None = None
        self._still: list[_Stretch | None] = [None for _ in FROZEN]
        """For each of ``FROZEN``, since when nothing has changed."""
        self._lost: _Stretch | None = None
        """Since when nothing of the reference view was to be seen."""

    def compare_with(self, reference: Grey | None) -> None:
        """Take another reference view; what was found against the old one is forgotten."""
        self._reference, self._lost = reference, None
        if self.finding is not None and self.finding.fault is PictureFault.MOVED:
            self.finding, self._run = None, None

    def looked(self, grey: Grey, *, wall_ns: int, monotonic_ns: int) -> Finding | None:
        """Judge a picture taken now; return what stands."""
        fault, since_ns = self._judge(grey, wall_ns, monotonic_ns)
        run = self._run
        if run is None or run.fault is not fault:
            run = self._run = _Run(fault, since_ns, monotonic_ns)
        else:
            run.looks += 1
        # What began before this run has been seen to for long enough already.
        firm = run.looks >= FIRM_LOOKS and monotonic_ns - run.began_ns >= FIRM_NS
        if firm or since_ns < wall_ns:
            standing = self.finding.fault if self.finding is not None else None
            if fault is not standing:
                self.finding = Finding(fault, run.since_ns) if fault is not None else None
        return self.finding

    def blind(self) -> None:
        """No picture comes: what was wrong with the last one says nothing of the next."""
        self.finding = self._run = self._lost = None
        self._still = [None for _ in FROZEN]

    def _judge(self, grey: Grey, wall_ns: int, monotonic_ns: int) -> tuple[PictureFault | None, int]:
        now = _Stretch(grey, wall_ns, monotonic_ns)
        self._still = [
            now if since is None or _changed(since.grey, grey) > levels else since
            for since, (levels, _) in zip(self._still, FROZEN, strict=True)
        ]
        measures = measure(grey)
        fault = fault_of(measures)
        if fault is None and self._reference is not None:
            seen = shift(self._reference, halved(grey))
            if seen.moved:
                return PictureFault.MOVED, wall_ns
            hidden = measures.median < LIT or measures.plain_share > LOST_PLAIN_SHARE
            self._lost = (self._lost or now) if seen.lost and not hidden else None
            if self._lost is not None and monotonic_ns - self._lost.monotonic_ns >= LOST_NS:
                return PictureFault.MOVED, self._lost.wall_ns
        for since, (_, lasting_ns) in zip(self._still, FROZEN, strict=True):
            if fault is None and since is not None and monotonic_ns - since.monotonic_ns >= lasting_ns:
                return PictureFault.FROZEN, since.wall_ns
        return fault, wall_ns


def _changed(before: Grey, after: Grey) -> int:
    """Return by how many grey levels that pixel changed which changed most; a clock that is written in is left out."""
    rows = slice(OVERLAY, HEIGHT - OVERLAY)
    return int(np.abs(before[rows].astype(np.int16) - after[rows].astype(np.int16)).max())
