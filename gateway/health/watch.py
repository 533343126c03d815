"""What is wrong with one camera's picture over time: a finding stands once it was seen again and again, and no sooner.

A lorry before the lens is no cover, and a cloud is no fault.
"""

from dataclasses import dataclass

import numpy as np

from gateway.health.picture import HEIGHT, LIT, OVERLAY, Grey, Measures, fault_of, measure
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


class _Standing:
    """A finding that stands once looks in a row agree on it."""

    def __init__(self) -> None:
        self.finding: Finding | None = None
        self._run: _Run | None = None

    def say(self, fault: PictureFault | None, since_ns: int, *, wall_ns: int, monotonic_ns: int) -> None:
        """Take what a look says."""
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

    def forget(self) -> None:
        """Begin anew."""
        self.finding = self._run = None


class PictureWatch:
    """Of one camera. ``reference`` is its reference view, halved; ``None`` where it has none.

    Whether it moved is a question of its own: a head that looks elsewhere leaves it open. What was found stands until
    the head is back, and looks there count as if they had come one after the other.
    """

    def __init__(self, reference: Grey | None = None) -> None:
        self._reference = reference
        self._own = _Standing()
        """What is wrong with the picture by itself."""
        self._turned = _Standing()
        """Whether it is not that of its reference view."""
        self._still: list[_Stretch | None] = [None for _ in FROZEN]
        """For each of ``FROZEN``, since when nothing has changed."""
        self._lost: _Stretch | None = None
        """Since when nothing of the reference view was to be seen."""

    @property
    def finding(self) -> Finding | None:
        """Return the worst that is wrong with its picture."""
        own, turned = self._own.finding, self._turned.finding
        return turned if own is None or (own.fault is PictureFault.FROZEN and turned is not None) else own

    def compare_with(self, reference: Grey | None) -> None:
        """Take another reference view; what was found against the old one is forgotten."""
        self._reference, self._lost = reference, None
        self._turned.forget()

    def looked(self, grey: Grey, *, wall_ns: int, monotonic_ns: int, comparable: bool = True) -> Finding | None:
        """Judge a picture taken now; return what stands. ``comparable``: its head stands as for the reference view."""
        measures = measure(grey)
        fault = fault_of(measures)
        now = _Stretch(grey, wall_ns, monotonic_ns)
        own, since_ns = fault, wall_ns
        frozen_ns = self._frozen_ns(now)
        if fault is None and frozen_ns is not None:
            own, since_ns = PictureFault.FROZEN, frozen_ns
        self._own.say(own, since_ns, wall_ns=wall_ns, monotonic_ns=monotonic_ns)
        if not comparable:
            self._lost = None
        elif fault is None and self._reference is not None:
            moved_ns = self._moved_ns(self._reference, now, measures)
            said = None if moved_ns is None else PictureFault.MOVED
            self._turned.say(said, moved_ns or wall_ns, wall_ns=wall_ns, monotonic_ns=monotonic_ns)
        return self.finding

    def blind(self) -> None:
        """No picture comes: what was wrong with the last one says nothing of the next."""
        self._own.forget()
        self._turned.forget()
        self._lost = None
        self._still = [None for _ in FROZEN]

    def _frozen_ns(self, now: _Stretch) -> int | None:
        """Return since when nothing has changed, where that is too long."""
        self._still = [
            now if since is None or _changed(since.grey, now.grey) > levels else since
            for since, (levels, _) in zip(self._still, FROZEN, strict=True)
        ]
        for since, (_, lasting_ns) in zip(self._still, FROZEN, strict=True):
            if since is not None and now.monotonic_ns - since.monotonic_ns >= lasting_ns:
                return since.wall_ns
        return None

    def _moved_ns(self, reference: Grey, now: _Stretch, measures: Measures) -> int | None:
        """Return since when the picture is not that of its reference view, as far as this look tells."""
        seen = shift(reference, halved(now.grey))
        if seen.moved:
            return now.wall_ns
        hidden = measures.median < LIT or measures.plain_share > LOST_PLAIN_SHARE
        self._lost = (self._lost or now) if seen.lost and not hidden else None
        if self._lost is not None and now.monotonic_ns - self._lost.monotonic_ns >= LOST_NS:
            return self._lost.wall_ns
        return None


def _changed(before: Grey, after: Grey) -> int:
    """Return by how many grey levels that pixel changed which changed most; a clock that is written in is left out."""
    rows = slice(OVERLAY, HEIGHT - OVERLAY)
    return int(np.abs(before[rows].astype(np.int16) - after[rows].astype(np.int16)).max())
