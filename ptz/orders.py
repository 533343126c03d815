"""What may be ordered of a head besides turning it: presets, home, aims, auxiliary commands.

Orders name the hand that gives them. One that a bound binds is refused what would look where it must not, and what
cannot be told beforehand: the way to a preset whose position the camera keeps to itself, home, and auxiliary commands
that may start a patrol. It is refused before anything that moves is sent.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from kernel.head import Position, Preset
from ptz.aiming import centre_on, frame_box, target_of
from ptz.arbitration import Priority
from ptz.commands import Command
from ptz.errors import AimError, OutOfBoundsError
from ptz.guard import Guard
from ptz.ports import Head

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

ROOM = Priority.ROOM
STILL_COMMANDS = ("tt:wiper|", "tt:washer|", "tt:irlamp|")
"""Auxiliary commands that the standard says what they do, and that move nothing (PTZ service, section 5.8)."""


class Put(Protocol):
    """Has the controller make a request in its turn, and returns the answer."""

    async def __call__(
        self, name: str, call: Callable[[], Awaitable[T]], *, moves: bool = False, needs_rest: bool = False
    ) -> T:
        """Wait for the answer; raises what the request raises, and HeadBusyError."""
        ...


class Orders:
    """One head's."""

    def __init__(self, head: Head, guard: Guard, *, put: Put, look: Callable[[], Awaitable[Position | None]]) -> None:
        self._head = head
        self._guard = guard
        self._put = put
        self._look = look

    async def recall(self, token: str, hand: Priority = ROOM) -> None:
        """Go to a preset.

        Raises:
            OutOfBoundsError: this hand is bound, and the preset lies out of bounds, or nobody knows where.
            BoundsUnkeptError: the bounds are of another place.
        """

        async def call() -> None:
            if self._guard.binds(hand):
                await self._judge_preset(token, hand)
            self._guard.begins(hand)
            self._guard.errand = token if self._guard.bound and self._guard.blind else None
            await self._head.recall(token)

        await self._put("recall", call, moves=True)

    def recall_again(self, token: str) -> Command:
        """Return the command that sends the head on to a preset; nobody waits for its answer."""
        command = Command("recall", lambda: self._head.recall(token), moves=True, needs_rest=False)
        command.answer.add_done_callback(lambda answer: answer.cancelled() or answer.exception())
        return command

    async def _judge_preset(self, token: str, hand: Priority) -> None:
        here = None if self._guard.blind else await self._look()
        known = next((preset for preset in await self._head.presets() if preset.token == token), None)
        if known is None or known.position is None:
            raise _unknown("Where that preset looks, the camera does not tell, so no bound can be kept on the way.")
        self._guard.judge(known.position, hand, here)

    async def home(self, hand: Priority = ROOM) -> None:
        """Go to the home position.

        Raises:
            OutOfBoundsError: this hand is bound: where home looks, no camera tells.
        """
        if self._guard.binds(hand):
            raise _unknown("Where home looks, the camera does not tell, so its bounds cannot be kept.")

        async def call() -> None:
            self._guard.begins(hand)
            await self._head.go_home()

        await self._put("home", call, moves=True)

    async def set_home(self) -> None:
        """Make the present position the home position."""
        await self._put("set_home", self._head.set_home, needs_rest=True)

    async def move_to(self, position: Position, hand: Priority = ROOM) -> None:
        """Go to a position in the generic spaces.

        Raises:
            OutOfBoundsError, BoundsUnkeptError: this hand is bound, and may not.
        """

        async def call() -> None:
            if self._guard.binds(hand):
                self._guard.allow_free(hand)
                self._guard.judge(position, hand, await self._look())
            self._guard.begins(hand)
            await self._head.move_to(position)

        await self._put("move_to", call, moves=True)

    async def move_in_view(self, right: float, up: float, hand: Priority = ROOM) -> None:
        """Centre a point of the picture; -1..+1 is half its width or height from the centre.

        Raises:
            AimError: this head cannot.
            OutOfBoundsError, BoundsUnkeptError: this hand is bound, and may not.
        """
        if not (abs(right) <= 1.0 and abs(up) <= 1.0):
            raise AimError("That point is outside the picture.", cure="Click inside it.")
        self._guard.allow_free(hand)
        relative = self._head.abilities.fov_relative

        async def call() -> None:
            if not relative or self._guard.binds(hand):
                here = await self._look()
                target = (target_of if relative else centre_on)(self._head.abilities, here, right, up)
                self._guard.judge(target, hand, here)
            self._guard.begins(hand)
            if relative:
                await self._head.move_in_view(right, up)
            else:
                await self._head.move_to(target)

        await self._put("move_in_view" if relative else "centre", call, moves=True)

    async def zoom_box(self, x0: float, y0: float, x1: float, y1: float, hand: Priority = ROOM) -> None:
        """Fill the picture with a box; 0..1 from its top left corner.

        Raises:
            AimError: this head cannot, or the box is too small or outside.
            OutOfBoundsError, BoundsUnkeptError: this hand is bound, and may not.
        """
        if not all(0.0 <= edge <= 1.0 for edge in (x0, y0, x1, y1)):
            raise AimError("That box is outside the picture.", cure="Drag it inside.")
        self._guard.allow_free(hand)

        async def call() -> None:
            here = await self._look()
            target = frame_box(self._head.abilities, here, (x0, y0, x1, y1))
            self._guard.judge(target, hand, here)
            self._guard.begins(hand)
            await self._head.move_to(target)

        await self._put("zoom_box", call, moves=True)

    async def presets(self) -> list[Preset]:
        """Return the head's presets."""
        return await self._put("presets", self._head.presets)

    async def store(self, name: str, token: str | None = None) -> Preset:
        """Store the present position; the head is brought to rest first, since some refuse while moving."""
        return await self._put("store", lambda: self._head.store(name, token), needs_rest=True)

    async def remove(self, token: str) -> None:
        """Forget a preset."""
        await self._put("remove", lambda: self._head.remove(token))

    async def auxiliary(self, command: str, hand: Priority = ROOM) -> None:
        """Send one of the advertised auxiliary commands.

        Raises:
            AimError: the head does not advertise it.
            OutOfBoundsError: this hand is bound, and the command may move the head.
        """
        if command not in self._head.abilities.auxiliary:
            raise AimError(
                f"This camera has no auxiliary command {command!r}.",
                cure=f"It has: {', '.join(self._head.abilities.auxiliary) or 'none'}.",
            )
        if self._guard.binds(hand) and not command.lower().startswith(STILL_COMMANDS):
            raise _unknown("That command may move the camera, and its bounds could not be kept.")
        await self._put("auxiliary", lambda: self._head.auxiliary(command))


def _unknown(why: str) -> OutOfBoundsError:
    return OutOfBoundsError(why, cure="Steer there, or ask the control room.", kind="unknown", bound="")
