"""Who watches, and until when, as the gateway asks and tells its camera hosts (beside ``gateway.fleet.rpc``)."""

from gateway.fleet.rpc import Message, ViewerState
from kernel.ids import CameraId

OUTSIDE = "1"
"""Value of ``outside`` in an offer's query: whoever offers is of a partner organisation."""


class ViewerList(Message):
    """Every viewer the host serves."""

    viewers: tuple[ViewerState, ...]


class EndViewers(Message):
    """End the views that match all that is given; nothing given ends all."""

    camera: CameraId | None = None
    who: str | None = None
    sessions: frozenset[str] | None = None


class ViewLimits(Message):
    """Until when views may go on, by session, in ns since 1970 UTC; ``None`` without end. Unknown ones do not count."""

    until: dict[str, int | None]
