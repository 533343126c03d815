"""Judges events that devices tell over MQTT: size, form, whose they are, and their order. What is refused is counted.

ONVIF gives events no number: of one property of one device, what is older than the last is out of order, and the same
with the same time a replay. The device's clock orders them; one that is far ahead of ours is not believed at all, or
everything after it was put right would look old.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from gateway.telemetry.arrived import Arrived
from gateway.telemetry.messages import SIZE_MAX_BYTES
from gateway.telemetry.onvif_events import EventTopic, OnvifEvent, read_event
from gateway.units import Cause, Refusals
from gateway.units.errors import RefusedError
from kernel.clock import NS_PER_S, Clock, to_ns

AHEAD_S = 300
PROPERTIES_MAX = 8192
"""So many properties have their last time remembered, those heard last: nine of each of 900 cameras."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An event that is taken. ``stored``: the broker had kept it, it was not told just now."""

    topic: EventTopic
    source: dict[str, str]
    data: dict[str, str]
    wall_ns: int
    """When, by our clock."""
    stored: bool


class Devices(Protocol):
    """Knows who may tell events."""

    def offset_s(self, topic: EventTopic) -> float:
        """Return by how much the sender's clock is before ours, in seconds.

        Raises:
            RefusedError: nobody by that name is to be heard.
        """
        ...


class EventInbox:
    """One for all devices. Until it is joined nobody is heard."""

    def __init__(self, refusals: Refusals, *, clock: Clock) -> None:
        self._refusals = refusals
        self._clock = clock
        self._devices: Devices | None = None
        self._hears: Callable[[Heard], None] | None = None
        self._kept: Callable[[], Awaitable[None]] | None = None
        self._last: OrderedDict[tuple[str, str, tuple[tuple[str, str], ...]], tuple[int, dict[str, str]]] = (
            OrderedDict()
        )
        self.taken = 0

    def join(
        self, devices: Devices, hears: Callable[[Heard], None], kept: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Have ``hears`` called with each event that is taken, and ``kept`` before some are acknowledged."""
        self._devices, self._hears, self._kept = devices, hears, kept

    def part(self) -> None:
        """Have nobody called any more."""
        self._devices = self._hears = self._kept = None

    async def kept(self) -> None:
        """Return once what was made of the events that were taken is stored."""
        if self._kept is not None:
            await self._kept()

    def take(self, arrived: Sequence[Arrived]) -> None:
        """Judge and hand on."""
        for one in arrived:
            topic = read_event(one.topic)
            try:
                heard = self._judged(topic, one)
            except RefusedError as error:
                name = topic.name if topic is not None else one.topic.split("/")[3]
                self._refusals.count(error.cause, name, said=error.message)
                continue
            if heard is not None and self._hears is not None:
                self.taken += 1
                self._hears(heard)

    def _judged(self, topic: EventTopic | None, one: Arrived) -> Heard | None:
        """Return what is to be handed on; ``None`` where there is nothing new in it.

        Raises:
            RefusedError: it is not taken.
        """
        if len(one.payload) > SIZE_MAX_BYTES:
            raise RefusedError(Cause.OVERSIZED, f"{len(one.payload)} bytes where {SIZE_MAX_BYTES} are the most")
        if topic is None:
            raise RefusedError(Cause.UNKNOWN_KIND, f"on {one.topic[:120]}")
        if self._devices is None:
            return None
        offset_ns = round(self._devices.offset_s(topic) * NS_PER_S)
        if not one.payload:
            return None  # a property was deleted: nothing is so any more, and nothing has happened
        event = _read(topic, one.payload)
        device_ns = to_ns(event.utc_time)
        ahead_s = (device_ns - offset_ns - self._clock.wall_ns()) / NS_PER_S
        if ahead_s > AHEAD_S:
            raise RefusedError(Cause.MALFORMED, f"{topic.topic}: its clock is {ahead_s:.0f} s ahead")
        if not self._is_next(topic, event, device_ns, stored=one.stored):
            return None
        return Heard(
            topic=topic, source=event.source, data=event.data, wall_ns=device_ns - offset_ns, stored=one.stored
        )

    def _is_next(self, topic: EventTopic, event: OnvifEvent, at_ns: int, *, stored: bool) -> bool:
        """Return whether it is new; what the broker had kept may be old without being anybody's fault."""
        key = f"{topic.sender}/{topic.name}", topic.topic, tuple(sorted((event.source | event.key).items()))
        before_ns, before = self._last.get(key, (-1, {}))
        if at_ns < before_ns or (at_ns == before_ns and event.data == before):
            if stored:
                return False
            cause = Cause.REPLAYED if at_ns == before_ns else Cause.OUT_OF_ORDER
            raise RefusedError(cause, f"{topic.topic} of {event.utc_time.isoformat()}")
        self._last[key] = at_ns, event.data
        self._last.move_to_end(key)
        if len(self._last) > PROPERTIES_MAX:
            self._last.popitem(last=False)
        return True


def _read(topic: EventTopic, payload: bytes) -> OnvifEvent:
    try:
        event = OnvifEvent.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        said = ".".join(map(str, first["loc"])) + f" {first['msg']}"
        raise RefusedError(Cause.MALFORMED, f"{topic.topic}: {said}") from None
    # A value may hold a slash, and what MQTT forbids in a topic is left out of it.
    told, meant = "/".join(topic.values), "/".join(event.source.values())
    if topic.values and told != meant.replace("#", "").replace("+", ""):
        raise RefusedError(Cause.WRONG_UNIT, f"{topic.topic}: it is of {meant[:60]} on the topic of {told[:60]}")
    return event
