"""Cameras: the list, enrolment, discovery, changes, snapshots."""

import base64
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from drivers.model import CameraTarget, Credentials
from gateway.access.groups import Standing
from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.access.rights import Rights
from gateway.api import models, share_views, showing
from gateway.api.description import answers
from gateway.api.guard import Who, actor, confirmed, needs
from gateway.api.hands import UnitMark, as_printed, hand, note_mark
from gateway.api.rooms import Rooms, The
from gateway.api.times import iso_or_none
from gateway.audit.events import Action, AuditEvent, Outcome
from gateway.db.errors import ConflictError
from gateway.fleet.cameras import Camera, CameraFacts
from gateway.fleet.errors import CameraHeldError
from gateway.fleet.moving import CORRECTION_M, place_of
from gateway.fleet.pointing import through
from gateway.stationed import stands
from kernel.errors import SightlineError
from kernel.geography import Place, distance_m

router = APIRouter(prefix="/api/v1", tags=["cameras"])


async def _camera(camera_id: str, the: The) -> Camera:
    return the.fleet.camera(camera_id)


OneCamera = Annotated[Camera, Depends(_camera)]
"""The camera that a path names; 404 where there is none."""


@router.get("/cameras", **needs(Permission.VIEW_LIVE, room=True))
async def cameras(who: Who, the: The) -> list[models.CameraModel]:
    """Return every camera that one may see, by number, with its state and what one may do with it."""
    rights = the.decider.rights(who)
    seen = rights.cameras(Permission.VIEW_LIVE)
    return [_seen(the, who, camera, rights) for camera in the.fleet.cameras() if seen is None or camera.id in seen]


@router.post(
    "/cameras",
    status_code=201,
    responses={200: {"model": list[models.CameraModel], "description": "The device was enrolled already"}},
    **needs(Permission.ENROL),
)
async def enrol(
    wish: models.Enrol, request: Request, response: Response, who: Who, the: The
) -> list[models.CameraModel]:
    """Enrol a device: one camera per view. A unit that is known already (200) gets its new address and password.

    One that is deployed stays where its deployment says. One that is a deployable unit's is so before it is recorded,
    and is reached by the unit's rule of telemetry.reach: it is given as the unit says it, or as it is met from outside.
    """
    facts = CameraFacts(
        number=wish.number,
        name=wish.name,
        street=wish.street,
        group=wish.group,
        place=place_of(wish.latitude, wish.longitude, wish.height_m),
        bearing_deg=wish.bearing_deg,
        hfov_deg=wish.hfov_deg,
    )

    marked = UnitMark(the, as_printed(the, wish.unit), hand(the, who)) if wish.unit is not None else None

    async def placed(urn: str) -> CameraFacts | None:
        if marked is not None:
            if the.deployments.deployable(urn) is None and _is_enrolled(the, urn):
                raise ConflictError(
                    "This camera is enrolled already, and not as a unit's: its recording would end.",
                    cure="Enrol it without a unit; or mark it under Deployments as one that moves, and enrol it then.",
                )
            await marked.put(urn)
        return stands(the.deployments, urn)

    try:
        target = _target(wish)
        if wish.unit is not None:
            target = through(target, as_printed(the, wish.unit), the.settings.telemetry.reach)
        enrolled, known = await the.fleet.enrol(target, facts, placed=placed)
    except SightlineError as error:
        if marked is not None:
            await marked.take_back()
        the.trail.note(
            AuditEvent(
                action=Action.ENROLLED,
                actor=actor(request, who),
                outcome=Outcome.FAILED,
                details={"address": wish.address, "error": error.code},
            )
        )
        raise
    for camera in enrolled:
        await the.trail.append(
            AuditEvent(
                action=Action.ENROLLED,
                actor=actor(request, who),
                subject=camera.id,
                details={
                    "address": wish.address,
                    "number": camera.number,
                    "name": camera.name,
                    "urn": camera.description.identity.urn,
                    "known": known,
                },
            )
        )
    if marked is not None:
        await note_mark(the, request, who, Action.DEPLOYABLE_MARKED, enrolled[0], marked.label)
    if known:
        response.status_code = 200
    rights = the.decider.rights(who)
    return [_seen(the, who, camera, rights) for camera in enrolled]


@router.post("/cameras/probe", **needs(Permission.ENROL))
async def probe(wish: models.Target, request: Request, who: Who, the: The) -> models.Probe:
    """Look at a device: what enrolment would find, and a picture. Nothing is stored."""
    the.trail.note(AuditEvent(action=Action.PROBED, actor=actor(request, who), details={"address": wish.address}))
    found = await the.fleet.probe(_target(wish))
    description = found.description
    known = [one for one in the.fleet.cameras() if one.description.identity.urn == description.identity.urn]
    snapshot = None
    if found.snapshot is not None:
        snapshot = f"data:image/jpeg;base64,{base64.b64encode(found.snapshot).decode()}"
        for camera in known:
            # A picture of a camera that is here already: it is asked later who saw it.
            the.trail.note(AuditEvent(action=Action.SNAPSHOT, actor=actor(request, who), subject=camera.id))
    return models.Probe(
        identity=showing.identity_of(description),
        urn=description.identity.urn,
        views=[
            models.ViewModel(streams=showing.streams(view), head=showing.head(view.head)) for view in description.views
        ],
        clock_offset_s=description.clock_offset_s,
        clock_uncertainty_s=description.clock_uncertainty_s,
        authentication=description.authentication,
        events=description.events,
        relays=list(description.relays),
        remarks=showing.remarks(description),
        enrolled=bool(known),
        snapshot=snapshot,
    )


