"""Finding out what a head does, as against what it claims: small moves, looked at by position and by picture.

The head is brought back to where it stood, whatever happens in between.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import structlog

from drivers.errors import CameraAuthenticationError, CameraError, CameraFaultError
from drivers.onvif.head import OnvifHead
from drivers.onvif.lens import LensTrial
from drivers.onvif.nodes import Claim
from drivers.onvif.quirks import Quirks
from kernel.clock import NS_PER_S, Clock
from kernel.head import Axis, HeadAbilities, HeadStatus, Position, Velocity

log = structlog.get_logger()

SLOW, FAST = 0.1, 0.4
"""Trial speeds, shares of the greatest."""
STILL = 0.0004
"""Two positions closer than this in generic units are the same: 0.07 degrees on a head that turns all round."""
_LOOK_S = 0.12
_LOOKS_MIN = 8
"""Over a slow line a moment is over before three looks have said anything: there are so many at least."""
_START_S = 1.6
_SETTLE_S = 1.2
_TIMEOUT_S = 5.0
"""A move's own end: far enough away for what ends it sooner to be seen, also over a slow line; cameras take it."""
_TIMEOUTS_S = (_TIMEOUT_S, 2 * _TIMEOUT_S)
"""Of a head that is turned to be stopped: with the second it has not come to the end of its pan."""
_GO_S = 20.0


