"""Shares, as the room makes, changes and ends them. What one may not share one may not give to others either."""

from collections.abc import Iterable

from fastapi import APIRouter, Request
from pydantic import AwareDatetime

from gateway.access.errors import ForbiddenError
from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api import share_giving
from gateway.api import share_models as models
from gateway.api import share_views as shown
from gateway.api.guard import Who, actor, confirmed, needs
from gateway.api.outside import watchers
from gateway.api.rooms import Rooms, The
from gateway.audit.events import Action, AuditEvent
from gateway.db.sharing import ShareRow
from gateway.shared import told_of
from gateway.sharing import STANDING, Doer, Person, ShareChange, ShareWish
from gateway.sharing.errors import ShareError, UnknownShareError
from gateway.sharing.terms import widens
from kernel.clock import NS_PER_S, to_ns
from kernel.ids import CameraId

router = APIRouter(prefix="/api/v1", tags=["shares"])


@router.get("/shares", **needs(Permission.SHARE))
async def shares(who: Who, the: The, *, due: bool = False, over: bool = False) -> list[models.Share]:
    """Return the shares of cameras that one may share: open, over, or standing ones whose review is due."""
    if over:
        rows = await the.sharing.shares.over()
    else:
        rows = the.sharing.shares.due() if due else the.sharing.shares.open()
    return [shown.share(the, row) for row in rows if _reaches(the, who, row)]


@router.get("/shares/usual", **needs(Permission.SHARE))
async def usual(the: The) -> models.Usual:
    """Return what a share is where nobody says otherwise, and what it may be at most."""
    return shown.usual(the)


@router.post("/shares", status_code=201, **needs(Permission.SHARE))
async def make(wish: models.NewShare, request: Request, who: Who, the: The) -> models.Share:
    """Share cameras with a partner. A standing share, or one longer than usual, needs a late proof of who one is."""
    if wish.kind == STANDING or _lasts_ns(the, wish) > _usual_ns(the):
        await confirmed(request, who, Permission.SHARE)
    return await _make(the, request, who, wish)


@router.post("/shares/quick", status_code=201, **needs(Permission.SHARE))
async def make_quickly(wish: models.QuickShare, request: Request, who: Who, the: The) -> models.Share:
    """Share a camera with everything else as the room's settings have it. Longer than usual needs a late proof."""
    if wish.minutes is not None and wish.minutes > the.settings.sharing.minutes:
        await confirmed(request, who, Permission.SHARE)
    organisation = wish.organisation
    if organisation is None:
        usual = the.sharing.partners.named(the.settings.sharing.organisation)
        if usual is None:
            raise ShareError(
                "It is not said with whom to share, and the room has no usual partner.",
                cure="Name the organisation, or set sharing.organisation.",
            )
        organisation = usual.id
    whole = models.NewShare(
        organisation=organisation,
        recipients=wish.recipients,
        cameras=[wish.camera],
        follow=wish.follow,
        minutes=wish.minutes,
        reference=wish.reference,
        may_ask_for_stick=wish.may_ask_for_stick,
    )
    return await _make(the, request, who, whole)


async def _make(the: Rooms, request: Request, who: Identity, wish: models.NewShare) -> models.Share:
    cameras = may_share(the, who, wish.cameras)
    row = await the.sharing.shares.make(
        ShareWish(
            organisation_id=wish.organisation,
            recipients=frozenset(wish.recipients) if wish.recipients is not None else None,
            cameras=cameras,
            follows=wish.follow,
            kind=wish.kind,
            title=wish.title,
            reference=wish.reference,
            reason=wish.reason,
            review_ns=_ns(wish.review),
            stream=wish.stream,
            may_ask_for_stick=wish.may_ask_for_stick,
            stills=wish.stills,
            viewer_limit=wish.viewer_limit,
            starts_ns=_ns(wish.start),
            ends_ns=_end_ns(wish.end, wish.minutes, _ns(wish.start) or the.clock.wall_ns()),
            ends_by_ns=share_giving.may_until_ns(the, who, cameras),
            session=who.session,
        ),
        by=person(who),
    )
    await _note(the, request, who, Action.SHARE_MADE, row)
    return shown.share(the, row)


@router.delete("/shares", **needs(Permission.SHARE))
async def end_all(request: Request, who: Who, the: The) -> list[models.Share]:
    """End every share that one may end. Returns them."""
    reached = [row.id for row in the.sharing.shares.open() if _reaches(the, who, row)]
    return await _end(the, request, who, reached)


@router.get("/shares/{share_id}", **needs(Permission.SHARE))
async def one(share_id: str, who: Who, the: The) -> models.Share:
    """Return a share that is not over."""
    return shown.share(the, reached(the, who, share_id))


@router.patch("/shares/{share_id}", **needs(Permission.SHARE))
async def change(share_id: str, wish: models.ChangeShare, request: Request, who: Who, the: The) -> models.Share:
    """Extend, narrow or otherwise change a share. What it gives no more ends at once.

    A late proof of who one is is needed to extend it by more than the usual time at once, and to widen in any way one
    that is standing or ends later than usual. Who extends somebody else's answers for it from then on.
    """
    row = reached(the, who, share_id)
    # Whoever changes a share gives what is in it anew.
    cameras = may_share(the, who, wish.cameras if wish.cameras is not None else row.cameras)
    change = ShareChange(
        title=wish.title,
        cameras=cameras if wish.cameras is not None else None,
        recipients=frozenset(wish.recipients) if wish.recipients is not None else None,
        ends_ns=_end_ns(wish.end, wish.minutes, the.clock.wall_ns()),
        stream=wish.stream,
        may_ask_for_stick=wish.may_ask_for_stick,
        stills=wish.stills,
        viewer_limit=wish.viewer_limit,
    )
    change = share_giving.answered(the, who, row, change)
    wished = the.sharing.shares.changed(row, change)
    usual_ns = the.clock.wall_ns() + _usual_ns(the)
    long = row.kind == STANDING or row.ends_ns > usual_ns
    if (long and widens(row, wished)) or wished.ends_ns > max(row.ends_ns + _usual_ns(the), usual_ns):
        await confirmed(request, who, Permission.SHARE)
    row = await the.sharing.shares.change(share_id, change)
    await _note(the, request, who, Action.SHARE_CHANGED, row)
    return shown.share(the, row)