@router.post("/discovery", **needs(Permission.ENROL))
async def discover(wish: models.Discovery, request: Request, who: Who, the: The) -> list[models.Discovered]:
    """Ask the camera network who is there."""
    the.trail.note(
        AuditEvent(
            action=Action.DISCOVERED, actor=actor(request, who), details={"addresses": ", ".join(wish.addresses)}
        )
    )
    found = await the.fleet.discover(unicast=tuple(wish.addresses))
    return [
        models.Discovered(
            urn=device.urn,
            addresses=list(device.addresses),
            scopes=list(device.scopes),
            name=device.name,
            hardware=device.hardware,
            enrolled=enrolled,
        )
        for device, enrolled in found
    ]


@router.get("/cameras/{camera_id}", **needs(Permission.VIEW_LIVE, room=True))
async def camera(camera: OneCamera, who: Who, the: The) -> models.CameraModel:
    """Return one camera with its state."""
    return _seen(the, who, camera, the.decider.rights(who))


@router.patch("/cameras/{camera_id}", **needs(Permission.ENROL))
async def change(
    wish: models.CameraChange, request: Request, camera: OneCamera, who: Who, the: The
) -> models.CameraModel:
    """Change what people say of a camera.

    Where that brings it into a group over which somebody has a grant, they get more: it takes a proof of who one is.
    """
    place = wish.place
    facts = CameraFacts(
        number=wish.number,
        name=wish.name,
        street=wish.street,
        group=wish.group,
        place=Place(place.latitude, place.longitude, place.height_m) if place is not None else None,
        bearing_deg=wish.bearing_deg,
        hfov_deg=wish.hfov_deg,
        recording=wish.recording,
    )
    given = wish.model_dump(include=wish.model_fields_set)
    if "place" in given:
        _check_stays(the, camera, facts.place)
    label = facts.group if facts.group is not None else camera.group
    then = Standing(camera=camera.id, label=label, place=facts.place if "place" in given else camera.place)
    if the.decider.enters(then):
        await confirmed(request, who, Permission.ENROL)
    changed = await the.fleet.change(camera, facts, clear=frozenset(key for key in given if given[key] is None))
    await the.trail.append(
        AuditEvent(
            action=Action.CHANGED,
            actor=actor(request, who),
            subject=camera.id,
            details={key: str(value) if value is not None else None for key, value in given.items()},
        )
    )
    return _seen(the, who, changed, the.decider.rights(who))


def _is_enrolled(the: Rooms, urn: str) -> bool:
    return any(one.description.identity.urn == urn for one in the.fleet.cameras())


def _check_stays(the: Rooms, camera: Camera, place: Place | None) -> None:
    """Keep a deployed camera from being taken elsewhere but by its deployment; correcting its place is no move."""
    standing = the.deployments.standing(camera.description.identity.urn)
    if standing is None:
        return
    # From where it was put up: many corrections are as far a way as one.
    if place is None or distance_m(standing.place, place) > CORRECTION_M:
        raise ConflictError(
            "A deployment says where this camera stands.", cure="Say there that it was removed, and deploy it anew."
        )


@router.delete("/cameras/{camera_id}", status_code=204, **needs(Permission.ENROL))
async def remove(request: Request, camera: OneCamera, who: Who, the: The) -> None:
    """Forget a camera. Its recordings stay until their retention ends; not while some of them are held.

    A hold is seen and let go of by who may do so on its camera: without the camera it would keep footage for ever.
    Nor while it is deployed: nobody would hear its unit any more. Its no-look zones go with it: that takes a late proof
    of who one is, as taking them away does.
    """
    if camera.bounds.confirmed and not camera.bounds.empty:
        await confirmed(request, who, Permission.ENROL)
    if held := await the.fleet.host_of(camera).holds(camera.id):
        holds = "A hold keeps" if len(held) == 1 else f"{len(held)} holds keep"
        raise CameraHeldError(
            f"{holds} footage of this camera.", cure="Let go of what is not needed any more (Holds), then remove it."
        )
    async with the.deployments.leaving(camera.description.identity.urn):
        await the.fleet.remove(camera)
    the.ledger.camera_removed(camera.id)
    await the.trail.append(
        AuditEvent(
            action=Action.REMOVED,
            actor=actor(request, who),
            subject=camera.id,
            details={"number": camera.number, "name": camera.name, "urn": camera.description.identity.urn},
        )
    )


@router.get(
    "/cameras/{camera_id}/snapshot",
    response_class=Response,
    responses=answers("image/jpeg"),
    **needs(Permission.STILL),
)
async def snapshot(request: Request, camera: OneCamera, who: Who, the: The) -> Response:
    """Return a picture that the camera makes now."""
    jpeg = await the.fleet.host_of(camera).snapshot(camera.id)
    the.trail.note(AuditEvent(action=Action.SNAPSHOT, actor=actor(request, who), subject=camera.id))
    return Response(jpeg, media_type="image/jpeg")


def _seen(the: Rooms, who: Identity, camera: Camera, rights: Rights) -> models.CameraModel:
    loan = the.sharing.sticks.loan(camera.id)
    lent = share_views.lent(loan) if loan is not None else None
    return showing.camera(
        camera,
        the.fleet.state(camera.id),
        user_id=who.user_id,
        rights=rights,
        lent=lent,
        thin_link=_thin_link(the, camera),
    )


def _thin_link(the: Rooms, camera: Camera) -> models.ThinLink | None:
    urn, demand = camera.description.identity.urn, the.fleet.demand
    return models.ThinLink(main_until=iso_or_none(demand.until_ns(urn))) if demand.thin(urn) else None


def _target(wish: models.Target) -> CameraTarget:
    return CameraTarget(
        address=wish.address,
        credentials=Credentials(username=wish.username, password=wish.password),
        tls_verify=wish.tls_verify,
    )
