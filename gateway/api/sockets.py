"""What every WebSocket of ours keeps to: how much may be said on one, how many one session may have."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from fastapi import WebSocket, WebSocketDisconnect

from gateway.api.errors import ControlSocketError, TooManySocketsError
from kernel.clock import NS_PER_S, Clock

log = structlog.get_logger()

MESSAGES_PER_S = 100
SOCKETS_PER_SESSION = 16
POLICY = 1008
"""Close code of a socket on which nonsense or a flood came (RFC 6455 section 7.4.1)."""
SIGNED_OUT = 4401
"""Close code of a socket whose session has ended."""
BARRED = 4403
"""Close code of a socket that acts, whose user may not do that any more or whose session was locked."""
REASON_MAX = 100
"""Characters of a close reason; the frame holds 123 bytes."""


class Rate:
    """Counts what arrives within a second."""

    __slots__ = ("_clock", "_cure", "_times")

    def __init__(self, clock: Clock, *, cure: str) -> None:
        self._clock = clock
        self._cure = cure
        self._times: deque[int] = deque(maxlen=MESSAGES_PER_S)

    def count(self) -> None:
        """Count one message.

        Raises:
            ControlSocketError: more than :data:`MESSAGES_PER_S` came within a second.
        """
        now_ns = self._clock.monotonic_ns()
        if len(self._times) == MESSAGES_PER_S and now_ns - self._times[0] < NS_PER_S:
            raise ControlSocketError(f"More than {MESSAGES_PER_S} messages came within a second.", cure=self._cure)
        self._times.append(now_ns)


class Places:
    """How many events sockets each session has open."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._told: set[str] = set()

    @contextmanager
    def one(self, session: str) -> Iterator[None]:
        """Hold one of a session's places for the time of the block.

        Raises:
            TooManySocketsError: all :data:`SOCKETS_PER_SESSION` are taken. Logged once until all are left.
        """
        if self._open[session] >= SOCKETS_PER_SESSION:
            if session not in self._told:
                self._told.add(session)
                log.warning("events.too_many", session=session, sockets=SOCKETS_PER_SESSION)
            raise TooManySocketsError(
                f"This session has {SOCKETS_PER_SESSION} event sockets open, which is the most.",
                cure="Close a window of the console, or a program that uses the same token.",
            )
        self._open[session] += 1
        try:
            yield
        finally:
            self._open[session] -= 1
            if not self._open[session]:
                del self._open[session]
                self._told.discard(session)


async def only_tell(
    websocket: WebSocket,
    *jobs: Coroutine[Any, Any, None],
    over: Callable[[], bool],
    clock: Clock,
    nonsense: Callable[[str], None],
) -> None:
    """Run a socket that only tells until its reader leaves, says something, or one of ``jobs`` is done; then close it.

    ``over`` says whether the session has ended; ``nonsense`` is told what is wrong with what the reader said.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(_listen(websocket, clock))
            running: list[asyncio.Task[Any]] = [listening, *map(tasks.create_task, jobs)]
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for one in running:
                one.cancel()
        # Closed here, where nobody is sending any more.
        error = None if listening.cancelled() else listening.result()
        if error is not None:
            nonsense(error.message)
            await websocket.close(POLICY, error.message[:REASON_MAX])
        elif over():
            await websocket.close(SIGNED_OUT, "Your session has ended.")
    except* WebSocketDisconnect:
        pass


async def _listen(websocket: WebSocket, clock: Clock) -> ControlSocketError | None:
    """Read until the reader leaves, or return what is wrong with what it says; no text means anything here."""
    rate = Rate(clock, cure="Say nothing here: this socket only tells.")
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        if message.get("text") is None:
            return ControlSocketError("A binary message came.", cure="Say nothing here: this socket only tells.")
        try:
            rate.count()
        except ControlSocketError as error:
            return error