@router.delete("/shares/{share_id}", **needs(Permission.SHARE))
async def end(share_id: str, request: Request, who: Who, the: The) -> models.Share:
    """End a share: its views stop at once."""
    reached(the, who, share_id)
    ended = await _end(the, request, who, [share_id])
    if not ended:
        raise UnknownShareError("There is no such share; it may be over.", cure="See the list of shares.")
    return ended[0]


@router.put("/shares/{share_id}/selected", status_code=204, **needs(Permission.SHARE))
async def select(share_id: str, wish: models.Selected, request: Request, who: Who, the: The) -> None:
    """Show in a share of one's own that follows what one has selected."""
    before = reached(the, who, share_id)
    camera = may_share(the, who, [wish.camera])[0] if wish.camera is not None else None
    row = await the.sharing.shares.select(share_id, camera, by=person(who), session=who.session)
    if row is not before:
        await _note(the, request, who, Action.SHARE_CHANGED, row)


@router.post("/shares/{share_id}/reviewed", **needs(Permission.SHARE, step_up=True))
async def reviewed(share_id: str, wish: models.Review, request: Request, who: Who, the: The) -> models.Share:
    """Let a standing share go on until its next review."""
    row = reached(the, who, share_id)
    may_share(the, who, row.cameras)
    row = await the.sharing.shares.review(share_id, to_ns(wish.review), by=person(who))
    await _note(the, request, who, Action.SHARE_REVIEWED, row)
    return shown.share(the, row)


@router.get("/shares/{share_id}/viewers", **needs(Permission.SHARE))
async def viewers(share_id: str, who: Who, the: The) -> list[models.Viewer]:
    """Return who watches by a share now, since when, and how well."""
    reached(the, who, share_id)
    return [shown.viewer(one) for one in watchers(the) if one.share_id == share_id]


async def _end(the: Rooms, request: Request, who: Identity, share_ids: list[str]) -> list[models.Share]:
    rows = await the.sharing.shares.end(share_ids, by=doer(request, who))
    if rows:
        await the.trail.kept()
    return [shown.share(the, row) for row in rows]


def reached(the: Rooms, who: Identity, share_id: str) -> ShareRow:
    """Return a share that is this person's business: their own, or of a camera that they may share.

    Raises:
        UnknownShareError: there is none.
    """
    row = the.sharing.shares.get(share_id)
    if not _reaches(the, who, row):
        raise UnknownShareError("There is no such share; it may be over.", cure="See the list of shares.")
    return row


def _reaches(the: Rooms, who: Identity, row: ShareRow) -> bool:
    own = the.decider.rights(who).cameras(Permission.SHARE)
    return own is None or row.made_by == who.user_id or bool(own & set(row.cameras))


def may_share(the: Rooms, who: Identity, cameras: Iterable[str]) -> tuple[CameraId, ...]:
    """Return the cameras, all of which there must be, and be shared by this person.

    Raises:
        UnknownCameraError: one is not there.
        ForbiddenError: one is not theirs to share, or a unit's that nothing says why it stands there.
    """
    found = tuple(the.fleet.camera(one).id for one in cameras)
    own = the.decider.rights(who).cameras(Permission.SHARE)
    if own is not None and not set(found) <= set(own):
        raise ForbiddenError(
            "A camera is not among those that you may share.", cure="Leave it out, or ask an administrator."
        )
    sharable = the.decider.sharable(own)
    if sharable is not None and not set(found) <= sharable:
        raise ForbiddenError(
            "A camera is a unit's that no valid deployment covers: nothing of it is recorded, or shared.",
            cure="Leave it out, or deploy it first.",
        )
    return found


def person(who: Identity) -> Person:
    """Return who does something, for the room."""
    return Person(user_id=who.user_id, name=who.name)


def doer(request: Request, who: Identity, *, name: str | None = None) -> Doer:
    """Return who does something that the room records by itself; ``name`` is what others are told they are called."""
    by = actor(request, who)
    return Doer(
        user_id=who.user_id,
        name=name or who.name,
        shown=by.name,
        address=by.address,
        rule=by.rule,
        reference=by.reference,
    )


def _ns(moment: AwareDatetime | None) -> int | None:
    return to_ns(moment) if moment is not None else None


def _usual_ns(the: Rooms) -> int:
    return the.settings.sharing.minutes * 60 * NS_PER_S


def _lasts_ns(the: Rooms, wish: models.NewShare) -> int:
    from_ns = _ns(wish.start) or the.clock.wall_ns()
    ends_ns = _end_ns(wish.end, wish.minutes, from_ns)
    return ends_ns - from_ns if ends_ns is not None else _usual_ns(the)


def _end_ns(end: AwareDatetime | None, minutes: int | None, from_ns: int) -> int | None:
    if end is not None:
        return to_ns(end)
    return from_ns + minutes * 60 * NS_PER_S if minutes is not None else None


async def _note(the: Rooms, request: Request, who: Identity, action: Action, row: ShareRow) -> None:
    details = told_of(the.fleet, row)
    await the.trail.append(AuditEvent(action=action, actor=actor(request, who), subject=row.id, details=details))
