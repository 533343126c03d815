"""Running preset tours: the head goes from spot to spot by itself until something else moves it."""

import asyncio

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.tours import Spot, Tour

_LOOK_S = 0.05
"""How often a tour looks whether the head has arrived."""


class Touring:
    """At most one tour runs; it belongs to the server's task group."""

    def __init__(self, device: SimulatedDevice, tasks: asyncio.TaskGroup) -> None:
        self._device = device
        self._tasks = tasks
        self._running: asyncio.Task[None] | None = None
        self._tour: Tour | None = None

    def auto_start(self) -> None:
        """Start the first tour that is to run from switching on."""
        tour = next((tour for tour in self._device.tours.values() if tour.auto_start and tour.spots), None)
        if tour is not None:
            self.start(tour)

    def start(self, tour: Tour) -> None:
        """Begin, or go on after a pause."""
        paused = tour.state == "Paused"
        if not paused:
            self.interrupt()
            tour.at = len(tour.spots) - 1 if tour.backward else 0
        self._cancel()
        tour.state = "Touring"
        self._tour = tour
        self._running = self._tasks.create_task(self._run(tour))

    def pause(self, tour: Tour) -> None:
        """Stand where it is; a start goes on from there."""
        if tour is self._tour and tour.state == "Touring":
            self._cancel()
            self._halt()
            tour.state = "Paused"

    def stop(self, tour: Tour) -> None:
        """End it and stand."""
        if tour is self._tour:
            moving = tour.state == "Touring"
            self.interrupt()
            if moving:
                self._halt()

    def interrupt(self) -> None:
        """End whatever runs, because something else is about to move the head."""
        self._cancel()
        if self._tour is not None:
            self._tour.state = "Idle"
            self._tour = None

    def _cancel(self) -> None:
        if self._running is not None:
            self._running.cancel()
            self._running = None

    def _halt(self) -> None:
        if self._device.head is not None:
            self._device.head.halt()

    async def _run(self, tour: Tour) -> None:
        step = -1 if tour.backward else 1
        rounds = 0
        while tour.spots and (not tour.rounds or rounds < tour.rounds):
            await self._visit(tour.spots[tour.at % len(tour.spots)])
            tour.at += step
            if not 0 <= tour.at < len(tour.spots):
                tour.at = len(tour.spots) - 1 if tour.backward else 0
                rounds += 1
        tour.state = "Idle"

    async def _visit(self, spot: Spot) -> None:
        head, clock = self._device.head, self._device.clock
        preset = self._device.presets.get(spot.preset)
        target = preset.position if preset else None if spot.preset else self._device.home
        # Where a preset has been removed since, the head stays; the tour must not spin over such spots.
        if head is not None and target is not None:
            head.go_to(target, speed=spot.speed)
            while head.aim().moving:
                await clock.sleep(_LOOK_S)
        await clock.sleep(max(spot.stay_s, _LOOK_S))