@dataclass(slots=True, kw_only=True)
class HeadTrial:
    """The trial of one head. ``snapshot`` gives a JPEG of the view, or None where there is none."""

    make: Callable[[HeadAbilities], OnvifHead]
    claim: Claim
    quirks: Quirks
    clock: Clock
    snapshot: Callable[[], Awaitable[bytes | None]]
    head: OnvifHead = field(init=False)
    _ends_ns: int = field(init=False, default=0)
    """When the move that it was last told ends by itself, at the soonest."""

    async def run(self) -> HeadAbilities:
        """Try the head and return its abilities; what it does wrong is learned as quirks.

        Raises:
            CameraError: the camera fell away in the middle of it.
        """
        abilities = self.claim.abilities
        self._take(abilities)
        start = await self._position()
        self._take(replace(abilities, status=start is not None))
        if not abilities.axes:
            return replace(abilities, status=start is not None)
        if abilities.continuous:
            await self._try_request()
        if start is None:
            self.quirks.note("It does not tell its position: what it claims of its head could not be tried.")
            return replace(self.head.abilities, absolute=False, fov_relative=False)
        try:
            if self.head.abilities.continuous and Axis.PAN in self.head.abilities.axes:
                await self._try_moving(start)
            lens = LensTrial(
                head=self.head,
                quirks=self.quirks,
                fov_offered=self.claim.fov_offered,
                snapshot=self.snapshot,
                go=self._go,
                settle=self._settle,
            )
            self._take(await lens.run(start))
        finally:
            await self._restore(start)
        return self.head.abilities

    def _take(self, abilities: HeadAbilities) -> None:
        self.head = self.make(abilities)

    # --- which requests it takes

    async def _try_request(self) -> None:
        """Find the form of ContinuousMove that does not fault, with velocity zero: nothing moves."""
        abilities = self.head.abilities
        if await self._taken():
            return
        self.quirks.learn("timeout-refused")
        if await self._taken():
            return
        # Neither with nor without Timeout: it is the axes then.
        self.quirks.forget("timeout-refused")
        if {Axis.PAN, Axis.ZOOM} <= abilities.axes:
            for timeout in (True, False):
                if not timeout:
                    self.quirks.learn("timeout-refused")
                if await self._axes_apart(abilities):
                    return
            self.quirks.forget("timeout-refused")
        self._take(replace(abilities, continuous=False))
        self.quirks.note("It refuses to be turned freely (ContinuousMove).")

    async def _axes_apart(self, abilities: HeadAbilities) -> bool:
        self._take(replace(abilities, axes=abilities.axes - {Axis.ZOOM}))
        turns = await self._taken()
        self._take(replace(abilities, axes=frozenset({Axis.ZOOM})))
        zooms = await self._taken()
        if turns and zooms:
            self._take(abilities)
            self.quirks.learn("split-axes")
        elif turns:
            self._take(replace(abilities, axes=abilities.axes - {Axis.ZOOM}))
            self.quirks.learn("no-zoom")
        return turns

    async def _taken(self) -> bool:
        try:
            await self.head.move(Velocity(), timeout_s=_TIMEOUT_S)
        except CameraFaultError:
            return False
        return True

    # --- how it moves and stands

    async def _try_moving(self, start: Position) -> None:
        away = _away(start)
        if not await self._moves(away * SLOW, start):
            if "timeout-refused" in self.quirks:
                self.quirks.note("It accepts a move and does not turn.")
                return
            self.quirks.learn("timeout-zero")
            if not await self._moves(away * SLOW, await self._need_position()):
                self.quirks.forget("timeout-zero")
                self.quirks.note("It accepts a move and does not turn.")
                return
        slow = await self._speed()
        await self._try_stop(away)
        if not self.head.abilities.presets_only and not self.head.abilities.pulse:
            await self._try_speed(away, slow)
            await self._try_timeout(away)

    async def _moves(self, pan: float, start: Position, timeout_s: float = _TIMEOUT_S) -> bool:
        """Start turning and say whether it does: well away, and still going."""
        self._ends_ns = self.clock.monotonic_ns() + round(timeout_s * NS_PER_S)
        await self.head.move(Velocity(pan=pan), timeout_s=timeout_s)
        began_ns = self.clock.monotonic_ns()
        moved = looks = 0
        last = start
        while (self._since_s(began_ns) < _START_S or looks < _LOOKS_MIN) and moved < 3:
            await self.clock.sleep(_LOOK_S)
            here = await self._need_position()
            moved = moved + 1 if _apart(here, last) else 0
            looks += 1
            last = here
        return moved >= 3

    def _ran_out(self) -> bool:
        """Say whether the move may have come to its own end by now: then nothing else is known to have ended it."""
        return _times_out(self.quirks) and self.clock.monotonic_ns() >= self._ends_ns

    async def _try_stop(self, away: float) -> None:
        """Find what stops it, while it turns: Stop, zero velocity, its own timeout, a move to a place, nothing."""
        if await self._stopped_by(self.head.stop):
            return
        self.quirks.learn("stop-ineffective")
        self._take(replace(self.head.abilities, stop_works=False))
        if await self._stopped_by(lambda: self.head.move(Velocity(), timeout_s=_TIMEOUT_S)):
            return
        self.quirks.learn("zero-velocity-ineffective")
        if not _times_out(self.quirks):
            self._presets_only()
            return
        await self.head.move(Velocity(pan=-away * SLOW), timeout_s=1.0)
        await self.clock.sleep(1.0 + _SETTLE_S)
        if await self._stands():
            self._take(replace(self.head.abilities, pulse=True))
        else:
            self.quirks.learn("timeout-ignored")
            self._presets_only()

    async def _stopped_by(self, end: Callable[[], Awaitable[object]]) -> bool:
        """Say whether a head that turns comes to rest by something, and not by its move's own end meanwhile.

        Where the way to it is so slow that the two are never told apart, it is not relied on.
        """
        for timeout_s in _TIMEOUTS_S:
            here = await self._need_position()
            try:
                if not await self._moves(_away(here) * SLOW, here, timeout_s):
                    continue
            except CameraFaultError:
                if timeout_s == _TIMEOUT_S:
                    raise
                break  # it may take no move that lasts so long
            try:
                await end()
            except CameraFaultError:
                log.info("head.end_refused")
                return False
            stands = await self._stands()
            if not stands or not self._ran_out():
                return stands
        return False

    def _presets_only(self) -> None:
        self._take(replace(self.head.abilities, presets_only=True))
        self.quirks.note("Nothing stops this head once it turns: it is steered by presets only.")

    async def _try_speed(self, away: float, slow: float) -> None:
        """Compare a slow and a fast move: a head with one speed can only be moved in pulses."""
        if slow <= 0.0 or not await self._moves(-away * FAST, await self._need_position()):
            return
        fast = await self._speed()
        await self._halt()
        if 0.0 < fast < slow * (FAST / SLOW) / 2.0:
            self.quirks.learn("fixed-speed")
            if _times_out(self.quirks):
                self._take(replace(self.head.abilities, pulse=True))

    async def _try_timeout(self, away: float) -> None:
        """Let a short move run out by itself."""
        if not _times_out(self.quirks):
            return
        await self.head.move(Velocity(pan=away * SLOW), timeout_s=0.5)
        await self.clock.sleep(0.5)
        if not await self._stands():
            self.quirks.learn("timeout-ignored")
            await self._halt()

    async def _halt(self) -> None:
        if self.head.abilities.stop_works:
            await self.head.stop()
        else:
            await self.head.move(Velocity(), timeout_s=_TIMEOUT_S)
        await self._stands()

    async def _speed(self) -> float:
        """Return generic pan units per second, of now; 0 where it did not turn all the while."""
        first = await self._need_position()
        began_ns = self.clock.monotonic_ns()
        await self.clock.sleep(2 * _LOOK_S)
        last = await self._need_position()
        speed = abs(last.pan - first.pan) / self._since_s(began_ns)
        await self.clock.sleep(_LOOK_S)
        # It may have come to the end of its move, or of its pan.
        return speed if _apart(await self._need_position(), last) else 0.0

    async def _stands(self) -> bool:
        """Say whether it comes to rest within a moment, by position; MoveStatus is only compared with that."""
        began_ns = self.clock.monotonic_ns()
        last = await self._need_position()
        still = looks = 0
        while self._since_s(began_ns) < _SETTLE_S or looks < _LOOKS_MIN:
            await self.clock.sleep(_LOOK_S)
            looks += 1
            status = await self.head.status()
            if status.position is None:
                return False
            still = 0 if _apart(status.position, last) else still + 1
            last = status.position
            if still >= 3:
                if status.moving is True:
                    self.quirks.learn("stuck-moving")
                return True
        return False

    async def _settle(self) -> Position:
        """Wait until it stands after a move to a place; return where."""
        began_ns = self.clock.monotonic_ns()
        while not await self._stands():
            if self._since_s(began_ns) > _GO_S:
                break
        return await self._need_position()

    async def _go(self, position: Position) -> Position:
        await self.head.move_to(position)
        return await self._settle()

    async def _restore(self, start: Position) -> None:
        """Bring the head back; by AbsoluteMove, or by turning back where it has none."""
        try:
            # It may be turning still, and the way back may be refused: first it is stopped.
            try:
                await self._halt()
            except CameraFaultError:
                log.info("head.halt_refused")
            if self.head.abilities.absolute:
                await self._go(start)
                return
            for _ in range(3):
                here = await self._need_position()
                gap = start.pan - here.pan
                if abs(gap) < 0.01 or not self.head.abilities.relative:
                    return
                await self.head.move_by(Position(pan=gap, tilt=start.tilt - here.tilt, zoom=start.zoom - here.zoom))
                await self._settle()
        except CameraAuthenticationError:
            raise
        except CameraError as error:
            log.warning("head.not_restored", error=str(error))
            self.quirks.note("After the trial the head could not be brought back to where it stood.")

    async def _position(self) -> Position | None:
        try:
            status: HeadStatus = await self.head.status()
        except CameraFaultError:
            return None
        return status.position

    async def _need_position(self) -> Position:
        position = (await self.head.status()).position
        if position is None:
            raise CameraFaultError("The head stopped telling its position.", cure="Try again.")
        return position

    def _since_s(self, began_ns: int) -> float:
        return (self.clock.monotonic_ns() - began_ns) / NS_PER_S


def _apart(one: Position, other: Position) -> bool:
    return max(abs(one.pan - other.pan), abs(one.tilt - other.tilt), abs(one.zoom - other.zoom)) > STILL


def _away(here: Position) -> float:
    """Return the way to the further end of its pan."""
    return -1.0 if here.pan > 0.0 else 1.0


def _times_out(quirks: Quirks) -> bool:
    """Say whether a move can be given a timeout."""
    return "timeout-refused" not in quirks and "timeout-zero" not in quirks
