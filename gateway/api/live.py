"""WHEP (draft-ietf-wish-whep-03): offers are answered by the camera's host; the media never comes through here.

Section numbers are those of the draft.
"""

from contextlib import AsyncExitStack

from fastapi import APIRouter, HTTPException, Request, Response

from gateway.access.identity import Identity
from gateway.access.permissions import Permission, Role
from gateway.api.cameras import OneCamera
from gateway.api.errors import MediaTypeError, NotHereError
from gateway.api.guard import Who, actor, needs
from gateway.api.outside import relay_until_ns, seated
from gateway.api.rooms import Rooms, The, address_of
from gateway.api.spans import Span, view_key
from gateway.api.turn import links
from gateway.audit.events import Action
from gateway.fleet.cameras import Camera
from gateway.fleet.hosts import LiveAnswer
from gateway.fleet.rpc import SDP_FRAGMENT_MEDIA_TYPE, SDP_MEDIA_TYPE
from gateway.fleet.shown import CONVERTED_HEADER, STREAM_HEADER
from kernel.ids import StreamName

router = APIRouter(prefix="/whep/{camera_id}/{stream}", tags=["live"])


_OF_ENDPOINT = ("GET", "HEAD", "OPTIONS", "POST")
_OF_SESSION = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH")
_KNOWN = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}


@router.options("", response_class=Response, **needs(Permission.VIEW_LIVE))
async def ask(camera: OneCamera, stream: StreamName, who: Who, the: The) -> Response:
    """Tell a player what may be posted here (section 4.3), and which ICE servers to use (section 4.7)."""
    told = links(the.settings.live, who, wall_ns=the.clock.wall_ns(), until_ns=relay_until_ns(the, who, camera.id))
    return Response(headers={"Accept-Post": SDP_MEDIA_TYPE, "Allow": ", ".join(_OF_ENDPOINT), **told})


@router.get("", status_code=204, response_class=Response, **needs(Permission.VIEW_LIVE))
@router.head("", status_code=204, response_class=Response, **needs(Permission.VIEW_LIVE))
async def look(camera: OneCamera, stream: StreamName) -> Response:
    """Say that there is such an endpoint: it has no representation (section 4.1)."""
    return Response(status_code=204)


@router.post(
    "",
    status_code=201,
    response_class=Response,
    responses={201: {"description": "The answer", "content": {SDP_MEDIA_TYPE: {"schema": {"type": "string"}}}}},
    **needs(Permission.VIEW_LIVE, body=SDP_MEDIA_TYPE),
)
async def offer(request: Request, camera: OneCamera, stream: StreamName, who: Who, the: The) -> Response:
    """Answer an SDP offer: a live view of one stream (section 4.2)."""
    the.signalling.count(who)
    _expect(request, SDP_MEDIA_TYPE)
    sdp = await request.body()
    address = address_of(request)
    limits = the.ledger.limits
    async with AsyncExitStack() as stack:
        seat = stack.enter_context(seated(the, actor(request, who), who, camera.id, stream))
        await stack.enter_async_context(the.ledger.offering())
        # By what is asked for; where the host shows another, it is told once that is known.
        until_ns = limits.until_ns(who.user_id, who.session, camera.id, asked=stream, shown=stream)
        answer = await the.fleet.host_of(camera).live_offer(
            camera.id,
            stream,
            sdp,
            who=who.shown,
            address=address,
            user=who.user_id,
            access_session=who.session,
            best=seat.best,
            outside=who.role is Role.PARTNER,
            until_ns=until_ns,
        )
        span = Span(
            key=view_key(answer.session),
            action=Action.VIEW_STARTED,
            actor=seat.viewer,
            session=who.session,
            camera=camera.id,
            details=_shown(answer, stream),
            until_ns=until_ns,
        )
        the.ledger.begin(span)
        the.ledger.check(span)  # it may have been taken away while the host was asked
    return Response(
        answer.sdp,
        status_code=201,
        media_type=SDP_MEDIA_TYPE,
        headers={
            "Location": f"/whep/{camera.id}/{stream.value}/{answer.session}",
            "ETag": answer.etag,
            "Accept-Patch": SDP_FRAGMENT_MEDIA_TYPE,
            STREAM_HEADER: answer.stream.value,
            **({CONVERTED_HEADER: answer.converted_from} if answer.converted_from else {}),
            **links(the.settings.live, who, wall_ns=the.clock.wall_ns(), until_ns=relay_until_ns(the, who, camera.id)),
        },
    )


