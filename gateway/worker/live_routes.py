"""WHEP as the gateway hands it on: offers, trickled candidates, ICE restarts, ends (draft-ietf-wish-whep)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.fleet import rpc
from gateway.fleet.shown import CONVERTED_HEADER, STREAM_HEADER
from gateway.fleet.viewers import OUTSIDE, EndViewers, ViewerList, ViewLimits
from gateway.live import LiveHub, ViewerFacts
from gateway.live.errors import LiveMediaTypeError, LiveOfferSizeError
from gateway.live.offer import MAX_SDP_BYTES
from gateway.worker.problems import HostRequestError
from kernel.ids import CameraId, StreamName
from kernel.media import VideoCodec

JSON = "application/json"


def stream_of(request: Request) -> StreamName:
    """Return the stream a path names.

    Raises:
        HostRequestError: there is none of that name.
    """
    try:
        return StreamName(request.path_params["stream"])
    except ValueError as error:
        raise HostRequestError("A camera has the streams main and sub.", cure="Name one of them.") from error


async def limited_body(request: Request, media_type: str) -> bytes:
    """Return the body of an SDP request, reading no further than an offer can be long.

    Raises:
        LiveMediaTypeError: the content type is another.
        LiveOfferSizeError: it is longer than 64 KiB.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != media_type:
        raise LiveMediaTypeError(f"The body is {given or 'of no type'}.", cure=f"Send {media_type}.")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_SDP_BYTES:
            raise LiveOfferSizeError("The body is longer than any browser's offer (64 KiB).", cure="Send only SDP.")
    return body


def _instant(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise HostRequestError("until_ns is a number of nanoseconds.", cure="Leave it out for no end.") from error


def live_routes(hub: LiveHub) -> list[Route]:
    """Return the routes of the viewers' side."""

    async def offer(request: Request) -> Response:
        stream = stream_of(request)
        asked = request.query_params
        viewer = ViewerFacts(
            who=asked.get("who", ""),
            address=asked.get("address", ""),
            user=asked.get("user", ""),
            access_session=asked.get("session", ""),
            outside=asked.get("outside") == OUTSIDE,
            until_ns=_instant(asked.get("until_ns")),
        )
        hub.endings.heard()
        body = await limited_body(request, rpc.SDP_MEDIA_TYPE)
        best = StreamName.SUB if asked.get("best") == StreamName.SUB else StreamName.MAIN
        session = await hub.offer(CameraId(request.path_params["camera"]), stream, body, viewer=viewer, best=best)
        headers = {"location": f"/live/{session.id}", "etag": session.etag, STREAM_HEADER: session.stream.value}
        if session.transcoded:
            headers[CONVERTED_HEADER] = VideoCodec.H265.value
        return Response(session.answer_sdp, 201, headers, media_type=rpc.SDP_MEDIA_TYPE)

    async def patch(request: Request) -> Response:
        body = await limited_body(request, rpc.SDP_FRAGMENT_MEDIA_TYPE)
        done = await hub.patch(request.path_params["session"], body, request.headers.get("if-match"))
        if done is None:
            return Response(status_code=204)
        return Response(done.fragment, 200, {"etag": done.etag}, media_type=rpc.SDP_FRAGMENT_MEDIA_TYPE)

    async def close(request: Request) -> Response:
        await hub.close(request.path_params["session"])
        return Response(status_code=200)

    async def viewers(_: Request) -> Response:
        hub.endings.heard()
        return Response(rpc.wire(ViewerList(viewers=tuple(hub.viewers()))), media_type=JSON)

    async def end(request: Request) -> Response:
        hub.endings.heard()
        wish = EndViewers.model_validate_json(await request.body())
        ended = hub.end(camera=wish.camera, who=wish.who, sessions=wish.sessions)
        return Response(b'{"ended": %d}' % ended, media_type=JSON)

    async def limit(request: Request) -> Response:
        hub.endings.heard()
        hub.endings.limit(ViewLimits.model_validate_json(await request.body()).until)
        return Response(status_code=204)

    return [
        Route("/cameras/{camera}/live/{stream}", offer, methods=["POST"]),
        Route("/live", viewers),
        Route("/live/end", end, methods=["POST"]),
        Route("/live/limits", limit, methods=["POST"]),
        Route("/live/{session}", patch, methods=["PATCH"]),
        Route("/live/{session}", close, methods=["DELETE"]),
    ]
