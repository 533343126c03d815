"""A page with one video and a WHEP endpoint over a live hub."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from playwright.async_api import Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from gateway.live import LiveError, LiveHub, ViewerFacts
from kernel.ids import CameraId, StreamName

_ONLY = """(() => { const real = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function (given) {
  const lines = given.sdp.split("\\r\\n").filter((line) => !line.startsWith("a=candidate:") || KEPT.test(line));
  return real.call(this, { ...given, sdp: lines.map((line) => line.startsWith("a=candidate:") ? CHANGED(line) : line)
    .join("\\r\\n") }); }; })();"""
PAGE = (Path(__file__).parent / "browser_page.html").read_text()


async def reach_by(page: Page, kept: str, changed: str = "(line) => line") -> None:
    """Have a page's connections know only the candidates of answers that match ``kept``, each as ``changed`` makes it.

    So a browser behind a firewall, or a router, knows them.
    """
    await page.add_init_script(only(kept, changed))


def only(kept: str, changed: str = "(line) => line") -> str:
    """Return the script by which :func:`reach_by` does that."""
    return _ONLY.replace("KEPT", f"/{kept}/").replace("CHANGED", f"({changed})")


def only_candidate(answer: str, address: tuple[str, int]) -> str:
    """Return an answer whose one candidate is ``address``, over UDP."""
    lines = answer.splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("a=candidate:"))
    lines = [line for line in lines if not line.startswith("a=candidate:")]
    host, port = address
    lines.insert(first, f"a=candidate:1 1 udp 2130706431 {host} {port} typ host")
    return "\r\n".join(lines) + "\r\n"


@asynccontextmanager
async def live_page(hub: LiveHub, camera: CameraId, *, through: tuple[str, int] | None = None) -> AsyncIterator[str]:
    """Serve the page, ``/whep/{stream}`` and ``DELETE /whep/{session}``; give the page's address.

    ``through`` is the address of a relay: it becomes the only candidate of every answer.
    """

    async def page(_: Request) -> Response:
        return HTMLResponse(PAGE)

    async def whep(request: Request) -> Response:
        try:
            session = await hub.offer(
                camera,
                StreamName(request.path_params["stream"]),
                await request.body(),
                viewer=ViewerFacts(who="test", address="127.0.0.1"),
            )
        except LiveError as error:
            return Response(error.code, error.status)
        headers = {"location": f"/whep/{session.id}", "etag": session.etag}
        answer = session.answer_sdp if through is None else only_candidate(session.answer_sdp, through)
        return Response(answer, 201, headers, media_type="application/sdp")

    async def leave(request: Request) -> Response:
        try:
            await hub.close(request.path_params["session"])
        except LiveError as error:
            return Response(error.code, error.status)
        return Response(status_code=204)

    routes = [
        Route("/", page),
        Route("/whep/{stream}", whep, methods=["POST"]),
        Route("/whep/{session}", leave, methods=["DELETE"]),
    ]
    app = Starlette(routes=routes)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.wait([serving], timeout=0.01)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        await asyncio.wait([serving])
