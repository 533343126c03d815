"""What listeners are told of the fleet."""

from dataclasses import dataclass

from gateway.fleet import rpc
from kernel.ids import CameraId


@dataclass(frozen=True, slots=True)
class StateChanged:
    """A camera's state is new."""

    camera: CameraId


@dataclass(frozen=True, slots=True)
class ListChanged:
    """A camera was enrolled, changed or removed."""


@dataclass(frozen=True, slots=True)
class Happened:
    """A camera reported an event."""

    event: rpc.CameraHappened


@dataclass(frozen=True, slots=True)
class Announced:
    """A device said where it is (WS-Discovery Hello). Anybody can say that: it is to be met there first."""

    urn: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ViewerChanged:
    """Somebody came to see a camera, or sees it no more, by a door that the gateway does not keep itself."""

    line: rpc.ViewerCame | rpc.ViewerWent


FleetChange = StateChanged | ListChanged | Happened | Announced
