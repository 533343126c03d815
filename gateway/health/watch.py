"""What is wrong with one camera's picture over time: a finding stands once it was seen again and again, and no sooner.

A lorry before the lens is no cover, and a cloud is no fault.
"""

from dataclasses import dataclass

import numpy as np

from gateway.health.picture import HEIGHT, Grey, fault_of, measure
from gateway.health.view import halved, shift
from kernel.clock import NS_PER_S
from kernel.media import PictureFault

FIRM_LOOKS = 3
FIRM_NS = 60 * NS_PER_S
"""A fault is stated once so many looks in a row showed it, over so long a time; it is over after as many without."""
FROZEN_NS = 600 * NS_PER_S
"""Nothing at all has changed for so long. An empty street at night changes by more, if only by its noise."""
FROZEN_LEVELS = 2
"""By no more grey levels does a picture that stands change where it is coded anew."""
_OVERLAY = HEIGHT // 8
"""Rows at the top and the bottom where a running clock may be written into a picture that stands."""


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


class PictureWatch:
    """Of one camera. ``reference`` is its reference view, halved; ``None`` where it has none, or a head that moves."""

    def __init__(self, reference: Grey | None = None) -> None:
        self.finding: Finding | None = None
        """What is wrong with its picture."""
        self._reference = reference
        self._run: _Run | None = None
        self._still: tuple[Grey, int, int] | None = None
        """The picture since which nothing has changed, and when that was: wall and monotonic."""

    def compare_with(self, reference: Grey | None) -> None:
        """Take another reference view; what was found against the old one is forgotten."""
        self._reference = reference
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
        # A picture that stands has been seen to for ten minutes already.
        firm = run.looks >= FIRM_LOOKS and monotonic_ns - run.began_ns >= FIRM_NS
        if firm or fault is PictureFault.FROZEN:
            standing = self.finding.fault if self.finding is not None else None
            if fault is not standing:
                self.finding = Finding(fault, run.since_ns) if fault is not None else None
        return self.finding

    def blind(self) -> None:
        """No picture comes: what was wrong with the last one says nothing of the next."""
        self.finding = self._run = self._still = None

    def _judge(self, grey: Grey, wall_ns: int, monotonic_ns: int) -> tuple[PictureFault | None, int]:
        if self._still is None or _changed(self._still[0], grey):
            self._still = (grey, wall_ns, monotonic_ns)
        fault = fault_of(measure(grey))
        if fault is None and self._reference is not None and shift(self._reference, halved(grey)).moved:
            fault = PictureFault.MOVED
        _, still_wall_ns, still_ns = self._still
        if fault is None and monotonic_ns - still_ns >= FROZEN_NS:
            return PictureFault.FROZEN, still_wall_ns
        return fault, wall_ns


def _changed(before: Grey, after: Grey) -> bool:
    rows = slice(_OVERLAY, HEIGHT - _OVERLAY)
    apart = np.abs(before[rows].astype(np.int16) - after[rows].astype(np.int16))
    return int(apart.max()) > FROZEN_LEVELS
