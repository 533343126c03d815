"""What both sides of a share say to each other: the stick, asked for and lent; notes; tests of the link."""

from fastapi import APIRouter, Request

from gateway.access.identity import Identity
from gateway.access.permissions import Permission, Role
from gateway.api import share_models as models
from gateway.api import share_views as shown
from gateway.api.errors import NotHereError
from gateway.api.guard import Awake, Who, actor, needs
from gateway.api.models import Lent
from gateway.api.outside import watchers
from gateway.api.rooms import Rooms, The
from gateway.api.sharing import doer, reached
from gateway.audit.events import Action, AuditEvent
from gateway.db.sharing import ShareRow
from gateway.fleet.hosts import HostError
from gateway.sharing import Person
from gateway.sharing.errors import ShareError, UnknownShareError
from kernel.ids import CameraId

router = APIRouter(prefix="/api/v1", tags=["shares"])


@router.get("/shares/mine", **needs(Permission.SIGNED_IN))
async def mine(who: Who, the: The) -> models.Mine:
    """Return what is shared with one now, and whether the terms are to be accepted first."""
    return shown.mine(the, who)


# --- the stick


@router.post("/shares/{share_id}/stick-request", status_code=202, **needs(Permission.SIGNED_IN))
async def ask(share_id: str, wish: models.AskStick, request: Request, who: Awake, the: The) -> models.Request:
    """Ask for the stick of a camera that is shared with one."""
    the.sharing.acts.count(who.user_id)
    if the.fleet.camera(wish.camera).view.head is None:
        raise NotHereError("This camera has no head to steer.", cure="Choose a camera that moves.")
    asked = the.sharing.sticks.ask(share_id, CameraId(wish.camera), note=wish.note, by=_outside(the, who))
    details = {"share": share_id, "note": wish.note}
    await _note(the, request, who, Action.STICK_ASKED, asked.camera, details)
    return shown.request(asked)


@router.delete("/shares/{share_id}/stick-request", status_code=204, **needs(Permission.STEER, room=True))
async def refuse(share_id: str, request: Request, who: Who, the: The, user: str | None = None) -> None:
    """Say no to who asks: to one user, or to all who ask in this share."""
    reached(the, who, share_id)
    for one in the.sharing.sticks.refuse(share_id, user):
        details = {"share": share_id, "to": one.by.name}
        await _note(the, request, who, Action.STICK_REFUSED, one.camera, details)


@router.post("/shares/{share_id}/lend", status_code=201, **needs(Permission.STEER, room=True))
async def lend(share_id: str, wish: models.Lend, request: Request, who: Who, the: The) -> Lent:
    """Lend the stick of a camera that one may steer; one's own hold of it is let go of."""
    reached(the, who, share_id)
    camera = CameraId(wish.camera) if wish.camera is not None else None
    camera, user = the.sharing.sticks.wanted(share_id, camera=camera, user_id=wish.user)
    the.decider.decide(who, Permission.STEER, camera)
    loan = the.sharing.sticks.lend(share_id, camera=camera, user_id=user, minutes=wish.minutes, by=doer(request, who))
    for span in the.ledger.going_on("stick"):
        if span.camera == camera and span.actor.id == who.user_id:
            try:
                await the.fleet.host_of(the.fleet.camera(camera)).drop_stick(camera, span.key[1])
            except HostError:
                break  # it is lent all the same, and free once the host is there again
    details = {"share": share_id, "to": loan.to.name, "until": shown.lent(loan).until}
    await _note(the, request, who, Action.STICK_LENT, camera, details)
    return shown.lent(loan)


@router.delete("/shares/{share_id}/lend", **needs(Permission.STEER, room=True))
async def take_back(share_id: str, request: Request, who: Who, the: The, camera: str | None = None) -> list[Lent]:
    """Take back what is lent in a share: the stick of one camera, or all. The head is stopped."""
    reached(the, who, share_id)
    back = the.sharing.sticks.take_back(
        share_id, camera=CameraId(camera) if camera is not None else None, by=doer(request, who)
    )
    await the.trail.kept()
    return [shown.lent(loan) for loan in back]


