"""The routes of a camera host: who it owns, what they do, steering (docs/design/live.md, *Camera host*)."""

from collections.abc import AsyncIterator

from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from drivers.model import CameraTarget, DiscoveredDevice, EventBroker
from gateway.fleet import rpc, wishes
from gateway.fleet.accounts import AccountsWish, PasswordWish
from gateway.fleet.handshake import digest
from gateway.fleet.looking import DiscoverRequest, EventBrokerList
from gateway.worker.footage_routes import footage_routes
from gateway.worker.head import HeadSeat
from gateway.worker.host import CameraHost
from gateway.worker.live_routes import live_routes
from gateway.worker.outgoing_routes import outgoing_routes
from gateway.worker.problems import HostRequestError, malformed, refused
from kernel.errors import SightlineError
from kernel.head import Position, Preset

_DEVICES: TypeAdapter[list[DiscoveredDevice]] = TypeAdapter(list[DiscoveredDevice])
_PRESET: TypeAdapter[Preset] = TypeAdapter(Preset)
_POSITION: TypeAdapter[Position] = TypeAdapter(Position)
JSON = "application/json"


def build_app(host: CameraHost) -> Starlette:
    """Return the application that serves a host."""
    routes = _Cameras(host)
    heads = _Heads(host)
    one = "/cameras/{camera}"
    return Starlette(
        routes=[
            Route("/version", routes.version),
            Route("/health", routes.health),
            Route("/state", routes.state),
            Route("/cameras", routes.list),
            Route(one, routes.assign, methods=["PUT"]),
            Route(one, routes.release, methods=["DELETE"]),
            Route(one + "/snapshot", routes.snapshot),
            Route(one + "/look", routes.look),
            Route(one + "/event-brokers", routes.event_brokers),
            Route(one + "/event-brokers", routes.add_event_broker, methods=["POST"]),
            Route(one + "/event-brokers", routes.remove_event_broker, methods=["DELETE"]),
            Route("/probe", routes.probe, methods=["POST"]),
            Route("/identify", routes.identify, methods=["POST"]),
            Route("/stream-urls", routes.stream_urls, methods=["POST"]),
            Route("/accounts", routes.accounts, methods=["POST"]),
            Route("/password", routes.password, methods=["POST"]),
            Route("/discover", routes.discover, methods=["POST"]),
            Route(one + "/stick", heads.take, methods=["POST"]),
            Route(one + "/stick", heads.drop, methods=["DELETE"]),
            Route(one + "/steer", heads.steer, methods=["POST"]),
            Route(one + "/presets", heads.presets),
            Route(one + "/presets", heads.store, methods=["POST"]),
            Route(one + "/presets/{token:path}", heads.remove, methods=["DELETE"]),
            *live_routes(host.hub),
            *outgoing_routes(host.outgoing),
            *footage_routes(host.storage),
        ],
        exception_handlers={SightlineError: refused, ValidationError: malformed},
    )


