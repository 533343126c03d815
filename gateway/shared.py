"""Joins shares with the rooms that do not know of them: to one they are rights, to another acts that are recorded."""

from collections.abc import Sequence

from gateway.access.permissions import Permission
from gateway.access.rights import Right
from gateway.audit.events import SYSTEM, Action, Actor, AuditEvent, Outcome
from gateway.audit.trail import Trail
from gateway.sharing import Ended, Sharing, SharingChange, StickTakenBack, Tested


class ShareRights:
    """Satisfies ``gateway.access.decision.Source``: a share lets its recipients see, and steer what is lent."""

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing

    def rights(self, user_id: str, now_ns: int) -> Sequence[Right]:  # noqa: ARG002 - the room has the same clock
        """Return what shares allow this user now."""
        found = []
        for given in self._sharing.given(user_id):
            rule = f"share:{given.share_id}"
            seeing = {Permission.VIEW_LIVE, Permission.STILL} if given.stills else {Permission.VIEW_LIVE}
            found.append(Right(rule=rule, permissions=frozenset(seeing), cameras=given.cameras))
            if given.steered:
                found.append(Right(rule=rule, permissions=frozenset({Permission.STEER}), cameras=given.steered))
        return found


class Recorder:
    """Records what no request does: what ends by the clock, and how a test of a link went."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail

    def heard(self, change: SharingChange) -> None:
        """Record a change, where nobody else does."""
        match change:
            case Ended(share, None):
                self._trail.note(
                    AuditEvent(
                        action=Action.SHARE_ENDED,
                        actor=SYSTEM,
                        subject=share.id,
                        details={"title": share.title, "reference": share.reference, "reason": "its time was up"},
                    )
                )
            case StickTakenBack(share, loan, None):
                self._trail.note(
                    AuditEvent(
                        action=Action.STICK_TAKEN_BACK,
                        actor=SYSTEM,
                        subject=loan.camera,
                        details={"share": share.id, "to": loan.to.name, "reason": "its time was up"},
                    )
                )
            case Tested(test):
                self._trail.note(
                    AuditEvent(
                        action=Action.ROOM_TESTED,
                        actor=Actor(id=test.by, name=test.operator, address=""),
                        subject=test.organisation_id,
                        outcome=Outcome.DONE if test.result == "passed" else Outcome.FAILED,
                        details={
                            "result": test.result,
                            "camera": test.camera_id,
                            "seen_by": test.seen_by,
                            "frames": test.frames,
                            "picture": f"{test.width}x{test.height}" if test.frames else None,
                        },
                    )
                )
            case _:
                pass
