"""Every rule of the RTSPS door, asked by a client that says what no proper one would."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from aiortc.rtp import RtcpPacket, RtcpSrPacket

from config.live import LiveSettings
from gateway.fleet import rpc
from gateway.fleet.outlets import OutletCamera, credential_of
from gateway.live.rtsp.limits import FAILURES_BURST
from kernel.clock import NS_PER_S, SystemClock
from kernel.ids import StreamName
from tests.fakes.clock import ManualClock
from tests.fakes.pattern import PatternCamera
from tests.fakes.rtsps import LIVE, OTHER, PASSWORD, Door, open_door, outlet
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(60)


class Stage:
    """A door on a clock that stands, with a camera whose pictures the test hands over."""

    def __init__(self, door: Door, camera: PatternCamera, clock: ManualClock) -> None:
        self.door = door
        self.camera = camera
        self.clock = clock

    def play(self, pictures: int = 1, *, stream: StreamName = StreamName.MAIN) -> None:
        """Hand over pictures of now."""
        for _ in range(pictures):
            self.door.feeds[stream].video(self.camera.unit())


@pytest_asyncio.fixture
async def stage(clock: ManualClock, tmp_path: Path) -> AsyncIterator[Stage]:
    """Give a door with the outlet put and both streams of the camera live."""
    camera = PatternCamera(clock, width=320, height=180, frame_rate=25, gop_frames=25)
    async with open_door(tmp_path, clock=clock, max_connections_per_address=3) as door:
        stage = Stage(door, camera, clock)
        for stream, feed in door.feeds.items():
            feed.started(camera.description)
            feed.video(camera.unit(keyframe=True))
            stage.play(4, stream=stream)
        door.put()
        yield stage


async def test_the_cached_pictures_come_first(stage: Stage) -> None:
    """PLAY is answered, and then come all pictures since the keyframe, numbered as RTP-Info says, and a report."""
    async with stage.door.client() as client:
        told = await client.play()
        assert told.status == 200
        while len([data for channel, data in client.packets if channel == 1]) < 1:
            assert await client.reader.readexactly(1) == b"$"
            await client.packet()
        pictures = [data for channel, data in client.packets if channel == 0]
        first = int(told.header("rtp-info").rpartition("seq=")[2])
        assert [struct.unpack_from("!H", data, 2)[0] - first for data in pictures] == list(range(len(pictures)))
        assert sum(data[1] >> 7 for data in pictures) == 5
        report = RtcpPacket.parse(next(data for channel, data in client.packets if channel == 1))[0]
        assert isinstance(report, RtcpSrPacket)
        ntp_s = report.sender_info.ntp_timestamp / 2**32 - 2_208_988_800
        assert abs(ntp_s - stage.clock.wall_ns() / NS_PER_S) < 0.001
        last = struct.unpack_from("!L", pictures[-1], 4)[0]
        assert report.sender_info.rtp_timestamp == last  # taken now, on a clock that stands


async def test_the_viewer_is_listed_and_told(stage: Stage) -> None:
    """While it plays it stands beside the other viewers with its outlet's words; the gateway hears of both ends."""
    async with stage.door.client() as client:
        await client.play()
        (viewer,) = stage.door.hub.viewers()
        assert (viewer.kind, viewer.outlet, viewer.who) == ("rtsp", "share-41", "Metropolitan Police, share 41")
        assert (viewer.address, viewer.connected, viewer.stream) == ("127.0.0.1", True, StreamName.MAIN)
        (came,) = stage.door.told
        assert isinstance(came, rpc.ViewerCame)
        assert (await client.ask("TEARDOWN")).status == 200
        went = stage.door.told[-1]
        assert isinstance(went, rpc.ViewerWent)
        assert (went.viewer.session, went.reason) == (came.viewer.session, "closed by the viewer")
        assert went.viewer.packets_sent > 0
        assert stage.door.hub.viewers() == []