class _Cameras:
    def __init__(self, host: CameraHost) -> None:
        self._host = host

    async def version(self, _: Request) -> Response:
        return Response(rpc.wire(self._host.version()), media_type=JSON)

    async def health(self, _: Request) -> Response:
        return Response(rpc.wire(await self._host.health()), media_type=JSON)

    async def state(self, _: Request) -> Response:
        async def lines() -> AsyncIterator[bytes]:
            async for line in self._host.broadcast.listen():
                yield rpc.wire(line) + b"\n"

        return StreamingResponse(lines(), media_type=rpc.STATE_MEDIA_TYPE)

    async def list(self, _: Request) -> Response:
        actors = self._host.cameras()
        listed = rpc.CameraList(
            cameras=tuple(actor.state() for actor in actors),
            assigned={actor.assignment.id: digest(actor.assignment) for actor in actors},
        )
        return Response(rpc.wire(listed), media_type=JSON)

    async def assign(self, request: Request) -> Response:
        assignment = rpc.CameraAssignment.model_validate_json(await request.body())
        if assignment.id != request.path_params["camera"]:
            raise HostRequestError("The path and the body name two cameras.", cure="PUT /cameras/{id} with that id.")
        return Response(rpc.wire(await self._host.assign(assignment)), media_type=JSON)

    async def release(self, request: Request) -> Response:
        await self._host.release(request.path_params["camera"])
        return Response(status_code=204)

    async def snapshot(self, request: Request) -> Response:
        jpeg = await self._host.camera(request.path_params["camera"]).snapshot()
        return Response(jpeg, media_type="image/jpeg")

    async def look(self, request: Request) -> Response:
        seen, at = await self._host.look(request.path_params["camera"])
        told = {rpc.HEAD_HEADER: _POSITION.dump_json(at).decode()} if at is not None else {}
        return Response(seen, media_type="application/octet-stream", headers=told)

    async def event_brokers(self, request: Request) -> Response:
        brokers = await self._host.camera(request.path_params["camera"]).device.event_brokers.all()
        return Response(rpc.wire(EventBrokerList(brokers=tuple(brokers))), media_type=JSON)

    async def add_event_broker(self, request: Request) -> Response:
        broker = EventBroker.model_validate_json(await request.body())
        await self._host.camera(request.path_params["camera"]).device.event_brokers.add(broker)
        return Response(status_code=204)

    async def remove_event_broker(self, request: Request) -> Response:
        address = request.query_params["address"]
        await self._host.camera(request.path_params["camera"]).device.event_brokers.remove(address)
        return Response(status_code=204)

    async def probe(self, request: Request) -> Response:
        target = CameraTarget.model_validate_json(await request.body())
        return Response(rpc.wire(await self._host.probe(target)), media_type=JSON)

    async def identify(self, request: Request) -> Response:
        wish = rpc.IdentifyWish.model_validate_json(await request.body())
        return Response(rpc.wire(await self._host.identify(wish)), media_type=JSON)

    async def stream_urls(self, request: Request) -> Response:
        target = CameraTarget.model_validate_json(await request.body())
        return Response(rpc.wire(await self._host.stream_urls(target)), media_type=JSON)

    async def accounts(self, request: Request) -> Response:
        wish = AccountsWish.model_validate_json(await request.body())
        return Response(rpc.wire(await self._host.accounts(wish)), media_type=JSON)

    async def password(self, request: Request) -> Response:
        await self._host.set_password(PasswordWish.model_validate_json(await request.body()))
        return Response(status_code=204)

    async def discover(self, request: Request) -> Response:
        wish = DiscoverRequest.model_validate_json(await request.body())
        return Response(_DEVICES.dump_json(await self._host.discover(wish)), media_type=JSON)


class _Heads:
    def __init__(self, host: CameraHost) -> None:
        self._host = host

    async def take(self, request: Request) -> Response:
        wish = wishes.StickWish.model_validate_json(await request.body())
        return Response(rpc.wire(self._seat(request).take(wish)), media_type=JSON)

    async def drop(self, request: Request) -> Response:
        state = self._seat(request).release(request.query_params.get("holder", ""))
        return Response(rpc.wire(state), media_type=JSON)

    async def steer(self, request: Request) -> Response:
        wish = wishes.SteerWish.model_validate_json(await request.body())
        await self._seat(request).steer(wish)
        return Response(status_code=204)

    async def presets(self, request: Request) -> Response:
        return Response(rpc.wire(await self._seat(request).presets()), media_type=JSON)

    async def store(self, request: Request) -> Response:
        wish = wishes.StorePreset.model_validate_json(await request.body())
        return Response(_PRESET.dump_json(await self._seat(request).store(wish)), 201, media_type=JSON)

    async def remove(self, request: Request) -> Response:
        await self._seat(request).remove(request.path_params["token"])
        return Response(status_code=204)

    def _seat(self, request: Request) -> HeadSeat:
        return self._host.camera(request.path_params["camera"]).seat
