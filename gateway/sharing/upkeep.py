"""What shares and loans lose by themselves: who gave them may not give it now, or who has them is no user any more."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from gateway.db.sharing import ShareRow
from gateway.sharing.partners import Partners
from gateway.sharing.shares import Shares
from gateway.sharing.sticks import Sticks
from kernel.ids import CameraId

MAY_NOT_SHARE = "who answers for it may not share its cameras any more"
MAY_NOT_STEER = "who lent it may not steer the camera any more"
GONE = "a recipient is no user any more"
NOBODY_LEFT = "none of its recipients is a user any more"
SIGNED_OUT = "whose selection it follows has signed out"

Sharable = Callable[[str], Collection[CameraId] | None]
"""Returns the cameras that a user may share now; ``None`` is all."""


class Upkeep:
    """Told from outside of what there is: this room knows no rights and no sessions."""

    def __init__(self, partners: Partners, shares: Shares, sticks: Sticks) -> None:
        self._partners = partners
        self._shares = shares
        self._sticks = sticks

    def forget(self, gone: Collection[str]) -> None:
        """Let nobody be a recipient of anything who is no user any more."""
        for was in self._each():
            if was.recipients is not None and not was.recipients.isdisjoint(gone):
                self._shares.narrow(was, replace(was, recipients=was.recipients - frozenset(gone)), reason=GONE)
        self._partners.forget(gone)

    def keep_to(self, sharable: Sharable, may_steer: Callable[[str, CameraId], bool]) -> None:
        """Let no share give what whoever answers for it may not share now, and no loan what its lender may not steer.

        A share that gives nothing then, or to nobody, is over; one that follows shows nothing as long as its maker may
        share anything at all.
        """
        over: dict[str, list[str]] = {}
        for was in self._each():
            own = sharable(was.made_by)
            cameras = was.cameras if own is None else tuple(camera for camera in was.cameras if camera in own)
            if was.recipients is not None and not was.recipients:
                over.setdefault(NOBODY_LEFT, []).append(was.id)
            elif (own is not None and not own) or not (cameras or was.follows):
                over.setdefault(MAY_NOT_SHARE, []).append(was.id)
            elif cameras != was.cameras:
                self._shares.narrow(was, replace(was, cameras=cameras), reason=MAY_NOT_SHARE)
        for reason, ending in over.items():
            self._shares.end_unwritten(ending, by=None, reason=reason)
        for loan in self._sticks.loans():
            if not may_steer(loan.by.user_id, loan.camera):
                self._sticks.end(loan, reason=MAY_NOT_STEER)

    def _each(self) -> Iterator[ShareRow]:
        """Give every share as it is when its turn comes: whoever is told of one may have us look again meanwhile."""
        for row in self._shares.open():
            if self._shares.is_open(row.id):
                yield self._shares.get(row.id)

    def signed_out(self, session: str, share_id: str | None = None) -> None:
        """Show nothing more in what follows the selection of a session that is over: of any share, or of one."""
        for one, (_, by) in self._shares.followed().items():
            if by == session and share_id in {None, one} and self._shares.is_open(one):
                was = self._shares.get(one)
                self._shares.narrow(was, replace(was, cameras=()), reason=SIGNED_OUT)
