"""Commands to units: sent once, never kept by a broker, worthless after a while, answered by their number."""

import asyncio
from collections.abc import Awaitable
from typing import Any, Protocol

import structlog

from gateway.telemetry.errors import TooManyCommandsError, UnansweredError, UnitAwayError
from gateway.telemetry.messages import COMMANDS, Answer
from gateway.telemetry.topics import Branch, Topic
from gateway.units import Link, Register
from kernel.clock import NS_PER_S, Clock, utc
from kernel.ids import new_id

log = structlog.get_logger()

EXPIRY_S = 30
WAITING_MAX = 64


class Send(Protocol):
    """Sends one message that is not kept; returns once the broker has it."""

    def __call__(self, topic: str, payload: str, *, expiry_s: int) -> Awaitable[None]:
        """Raises BrokerAwayError."""
        ...


class Commands:
    """One for all units."""

    def __init__(self, register: Register, send: Send, *, clock: Clock) -> None:
        self._register = register
        self._send = send
        self._clock = clock
        self._boot = new_id()
        self._seq = 0
        self._waiting: dict[str, tuple[str, str, asyncio.Future[Answer]]] = {}

    async def send(self, label: str, name: str, **values: str | int | None) -> Answer:
        """Tell a unit something and return its answer, which may be that it does not do it.

        Raises:
            UnknownUnitError: there is no such unit.
            RetiredUnitError: it is retired.
            UnitAwayError: it is not there, or no certificate of it is good: nothing was sent.
            BrokerAwayError: nor was it, for want of a broker.
            UnansweredError: it was sent, and no answer came in time.
            TooManyCommandsError: too many wait already.
        """
        self._register.check_in_use(label)
        if self._register.link(label) not in {Link.ONLINE, Link.SILENT}:
            raise UnitAwayError(f"The unit {label} is not there.", cure="Wait until it calls in.")
        if not self._register.certified(label):
            # It may still be connected for a moment; its answer would be refused.
            raise UnitAwayError(f"The unit {label} has no certificate that is good.", cure="Give it a new one.")
        if len(self._waiting) >= WAITING_MAX:
            raise TooManyCommandsError("Too many commands wait for an answer.", cure="Wait for some of them.")
        self._seq += 1
        now_ns = self._clock.wall_ns()
        command = COMMANDS[name](
            id=new_id(),
            seq=self._seq,
            boot=self._boot,
            time=utc(now_ns),
            expires=utc(now_ns + EXPIRY_S * NS_PER_S),
            **values,  # type: ignore[arg-type]
        )
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[command.id] = label, name, answer
        ending = asyncio.create_task(self._clock.sleep(EXPIRY_S), name="command's end")
        try:
            payload = command.model_dump_json(exclude={"unit"})
            await self._send(str(Topic(label, Branch.COMMAND, name)), payload, expiry_s=EXPIRY_S)
            waited: set[asyncio.Future[Any]] = {answer, ending}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._waiting[command.id]
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)
        if not answer.done():
            raise UnansweredError(
                f"The unit {label} did not answer within {EXPIRY_S} s.", cure="Look at its signal, and try again."
            )
        log.info("unit.command_answered", unit=label, command=name, ok=answer.result().ok)
        return answer.result()

    def answered(self, label: str, kind: str, answer: Answer) -> bool:
        """Take an answer. Return whether anybody waited for it: of this unit, to this command, and for the first."""
        waiting = self._waiting.get(answer.id)
        if waiting is None or waiting[:2] != (label, kind) or waiting[2].done():
            return False
        waiting[2].set_result(answer)
        return True
