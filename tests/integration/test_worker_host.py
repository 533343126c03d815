"""A camera host with a simulated camera behind real ONVIF and RTSP, asked over its Unix socket."""

import asyncio
import contextlib
import signal
import socket as socket_module
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from config.cameras import CameraSettings
from config.live import LiveSettings
from config.recording import RecordingSettings
from config.server import ServerSettings
from config.settings import Settings
from drivers.simulator.device import DeviceEvent, SimulatedDevice
from gateway.fleet import rpc, wishes
from gateway.fleet.hosts import HostClient, HostError, HostUnreachableError
from gateway.worker import CameraHost, open_host, serve_host
from gateway.worker.problems import HostRequestError
from kernel.clock import NS_PER_S, Clock, SystemClock
from kernel.ids import StreamName, new_camera_id
from tests.fakes.onecamera import described, one_camera, target_of
from tests.fakes.waiting import told, until
from tests.unit.live.test_offer import CHROMIUM

pytestmark = pytest.mark.timeout(60)
CLOCK = SystemClock()


class Site:
    """A host, its client, one camera, and every line of the state stream so far."""

    def __init__(self, host: CameraHost, client: HostClient, device: SimulatedDevice) -> None:
        self.host = host
        self.client = client
        self.device = device
        self.id = new_camera_id()
        self.lines: list[rpc.StateLine] = []

    def assignment(self, *, password: str | None = None, recording: bool = True) -> rpc.CameraAssignment:
        """Return the camera as the gateway would assign it."""
        description = described(self.device)
        return rpc.CameraAssignment(
            id=self.id,
            number=7,
            target=target_of(self.device, password=password),
            view=description.views[0],
            description=description,
            recording=recording,
            bearing_deg=90.0,
        )

    async def listen(self) -> None:
        """Gather the state stream."""
        async for line in self.client.states():
            self.lines.append(line)

    def state(self, wanted: Callable[[rpc.CameraState], object] = lambda _: True) -> rpc.CameraState | None:
        """Return the newest state of the camera that was told, if it is as wanted."""
        told = [line.state for line in self.lines if isinstance(line, rpc.CameraChanged) and line.state.id == self.id]
        return told[-1] if told and wanted(told[-1]) else None


def _settings(directory: Path) -> Settings:
    return Settings(
        server=ServerSettings(data_dir=directory),
        cameras=CameraSettings(allow_loopback=True),
        live=LiveSettings.model_validate({"loopback": True, "addresses": ["127.0.0.1"], "port": 0}),
        recording=RecordingSettings(batch_s=0.5),
    )


