"""From what sharing knows to what the API says: to the room, and to those outside."""

from gateway.access.identity import Identity
from gateway.api import share_models as models
from gateway.api.models import Lent
from gateway.api.outside import Watcher, views_of
from gateway.api.rooms import Rooms
from gateway.api.showing import timed
from gateway.api.times import iso, iso_or_none
from gateway.db.sharing import NoteRow, RoomTestRow, ShareRow
from gateway.fleet.cameras import Camera
from gateway.fleet.errors import UnknownCameraError
from gateway.fleet.rpc import LiveState
from gateway.shared import title_of
from gateway.sharing.changes import Loan, StickRequest
from kernel.ids import CameraId


def title(the: Rooms, row: ShareRow) -> str:
    """Return a share's title: where nobody gave it one, what it shows."""
    return title_of(the.fleet, row)


def share(the: Rooms, row: ShareRow) -> models.Share:
    """Return a share as the room sees it."""
    sticks = the.sharing.sticks
    loans = [loan for camera in row.cameras if (loan := sticks.loan(camera)) is not None and loan.share_id == row.id]
    return models.Share(
        id=row.id,
        kind=row.kind,
        title=title(the, row),
        organisation=row.organisation_id,
        organisation_name=the.sharing.partners.name_of(row.organisation_id),
        recipients=sorted(row.recipients) if row.recipients is not None else None,
        cameras=list(row.cameras),
        follow=row.follows,
        reference=row.reference,
        reason=row.reason,
        review=iso_or_none(row.review_ns),
        stream=row.stream,
        may_ask_for_stick=row.may_ask_for_stick,
        stills=row.stills,
        viewer_limit=row.viewer_limit,
        viewers=len(views_of(the.ledger, the.sharing, row.id)),
        start=iso(row.starts_ns),
        end=iso(row.ends_ns),
        ended=iso_or_none(row.ended_ns),
        running=the.sharing.shares.running(row.id),
        made_by=row.maker,
        made_by_id=row.made_by,
        made=iso(row.created_ns),
        lent=[lent(loan) for loan in loans],
        requests=[request(one) for one in sticks.requests(row.id)],
    )


def usual(the: Rooms) -> models.Usual:
    """Return what a share is where nobody says otherwise."""
    settings = the.settings.sharing
    organisation = the.sharing.partners.named(settings.organisation)
    return models.Usual(
        organisation=organisation.id if organisation is not None else None,
        minutes=settings.minutes,
        max_minutes=settings.max_minutes,
        reason=settings.reason,
        viewer_limit=settings.viewer_limit,
        stick_minutes=settings.stick_minutes,
        stick_max_minutes=settings.stick_max_minutes,
        test_camera=next((one.id for one in the.fleet.cameras() if one.number == settings.test_camera), None),
    )


def mine(the: Rooms, who: Identity) -> models.Mine:
    """Return what is shared with somebody outside.

    Raises:
        UnknownShareError: they are of no partner organisation.
    """
    partners = the.sharing.partners
    one = partners.own(who.user_id)
    return models.Mine(
        name=one.name,
        organisation=partners.organisation(one.organisation_id).name,
        room=the.settings.sharing.room_name,
        terms_due=one.terms_version != partners.terms_version,
        server_time=iso(the.clock.wall_ns()),
        shares=[my_share(the, row, who.user_id) for row in the.sharing.shares.given(who.user_id)],
    )


def my_share(the: Rooms, row: ShareRow, user_id: str) -> models.MyShare:
    """Return a share as a recipient sees it."""
    asked = next((one.camera for one in the.sharing.sticks.requests(row.id) if one.by.user_id == user_id), None)
    return models.MyShare(
        id=row.id,
        kind=row.kind,
        title=title(the, row),
        made_by=row.maker,
        reference=row.reference,
        reason=row.reason,
        stream=row.stream,
        may_ask_for_stick=row.may_ask_for_stick,
        stills=row.stills,
        start=iso(row.starts_ns),
        end=iso(row.ends_ns),
        cameras=[shown for camera in row.cameras if (shown := _camera(the, camera)) is not None],
        asked=asked,
    )


def _known(the: Rooms, camera_id: CameraId) -> Camera | None:
    try:
        return the.fleet.camera(camera_id)
    except UnknownCameraError:
        return None  # it was removed since


def _camera(the: Rooms, camera_id: CameraId) -> models.SharedCamera | None:
    camera = _known(the, camera_id)
    if camera is None:
        return None
    state = the.fleet.state(camera.id)
    loan = the.sharing.sticks.loan(camera.id)
    return models.SharedCamera(
        id=camera.id,
        number=camera.number,
        name=camera.name,
        street=camera.street,
        live=state is not None and state.live is LiveState.LIVE,
        timed=timed(state),
        sub=camera.view.sub is not None,
        steerable=camera.view.head is not None,
        lent=lent(loan) if loan is not None else None,
    )


def lent(loan: Loan) -> Lent:
    """Return a loan."""
    return Lent(
        share=loan.share_id,
        camera=loan.camera,
        user_id=loan.to.user_id,
        name=loan.to.name,
        by=loan.by.name,
        since=iso(loan.since_ns),
        until=iso(loan.until_ns),
    )


def request(one: StickRequest) -> models.Request:
    """Return a request for a stick."""
    return models.Request(
        share=one.share_id,
        camera=one.camera,
        user_id=one.by.user_id,
        name=one.by.name,
        note=one.note,
        at=iso(one.at_ns),
    )


def note(row: NoteRow) -> models.Note:
    """Return a note."""
    return models.Note(
        id=row.id, share=row.share_id, at=iso(row.at_ns), name=row.name, outside=row.outside, text=row.text
    )


def viewer(one: Watcher) -> models.Viewer:
    """Return somebody who watches."""
    return models.Viewer(
        user_id=one.user_id,
        kind=one.kind,
        name=one.name,
        organisation=one.organisation,
        camera=one.camera,
        share=one.share_id,
        seconds=one.seconds,
        connected=one.connected,
        loss_percent=one.loss_percent,
        rtt_ms=one.rtt_ms,
    )


def room_test(row: RoomTestRow) -> models.RoomTest:
    """Return a test of a link."""
    return models.RoomTest(
        id=row.id,
        organisation=row.organisation_id,
        camera=row.camera_id,
        at=iso(row.started_ns),
        operator=row.operator,
        result=row.result,
        ended=iso_or_none(row.ended_ns),
        seen_by=row.seen_by,
        frames=row.frames,
        width=row.width,
        height=row.height,
    )
