"""Does every deployment's log say what the audit was told of it? Digests are computed anew; none that is stored counts.

A line is held against the audit's digest of it and of the line before: so of a log that was computed anew from some
line on, what says something else is told from what only follows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.db.deployments import EntryRow
from gateway.deployments.kept import digest_of
from kernel.clock import NS_PER_S

SHOWN_MAX = 100
ON_ITS_WAY_NS = 60 * NS_PER_S
"""The audit is told of a line just after it was written: of one that is no older it may not know yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsReport:
    """What holding the logs against the audit found."""

    deployments: int
    lines: int
    on_their_way: int
    """Lines of just now that the audit does not have yet."""
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Return whether nothing was found."""
        return not self.problems


class LogsCheck:
    """Is told everything that the audit has, then takes log after log. ``now_ns``: ns since 1970 UTC."""

    def __init__(self, *, now_ns: int) -> None:
        self._now_ns = now_ns
        self._told: dict[str, dict[int, str]] = {}
        """By deployment the digest of each line by its number."""
        self._where: dict[str, tuple[str, int]] = {}
        """Which line each digest is of."""
        self._problems: list[str] = []
        self._deployments = 0
        self._lines = 0
        self._on_their_way = 0

    def found(self, problem: str) -> None:
        """Note something that is wrong with the whole."""
        if len(self._problems) < SHOWN_MAX:
            self._problems.append(problem)

    def tell(self, entry: int, deployment: object, line: object, digest: object) -> None:
        """Take in what an entry of the audit says of a line, whatever that is."""
        if not isinstance(deployment, str) or not isinstance(line, int) or not isinstance(digest, str):
            self.found(f"Audit entry {entry} does not say which line of which log it is about.")
        elif self._told.setdefault(deployment, {}).setdefault(line, digest) != digest:
            self._of(deployment, f"the audit has line {line} twice, and not the same.")
        else:
            self._where[digest] = deployment, line

    @property
    def deployments(self) -> list[str]:
        """Return the deployments that the audit was told of."""
        return sorted(self._told)

    def take(self, deployment: object, size: object, lines: Sequence[EntryRow] | None) -> None:
        """Check a log just as it is stored, oldest first; no ``lines``: the database makes nothing of it.

        ``size``: of how many lines its summary tells; ``None``: it has none.
        """
        self._deployments += 1
        told: dict[int, str] = self._told.get(deployment, {}) if isinstance(deployment, str) else {}
        if lines is None:
            self._of(deployment, "its log holds bytes that are no text: it was altered.")
            return
        self._lines += len(lines)
        known: dict[int, str] = {}
        coming = 0
        for line in lines:
            if type(line.n) is not int:
                self._of(deployment, f"a line is numbered {line.n!r}: it was altered.")
                continue
            before = "" if line.n == 1 else told.get(line.n - 1, known.get(line.n - 1))
            known[line.n] = line.digest
            if line.n in told:
                self._judge(deployment, line, before, told[line.n])
            elif _sound(line, before) and self._just_now(line):
                coming += 1
            else:
                self._of(deployment, f"line {line.n} is unknown to the audit.")
        self._on_their_way += coming
        for first, last in _runs([n for n in sorted(told) if n not in known]):
            named = f"line {first} is" if first == last else f"lines {first} to {last} are"
            self._of(deployment, f"{named} missing.")
        most = max(told, default=0)
        if size is None:
            self._of(deployment, "its summary is missing.")
        elif not isinstance(size, int) or not most <= size <= most + coming:
            self._of(deployment, f"its summary tells of {size!r} lines, not of {most + coming}.")

    def _judge(self, deployment: object, line: EntryRow, before: str | None, wanted: str) -> None:
        if before is None:
            self._of(deployment, f"nothing is known of the line before line {line.n}.")
        elif _digest(line, before) == wanted:
            if line.digest != wanted:
                self._of(deployment, f"the digest of line {line.n} was altered.")
        elif (stands := self._where.get(line.digest)) is None or stands == (deployment, line.n):
            self._of(deployment, f"line {line.n} was altered.")
        else:
            of = "" if stands[0] == deployment else f" of deployment {stands[0]}"
            self._of(deployment, f"where line {line.n} was stands line {stands[1]}{of}.")

    def _just_now(self, line: EntryRow) -> bool:
        return type(line.at_ns) is int and abs(self._now_ns - line.at_ns) <= ON_ITS_WAY_NS

    def _of(self, deployment: object, what: str) -> None:
        self.found(f"Deployment {deployment}: {what}")

    def report(self) -> LogsReport:
        """Return everything that was found."""
        return LogsReport(
            deployments=self._deployments,
            lines=self._lines,
            on_their_way=self._on_their_way,
            problems=tuple(self._problems),
        )


def _digest(line: EntryRow, before: str) -> str | None:
    """Return the digest that a line should have; ``None`` where it is not even the kind of thing that is written."""
    try:
        return digest_of(line, before)
    except TypeError:
        return None


def _sound(line: EntryRow, before: str | None) -> bool:
    return before is not None and _digest(line, before) == line.digest


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Return runs of numbers, which are in order, as first and last."""
    runs: list[tuple[int, int]] = []
    for n in numbers:
        if runs and runs[-1][1] == n - 1:
            runs[-1] = runs[-1][0], n
        else:
            runs.append((n, n))
    return runs
