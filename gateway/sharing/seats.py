"""Places in shares: how many views of each are open, or being opened, and by whom."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from config.sharing import SharingSettings
from gateway.db.sharing import ShareRow
from gateway.sharing.errors import NotSharedError, ShareFullError
from gateway.sharing.shares import Shares
from gateway.sharing.wishes import LINE
from kernel.ids import CameraId, StreamName

Place = tuple[str, CameraId]
"""Who watches what."""


class Seats:
    """Holds places while offers are under way."""

    def __init__(self, shares: Shares, *, settings: SharingSettings) -> None:
        self._shares = shares
        self._own_most = settings.views_of_one_camera
        self._taking: list[tuple[str, Place]] = []
        """By share."""

    @contextmanager
    def seat(
        self, user_id: str, camera: CameraId, stream: StreamName, *, watching: Callable[[str], Collection[Place]]
    ) -> Iterator[ShareRow]:
        """Hold a viewer's place in a share while their view is being opened; give the share.

        ``watching`` returns the places of a share that are taken by views.

        Raises:
            NotSharedError: that stream is not given.
            ShareFullError: all places are taken, or as many as one person may have of a camera.
        """
        giving = [row for row in self._shares.given(user_id) if camera in row.cameras]
        fitting = [row for row in giving if row.stream in {LINE, stream.value}]
        if not fitting:
            raise NotSharedError(f"The {stream} stream of this camera is not shared with you.", cure="Take the other.")
        mine = (user_id, camera)
        full = f"All {fitting[0].viewer_limit} places of this share are taken."
        for row in fitting:
            watched = watching(row.id)
            if self.free(row, mine, watched):
                break
            if len(self._taken(row, watched)) < row.viewer_limit:
                full = f"You have {self._own_most} views of this camera open, which is the most."
        else:
            raise ShareFullError(full, cure="Close a view, or ask for more.")
        self._taking.append((row.id, mine))
        try:
            yield row
        finally:
            self._taking.remove((row.id, mine))

    def free(self, share: ShareRow, place: Place, watching: Collection[Place]) -> bool:
        """Return whether a share has one more place for somebody; ``watching`` are those that are taken by views."""
        taken = self._taken(share, watching)
        return len(taken) < share.viewer_limit and taken.count(place) < self._own_most

    def _taken(self, share: ShareRow, watching: Collection[Place]) -> list[Place]:
        return [*watching, *(place for share_id, place in self._taking if share_id == share.id)]
