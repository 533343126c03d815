"""The questions to a device of which nothing is stored yet, behind a camera host without cameras."""

import base64
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from drivers.model import CameraTarget, DeviceIdentity, DiscoveredDevice
from gateway.fleet import rpc
from tests.fakes.descriptions import description
from tests.fakes.host_refusals import Refusals, refusal

WRONG_PASSWORD = rpc.Problem(type="camera.authentication", title="The camera refuses the password.", status=502)


class Probing(Refusals):
    """State and routes."""

    streams_at = ""
    """Where a device says that its streams are, if not where it was found."""
    met: DeviceIdentity | Mapping[str, DeviceIdentity] | None = None
    """Who answers wherever one asks, or by host and port who does there; where that is not ``found``."""
    takes: Callable[[], str] | None = None
    """Tells the password that the device takes now, if it does not take every one."""

    def __init__(self) -> None:
        super().__init__()
        self.found = description()
        self.devices: list[DiscoveredDevice] = []

    def probing_routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/probe", self._probe, methods=["POST"]),
            Route("/identify", self._identify, methods=["POST"]),
            Route("/stream-urls", self._stream_urls, methods=["POST"]),
            Route("/discover", self._discover, methods=["POST"]),
        ]

    async def _probe(self, request: Request) -> Response:
        target = CameraTarget.model_validate_json(await request.body())
        if self.takes is not None and self.takes() != target.credentials.password.get_secret_value():
            return refusal(WRONG_PASSWORD)
        probed = rpc.Probed(description=self.found, snapshot=base64.b64encode(b"\xff\xd8jpeg"))
        await self._hold("probe")
        return self._refused("probe") or Response(rpc.wire(probed))

    async def _identify(self, request: Request) -> Response:
        wish = rpc.IdentifyWish.model_validate_json(await request.body())
        met = self.met.get(urlsplit(wish.target.address).netloc) if isinstance(self.met, Mapping) else self.met
        answer = rpc.wire(met or self.found.identity)
        await self._hold("identify")
        return self._refused("identify") or Response(answer, media_type="application/json")

    async def _stream_urls(self, _request: Request) -> Response:
        urls = {view.main.token: self.streams_at or view.main.rtsp_url for view in self.found.views}
        return self._refused("stream-urls") or JSONResponse({"urls": urls})

    async def _discover(self, _request: Request) -> Response:
        return self._refused("discover") or JSONResponse([device.model_dump() for device in self.devices])
