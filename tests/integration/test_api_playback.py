"""Playback over the API: ranges, HLS, stills and clips, each recorded."""

import json

import httpx
import pytest

from gateway.api import ledger as ledger_module
from gateway.fleet import footage, rpc
from kernel.clock import NS_PER_S
from kernel.media import GapCause, VideoCodec
from tests.fakes.desk import Desk

START, END = "2026-05-01T12:00:00Z", "2026-05-01T12:05:00Z"
START_NS = 1_777_636_800 * NS_PER_S


async def get(desk: Desk, camera: str, path: str, **params: str) -> httpx.Response:
    """Ask for something recorded."""
    return await desk.admin.get(f"/api/v1/cameras/{camera}/{path}", params=params)


async def test_the_timeline_tells_footage_and_gaps(desk: Desk) -> None:
    """In ISO times, with the cause of each gap."""
    camera = await desk.enrol()
    desk.host.timeline = footage.TimelineReply(
        spans=(
            footage.RunSpan(
                start_ns=START_NS, end_ns=START_NS + 1_500_000_000, codec=VideoCodec.H264, width=1280, height=720
            ),
        ),
        gaps=(
            footage.GapSpan(start_ns=START_NS, end_ns=START_NS + NS_PER_S, cause=GapCause.NETWORK, detail="unplugged"),
        ),
        newest_ns=START_NS,
    )
    shown = (await get(desk, camera, "timeline", start=START, end=END)).json()
    assert shown["spans"][0]["end"] == "2026-05-01T12:00:01.500Z"
    assert shown["gaps"][0]["cause"] == "network"
    assert shown["newest"] == "2026-05-01T12:00:00.000Z"


@pytest.mark.parametrize("path", ["timeline", "hls/main/index.m3u8", "clip.mp4"])
@pytest.mark.parametrize(("start", "end"), [(END, START), (START, START)])
async def test_a_range_that_ends_before_it_starts_is_refused(desk: Desk, path: str, start: str, end: str) -> None:
    """With one plain sentence, before any host is asked."""
    answer = await get(desk, await desk.enrol(), path, start=start, end=end)
    assert (answer.status_code, answer.json()["type"]) == (422, "api.range")


@pytest.mark.parametrize("start", ["yesterday", "2026-05-01T12:00:00", ""])
async def test_a_time_without_a_zone_is_refused(desk: Desk, start: str) -> None:
    """A naive time is nobody's time."""
    answer = await get(desk, await desk.enrol(), "timeline", start=start, end=END)
    assert (answer.status_code, answer.json()["type"]) == (422, "api.request")


async def test_a_playlist_and_its_segments(desk: Desk) -> None:
    """The list, the initialisation segment and fragments come from the host."""
    camera = await desk.enrol()
    playlist = await get(desk, camera, "hls/main/index.m3u8", start=START, end=END)
    assert playlist.headers["content-type"].startswith("application/vnd.apple.mpegurl")
    assert "f-0.m4s" in playlist.text
    assert (await get(desk, camera, "hls/main/init-file-1.mp4")).content == b"init file-1"
    assert (await get(desk, camera, "hls/main/file-1-12.m4s")).content == b"fragment file-1 12"
    growing = await get(desk, camera, "hls/main/index.m3u8", start=START)
    assert growing.status_code == 200


@pytest.mark.parametrize("name", ["other.txt", "init-.mp4", "-1.m4s", "file-x.m4s", "..%2f..%2fetc%2fpasswd"])
async def test_what_is_no_segment_is_not_there(desk: Desk, name: str) -> None:
    """Nothing but segments is asked of the host."""
    assert (await get(desk, await desk.enrol(), f"hls/main/{name}")).status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "content", "told"),
    [
        ("bytes=0-3", 206, b"init", "bytes 0-3/11"),
        ("bytes=5-", 206, b"file-1", "bytes 5-10/11"),
        ("bytes=-2", 206, b"-1", "bytes 9-10/11"),
        ("bytes=0-99", 206, b"init file-1", "bytes 0-10/11"),
        ("bytes=11-", 416, b"", "bytes */11"),
        ("bytes=3-1", 416, b"", "bytes */11"),
        ("bytes=0-1,3-4", 200, b"init file-1", None),
        ("bytes=-", 200, b"init file-1", None),
        ("lines=1-2", 200, b"init file-1", None),
    ],
)
async def test_byte_ranges_of_segments(desk: Desk, asked: str, status: int, content: bytes, told: str | None) -> None:
    """As RFC 9110 section 14 says, one range at a time."""
    camera = await desk.enrol()
    path = f"/api/v1/cameras/{camera}/hls/main/init-file-1.mp4"
    answer = await desk.admin.get(path, headers={"Range": asked})
    assert (answer.status_code, answer.content, answer.headers.get("content-range")) == (status, content, told)