@router.options("/{session}", response_class=Response, **needs(Permission.VIEW_LIVE))
async def ask_view(camera: OneCamera, stream: StreamName, session: str, who: Who, the: The) -> Response:
    """Tell a player what may be done with its view."""
    _own(the, camera, session, who)
    return Response(headers={"Accept-Patch": SDP_FRAGMENT_MEDIA_TYPE, "Allow": ", ".join(_OF_SESSION)})


@router.get("/{session}", status_code=204, response_class=Response, **needs(Permission.VIEW_LIVE))
@router.head("/{session}", status_code=204, response_class=Response, **needs(Permission.VIEW_LIVE))
async def look_at_view(camera: OneCamera, stream: StreamName, session: str, who: Who, the: The) -> Response:
    """Say that the view goes on: it has no representation (section 4.1)."""
    _own(the, camera, session, who)
    return Response(status_code=204)


@router.patch(
    "/{session}",
    status_code=204,
    response_class=Response,
    responses={
        200: {
            "description": "ICE was restarted",
            "content": {SDP_FRAGMENT_MEDIA_TYPE: {"schema": {"type": "string"}}},
        }
    },
    **needs(Permission.VIEW_LIVE, body=SDP_FRAGMENT_MEDIA_TYPE),
)
async def change(request: Request, camera: OneCamera, stream: StreamName, session: str, who: Who, the: The) -> Response:
    """Take more candidates of a viewer (204, section 4.4.2), or restart ICE (200, section 4.4.3)."""
    _own(the, camera, session, who)
    the.signalling.count(who)
    _expect(request, SDP_FRAGMENT_MEDIA_TYPE)
    fragment = await request.body()
    host = the.fleet.host_of(camera)
    restarted = await host.live_patch(session, fragment, if_match=request.headers.get("if-match"))
    if restarted is None:
        return Response(status_code=204)
    return Response(restarted.fragment, media_type=SDP_FRAGMENT_MEDIA_TYPE, headers={"ETag": restarted.etag})


@router.delete("/{session}", status_code=200, response_class=Response, **needs(Permission.VIEW_LIVE))
async def leave(camera: OneCamera, stream: StreamName, session: str, who: Who, the: The) -> Response:
    """End a view (section 4.3). If-Match is nobody's business here (section 4.4.1)."""
    _own(the, camera, session, who)
    await the.fleet.host_of(camera).live_close(session)
    the.ledger.end(view_key(session), "closed")
    return Response(status_code=200)


def _refuses(path: str, allowed: tuple[str, ...]) -> None:
    """Have every other method answered with 405 and all that are allowed (RFC 9110 section 15.5.6)."""

    async def refuse() -> Response:
        raise HTTPException(405, headers={"Allow": ", ".join(allowed)})

    router.add_api_route(
        path,
        refuse,
        methods=sorted(_KNOWN - set(allowed)),
        include_in_schema=False,
        response_class=Response,
        **needs(Permission.VIEW_LIVE),
    )


_refuses("", _OF_ENDPOINT)
_refuses("/{session}", _OF_SESSION)


def _shown(answer: LiveAnswer, asked: StreamName) -> dict[str, str | int | bool | None]:
    """Return what the record of a view says: what was shown, and what was asked for where that is not the same."""
    shown: dict[str, str | int | bool | None] = {"stream": answer.stream.value}
    if answer.stream is not asked:
        shown["asked"] = asked.value
    if answer.converted_from:
        shown["converted_from"] = answer.converted_from
    return shown


def _own(the: Rooms, camera: Camera, session: str, who: Identity) -> None:
    """Let only the viewer whose view it is reach it, at the camera that it is of."""
    span = the.ledger.get(view_key(session))
    if span is None or who.user_id != span.actor.id or span.camera != camera.id:
        raise NotHereError("There is no such view.", cure="It has ended; open a new one.")


def _expect(request: Request, media_type: str) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type:
        raise MediaTypeError(f"The body is {given or 'of no named kind'}.", cure=f"Send it as {media_type}.")
