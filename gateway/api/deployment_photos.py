"""Photos of a deployment: taken as a phone makes them, shown to who deploys, never altered; and pictures of alarms.

A picture of an alarm is what a camera saw: who opens it needs to be let take stills of it where it then stood, and the
audit says who did.
"""

import asyncio
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from gateway.access.permissions import Permission
from gateway.api import deployment_models as shapes
from gateway.api.deployments import answer
from gateway.api.description import answers
from gateway.api.errors import MediaTypeError
from gateway.api.guard import Who, actor, decided, needs
from gateway.api.hands import hand
from gateway.api.rooms import Rooms, The
from gateway.api.there import check_there
from gateway.api.times import Instant, iso
from gateway.audit.events import Action, AuditEvent
from gateway.deployments.done import Told
from gateway.deployments.errors import UnknownDeploymentError, WishError
from gateway.deployments.exif import PhotoFacts
from gateway.deployments.hands import Hand
from gateway.deployments.photos import ENDINGS, digest_of, looked_at, step_of
from gateway.deployments.service import Taken
from gateway.deployments.steps import PhotoKind

router = APIRouter(prefix="/api/v1/deployments/{deployment_id}", tags=["deployments"])

PATH = r"/api/v1/deployments/[^/]+/photos"
"""Where bodies may be as large as photos are."""
_BINARY = {"schema": {"type": "string", "format": "binary"}}


def _takes_photos() -> dict[str, Any]:
    known = needs(Permission.DEPLOY)
    known["openapi_extra"]["requestBody"] = {"required": True, "content": dict.fromkeys(ENDINGS, _BINARY)}
    return known


@router.post("/photos", status_code=201, responses={200: {"description": "It was sent before"}}, **_takes_photos())
async def put(
    deployment_id: str,
    request: Request,
    response: Response,
    who: Who,
    the: The,
    kind: PhotoKind,
    key: Annotated[shapes.Key | None, Query()] = None,
    done_at: Annotated[Instant | None, Query(description="When it was taken, by the sender's clock")] = None,
    sent_at: Annotated[Instant | None, Query(description="What the sender's clock says as it is sent")] = None,
) -> shapes.Deployment:
    """Add a photo: of the signs, of the unit, or of what it sees. The body is the file, JPEG or PNG, as it was made."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in ENDINGS:
        raise MediaTypeError("A photo is a JPEG or a PNG.", cure="Send it as image/jpeg or image/png.")
    photo = await request.body()
    facts = looked_at(photo)
    if facts.media_type != given:
        raise WishError(f"The photo is {facts.media_type}, not {given}.", cure="Name it for what it is.")
    told = shapes.told(done_at, sent_at)
    async with the.photos.turn:
        taken = await _taken(the, deployment_id, kind, photo, facts, by=hand(the, who), key=key, told=told)
    return await answer(the, request, response, who, taken)


async def _taken(
    the: Rooms,
    deployment_id: str,
    kind: PhotoKind,
    photo: bytes,
    facts: PhotoFacts,
    *,
    by: Hand,
    key: str | None,
    told: Told | None,
) -> Taken:
    """Keep a photo's file and say so in the log; no file is left that no line names."""
    known = await the.deployments.one(deployment_id)
    digest = await asyncio.to_thread(digest_of, photo)
    step = step_of(
        kind,
        facts,
        digest=digest,
        size_bytes=len(photo),
        of=known,
        now_ns=the.clock.wall_ns(),
        spread_m=the.deployments.rules.spread_m,
    )
    if (sent := await the.deployments.sent_before(deployment_id, step, by, key)) is not None:
        return Taken(deployment=known, entry=sent, again=True)
    most = the.settings.deployments
    if len(known.photos) >= most.photos_max:
        raise WishError("This deployment has as many photos as it may have.", cure="Send those that matter.")
    if await the.deployments.sent_bytes(by.user_id) + len(photo) > most.photo_bytes_a_day:
        raise WishError("That is more than one may send in photos in a day.", cure="Send it tomorrow, or smaller.")
    _, fresh = await asyncio.to_thread(the.photos.put, photo)
    named = False
    try:
        taken = await the.deployments.step(deployment_id, step, by=by, key=key, told=told)
        named = digest in taken.deployment.photos
    finally:
        if fresh and not named:
            await asyncio.to_thread(the.photos.drop, digest)
    return taken


@router.get("/photos/{sha256}", response_class=Response, responses=answers(*ENDINGS), **needs(Permission.DEPLOY))
async def get(deployment_id: str, sha256: str, the: The) -> Response:
    """Return a photo as it came, with all that it says of itself."""
    known = await the.deployments.one(deployment_id)
    if sha256 not in known.photos:
        raise UnknownDeploymentError("This deployment has no such photo.", cure="Load it again.")
    photo = await asyncio.to_thread(the.photos.get, sha256)
    return _as_it_is(photo, looked_at(photo).media_type, sha256)


@router.get("/pictures/{sha256}", response_class=Response, responses=answers("image/jpeg"), **needs(Permission.DEPLOY))
async def picture(deployment_id: str, sha256: str, request: Request, who: Who, the: The) -> Response:
    """Return what a camera saw at an alarm. It takes the permission for stills of it, where it stood."""
    known = await the.deployments.one(deployment_id)
    seen = known.pictures.get(sha256)
    if seen is None:
        raise UnknownDeploymentError("This deployment has no such picture.", cure="Load it again.")
    rule = decided(request, who, Permission.STILL, seen.camera)
    camera = next((one for one in the.fleet.cameras() if one.id == seen.camera), None)
    if camera is not None:
        when = {"start_ns": seen.at_ns, "end_ns": seen.at_ns + 1}
        await check_there(request, the, who, Permission.STILL, camera, **when)
    if seen.deleted_ns is not None:
        raise UnknownDeploymentError(
            f"This picture was deleted with the footage of its time, {iso(seen.deleted_ns)[:10]}.",
            cure="What it was of stands in the log.",
        )
    jpeg = await asyncio.to_thread(the.pictures.get, sha256)
    by = replace(actor(request, who), rule=rule)
    shown = {"at": iso(seen.at_ns), "deployment": known.id, "digest": sha256}
    the.trail.note(AuditEvent(action=Action.STILL, actor=by, subject=seen.camera, details=dict(shown)))
    return _as_it_is(jpeg, "image/jpeg", sha256)


def _as_it_is(photo: bytes, media_type: str, sha256: str) -> Response:
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": f'inline; filename="{sha256[:16]}.{ENDINGS[media_type]}"',
    }
    return Response(photo, media_type=media_type, headers=headers)
