"""What every view has in common, whichever protocol it came by: it is counted, listed and ended in one place."""

from dataclasses import dataclass
from typing import Protocol

from gateway.fleet.rpc import ViewerState
from gateway.live.feed import LiveFeed


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewerFacts:
    """Who watches, and from where, as the gateway knows them."""

    who: str
    address: str
    user: str = ""
    access_session: str = ""
    """The access session or token that the view was opened through."""
    outside: bool = False
    """Of a partner organisation: the view goes on only while there is a gateway that could end it."""
    until_ns: int | None = None
    """When the view ends by itself, in ns since 1970 UTC; ``None`` where it does not."""


class View(Protocol):
    """Somebody who watches a camera stream now."""

    @property
    def id(self) -> str:
        """Return what the view is known by."""
        ...

    @property
    def feed(self) -> LiveFeed:
        """Return what was asked for."""
        ...

    viewer: ViewerFacts
    """Who watches, and until when they may."""

    @property
    def waiting(self) -> int:
        """Return how many pictures wait for this viewer."""
        ...

    @property
    def dropped(self) -> int:
        """Return how many pictures this viewer could not be sent."""
        ...

    def state(self) -> ViewerState:
        """Return what was truly sent."""
        ...

    def end(self, reason: str) -> None:
        """End the view at once. Ending it twice is harmless."""
        ...
