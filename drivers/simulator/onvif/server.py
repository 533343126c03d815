"""The HTTP server of one simulated camera: one port, all its SOAP services, and its snapshots."""

import asyncio
import inspect
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from drivers.simulator.device import DeviceRequest, SimulatedDevice
from drivers.simulator.onvif import markup, mischief, soap
from drivers.simulator.onvif.authentication import Guard, Verdict
from drivers.simulator.onvif.capabilities import CapabilityService, DirectoryService
from drivers.simulator.onvif.deviceio import DeviceIoService
from drivers.simulator.onvif.event_brokers import EventBrokerService
from drivers.simulator.onvif.events import EventService, SubscriptionManager
from drivers.simulator.onvif.imaging import ImagingService
from drivers.simulator.onvif.media1 import Media1Service
from drivers.simulator.onvif.media2 import Media2Service
from drivers.simulator.onvif.ptz_moves import PtzMoveService
from drivers.simulator.onvif.ptz_nodes import PtzNodeService
from drivers.simulator.onvif.ptz_presets import PtzPresetService
from drivers.simulator.onvif.ptz_tours import PtzTourService
from drivers.simulator.onvif.soap import Fault, Handler, Request, Service
from drivers.simulator.onvif.system import SystemService
from drivers.simulator.onvif.touring import Touring
from kernel.clock import NS_PER_S

log = structlog.get_logger()

PRE_AUTH = frozenset(
    {
        "GetSystemDateAndTime",
        "GetServices",
        "GetServiceCapabilities",
        "GetCapabilities",
        "GetEndpointReference",
        "GetHostname",
        "GetWsdlUrl",
    }
)
"""Operations of the access class PRE_AUTH (ONVIF Core section 5.9.4.3)."""
_PTZ = markup.NAMESPACES["tptz"]
_SOAP = "application/soap+xml"
_PREFIXES = ("tds", "trt", "tr2", "tptz", "timg", "tev", "tmd")
_POLL_S = 0.05


