"""Commands that wait for a head: at most a handful, and a stop overtakes those that would move it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from kernel.errors import SightlineError
from ptz.errors import HeadBusyError

WAITING_MAX = 8


@dataclass(slots=True)
class Command:
    """One request to a head and who waits for its answer."""

    name: str
    call: Callable[[], Awaitable[Any]]
    moves: bool
    needs_rest: bool
    answer: asyncio.Future[Any] = field(init=False)

    def __post_init__(self) -> None:
        """Make the answer on the running loop."""
        self.answer = asyncio.get_running_loop().create_future()

    def finish(self, result: Any) -> None:
        """Answer, unless nobody waits any more."""
        if not self.answer.done():
            self.answer.set_result(result)

    def fail(self, error: SightlineError) -> None:
        """Refuse, unless nobody waits any more."""
        if not self.answer.done():
            self.answer.set_exception(error)


class CommandQueue:
    """First come, first served."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: deque[Command] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def moving(self) -> bool:
        """Return whether one of them will move the head."""
        return any(command.moves for command in self._waiting)

    def add(self, command: Command) -> asyncio.Future[Any]:
        """Append and return its answer.

        Raises:
            HeadBusyError: too many are waiting.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise HeadBusyError("This head is still busy with earlier commands.", cure="Wait a moment.")
        self._waiting.append(command)
        return command.answer

    def go_on(self, command: Command) -> None:
        """Put something that was begun before all others, however many there are."""
        self._waiting.appendleft(command)

    def next(self) -> Command:
        """Take the oldest."""
        return self._waiting.popleft()

    def overtake(self) -> None:
        """Refuse those that would move the head; questions stay."""
        for command in self._waiting:
            if command.moves:
                command.fail(HeadBusyError("A stop came first.", cure="Ask again."))
        self._waiting = deque(command for command in self._waiting if not command.moves)

    def cancel(self) -> None:
        """Give everybody up at shutdown."""
        for command in self._waiting:
            command.answer.cancel()
        self._waiting.clear()
