"""A camera that nobody here wrote: enrolled, viewed, recorded and steered; its faulty XML is a reported fact."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from config.live import LiveSettings
from config.recording import DiskSettings, RecordingSettings
from config.steering import SteeringSettings
from drivers.errors import CameraAuthenticationError
from drivers.model import Credentials
from drivers.onvif import EnrolLimits, enrol, open_device
from drivers.rtsp import RtspSource, RtspStream
from gateway.live import open_live
from kernel.clock import SystemClock
from kernel.head import Axis, Position, Velocity
from kernel.ids import StreamName, new_camera_id
from kernel.media import VideoCodec
from ptz import open_controller
from recording import open_storage
from tests.fakes.ipycam import OtherCamera, ipycam
from tests.fakes.onvif_camera import LOOPBACK
from tests.fakes.python_viewer import python_viewer
from tests.fakes.waiting import until

CLOCK = SystemClock()
QUICKLY = EnrolLimits(try_head=False)


@pytest_asyncio.fixture
async def camera(tmp_path: Path) -> AsyncIterator[OtherCamera]:
    """Return ipycam running, with a password."""
    folder = tmp_path / "ipycam"
    folder.mkdir()
    async with ipycam(folder, username="operator", password="ipycam's own") as running:
        yield running


async def test_it_is_enrolled_and_its_faults_are_reported(camera: OtherCamera) -> None:
    """Streams, head and identity are found in spite of its XML, and what is wrong with that is said."""
    result = await enrol(camera.target, clock=CLOCK, policy=LOOPBACK)
    told = result.description
    (view,) = told.views
    assert (told.identity.manufacturer, told.identity.model) == ("PythonCam", "VirtualCam-1")
    assert (view.main.codec, view.main.width, view.main.height) == (VideoCodec.H264, 640, 360)
    assert view.main.rtsp_url == f"rtsp://127.0.0.1:{camera.rtsp_port}/video_main"
    assert view.sub is not None
    assert view.sub.rtsp_url == f"rtsp://127.0.0.1:{camera.rtsp_port}/video_sub"
    assert told.authentication == "wsse"
    assert not told.events
    assert abs(told.clock_offset_s) <= told.clock_uncertainty_s + 0.1
    assert view.head is not None
    assert view.head.axes == {Axis.PAN, Axis.TILT, Axis.ZOOM}
    assert view.head.absolute
    assert view.head.stop_works
    assert {"undeclared-prefixes", "unusable-values", "fault-with-200"} <= set(told.quirks)
    remarks = {remark.quirk: remark.text for remark in told.remarks}
    assert "never declares. First seen in its answer to GetStatus" in remarks["undeclared-prefixes"]
    assert "MoveStatus" in remarks["unusable-values"]
    # Its snapshot wants the password in the clear, and is not given it.
    assert "basic-only" in told.quirks
    assert result.snapshot is None


async def test_an_open_one_is_enrolled_with_that_said(tmp_path: Path) -> None:
    """Without a password it gives its snapshot to anybody, and the operator is told."""
    async with ipycam(tmp_path) as camera:
        result = await enrol(camera.target, clock=CLOCK, policy=LOOPBACK, limits=QUICKLY)
    assert result.description.authentication == "none"
    assert any("asks for no password" in remark.text for remark in result.description.remarks)
    assert result.snapshot is not None
    assert result.snapshot.startswith(b"\xff\xd8")


async def test_a_wrong_password_is_told(camera: OtherCamera) -> None:
    """Its 401 without a challenge is understood."""
    wrong = Credentials(username="operator", password=SecretStr("wrong"))
    target = camera.target.model_copy(update={"credentials": wrong})
    with pytest.raises(CameraAuthenticationError):
        await enrol(target, clock=CLOCK, policy=LOOPBACK, limits=QUICKLY)


async def test_it_is_steered(camera: OtherCamera) -> None:
    """The controller turns it, stops it, and presets and home work, though every answer has a fault in it."""
    result = await enrol(camera.target, clock=CLOCK, policy=LOOPBACK, limits=QUICKLY)
    (view,) = result.description.views
    async with open_device(camera.target, result.description, clock=CLOCK, policy=LOOPBACK) as device:
        head = device.head(view)
        settings = SteeringSettings()

        async def pan() -> float:
            status = await head.status()
            assert status.position is not None
            return status.position.pan

        start = await pan()
        async with open_controller(head, clock=CLOCK, settings=settings) as controller:
            turned = start
            while turned < start + 0.02:
                controller.wish(Velocity(pan=0.5))
                position = controller.state.position
                turned = position.pan if position is not None else start
                await asyncio.sleep(0.05)  # noqa: TID251 - the rate of a held stick, not a wait
            controller.stop()
            await until(lambda: not controller.state.moving, what="standstill")
            stood = await pan()
            assert stood > start
            preset = await controller.orders.store("Market")
            assert "Market" in [one.name for one in await controller.orders.presets()]
            await controller.orders.home()
            await until(lambda: _near(controller.state.position, 0.0), what="home")
            await controller.orders.recall(preset.token)
            await until(lambda: _near(controller.state.position, stood), what="the preset")


def _near(position: Position | None, pan: float) -> bool:
    return position is not None and abs(position.pan - pan) < 0.02


async def test_it_is_viewed(camera: OtherCamera, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its stream, at the address that enrolment found, reaches a WebRTC peer, which decodes its moving test picture."""
    result = await enrol(camera.target, clock=CLOCK, policy=LOOPBACK, limits=QUICKLY)
    source = RtspSource(
        url=result.description.views[0].main.rtsp_url,
        username=camera.username,
        password=camera.password,
        transport="tcp",
        allow=LOOPBACK,
    )
    who = new_camera_id()
    settings = LiveSettings.model_validate({"loopback": True, "addresses": ["127.0.0.1"], "port": 0})
    async with open_live(settings, clock=CLOCK) as hub:
        with hub.feed(who, StreamName.MAIN, request_keyframe=lambda: None) as feed:
            running = asyncio.create_task(RtspStream(source, feed, clock=CLOCK).run())
            try:
                await until(lambda: len(feed.cached()) > 5, timeout_s=60, what="a cached GOP")
                async with python_viewer(hub, who, monkeypatch) as viewer:
                    await until(lambda: len(set(viewer.digests)) > 10, timeout_s=60, what="different decoded pictures")
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
    assert set(viewer.sizes) == {(640, 360)}
    # ffmpeg's testsrc2 is colourful: a grey picture would be a decoder's excuse.
    assert min(viewer.contrasts) > 30


