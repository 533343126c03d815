"""The console's own WHEP client in Chromium, before a real gateway whose camera host is a live hub with one pattern."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, Page
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from config.live import LiveSettings
from gateway.fleet import rpc
from gateway.fleet.shown import CONVERTED_HEADER, STREAM_HEADER
from gateway.fleet.viewers import EndViewers, ViewerList
from gateway.live import LiveError, LiveHub, ViewerFacts, open_live
from gateway.worker.problems import answer, problem_of
from kernel.clock import SystemClock
from kernel.ids import CameraId, StreamName
from kernel.media import VideoCodec
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.host import FakeHost
from tests.fakes.live_page import only_candidate
from tests.fakes.pattern import PatternCamera
from tests.fakes.waiting import until

# A page of the gateway's own origin; WhepSession is the console's.
_PAGE = """<!doctype html><title>One view</title><video id="video" autoplay muted playsinline></video>
<script type="module">
import { WhepSession } from "/static/app/whep.js";
import { serversNamed } from "/static/app/ice.js";
import { LivePicture } from "/static/app/live.js";
window.lost = 0;
window.look = async (camera) => {
  serversNamed((await (await fetch("/api/v1/session")).json()).ice_servers);
  window.reports = [];
  const told = (report) => { window.reports.push({ ...report, at: performance.now() }); };
  window.picture = new LivePicture(document.body, camera, "main", false, told);
};
// Every picture that comes on the glass from now on (ms).
window.note = () => {
  window.shown = [];
  const seen = (now) => { shown.push(now); picture.video.requestVideoFrameCallback(seen); };
  picture.video.requestVideoFrameCallback(seen);
};
window.view = async (path) => {
  serversNamed((await (await fetch("/api/v1/session")).json()).ice_servers);
  window.session = new WhepSession(path, () => { window.lost += 1; });
  document.getElementById("video").srcObject = session.stream;
  await session.open();
};
window.ways = async () => {
  const report = await peer.getStats();
  const transports = [...report.values()].filter((each) => each.type === "transport");
  return transports.map((each) => report.get(each.selectedCandidatePairId)).map((pair) => {
    const own = report.get(pair.localCandidateId), far = report.get(pair.remoteCandidateId);
    return { local: own.candidateType, by: own.relayProtocol ?? own.protocol, remote: far.candidateType,
      protocol: own.protocol };
  });
};
</script>"""
_POLICY = """(() => { const Real = RTCPeerConnection; window.made = [];
window.RTCPeerConnection = class extends Real { constructor(given) {
  const asked = { ...given, iceTransportPolicy: POLICY };
  made.push(asked); super(asked); window.peer = this; } }; })();"""


class LiveHost(FakeHost):
    """A host whose views are real."""

    def __init__(self, hub: LiveHub) -> None:
        super().__init__()
        self.hub = hub
        self.through: tuple[str, int] | None = None

    async def _offer(self, request: Request) -> Response:
        asked = request.query_params
        try:
            session = await self.hub.offer(
                CameraId(request.path_params["camera"]),
                StreamName(request.path_params["stream"]),
                await request.body(),
                viewer=ViewerFacts(
                    who=asked["who"],
                    address=asked["address"],
                    user=asked["user"],
                    access_session=asked["session"],
                ),
            )
        except LiveError as error:
            return answer(problem_of(error))
        headers = {"location": f"/live/{session.id}", "etag": session.etag, STREAM_HEADER: session.stream.value}
        if session.transcoded:
            headers[CONVERTED_HEADER] = "h265"
        sdp = session.answer_sdp if self.through is None else only_candidate(session.answer_sdp, self.through)
        return Response(sdp, 201, headers, media_type="application/sdp")

    async def _patch(self, request: Request) -> Response:
        given = request.headers.get("if-match")
        try:
            done = await self.hub.patch(request.path_params["session"], await request.body(), given)
        except LiveError as error:
            return answer(problem_of(error))
        if done is None:
            return Response(status_code=204)
        fragment = done.fragment if self.through is None else only_candidate(done.fragment, self.through)
        return Response(fragment, 200, {"etag": done.etag}, media_type="application/trickle-ice-sdpfrag")

    async def _end(self, request: Request) -> Response:
        wish = EndViewers.model_validate_json(await request.body())
        return JSONResponse({"ended": self.hub.end(camera=wish.camera, who=wish.who, sessions=wish.sessions)})

    async def _viewers(self, _request: Request) -> Response:
        return Response(rpc.wire(ViewerList(viewers=tuple(self.hub.viewers()))))

    async def _close(self, request: Request) -> Response:
        try:
            await self.hub.close(request.path_params["session"])
        except LiveError as error:
            return answer(problem_of(error))
        return Response(status_code=204)


class WhepDesk:
    """Made by :func:`whep_desk`."""

    def __init__(self, desk: Desk, host: LiveHost, camera: str, street: PatternCamera) -> None:
        self.desk = desk
        self.hub = host.hub
        self.camera = camera
        self.street = street
        self._host = host

    def lead_through(self, relay: tuple[str, int]) -> None:
        """Make a relay's address the only candidate of every answer from now on, that to a restart too."""
        self._host.through = relay

    async def page(
        self, browser: Browser, *, policy: str = "all", before: str = "", who: httpx.AsyncClient | None = None
    ) -> Page:
        """Return a page, signed in as the administrator or as ``who``.

        Its connections go only where ``policy`` (``relay``, ``all``) lets them.
        ``before`` is a script that runs ahead of the page's own.
        """
        context = await browser.new_context()
        address = self.desk.url
        await context.add_cookies(
            [{"name": name, "value": value, "url": address} for name, value in (who or self.desk.admin).cookies.items()]
        )
        await context.add_init_script(_POLICY.replace("POLICY", f'"{policy}"'))
        await context.add_init_script(before)
        page = await context.new_page()

        async def give(route: Any) -> None:
            await route.fulfill(content_type="text/html", body=_PAGE)

        await page.route(f"{address}/view", give)
        await page.goto(f"{address}/view")
        await page.wait_for_function("() => window.view")
        return page


@asynccontextmanager
async def whep_desk(path: Path, live: LiveSettings, *, codec: VideoCodec = VideoCodec.H264) -> AsyncIterator[WhepDesk]:
    """Give a gateway with one camera that plays."""
    clock = SystemClock()
    camera = PatternCamera(clock, width=320, height=180, frame_rate=25, codec=codec)
    settings = settings_in(path).model_copy(update={"live": live})
    async with open_live(live, clock=clock) as hub:
        host = LiveHost(hub)
        async with open_desk(path, settings=settings, host=host) as desk:
            identity = await desk.enrol()
            with hub.feed(CameraId(identity), StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
                async with camera.playing(feed):
                    await until(lambda: len(feed.cached()) > 3, what="a cached GOP")
                    yield WhepDesk(desk, host, identity, camera)
