"""What a unit says, and when: a state as soon as it has changed by more than noise, and now and then all the same.

Topics and fields are those of docs/integrate.md. A message gets its sequence number when it is first sent, so that
numbers rise on the wire however long something waited; its time is that of what it tells.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from drivers.simulator.units.readings import states
from drivers.simulator.units.unit import Unit
from kernel.clock import NS_PER_S, Clock
from kernel.geography import Place, distance_m

PREFIX = "sightline/v1/units"
OUTBOX_MAX = 256
_SOON_S = 60.0
_LATER_S = 600.0
_SETTLED_S = 15.0
"""A unit that leans otherwise than before says so once more after this: what lasts is no passing lorry."""
State = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One message before it has its number. ``topic`` lacks the prefix: ``state/battery``."""

    topic: str
    body: State
    time: str

    @property
    def state(self) -> bool:
        """Return whether it is retained, and worthless once a newer one of its kind is known."""
        return self.topic.startswith("state/")

    def stamped(self, seq: int, boot: str) -> bytes:
        """Return the payload."""
        whole = {**self.body, "seq": seq, "boot": boot, "time": self.time}
        return json.dumps(whole, separators=(",", ":")).encode()


class Outbox:
    """What waits for the link, oldest first, at most ``limit`` messages.

    A state pushes out the older one of its kind. Where there is still too much, states go before events, and old ones
    before new; ``dropped`` counts them.
    """

    def __init__(self, limit: int = OUTBOX_MAX) -> None:
        self.dropped = 0
        self._limit = limit
        self._waiting: OrderedDict[int, Message] = OrderedDict()
        self._next = 0
        self._sending: int | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: Message) -> None:
        """Let a message wait."""
        if message.state:
            self._forget(lambda old: old.topic == message.topic)
        self._waiting[self._next] = message
        self._next += 1
        while len(self._waiting) > self._limit:
            if not self._forget(lambda old: old.state):
                self._forget(lambda _: True)
            self.dropped += 1

    def take(self) -> Message | None:
        """Return the oldest without removing it; nothing pushes it out until :meth:`confirmed` or :meth:`untaken`."""
        if not self._waiting:
            return None
        self._sending = next(iter(self._waiting))
        return self._waiting[self._sending]

    def confirmed(self) -> None:
        """Remove the one that was taken: the broker has it."""
        if self._sending is not None:
            self._waiting.pop(self._sending, None)
            self._sending = None

    def untaken(self) -> None:
        """Let the one that was taken wait on."""
        self._sending = None

    def clear(self) -> None:
        """Forget everything: it was off."""
        self._waiting.clear()
        self._sending = None

    def _forget(self, meant: Callable[[Message], bool]) -> bool:
        for key, old in self._waiting.items():
            if key != self._sending and meant(old):
                del self._waiting[key]
                return True
        return False


def _apart(field: str, least: float) -> Callable[[State, State], bool]:
    return lambda old, new: abs(float(new[field]) - float(old[field])) >= least


def _turned(old: State, new: State) -> bool:
    return bool(abs((new["bearing_deg"] - old["bearing_deg"] + 180.0) % 360.0 - 180.0) >= 4.0)


def _leans(old: State, new: State) -> bool:
    return any(abs(new[name] - old[name]) >= 1.5 for name in ("pitch_deg", "roll_deg"))


def _elsewhere(old: State, new: State) -> bool:
    here, there = (Place(one["latitude"], one["longitude"]) for one in (old, new))
    return distance_m(here, there) >= max(8.0, 2.0 * float(new["accuracy_m"]))


def _battery(old: State, new: State) -> bool:
    return bool(new["charging"] is not old["charging"]) or abs(new["percent"] - old["percent"]) >= 1.0


def _signal(old: State, new: State) -> bool:
    return bool(new["cell"] != old["cell"]) or abs(new["rsrp_dbm"] - old["rsrp_dbm"]) >= 5.0


def _disk(old: State, new: State) -> bool:
    return bool(new["fault"] is not old["fault"]) or abs(new["free_bytes"] - old["free_bytes"]) >= 10**9


def _any(old: State, new: State) -> bool:
    return old != new


_WORTH: Mapping[str, tuple[Callable[[State, State], bool], float]] = {
    "battery": (_battery, _SOON_S),
    "supply": (_any, _LATER_S),
    "signal": (_signal, _SOON_S),
    "position": (_elsewhere, _SOON_S),
    "heading": (_turned, _LATER_S),
    "tilt": (_leans, _LATER_S),
    "temperature": (_apart("celsius", 1.0), _LATER_S),
    "case": (_any, _LATER_S),
    "address": (_any, _LATER_S),
    "firmware": (_any, _LATER_S),
    "disk": (_disk, _LATER_S),
    "data": (_apart("sent_bytes", 5_000_000), _LATER_S),
}
"""By kind: whether a state differs enough from what was told, and after how long it is told all the same."""


class Telling:
    """Decides what one unit has to say."""

    def __init__(self, unit: Unit, clock: Clock) -> None:
        self._unit = unit
        self._clock = clock
        self._told: dict[str, tuple[State, int]] = {}
        self._leant = False

    def all_anew(self) -> None:
        """Tell every state again: the broker may be another."""
        self._told.clear()

    def again(self, kind: str) -> None:
        """Tell one state with the next look, changed or not."""
        self._told.pop(kind, None)

    def due(self) -> list[Message]:
        """Return what is to be said now; events first, as they happened."""
        unit = self._unit
        if not unit.running:
            return []
        messages = []
        while unit.events:
            event = unit.events.popleft()
            messages.append(Message(f"event/{event.kind}", event.body, event.time))
        now_ns = self._clock.monotonic_ns()
        for kind, state in states(unit).items():
            differs, after_s = _WORTH[kind]
            told = self._told.get(kind)
            changed = told is not None and differs(told[0], state)
            if kind == "tilt" and self._leant:
                after_s = _SETTLED_S
            if told is None or now_ns - told[1] >= after_s * NS_PER_S or changed:
                if kind == "tilt":
                    self._leant = changed
                self._told[kind] = (state, now_ns)
                messages.append(Message(f"state/{kind}", state, unit.time()))
        return messages
