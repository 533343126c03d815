"""Outlets as the gateway puts, takes away and asks for them."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.fleet import rpc
from gateway.fleet.handshake import digest
from gateway.fleet.outlets import Outlet, OutletEnds, OutletList
from gateway.live.errors import LiveOutletsOffError
from gateway.live.rtsp import RtspServer
from gateway.worker.problems import HostRequestError

JSON = "application/json"


def outgoing_routes(server: RtspServer | None) -> list[Route]:
    """Return the routes of the RTSPS door; ``None`` is a host that has none."""

    async def listed(_: Request) -> Response:
        outlets = {one.id: digest(one) for one in server.outlets.all()} if server is not None else {}
        return Response(
            rpc.wire(OutletList(outlets=outlets, port=server.port if server is not None else None)), media_type=JSON
        )

    async def put(request: Request) -> Response:
        outlet = Outlet.model_validate_json(await request.body())
        if outlet.id != request.path_params["outlet"]:
            raise HostRequestError("The path and the body name two outlets.", cure="PUT /outlets/{id} with that id.")
        if server is None:
            raise LiveOutletsOffError(
                "This camera host does not listen for RTSPS.", cure="Set outgoing.rtsps = true and restart it."
            )
        server.hub.endings.heard()
        await server.prepare()
        return _ends(server, server.outlets.put(outlet))

    async def remove(request: Request) -> Response:
        if server is None:
            return Response(rpc.wire(OutletEnds()), media_type=JSON)
        server.hub.endings.heard()
        return _ends(server, server.outlets.remove(request.path_params["outlet"]))

    return [
        Route("/outlets", listed),
        Route("/outlets/{outlet}", put, methods=["PUT"]),
        Route("/outlets/{outlet}", remove, methods=["DELETE"]),
    ]


def _ends(server: RtspServer, ended: int) -> Response:
    return Response(rpc.wire(OutletEnds(ended=ended, port=server.port)), media_type=JSON)
