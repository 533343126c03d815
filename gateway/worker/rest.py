"""Where a head stands still, and since when: a picture can be compared with its reference view only then."""

from kernel.clock import NS_PER_S
from kernel.head import Position
from ptz import HeadState

POSE = 0.002
"""Of pan and tilt, in the generic spaces: 0.36 degrees of a full turn, which heads that return to a preset keep."""
ZOOM = 0.01
SETTLE_NS = 2 * NS_PER_S
"""A picture that came sooner after the head stopped may have been taken before: heads swing, cameras are late."""


class HeadRest:
    """Of one head; times are monotonic."""

    def __init__(self) -> None:
        self._at: Position | None = None
        self._since_ns = 0

    def noted(self, state: HeadState, now_ns: int) -> None:
        """Take in what is known of the head now."""
        here = None if state.moving or state.fault is not None else state.position
        if here is None or self._at is None or not near(here, self._at):
            self._at, self._since_ns = here, now_ns

    @property
    def settled_ns(self) -> int:
        """Return from when on a picture that comes shows what it shows where it stands."""
        return self._since_ns + SETTLE_NS

    def stood(self, received_ns: int) -> Position | None:
        """Return where it stood when a picture was taken that came at an instant; ``None`` where it is not sure."""
        return self._at if received_ns >= self.settled_ns else None


def near(one: Position, other: Position) -> bool:
    """Return whether a head that stands at the one shows what it shows at the other."""
    turned = max(abs(one.pan - other.pan), abs(one.tilt - other.tilt))
    return turned <= POSE and abs(one.zoom - other.zoom) <= ZOOM
