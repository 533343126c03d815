"""Judges what comes from the broker and hands what is right to the register. What is not is counted, by cause.

Size, topic, JSON, model and label are judged here; order, and whether the unit is one of ours, in the register. That
goes for answers too: one that is out of order, replayed or of a unit that is revoked never reaches who waits for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from pydantic import ValidationError

from gateway.db.errors import DatabaseError
from gateway.telemetry.arrived import Arrived
from gateway.telemetry.floods import Floods
from gateway.telemetry.messages import COMMANDS, ENVELOPE, EVENTS, SIZE_MAX_BYTES, STATES, Answer, Birth, Message, Will
from gateway.telemetry.numbers import Numbers
from gateway.telemetry.onvif_events import is_event
from gateway.telemetry.onvif_inbox import EventInbox
from gateway.telemetry.topics import Branch, Topic, label_in, read
from gateway.units import Cause, Group, Lost, Refusals, Register, Report
from gateway.units.errors import RefusedError
from kernel.clock import to_ns

log = structlog.get_logger()

OUT_OF_TURN = frozenset({Cause.REPLAYED, Cause.OUT_OF_ORDER})
"""What is refused for these has a number that was heard, or was counted as missing, before."""

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to a command, and the report by which its place in the order is judged."""

    report: Report
    answer: Answer


class Inbox:
    """One for everything that comes."""

    def __init__(
        self, register: Register, refusals: Refusals, events: EventInbox, floods: Floods | None = None
    ) -> None:
        self._register = register
        self._refusals = refusals
        self.events = events
        self._floods = floods
        self._numbers = Numbers()
        self._answered: Callable[[str, str, Answer], bool] | None = None
        self.taken = 0
        """How many were."""

    def when_answered(self, callback: Callable[[str, str, Answer], bool]) -> None:
        """Have the answers to commands told: label, kind and answer. It returns whether anybody waited for it."""
        self._answered = callback

    async def take(self, arrived: Sequence[Arrived]) -> None:
        """Judge and hand on. Once it returns, what is right is kept, and what is not is counted.

        What nobody foresaw is counted too, and the rest is taken: the broker keeps what we do not acknowledge, and one
        message that ended us would do so again whenever we came back.

        Raises:
            DatabaseError: nothing was taken or counted: give it again.
        """
        told = [one for one in arrived if not is_event(one.topic)]
        try:
            await self._take(told)
        except DatabaseError:
            raise
        except Exception:  # noqa: BLE001 - see above
            log.warning("unit.batch_failed", messages=len(told))
            for one in told:
                await self._take_alone(one)
        if self._floods is not None:
            self._floods.came(arrived)
        # Last: what was not taken comes again, and would be told twice.
        for one in arrived:
            if is_event(one.topic):
                self._take_event(one)
        await self.events.kept()

    async def _take_alone(self, one: Arrived) -> None:
        try:
            await self._take([one])
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - see take
            self._spare(one, error)

    def _take_event(self, one: Arrived) -> None:
        try:
            self.events.take([one])
        except Exception as error:  # noqa: BLE001 - see take
            self._spare(one, error)

    def _spare(self, one: Arrived, error: Exception) -> None:
        label = label_in(one.topic)
        log.error("unit.message_failed", topic=one.topic[:120], size_bytes=len(one.payload), error=repr(error))
        self._refusals.count(Cause.MALFORMED, label, said=f"{type(error).__name__} at {one.topic[:120]}")

    async def _take(self, arrived: Sequence[Arrived]) -> None:
        judged = [(label_in(one.topic), _tried(one)) for one in arrived]
        reports = [(label, _ordered(found)) for label, found in judged if not isinstance(found, RefusedError)]
        outcomes = iter(await self._register.take_all(reports) if reports else [])
        for label, found in judged:
            if isinstance(found, RefusedError):
                self._refuse(label, found)
                self._numbers.unread(label)
                continue
            report, outcome = _ordered(found), next(outcomes)
            if outcome is None:
                self.taken += 1
                if isinstance(report, Report) and not report.stored:
                    self._came(label, report.boot, report.seq)
                if isinstance(found, Answered):
                    self._hand_on(label, found)
            elif not (report.stored and outcome.cause is Cause.REPLAYED):
                # What the broker had kept comes again whenever we come anew: that is nobody's replay.
                self._refuse(label, outcome)
                if not report.stored and outcome.cause not in OUT_OF_TURN:
                    self._numbers.unread(label)

    def _hand_on(self, label: str, found: Answered) -> None:
        kind, answer = found.report.kind, found.answer
        if self._answered is None or not self._answered(label, kind, answer):
            self._refusals.count(Cause.UNASKED, label, said=f"an answer to {kind} that nobody waits for")

    def _refuse(self, label: str, wrong: RefusedError) -> None:
        self._refusals.count(wrong.cause, label, said=wrong.message)

    def _came(self, label: str, boot: str, seq: int) -> None:
        """Count the numbers before one that never came, if any."""
        missing = self._numbers.came(label, boot, seq) if self._register.knows(label) else 0
        if missing:
            said = f"{missing} before number {seq}: it wrote where it may not, or they were lost"
            self._refusals.count(Cause.MISSING, label, said=said, times=missing)


def _ordered(found: Report | Lost | Answered) -> Report | Lost:
    """Return what the register judges of it."""
    return found.report if isinstance(found, Answered) else found


def _tried(arrived: Arrived) -> "Report | Lost | Answered | RefusedError":
    try:
        return _judged(read(arrived.topic), arrived)
    except RefusedError as error:
        return error


def _judged(topic: Topic | None, arrived: Arrived) -> Report | Lost | Answered:
    if len(arrived.payload) > SIZE_MAX_BYTES:
        raise RefusedError(Cause.OVERSIZED, f"{len(arrived.payload)} bytes where {SIZE_MAX_BYTES} are the most")
    if topic is None:
        raise RefusedError(Cause.UNKNOWN_KIND, f"on {arrived.topic[:120]}")
    if topic.branch is Branch.COMMAND:
        raise RefusedError(Cause.RETAINED_COMMAND, f"{topic.kind} was kept by the broker")
    if topic.branch is Branch.ANSWER:
        if arrived.stored:
            raise RefusedError(Cause.MALFORMED, f"an answer to {topic.kind} was kept by the broker")
        if topic.kind not in COMMANDS:
            raise RefusedError(Cause.UNKNOWN_KIND, f"{topic.branch}/{topic.kind}"[:120])
        answer = _read(topic, arrived, Answer)
        return Answered(_report(topic, arrived, Group.ANSWER, answer), answer)
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