@pytest.mark.parametrize(
    ("method", "status"),
    [("ANNOUNCE", 405), ("RECORD", 405), ("PAUSE", 405), ("REDIRECT", 405), ("PLAY_NOTIFY", 501), ("OPTIONS", 200)],
)
async def test_what_is_not_reading_is_refused(stage: Stage, method: str, status: int) -> None:
    """Methods that would write, stop or lead away are refused, and the answer says which are allowed."""
    async with stage.door.client() as client:
        told = await client.ask(method)
        assert told.status == status
        assert "PLAY" in told.header("public" if status == 200 else "allow")


@pytest.mark.parametrize(
    ("transport", "status"),
    [
        ("RTP/AVP;unicast;client_port=5000-5001", 461),
        ("RTP/AVP/TCP;unicast;interleaved=0-1;mode=RECORD", 461),
        ("RTP/AVP;unicast;client_port=5000-5001,RTP/AVP/TCP;unicast;interleaved=4-5", 200),
        ("RTP/AVP/TCP;unicast", 200),
        ("", 461),
    ],
)
async def test_only_interleaved_transport_is_set_up(stage: Stage, transport: str, status: int) -> None:
    """UDP is refused with the reason; of several offers the interleaved one is taken."""
    async with stage.door.client() as client:
        told = await client.ask("SETUP", stage.door.url("met-41/7/main/track=video", user=""), Transport=transport)
        assert told.status == status
        if status == 461:
            assert "interleaved" in told.head
        else:
            assert ("interleaved=4-5" if "4-5" in transport else "interleaved=0-1") in told.header("transport")


@pytest.mark.parametrize(
    ("path", "basic", "status"),
    [
        ("met-41/7", "met:wrong", 401),
        ("met-41/7", "other:" + PASSWORD, 401),
        ("met-41/7", None, 401),
        ("no-such/7", f"met:{PASSWORD}", 401),
        ("met-41/8", f"met:{PASSWORD}", 404),
        (f"met-41/{OTHER}", f"met:{PASSWORD}", 404),
        ("met-41/7/third", f"met:{PASSWORD}", 404),
        ("met-41", f"met:{PASSWORD}", 404),
        ("met-41/7/sub", f"met:{PASSWORD}", 200),
    ],
)
async def test_the_credential_opens_its_cameras_alone(stage: Stage, path: str, basic: str | None, status: int) -> None:
    """Without the credential nothing is told, not even whether there is such an outlet; with it, its cameras alone."""
    async with stage.door.client() as client:
        told = await client.ask("DESCRIBE", stage.door.url(path, user=""), basic=basic)
        assert told.status == status
        if status == 401:
            name = path.partition("/")[0]
            assert told.head.count(f'realm="Sightline {name}"') == 3
            assert told.body == ""


Change = Callable[[Door], int]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda door: door.server.outlets.remove("share-41"), 401),
        (lambda door: door.put(cameras=(OutletCamera(id=OTHER, number=8),)), 404),
        (lambda door: door.put(best=StreamName.SUB), 404),
        (lambda door: door.put(networks=("192.0.2.0/24",)), 403),
        (lambda door: door.put(credential=credential_of("met-41", "met", "another")), 401),
        (lambda door: door.put(until_ns=1), 401),
        (lambda door: door.put(id="share-42"), 200),
    ],
    ids=["removed", "camera", "stream", "network", "credential", "time", "another of that name"],
)
async def test_what_an_outlet_no_longer_covers_ends_at_once(stage: Stage, change: Change, status: int) -> None:
    """Before the change returns its last packet was sent, the connection is reset, and the same request is refused."""
    async with stage.door.client() as client:
        await client.play()
        (view,) = stage.door.hub.viewers()
        assert change(stage.door) == 1
        assert stage.door.hub.viewers() == []
        stage.play(5)
        went = stage.door.told[-1]
        assert isinstance(went, rpc.ViewerWent)
        assert went.viewer.session == view.session
        await client.ended()
    async with stage.door.client() as client:
        told = await client.ask("DESCRIBE", stage.door.url("met-41/7/main", user=""))
        assert told.status == status


