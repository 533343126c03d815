"""What is seen of one camera: its last picture, what was found wrong with it, and since when nobody has looked."""

from dataclasses import dataclass

from gateway.fleet.picture import PictureFinding
from gateway.health.picture import Grey
from gateway.health.view import halved, reference_of
from gateway.health.watch import PictureWatch
from gateway.worker.problems import NotSeenError
from gateway.worker.rest import HeadRest, near
from kernel.clock import Clock
from kernel.head import Position
from ptz import HeadState

NARROW_DEG = 12.0
"""A head that returns to a preset is off by some tenths of a degree; where that is much of the picture, nothing can be
said of it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen last, and where the head stood then; ``None`` without one, or where that is not sure."""

    grey: Grey
    at: Position | None

    def as_at(self, place: Position | None) -> bool:
        """Return whether the head stood there."""
        return self.at is not None and place is not None and near(self.at, place)


class Sight:
    """Of one camera, with a head or without; ``looking`` is the clock by which its pictures are judged."""

    def __init__(self, reference: bytes, reference_at: Position | None, *, head: bool, looking: Clock) -> None:
        self._watch = PictureWatch(reference_of(reference))
        self._reference_at = reference_at
        self._head = head
        self._looking = looking
        self._rest = HeadRest()
        self._seen: Seen | None = None
        self.looked_ns: int | None = None
        """When its picture was last judged, wall time; ``None`` where none was since pictures come."""
        self.unlooked_since_ns = looking.wall_ns()
        """Since when none was judged, though some may have come: since the last look, or the last time none came."""

    @property
    def finding(self) -> PictureFinding | None:
        """Return what is wrong with its picture."""
        found = self._watch.finding
        return PictureFinding(fault=found.fault, since_ns=found.since_ns) if found is not None else None

    def compare_with(self, reference: bytes, reference_at: Position | None) -> None:
        """Take another reference view, and where its head stood for it."""
        self._reference_at = reference_at
        self._watch.compare_with(reference_of(reference))

    def head_stands(self, state: HeadState, now_ns: int) -> None:
        """Take in what is known of its head now (monotonic)."""
        self._rest.noted(state, now_ns)

    def came(self, grey: Grey, received_ns: int) -> None:
        """Judge a picture that came at an instant (monotonic)."""
        seen = self._seen = Seen(grey, self._rest.stood(received_ns) if self._head else None)
        wall_ns = self.looked_ns = self.unlooked_since_ns = self._looking.wall_ns()
        self._watch.looked(
            grey,
            wall_ns=wall_ns,
            monotonic_ns=self._looking.monotonic_ns(),
            comparable=not self._head or seen.as_at(self._reference_at),
        )

    def none_comes(self) -> None:
        """There is no picture to judge: what was wrong with the last one says nothing of the next."""
        self._seen = self.looked_ns = None
        self.unlooked_since_ns = self._looking.wall_ns()
        self._watch.blind()

    def settled_ns(self, now_ns: int) -> int:
        """Return from when on a picture has to come to show what the camera shows now (monotonic)."""
        return max(now_ns, self._rest.settled_ns) if self._head else now_ns

    def view(self, head: HeadState | None, hfov_deg: float | None, now_ns: int) -> tuple[bytes, Position | None]:
        """Return what was seen last, as a reference view, and where the head stood and still stands.

        Raises:
            NotSeenError: nothing yet, or no picture comes; its head has turned since, or is not said to stand still; it
                sees so little that a head's own play would be taken for a move.
        """
        if self._seen is None:
            raise NotSeenError("No picture of this camera has been looked at yet.", cure="Ask again in a minute.")
        if self._head:
            if head is None or head.position is None:
                cure = "It cannot be compared while that is so."
                raise NotSeenError("Its head does not say where it stands.", cure=cure)
            here = self._rest.stood(now_ns)
            if here is None or not self._seen.as_at(here):
                cure = "Leave its head where it is, and ask again."
                raise NotSeenError("The head has turned since its picture was looked at last.", cure=cure)
            if hfov_deg is not None and hfov_deg < NARROW_DEG:
                raise NotSeenError("It is zoomed in too far to be compared later.", cure="Zoom out, and ask again.")
        return halved(self._seen.grey).tobytes(), self._seen.at
