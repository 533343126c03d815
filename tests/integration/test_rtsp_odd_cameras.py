"""The RTSP client against cameras that answer oddly, slowly, endlessly or with malice."""

import asyncio
import itertools
import socket
from typing import Any

import pytest

from drivers.addresses import AddressPolicy
from drivers.errors import (
    CameraAnswerError,
    CameraAuthenticationError,
    CameraBusyError,
    CameraError,
    CameraFaultError,
    CameraNoMediaError,
    CameraRefusedAddressError,
    CameraUnreachableError,
    StreamError,
)
from drivers.rtsp import RtspStream, StreamState
from drivers.rtsp.connection import Connection
from drivers.rtsp.messages import Message
from kernel.clock import SystemClock
from kernel.media import GapCause, VideoCodec
from tests.fakes.clock import ManualClock, settle
from tests.fakes.media_sink import KeepingSink
from tests.fakes.odd_camera import OddCamera, Reply, answer, odd_camera
from tests.fakes.rtp import Bench
from tests.fakes.rtsp import pulling, reel_camera, source
from tests.fakes.waiting import until

H264 = VideoCodec.H264


async def failure(camera: OddCamera, **settings: object) -> CameraError:
    """Return what a session with this camera fails with."""
    with pytest.raises(CameraError) as caught:
        await RtspStream(source(camera.url(), **settings), KeepingSink(), clock=SystemClock()).run_once()
    return caught.value


@pytest.mark.parametrize(
    ("method", "status", "kind"),
    [
        ("DESCRIBE", "404 Not Found", CameraFaultError),
        ("DESCRIBE", "403 Forbidden", CameraAuthenticationError),
        ("DESCRIBE", "500 Internal Server Error", CameraFaultError),
        ("DESCRIBE", "299 Odd", CameraAnswerError),
        ("SETUP", "453 Not Enough Bandwidth", CameraBusyError),
        ("SETUP", "503 Service Unavailable", CameraBusyError),
        ("PLAY", "454 Session Not Found", StreamError),
    ],
)
async def test_each_status_is_its_own_error(method: str, status: str, kind: type[CameraError]) -> None:
    """What the camera refuses is told by kind, with the status and the action as facts."""
    async with odd_camera(**{method: answer(status)}) as camera:
        error = await failure(camera)
    assert isinstance(error, kind)
    assert error.facts["fault"] == int(status[:3])
    assert error.facts["action"] == method


