"""The stick, lent: a recipient asks, the room lends it for a few minutes, and takes it back at once.

Loans and requests are held in memory alone: a gateway that starts anew has lent nothing.
"""

from config.sharing import SharingSettings
from gateway.db.sharing import ShareRow
from gateway.sharing.changes import (
    TIME_UP,
    Bell,
    Changed,
    Doer,
    Ended,
    Loan,
    Person,
    SharingChange,
    StickAsked,
    StickLent,
    StickRefused,
    StickRequest,
    StickTakenBack,
    StickWithdrawn,
)
from gateway.sharing.errors import ShareError, UnknownShareError
from gateway.sharing.partners import Partners
from gateway.sharing.shares import Shares
from kernel.clock import NS_PER_S, Clock
from kernel.ids import CameraId

WAIT_NS = 120 * NS_PER_S
"""A request that nobody has answered by then is answered with no."""
TAKEN_BACK, GIVEN_BACK, LENT_ANEW = "taken back", "given back", "lent to somebody else, or by another share"
NOT_SHARED = "it is not shared any more"
_MINUTE_NS = 60 * NS_PER_S


class Sticks:
    """Who outside may steer what now, and who would like to."""

    def __init__(
        self,
        shares: Shares,
        partners: Partners,
        *,
        clock: Clock,
        settings: SharingSettings,
        bell: Bell,
    ) -> None:
        self._shares = shares
        self._partners = partners
        self._clock = clock
        self._settings = settings
        self._bell = bell
        self._requests: dict[tuple[str, str], StickRequest] = {}
        """By share and user."""
        self._loans: dict[CameraId, Loan] = {}
        bell.settle(self._settle)

    # --- reading

    def loan(self, camera: CameraId) -> Loan | None:
        """Return to whom the stick of a camera is lent."""
        loan = self._loans.get(camera)
        return loan if loan is not None and self._clock.wall_ns() < loan.until_ns else None

    def loans_to(self, user_id: str) -> list[Loan]:
        """Return what is lent to somebody."""
        return [
            loan for camera in self._loans if (loan := self.loan(camera)) is not None and loan.to.user_id == user_id
        ]

    def requests(self, share_id: str | None = None) -> list[StickRequest]:
        """Return who asks, the longest waiting first; of one share, or of all."""
        return [one for one in self._requests.values() if share_id is None or one.share_id == share_id]

    # --- asking and lending

    def ask(self, share_id: str, camera: CameraId, *, note: str, by: Person) -> StickRequest:
        """Ask for the stick of a camera; asking again replaces what was asked.

        Raises:
            UnknownShareError: that is not shared with them.
            ShareError: the share does not let them ask.
        """
        row = self._shares.own(share_id, by.user_id)
        if camera not in row.cameras:
            raise UnknownShareError("That camera is not shared with you.", cure="Ask the control room.")
        if not row.may_ask_for_stick:
            raise ShareError("The stick cannot be asked for in this share.", cure="Write a note to the control room.")
        request = StickRequest(share_id=share_id, camera=camera, by=by, note=note, at_ns=self._clock.wall_ns())
        self._requests[share_id, by.user_id] = request
        self._bell.ring(StickAsked(row, request))
        return request

    def refuse(self, share_id: str, user_id: str | None = None) -> list[StickRequest]:
        """Say no to who asks in a share: to one, or to all.

        Raises:
            UnknownShareError: nobody asks.
        """
        row = self._shares.get(share_id)
        refused = [one for one in self.requests(share_id) if user_id in {None, one.by.user_id}]
        if not refused:
            raise UnknownShareError("Nobody asks for a stick in that share.", cure="They may have been answered.")
        for one in refused:
            del self._requests[share_id, one.by.user_id]
            self._bell.ring(StickRefused(row, one))
        return refused

    def wanted(self, share_id: str, *, camera: CameraId | None, user_id: str | None) -> tuple[CameraId, str]:
        """Return the camera and the user of a loan to be: what is not named is as was asked for last.

        Raises:
            UnknownShareError: nobody asks for that.
        """
        if camera is not None and user_id is not None:
            return camera, user_id
        fitting = [
            one for one in self.requests(share_id) if user_id in {None, one.by.user_id} and camera in {None, one.camera}
        ]
        if not fitting:
            raise UnknownShareError("Nobody asks for a stick in that share.", cure="Name a camera and a person.")
        return fitting[-1].camera, fitting[-1].by.user_id

    def lend(self, share_id: str, *, camera: CameraId, user_id: str, minutes: int | None, by: Doer) -> Loan:
        """Lend the stick of a camera. A loan of it to somebody else ends.

        Raises:
            UnknownShareError: it is not shared with them.
            ShareError: that long it is not lent.
        """
        row = self._shares.get(share_id)
        if camera not in self._shares.own(share_id, user_id).cameras:
            raise UnknownShareError("That camera is not in that share.", cure="See which are.")
        minutes = minutes if minutes is not None else self._settings.stick_minutes
        if not 1 <= minutes <= self._settings.stick_max_minutes:
            raise ShareError(
                f"A stick is lent for 1 to {self._settings.stick_max_minutes} minutes.",
                cure="Lend it again if need be.",
            )
        now_ns = self._clock.wall_ns()
        back = self._lent_before(camera, share_id=share_id, user_id=user_id, by=by)
        loan = Loan(
            share_id=share_id,
            camera=camera,
            to=Person(user_id=user_id, name=self._partners.own(user_id).name),
            by=by,
            since_ns=now_ns,
            until_ns=min(now_ns + minutes * _MINUTE_NS, row.ends_ns),
        )
        self._requests.pop((share_id, user_id), None)
        self._loans[camera] = loan
        self._bell.change(*back, StickLent(row, loan))
        return loan

    def _lent_before(self, camera: CameraId, *, share_id: str, user_id: str, by: Doer) -> list[SharingChange]:
        """End the loan that a new one takes the place of; the same person's by the same share goes on longer."""
        loan = self._loans.get(camera)
        if loan is None:
            return []
        if loan.until_ns <= self._clock.wall_ns():
            return [self._drop(loan, by=None, reason=TIME_UP)]
        if (loan.share_id, loan.to.user_id) == (share_id, user_id):
            return []
        return [self._drop(loan, by=by, reason=LENT_ANEW)]

    def take_back(self, share_id: str, *, camera: CameraId | None = None, by: Doer) -> list[Loan]:
        """End the loans in a share: all, or of one camera. Whoever steers by one is stopped.

        Raises:
            UnknownShareError: nothing is lent.
        """
        back = [loan for loan in self._loans.values() if loan.share_id == share_id and camera in {None, loan.camera}]
        if not back:
            raise UnknownShareError("No stick is lent in that share.", cure="It may have come back by itself.")
        self._bell.change(*[self._drop(loan, by=by, reason=TAKEN_BACK) for loan in back])
        return back

    def give_back(self, share_id: str, *, by: Doer) -> list[Loan]:
        """Give back what one was lent, or take one's request back."""
        withdrawn = self._requests.pop((share_id, by.user_id), None)
        if withdrawn is not None:
            self._bell.ring(StickWithdrawn(self._shares.get(share_id), withdrawn))
        mine = [loan for loan in self.loans_to(by.user_id) if loan.share_id == share_id]
        if mine:
            self._bell.change(*[self._drop(loan, by=by, reason=GIVEN_BACK) for loan in mine])
        return mine

    def loans(self) -> list[Loan]:
        """Return everything that is lent."""
        return [loan for camera in self._loans if (loan := self.loan(camera)) is not None]

    def end(self, loan: Loan, *, reason: str) -> None:
        """End a loan that nobody takes back, for a reason. Whoever steers by it is stopped."""
        if self._loans.get(loan.camera) is loan:
            self._bell.change(self._drop(loan, by=None, reason=reason))

    # --- the clock, and what happens to shares

    def look(self) -> None:
        """End what is over by now."""
        now_ns = self._clock.wall_ns()
        over = [loan for loan in self._loans.values() if loan.until_ns <= now_ns]
        if over:
            self._bell.change(*[self._drop(loan, by=None, reason=TIME_UP) for loan in over])
        for key, request in list(self._requests.items()):
            if request.at_ns + WAIT_NS <= now_ns:
                del self._requests[key]
                self._bell.ring(StickRefused(self._shares.get(request.share_id), request))

    def _settle(self, change: SharingChange) -> list[SharingChange]:
        """Let nothing outlive the share that it was given by, or what is no longer in it."""
        if not isinstance(change, Ended | Changed):
            return []
        share = change.share

        def stays(camera: CameraId, user_id: str) -> bool:
            inside = isinstance(change, Changed) and camera in share.cameras
            return inside and self._shares.received(share, user_id)

        for key, request in list(self._requests.items()):
            if request.share_id == share.id and not stays(request.camera, request.by.user_id):
                del self._requests[key]
        of_it = [one for one in self._loans.values() if one.share_id == share.id]
        over = [loan for loan in of_it if not stays(loan.camera, loan.to.user_id)]
        return [self._drop(loan, by=None, share=share, reason=NOT_SHARED) for loan in over]

    def _drop(self, loan: Loan, *, by: Doer | None, reason: str, share: ShareRow | None = None) -> SharingChange:
        """Lend something no longer; return what is to be told of that."""
        share = share or self._shares.get(loan.share_id)
        del self._loans[loan.camera]
        return StickTakenBack(share, loan, by, reason)