async def test_it_is_recorded(camera: OtherCamera, tmp_path: Path) -> None:
    """Its stream, at the address that enrolment found, is recorded; ffprobe accepts the film cut out of it."""
    result = await enrol(camera.target, clock=CLOCK, policy=LOOPBACK, limits=QUICKLY)
    description = result.description
    source = RtspSource(
        url=description.views[0].main.rtsp_url,
        username=camera.username,
        password=camera.password,
        transport="tcp",
        allow=LOOPBACK,
    )
    disk = tmp_path / "disk"
    disk.mkdir()
    settings = RecordingSettings(disks=(DiskSettings(path=disk),), batch_s=0.5, free_share=0.0, free_minutes=0.0)
    who = new_camera_id()
    async with open_storage(settings, clock=CLOCK) as storage, storage.recorder(who, StreamName.MAIN) as recorder:
        stream = RtspStream(source, recorder, clock=CLOCK)
        began_ns = CLOCK.wall_ns()
        running = asyncio.create_task(stream.run())
        try:
            await until(lambda: stream.stats.keyframes >= 3, timeout_s=60, what="keyframes")
            await until(lambda: recorder.state.bytes_written > 0, what="footage on disk")
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        spans = (await storage.timeline(who, StreamName.MAIN, began_ns - 10**10, CLOCK.wall_ns() + 10**10)).spans
        film = tmp_path / "film.mp4"
        cut = await storage.export(who, StreamName.MAIN, spans[0].start_ns, spans[-1].end_ns)
        with film.open("wb") as written:
            async for part in cut:
                written.write(part)
    assert (spans[0].codec, spans[0].width, spans[0].height) == (VideoCodec.H264, 640, 360)
    probe = await asyncio.create_subprocess_exec(
        *("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_streams", "-of", "json", str(film)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, complaints = await probe.communicate()
    assert complaints == b""
    (video,) = json.loads(out)["streams"]
    assert (video["codec_name"], video["width"], video["height"]) == ("h264", 640, 360)
    assert int(video["nb_read_frames"]) > 10
