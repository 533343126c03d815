"""What was recorded, played by Debian's Chromium: HLS by the console's own hls.js, and the exported MP4."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Browser, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from config.recording import DiskSettings, RecordingSettings
from gateway.console.vendor import VENDOR
from gateway.worker.footage_routes import footage_routes
from kernel.clock import NS_PER_MS, NS_PER_S
from kernel.ids import CameraId, StreamName
from kernel.media import AccessUnit, GapCause, StreamDescription, VideoCodec
from recording import Recorder, Storage, open_storage
from tests.fakes.clock import ManualClock
from tests.fakes.footage import PCMU, START_NS, coded, sound, units
from tests.fakes.probe import ffprobe

pytestmark = pytest.mark.timeout(180)

CAMERA, MAIN = CameraId("01a20b5d4c917c699a4b8037ed13065b"), StreamName.MAIN
SMALL, BIG = (160, 96), (320, 192)
FIRST_S, BIG_S, GAP_S, LAST_S = 5, 4, 6, 3
"""Small pictures in files of two seconds, big ones in one GOP of several fragments, nothing, and small ones again."""
GAP_AT_S = FIRST_S + BIG_S
END_S = GAP_AT_S + GAP_S + LAST_S
PICTURES = 25 * (FIRST_S + BIG_S + LAST_S)

PAGE = """<!doctype html><meta charset="utf-8"><title>Recorded</title><video id="video" muted playsinline></video>
<script type="module">
import Hls from "/hls/hls.light.min.mjs";
const video = document.getElementById("video");
window.shown = []; window.errors = []; window.ended = false;
video.addEventListener("ended", () => { window.ended = true; });
video.addEventListener("error", () => errors.push({ fatal: true, details: video.error.message }));
const look = (_, { mediaTime, width, height }) => {
  shown.push({ at: mediaTime, size: [width, height], wallMs: window.hls?.playingDate?.getTime() ?? null });
  video.requestVideoFrameCallback(look);
};
video.requestVideoFrameCallback(look);
window.told = () => ({ shown, errors, at: video.currentTime, duration: video.duration,
  decoded: video.getVideoPlaybackQuality().totalVideoFrames });
