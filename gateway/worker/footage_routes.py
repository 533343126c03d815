"""What was recorded: timeline, HLS, stills, exports, verification. Footage outlives its camera's assignment."""

import json
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway.fleet import footage, rpc
from gateway.fleet.held import Held, HoldList, HoldReview, HoldWish
from gateway.worker.live_routes import JSON, stream_of
from gateway.worker.problems import HostRequestError
from kernel.ids import CameraId, StreamName
from recording import Storage, UnknownHoldError


def _number(request: Request, name: str, *, optional: bool = False) -> int:
    text = request.query_params.get(name)
    if text is None and optional:
        return 0
    try:
        return int(text or "")
    except ValueError as error:
        raise HostRequestError(f"{name} is a whole number of nanoseconds since 1970.", cure="Give one.") from error


def _footage(request: Request) -> tuple[CameraId, StreamName]:
    return CameraId(request.path_params["camera"]), stream_of(request)


def footage_routes(storage: Storage) -> list[Route]:
    """Return the routes of the recordings."""

    async def timeline(request: Request) -> Response:
        found = await storage.timeline(*_footage(request), _number(request, "start_ns"), _number(request, "end_ns"))
        reply = footage.TimelineReply(
            spans=tuple(footage.RunSpan(**asdict(span)) for span in found.spans),
            gaps=tuple(footage.GapSpan(**asdict(gap)) for gap in found.gaps),
            newest_ns=found.newest_ns,
            whole=found.whole,
        )
        return Response(rpc.wire(reply), media_type=JSON)

    async def playlist(request: Request) -> Response:
        prefix = request.query_params.get("prefix", "")

        def uri(file: str, index: int | None) -> str:
            return f"{prefix}init-{file}.mp4" if index is None else f"{prefix}{file}-{index}.m4s"

        end_ns = _number(request, "end_ns") if "end_ns" in request.query_params else None
        text = await storage.playlist(*_footage(request), _number(request, "start_ns"), end_ns, uri=uri)
        return Response(text, media_type="application/vnd.apple.mpegurl")

    async def init(request: Request) -> Response:
        body = await storage.init_segment(*_footage(request), request.path_params["file"])
        return Response(body, media_type="video/mp4")

    async def fragment(request: Request) -> Response:
        place = request.path_params["file"], request.path_params["index"]
        return Response(await storage.fragment(*_footage(request), *place), media_type="video/iso.segment")

    async def still(request: Request) -> Response:
        picture = await storage.still(*_footage(request), _number(request, "at_ns"))
        headers = {"sightline-wall-ns": str(picture.wall_ns)}
        return Response(picture.jpeg, headers=headers, media_type="image/jpeg")

    async def export(request: Request) -> Response:
        # Awaited here, so that a refusal is an answer and not a broken file.
        pieces = await storage.export(
            *_footage(request),
            _number(request, "start_ns"),
            _number(request, "end_ns"),
            title=request.query_params.get("title"),
        )
        return StreamingResponse(pieces, media_type="video/mp4")

    async def erase(request: Request) -> Response:
        wish = footage.ErasureWish.model_validate_json(await request.body())
        camera = CameraId(request.path_params["camera"])
        found = await storage.erase(camera, wish.start_ns, wish.end_ns, wish.detail)
        return Response(rpc.wire(footage.ErasureReply(**asdict(found))), media_type=JSON)

    async def verify(request: Request) -> Response:
        wish = footage.VerifyRequest.model_validate_json(await request.body())
        found = await storage.verify(wish.camera)
        return Response(json.dumps({**asdict(found), "sound": found.sound}), media_type=JSON)

    one = "/cameras/{camera}"
    return [
        Route(one + "/timeline/{stream}", timeline),
        Route(one + "/playlist/{stream}", playlist),
        Route(one + "/init/{stream}/{file}", init),
        Route(one + "/fragment/{stream}/{file}/{index:int}", fragment),
        Route(one + "/still/{stream}", still),
        Route(one + "/export/{stream}", export),
        *_hold_routes(storage),
        Route(one + "/erasure", erase, methods=["POST"]),
        Route("/verify", verify, methods=["POST"]),
    ]


def _hold_routes(storage: Storage) -> list[Route]:
    async def hold(request: Request) -> Response:
        camera = CameraId(request.path_params["camera"])
        wish = HoldWish.model_validate_json(await request.body())
        hold_id = await storage.hold(
            camera,
            wish.start_ns,
            wish.end_ns,
            wish.reason,
            authority=wish.authority,
            placed_by=wish.placed_by,
            review_ns=wish.review_ns,
        )
        return await one(hold_id)

    async def one(hold_id: str) -> Response:
        (held,) = [each for each in await storage.holds() if each.id == hold_id]
        return Response(rpc.wire(Held(**asdict(held))), media_type=JSON)

    async def known(request: Request) -> str:
        camera, hold_id = request.path_params["camera"], str(request.path_params["hold"])
        if not any(each.id == hold_id and each.camera == camera for each in await storage.holds()):
            raise UnknownHoldError(f"There is no hold {hold_id} of this camera.")
        return hold_id

    async def every(_request: Request) -> Response:
        found = tuple(Held(**asdict(each)) for each in await storage.holds())
        return Response(rpc.wire(HoldList(holds=found)), media_type=JSON)

    async def holds(request: Request) -> Response:
        camera = request.path_params["camera"]
        found = tuple(Held(**asdict(each)) for each in await storage.holds() if each.camera == camera)
        return Response(rpc.wire(HoldList(holds=found)), media_type=JSON)

    async def release(request: Request) -> Response:
        await storage.release(await known(request))
        return Response(status_code=204)

    async def review(request: Request) -> Response:
        hold_id = await known(request)
        await storage.review(hold_id, HoldReview.model_validate_json(await request.body()).review_ns)
        return await one(hold_id)

    where = "/cameras/{camera}/holds"
    return [
        Route(where, hold, methods=["POST"]),
        Route(where, holds, methods=["GET"]),
        Route("/holds", every, methods=["GET"]),
        Route(where + "/{hold}", review, methods=["PATCH"]),
        Route(where + "/{hold}", release, methods=["DELETE"]),
    ]
