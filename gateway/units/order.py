"""In what order a unit may say things: numbers rise within a boot, and a boot that has passed does not come back.

What the broker had kept (retained) comes in any order and from any boot, hence is judged by its own kind alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gateway.units.errors import RefusedError
from gateway.units.report import Cause, Report, Stored

BOOTS_MAX = 16
"""So many boots of a unit are remembered as passed."""


def heard_ns(written_ns: int | None, states: Iterable[Stored]) -> int | None:
    """Return when a unit was heard last (ns since 1970 UTC): what is written of that may be a minute old."""
    return max((at_ns for at_ns in (written_ns, *(one.taken_ns for one in states)) if at_ns is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Up to where a unit was heard. ``seqs``: of each kind, the boot and number of the newest."""

    boot: str = ""
    passed: tuple[str, ...] = ()
    highest: int = -1
    """The highest number of the boot of now, of any kind."""
    seqs: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def after(self, report: Report) -> "Heard":
        """Return up to where it was heard once ``report`` is taken.

        Raises:
            RefusedError: it was said before, or is late.
        """
        boot, seq = self.seqs.get(report.name, ("", -1))
        if report.boot == boot and report.seq <= seq:
            raise RefusedError(Cause.REPLAYED, f"number {report.seq} of {report.name} where {seq} was heard")
        if report.stored:
            return self._after_stored(report, known=bool(boot))
        if report.boot in self.passed:
            raise RefusedError(Cause.REPLAYED, f"{report.name} of an earlier boot")
        if report.boot == self.boot and report.seq <= self.highest:
            raise RefusedError(Cause.OUT_OF_ORDER, f"number {report.seq} after {self.highest}")
        passed = self.passed
        if report.boot != self.boot and self.boot:
            passed = (*self.passed, self.boot)[-BOOTS_MAX:]
        return replace(
            self, boot=report.boot, passed=passed, highest=report.seq, seqs={**self.seqs, report.name: _at(report)}
        )

    def _after_stored(self, report: Report, *, known: bool) -> "Heard":
        if report.boot in self.passed and known:
            raise RefusedError(Cause.REPLAYED, f"{report.name} of an earlier boot, kept by the broker")
        seqs = {**self.seqs, report.name: _at(report)}
        if report.boot == self.boot:
            return replace(self, highest=max(self.highest, report.seq), seqs=seqs)
        # Which of two boots was later is not known from what was kept: only what is said now moves it on.
        return replace(self, seqs=seqs)


def _at(report: Report) -> tuple[str, int]:
    return report.boot, report.seq
