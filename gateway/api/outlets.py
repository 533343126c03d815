"""Outlets of a share: what a partner's own system (a VMS, VLC, ffmpeg) takes of it, by a credential of its own."""

from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from pydantic import BaseModel

from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api import models
from gateway.api.guard import Who, actor, needs
from gateway.api.outside import watchers
from gateway.api.rooms import Rooms, The, origin_of
from gateway.api.share_models import Viewer
from gateway.api.share_views import viewer
from gateway.api.sharing import may_share, person, reached
from gateway.api.times import iso
from gateway.audit.events import Action, AuditEvent, Detail
from gateway.db.outlets import OutletRow
from gateway.db.sharing import ShareRow
from gateway.sharing.errors import ShareError

router = APIRouter(prefix="/api/v1/shares/{share_id}/outlets", tags=["shares"])


class NewOutlet(models.Taken):
    """A system that is to take the share. Its organisation is the share's."""

    name: models.Name
    """Which system, as everybody will know it again: ``Control room wall, VMS 2``."""


class OutletAddress(BaseModel):
    """Where one camera is taken. ``/main`` or ``/sub`` behind it names a stream; without, it is the share's best."""

    camera: str
    number: int
    url: str


class Outlet(BaseModel):
    """A system that takes the share."""

    id: str
    name: str
    username: str
    open: bool
    """It is let in now. It is not before the share begins, nor while its organisation is switched off."""
    addresses: list[OutletAddress]
    """Of the cameras whose hosts have said where they listen; without the credential."""
    viewers: list[Viewer]
    """Its views that are open."""
    made_by: str
    made: str


class MadeOutlet(Outlet):
    """An outlet just made. The password is told this once, and kept nowhere."""

    password: str


@router.get("", **needs(Permission.SHARE))
async def outlets(share_id: str, request: Request, who: Who, the: The) -> list[Outlet]:
    """Return the systems that take a share."""
    reached(the, who, share_id)
    return [_shown(the, request, row) for row in the.sharing.outlets.of_share(share_id)]


@router.post("", status_code=201, **needs(Permission.SHARE, step_up=True))
async def make(share_id: str, wish: NewOutlet, request: Request, who: Who, the: The) -> MadeOutlet:
    """Give a share to a system of its partner, over RTSPS: read-only, until the share ends.

    The answer has the addresses, the user name and the password; the password is told this once. Networks, places and
    stream are those of the share and of its organisation, as they are changed.
    """
    share = reached(the, who, share_id)
    may_share(the, who, share.cameras)
    if not the.settings.outgoing.rtsps:
        raise ShareError("RTSPS is switched off here.", cure="Have outgoing.rtsps = true set, or share with people.")
    row, issued = await the.sharing.outlets.make(share_id, name=wish.name, by=person(who))
    await the.trail.append(_event(request, who, Action.OUTLET_MADE, row, share))
    return MadeOutlet(**_shown(the, request, row).model_dump(), password=issued.password)


@router.delete("/{outlet_id}", status_code=204, **needs(Permission.SHARE))
async def remove(share_id: str, outlet_id: str, request: Request, who: Who, the: The) -> None:
    """Take a share from a system: its pictures stop at once, and its credential is worth nothing."""
    share = reached(the, who, share_id)
    row = await the.sharing.outlets.remove(share_id, outlet_id)
    await the.trail.append(_event(request, who, Action.OUTLET_REMOVED, row, share))


def _shown(the: Rooms, request: Request, row: OutletRow) -> Outlet:
    numbers = {camera.id: camera.number for camera in the.fleet.cameras()}
    name = _name(the, request)
    return Outlet(
        id=row.id,
        name=row.name,
        username=row.username,
        open=the.sharing.outlets.is_open(row.id),
        addresses=[
            OutletAddress(camera=one.camera, number=numbers[one.camera], url=f"rtsps://{name}:{one.port}{one.path}")
            for one in the.fleet.outlets.paths(row.id)
        ],
        viewers=[viewer(one) for one in watchers(the) if one.user_id == row.id],
        made_by=row.maker,
        made=iso(row.created_ns),
    )


def _name(the: Rooms, request: Request) -> str:
    """Return by what name partners reach the camera hosts' door."""
    name = the.settings.outgoing.name or urlsplit(origin_of(request)).hostname or ""
    return f"[{name}]" if ":" in name else name


def _event(request: Request, who: Identity, action: Action, row: OutletRow, share: ShareRow) -> AuditEvent:
    details: dict[str, Detail] = {
        "outlet": row.id,
        "name": row.name,
        "username": row.username,
        "organisation": share.organisation_id,
        "cameras": ", ".join(share.cameras),
    }
    return AuditEvent(
        action=action, actor=actor(request, who), subject=share.id, reference=share.reference, details=details
    )
