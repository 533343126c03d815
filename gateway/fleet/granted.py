"""The outlets that the gateway has granted, and what each camera host is told of them: its own cameras alone."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.fleet.cameras import Camera
from gateway.fleet.outlets import Outlet, OutletCamera
from kernel.ids import CameraId


@dataclass(frozen=True, slots=True)
class OutletPath:
    """Where one camera of an outlet is taken: ``rtsps://<name of the server>:<port><path>``."""

    camera: CameraId
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class OutletSaid:
    """What came of putting an outlet, or of taking one away."""

    ended: int
    """Views that are not covered any more; their last picture was sent before this was returned."""
    late: tuple[int, ...]
    """Hosts that could not be told; they are told as soon as they are linked."""


class Granted:
    """Every outlet. The truth about them is the sharing room's; this is its copy for the hosts."""

    def __init__(self, cameras: Callable[[], Iterable[Camera]]) -> None:
        self._cameras = cameras
        self._outlets: dict[str, Outlet] = {}
        self.known = False
        """Whether all of them were told. Before, a host keeps what it has: the gateway was restarted."""

    def replace(self, outlets: Iterable[Outlet]) -> None:
        """Have exactly these."""
        self._outlets = {one.id: one for one in outlets}
        self.known = True

    def put(self, outlet: Outlet) -> None:
        """Have one more, or changed."""
        self._outlets[outlet.id] = outlet

    def remove(self, identity: str) -> None:
        """Have one less."""
        self._outlets.pop(identity, None)

    def of_host(self, host: int) -> dict[str, Outlet]:
        """Return what a host is to have, by identifier: each outlet that shows a camera of its, with those alone."""
        numbers = {one.id: one.number for one in self._cameras() if one.host == host}
        found = {}
        for outlet in self._outlets.values():
            mine = tuple(OutletCamera(id=one.id, number=numbers[one.id]) for one in outlet.cameras if one.id in numbers)
            if mine:
                found[outlet.id] = outlet.model_copy(update={"cameras": mine})
        return found
