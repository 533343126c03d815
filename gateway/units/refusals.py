"""What was refused: counted by cause and unit, with the last of each, in bounded room."""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gateway.listeners import Listeners
from gateway.units.report import Cause
from kernel.clock import NS_PER_S, Clock

log = structlog.get_logger()

STRANGERS_MAX = 256
"""Labels that are no unit's are remembered up to this many, the last ones; their counts go on under no label."""
SAID_MAX = 200
LOG_EVERY_NS = NS_PER_S
NOBODY = ""
"""Where nobody knows which unit it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What was refused of one unit for one cause: how often, when last, and what was said of the last one."""

    cause: Cause
    label: str
    count: int
    last_ns: int
    said: str


class Refusals:
    """The counts. They begin with the process."""

    def __init__(self, *, clock: Clock, known: Callable[[str], bool]) -> None:
        self._clock = clock
        self._known = known
        self._of: dict[tuple[Cause, str], Refusal] = {}
        self._strangers: OrderedDict[str, None] = OrderedDict()
        self._logged: dict[Cause, int] = {}
        self._unlogged: Counter[Cause] = Counter()
        self._listeners: Listeners[[Refusal]] = Listeners("refusal.untold")

    def count(self, cause: Cause, label: str = NOBODY, *, said: str = "", times: int = 1) -> Refusal:
        """Count one, or several. ``label`` is the topic's or certificate's, and may be anybody's own text."""
        label = label[:64]
        if label and not self._known(label):
            self._remember(label)
        before = self._of.get((cause, label))
        refusal = Refusal(
            cause=cause,
            label=label,
            count=(before.count if before is not None else 0) + times,
            last_ns=self._clock.wall_ns(),
            said=said[:SAID_MAX],
        )
        self._of[cause, label] = refusal
        self._log(refusal)
        self._listeners.tell(refusal)
        return refusal

    def listen(self, callback: Callable[[Refusal], None]) -> Callable[[], None]:
        """Have every refusal told; return what ends that."""
        return self._listeners.add(callback)

    def of(self, label: str) -> list[Refusal]:
        """Return what was refused of one unit."""
        return [refusal for (_, of), refusal in self._of.items() if of == label]

    def all(self) -> list[Refusal]:
        """Return everything, the newest first."""
        return sorted(self._of.values(), key=lambda refusal: refusal.last_ns, reverse=True)

    def total(self, cause: Cause) -> int:
        """Return how many were refused for a cause."""
        return sum(refusal.count for refusal in self._of.values() if refusal.cause is cause)

    def _remember(self, label: str) -> None:
        self._strangers[label] = None
        self._strangers.move_to_end(label)
        if len(self._strangers) > STRANGERS_MAX:
            forgotten, _ = self._strangers.popitem(last=False)
            for cause in Cause:
                refusal = self._of.pop((cause, forgotten), None)
                if refusal is not None:
                    self._of[cause, NOBODY] = self._merged(refusal)

    def _merged(self, refusal: Refusal) -> Refusal:
        before = self._of.get((refusal.cause, NOBODY))
        return Refusal(
            cause=refusal.cause,
            label=NOBODY,
            count=refusal.count + (before.count if before is not None else 0),
            last_ns=max(refusal.last_ns, before.last_ns if before is not None else 0),
            said=refusal.said,
        )

    def _log(self, refusal: Refusal) -> None:
        """Say it, at most once a second for each cause: whoever floods us does not fill the log."""
        self._unlogged[refusal.cause] += 1
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._logged.get(refusal.cause, -LOG_EVERY_NS) >= LOG_EVERY_NS:
            self._logged[refusal.cause] = now_ns
            count = self._unlogged.pop(refusal.cause)
            log.warning("unit.refused", cause=refusal.cause.value, unit=refusal.label, said=refusal.said, count=count)