async def test_the_same_outlet_again_disturbs_nobody(stage: Stage) -> None:
    """What a gateway says again after its restart, or a longer time, goes on as it was."""
    async with stage.door.client() as client:
        await client.play()
        assert stage.door.put() == 0
        assert stage.door.put(until_ns=stage.clock.wall_ns() + 7200 * NS_PER_S) == 0
        assert len(stage.door.hub.viewers()) == 1


async def test_an_outlet_ends_by_itself(stage: Stage) -> None:
    """At its own end the host cuts it off, though nobody says so."""
    async with stage.door.client() as client:
        await client.play()
        assert stage.door.put(until_ns=stage.clock.wall_ns() + 5 * NS_PER_S) == 0
        await stage.clock.turn(4.5)
        assert len(stage.door.hub.viewers()) == 1
        await stage.clock.turn(0.6)
        assert stage.door.hub.viewers() == []
        await client.ended()


async def test_the_places_of_a_credential_are_counted(stage: Stage) -> None:
    """One viewer more than the outlet allows is refused in SETUP, and let in once a place is free."""
    stage.door.put(viewers_max=1)
    setup = stage.door.url("met-41/7/main/track=video", user="")
    async with stage.door.client() as first, stage.door.client() as second:
        await first.play()
        assert (await second.ask("SETUP", setup, Transport="RTP/AVP/TCP;interleaved=0-1")).status == 453
        await first.ask("TEARDOWN")
        assert (await second.ask("SETUP", setup, Transport="RTP/AVP/TCP;interleaved=0-1")).status == 200


async def test_the_places_of_the_host_are_those_of_all_viewers(clock: ManualClock, tmp_path: Path) -> None:
    """Viewers by RTSPS take places of ``live.max_viewers`` like any other."""
    camera = PatternCamera(clock, width=320, height=180)
    full = LiveSettings.model_validate({**LIVE.model_dump(), "max_viewers": 1})
    async with open_door(tmp_path, clock=clock, live=full) as door:
        door.feeds[StreamName.MAIN].started(camera.description)
        door.feeds[StreamName.MAIN].video(camera.unit())
        door.put()
        async with door.client() as first, door.client() as second:
            await first.play()
            told = await second.ask("SETUP", door.url("met-41/7/main", user=""), Transport="RTP/AVP/TCP")
            assert told.status == 453


async def test_connections_of_one_address_are_counted(stage: Stage) -> None:
    """One more than may be is closed before TLS, and those that are there go on."""
    async with stage.door.client() as one, stage.door.client(), stage.door.client():
        with pytest.raises(OSError, match=r".*"):
            async with stage.door.client():
                pass
        assert (await one.ask("OPTIONS")).status == 200
    await until(lambda: stage.door.server.connections == 0, what="the ends")


async def test_a_camera_that_is_not_live_is_said_so(stage: Stage) -> None:
    """503 with a time to ask again: the credential is right, the picture is not there."""
    await stage.clock.turn(6)
    async with stage.door.client() as client:
        told = await client.ask("DESCRIBE")
        assert (told.status, told.header("retry-after")) == (503, "2")


async def test_who_decides_on_nothing_is_closed(stage: Stage) -> None:
    """A connection on which nothing plays is closed in time, one that talks on for ever too."""
    async with stage.door.client() as client:
        assert (await client.ask("OPTIONS")).status == 200
        await stage.clock.turn(14)
        assert (await client.ask("OPTIONS")).status == 200
        await stage.clock.turn(2.1)
        await client.ended()


async def test_a_silent_viewer_is_let_go_and_a_lively_one_is_not(stage: Stage) -> None:
    """Requests and RTCP keep a session alive; without either it ends after its time-out and a quarter."""
    async with stage.door.client() as client:
        await client.play()
        for _ in range(2):
            await stage.clock.turn(60)
            assert (await client.ask("GET_PARAMETER", basic=None)).status == 200
        await stage.clock.turn(60)
        client.writer.write(b"$\x01\x00\x08" + bytes(8))
        assert (await client.ask("SET_PARAMETER", basic=None)).status == 200
        await stage.clock.turn(77)
        assert stage.door.hub.viewers() == []
        await client.ended()


