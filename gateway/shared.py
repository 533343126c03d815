"""Joins shares with the rooms that do not know of them: to one they are rights, to another acts that are recorded.

To the camera hosts they are outlets.
"""

from collections.abc import Iterable, Sequence

from gateway.access.permissions import Permission
from gateway.access.rights import Right
from gateway.audit.events import SYSTEM, Action, Actor, AuditEvent, Outcome
from gateway.audit.trail import Trail
from gateway.fleet import rpc
from gateway.fleet.outlets import Outlet, OutletCamera, OutletCredential, issue_credential
from gateway.fleet.service import Fleet
from gateway.sharing import Ended, Sharing, SharingChange, StickTakenBack, Tested
from gateway.sharing.outlets import Issued, Opening


class ShareRights:
    """Satisfies ``gateway.access.decision.Source``: a share lets its recipients see, and steer what is lent."""

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing

    def rights(self, user_id: str, now_ns: int) -> Sequence[Right]:
        """Return what shares allow this user at an instant."""
        found = []
        for given in self._sharing.given(user_id, now_ns):
            rule = f"share:{given.share_id}"
            seeing = {Permission.VIEW_LIVE, Permission.STILL} if given.stills else {Permission.VIEW_LIVE}
            until_ns = given.until_ns
            found.append(Right(rule=rule, permissions=frozenset(seeing), cameras=given.cameras, until_ns=until_ns))
            if given.steered:
                lent = frozenset({Permission.STEER})
                found.append(Right(rule=rule, permissions=lent, cameras=given.steered, until_ns=until_ns))
        return found


class HostDoors:
    """Satisfies ``gateway.sharing.outlets.Door``: systems of partners come in at the camera hosts, by RTSPS."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def issue(self, path: str) -> Issued:
        """See ``Door``."""
        made = issue_credential(path)
        return Issued(made.username, made.password, rpc.wire(made.credential).decode())

    def load(self, openings: Iterable[Opening]) -> None:
        """See ``Door``."""
        self._fleet.load_outlets(map(_outlet, openings))

    async def put(self, opening: Opening) -> None:
        """See ``Door``. A host that cannot be told is told as soon as it is linked."""
        await self._fleet.put_outlet(_outlet(opening))

    async def remove(self, outlet_id: str) -> None:
        """See ``Door``. At a host that cannot be told its views end with the outlet's own time at the latest."""
        await self._fleet.remove_outlet(outlet_id)


def _outlet(opening: Opening) -> Outlet:
    return Outlet(
        id=opening.id,
        name=opening.path,
        username=opening.username,
        credential=OutletCredential.model_validate_json(opening.credential),
        # The fleet knows their numbers as they are by then.
        cameras=tuple(OutletCamera(id=camera, number=0) for camera in opening.cameras),
        best=opening.best,
        networks=opening.networks,
        viewers_max=opening.viewers_max,
        full=opening.full,
        until_ns=opening.until_ns,
        subject=opening.subject,
        user=opening.id,
        access_session=f"share:{opening.share_id}",
    )


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
                        details={
                            "title": share.title or None,
                            "cameras": ", ".join(share.cameras),
                            "reference": share.reference,
                            "reason": "its time was up",
                        },
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
