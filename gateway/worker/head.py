"""One head on this host: its controller, the stick, and what an operator may know of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from config.steering import SteeringSettings
from gateway.fleet import rpc, wishes
from gateway.worker.problems import problem_of
from kernel.clock import Clock
from kernel.geography import bearing_wrap
from kernel.head import Preset, Velocity
from ptz import Head, HeadController, HeadState, Holder, Priority, Stick, open_controller
from ptz.aiming import Geometry

_log = structlog.get_logger(__name__)


class HeadSeat:
    """Made by :func:`open_seat`. Every wish names its holder, and only the holder of the stick is heard."""

    def __init__(self, head: Head, controller: HeadController, stick: Stick, *, changed: Callable[[], None]) -> None:
        self.abilities = head.abilities
        self.controller = controller
        self.stick = stick
        self.bearing_deg: float | None = None
        self._changed = changed

    def take(self, wish: wishes.StickWish) -> rpc.StickState:
        """Give the stick to somebody, or only say who holds it.

        Raises:
            StickHeldError: another holds it.
        """
        if wish.take:
            lost = self.stick.take(Holder(id=wish.holder, name=wish.name, priority=wish.priority))
            if lost is not None:
                # The wish in force is the loser's; the winner begins with a head at rest.
                self.controller.taken_over(wish.priority)
            self._changed()
        return self.stick_state()

    def release(self, holder: str) -> rpc.StickState:
        """Let go; a head that the holder left turning is stopped."""
        held = self.stick.state.holder
        if held is not None and self.stick.release(holder):
            # Not asked whether it moves: that is known only once the head has answered, which may be later.
            self.controller.let_go(held.priority)
            self._changed()
        return self.stick_state()

    async def steer(self, wish: wishes.SteerWish) -> None:
        """Do what the holder wishes. Moves return at once, commands when the head has taken them.

        Raises:
            StickNotHeldError: ``wish.holder`` does not hold the stick.
            SteeringError, CameraError: the head cannot, or does not.
        """
        hand = self._hand(wish)
        match wish.wish:
            case wishes.Stop():
                # A stop is obeyed whoever sends it: it cannot do harm, and must never be too late.
                self.controller.stop(hand)
                return
            case wishes.Beat():
                if self._beaten(wish.holder):
                    return
        self.stick.touch(wish.holder)
        match wish.wish:
            case wishes.Move(pan=pan, tilt=tilt, zoom=zoom):
                self.controller.wish(Velocity(pan, tilt, zoom), hand)
            case wishes.MoveInView(right=right, up=up):
                await self.controller.orders.move_in_view(right, up, hand)
            case wishes.ZoomBox(x0=x0, y0=y0, x1=x1, y1=y1):
                await self.controller.orders.zoom_box(x0, y0, x1, y1, hand)
            case wishes.RecallPreset(token=token):
                await self.controller.orders.recall(token, hand)
            case wishes.GoHome():
                await self.controller.orders.home(hand)
            case wishes.Auxiliary(command=command):
                await self.controller.orders.auxiliary(command, hand)

    def _hand(self, wish: wishes.SteerWish) -> Priority:
        """Return whose hand it is: a guest's, where either the wish or the taking of the stick says so."""
        held = self.stick.state.holder
        return min(wish.priority, held.priority) if held is not None and held.id == wish.holder else wish.priority

    def _beaten(self, holder: str) -> bool:
        """Note a beat of the holder's; False where another sent it. Only a deflected stick is touched by it."""
        if self.stick.state.holder is None or self.stick.state.holder.id != holder:
            return False
        self.controller.heartbeat()
        if self.controller.wished:
            self.stick.touch(holder)
        return True

    async def presets(self) -> wishes.PresetList:
        """Return the head's presets and abilities."""
        return wishes.PresetList(presets=tuple(await self.controller.orders.presets()), abilities=self.abilities)

    async def store(self, wish: wishes.StorePreset) -> Preset:
        """Store where the head points."""
        return await self.controller.orders.store(wish.name, wish.token)

    async def remove(self, token: str) -> None:
        """Forget a preset."""
        await self.controller.orders.remove(token)

    def stick_state(self) -> rpc.StickState:
        """Return who holds the stick."""
        state = self.stick.state
        if state.holder is None:
            return rpc.StickState()
        return rpc.StickState(
            holder=state.holder.id, name=state.holder.name, since_ns=state.since_ns, idle_s=round(state.idle_s, 1)
        )

    def facts(self) -> rpc.HeadFacts:
        """Return where the head points, in degrees where its ranges are known."""
        state = self.controller.state
        problem = problem_of(state.fault) if state.fault is not None else None
        if state.position is None:
            return rpc.HeadFacts(moving=state.moving, at_ns=state.wall_ns or None, problem=problem, bar=state.bar)
        position, geometry = state.position, Geometry.of(self.abilities)
        pan_deg = _degrees(position.pan, self.abilities.pan_deg)
        return rpc.HeadFacts(
            pan=position.pan,
            tilt=position.tilt,
            zoom=position.zoom,
            pan_deg=pan_deg,
            tilt_deg=_degrees(position.tilt, self.abilities.tilt_deg),
            bearing_deg=self._bearing(pan_deg),
            hfov_deg=geometry.hfov(position.zoom) if geometry else None,
            moving=state.moving,
            at_ns=state.wall_ns or None,
            problem=problem,
            bar=state.bar,
        )

    def _bearing(self, pan_deg: float | None) -> float | None:
        if self.bearing_deg is None or pan_deg is None:
            return None
        return bearing_wrap(self.bearing_deg + pan_deg)


def _degrees(generic: float, span: tuple[float, float] | None) -> float | None:
    """Return where -1..+1 lies in a range of degrees, as far as the range is known."""
    return None if span is None else span[0] + (generic + 1.0) / 2.0 * (span[1] - span[0])


@asynccontextmanager
async def open_seat(
    head: Head, *, clock: Clock, settings: SteeringSettings, changed: Callable[[], None]
) -> AsyncIterator[HeadSeat]:
    """Give the seat at a head for the time of the block; on leaving, a moving head is brought to rest."""

    def shown(_: HeadState) -> None:
        # The controller tells from within its own step; the state is read once that step is done.
        asyncio.get_running_loop().call_soon(changed)

    async with open_controller(head, clock=clock, settings=settings, on_state=shown) as controller:
        stick = Stick(clock=clock, idle_release_s=settings.idle_release_s)
        yield HeadSeat(head, controller, stick, changed=changed)