window.playList = (url) => {
  window.hls = new Hls({ enableWorker: false });
  hls.on(Hls.Events.ERROR, (_, { fatal, details, error }) => errors.push({ fatal, details, text: String(error) }));
  hls.on(Hls.Events.MANIFEST_PARSED, () => video.play());
  hls.loadSource(url);
  hls.attachMedia(video);
};
window.playFile = (url) => { video.src = url; void video.play(); };
window.over = () => ended || errors.some((error) => error.fatal);
window.ready = true;
</script>"""


def at(seconds: float) -> int:
    """Return a wall time after the start of the footage."""
    return START_NS + round(seconds * NS_PER_S)


async def _feed(recorder: Recorder, pictures: Iterable[AccessUnit], *, heard_from_s: float, seconds: float) -> None:
    """Hand pictures and their sound over, faster than they were taken."""
    hearing = iter(list(sound(seconds=seconds, start_ns=at(heard_from_s))))
    for unit in pictures:
        recorder.video(unit)
        recorder.audio(next(hearing))
        recorder.audio(next(hearing))
    await recorder.flush()


@asynccontextmanager
async def recorded(tmp_path: Path) -> AsyncIterator[Storage]:
    """Give storage with files, a change of size, a GOP in fragments, a gap with its cause, and sound throughout."""
    clock = ManualClock(wall_ns=START_NS)
    settings = RecordingSettings(disks=(DiskSettings(path=tmp_path / "disk"),), file_s=2, fragment_s=1)
    small, big = coded(), coded(width=BIG[0], height=BIG[1], gop_frames=25 * BIG_S, gops=1)
    description = StreamDescription(video=VideoCodec.H264, audio=PCMU, metadata=False, transport="tcp")
    async with open_storage(settings, clock=clock) as storage:
        async with storage.recorder(CAMERA, MAIN) as recorder:
            recorder.started(description)
            await _feed(recorder, units(small, seconds=FIRST_S), heard_from_s=0, seconds=FIRST_S)
            turned = units(big, seconds=BIG_S, start_ns=at(FIRST_S), start_90k=FIRST_S * 90_000)
            await _feed(recorder, turned, heard_from_s=FIRST_S, seconds=BIG_S)
            recorder.broken(GapCause.NETWORK, "cable")
            clock.jump_wall(END_S + 1)
            recorder.started(description)
            back_s = GAP_AT_S + GAP_S
            await _feed(
                recorder, units(small, seconds=LAST_S, start_ns=at(back_s)), heard_from_s=back_s, seconds=LAST_S
            )
        yield storage


@asynccontextmanager
async def served(storage: Storage, folder: Path) -> AsyncIterator[str]:
    """Serve the page, the vendored hls.js, ``folder``'s film and the footage as a camera host does."""

    async def page(_: Request) -> Response:
        return HTMLResponse(PAGE)

    async def film(_: Request) -> Response:
        return FileResponse(folder / "film.mp4", media_type="video/mp4")

    async def init(request: Request) -> Response:
        data = await storage.init_segment(CAMERA, MAIN, request.path_params["file"])
        return Response(data, media_type="video/mp4")

    async def fragment(request: Request) -> Response:
        place = request.path_params["file"], request.path_params["index"]
        return Response(await storage.fragment(CAMERA, MAIN, *place), media_type="video/iso.segment")

    routes = [
        Route("/", page),
        Route("/film.mp4", film),
        Route("/segments/init-{file}.mp4", init),
        Route("/segments/{file}-{index:int}.m4s", fragment),
        Mount("/hls", StaticFiles(directory=VENDOR / "hls.js")),
        *footage_routes(storage),
    ]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.wait([serving], timeout=0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await asyncio.wait([serving])


async def _played(page: Page, address: str, start: str, url: str) -> dict[str, Any]:
    """Play ``url`` to its end; return what the page saw."""
    await page.goto(address)
    await page.wait_for_function("() => window.ready")
    await page.evaluate(f"(url) => {start}(url)", url)
    await page.wait_for_function("() => over()", timeout=90_000)
    told: dict[str, Any] = await page.evaluate("told()")
    return told


def _sizes(told: dict[str, Any], start_s: float, end_s: float) -> set[tuple[int, int]]:
    """Return the sizes of the pictures shown between two places of the player's time line."""
    return {tuple(frame["size"]) for frame in told["shown"] if start_s <= frame["at"] + 0.001 < end_s}


async def test_hls_plays_to_its_end(chromium: Browser, tmp_path: Path) -> None:
    """Across files, a change of size, a GOP in fragments and a gap, each picture is decoded at its own wall time."""
    page = await chromium.new_page()
    async with recorded(tmp_path) as storage, served(storage, tmp_path) as address:
        (gap,) = (await storage.timeline(CAMERA, MAIN, at(0), at(END_S))).gaps
        stored = await storage.verify(CAMERA)
        playlist = f"/cameras/{CAMERA}/playlist/main?start_ns={at(0)}&end_ns={at(END_S)}&prefix=/segments/"
        told = await _played(page, address, "playList", playlist)
    assert (stored.files, stored.fragments) == (6, FIRST_S + BIG_S + LAST_S)
    assert (gap.start_ns, gap.end_ns, gap.cause) == (at(GAP_AT_S), at(GAP_AT_S + GAP_S), GapCause.NETWORK)
    assert not [error for error in told["errors"] if error["fatal"]], told["errors"]
    # The player's time line has no gap: six files end to end, each with its own media time.
    played_s = GAP_AT_S + LAST_S
    assert told["duration"] == pytest.approx(played_s, abs=0.1)
    assert told["at"] == pytest.approx(played_s, abs=0.1)
    assert told["decoded"] >= PICTURES
    for start_s, end_s, size in [
        (0, 2, SMALL),
        (2, 4, SMALL),
        (4, 5, SMALL),
        (FIRST_S, GAP_AT_S, BIG),
        (GAP_AT_S, GAP_AT_S + 2, SMALL),
        (GAP_AT_S + 2, played_s, SMALL),
    ]:
        assert _sizes(told, start_s, end_s) == {size}, (start_s, end_s)
    # Fragments of one GOP are one after another: pictures of each second of it were shown.
    assert {int(frame["at"] + 0.001) for frame in told["shown"]} == set(range(played_s))
    # hls.js knows when each picture was taken; it tells of what plays now, which near the gap may be its other side.
    timed = [frame for frame in told["shown"] if frame["wallMs"] and abs(frame["at"] - GAP_AT_S) > 1]
    for behind, lacking_s in ((False, 0), (True, GAP_S)):
        side = [frame for frame in timed if (frame["at"] > GAP_AT_S) is behind]
        assert side
        for frame in side:
            assert abs(frame["wallMs"] - at(frame["at"] + lacking_s) / NS_PER_MS) < GAP_S * 1000 / 2


async def test_an_exported_film_plays_to_its_end(chromium: Browser, tmp_path: Path) -> None:
    """One MP4 with G.711, a change of size and a gap: ffprobe has no complaint, and the browser shows both sides."""
    page = await chromium.new_page()
    film = tmp_path / "film.mp4"
    async with recorded(tmp_path) as storage, served(storage, tmp_path) as address:
        export = await storage.export(CAMERA, MAIN, at(0), at(END_S), title="Market")
        film.write_bytes(b"".join([piece async for piece in export]))
        facts = await ffprobe(film)
        told = await _played(page, address, "playFile", "/film.mp4")
    video, audio = facts["streams"]
    assert (video["codec_name"], audio["codec_name"]) == ("h264", "pcm_mulaw")
    assert int(video["nb_read_frames"]) == PICTURES
    assert "network: cable" in facts["format"]["tags"]["comment"]
    assert told["errors"] == []
    assert told["at"] == pytest.approx(END_S, abs=0.1)
    assert told["decoded"] >= PICTURES
    assert _sizes(told, 0, FIRST_S) == {SMALL}
    assert _sizes(told, FIRST_S, GAP_AT_S) == {BIG}
    # Time goes on over the gap: behind it the pictures stand where they were recorded.
    assert _sizes(told, GAP_AT_S, GAP_AT_S + GAP_S) == set()
    assert _sizes(told, GAP_AT_S + GAP_S, END_S + 0.1) == {SMALL}
