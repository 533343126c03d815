"""What a camera host is told and tells of holds: stretches of footage that no retention may delete."""

from gateway.fleet.rpc import Message
from kernel.ids import CameraId


class HoldWish(Message):
    """Keep both streams of a camera in a range, what is there and what is still to come."""

    start_ns: int
    end_ns: int
    reason: str
    authority: str = ""
    placed_by: str = ""
    review_ns: int | None = None


class HoldReview(Message):
    """When a hold is to be looked at again."""

    review_ns: int


class Held(Message):
    """A hold."""

    id: str
    camera: CameraId
    start_ns: int
    end_ns: int
    reason: str
    created_ns: int
    authority: str = ""
    placed_by: str = ""
    review_ns: int | None = None


class HoldList(Message):
    """The holds of one camera or of all, oldest first."""

    holds: tuple[Held, ...]