async def test_another_connections_session_is_nobodys(stage: Stage) -> None:
    """Who learns a session's identifier can do nothing with it from elsewhere."""
    async with stage.door.client() as client, stage.door.client() as thief:
        await client.play()
        thief.session = client.session
        for method in ("PLAY", "TEARDOWN", "GET_PARAMETER"):
            assert (await thief.ask(method)).status == 454
        assert len(stage.door.hub.viewers()) == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\xff" * 100,
        b"DESCRIBE " + b"a" * 20_000,
        b"OPTIONS * RTSP/1.0\r\nContent-Length: 99999999\r\n\r\n",
    ],
    ids=["http", "noise", "endless", "huge body"],
)
async def test_garbage_costs_nobody_else_anything(stage: Stage, sent: bytes) -> None:
    """Who sends something else is told 400 and closed; who watches watches on."""
    async with stage.door.client() as watcher, stage.door.client() as other:
        await watcher.play()
        other.writer.write(sent)
        assert (await other.answer()).status == 400
        await other.ended()
        stage.play(2)
        assert (await watcher.ask("GET_PARAMETER")).status == 200
        assert len(stage.door.hub.viewers()) == 1


async def test_an_address_that_fails_too_often_is_not_spoken_to(stage: Stage) -> None:
    """After some failures its connections are closed unread for a minute; then it is spoken to again."""
    for _ in range(FAILURES_BURST // 3 + 1):
        async with stage.door.client() as client:
            for _ in range(3):
                assert (await client.ask("DESCRIBE", basic="met:wrong")).status == 401
            await client.ended()  # three wrong ones on a connection are enough
    await until(lambda: stage.door.server.connections == 0, what="the ends")
    with pytest.raises(OSError, match=r".*"):
        async with stage.door.client():
            pass
    await stage.clock.turn(61)
    async with stage.door.client() as client:
        assert (await client.ask("OPTIONS")).status == 200


async def test_a_client_that_asks_too_much_is_cut_off(stage: Stage) -> None:
    """A flood of requests ends its own connection."""
    async with stage.door.client() as client:
        client.writer.write(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 200)
        await client.ended()
    await until(lambda: stage.door.server.connections == 0, what="the end")


async def test_no_tls_is_no_connection(stage: Stage) -> None:
    """Plain RTSP is not answered, and is a failure of its address."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.door.server.port)
    writer.write(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    answer = await reader.read(1000)
    assert b"RTSP" not in answer
    writer.close()
    await until(lambda: stage.door.server.connections == 0, what="the end")


async def test_a_viewer_that_takes_nothing_in_is_skipped_then_let_go(tmp_path: Path) -> None:
    """Its pictures are dropped to the next keyframe, never queued without end; after a while it is let go."""
    clock = ManualClock()
    camera = PatternCamera(clock, width=640, height=360, gop_frames=5, bitrate_kbit=20_000)
    async with open_door(tmp_path, clock=clock, stall_timeout_s=20) as door:
        feed = door.feeds[StreamName.MAIN]
        feed.started(camera.description)
        feed.video(camera.unit())
        door.put()
        async with door.client() as client:
            await client.play()
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            for _ in range(4000):
                feed.video(camera.unit())
                await clock.turn(0.04)
                if door.hub.viewers()[0].frames_dropped:
                    break
            assert door.hub.viewers()[0].frames_dropped
            await clock.turn(25)
            assert door.hub.viewers() == []
            went = door.told[-1]
            assert isinstance(went, rpc.ViewerWent)
            assert went.reason == "takes nothing in"


async def test_an_outlet_is_checked_before_it_is_believed() -> None:
    """A network that is none is refused where the outlet is made."""
    with pytest.raises(ValueError, match="network"):
        outlet(SystemClock(), networks=("nowhere",))
