"""What waits to be told, in bounded room: of states the newest each, of events the last so many.

What is lost is counted and told: numbers have a gap, and presence says how many.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from config.outward import OutwardTopic
from gateway.telemetry.outward.messages import (
    PRESENCE,
    AlarmSaid,
    PresenceSaid,
    Said,
    UnitAlarmSaid,
    address,
)
from kernel.clock import Clock, utc
from kernel.ids import new_id

log = structlog.get_logger()

Alarm = AlarmSaid | UnitAlarmSaid
UNIT_ALARMS = "unit-alarms"
GONE = ""
"""An empty payload has a broker forget what it keeps."""


@dataclass(frozen=True, slots=True, eq=False)
class Letter:
    """One message. Two that are alike are two."""

    topic: str
    payload: str
    retain: bool
    alarm: Alarm | None = None
    """What it tells, where that is an alarm that lasts or is over."""


class Outbox:
    """Of one broker. ``topics`` are those that people asked for: nothing is taken for another."""

    def __init__(
        self, topics: tuple[OutwardTopic, ...], *, clock: Clock, waiting_max: int, standing: Iterable[Alarm] = ()
    ) -> None:
        self.topics = topics
        self.standing = {said.key: said for said in standing}
        """The alarms that were told and not yet told to be over, as far as the broker has confirmed it."""
        self.lost = 0
        self._clock = clock
        self._boot = new_id()
        self._seqs: Counter[str] = Counter()
        self._kept: dict[str, str] = {}
        """What the broker is to keep, by topic."""
        self._states: OrderedDict[str, Letter] = OrderedDict()
        self._events: deque[Letter] = deque()
        self._waiting_max = waiting_max
        self._wake = asyncio.Event()

    @property
    def remembered(self) -> frozenset[str]:
        """Return the topics on which the broker may be keeping something of ours."""
        own = {PRESENCE} if self.topics else set()
        return frozenset(own | self._kept.keys() | {one.topic for one in self._states.values() if not one.payload})

    @property
    def waiting(self) -> int:
        """Return how many messages wait."""
        return len(self._events) + len(self._states)

    def tell(self, kind: OutwardTopic, said: Said, number: int | str = "") -> None:
        """Have an event told."""
        if kind not in self.topics:
            return
        self._event(Letter(address(kind, number), self._stamped(kind.value, said), retain=False))

    def _event(self, letter: Letter) -> None:
        self._events.append(letter)
        if len(self._events) > self._waiting_max:
            self._events.popleft()
            self.lost += 1
            if self.lost == 1:
                log.error("outward.lost", waiting=self._waiting_max)
        self._wake.set()

    def alarm(self, said: Alarm) -> None:
        """Have an alarm told, or its end."""
        kind = OutwardTopic.ALARMS
        if kind in self.topics:
            # Numbers rise on cameras' topics and on units' apart: who reads the one sees no gap for the other.
            stamped = self._stamped(kind.value if isinstance(said, AlarmSaid) else UNIT_ALARMS, said)
            self._event(Letter(said.topic, stamped, retain=False, alarm=said if said.lasts else None))

    def raised(self) -> list[Alarm]:
        """Return the alarms that stand with the readers once everything is told."""
        standing = dict(self.standing)
        for letter in self._events:
            _mark(standing, letter)
        return list(standing.values())

    def keep(self, kind: OutwardTopic, said: Said, number: int) -> None:
        """Have a state told and kept by the broker."""
        if kind in self.topics:
            self.put(address(kind, number), self._stamped(kind.value, said))

    def put(self, topic: str, payload: str) -> None:
        """Have a payload kept by the broker."""
        self._kept[topic] = payload
        self._states[topic] = Letter(topic, payload, retain=True)
        self._wake.set()

    def drop(self, topic: str) -> None:
        """Have the broker forget what it keeps on a topic."""
        self._kept.pop(topic, None)
        self._states[topic] = Letter(topic, GONE, retain=True)
        self._wake.set()

    def present(self) -> Letter:
        """Return what says that we are there, with the count of what was lost."""
        said = PresenceSaid(online=True, topics=self.topics, lost=self.lost)
        return Letter(PRESENCE, self._stamped("presence", said), retain=True)

    def anew(self) -> None:
        """Have every state told again: the broker may have forgotten them."""
        for topic, payload in self._kept.items():
            self._states.setdefault(topic, Letter(topic, payload, retain=True))
        self._wake.set()

    async def some(self, most: int) -> list[Letter]:
        """Return the next to tell, events first, once there are any; they wait on until they are :meth:`told`."""
        while not self.waiting:
            self._wake.clear()
            await self._wake.wait()
        found = [self._events[index] for index in range(min(most, len(self._events)))]
        return [*found, *list(self._states.values())[: most - len(found)]]

    def told(self, letters: list[Letter]) -> None:
        """Forget what the broker has confirmed; of what was lost or replaced meanwhile there is nothing to forget."""
        confirmed = set(letters)
        for letter in letters:
            _mark(self.standing, letter)
        while self._events and self._events[0] in confirmed:
            self._events.popleft()
        for letter in letters:
            if self._states.get(letter.topic) is letter:
                del self._states[letter.topic]

    def _stamped(self, kind: str, said: Said) -> str:
        self._seqs[kind] += 1
        stamp = f'{{"seq":{self._seqs[kind]},"boot":"{self._boot}","time":"{_iso(self._clock)}",'
        return stamp + said.model_dump_json().removeprefix("{")


def _mark(standing: dict[str, Alarm], letter: Letter) -> None:
    said = letter.alarm
    if said is None:
        return
    if said.over:
        standing.pop(said.key, None)
    else:
        standing[said.key] = said


def _iso(clock: Clock) -> str:
    return utc(clock.wall_ns()).isoformat(timespec="milliseconds").replace("+00:00", "Z")
