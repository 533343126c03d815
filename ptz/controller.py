"""The controller of one head: one actor, one request in flight, the latest wish wins, a stop is never lost.

It decides again after every request and every wake, in this order: a stop that is owed (asked for, or the deadman
expired), a command (preset, home, aim, auxiliary), a move that is due, a look at the position.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar, cast

import structlog

from config.steering import SteeringSettings
from kernel.clock import NS_PER_S, Clock
from kernel.errors import SightlineError
from kernel.head import HeadStatus, Position, Preset, Velocity
from ptz.aiming import centre_on, frame_box
from ptz.alarm import Alarm
from ptz.commands import Command, CommandQueue
from ptz.errors import AimError, HeadBusyError, HeadSilentError, PresetsOnlyError
from ptz.ladder import Outcome, StopLadder, stands_between
from ptz.ports import Head
from ptz.shaping import differs, shape
from ptz.state import HeadState

log = structlog.get_logger()

T = TypeVar("T")

STILL = Velocity()


class HeadController:
    """Steers one head. Made by ``ptz.opening.open_controller``, which runs it."""

    def __init__(
        self,
        head: Head,
        *,
        clock: Clock,
        settings: SteeringSettings,
        on_state: Callable[[HeadState], None] = lambda _: None,
    ) -> None:
        self._head = head
        self._clock = clock
        self._settings = settings
        self._on_state = on_state
        self._wish = STILL
        self._sent: Velocity | None = None
        """The move in force as far as we know; None when the head was seen to stand or another move replaced it."""
        self._sent_ns = 0
        self._beat_ns = 0
        self._stop_owed = False
        self._retry_stop_ns = 0
        self._commands = CommandQueue()
        self._poll_due_ns = clock.monotonic_ns()
        self._restless = False
        self._alarm = Alarm(clock)
        self.state = HeadState(presets_only=head.abilities.presets_only)

    # --- what the stick's holder may say; none of it waits for the head but the commands

    def wish(self, velocity: Velocity) -> None:
        """Turn like this from now on; also a heartbeat. Standstill is a stop.

        Raises:
            PresetsOnlyError: this head is not turned freely.
        """
        if velocity.still:
            if not self._wish.still or self._sent is not None:
                self.stop()
            return
        if self.state.presets_only:
            raise PresetsOnlyError(
                "Nothing stops this head once it turns, so it is steered by presets only.", cure="Recall a preset."
            )
        self._wish = velocity
        self.heartbeat()
        self._alarm.ring()

    def heartbeat(self) -> None:
        """Note that the holder is still there."""
        self._beat_ns = self._clock.monotonic_ns()

    def stop(self) -> None:
        """Stand. Goes before everything else and is repeated until the head does."""
        self._wish = STILL
        self._stop_owed = True
        self._retry_stop_ns = 0
        self._commands.overtake()
        self._alarm.ring()

    def let_go(self) -> None:
        """Stop, unless the head rests and nothing was sent that could turn it."""
        if self._sent is not None or self._restless or not self._wish.still or self._stop_owed or self._commands.moving:
            self.stop()

    @property
    def wished(self) -> bool:
        """Return whether a turn is wished now."""
        return not self._wish.still

    async def recall(self, token: str) -> None:
        """Go to a preset."""
        await self._command("recall", lambda: self._head.recall(token), moves=True)

    async def home(self) -> None:
        """Go to the home position."""
        await self._command("home", self._head.go_home, moves=True)

    async def set_home(self) -> None:
        """Make the present position the home position."""
        await self._command("set_home", self._head.set_home, needs_rest=True)

    async def move_to(self, position: Position) -> None:
        """Go to a position in the generic spaces."""
        await self._command("move_to", lambda: self._head.move_to(position), moves=True)

    async def move_in_view(self, right: float, up: float) -> None:
        """Centre a point of the picture; -1..+1 is half its width or height from the centre.

        Raises:
            AimError: this head cannot.
        """
        if not (abs(right) <= 1.0 and abs(up) <= 1.0):
            raise AimError("That point is outside the picture.", cure="Click inside it.")
        if self._head.abilities.fov_relative:
            await self._command("move_in_view", lambda: self._head.move_in_view(right, up), moves=True)
            return

        async def absolute() -> None:
            await self._head.move_to(centre_on(self._head.abilities, await self._look(), right, up))

        await self._command("centre", absolute, moves=True)

    async def zoom_box(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Fill the picture with a box; 0..1 from its top left corner.

        Raises:
            AimError: this head cannot, or the box is too small or outside.
        """
        if not all(0.0 <= edge <= 1.0 for edge in (x0, y0, x1, y1)):
            raise AimError("That box is outside the picture.", cure="Drag it inside.")

        async def framed() -> None:
            await self._head.move_to(frame_box(self._head.abilities, await self._look(), (x0, y0, x1, y1)))

        await self._command("zoom_box", framed, moves=True)

    async def presets(self) -> list[Preset]:
        """Return the head's presets."""
        return await self._command("presets", self._head.presets)

    async def store(self, name: str, token: str | None = None) -> Preset:
        """Store the present position; the head is brought to rest first, since some refuse while moving."""
        return await self._command("store", lambda: self._head.store(name, token), needs_rest=True)

    async def remove(self, token: str) -> None:
        """Forget a preset."""
        await self._command("remove", lambda: self._head.remove(token))

    async def auxiliary(self, command: str) -> None:
        """Send one of the advertised auxiliary commands.

        Raises:
            AimError: the head does not advertise it.
        """
        if command not in self._head.abilities.auxiliary:
            raise AimError(
                f"This camera has no auxiliary command {command!r}.",
                cure=f"It has: {', '.join(self._head.abilities.auxiliary) or 'none'}.",
            )
        await self._command("auxiliary", lambda: self._head.auxiliary(command))

    async def _command(
        self, name: str, call: Callable[[], Awaitable[T]], *, moves: bool = False, needs_rest: bool = False
    ) -> T:
        if moves or needs_rest:
            self._wish = STILL
        answer = self._commands.add(Command(name, call, moves=moves, needs_rest=needs_rest))
        self._alarm.ring()
        return cast("T", await answer)

    # --- the actor

    async def run(self) -> None:
        """Run until cancelled. Expected failures of the head become ``state.fault``; a bug escapes."""
        while True:
            now_ns = self._clock.monotonic_ns()
            if self._stop_wanted(now_ns):
                if now_ns >= self._retry_stop_ns:
                    await self._come_to_rest()
                else:
                    await self._alarm.until(self._retry_stop_ns)
            elif self._commands:
                await self._execute(self._commands.next())
            elif self._move_due_ns() <= now_ns:
                await self._move()
            elif self._head.abilities.status and self._poll_due_ns <= now_ns:
                await self._poll()
            else:
                await self._alarm.until(self._next_due_ns())

    async def leave(self) -> None:
        """Bring a moving head to rest at shutdown, within one climb of the ladder."""
        self._commands.cancel()
        if self._sent is not None or self._stop_owed:
            self._wish = STILL
            await self._come_to_rest()

    def _stop_wanted(self, now_ns: int) -> bool:
        if self._stop_owed:
            return True
        if self._sent is not None and now_ns >= self._deadman_ns():
            log.info("head.deadman")
            self.stop()
            return True
        return False

    def _deadman_ns(self) -> int:
        return self._beat_ns + round(self._settings.deadman_s * NS_PER_S)

    def _pulsed(self) -> bool:
        return self._head.abilities.pulse

    def _move_due_ns(self) -> float:
        """Return when the wish should go to the head (monotonic), infinity for never."""
        if self._wish.still:
            return float("inf")
        if self._sent is None:
            return 0
        wanted = shape(self._wish, self._head.abilities, self._zoom())
        if differs(wanted, self._sent, change=self._settings.change):
            return self._sent_ns + round(NS_PER_S / self._settings.rate_hz)
        refresh_s = self._settings.pulse_s * 0.6 if self._pulsed() else self._settings.refresh_s
        return self._sent_ns + round(refresh_s * NS_PER_S)

    def _next_due_ns(self) -> int:
        due: float = self._move_due_ns()
        if self._head.abilities.status:
            due = min(due, self._poll_due_ns)
        if self._sent is not None:
            due = min(due, self._deadman_ns())
        return int(min(due, self._clock.monotonic_ns() + 3600 * NS_PER_S))

    def _zoom(self) -> float | None:
        return self.state.position.zoom if self.state.position else None

    async def _move(self) -> None:
        velocity = shape(self._wish, self._head.abilities, self._zoom())
        if velocity.still:  # wished only on axes that this head does not have
            self._wish = STILL
            return
        timeout_s = self._settings.pulse_s if self._pulsed() else self._settings.timeout_s
        # Set before the answer: a request that fails may have moved the head all the same, and is not retried.
        self._sent, self._sent_ns = velocity, self._clock.monotonic_ns()
        self._restless = True
        self._poll_due_ns = min(self._poll_due_ns, self._sent_ns + round(self._settings.poll_moving_s * NS_PER_S))
        try:
            await self._call(self._head.move(velocity, timeout_s=timeout_s))
        except SightlineError as error:
            self._note(error)
        else:
            self._show(moving=True, fault=None)

    async def _execute(self, command: Command) -> None:
        was_moving = self._sent is not None
        if command.needs_rest and was_moving and await self._come_to_rest() is not Outcome.STANDS:
            command.fail(HeadBusyError("The head does not stand still.", cure="Try again."))
            return
        if command.answer.cancelled():
            return
        try:
            result = await self._call(command.call())
        except SightlineError as error:
            self._stop_owed = self._stop_owed or (command.moves and self._sent is not None)
            command.fail(error)
            return
        except BaseException:
            command.answer.cancel()  # shutdown, or a bug: nobody may wait for an actor that is gone
            raise
        if command.moves:
            # The command's own move has replaced ours: neither the deadman nor the ladder may cut it short.
            self._sent = None
            self._restless = True
            self._poll_due_ns = 0
        command.finish(result)

    async def _poll(self) -> None:
        try:
            status = await self._call(self._head.status())
        except SightlineError as error:
            self._note(error)
            self._poll_due_ns = self._clock.monotonic_ns() + round(self._settings.poll_idle_s * NS_PER_S)
            return
        before = self.state.position
        self._seen(status)
        stood = before is not None and status.position is not None and stands_between(before, status.position)
        if self._sent is None and (stood or status.position is None):
            self._restless = False
        # Seen to stand by two looks: the ladder's mark is forgiven, enrolment's is not.
        rested = stood and not self._restless
        self._show(moving=self._restless, fault=None, presets_only=self._enrolled_mark() if rested else None)
        period_s = self._settings.poll_moving_s if self._restless else self._settings.poll_idle_s
        self._poll_due_ns = self._clock.monotonic_ns() + round(period_s * NS_PER_S)

    async def _look(self) -> Position | None:
        """Ask for the position now: an aim is computed from where the head is, not from where it was."""
        status = await self._head.status()
        self._seen(status)
        return status.position

    async def _come_to_rest(self) -> Outcome:
        self._stop_owed = False
        outcome = await StopLadder(
            head=self._head,
            settings=self._settings,
            pause=self._pause,
            superseded=self._superseded,
            seen=self._seen,
        ).climb()
        if outcome is Outcome.STANDS:
            self._sent, self._restless = None, False
            self._show(moving=False, fault=None, presets_only=self._enrolled_mark())
        elif outcome is Outcome.UNSTOPPABLE:
            self._sent, self._restless = None, True
            log.error("head.unstoppable")
            self._show(moving=True, presets_only=True, fault=PresetsOnlyError("Nothing stops this head."))
        elif outcome is Outcome.SILENT:
            # A stop is never lost: it stays owed until the head answers, but does not spin on a dead link.
            self._stop_owed = True
            self._retry_stop_ns = self._clock.monotonic_ns() + NS_PER_S
            self._show(moving=True, fault=HeadSilentError("The head does not answer to stop.", cure="Watch it."))
        # Not at once: a look at the same instant as the ladder's last would pass for standstill.
        self._poll_due_ns = self._clock.monotonic_ns() + round(self._settings.poll_moving_s * NS_PER_S)
        return outcome

    def _superseded(self) -> bool:
        return not self._wish.still or self._commands.moving

    # --- waiting

    async def _call(self, request: Awaitable[T]) -> T:
        """Await the one request in flight, but give it up where a stop has waited ``abandon_s`` for it."""
        task = asyncio.ensure_future(request)
        try:
            while not task.done() and not self._stop_wanted(self._clock.monotonic_ns()):
                horizon_ns = self._clock.monotonic_ns() + 3600 * NS_PER_S
                await self._alarm.until(self._deadman_ns() if self._sent is not None else horizon_ns, task)
            if not task.done():
                grace_ns = self._clock.monotonic_ns() + round(self._settings.abandon_s * NS_PER_S)
                while not task.done() and self._clock.monotonic_ns() < grace_ns:
                    await self._alarm.until(grace_ns, task)
            if not task.done():
                raise HeadSilentError("The head did not answer in time, and a stop had to go.", cure="Try again.")
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _pause(self, duration_s: float) -> None:
        """Wait the whole time unless superseded: another stop must not bring two looks at the position together."""
        deadline_ns = self._clock.monotonic_ns() + round(duration_s * NS_PER_S)
        while self._clock.monotonic_ns() < deadline_ns and not self._superseded():
            await self._alarm.until(deadline_ns)

    # --- telling

    def _seen(self, status: HeadStatus) -> None:
        self.state = replace(self.state, position=status.position, wall_ns=status.wall_ns)
        self._on_state(self.state)

    def _note(self, error: SightlineError) -> None:
        if self.state.fault is None or self.state.fault.code != error.code:
            log.warning("head.fault", error=error.code)
        self._show(moving=self.state.moving, fault=error)

    def _enrolled_mark(self) -> bool:
        return self._head.abilities.presets_only

    def _show(self, *, moving: bool, fault: SightlineError | None, presets_only: bool | None = None) -> None:
        mark = self.state.presets_only if presets_only is None else presets_only
        shown = replace(self.state, moving=moving, fault=fault, presets_only=mark)
        if shown != self.state:
            self.state = shown
            self._on_state(shown)
