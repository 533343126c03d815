"""What listeners are told of the fleet."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldChanged:
    """Footage of a camera is held, is to be looked at again another time, or is let go. What is not said is none."""

    camera: CameraId
    hold: str
    what: Literal["placed", "reviewed", "released"]
    start_ns: int | None = None
    end_ns: int | None = None
    review_ns: int | None = None
    reference: str = ""
    """The incident or request that it is for, as somebody typed it."""


@dataclass(frozen=True, slots=True)
class ViewerChanged:
    """Somebody came to see a camera, or sees it no more, by a door that the gateway does not keep itself."""

    line: rpc.ViewerCame | rpc.ViewerWent


FleetChange = StateChanged | ListChanged | Happened | Announced | HoldChanged


class ViewersTold:
    """Who comes and goes, kept until somebody hears it: a host tells the ends of before as soon as it is linked."""

    def __init__(self) -> None:
        self._kept: list[ViewerChanged] = []
        self.tell: Callable[[ViewerChanged], None] = self._kept.append

    def hear(self, listener: Callable[[ViewerChanged], None]) -> Callable[[], None]:
        """Call ``listener`` with what was told until now, and from now on; returns the detaching call."""
        kept, self._kept = self._kept, []
        self.tell = listener
        for change in kept:
            listener(change)

        def stop() -> None:
            self.tell = self._kept.append

        return stop
