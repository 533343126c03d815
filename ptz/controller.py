"""The controller of one head: one actor, one request in flight, the latest wish wins, a stop is never lost.

It decides again after every request and every wake, in this order: a stop that is owed (asked for, or the deadman
expired), a command (preset, home, aim, auxiliary), a look that bounds wait for, a move that is due, a look.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import structlog

from config.steering import SteeringSettings
from kernel.clock import NS_PER_S, Clock
from kernel.errors import SightlineError
from kernel.head import HeadStatus, Position, Velocity
from ptz.alarm import Alarm
from ptz.arbitration import Priority
from ptz.bounds import Bounds
from ptz.commands import Command, CommandQueue
from ptz.deadman import STILL, Deadman
from ptz.errors import HeadBusyError, HeadSilentError, PresetsOnlyError
from ptz.guard import Guard, Verdict
from ptz.ladder import Outcome, Rest, StopLadder
from ptz.orders import Orders
from ptz.ports import Head
from ptz.shaping import differs, shape
from ptz.state import Bar, HeadState
from ptz.telling import Teller

log = structlog.get_logger()

T = TypeVar("T")


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
        self._wish = STILL
        self._sent: Velocity | None = None
        """The move in force as far as we know; None when the head was seen to stand or another move replaced it."""
        self._sent_ns = 0
        self._stop_owed = False
        self._retry_stop_ns = 0
        self._commands = CommandQueue()
        self._poll_due_ns = clock.monotonic_ns()
        self._restless = self._travels = False
        self._rest = Rest(apart_s=settings.poll_moving_s)
        self._alarm = Alarm(clock)
        self._guard = Guard(head, clock=clock, settings=settings)
        self._deadman = Deadman(self._guard, clock=clock, settings=settings)
        self.orders = Orders(head, self._guard, put=self._command, look=self._look)
        self._told = Teller(head, on_state)

    @property
    def state(self) -> HeadState:
        """Return what everybody may see of the head."""
        return self._told.state

    # --- what the stick's holder may say; none of it waits for the head but the commands

    def wish(self, velocity: Velocity, hand: Priority = Priority.ROOM) -> None:
        """Turn like this from now on; also a heartbeat. Standstill is a stop.

        Raises:
            PresetsOnlyError: this head is not turned freely.
            BoundsUnkeptError: bounds bind this hand, and nothing shows where the head looks.
        """
        if velocity.still:
            self._deadman.forget()
            if not self._wish.still or self._sent is not None:
                self.stop(hand)
            return
        if self.state.presets_only:
            raise PresetsOnlyError(
                "Nothing stops this head once it turns, so it is steered by presets only.", cure="Recall a preset."
            )
        self._guard.allow_free(hand)
        self._deadman.wished(hand)
        if self._going_back(hand):
            return
        self._guard.begins(hand)
        self._wish = velocity
        self._alarm.ring()

    def heartbeat(self) -> None:
        """Note that the holder is still there; what was stopped for want of a beat is wished again, as by ``wish``."""
        if lapsed := self._deadman.beat():
            self.wish(*lapsed)

    def stop(self, hand: Priority = Priority.ROOM) -> None:
        """Stand. Goes before everything else and is repeated until the head does.

        Only the way back from where a head strayed goes on, where somebody stops it whom the bound binds.
        """
        self._deadman.forget()
        if self._going_back(hand):
            return
        self._guard.stopped_by(hand)
        self._wish = STILL
        self._stop_owed = True
        self._retry_stop_ns = 0
        self._commands.overtake()
        self._alarm.ring()

    def let_go(self, hand: Priority = Priority.ROOM) -> None:
        """Stop, unless the head rests and nothing was sent that could turn it."""
        self._deadman.forget()
        if self._sent is not None or self._restless or not self._wish.still or self._stop_owed or self._commands.moving:
            self.stop(hand)
        self._told.bar(None)

    def taken_over(self, hand: Priority) -> None:
        """Stop for somebody else, whose head it is from now on."""
        self._guard.begins(hand)
        self.stop(hand)
        self._told.bar(None)

    def keep_within(self, bounds: Bounds) -> None:
        """Keep the head within these bounds from now on."""
        if bounds != self._guard.bounds:
            self._guard.bounds = bounds
            self._poll_due_ns = self._clock.monotonic_ns()
            self._alarm.ring()

    def _going_back(self, hand: Priority) -> bool:
        return self._guard.returning and not self._stop_owed and self._guard.binds(hand)

    @property
    def wished(self) -> bool:
        """Return whether a turn is wished now."""
        return not self._wish.still

    async def _command(
        self, name: str, call: Callable[[], Awaitable[T]], *, moves: bool = False, needs_rest: bool = False
    ) -> T:
        if moves or needs_rest:
            self._wish = STILL
            self._deadman.forget()
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
                    await self._keep_bounds()
                else:
                    await self._alarm.until(self._retry_stop_ns)
            elif self._commands:
                await self._execute(self._commands.next())
            elif self._look_first(now_ns):
                await self._poll()
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
        if self._sent is not None and now_ns >= self._deadman.due_ns:
            log.info("head.deadman")
            lapsed = STILL if self._guard.returning else self._wish
            self._stop_owed = True  # whatever is going on: also a way back that is not seen
            self.stop()
            self._deadman.expire(lapsed)
            return True
        return False

    def _look_first(self, now_ns: int) -> bool:
        """Return whether no move may go before a look."""
        return not self._wish.still and self._guard.bound and not self._guard.blind and self._guard.stale_ns <= now_ns

    def _move_due_ns(self) -> float:
        """Return when the wish should go to the head (monotonic), infinity for never."""
        if self._wish.still:
            return float("inf")
        if self._sent is None:
            return 0
        wanted, _ = self._wanted()
        if differs(wanted, self._sent, change=self._settings.change):
            return self._sent_ns + round(NS_PER_S / self._settings.rate_hz)
        refresh_s = self._settings.pulse_s * 0.6 if self._head.abilities.pulse else self._settings.refresh_s
        return self._sent_ns + round(refresh_s * NS_PER_S)

    def _next_due_ns(self) -> int:
        due = min(self._move_due_ns(), self._poll_due_ns if self._head.abilities.status else float("inf"))
        if self._sent is not None:
            due = min(due, self._deadman.due_ns)
        return int(min(due, self._clock.monotonic_ns() + 3600 * NS_PER_S))

    def _wanted(self) -> tuple[Velocity, Bar | None]:
        """Return what the wish comes to, and the bound that holds a part of it back."""
        at = self.state.position
        return self._guard.trim(shape(self._wish, self._head.abilities, at.zoom if at else None))

    async def _move(self) -> None:
        if self._travels and self._guard.bound and not self._guard.returning:
            self._stop_owed = True  # what its own speed adds is not known: a bound wish begins at rest
            return
        velocity, bar = self._wanted()
        if not self._guard.returning:
            self._told.bar(bar)
        if velocity.still:  # held back by a bound, or wished only on axes that this head does not have
            self._wish = STILL
            self._stop_owed = self._stop_owed or self._sent is not None
            return
        timeout_s = self._settings.pulse_s if self._head.abilities.pulse else self._settings.timeout_s
        # Set before the answer: a request that fails may have moved the head all the same, and is not retried.
        self._sent, self._sent_ns = velocity, self._clock.monotonic_ns()
        self._restless = True
        self._guard.pace.sent(velocity, self._sent_ns)
        self._poll_due_ns = min(self._poll_due_ns, self._sent_ns + self._poll_ns())
        try:
            await self._call(self._head.move(velocity, timeout_s=timeout_s))
        except SightlineError as error:
            self._told.note(error)
        else:
            self._guard.pace.took((self._clock.monotonic_ns() - self._sent_ns) / NS_PER_S)
            self._told.show(moving=True, fault=None)

    async def _execute(self, command: Command) -> None:
        if command.answer.cancelled():
            return
        bound = command.moves and self._guard.bound and (self._travels or self._sent is not None)
        try:
            if (
                bound or (command.needs_rest and self._sent is not None)
            ) and await self._come_to_rest() is not Outcome.STANDS:
                raise HeadBusyError("The head does not stand still.", cure="Try again.")  # noqa: TRY301 - answered below
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
            self._replaced()
            self._poll_due_ns = 0
            self._told.bar(None)
        command.finish(result)

    def _poll_ns(self) -> int:
        """Return how long until the next look."""
        settings = self._settings
        moving_s = settings.poll_bound_s if self._guard.bound else settings.poll_moving_s
        return round((moving_s if self._restless else settings.poll_idle_s) * NS_PER_S)

    async def _poll(self) -> None:
        asked_ns = self._clock.monotonic_ns()
        try:
            status = await self._call(self._head.status())
        except SightlineError as error:
            self._told.note(error)
            unseen_s = self._settings.poll_moving_s if self._guard.bound and self._restless else None
            self._poll_due_ns = self._clock.monotonic_ns() + round((unseen_s or self._settings.poll_idle_s) * NS_PER_S)
            if self._sent is None and self._guard.bound:
                self._wish = STILL  # a move that waits for a look does not wait for ever
            return
        self._guard.pace.took((self._clock.monotonic_ns() - asked_ns) / NS_PER_S)
        self._seen(status, asked_ns)
        stood = self._rest.seen(status.position, asked_ns)
        if self._sent is None and (stood or status.position is None):
            self._restless = self._travels = False
        if stood and not self._restless:
            self._told.rested()
        else:
            self._told.show(moving=self._restless, fault=None)
        await self._keep_bounds()
        self._poll_due_ns = self._clock.monotonic_ns() + self._poll_ns()

    async def _look(self) -> Position | None:
        """Ask for the position now: an aim is computed from where the head is, not from where it was."""
        asked_ns = self._clock.monotonic_ns()
        status = await self._head.status()
        self._seen(status, asked_ns)
        return status.position

    async def _keep_bounds(self) -> None:
        """Do what the bounds ask for after a look."""
        match self._guard.verdict(restless=self._restless, driven=self._sent is not None):
            case None:
                return
            case Verdict.STOP:
                self._commands.overtake()
                self._stop_owed, self._wish = self._restless, STILL
            case _:
                await self._go_back()
        self._told.bar(self._guard.bar)

    async def _go_back(self) -> None:
        """Move towards the last position within bounds: to it, or little by little where the head knows no position."""
        if not self._head.abilities.absolute:
            self._wish = self._guard.way_out()
            self._deadman.beat()
        elif not self._restless and self._guard.haven is not None:
            try:
                await self._call(self._head.move_to(self._guard.haven))
            except SightlineError as error:
                self._told.note(error)
            self._replaced()

    def _replaced(self) -> None:
        """Take in that a move of the head's own has replaced ours."""
        self._sent, self._restless, self._travels = None, True, True
        self._rest.disturbed(self._clock.monotonic_ns())
        self._guard.pace.sent(None, self._clock.monotonic_ns())

    async def _come_to_rest(self) -> Outcome:
        self._stop_owed = False
        self._guard.stopping()
        outcome = await StopLadder(
            head=self._head,
            settings=self._settings,
            pause=self._pause,
            superseded=self._superseded,
            seen=self._seen,
        ).climb()
        if outcome is Outcome.STANDS:
            self._sent, self._restless, self._travels = None, False, False
            self._told.rested()
            if self._guard.errand is not None:
                self._commands.go_on(self.orders.recall_again(self._guard.errand))
        elif outcome is Outcome.UNSTOPPABLE:
            self._sent, self._restless, self._travels = None, True, False
            log.error("head.unstoppable")
            self._told.show(moving=True, presets_only=True, fault=PresetsOnlyError("Nothing stops this head."))
        elif outcome is Outcome.SILENT:
            # A stop is never lost: it stays owed until the head answers, but does not spin on a dead link.
            self._stop_owed = True
            self._retry_stop_ns = self._clock.monotonic_ns() + NS_PER_S
            self._told.show(moving=True, fault=HeadSilentError("The head does not answer to stop.", cure="Watch it."))
        # Not at once: a look at the same instant as the ladder's last would pass for standstill.
        apart_s = self._settings.poll_bound_s if self._guard.bound else self._settings.poll_moving_s
        self._poll_due_ns = self._clock.monotonic_ns() + round(apart_s * NS_PER_S)
        return outcome

    def _superseded(self) -> bool:
        settling = self._travels and self._guard.bound
        return not (settling or self._wanted()[0].still) or self._commands.moving

    def _seen(self, status: HeadStatus, asked_ns: int | None = None) -> None:
        self._guard.saw(status.position, asked_ns=self._clock.monotonic_ns() if asked_ns is None else asked_ns)
        self._told.seen(status)

    # --- waiting

    async def _call(self, request: Awaitable[T]) -> T:
        """Await the one request in flight, but give it up where a stop has waited ``abandon_s`` for it."""
        task = asyncio.ensure_future(request)
        try:
            while not task.done() and not self._stop_wanted(self._clock.monotonic_ns()):
                horizon_ns = self._clock.monotonic_ns() + 3600 * NS_PER_S
                await self._alarm.until(self._deadman.due_ns if self._sent is not None else horizon_ns, task)
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
        await self._alarm.through(self._clock.monotonic_ns() + round(duration_s * NS_PER_S), unless=self._superseded)
