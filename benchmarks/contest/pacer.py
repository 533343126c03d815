"""The film's pictures at their moments, for servers that take no RTSP."""

import asyncio
from collections.abc import Callable

from cheap_cameras.film import Film


class Pacer:
    """Calls ``show(number)`` for each picture, ``number`` counting on from showing to showing."""

    def __init__(self, film: Film, show: Callable[[int], None]) -> None:
        self._film = film
        self._show = show
        self.frames = 0
        self.paused = False

    @property
    def last(self) -> int | None:
        """Return the index in the film of the newest picture."""
        return (self.frames - 1) % len(self._film.pictures) if self.frames else None

    async def run(self) -> None:
        """Go on until cancelled."""
        loop = asyncio.get_running_loop()
        step_s = 1 / self._film.shape.frame_rate
        due_s = loop.time()
        while True:
            due_s += step_s
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            if not self.paused:
                self.frames += 1
                self._show(self.frames - 1)
