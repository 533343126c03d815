"""What may happen as often as somebody likes: recorded at once, and then once a minute with a count.

Refusals cost whoever earns them nothing. If each made an entry, anybody on the network could grow the log without end,
and with a slow disk push true entries out of what waits to be written.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway.audit.events import Action, Actor, AuditEvent, Outcome
from kernel.clock import Clock

MINUTE_S = 60.0
ALIKE_MAX = 1000
"""Different ones that are told apart within a minute. Those beyond are counted by their action alone."""

Key = tuple[Action, Outcome, tuple[str, ...]]


@dataclass(slots=True)
class _Count:
    """How often something happened again since it was recorded; ``to_ns`` is the last time."""

    event: AuditEvent
    from_ns: int
    to_ns: int
    times: int = 0

    def add(self, event: AuditEvent, at_ns: int) -> None:
        if not self.times:
            self.from_ns = at_ns
        self.event = _common(self.event, event)
        self.to_ns = max(self.from_ns, at_ns)
        self.times += 1


class Repeats:
    """The counts of this minute, which begins with the first of them."""

    def __init__(self, note: Callable[[AuditEvent], object], *, clock: Clock) -> None:
        self._note = note
        self._clock = clock
        self._counts: dict[Key, _Count] = {}
        self._begun = asyncio.Event()

    def note(self, event: AuditEvent, *key: str) -> None:
        """Record an event, or count it where one like it was recorded within this minute."""
        now_ns = self._clock.wall_ns()
        whole: Key = (event.action, event.outcome, key)
        known = self._counts.get(whole)
        if known is None and len(self._counts) >= ALIKE_MAX:
            whole = (event.action, event.outcome, ())
            known = self._counts.setdefault(whole, _Count(event, now_ns, now_ns))
        if known is not None:
            known.add(event, now_ns)
            return
        self._counts[whole] = _Count(event, now_ns, now_ns)
        self._begun.set()
        self._note(event)

    def tell(self) -> None:
        """Record the counts, and begin anew."""
        counts, self._counts = self._counts, {}
        for count in counts.values():
            if count.times:
                details = {**count.event.details, "times": count.times}
                self._note(replace(count.event, from_ns=count.from_ns, to_ns=count.to_ns, details=details))

    async def run(self) -> None:
        """Record the counts whenever a minute ends, for ever."""
        while True:
            await self._begun.wait()
            await self._clock.sleep(MINUTE_S)
            self._begun.clear()
            self.tell()


def _common(one: AuditEvent, other: AuditEvent) -> AuditEvent:
    """Return what is true of both: what they differ in is left empty."""
    return replace(
        one,
        actor=Actor(
            id=_same(one.actor.id, other.actor.id),
            name=_same(one.actor.name, other.actor.name),
            address=_same(one.actor.address, other.actor.address),
            rule=_same(one.actor.rule, other.actor.rule),
            reference=_same(one.actor.reference, other.actor.reference),
        ),
        subject=_same(one.subject, other.subject),
        details={key: value for key, value in one.details.items() if other.details.get(key) == value},
    )


def _same(one: str, other: str) -> str:
    return one if one == other else ""
