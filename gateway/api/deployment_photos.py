"""Photos of a deployment: taken as a phone makes them, shown to who deploys, never altered."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from gateway.access.permissions import Permission
from gateway.api import deployment_models as shapes
from gateway.api.deployments import answer
from gateway.api.description import answers
from gateway.api.errors import MediaTypeError
from gateway.api.guard import Who, needs
from gateway.api.hands import hand
from gateway.api.rooms import The
from gateway.api.times import Instant
from gateway.deployments.errors import UnknownDeploymentError, WishError
from gateway.deployments.photos import ENDINGS, looked_at, step_of
from gateway.deployments.steps import PhotoKind
from kernel.errors import SightlineError

router = APIRouter(prefix="/api/v1/deployments/{deployment_id}/photos", tags=["deployments"])

PATH = r"/api/v1/deployments/[^/]+/photos"
"""Where bodies may be as large as photos are."""
_BINARY = {"schema": {"type": "string", "format": "binary"}}


def _takes_photos() -> dict[str, Any]:
    known = needs(Permission.DEPLOY)
    known["openapi_extra"]["requestBody"] = {"required": True, "content": dict.fromkeys(ENDINGS, _BINARY)}
    return known


@router.post("", status_code=201, responses={200: {"description": "It was sent before"}}, **_takes_photos())
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
    known = await the.deployments.one(deployment_id)
    if sum(of is not PhotoKind.ALARM for of in known.photos.values()) >= the.settings.deployments.photos_max:
        raise WishError("This deployment has as many photos as it may have.", cure="Send those that matter.")
    digest, fresh = await asyncio.to_thread(the.photos.put, photo)
    step = step_of(
        kind,
        facts,
        digest=digest,
        size_bytes=len(photo),
        of=known,
        now_ns=the.clock.wall_ns(),
        spread_m=the.deployments.rules.spread_m,
    )
    try:
        taken = await the.deployments.step(
            deployment_id, step, by=hand(the, who), key=key, told=shapes.told(done_at, sent_at)
        )
    except SightlineError:
        if fresh:
            await asyncio.to_thread(the.photos.drop, digest)
        raise
    return await answer(the, request, response, who, taken)


@router.get("/{sha256}", response_class=Response, responses=answers(*ENDINGS), **needs(Permission.DEPLOY))
async def get(deployment_id: str, sha256: str, the: The) -> Response:
    """Return a photo as it came, with all that it says of itself."""
    known = await the.deployments.one(deployment_id)
    if sha256 not in known.photos:
        raise UnknownDeploymentError("This deployment has no such photo.", cure="Load it again.")
    photo = await asyncio.to_thread(the.photos.get, sha256)
    media_type = looked_at(photo).media_type
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": f'inline; filename="{sha256[:16]}.{ENDINGS[media_type]}"',
    }
    return Response(photo, media_type=media_type, headers=headers)