@router.delete("/shares/{share_id}/stick", status_code=204, **needs(Permission.SIGNED_IN))
async def give_back(share_id: str, request: Request, who: Who, the: The) -> None:
    """Give back what one was lent, or take one's request back."""
    if the.sharing.sticks.give_back(share_id, by=doer(request, who, name=_outside(the, who).name)):
        await the.trail.kept()


# --- notes


@router.get("/shares/{share_id}/notes", **needs(Permission.SIGNED_IN))
async def notes(share_id: str, who: Who, the: The) -> list[models.Note]:
    """Return what was written in a share, oldest first."""
    row, _ = _side(the, who, share_id)
    return [shown.note(one) for one in await the.sharing.notes.of(row)]


@router.post("/shares/{share_id}/notes", status_code=201, **needs(Permission.SIGNED_IN))
async def write(share_id: str, wish: models.NewNote, request: Request, who: Awake, the: The) -> models.Note:
    """Write one line to the other side."""
    row, outside = _side(the, who, share_id)
    the.sharing.acts.count(who.user_id)
    by = _outside(the, who) if outside else _inside(who)
    written = await the.sharing.notes.write(row, wish.text, by=by, outside=outside)
    await _note(the, request, who, Action.SHARE_NOTE, share_id, {"text": wish.text})
    return shown.note(written)


# --- tests of the link


@router.post("/organisations/{organisation_id}/room-test", status_code=201, **needs(Permission.SHARE))
async def test(organisation_id: str, wish: models.NewTest, request: Request, who: Who, the: The) -> models.RoomTest:
    """Share a test picture with a partner's room for a short while; its page reports what it has decoded."""
    camera = next(
        (
            one
            for one in the.fleet.cameras()
            if (one.number == the.settings.sharing.test_camera if wish.camera is None else one.id == wish.camera)
        ),
        None,
    )
    if camera is None:
        raise ShareError("There is no such test camera.", cure="Name a camera, or set sharing.test_camera.")
    the.decider.decide(who, Permission.SHARE, camera.id)
    row, _ = await the.sharing.tests.start(organisation_id, camera.id, by=_inside(who))
    details = {"share": row.id, "camera": camera.id}
    await _note(the, request, who, Action.ROOM_TEST_STARTED, organisation_id, details)
    return shown.room_test(row)


@router.get("/organisations/{organisation_id}/room-tests", **needs(Permission.SHARE))
async def tests(organisation_id: str, the: The) -> list[models.RoomTest]:
    """Return the last tests of the link to a partner's room, the newest first."""
    the.sharing.partners.organisation(organisation_id)
    return [shown.room_test(row) for row in await the.sharing.tests.of(organisation_id)]


@router.post("/shares/{share_id}/seen", **needs(Permission.SIGNED_IN))
async def seen(share_id: str, wish: models.Seen, who: Who, the: The) -> models.RoomTest:
    """Report what one's page has decoded of a test picture."""
    the.sharing.acts.count(who.user_id)
    the.sharing.shares.own(share_id, who.user_id)
    watching = any(one.share_id == share_id and one.user_id == who.user_id for one in watchers(the))
    row = await the.sharing.tests.seen(
        share_id,
        by=_outside(the, who),
        frames=wish.frames,
        width=wish.width,
        height=wish.height,
        watching=watching,
    )
    return shown.room_test(row)


def _side(the: Rooms, who: Identity, share_id: str) -> tuple[ShareRow, bool]:
    """Return the share, and whether this person stands outside of the room.

    Raises:
        UnknownShareError: it is not theirs, on either side.
    """
    if who.role is Role.PARTNER:
        return the.sharing.shares.own(share_id, who.user_id), True
    if the.decider.rights(who).rule(Permission.SHARE) is None:
        raise UnknownShareError("That share is not yours.", cure="See the list of shares.")
    return reached(the, who, share_id), False


def _outside(the: Rooms, who: Identity) -> Person:
    return Person(user_id=who.user_id, name=the.sharing.partners.own(who.user_id).name)


def _inside(who: Identity) -> Person:
    return Person(user_id=who.user_id, name=who.name)


async def _note(
    the: Rooms, request: Request, who: Identity, action: Action, subject: str, details: dict[str, str]
) -> None:
    await the.trail.append(AuditEvent(action=action, actor=actor(request, who), subject=subject, details=dict(details)))
