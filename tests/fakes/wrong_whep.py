"""A little WHEP server that does one thing wrong, as its knob says, so that a check can be seen to fail.

Without a knob it does everything right. What it plays is a pattern, through a live hub; what is wrong is done here.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import uvicorn
from aioice import stun
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.live import LiveSettings
from gateway.live import LiveError, LiveHub, ViewerFacts, open_live
from gateway.live.fragment import Restarted
from kernel.clock import SystemClock
from kernel.ids import CameraId, StreamName
from tests.fakes.pattern import PatternCamera
from tests.fakes.waiting import until

CAMERA = CameraId("0" * 32)
LIVE = LiveSettings.model_validate(
    {
        "loopback": True, "addresses": ["127.0.0.1"], "port": 0, "max_viewers": 4,
        "connect_timeout_s": 1.0, "stall_timeout_s": 5.0,
    }
)  # fmt: skip
TOKEN = "the-token"
ORIGIN = "https://wall.example.org"
BURST = 40
SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"
LINKS = (
    '<stun:stun.example.org>; rel="ice-server", '
    '<turn:turn.example.org:3478?transport=udp>; rel="ice-server"; username="me"; credential="it"'
)


class WrongWhep:
    """``wrong`` names what is done wrong; see the tests for each name."""

    def __init__(self, hub: LiveHub, wrong: str, stack: AsyncExitStack) -> None:
        self.hub = hub
        self.wrong = wrong
        self.ghosts: set[str] = set()
        """Sessions that are remembered although they are over."""
        self.fragments: dict[str, str] = {}
        """The user fragment that each session was answered with first."""
        self._stack = stack
        self._refused = 0

    def app(self) -> Starlette:
        """Return the routes."""
        methods = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
        return Starlette(
            routes=[
                Route("/whep", self._endpoint, methods=methods),
                Route("/idle", self._idle, methods=["POST"]),
                Route("/view/{session}", self._session, methods=methods),
            ]
        )

    async def _idle(self, _: Request) -> Response:
        return Response(status_code=409, headers={} if self.wrong == "conflict-without-time" else {"Retry-After": "2"})

    async def _endpoint(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return self._options(request)
        if refused := self._unsigned(request):
            return refused
        if request.method in {"GET", "HEAD"}:
            return Response("a page") if self.wrong == "endpoint-has-a-page" else Response(status_code=204)
        if request.method == "POST":
            return await self._offer(request)
        return self._not_allowed("GET, HEAD, OPTIONS, POST")

    def _options(self, request: Request) -> Response:
        headers = {} if self.wrong == "no-accept-post" else {"Accept-Post": SDP}
        if request.headers.get("origin") == ORIGIN and self.wrong != "no-cors":
            headers["Access-Control-Allow-Origin"] = ORIGIN
        return Response(headers=headers)

    def _unsigned(self, request: Request) -> Response | None:
        if request.headers.get("authorization") == f"Bearer {TOKEN}" or self.wrong == "open-to-all":
            return None
        return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})

    def _not_allowed(self, allowed: str) -> Response:
        return Response(status_code=405, headers={} if self.wrong == "no-allow" else {"Allow": allowed})

    async def _offer(self, request: Request) -> Response:
        if self.wrong == "redirects":
            return Response(status_code=302, headers={"Location": "/elsewhere"})
        kind = request.headers.get("content-type")
        if kind != SDP and self.wrong != "takes-any-offer":
            return Response(status_code=415)
        try:
            viewer = ViewerFacts(who="kit", address="")
            made = await self.hub.offer(CAMERA, StreamName.MAIN, await request.body(), viewer=viewer)
        except LiveError as error:
            if self.wrong == "offers-break-it" and error.status == 400:
                return Response(status_code=500)
            full = error.status == 503 and self.wrong != "full-without-time"
            return Response(status_code=error.status, headers={"Retry-After": "10"} if full else {})
        self.fragments[made.id] = str(self.hub._session(made.id)._peer.parameters.usernameFragment)
        location = "/view/the-one" if self.wrong == "one-location" else f"/view/{made.id}"
        headers = {"Location": location, "ETag": made.etag, "Link": LINKS}
        if self.wrong == "no-credential":
            headers["Link"] = LINKS.replace('; credential="it"', "")
        if self.wrong == "weak-etag":
            headers["ETag"] = f"W/{made.etag}"
        sdp = made.answer_sdp
        for knob, pattern, instead in (
            ("sends-and-receives", "a=sendonly", "a=sendrecv"),
            ("no-mux-only", "a=rtcp-mux-only\r\n", ""),
            ("no-msid", "a=msid:.*\r\n", ""),
            ("no-candidates", "a=candidate:.*\r\n", ""),
        ):
            if self.wrong == knob:
                sdp = re.sub(pattern, instead, sdp)
        if self.wrong == "silent":
            self.hub.end()
        return Response(sdp, 200 if self.wrong == "made-200" else 201, headers, media_type=SDP)

    async def _session(self, request: Request) -> Response:
        if refused := self._unsigned(request):
            return refused
        session = request.path_params["session"]
        if session not in self.hub._views and session not in self.ghosts:
            if self.wrong != "remembers":
                return Response(status_code=404)
            self.ghosts.add(session)
        if request.method in {"GET", "HEAD"}:
            return Response("a page") if self.wrong == "session-has-a-page" else Response(status_code=204)
        if request.method == "DELETE":
            return await self._delete(request, session)
        if request.method == "PATCH":
            return await self._patch(request, session)
        return self._not_allowed("DELETE, GET, HEAD, OPTIONS, PATCH")

    async def _delete(self, request: Request, session: str) -> Response:
        if self.wrong == "delete-needs-a-tag" and "if-match" in request.headers:
            return Response(status_code=412)
        if self.wrong == "media-after-delete":
            return Response()
        self.hub._session(session).end("closed by the viewer")
        await until(lambda: session not in self.hub._views, what="the end of a view")
        if self.wrong == "undead":
            self.ghosts.add(session)
        return Response()

    async def _patch(self, request: Request, session: str) -> Response:
        body, if_match = (await request.body()).decode(), request.headers.get("if-match")
        if (early := self._early(request, session, body)) is not None:
            return Response(status_code=early)
        if self.wrong == ("tag-is-optional" if if_match is None else "any-tag-will-do"):
            if_match = "*"
        password = self.hub._session(session)._peer.parameters.password
        try:
            done = await self.hub.patch(session, body, if_match)
        except LiveError as error:
            return await self._refuse(session, error)
        if done is not None:
            return await self._restarted(session, done, str(password))
        if self.wrong == "star-restarts" and if_match == "*":
            return Response(body, 200, {"ETag": '"x"'}, media_type=FRAGMENT)
        return Response(status_code=204, headers={"ETag": '"x"'} if self.wrong == "trickle-with-tag" else {})

    def _early(self, request: Request, session: str, body: str) -> int | None:
        """Return what is answered without looking further, if anything is."""
        if session in self.ghosts:
            return 204
        if request.headers.get("content-type") != FRAGMENT and self.wrong != "takes-any-patch":
            return 415
        if self.wrong == "odd-candidates-break-it" and ("dccp" in body or ".local" in body):
            return 400
        if self.wrong == "trickling-ends-it":
            self.hub._session(session).end("trickled")
            return 204
        return None

    async def _restarted(self, session: str, done: Restarted, password: str) -> Response:
        fragment, wrong, view = done.fragment, self.wrong, self.hub._session(session)
        if wrong == "same-credentials":
            fragment = re.sub("a=ice-ufrag:.*", f"a=ice-ufrag:{self.fragments[session]}\r", fragment)
        if wrong == "no-ice-options":
            fragment = re.sub("a=ice-options:.*\r\n", "", fragment)
        if wrong == "old-credentials-open":
            fragment += f"a=candidate:9 1 udp 1 127.0.0.1 {await self._old_ear(password)} typ host\r\n"
        if wrong == "quiet-after-restart":
            asyncio.get_running_loop().call_later(0.2, view.end, "no more pictures")
        headers = {} if wrong == "restart-without-tag" else {"ETag": done.etag}
        return Response(fragment, 200, headers, media_type=FRAGMENT)

    async def _refuse(self, session: str, error: LiveError) -> Response:
        if self.wrong == "nonsense-is-fine" and error.status == 400:
            return Response(status_code=204)
        if self.wrong == "refusal-ends" and error.status == 400:
            self.hub._session(session).end("refused")
        if error.status == 400:
            self._refused += 1
            if self._refused > BURST:
                self._refused = 0
                return Response(status_code=429, headers={} if self.wrong == "no-retry-after" else {"Retry-After": "1"})
        return Response(status_code=error.status)

    async def _old_ear(self, password: str) -> int:
        """Answer every check at a port of its own, under a password that should be over."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Ear(password), local_addr=("127.0.0.1", 0))
        self._stack.callback(transport.close)
        port: int = transport.get_extra_info("sockname")[1]
        return port


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, password: str) -> None:
        self._password = password.encode()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        asked = stun.parse_message(data)
        if not asked.check_message_integrity(self._password):
            return
        said = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=asked.transaction_id)
        said.attributes["XOR-MAPPED-ADDRESS"] = addr[:2]
        said.add_message_integrity(self._password)
        self._transport.sendto(bytes(said), addr)


@asynccontextmanager
async def wrong_whep(wrong: str = "") -> AsyncIterator[str]:
    """Serve it, and give its address without a path."""
    clock = SystemClock()
    camera = PatternCamera(clock, width=320, height=180, frame_rate=25, gop_frames=25)
    async with open_live(LIVE, clock=clock) as hub, AsyncExitStack() as stack:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            async with camera.playing(feed):
                await until(lambda: len(feed.cached()) > 3, what="a cached GOP")
                app = WrongWhep(hub, wrong, stack).app()
                server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
                serving = asyncio.create_task(server.serve())
                while not server.started:
                    await asyncio.wait([serving], timeout=0.01)
                try:
                    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
                finally:
                    server.should_exit = True
                    await asyncio.wait([serving])
