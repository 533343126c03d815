"""Keeps what of the cameras needs a person now, and since when: looked at once in half a minute."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from gateway.health.urgency import Kind, Need, Signs, needs
from kernel.clock import Clock, every
from kernel.ids import CameraId

LOOK_S = 30.0


class Ward:
    """``signs`` gives what is known of every camera now."""

    def __init__(self, signs: Callable[[], Awaitable[Sequence[Signs]]], *, clock: Clock) -> None:
        self.needs: tuple[Need, ...] = ()
        """The most urgent first, as of the last look."""
        self.looked_ns: int | None = None
        """When that was: wall time in ns; ``None`` before the first."""
        self._signs = signs
        self._clock = clock
        self._since: dict[tuple[CameraId, Kind], int] = {}
        self._listening: list[Callable[[], None]] = []

    def listen(self, call: Callable[[], None]) -> Callable[[], None]:
        """Call ``call`` after each look; returns the detaching call."""
        self._listening.append(call)
        return lambda: self._listening.remove(call)

    async def run(self) -> None:
        """Look until cancelled."""
        await self.look()
        async with every(self._clock, LOOK_S) as ticks:
            async for _ in ticks:
                await self.look()

    async def look(self) -> None:
        """Judge everything anew."""
        signs = await self._signs()
        now_ns = self._clock.wall_ns()
        found = needs(signs, now_ns=now_ns)
        # What does not say itself since when it is so, has been so since it was first seen.
        self._since = {(one.camera, one.kind): self._since.get((one.camera, one.kind), now_ns) for one in found}
        self.needs = tuple(
            one if one.since_ns is not None else replace(one, since_ns=self._since[one.camera, one.kind])
            for one in found
        )
        self.looked_ns = now_ns
        for call in tuple(self._listening):
            call()