async def test_playback_is_recorded_once_from_start_to_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A playlist and its many fragments are one playback, over when nobody asks any more."""
    camera = await desk.enrol()
    await get(desk, camera, "hls/main/index.m3u8", start=START, end=END)
    for index in range(5):
        await get(desk, camera, f"hls/main/file-1-{index}.m4s")
    (started,) = await desk.audit("playback.started")
    assert json.loads(started.details)["start"] == "2026-05-01T12:00:00.000Z"
    monkeypatch.setattr(ledger_module, "PLAYBACK_IDLE_S", -1.0)
    await desk.gateway.rooms.ledger.sweep()
    (ended,) = await desk.audit("playback.ended")
    assert (ended.subject, json.loads(ended.details)["reason"]) == (camera, "left")


async def test_another_range_is_another_playback(desk: Desk) -> None:
    """What was looked at is recorded range by range."""
    camera = await desk.enrol()
    await get(desk, camera, "hls/main/index.m3u8", start=START, end=END)
    await get(desk, camera, "hls/main/index.m3u8", start="2026-05-02T12:00:00Z", end="2026-05-02T12:05:00Z")
    assert len(await desk.audit("playback.started")) == 2
    assert len(await desk.audit("playback.ended")) == 1


async def test_another_start_is_another_playback(desk: Desk) -> None:
    """Lists that grow are told apart by where they start, and each is one playback however often it is asked for."""
    camera = await desk.enrol()
    for start in (START, END, START, END):
        await get(desk, camera, "hls/main/index.m3u8", start=start)
    started = [json.loads(entry.details)["start"] for entry in await desk.audit("playback.started")]
    assert started == ["2026-05-01T12:00:00.000Z", "2026-05-01T12:05:00.000Z"]
    assert await desk.audit("playback.ended") == []


async def test_fragments_without_a_playlist_say_of_which_file(desk: Desk) -> None:
    """Each file that is looked at so is on record."""
    camera = await desk.enrol()
    for name in ("file-1-0", "file-1-1", "file-2-0"):
        await get(desk, camera, f"hls/sub/{name}.m4s")
    assert [json.loads(entry.details)["file"] for entry in await desk.audit("playback.started")] == ["file-1", "file-2"]


async def test_fragments_without_a_playlist_are_playback_too(desk: Desk) -> None:
    """Nobody looks at footage around the record."""
    camera = await desk.enrol()
    await get(desk, camera, "hls/sub/file-1-0.m4s")
    assert [entry.subject for entry in await desk.audit("playback.started")] == [camera]


async def test_a_still_says_when_it_was_taken(desk: Desk) -> None:
    """The picture, its instant, and an entry in the audit."""
    camera = await desk.enrol()
    answer = await get(desk, camera, "still", at="2026-05-01T14:00:00+02:00")
    assert (answer.content, answer.headers["sightline-time"]) == (desk.host.still_jpeg, "2026-05-01T12:00:00.000Z")
    (entry,) = await desk.audit("playback.still")
    assert json.loads(entry.details) == {"at": "2026-05-01T12:00:00.000Z", "stream": "main"}


async def test_a_clip_is_an_attachment_and_an_export(desk: Desk) -> None:
    """Its name says camera and time; the export is on record before the first byte."""
    camera = await desk.enrol(number=7)
    answer = await get(desk, camera, "clip.mp4", start=START, end=END)
    assert (answer.headers["content-type"], answer.content) == ("video/mp4", b"ftypmoof")
    assert 'filename="camera-0007_2026-05-01T12-00-00Z_main.mp4"' in answer.headers["content-disposition"]
    (entry,) = await desk.audit("export.clip")
    assert (entry.outcome, json.loads(entry.details)["end"]) == ("done", "2026-05-01T12:05:00.000Z")


async def test_a_clip_bears_its_cameras_name(desk: Desk) -> None:
    """The title in the MP4 is what people call the camera, not an identifier."""
    camera = await desk.enrol(number=7, name="Market, north & south")
    await get(desk, camera, "clip.mp4", start=START, end=END)
    assert desk.host.titles == ["7 Market, north & south"]


async def test_a_clip_of_nothing_is_a_problem(desk: Desk) -> None:
    """What the host refuses is refused before any byte, and is no export."""
    camera = await desk.enrol()
    desk.host.refuse["export"] = rpc.Problem(type="recording.nothing", title="Nothing is recorded there.", status=404)
    answer = await get(desk, camera, "clip.mp4", start=START, end=END)
    assert (answer.status_code, answer.json()["type"]) == (404, "recording.nothing")
    assert await desk.audit("export.clip") == []


async def test_a_clip_that_breaks_off_is_recorded_as_failed(desk: Desk) -> None:
    """Whoever got half a clip is not on record as having the whole."""
    camera = await desk.enrol()
    desk.host.export_breaks = True
    with pytest.raises(httpx.HTTPError):
        await get(desk, camera, "clip.mp4", start=START, end=END)
    assert [entry.outcome for entry in await desk.audit("export.clip")] == ["done", "failed"]
