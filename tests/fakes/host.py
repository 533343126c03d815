"""A camera host without cameras: the same wire, answers from memory, and knobs for everything that can fail."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from config.settings import Settings
from gateway.fleet import rpc, wishes
from gateway.fleet.handshake import RPC_VERSION, HostVersion, digest
from gateway.fleet.load import HostLoad
from gateway.fleet.shown import STREAM_HEADER
from gateway.fleet.viewers import EndViewers, ViewerList, ViewLimits
from kernel.clock import Clock, SystemClock
from kernel.head import Preset
from kernel.ids import CameraId
from ptz import Priority
from tests.fakes.clock import settle
from tests.fakes.descriptions import HEAD
from tests.fakes.host_accounts import Accounts
from tests.fakes.host_footage import Footage
from tests.fakes.host_outlets import Outlets
from tests.fakes.host_probing import Probing
from tests.fakes.waiting import until


class FakeHost(Footage, Outlets, Accounts, Probing):
    """State and knobs. ``refuse[name]`` makes the route of that name answer with a problem."""

    def __init__(self) -> None:
        super().__init__()
        self.assignments: dict[str, rpc.CameraAssignment] = {}
        self.assigned_count = 0
        self.states: dict[str, rpc.CameraState] = {}
        self.viewers: dict[str, rpc.ViewerState] = {}
        self.offers: list[bytes] = []
        self.offered: list[dict[str, str]] = []
        """What the gateway said of each offer: who, from where, the best stream."""
        self.shown: dict[str, str] = {}
        """Headers of answered offers that tell of another stream than was asked for, or of a conversion."""
        self.limits: list[dict[str, int | None]] = []
        """What the gateway told of the ends of views, by session."""
        self.patches: list[bytes] = []
        self.restarted: str | None = None
        """What a patch is answered with that restarts ICE."""
        self.sticks: dict[str, rpc.StickState] = {}
        self.priorities: dict[str, Priority] = {}
        self.hands: list[Priority] = []
        """Of whoever took each stick last."""
        self.wishes: list[Any] = []
        self.dropped: list[str] = []
        self.presets: dict[str, Preset] = {"1": Preset("1", "Gate")}
        self.steering = asyncio.Event()
        self.steering.set()
        self.stopping = asyncio.Event()
        self.stopping.set()
        self.unheard: list[rpc.StateLine] = []
        """What the next state stream tells after its first beat: it happened while nobody listened."""
        self.progress = 0
        self.silent = False
        """From now on no line goes out on a state stream, though it stays open."""
        self.load: HostLoad | None = None
        """Told with each beat."""
        self.slow = asyncio.Event()
        """Clear it, and every answer but the version waits, as that of a host which stands still."""
        self.slow.set()
        self.answering = asyncio.Event()
        """Clear it, and an offer is taken, and not answered before it is set."""
        self.answering.set()
        self.stuck: dict[str, asyncio.Event] = {}
        """Cameras whose assignment is not answered before their event is set."""
        self.asked: list[str] = []
        """Methods and paths, in the order they came."""
        self.version = HostVersion(rpc=RPC_VERSION, version="0", pid=1)
        self.health_asked = 0
        self.clock: Clock = SystemClock()
        self._streams: set[asyncio.Queue[rpc.StateLine | None]] = set()
        self._sessions = 0

    # --- what a test may make happen

    def state(self, state: rpc.CameraState) -> None:
        """Change a camera's state, as its streams would."""
        self.states[state.id] = state
        self.say(rpc.CameraChanged(state=state))

    def say(self, line: rpc.StateLine) -> None:
        """Put a line on every state stream."""
        for queue in self._streams:
            queue.put_nowait(line)

    def hang_up(self) -> None:
        """End every state stream."""
        for queue in self._streams:
            queue.put_nowait(None)

    def live(self, camera: str) -> rpc.CameraState:
        """Return the state of a camera that works."""
        facts = rpc.StreamFacts(state=rpc.LiveState.LIVE, recording=rpc.StreamRecording(on=True))
        return rpc.CameraState(
            id=CameraId(camera),
            live=rpc.LiveState.LIVE,
            main=facts,
            sub=facts,
            last_frame_ns=1_790_000_000_000_000_000,
            viewers=sum(viewer.camera == camera for viewer in self.viewers.values()),
            head=rpc.HeadFacts(pan=0.0, tilt=0.0, zoom=0.0, bearing_deg=90.0),
            stick=self.sticks.get(camera, rpc.StickState()),
        )

    # --- the wire

    def app(self) -> Starlette:
        """Return the routes."""
        camera, stream = "/cameras/{camera}", "{stream}"
        return Starlette(
            routes=[
                Route("/version", self._version),
                Route("/health", self._health),
                Route("/cameras", self._cameras),
                Route("/state", self._state),
                *self.probing_routes(),
                Route(camera, self._assign, methods=["PUT"]),
                *self.outlet_routes(),
                *self.account_routes(),
                Route(camera, self._release, methods=["DELETE"]),
                Route(f"{camera}/live/{stream}", self._offer, methods=["POST"]),
                Route("/live", self._viewers),
                Route("/live/end", self._end, methods=["POST"]),
                Route("/live/limits", self._limit, methods=["POST"]),
                Route("/live/{session}", self._patch, methods=["PATCH"]),
                Route("/live/{session}", self._close, methods=["DELETE"]),
                Route(f"{camera}/stick", self._take, methods=["POST"]),
                Route(f"{camera}/stick", self._drop, methods=["DELETE"]),
                Route(f"{camera}/steer", self._steer, methods=["POST"]),
                Route(f"{camera}/presets", self._presets, methods=["GET"]),
                Route(f"{camera}/presets", self._store, methods=["POST"]),
                Route(camera + "/presets/{token:path}", self._remove, methods=["DELETE"]),
                *self.footage_routes(),
            ]
        )

    async def _version(self, _request: Request) -> Response:
        return self._refused("version") or Response(rpc.wire(self.version))

    async def _health(self, _request: Request) -> Response:
        self.health_asked += 1
        health = rpc.HostHealth(
            version="0",
            pid=1,
            started_ns=1,
            cameras=len(self.states),
            streams_live=0,
            recording=0,
            viewers=len(self.viewers),
            progress=self.progress,
            load=self.load,
        )
        return Response(rpc.wire(health))

    async def _cameras(self, _request: Request) -> Response:
        told = {one.id: digest(one) for one in self.assignments.values()}
        body = rpc.CameraList(cameras=tuple(self.states.values()), assigned=told)
        return Response(rpc.wire(body), media_type="application/json")

    async def _state(self, _request: Request) -> Response:
        queue: asyncio.Queue[rpc.StateLine | None] = asyncio.Queue()
        for state in self.states.values():
            queue.put_nowait(rpc.CameraChanged(state=state))
        queue.put_nowait(rpc.Heartbeat(wall_ns=1))
        for line in self.unheard:
            queue.put_nowait(line)
        self.unheard.clear()
        self._streams.add(queue)

        async def lines() -> AsyncIterator[bytes]:
            line: rpc.StateLine | None
            try:
                while True:
                    try:
                        async with asyncio.timeout(None if self.silent else rpc.HEARTBEAT_S * 0.5):
                            line = await queue.get()
                    except TimeoutError:
                        line = rpc.Heartbeat(wall_ns=1, load=self.load)
                    if line is None:
                        return
                    if not self.silent:
                        yield rpc.wire(line) + b"\n"
            finally:
                self._streams.discard(queue)

        return StreamingResponse(lines(), media_type=rpc.STATE_MEDIA_TYPE)

    async def _assign(self, request: Request) -> Response:
        assignment = rpc.CameraAssignment.model_validate_json(await request.body())
        if refused := self._refused("assign"):
            return refused
        if assignment.id in self.stuck:
            await self.stuck[assignment.id].wait()
        self.assigned_count += 1
        self.assignments[assignment.id] = assignment
        self.states[assignment.id] = self.live(assignment.id)
        return Response(rpc.wire(self.states[assignment.id]))

    async def _release(self, request: Request) -> Response:
        self.assignments.pop(request.path_params["camera"], None)
        self.states.pop(request.path_params["camera"], None)
        return Response(status_code=204)

    async def _offer(self, request: Request) -> Response:
        if refused := self._refused("offer"):
            return refused
        self._sessions += 1
        session = f"session-{self._sessions}"
        self.offers.append(await request.body())
        self.offered.append(dict(request.query_params))
        self.viewers[session] = rpc.ViewerState(
            session=session,
            camera=CameraId(request.path_params["camera"]),
            stream=request.path_params["stream"],
            shown=self.shown.get(STREAM_HEADER.lower(), request.path_params["stream"]),
            asked=request.path_params["stream"],
            who=request.query_params["who"],
            address=request.query_params["address"],
            user=request.query_params["user"],
            access_session=request.query_params["session"],
            since_ns=self.clock.wall_ns(),
            until_ns=int(request.query_params["until_ns"]) if "until_ns" in request.query_params else None,
            connected=True,
        )
        await self.answering.wait()
        headers = {"Location": f"/live/{session}", "ETag": '"1"', **self.shown}
        return Response("v=0\r\n", 201, media_type=rpc.SDP_MEDIA_TYPE, headers=headers)

    async def _viewers(self, _request: Request) -> Response:
        return self._refused("viewers") or Response(rpc.wire(ViewerList(viewers=tuple(self.viewers.values()))))

    async def _patch(self, request: Request) -> Response:
        self.patches.append(await request.body())
        if self.restarted is not None:
            told = {"ETag": '"2"'}
            return Response(self.restarted, 200, told, media_type=rpc.SDP_FRAGMENT_MEDIA_TYPE)
        return self._refused("patch") or Response(status_code=204)

    async def _close(self, request: Request) -> Response:
        if refused := self._refused("close"):
            return refused
        self.viewers.pop(request.path_params["session"], None)
        return Response(status_code=204)

    async def _end(self, request: Request) -> Response:
        if refused := self._refused("close"):
            return refused
        wish = EndViewers.model_validate_json(await request.body())
        assert wish.sessions is not None
        ended = [session for session in self.viewers if session in wish.sessions]
        for session in ended:
            del self.viewers[session]
        return JSONResponse({"ended": len(ended)})

    async def _limit(self, request: Request) -> Response:
        if refused := self._refused("limits"):
            return refused
        limits = ViewLimits.model_validate_json(await request.body())
        self.limits.append(limits.until)
        for session in self.viewers.keys() & limits.until.keys():
            until_ns = limits.until[session]
            self.viewers[session] = self.viewers[session].model_copy(update={"until_ns": until_ns})
        return Response(status_code=204)

    async def _take(self, request: Request) -> Response:
        wish = wishes.StickWish.model_validate_json(await request.body())
        camera = request.path_params["camera"]
        held = self.sticks.get(camera)
        if held is not None and held.holder != wish.holder and wish.priority <= self.priorities[camera]:
            return JSONResponse(
                rpc.Problem(
                    type="steering.held", title=f"{held.name} is steering this camera.", status=409
                ).model_dump(),
                409,
            )
        self.priorities[camera] = wish.priority
        stick = self.sticks[camera] = rpc.StickState(holder=wish.holder, name=wish.name, since_ns=1)
        self.state(self.live(camera))
        return Response(rpc.wire(stick))

    async def _drop(self, request: Request) -> Response:
        camera, holder = request.path_params["camera"], request.query_params["holder"]
        held = self.sticks.get(camera)
        if held is not None and held.holder == holder:
            del self.sticks[camera]
            self.state(self.live(camera))
        self.dropped.append(holder)
        return Response(rpc.wire(self.sticks.get(camera, rpc.StickState())))

    async def _steer(self, request: Request) -> Response:
        wish = wishes.SteerWish.model_validate_json(await request.body())
        held = self.sticks.get(request.path_params["camera"])
        if held is None or held.holder != wish.holder:
            problem = rpc.Problem(type="steering.not-held", title="You do not hold the stick.", status=409)
            return JSONResponse(problem.model_dump(), 409)
        self.wishes.append(wish.wish)
        self.hands.append(wish.priority)
        await (self.stopping if wish.wish.t == "stop" else self.steering).wait()
        return self._refused("steer") or Response(status_code=204)

    async def _presets(self, _request: Request) -> Response:
        return Response(rpc.wire(wishes.PresetList(presets=tuple(self.presets.values()), abilities=HEAD)))

    async def _store(self, request: Request) -> Response:
        wish = wishes.StorePreset.model_validate_json(await request.body())
        preset = Preset(wish.token or str(len(self.presets) + 1), wish.name)
        self.presets[preset.token] = preset
        return JSONResponse({"token": preset.token, "name": preset.name}, 201)

    async def _remove(self, request: Request) -> Response:
        self.presets.pop(request.path_params["token"], None)
        return Response(status_code=204)

    # --- running

    async def _asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.asked.append(f"{scope['method']} {scope['path']}")
            if scope["path"] not in {"/version", "/state"}:
                await self.slow.wait()
        await self._app(scope, receive, send)

    @asynccontextmanager
    async def open(self, settings: Settings, socket_path: Path, *, clock: Clock) -> AsyncIterator["FakeHost"]:
        """Serve on ``socket_path`` for the time of the block; satisfies ``gateway.app.HostOpener``."""
        await asyncio.to_thread(socket_path.parent.mkdir, parents=True, exist_ok=True)
        told = {"owner": settings.recording.owner, "site": settings.site}
        self.version = self.version.model_copy(update=told)
        self._app = self.app()
        config = uvicorn.Config(
            self._asgi,
            interface="asgi3",
            uds=str(socket_path),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve())
            while not server.started:
                await asyncio.sleep(0.005)
            try:
                yield self
            finally:
                self.hang_up()
                server.should_exit = True
        # Who was owed an answer longer than the server waited is cut: what is open still is told of in a later test.
        for connection in tuple(server.server_state.connections):
            connection.transport.abort()
        await until(lambda: not server.server_state.connections, what="the host's connections to end")
        await settle()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