@asynccontextmanager
async def site_of(directory: Path, device: SimulatedDevice, clock: Clock = CLOCK) -> AsyncIterator[Site]:
    """Give a host for a camera, which it does not own yet."""
    socket = directory / "run" / "host-0.sock"
    async with (
        open_host(_settings(directory), socket, clock=clock) as host,
        HostClient(socket) as client,
    ):
        site = Site(host, client, device)
        listening = asyncio.create_task(site.listen())
        try:
            yield site
        finally:
            listening.cancel()
            await asyncio.wait([listening])


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Give a host that owns no camera yet."""
    async with one_camera(CLOCK) as device, site_of(tmp_path, device) as site:
        yield site


async def test_a_camera_is_live_recorded_and_played_back(site: Site) -> None:
    """An assigned camera records both streams, and timeline, playlist, segments, still, export and verify answer."""
    await site.client.assign(site.assignment())
    await _after(site, lambda s: all(one and one.recording and one.recording.on for one in (s.main, s.sub)))
    main, began_ns = StreamName.MAIN, CLOCK.wall_ns() - 60 * NS_PER_S
    timeline = await told(
        lambda: site.client.timeline(site.id, main, began_ns, CLOCK.wall_ns()),
        lambda line: line.spans and line.spans[-1].end_ns - line.spans[-1].start_ns > 1.5 * NS_PER_S,
        what="a second and a half of it",
    )
    (span,) = timeline.spans
    assert (span.width, span.height) == (320, 180)
    playlist = await site.client.playlist(site.id, main, span.start_ns, span.end_ns, prefix="hls/")
    first = next(line for line in playlist.splitlines() if line.endswith(".m4s"))
    file, _, index = first.removeprefix("hls/").removesuffix(".m4s").rpartition("-")
    assert (await site.client.init_segment(site.id, main, file))[4:8] == b"ftyp"
    assert b"moof" in await site.client.fragment(site.id, main, file, int(index))
    still = await site.client.still(site.id, main, span.start_ns + NS_PER_S)
    assert still.jpeg.startswith(b"\xff\xd8")
    assert abs(still.wall_ns - span.start_ns - NS_PER_S) < NS_PER_S
    async with site.client.export(site.id, main, span.start_ns, span.end_ns) as pieces:
        assert b"".join([piece async for piece in pieces])[4:8] == b"ftyp"
    report = await site.client.verify(site.id)
    assert report["sound"] is True
    health = await site.client.health()
    assert (health.cameras, health.streams_live, health.recording) == (1, 2, 2)
    assert health.disks[0]["state"] == "ok"


async def test_a_viewer_is_answered_counted_and_ended(site: Site) -> None:
    """An offer over the socket is answered with Location and ETag; the viewer is listed, patched and ended."""
    await site.client.assign(site.assignment(recording=False))
    await until(lambda: site.state(lambda s: s.main.frames > 0), what="pictures")
    answer = await site.client.live_offer(
        site.id, StreamName.MAIN, CHROMIUM.encode(), who="ann", address="10.0.0.9", user="u1", access_session="s1"
    )
    assert answer.sdp.startswith("v=0")
    (viewer,) = await site.client.viewers()
    assert (viewer.session, viewer.who, viewer.address, viewer.camera) == (answer.session, "ann", "10.0.0.9", site.id)
    assert (viewer.user, viewer.access_session) == ("u1", "s1")
    await until(lambda: site.state(lambda s: s.viewers == 1), what="the viewer in the state")
    await site.client.live_patch(
        answer.session, b"a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n", if_match=answer.etag
    )
    with pytest.raises(HostError) as error:
        await site.client.live_patch(answer.session, b"", if_match=None)
    assert (error.value.code, error.value.status) == ("live.precondition", 428)
    assert await site.client.end_viewers(who="ann") == 1
    await until(lambda: not site.host.hub.viewers(), what="the end of the view")
    with pytest.raises(HostError) as error:
        await site.client.live_close(answer.session)
    assert error.value.status == 404


async def test_the_head_turns_for_the_holder_of_the_stick_alone(site: Site) -> None:
    """The holder's moves reach the head, another's are refused, letting go stops it, and degrees are told."""
    await site.client.assign(site.assignment(recording=False))
    await until(lambda: site.state(lambda s: s.head and s.head.pan is not None), what="the head's position")
    head = site.device.head
    assert head is not None
    before = head.aim().pan_deg
    stick = await site.client.stick(site.id, wishes.StickWish(holder="a", name="Ann"))
    assert (stick.holder, stick.name) == ("a", "Ann")
    for wish in (wishes.Move(pan=0.5), wishes.Beat()):
        with pytest.raises(HostError) as error:
            await site.client.steer(site.id, wishes.SteerWish(holder="b", wish=wish))
        assert (error.value.code, error.value.status) == ("steering.not-held", 409)
    with pytest.raises(HostError) as error:
        await site.client.stick(site.id, wishes.StickWish(holder="b", name="Bob"))
    assert (error.value.code, error.value.status) == ("steering.held", 409)
    await site.client.steer(site.id, wishes.SteerWish(holder="a", wish=wishes.Move(pan=0.6)))
    await until(lambda: head.aim().pan_deg > before + 5, what="the head to turn")
    assert (await site.client.drop_stick(site.id, "a")).holder is None
    await until(lambda: not head.aim().moving, what="the head to stand")
    state = await _after(site, lambda s: s.head and not s.head.moving and (s.head.pan or 0) > 0)
    assert state.head is not None
    assert state.head.pan_deg is not None
    assert state.head.bearing_deg == pytest.approx(90.0 + state.head.pan_deg)
    assert state.head.hfov_deg == pytest.approx(62.0)


async def test_presets_and_commands_reach_the_head(site: Site) -> None:
    """Presets are stored, listed, recalled and removed; home and auxiliary commands are obeyed; others refused."""
    await site.client.assign(site.assignment(recording=False))
    await until(lambda: site.state(lambda s: s.head is not None), what="the head")
    await site.client.stick(site.id, wishes.StickWish(holder="a", name="Ann"))
    stored = await site.client.store_preset(site.id, "North gate/1")
    listed = await site.client.presets(site.id)
    assert [preset.name for preset in listed.presets] == ["North gate/1"]
    for wish in (
        wishes.RecallPreset(token=stored.token), wishes.GoHome(), wishes.Auxiliary(command="tt:Wiper|On"),
        wishes.MoveInView(right=0.2, up=0.0), wishes.ZoomBox(x0=0.2, y0=0.2, x1=0.8, y1=0.8),
        wishes.Beat(), wishes.Stop(),
    ):  # fmt: skip
        await site.client.steer(site.id, wishes.SteerWish(holder="a", wish=wish))
    assert site.device.wiper
    with pytest.raises(HostError) as error:
        await site.client.steer(site.id, wishes.SteerWish(holder="a", wish=wishes.Auxiliary(command="tt:Horn|On")))
    assert error.value.status == 409
    await site.client.remove_preset(site.id, stored.token)
    assert (await site.client.presets(site.id)).presets == ()
    assert (await site.client.snapshot(site.id)).startswith(b"\xff\xd8")


async def test_what_the_camera_reports_is_handed_on(site: Site) -> None:
    """A motion alarm of the camera is a line of the state stream."""
    await site.client.assign(site.assignment(recording=False))
    await until(lambda: site.device.listeners, what="the subscription")
    event = DeviceEvent(
        "tns1:VideoSource/MotionAlarm", {"Source": "video-source-1"}, {"State": "true"}, site.device.wall_ns()
    )

    def heard() -> bool:
        site.device.emit(event)
        return any(isinstance(line, rpc.CameraHappened) and "MotionAlarm" in line.topic for line in site.lines)

    await until(heard, what="the motion alarm")


async def test_a_wrong_password_parks_the_camera(site: Site) -> None:
    """The camera says so in plain words and is not tried again, which would lock the account; a new one is."""
    await site.client.assign(site.assignment(password="wrong"))
    state = await _after(site, lambda s: s.live is rpc.LiveState.PARKED)
    assert state.problem is not None
    assert state.problem.type == "camera.authentication"
    sent = site.device.requests
    tries = len(sent)
    await site.client.assign(site.assignment())
    await _after(site, lambda s: s.live is rpc.LiveState.LIVE)
    assert tries < 20


async def test_the_same_assignment_does_not_disturb_a_stream(site: Site) -> None:
    """New names and a repeated assignment leave the session alone; the frames go on being counted."""
    assignment = site.assignment(recording=False)
    await site.client.assign(assignment)
    before = await _after(site, lambda s: s.main.frames > 5)
    await site.client.assign(assignment)
    await site.client.assign(assignment.model_copy(update={"name": "Market", "number": 8}))
    after = await _after(site, lambda s: s.main.frames > before.main.frames)
    assert after.main.frames > before.main.frames


async def test_a_released_camera_is_gone_and_its_footage_is_not(site: Site) -> None:
    """Release ends streams and steering and is told; what was recorded still plays."""
    await site.client.assign(site.assignment())
    await until(lambda: site.state(lambda s: s.main.recording and s.main.recording.on), what="recording")
    await site.client.release(site.id)
    await site.client.release(site.id)
    await until(lambda: any(isinstance(line, rpc.CameraReleased) for line in site.lines), what="the release")
    assert (await site.client.cameras()).cameras == ()
    now = CLOCK.wall_ns()
    assert (await site.client.timeline(site.id, StreamName.MAIN, now - 60 * NS_PER_S, now)).spans
    with pytest.raises(HostError) as error:
        await site.client.snapshot(site.id)
    assert (error.value.code, error.value.status) == ("host.no-camera", 404)


async def test_a_camera_whose_clock_moves_is_timed_anew(site: Site) -> None:
    """Minutes of error in the camera's clock are found, and the pictures' times are true after it."""
    site.device.faults.clock_error_s = 120.0
    await site.client.assign(site.assignment(recording=False))
    state = await _after(
        site, lambda s: s.main.last_frame_ns and s.clock_offset_s and abs(s.clock_offset_s - 120) < 2
        and abs(s.main.last_frame_ns - CLOCK.wall_ns()) < 5 * NS_PER_S,
    )  # fmt: skip
    assert state.clock_measured_ns is not None


async def test_wrong_requests_are_refused_in_plain_words(site: Site) -> None:
    """Malformed bodies, unknown cameras and streams, wrong types and sizes each have their own answer."""
    transport = httpx.AsyncHTTPTransport(uds=str(site.client.socket))
    sdp = {"content-type": "application/sdp"}
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as raw:
        one = f"/cameras/{site.id}"
        for method, path, content, headers, status, code in (
            ("PUT", one, b"{}", {}, 422, "request.malformed"),
            ("PUT", "/cameras/other", rpc.wire(site.assignment()), {}, 400, "host.request"),
            ("GET", one + "/snapshot", None, {}, 404, "host.no-camera"),
            ("GET", one + "/timeline/third?start_ns=0&end_ns=1", None, {}, 400, "host.request"),
            ("GET", one + "/timeline/main?start_ns=5&end_ns=x", None, {}, 400, "host.request"),
            ("GET", one + "/timeline/main?start_ns=5&end_ns=1", None, {}, 422, "recording.bad-range"),
            ("GET", one + "/export/main?start_ns=1&end_ns=2", None, {}, 404, "recording.nothing-recorded"),
            ("GET", one + "/init/main/nothing", None, {}, 404, "recording.unknown-file"),
            ("POST", one + "/live/main", b"v=0", {}, 415, "live.media-type"),
            ("POST", one + "/live/main", b"v=0\r\n" + b"a" * 70_000, sdp, 413, "live.offer-size"),
            ("POST", one + "/live/main", CHROMIUM.encode(), sdp, 409, "live.not-live"),
            ("POST", "/probe", b'{"address": 1}', {}, 422, "request.malformed"),
        ):
            answer = await raw.request(method, path, content=content, headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (status, code), path
            assert answer.headers["content-type"] == "application/problem+json"
            assert ("retry-after" in answer.headers) == (status == 409)
    assert "simulated" not in answer.text


async def test_a_refused_address_stops_neither_the_host_nor_the_other_cameras(tmp_path: Path) -> None:
    """A camera on a forbidden address is parked with the reason, and the host goes on."""
    socket = tmp_path / "h.sock"
    strict = _settings(tmp_path).model_copy(update={"cameras": CameraSettings()})
    async with (
        one_camera(CLOCK) as device,
        open_host(strict, socket, clock=CLOCK) as host,
        HostClient(socket) as client,
    ):
        site = Site(host, client, device)
        await client.assign(site.assignment())
        await until(lambda: host.camera(site.id).state().live is rpc.LiveState.PARKED, what="the camera to park")
        problem = host.camera(site.id).state().problem
        with pytest.raises(HostError) as error:
            await client.probe(target_of(device))
    assert problem is not None
    assert problem.type == error.value.code == "camera.address-refused"


async def test_a_camera_without_its_onvif_side_is_shown_all_the_same(site: Site) -> None:
    """A head that cannot be opened, and a web server that is gone, stop neither the streams nor the recording."""
    assignment = site.assignment()
    description = assignment.description.model_copy(
        update={"services": {}, "device_url": f"http://{site.device.host}:1/onvif/device_service"}
    )
    await site.client.assign(assignment.model_copy(update={"description": description}))
    state = await _after(site, lambda s: s.main.recording and s.main.recording.on)
    assert state.head is None
    with pytest.raises(HostError) as error:
        await site.client.stick(site.id, wishes.StickWish(holder="a", name="Ann"))
    assert (error.value.code, error.value.status) == ("host.no-head", 404)


async def test_a_device_is_looked_at_before_it_is_enrolled(site: Site) -> None:
    """A probe finds the views and takes a picture, and leaves nothing behind; a wrong password is told as such."""
    site.device.head = None
    probed = await site.client.probe(target_of(site.device))
    assert [view.main.width for view in probed.description.views] == [320]
    assert probed.snapshot is not None
    assert probed.snapshot.startswith(b"\xff\xd8")
    assert (await site.client.cameras()).cameras == ()
    with pytest.raises(HostError) as error:
        await site.client.probe(target_of(site.device, password="wrong"))
    assert (error.value.code, error.value.status) == ("camera.authentication", 422)


async def test_nobody_is_sought_where_no_camera_may_be(site: Site) -> None:
    """Addresses to probe one by one are held to the same policy as cameras, before anything is sent."""
    with pytest.raises(HostError) as error:
        await site.client.discover(timeout_s=0.5, unicast=("169.254.169.254",))
    assert error.value.code == "camera.address-refused"


async def test_a_signal_ends_the_host_in_order(tmp_path: Path) -> None:
    """SIGTERM closes the socket and returns."""
    socket = tmp_path / "h.sock"
    serving = asyncio.create_task(serve_host(_settings(tmp_path), socket, clock=CLOCK))
    await until(lambda: serving.done() or _answers(socket), what="the socket")
    signal.raise_signal(signal.SIGTERM)
    await serving
    assert not socket.exists()


def _answers(path: Path) -> bool:
    with contextlib.closing(socket_module.socket(socket_module.AF_UNIX)) as trial:
        return trial.connect_ex(str(path)) == 0


async def test_the_socket_is_ours_alone(site: Site, tmp_path: Path) -> None:
    """Only the service's user may speak to a host, a second host is refused its place, and a dead one's is taken."""
    socket = site.client.socket
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    other = _settings(tmp_path / "other")
    with pytest.raises(HostRequestError, match="Another camera host"):
        async with open_host(other, socket, clock=CLOCK):
            pass
    dead = tmp_path / "dead.sock"
    dead.touch()
    async with open_host(other, dead, clock=CLOCK), HostClient(dead) as client:
        assert (await client.health()).cameras == 0
    assert not dead.exists()
    async with HostClient(dead) as client:
        with pytest.raises(HostUnreachableError):
            await client.health()


async def test_silence_is_broken_by_a_heartbeat(site: Site) -> None:
    """With nothing to tell, the state stream still shows that the host lives."""
    await until(lambda: sum(isinstance(line, rpc.Heartbeat) for line in site.lines) >= 3, what="heartbeats")
    before = site.host.progress()
    assert site.host.progress() > before


async def _after(site: Site, wanted: Callable[[rpc.CameraState], object]) -> rpc.CameraState:
    await until(lambda: site.state(wanted), what="the camera's state", timeout_s=40.0)
    state = site.state()
    assert state is not None
    return state
