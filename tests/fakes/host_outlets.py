"""The RTSPS door of a camera host without cameras: outlets are kept, and nobody comes."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.fleet import rpc
from gateway.fleet.handshake import digest
from gateway.fleet.outlets import Outlet, OutletEnds, OutletList
from tests.fakes.host_refusals import Refusals


class Outlets(Refusals):
    """State and routes."""

    def __init__(self) -> None:
        super().__init__()
        self.outlets: dict[str, Outlet] = {}

    def outlet_routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/outlets", self._outlets),
            Route("/outlets/{outlet}", self._put_outlet, methods=["PUT"]),
            Route("/outlets/{outlet}", self._remove_outlet, methods=["DELETE"]),
        ]

    async def _outlets(self, _request: Request) -> Response:
        told = OutletList(outlets={one.id: digest(one) for one in self.outlets.values()}, port=8322)
        return self._refused("outlets") or Response(rpc.wire(told))

    async def _put_outlet(self, request: Request) -> Response:
        outlet = Outlet.model_validate_json(await request.body())
        refused = self._refused("outlets")
        if refused is None:
            self.outlets[outlet.id] = outlet
        return refused or Response(rpc.wire(OutletEnds(port=8322)))

    async def _remove_outlet(self, request: Request) -> Response:
        ended = self.outlets.pop(request.path_params["outlet"], None) is not None
        return Response(rpc.wire(OutletEnds(ended=int(ended), port=8322)))