class _Camera:
    """Answers the requests to one device."""

    def __init__(self, device: SimulatedDevice, services: list[Service]) -> None:
        self._device = device
        self._guard = Guard(device)
        self._recent: deque[int] = deque()
        self._operations: dict[tuple[str, str], Handler] = {}
        for service in services:
            self._operations |= service.operations()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request, or do what the knobs say instead."""
        await mischief.hang(self._device)
        if self._device.faults.hang_up:
            return _hang_up(request)
        if self._burst():
            log.debug("simulator.burst_reboot", camera=self._device.number)
            self._device.reboot()
            return _hang_up(request)
        replaced = await mischief.instead(request, self._device)
        if replaced is not None:
            return replaced
        if request.path.startswith("/snapshot/"):
            answer: web.StreamResponse = await self._snapshot(request)
        elif request.path.startswith("/onvif/") and request.method == "POST":
            answer = await self._soap(request)
        else:
            answer = web.Response(status=404, text="There is nothing here.")
        await mischief.hang(self._device)
        return answer

    def _burst(self) -> bool:
        """Return whether more requests came within a second than this camera bears."""
        now_ns = self._device.clock.monotonic_ns()
        self._recent.append(now_ns)
        while self._recent[0] < now_ns - NS_PER_S:
            self._recent.popleft()
        most = self._device.faults.burst_reboots
        return bool(most) and len(self._recent) > most

    async def _snapshot(self, request: web.BaseRequest) -> web.Response:
        verdict = self._guard.digest(request.method, request.path_qs, request.headers.get("Authorization"))
        # A UsernameToken has no place in a GET: cameras that know nothing else leave their stills open.
        if verdict is not Verdict.PASSED and not self._device.faults.wsse_only:
            return self._challenge(verdict, "The snapshot needs HTTP digest authentication.", "text/plain")
        token = request.path.rpartition("/")[2]
        feed = next((self._device.feeds.get(s.name) for s in self._device.streams.values() if s.token == token), None)
        if feed is None:
            return web.Response(status=404, text=f"There is no picture of a profile {token}.")
        return web.Response(body=await feed.jpeg(), content_type="image/jpeg", headers={"Cache-Control": "no-store"})

    async def _soap(self, http: web.BaseRequest) -> web.StreamResponse:
        arrived_ns = self._device.clock.monotonic_ns()
        request: Request | None = None
        try:
            host = http.host.rpartition(":")[0] or http.host
            request = soap.read(await http.read(), self._device, path=http.path, host=host)
            self._remember(request, arrived_ns)
            refusal = self._refusal(http, request)
            if refusal is not None:
                return refusal
            if request.name == "SetUser" and self._device.faults.setuser_unheard:
                return self._dead(http)
            content = await self._call(request)
            if request.name == "SetUser" and self._device.faults.setuser_unanswered:
                return self._dead(http)
        except Fault as fault:
            log.debug("simulator.fault", camera=self._device.number, subcodes=fault.subcodes, reason=fault.reason)
            return self._write(fault.element(), status=200 if self._device.faults.fault_with_200 else fault.status)
        answer = self._write(soap.response(request, content), header=soap.addressing(request))
        if request.after:
            await answer.prepare(http)
            await answer.write_eof()
            for action in request.after:
                action()
        return answer

    def _dead(self, request: web.BaseRequest) -> web.Response:
        """Let the link die: nothing comes through any more."""
        self._device.faults.hang_up = True
        return _hang_up(request)

    def _remember(self, request: Request, arrived_ns: int) -> None:
        self._device.requests.append(DeviceRequest(request.name, arrived_ns, markup.leaves(request.body)))
        log.debug("simulator.request", camera=self._device.number, operation=request.name, path=request.path)

    def _refusal(self, http: web.BaseRequest, request: Request) -> web.Response | None:
        """Return the refusal of a caller who has not proved who he is."""
        open_to_all = request.name in PRE_AUTH and not (
            self._device.faults.clock_needs_auth and request.name == "GetSystemDateAndTime"
        )
        if open_to_all:
            return None
        verdict = self._guard.digest(http.method, http.path_qs, http.headers.get("Authorization"))
        if verdict is Verdict.PASSED:
            return None
        token = self._guard.token(request.header)
        if token is Verdict.PASSED:
            return None
        fault = Fault("NotAuthorized", reason="The action requested requires authorization and was refused.")
        if token is Verdict.WRONG or self._device.faults.wsse_only:
            raise fault
        return self._challenge(verdict, soap.envelope([fault.element()]), _SOAP)

    def _challenge(self, verdict: Verdict, text: str, content_type: str) -> web.Response:
        answer = web.Response(status=401, text=text, content_type=content_type)
        for challenge in self._guard.challenges(stale=verdict is Verdict.STALE):
            answer.headers.add("WWW-Authenticate", challenge)
        return answer

    async def _call(self, request: Request) -> soap.Answer:
        handler = self._operations.get((request.namespace, request.name))
        hidden = self._device.faults.no_media2 and request.namespace == markup.NAMESPACES["tr2"]
        if handler is None or hidden:
            raise soap.unsupported(f"There is no operation {request.name} here.")
        if self._device.faults.addressing_breaks_ptz and request.addressed and request.namespace == _PTZ:
            raise Fault("InvalidArgs", reason="This header is not understood.")
        result = handler(request)
        return await result if inspect.isawaitable(result) else result

    def _write(
        self, body: markup.Element, *, header: list[markup.Element] | None = None, status: int = 200
    ) -> web.Response:
        document = mischief.mangle(soap.envelope([body], header or []), self._device.faults)
        return web.Response(status=status, body=document, content_type=_SOAP, charset="utf-8")


def _hang_up(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response()


class _Port:
    """The listening socket, which ``refuse_connections`` closes and opens again."""

    camera: _Camera | None = None

    def __init__(self, device: SimulatedDevice) -> None:
        self._device = device
        self._server = web.Server(self._answer, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=0.2)
        self._site: web.TCPSite | None = None

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        # The port opens first, so that one that is taken is told plainly; nothing is answered before there is a camera.
        assert self.camera is not None
        return await self.camera.answer(request)

    async def open(self) -> None:
        """Listen; write the port back where any was asked for."""
        await self._runner.setup()
        await self._listen()

    async def _listen(self) -> None:
        self._site = web.TCPSite(self._runner, self._device.host, self._device.http_port, reuse_address=True)
        await self._site.start()
        self._device.http_port = int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening and end what is under way."""
        await self._runner.cleanup()

    async def follow_faults(self) -> None:
        """Close and open the port as the knob is turned."""
        while True:
            refused = self._device.faults.refuse_connections
            if refused and self._site is not None:
                await self._site.stop()
                self._site = None
                for connection in self._server.connections:
                    if connection.transport is not None:
                        connection.transport.abort()
            elif not refused and self._site is None:
                await self._listen()
            await self._device.clock.sleep(_POLL_S)


@asynccontextmanager
async def onvif_server(device: SimulatedDevice) -> AsyncIterator[None]:
    """Serve ``device`` over ONVIF on ``device.host:device.http_port`` (0: any; the real one is written back).

    Raises:
        OSError: the port is taken.
    """
    port = _Port(device)
    await port.open()
    try:
        async with asyncio.TaskGroup() as tasks:
            touring = Touring(device, tasks)
            events, brokers = EventService(device), EventBrokerService(device, tasks)
            port.camera = _Camera(device, [*_services(device, events, touring), brokers])
            touring.auto_start()
            device.listeners += [events.heard, brokers.heard]
            follower = tasks.create_task(port.follow_faults())
            try:
                yield
            finally:
                follower.cancel()
                touring.interrupt()
                brokers.close()
                for listener in (events.heard, brokers.heard):
                    device.listeners.remove(listener)
    finally:
        await port.close()


def _services(device: SimulatedDevice, events: EventService, touring: Touring) -> list[Service]:
    services: list[Service] = [
        *(CapabilityService(device, prefix) for prefix in _PREFIXES),
        DirectoryService(device),
        SystemService(device),
        DeviceIoService(device),
        Media1Service(device),
        Media2Service(device),
        ImagingService(device),
        events,
        SubscriptionManager(device, events),
    ]
    if device.head is not None:
        services += [
            PtzNodeService(device, device.head),
            PtzMoveService(device, device.head, touring),
            PtzPresetService(device, device.head, touring),
            PtzTourService(device, touring),
        ]
    return services
