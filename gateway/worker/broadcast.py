"""Tells every listener of the state stream what is new: the latest of each camera, and each event once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable

from gateway.fleet.rpc import (
    HEARTBEAT_S,
    CameraChanged,
    CameraHappened,
    CameraReleased,
    CameraState,
    Heartbeat,
    StateLine,
)
from kernel.clock import Clock
from kernel.ids import CameraId

_EVENTS = 1000
"""Events that may wait for a slow listener; the oldest go first."""


class _Listener:
    __slots__ = ("cameras", "events", "woken")

    def __init__(self, states: Iterable[CameraState]) -> None:
        self.cameras: dict[CameraId, CameraState | None] = {state.id: state for state in states}
        self.events: deque[CameraHappened] = deque(maxlen=_EVENTS)
        self.woken = asyncio.Event()
        self.woken.set()


class Broadcast:
    """Latest value wins for a camera's state; a listener that reads slowly skips, and is never waited for."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._latest: dict[CameraId, CameraState] = {}
        self._listeners: set[_Listener] = set()
        self._closed = False

    def changed(self, state: CameraState) -> None:
        """Tell a camera's state, unless it is what was told last."""
        if self._latest.get(state.id) == state:
            return
        self._latest[state.id] = state
        for listener in self._listeners:
            listener.cameras[state.id] = state
            listener.woken.set()

    def released(self, camera: CameraId) -> None:
        """Tell that a camera is gone."""
        self._latest.pop(camera, None)
        for listener in self._listeners:
            listener.cameras[camera] = None
            listener.woken.set()

    def happened(self, event: CameraHappened) -> None:
        """Tell an event."""
        for listener in self._listeners:
            listener.events.append(event)
            listener.woken.set()

    def close(self) -> None:
        """End every listener's stream."""
        self._closed = True
        for listener in self._listeners:
            listener.woken.set()

    async def listen(self) -> AsyncIterator[StateLine]:
        """Yield every camera's state, then what is new, and a heartbeat whenever a second was silent."""
        listener = _Listener(self._latest.values())
        self._listeners.add(listener)
        beat = asyncio.create_task(self._beat(listener))
        try:
            yield Heartbeat(wall_ns=self._clock.wall_ns())
            while not self._closed:
                await listener.woken.wait()
                listener.woken.clear()
                cameras, listener.cameras = listener.cameras, {}
                silent = not cameras and not listener.events
                for camera, state in cameras.items():
                    yield CameraReleased(id=camera) if state is None else CameraChanged(state=state)
                while listener.events:
                    yield listener.events.popleft()
                if silent:
                    yield Heartbeat(wall_ns=self._clock.wall_ns())
        finally:
            beat.cancel()
            self._listeners.discard(listener)
            await asyncio.wait([beat])

    async def _beat(self, listener: _Listener) -> None:
        while True:
            await self._clock.sleep(HEARTBEAT_S * 0.9)
            listener.woken.set()
