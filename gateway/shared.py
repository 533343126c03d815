"""Joins shares with the rooms that do not know of them: to one they are rights, to another acts that are recorded.

To the camera hosts they are outlets. What shares know of rights, users and sessions they are told here too.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress

from gateway.access.decision import TOKEN_PREFIX, Decider
from gateway.access.permissions import Permission
from gateway.access.rights import Right
from gateway.access.service import Access
from gateway.audit.events import SYSTEM, Action, Actor, AuditEvent, Detail, Outcome
from gateway.audit.trail import Trail
from gateway.db.sharing import ShareRow
from gateway.db.turns import by_turns
from gateway.fleet import rpc
from gateway.fleet.errors import UnknownCameraError
from gateway.fleet.outlets import Outlet, OutletCamera, OutletCredential, issue_credential
from gateway.fleet.service import Fleet
from gateway.sharing import Changed, Doer, Ended, Sharing, SharingChange, StickTakenBack, Tested
from gateway.sharing.outlets import Issued, Opening
from kernel.clock import Clock, utc

FOLLOWS = "What the control room selects"
SESSIONS_S = 2.0
"""The end of a session that another process ended (``sightline users``) is seen within this."""


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
        self._fleet.outlets.load(map(_outlet, openings))

    async def put(self, opening: Opening) -> None:
        """See ``Door``. A host that cannot be told is told as soon as it is linked."""
        await self._fleet.outlets.put(_outlet(opening))

    async def remove(self, outlet_id: str) -> None:
        """See ``Door``. At a host that cannot be told its views end with the outlet's own time at the latest."""
        await self._fleet.outlets.remove(outlet_id)


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


def title_of(fleet: Fleet, row: ShareRow) -> str:
    """Return a share's title: where nobody gave it one, what it shows."""
    if row.title:
        return row.title
    if row.follows:
        return FOLLOWS
    shown = []
    for one in row.cameras:
        with suppress(UnknownCameraError):  # it was removed since
            shown.append(fleet.camera(one))
    if not shown:
        return row.reason
    first = f"Camera {shown[0].number}, {shown[0].name}"
    return first if len(shown) == 1 else f"{first}, and {len(shown) - 1} more"


def told_of(fleet: Fleet, row: ShareRow) -> dict[str, Detail]:
    """Return what the record says of a share that is made, changed or over."""
    return {
        "title": title_of(fleet, row),
        "organisation": row.organisation_id,
        "recipients": ", ".join(sorted(row.recipients)) if row.recipients is not None else None,
        "cameras": ", ".join(row.cameras),
        "follows": row.follows,
        "kind": row.kind,
        "reference": row.reference,
        "reason": row.reason,
        "stream": row.stream,
        "may_ask_for_stick": row.may_ask_for_stick,
        "stills": row.stills,
        "until": utc(row.ends_ns).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


class Recorder:
    """Records every end of a share and of a loan, whoever or whatever ended it, and how a test of a link went."""

    def __init__(self, trail: Trail, fleet: Fleet) -> None:
        self._trail = trail
        self._fleet = fleet

    def heard(self, change: SharingChange) -> None:
        """Record a change, where no request does."""
        match change:
            case Changed(share, _, reason) if reason:
                self._trail.note(
                    AuditEvent(
                        action=Action.SHARE_CHANGED,
                        actor=SYSTEM,
                        subject=share.id,
                        details=told_of(self._fleet, share) | {"reason": reason},
                    )
                )
            case Ended(share, by, reason):
                self._trail.note(
                    AuditEvent(
                        action=Action.SHARE_ENDED,
                        actor=_actor(by),
                        subject=share.id,
                        # Where somebody ended it the reason is what it was given for, as in its other entries.
                        details=told_of(self._fleet, share) | ({"reason": reason} if by is None else {}),
                    )
                )
            case StickTakenBack(share, loan, by, reason):
                self._trail.note(
                    AuditEvent(
                        action=Action.STICK_TAKEN_BACK,
                        actor=_actor(by),
                        subject=loan.camera,
                        details={"share": share.id, "to": loan.to.name, "reason": reason},
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


def _actor(by: Doer | None) -> Actor:
    """Return who did it, for the audit; nobody is the system."""
    if by is None:
        return SYSTEM
    return Actor(id=by.user_id, name=by.shown, address=by.address, rule=by.rule, reference=by.reference)


class ShareGivers:
    """Tells shares who may still give what they gave, and who is still there. Made by :func:`kept_to_rights`."""

    def __init__(self, sharing: Sharing, decider: Decider, access: Access, *, clock: Clock) -> None:
        self._sharing = sharing
        self._decider = decider
        self._access = access
        self._clock = clock
        self._people = self._everybody()
        self._due = False
        self._looking = False

    def _everybody(self) -> frozenset[str]:
        tables = self._decider.tables()
        return frozenset(tables.users) | tables.disabled

    def rights_changed(self) -> None:
        """Take away what is not theirs to give any more.

        That changes rights again, and so calls this anew: once more around then, not deeper for each share.
        """
        self._due = True
        if self._looking:
            return
        self._looking = True
        try:
            while self._due:
                self._due = False
                self._take_away()
        finally:
            self._looking = False

    def _take_away(self) -> None:
        """Do so as things stand. Whoever was just made is not known yet, and not gone."""
        before, self._people = self._people, self._everybody()
        gone = before - self._people
        if gone:
            self._sharing.upkeep.forget(gone)
        self._sharing.upkeep.keep_to(
            lambda user_id: self._decider.sharable(self._decider.rights_of(user_id).cameras(Permission.SHARE)),
            lambda user_id, camera: self._decider.rights_of(user_id).rule(Permission.STEER, camera) is not None,
        )

    async def look(self) -> None:
        """Show nothing more of what somebody selected whose session another process, or the clock, has ended.

        A gateway that starts anew knows not through which session that was: any of its maker's will do.
        """
        followed = self._sharing.shares.followed()
        gone = set(await self._access.gone([session for _, session in followed.values()]) if followed else ())
        for share_id, (maker, session) in followed.items():
            if session.startswith(TOKEN_PREFIX):
                token = self._decider.tables().tokens.get(session.removeprefix(TOKEN_PREFIX))
                over = token is None or token[2] <= self._clock.wall_ns()
            else:
                over = session in gone if session else not await self._access.sessions(maker)
            if over:
                self._sharing.upkeep.signed_out(session, share_id)

    async def run(self) -> None:
        """Look for ever; with a failing database what was seen last holds."""
        await by_turns(self.look, clock=self._clock, period_s=SESSIONS_S, failed="share.sessions_unread")


@asynccontextmanager
async def kept_to_rights(sharing: Sharing, decider: Decider, access: Access, *, clock: Clock) -> AsyncIterator[None]:
    """Let shares and loans give what whoever gave them may give, for the time of the block."""
    givers = ShareGivers(sharing, decider, access, clock=clock)
    detach = [
        decider.when_changed(givers.rights_changed),
        access.when_ended(sharing.upkeep.signed_out),
    ]
    try:
        givers.rights_changed()
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(givers.run(), name="whose selection is shown")
            try:
                yield
            finally:
                looking.cancel()
    finally:
        for call in detach:
            call()
