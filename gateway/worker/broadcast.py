"""Tells every listener of the state stream what is new: the latest of each camera, and each event once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable

from gateway.fleet.load import HostLoad
from gateway.fleet.rpc import (
    HEARTBEAT_S,
    CameraChanged,
    CameraHappened,
    CameraReleased,
    CameraState,
    DeviceSaid,
    Heartbeat,
    StateLine,
    ViewerCame,
    ViewerWent,
)
from kernel.clock import Clock
from kernel.ids import CameraId

Event = CameraHappened | DeviceSaid | ViewerCame | ViewerWent
_EVENTS = 1000
"""Events that may wait for a slow listener, and ends of views for the next one; the oldest go first."""


class _Listener:
    __slots__ = ("beat_due", "cameras", "events", "woken")

    def __init__(self, states: Iterable[CameraState]) -> None:
        self.cameras: dict[CameraId, CameraState | None] = {state.id: state for state in states}
        self.events: deque[Event] = deque(maxlen=_EVENTS)
        self.woken = asyncio.Event()
        self.woken.set()
        self.beat_due = False


class Broadcast:
    """Latest value wins for a camera's state; a listener that reads slowly skips, and is never waited for."""

    def __init__(self, *, clock: Clock, load: Callable[[], HostLoad | None] = lambda: None) -> None:
        """``load`` gives what the host carries, to be told with every heartbeat."""
        self._clock = clock
        self._load = load
        self._latest: dict[CameraId, CameraState] = {}
        self._listeners: set[_Listener] = set()
        self._closed = False
        self._unheard: deque[Event] = deque(maxlen=_EVENTS)
        """Viewers who went while nobody listened: the audit must not miss the end of a view."""

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

    def happened(self, event: Event) -> None:
        """Tell an event."""
        if not self._listeners and isinstance(event, ViewerWent):
            self._unheard.append(event)
        for listener in self._listeners:
            listener.events.append(event)
            listener.woken.set()

    def missed(self, event: ViewerWent) -> None:
        """Keep the end of a view that the gateway let in itself for the next one, where none listens now."""
        if not self._listeners:
            self._unheard.append(event)

    def close(self) -> None:
        """End every listener's stream."""
        self._closed = True
        for listener in self._listeners:
            listener.woken.set()

    async def listen(self) -> AsyncIterator[StateLine]:
        """Yield every camera's state, then what is new, and a heartbeat each second, whatever else there is to tell."""
        listener = _Listener(self._latest.values())
        self._listeners.add(listener)
        listener.events.extend(self._unheard)
        self._unheard.clear()
        beat = asyncio.create_task(self._beat(listener))
        try:
            yield self._heartbeat()
            while not self._closed:
                await listener.woken.wait()
                listener.woken.clear()
                # Before the rest: hundreds of lines may follow, and the load is news too.
                if listener.beat_due:
                    listener.beat_due = False
                    yield self._heartbeat()
                cameras, listener.cameras = listener.cameras, {}
                for camera, state in cameras.items():
                    yield CameraReleased(id=camera) if state is None else CameraChanged(state=state)
                while listener.events:
                    yield listener.events.popleft()
        finally:
            beat.cancel()
            self._listeners.discard(listener)
            await asyncio.wait([beat])

    def _heartbeat(self) -> Heartbeat:
        return Heartbeat(wall_ns=self._clock.wall_ns(), load=self._load())

    async def _beat(self, listener: _Listener) -> None:
        while True:
            await self._clock.sleep(HEARTBEAT_S * 0.9)
            listener.beat_due = True
            listener.woken.set()