@pytest.mark.parametrize(
    ("replies", "kind", "says"),
    [
        ({"DESCRIBE": answer(body=b"m=video 0 RTP/AVP 26\r\n")}, CameraNoMediaError, "no H.264 or H.265"),
        ({"DESCRIBE": answer(body=b"nothing")}, CameraAnswerError, "names no media"),
        ({"DESCRIBE": answer("200 OK", "Content-Length: 900000000")}, CameraAnswerError, "body of 900000000"),
        ({"OPTIONS": b"RTSP/1.0 200 OK\r\nX: " + b"y" * 40_000}, CameraAnswerError, "headers of more than"),
        ({"OPTIONS": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, CameraAnswerError, "not RTSP"),
        ({"OPTIONS": b""}, CameraUnreachableError, "closed the connection at OPTIONS"),
        ({"PLAY": b""}, StreamError, "closed the connection"),
        ({"DESCRIBE": answer("401 Unauthorized")}, CameraAuthenticationError, "not known"),
        ({"DESCRIBE": answer("302 Found")}, CameraAnswerError, "no stream"),
    ],
)
async def test_useless_answers_are_named(replies: dict[str, Reply], kind: type[CameraError], says: str) -> None:
    """No usable video, bombs, other protocols and hang-ups each have their sentence."""
    async with odd_camera(**replies) as camera:
        error = await failure(camera)
    assert isinstance(error, kind)
    assert says in str(error)


def impatient_from(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Have answers to ``method`` waited for for a tenth of a second: for all others as long as a slow machine takes."""
    request = Connection.request

    async def asked(self: Connection, asked: str, *arguments: Any, timeout_s: float) -> Message:
        return await request(self, asked, *arguments, timeout_s=0.1 if asked == method else timeout_s)

    monkeypatch.setattr(Connection, "request", asked)


async def test_silence_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera that takes the connection and says nothing fails within the answer timeout."""
    impatient_from(monkeypatch, "DESCRIBE")
    async with odd_camera(DESCRIBE=None) as camera:
        error = await failure(camera)
    assert "does not answer DESCRIBE" in str(error)


async def test_nobody_there_is_unreachable() -> None:
    """A closed port is said to be one, with the address and no password."""
    with socket.socket() as nobodys:
        nobodys.bind(("127.0.0.1", 0))  # and not listened on: nobody else can be there in the meantime
        camera = OddCamera(port=nobodys.getsockname()[1])
        error = await failure(camera)
    assert isinstance(error, CameraUnreachableError)
    assert f"127.0.0.1:{camera.port}" in str(error)


async def test_a_loopback_camera_is_refused_unless_allowed() -> None:
    """The address policy stands before the connection, and parks the stream."""
    async with odd_camera() as camera:
        stream = RtspStream(source(camera.url(), allow=AddressPolicy()), KeepingSink(), clock=SystemClock())
        await stream.run()
    assert stream.state is StreamState.PARKED
    assert isinstance(stream.last_error, CameraRefusedAddressError)
    assert camera.requests == []


async def test_a_redirect_is_followed_at_the_same_host_only() -> None:
    """The port and path of the Location count; the host it names is never spoken to."""
    async with reel_camera() as there:
        location = f"Location: rtsp://192.0.2.1:{there.device.rtsp_port}/main"
        async with (
            odd_camera(DESCRIBE=answer("302 Found", location)) as camera,
            pulling(source(camera.url())) as (_, sink),
        ):
            await until(lambda: sink.units, what="pictures from where the redirect leads")


async def test_redirects_in_a_circle_end() -> None:
    """A camera that redirects to itself is given up."""
    async with odd_camera() as camera:
        camera.replies["DESCRIBE"] = answer("302 Found", f"Location: {camera.url()}")
        error = await failure(camera)
    assert "redirects for ever" in str(error)
    assert camera.methods().count("DESCRIBE") == 4


async def test_the_session_is_torn_down_whatever_happens() -> None:
    """TEARDOWN with the session's name follows a refused PLAY, and a cancelled stream."""
    async with odd_camera(PLAY=answer("500 Internal Server Error")) as camera:
        await failure(camera)
        assert camera.methods()[-1] == "TEARDOWN"
        assert "Session: 12345678" in camera.texts[-1]
    async with odd_camera() as camera, pulling(source(camera.url())):
        await until(lambda: "PLAY" in camera.methods(), what="PLAY")
    assert camera.methods()[-1] == "TEARDOWN"


async def test_a_camera_that_never_thanks_for_teardown_is_left() -> None:
    """Silence after TEARDOWN holds nobody up for long."""
    async with odd_camera(TEARDOWN=None) as camera, pulling(source(camera.url())):
        await until(lambda: "PLAY" in camera.methods(), what="PLAY")
    assert camera.methods()[-1] == "TEARDOWN"


async def test_sound_that_cannot_be_set_up_is_done_without() -> None:
    """A refused audio track leaves the pictures, and the description says so."""
    answers = itertools.chain(
        [answer("200 OK", "Session: 1", "Transport: RTP/AVP/TCP;interleaved=0-1")],
        itertools.repeat(answer("459 Aggregate Operation Not Allowed")),
    )
    async with odd_camera(SETUP=lambda _: next(answers)) as camera, pulling(source(camera.url())) as (_, sink):
        await until(lambda: sink.descriptions, what="the start")
    assert sink.descriptions[0].audio is None


async def test_channels_are_those_the_camera_chose() -> None:
    """A camera that answers with other channels than asked is received on them."""
    reply = answer("200 OK", "Session: 1", "Transport: RTP/AVP/TCP;unicast;interleaved=10-11")
    async with odd_camera(SETUP=reply) as camera, pulling(source(camera.url(), audio=False)) as (_, sink):
        await until(lambda: "PLAY" in camera.methods(), what="PLAY")
        for packet in Bench().picture(H264, 0, keyframe=True):
            camera.send(b"$\x0a" + len(packet).to_bytes(2, "big") + packet)
        await until(lambda: sink.units, what="the picture")


async def test_a_camera_that_refuses_tcp_is_received_over_udp() -> None:
    """461 in ``auto`` falls back to libav; with ``tcp`` it is an error."""
    async with odd_camera(SETUP=answer("461 Unsupported Transport")) as camera:
        error = await failure(camera, transport="tcp")
        assert "will not send over the RTSP connection" in str(error)
        udp = answer("200 OK", "Session: 1", "Transport: RTP/AVP;unicast;client_port=5000-5001")
        camera.replies["SETUP"] = udp
        assert "will not send" in str(await failure(camera, transport="tcp"))
        camera.replies["SETUP"] = answer("461 Unsupported Transport")
        before = len(camera.requests)
        error = await failure(camera, transport="auto")
    assert "over UDP ended" in str(error)
    assert any("libav" not in text and "RTP/AVP/UDP" in text for text in camera.texts[before:])


@pytest.mark.parametrize(
    ("public", "parameter", "wanted"),
    [
        ("OPTIONS, DESCRIBE, GET_PARAMETER", answer(), ["GET_PARAMETER", "GET_PARAMETER"]),
        ("OPTIONS, DESCRIBE", answer(), ["OPTIONS", "OPTIONS"]),
        ("", answer(), ["GET_PARAMETER", "GET_PARAMETER"]),
        ("GET_PARAMETER", answer("501 Not Implemented"), ["GET_PARAMETER", "OPTIONS", "OPTIONS"]),
    ],
)
async def test_the_session_is_kept_alive_as_the_camera_allows(
    clock: ManualClock, public: str, parameter: bytes, wanted: list[str]
) -> None:
    """At half of the timeout, by GET_PARAMETER or OPTIONS; and receiver reports go out."""
    async with odd_camera(
        OPTIONS=answer("200 OK", f"Public: {public}"),
        GET_PARAMETER=parameter,
        SETUP=answer("200 OK", "Session: 12;timeout=20", "Transport: RTP/AVP/TCP;interleaved=0-1"),
    ) as camera:
        wanted_source = source(camera.url(), audio=False, frame_timeout_s=1000.0, keyframe_timeout_s=1000.0)
        async with pulling(wanted_source, clock=clock) as (_, sink):
            await until(lambda: sink.descriptions, what="the start")
            began = len(camera.requests)
            await settle()
            for count in (1, len(wanted)):
                await clock.turn(10.0)
                await until(lambda count=count: len(camera.requests) - began >= count, what="the keepalive")  # type: ignore[misc]
            await until(lambda: [channel for channel, _ in camera.frames] == [1] * 4, what="receiver reports")
            assert camera.methods()[began:] == wanted
            assert "Session: 12\r\n" in camera.texts[-1]


@pytest.mark.parametrize("reply", [None, answer("401 Unauthorized", 'WWW-Authenticate: Digest realm="r", nonce="n"')])
async def test_a_camera_that_takes_no_keepalive_is_not_left_for_it(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    """Silence, or a challenge without end, makes the next keepalive OPTIONS; the session goes on."""
    impatient_from(monkeypatch, "GET_PARAMETER")
    async with odd_camera(GET_PARAMETER=reply) as camera:
        wanted = source(camera.url(), frame_timeout_s=1000.0, keyframe_timeout_s=1000.0)
        async with pulling(wanted, clock=clock) as (stream, sink):
            await until(lambda: sink.descriptions, what="the start")
            for count in (2, 3):
                await settle()
                await clock.turn(30.0)
                await until(lambda count=count: camera.methods().count("OPTIONS") == count, what="OPTIONS")  # type: ignore[misc]
            assert stream.stats.sessions == 1
            assert sink.breaks == []


async def test_a_forgotten_session_is_begun_anew(clock: ManualClock) -> None:
    """454 to a keepalive ends the session with the camera as the cause."""
    async with odd_camera(GET_PARAMETER=answer("454 Session Not Found")) as camera:
        wanted = source(camera.url(), frame_timeout_s=1000.0, keyframe_timeout_s=1000.0)
        async with pulling(wanted, clock=clock) as (_, sink):
            await until(lambda: sink.descriptions, what="the start")
            await settle()
            await clock.turn(31.0)
            await until(lambda: sink.breaks, what="the break")
    assert sink.breaks[0] == (GapCause.CAMERA, "The camera has forgotten the session.")


async def test_a_camera_that_vanishes_is_a_network_gap_at_once() -> None:
    """A closed connection is noticed without waiting for a timeout."""
    async with odd_camera() as camera, pulling(source(camera.url())) as (stream, sink):
        await until(lambda: sink.descriptions, what="the start")
        camera.writers[-1].transport.abort()
        await until(lambda: sink.breaks, what="the break")
        await until(lambda: len(sink.descriptions) > 1, what="the next session")
    assert sink.breaks[0][0] is GapCause.NETWORK
    assert stream.stats.sessions >= 2


async def test_packets_that_come_before_the_answer_to_play_are_kept() -> None:
    """A keyframe that overtakes the answer to PLAY is delivered, after the start."""
    frames = b"".join(b"$\x00" + len(p).to_bytes(2, "big") + p for p in Bench().picture(H264, 0, keyframe=True))
    async with odd_camera(PLAY=frames + answer()) as camera, pulling(source(camera.url())) as (_, sink):
        await until(lambda: sink.units, what="the picture")
    assert sink.story[:2] == ["started", "keyframe"]


async def test_a_bug_in_a_sink_escapes() -> None:
    """A sink that raises ends the stream with its own error, unretried; the session is still torn down."""

    class Broken(KeepingSink):
        def video(self, unit: object) -> None:
            raise ZeroDivisionError

    async with reel_camera() as camera:
        stream = RtspStream(source(camera.url()), Broken(), clock=SystemClock())
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(stream.run(), 40)
        await until(lambda: camera.main.listeners == 0, what="the teardown")
