"""The stop ladder: Stop, zero velocity, look at the position, again, until the head stands.

Some heads do not know Stop, some answer it and turn on, some ignore zero velocity, and on some MoveStatus sticks at
MOVING (docs/design/onvif.md). So every rung is followed by two looks at the position, and only those are believed.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog

from config.steering import SteeringSettings
from kernel.clock import NS_PER_S
from kernel.errors import SightlineError
from kernel.head import HeadStatus, Position, Velocity
from ptz.ports import Head

log = structlog.get_logger()

STANDSTILL = 0.002
"""Two positions closer than this in every generic space are the same: below the resolution heads report in."""


class Outcome(StrEnum):
    """How a climb ended."""

    STANDS = "stands"
    SUPERSEDED = "superseded"
    """A newer wish takes over; at least one rung was sent before it."""
    UNSTOPPABLE = "unstoppable"
    """Rungs were accepted, and after each of them its position was seen to change."""
    SILENT = "silent"
    """No rung was accepted, or what it did could not be seen: whether the head stands is not known."""


class Look(StrEnum):
    """What two looks at the position say."""

    STANDS = "stands"
    MOVES = "moves"
    UNKNOWN = "unknown"
    """The head did not answer, or tells no position: no evidence of either."""


def stands_between(one: Position, other: Position) -> bool:
    """Return whether two positions are the same to within what heads can tell."""
    return (
        abs(one.pan - other.pan) < STANDSTILL
        and abs(one.tilt - other.tilt) < STANDSTILL
        and abs(one.zoom - other.zoom) < STANDSTILL
    )


class Rest:
    """Whether a head stands, by looks that may come fast: two of them tell only if they are far enough apart."""

    def __init__(self, *, apart_s: float) -> None:
        self._apart_ns = round(0.9 * apart_s * NS_PER_S)
        self._before: Position | None = None
        self._before_ns = 0

    def disturbed(self, now_ns: int) -> None:
        """Take in that it moves from now on by itself, and may take its time to begin."""
        self._before, self._before_ns = None, now_ns

    def seen(self, position: Position | None, asked_ns: int) -> bool:
        """Take in a look; return whether the head stood since one that is long enough ago."""
        if asked_ns - self._before_ns < self._apart_ns:
            return False
        before, self._before, self._before_ns = self._before, position, asked_ns
        return before is not None and position is not None and stands_between(before, position)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLadder:
    """One way down for one head."""

    head: Head
    settings: SteeringSettings
    pause: Callable[[float], Awaitable[None]]
    """Waits that many seconds, or less where something new is wished."""
    superseded: Callable[[], bool]
    seen: Callable[[HeadStatus], None]
    """Told each position looked at."""

    async def climb(self) -> Outcome:
        """Send rung after rung until the head stands; see :class:`Outcome`."""
        sure = True
        for _ in range(self.settings.rounds):
            accepted = 0
            for rung in (self._stop, self._zero):
                if await rung():
                    accepted += 1
                    if self.superseded():
                        return Outcome.SUPERSEDED
                    look = await self._look(blind=rung == self._zero)
                    if look is Look.STANDS:
                        return Outcome.STANDS
                    sure = sure and look is Look.MOVES
                if self.superseded():
                    return Outcome.SUPERSEDED
            if not accepted:
                # A head that knows neither rung but stands anyway (its own timeout ended the move) is at rest.
                return Outcome.STANDS if await self._look(blind=False) is Look.STANDS else Outcome.SILENT
            if not self.head.abilities.status:
                return Outcome.STANDS  # it took the Stop and tells nothing: more cannot be known
        return Outcome.UNSTOPPABLE if sure else Outcome.SILENT

    async def _stop(self) -> bool:
        return await self._rung("stop", self.head.stop())

    async def _zero(self) -> bool:
        return await self._rung("zero", self.head.move(Velocity(), timeout_s=self.settings.timeout_s))

    async def _rung(self, name: str, request: Awaitable[None]) -> bool:
        try:
            await request
        except SightlineError as error:
            log.info("head.rung_failed", rung=name, error=error.code)
            return False
        return True

    async def _look(self, *, blind: bool) -> Look:
        """Look twice. Where the head tells nothing, ``blind`` says whether to believe that it stands."""
        untold = Look.STANDS if blind else Look.UNKNOWN
        if not self.head.abilities.status:
            return untold
        looks: list[HeadStatus] = []
        for _ in range(2):
            await self.pause(self.settings.settle_s)
            if self.superseded():
                return Look.UNKNOWN
            try:
                status = await self.head.status()
            except SightlineError as error:
                log.info("head.look_failed", error=error.code)
                return Look.UNKNOWN
            self.seen(status)
            looks.append(status)
        first, second = looks
        if first.position is None or second.position is None:
            # MoveStatus sticks at MOVING on some makes: without positions it is no evidence of moving.
            return {False: Look.STANDS, True: Look.UNKNOWN, None: untold}[second.moving]
        return Look.STANDS if stands_between(first.position, second.position) else Look.MOVES
