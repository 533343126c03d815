"""The newest state of each camera, as its host tells it, or why it has none."""

from collections.abc import Callable

from gateway.fleet import rpc
from gateway.fleet.errors import DesertedError
from gateway.fleet.links import off
from kernel.ids import CameraId


class States:
    """Those of a fleet. ``changed`` is called with each camera whose state is another one."""

    def __init__(self, changed: Callable[[CameraId], None]) -> None:
        self._changed = changed
        self._newest: dict[CameraId, rpc.CameraState] = {}
        self.left: set[CameraId] = set()
        """Taken from their hosts: a state of theirs that comes late is of before."""

    def of(self, camera: CameraId) -> rpc.CameraState | None:
        """Return the newest of a camera; ``None`` before its host has told it."""
        return self._newest.get(camera)

    def put(self, state: rpc.CameraState) -> None:
        """Keep what is so now."""
        if self._newest.get(state.id) != state:
            self._newest[state.id] = state
            self._changed(state.id)

    def leave(self, camera: CameraId) -> None:
        """Have a camera be off, for nobody vouches for where it is."""
        self.left.add(camera)
        self.put(off(camera, DesertedError()))

    def forget(self, camera: CameraId) -> None:
        """Forget a camera."""
        self._newest.pop(camera, None)
        self.left.discard(camera)
