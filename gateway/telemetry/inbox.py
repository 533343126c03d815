"""Judges what comes from the broker and hands what is right to the register. What is not is counted, by cause.

Size, topic, JSON, model and label are judged here; order, and whether the unit is one of ours, in the register.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import ValidationError

from gateway.telemetry.arrived import Arrived
from gateway.telemetry.messages import ENVELOPE, EVENTS, SIZE_MAX_BYTES, STATES, Answer, Birth, Message, Will
from gateway.telemetry.onvif_events import is_event
from gateway.telemetry.onvif_inbox import EventInbox
from gateway.telemetry.topics import Branch, Topic, label_in, read
from gateway.units import Cause, Group, Lost, Refusals, Register, Report
from gateway.units.errors import RefusedError
from kernel.clock import to_ns

M = TypeVar("M", bound=Message)


class Inbox:
    """One for everything that comes."""

    def __init__(self, register: Register, refusals: Refusals, events: EventInbox) -> None:
        self._register = register
        self._refusals = refusals
        self.events = events
        self._answered: Callable[[str, str, Answer], None] | None = None
        self.taken = 0
        """How many were."""

    def when_answered(self, callback: Callable[[str, str, Answer], None]) -> None:
        """Have the answers to commands told: label, kind and answer."""
        self._answered = callback

    async def take(self, arrived: Sequence[Arrived]) -> None:
        """Judge and hand on. Once it returns, what is right is kept, and what is not is counted.

        Raises:
            DatabaseError: nothing was taken or counted: give it again.
        """
        reports: list[tuple[str, Report | Lost]] = []
        refused: list[tuple[str, RefusedError]] = []
        answers: list[tuple[str, str, Answer]] = []
        for one in (one for one in arrived if not is_event(one.topic)):
            topic = read(one.topic)
            label = label_in(one.topic)
            try:
                found = _judged(topic, one)
            except RefusedError as error:
                refused.append((label, error))
                continue
            assert topic is not None
            if isinstance(found, Answer):
                answers.append((label, topic.kind, found))
            else:
                reports.append((label, found))
        outcomes = await self._register.take_all(reports) if reports else []
        for (label, report), outcome in zip(reports, outcomes, strict=True):
            if outcome is None:
                self.taken += 1
            elif not (report.stored and outcome.cause is Cause.REPLAYED):
                # What the broker had kept comes again whenever we come anew: that is nobody's replay.
                refused.append((label, outcome))
        for label, wrong in refused:
            self._refusals.count(wrong.cause, label, said=wrong.message)
        if self._answered is not None:
            for answer in answers:
                self._answered(*answer)
        # Last: nothing of them is in the database, and what was not taken comes again.
        self.events.take([one for one in arrived if is_event(one.topic)])


def _judged(topic: Topic | None, arrived: Arrived) -> Report | Lost | Answer:
    if len(arrived.payload) > SIZE_MAX_BYTES:
        raise RefusedError(Cause.OVERSIZED, f"{len(arrived.payload)} bytes where {SIZE_MAX_BYTES} are the most")
    if topic is None:
        raise RefusedError(Cause.UNKNOWN_KIND, f"on {arrived.topic[:120]}")
    if topic.branch is Branch.COMMAND:
        raise RefusedError(Cause.RETAINED_COMMAND, f"{topic.kind} was kept by the broker")
    if topic.branch is Branch.ANSWER:
        if arrived.stored:
            raise RefusedError(Cause.MALFORMED, f"an answer to {topic.kind} was kept by the broker")
        return _read(topic, arrived, Answer)
    if topic.branch is Branch.ONLINE:
        if _is_will(arrived.payload):
            return Lost(stored=arrived.stored)
        return _report(topic, arrived, Group.ONLINE, _read(topic, arrived, Birth))
    known = STATES if topic.branch is Branch.STATE else EVENTS
    model = known.get(topic.kind)
    if model is None:
        raise RefusedError(Cause.UNKNOWN_KIND, f"{topic.branch}/{topic.kind}"[:120])
    return _report(topic, arrived, Group(topic.branch.value), _read(topic, arrived, model))


def _is_will(payload: bytes) -> bool:
    try:
        Will.model_validate_json(payload)
    except ValidationError:
        return False
    return True


def _read(topic: Topic, arrived: Arrived, model: type[M]) -> M:
    try:
        message = model.model_validate_json(arrived.payload)
    except ValidationError as error:
        raise RefusedError(Cause.MALFORMED, f"{topic.branch}/{topic.kind}: {_said(error)}") from None
    if message.unit not in {None, topic.label}:
        raise RefusedError(Cause.WRONG_UNIT, f"{message.unit} on a topic of {topic.label}")
    return message


def _said(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return ".".join(map(str, first["loc"])) + f" {first['msg']}"


def _report(topic: Topic, arrived: Arrived, group: Group, message: Message) -> Report:
    return Report(
        group=group,
        kind=topic.kind,
        boot=message.boot,
        seq=message.seq,
        unit_ns=to_ns(message.time),
        values=message.model_dump(mode="json", exclude=set(ENVELOPE)),
        stored=arrived.stored,
    )
