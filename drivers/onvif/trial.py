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
_END = 0.97
"""Beyond this, of a range from -1 to 1, a head may have come to its end."""
_LOOK_S = 0.12
_START_S = 1.6
_SETTLE_S = 1.2
_LOOKS = 6
"""A slow link gives this many looks at the head, however long they take."""
_TIMEOUT_S = 2.0
_TRIPS = 18
"""Requests between a move and the last look that it must outlast: a trial is over a street's 4G, too."""
_LONGEST_S = 10.0
"""Asked for more, some cameras refuse the whole move."""
_CRAWL_S = 0.5
"""A camera that takes longer for an answer cannot be tried within a move of that length."""
_TIMES = 3
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
    _trip_s: float = field(init=False, default=0.0)
    _began_ns: int = field(init=False, default=0)
    _lasts_s: float = field(init=False, default=0.0)

    async def run(self) -> HeadAbilities:
        """Try the head and return its abilities; what it does wrong is learned as quirks.

        Raises:
            CameraError: the camera fell away in the middle of it.
        """
        abilities = self.claim.abilities
        self._take(abilities)
        start = await self._position()
        if start is not None:
            # The first answer had to connect and to sign in; the second tells how quick this camera is.
            self._trip_s = 0.0
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
            if self._trip_s > _CRAWL_S:
                self.quirks.note(
                    "It answers too slowly for its head to be tried: what it claims of moving is believed."
                )
            elif self.head.abilities.continuous and Axis.PAN in self.head.abilities.axes:
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
            await self._move(Velocity())
        except CameraFaultError:
            return False
        return True

    # --- how it moves and stands

    async def _try_moving(self, start: Position) -> None:
        away = -1.0 if start.pan > 0.0 else 1.0
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

    async def _moves(self, pan: float, start: Position, *, times: int = 1) -> bool:
        """Start turning and say whether it does: well away, and still going."""
        await self._move(Velocity(pan=pan), times=times)
        began_ns = self.clock.monotonic_ns()
        moved = looks = 0
        last = start
        while (self._since_s(began_ns) < _START_S or looks < _LOOKS) and moved < 3:
            await self.clock.sleep(_LOOK_S)
            here = await self._need_position()
            looks += 1
            moved = moved + 1 if _apart(here, last) else 0
            last = here
        return moved >= 3

    async def _try_stop(self, away: float) -> None:
        """Find what stops it, while it turns: Stop, zero velocity, its own timeout, a move to a place, nothing."""
        if await self._is_stopped_by(self.head.stop, away):
            return
        self.quirks.learn("stop-ineffective")
        self._take(replace(self.head.abilities, stop_works=False))
        await self._move(Velocity(pan=away * SLOW))
        if await self._is_stopped_by(lambda: self.head.move(Velocity(), timeout_s=self._lasts_s), away):
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

    async def _is_stopped_by(self, way: Callable[[], Awaitable[None]], away: float) -> bool:
        """Say whether it comes to rest by this, and not because its move had run out by then."""
        for time in range(_TIMES):
            try:
                await way()
                if not await self._stands():
                    return False
                if not _times_out(self.quirks) or self._since_s(self._began_ns) < self._lasts_s:
                    return True
                # The link has become slower meanwhile: the next move knows that.
                if not await self._moves(away * SLOW, await self._need_position(), times=2**time):
                    return True
            except CameraFaultError:
                return False
        self.quirks.note("It answers too slowly to tell whether it stops when it is told to.")
        return True

    def _presets_only(self) -> None:
        self._take(replace(self.head.abilities, presets_only=True))
        self.quirks.note("Nothing stops this head once it turns: it is steered by presets only.")

    async def _try_speed(self, away: float, slow: float | None) -> None:
        """Compare a slow and a fast move: a head with one speed can only be moved in pulses."""
        if not slow or not await self._moves(-away * FAST, await self._need_position()):
            return
        fast = await self._speed()
        await self._halt()
        if fast is not None and fast < slow * (FAST / SLOW) / 2.0:
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
            await self._move(Velocity())
        await self._stands()

    async def _speed(self) -> float | None:
        """Return generic pan units per second, of now; ``None`` where it came to its end and has none."""
        first, first_ns, first_took_ns = await self._place()
        while True:
            await self.clock.sleep(2 * _LOOK_S)
            last, last_ns, took_ns = await self._place()
            # When it was there, within an answer, is not known: far enough apart, that makes a quarter at most.
            if last_ns - first_ns >= 2 * (first_took_ns + took_ns):
                break
        if abs(last.pan) > _END:
            return None
        return abs(last.pan - first.pan) / ((last_ns - first_ns) / NS_PER_S)

    async def _place(self) -> tuple[Position, int, int]:
        """Return where it is, about when, and how long the answer took (ns)."""
        asked_ns = self.clock.monotonic_ns()
        here = await self._need_position()
        took_ns = self.clock.monotonic_ns() - asked_ns
        return here, asked_ns + took_ns // 2, took_ns

    async def _stands(self) -> bool:
        """Say whether it comes to rest within a moment, by position; MoveStatus is only compared with that."""
        began_ns = self.clock.monotonic_ns()
        last = await self._need_position()
        still = looks = 0
        while self._since_s(began_ns) < _SETTLE_S or looks < _LOOKS:
            await self.clock.sleep(_LOOK_S)
            status = await self._status()
            looks += 1
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
            return (await self._status()).position
        except CameraFaultError:
            return None

    async def _need_position(self) -> Position:
        position = (await self._status()).position
        if position is None:
            raise CameraFaultError("The head stopped telling its position.", cure="Try again.")
        return position

    async def _status(self) -> HeadStatus:
        asked_ns = self.clock.monotonic_ns()
        status = await self.head.status()
        self._trip_s = max(self._trip_s, self._since_s(asked_ns))
        return status

    async def _move(self, velocity: Velocity, *, times: int = 1) -> None:
        """Turn for longer than a trial of it takes, at the pace at which this camera answers."""
        self._lasts_s = min(times * (_TIMEOUT_S + _TRIPS * self._trip_s), _LONGEST_S)
        await self.head.move(velocity, timeout_s=self._lasts_s)
        self._began_ns = self.clock.monotonic_ns()

    def _since_s(self, began_ns: int) -> float:
        return (self.clock.monotonic_ns() - began_ns) / NS_PER_S


def _apart(one: Position, other: Position) -> bool:
    return max(abs(one.pan - other.pan), abs(one.tilt - other.tilt), abs(one.zoom - other.zoom)) > STILL


def _times_out(quirks: Quirks) -> bool:
    """Say whether a move can be given a timeout."""
    return "timeout-refused" not in quirks and "timeout-zero" not in quirks
