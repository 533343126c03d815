"""Main streams of cameras behind thin links: taken while somebody asks for them, and the sub stream alone else.

What a SIM carries is paid for, and ends. Who asks says for how long; then it ends by itself, also when nobody thinks of
it. It is kept in memory: a gateway that starts anew begins with the small pictures.
"""

from collections.abc import Awaitable, Callable

import structlog

from gateway.db.errors import DatabaseError
from kernel.allowance import Allowance
from kernel.clock import NS_PER_S, Clock, every

log = structlog.get_logger()

Thin = Callable[[str], bool]
"""Says of a device, by its endpoint reference, whether its pictures come over a thin link."""
DEMAND_MAX_S = 3600
SWITCHES_PER_S, SWITCHES_MAX = 1 / 300, 3
"""A device goes over to main so often: each time ends every view of it, and begins its recording anew."""
LOOK_S = 1.0


class Demand:
    """Those of a fleet."""

    def __init__(self, thin: Thin, *, clock: Clock) -> None:
        self.thin = thin
        self._clock = clock
        self._asked: dict[str, tuple[int, int]] = {}
        """By device: until when, on the monotonic clock and on the wall."""
        self._switches: dict[str, Allowance] = {}

    def small_only(self, urn: str) -> bool:
        """Return whether the sub stream alone is to be taken of a device now."""
        return self.thin(urn) and self.until_ns(urn) is None

    def until_ns(self, urn: str) -> int | None:
        """Return until when its main streams are asked for, in wall time; ``None`` where they are not."""
        ends_ns, wall_ns = self._asked.get(urn, (0, 0))
        return wall_ns if ends_ns > self._clock.monotonic_ns() else None

    def count(self, urn: str) -> int:
        """Count that somebody asks; return 0, or, where that is once too often, in how many seconds they may.

        To ask for longer is no switch, and always allowed.
        """
        if not self.small_only(urn):
            return 0
        allowance = self._switches.setdefault(urn, Allowance(SWITCHES_PER_S, SWITCHES_MAX))
        return 0 if allowance.take(self._clock.monotonic_ns()) else allowance.wait_s()

    def ask(self, urn: str, seconds: int) -> None:
        """Have them taken, from now on, for so long; 0 ends it."""
        for_ns = seconds * NS_PER_S
        self._asked[urn] = self._clock.monotonic_ns() + for_ns, self._clock.wall_ns() + for_ns

    def lapsed(self) -> list[str]:
        """Return the devices whose time is over and that nobody has forgotten yet."""
        return [urn for urn in self._asked if self.until_ns(urn) is None]

    def forget(self, urn: str) -> None:
        """Have them not asked for any more."""
        self._asked.pop(urn, None)


async def ending(end: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Call ``end``, which ends what is over, again and again, for ever."""
    async with every(clock, LOOK_S) as ticks:
        async for _ in ticks:
            try:
                await end()
            except DatabaseError as error:
                log.error("fleet.demand_late", error=error.code)  # noqa: TRY400 - a plain reason
