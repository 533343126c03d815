"""WHEP (draft-ietf-wish-whep): offers are answered by the camera's host; the media never comes through here."""

from contextlib import AsyncExitStack

from fastapi import APIRouter, Request, Response

from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api.cameras import OneCamera
from gateway.api.errors import MediaTypeError, NotHereError
from gateway.api.guard import Who, actor, needs
from gateway.api.ledger import Span, view_key
from gateway.api.outside import relay_until_ns, seated
from gateway.api.rooms import Rooms, The, address_of
from gateway.api.turn import links
from gateway.audit.events import Action
from gateway.fleet.hosts import LiveAnswer
from gateway.fleet.rpc import SDP_FRAGMENT_MEDIA_TYPE, SDP_MEDIA_TYPE
from gateway.fleet.shown import CONVERTED_HEADER, STREAM_HEADER
from kernel.ids import StreamName

router = APIRouter(prefix="/whep/{camera_id}/{stream}", tags=["live"])


@router.options("", status_code=204, response_class=Response, **needs(Permission.VIEW_LIVE))
async def ask(camera: OneCamera, stream: StreamName, who: Who, the: The) -> Response:
    """Tell a player what may be posted here, and which ICE servers to use (RFC 9725 section 4.6)."""
    told = links(the.settings.live, who, wall_ns=the.clock.wall_ns(), until_ns=relay_until_ns(the, who, camera.id))
    return Response(status_code=204, headers={"Accept-Post": SDP_MEDIA_TYPE, "Allow": "OPTIONS, POST", **told})


@router.post("", status_code=201, response_class=Response, **needs(Permission.VIEW_LIVE))
async def offer(request: Request, camera: OneCamera, stream: StreamName, who: Who, the: The) -> Response:
    """Answer an SDP offer: a live view of one stream."""
    _expect(request, SDP_MEDIA_TYPE)
    sdp = await request.body()
    address = address_of(request)
    async with AsyncExitStack() as stack:
        viewer = stack.enter_context(seated(the, actor(request, who), who, camera.id, stream))
        await stack.enter_async_context(the.ledger.offering())
        answer = await the.fleet.host_of(camera).live_offer(
            camera.id,
            stream,
            sdp,
            who=who.shown,
            address=address,
            user=who.user_id,
            access_session=who.session,
        )
        span = Span(
            key=view_key(answer.session),
            action=Action.VIEW_STARTED,
            actor=viewer,
            session=who.session,
            camera=camera.id,
            details=_shown(answer, stream),
        )
        the.ledger.begin(span)
        the.ledger.rights_changed(the.decider, [span])  # it may have been taken away while the host was asked
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


@router.patch("/{session}", status_code=204, response_class=Response, **needs(Permission.VIEW_LIVE))
async def trickle(
    request: Request, camera: OneCamera, stream: StreamName, session: str, who: Who, the: The
) -> Response:
    """Take more candidates of a viewer."""
    _own(the, session, who)
    _expect(request, SDP_FRAGMENT_MEDIA_TYPE)
    fragment = await request.body()
    await the.fleet.host_of(camera).live_patch(session, fragment, if_match=request.headers.get("if-match"))
    return Response(status_code=204)


@router.delete("/{session}", status_code=200, response_class=Response, **needs(Permission.VIEW_LIVE))
async def leave(camera: OneCamera, stream: StreamName, session: str, who: Who, the: The) -> Response:
    """End a view."""
    _own(the, session, who)
    await the.fleet.host_of(camera).live_close(session)
    the.ledger.end(view_key(session), "closed")
    return Response(status_code=200)


def _shown(answer: LiveAnswer, asked: StreamName) -> dict[str, str | int | bool | None]:
    """Return what the record of a view says: what was shown, and what was asked for where that is not the same."""
    shown: dict[str, str | int | bool | None] = {"stream": answer.stream.value}
    if answer.stream is not asked:
        shown["asked"] = asked.value
    if answer.converted_from:
        shown["converted_from"] = answer.converted_from
    return shown


def _own(the: Rooms, session: str, who: Identity) -> None:
    """Let only the viewer whose view it is reach it."""
    span = the.ledger.get(view_key(session))
    if span is None or who.user_id != span.actor.id:
        raise NotHereError("There is no such view.", cure="It has ended; open a new one.")


def _expect(request: Request, media_type: str) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type:
        raise MediaTypeError(f"The body is {given or 'of no named kind'}.", cure=f"Send it as {media_type}.")
