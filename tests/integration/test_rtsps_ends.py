"""Shared views over RTSPS: what is thrown away with their end, places taken elsewhere, and sound for players."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import uvloop

from gateway.live import LiveFeed
from gateway.live.rtsp.connection import UNSENT_BYTES
from kernel.clock import SystemClock
from kernel.ids import StreamName
from kernel.media import AudioCodec, AudioFrame, AudioParameters, StreamDescription, VideoCodec
from tests.fakes.clock import ManualClock
from tests.fakes.pattern import PatternCamera
from tests.fakes.rtsps import open_door, run
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(90)
CLOCK = SystemClock()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_what_waits_for_a_viewer_is_thrown_away_with_the_outlet(
    tmp_path: Path, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """One who takes nothing in is sent none of it after the end: a reset, on the loop that the processes have too."""

    async def ends() -> None:
        clock = ManualClock()
        camera = PatternCamera(clock, width=640, height=360, gop_frames=5, bitrate_kbit=20_000)
        async with open_door(tmp_path, clock=clock) as door:
            feed = door.feeds[StreamName.MAIN]
            feed.started(camera.description)
            feed.video(camera.unit())
            door.put()
            async with door.client(receive_bytes=8192) as client:
                await client.play()
                client.writer.transport.pause_reading()  # type: ignore[attr-defined]
                while not door.hub.viewers()[0].frames_dropped:
                    feed.video(camera.unit())
                    await clock.turn(0.04)
                (before,) = door.hub.viewers()
                assert door.server.outlets.remove("share-41") == 1
                assert door.hub.viewers() == []
                client.writer.transport.resume_reading()  # type: ignore[attr-defined]
                assert await client.ended() < before.bytes_sent - UNSENT_BYTES

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(ends())


def test_strangers_cost_a_host_nothing_on_uvloop(tmp_path: Path) -> None:
    """No TLS, TLS that breaks off, garbage inside it: the door goes on, and lets the next one in."""

    async def strange() -> None:
        camera = PatternCamera(CLOCK, width=320, height=180)
        async with open_door(tmp_path) as door, camera.playing(door.feeds[StreamName.MAIN]):
            await until(lambda: door.feeds[StreamName.MAIN].live, what="pictures")
            door.put()
            for said in (b"OPTIONS * RTSP/1.0\r\n\r\n", b"\x16\x03\x01"):
                _, writer = await asyncio.open_connection("127.0.0.1", door.server.port)
                writer.write(said)
                writer.close()
                await writer.wait_closed()
            async with door.client() as garbled:
                garbled.writer.write(b"\x00\xff" * 100)
                assert (await garbled.answer()).status == 400
                await garbled.ended()
            await until(lambda: not door.server.connections, what="the ends")
            async with door.client() as client:
                assert (await client.play()).status == 200

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(strange())


async def test_a_full_share_lets_nobody_else_in(tmp_path: Path) -> None:
    """With its places taken by other ways SETUP is refused; who watches goes on, and once there is one it is had."""
    clock = ManualClock()
    camera = PatternCamera(clock, width=320, height=180)
    async with open_door(tmp_path, clock=clock) as door:
        feed = door.feeds[StreamName.MAIN]
        feed.started(camera.description)
        feed.video(camera.unit(keyframe=True))
        door.put()
        setup = {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"}
        async with door.client() as watching, door.client() as other:
            await watching.play()
            assert door.put(full=True) == 0
            assert len(door.hub.viewers()) == 1
            address = door.url("met-41/7/main/track=video", user="")
            assert (await other.ask("SETUP", address, **setup)).status == 453
            door.put()
            assert (await other.ask("SETUP", address, **setup)).status == 200


async def test_ffmpeg_decodes_aac(tmp_path: Path) -> None:
    """Sound that no browser plays as it is goes to a partner's player, which decodes it without a complaint."""
    camera = PatternCamera(CLOCK, width=320, height=180, frame_rate=25)
    sound, frames = await asyncio.to_thread(_hum, 200)
    described = StreamDescription(video=VideoCodec.H264, audio=sound, metadata=False, transport="tcp")

    async def play(feed: LiveFeed) -> None:
        for index, data in enumerate(frames):
            feed.audio(AudioFrame(data, index * 1024, CLOCK.wall_ns(), sound))
            await CLOCK.sleep(1024 / sound.clock_hz)

    async with open_door(tmp_path) as door:
        feed = door.feeds[StreamName.MAIN]
        async with camera.playing(feed):
            await until(lambda: feed.live, what="pictures")
            feed.started(described)
            await until(lambda: feed.live, what="pictures again")
            door.put()
            playing = asyncio.create_task(play(feed))
            status, out, err = await run(
                *("ffmpeg", "-v", "warning", "-xerror", "-rtsp_transport", "tcp", "-i", door.url(), "-map", "0:a"),
                *("-frames:a", "20", "-f", "framemd5", "-"),
            )
            playing.cancel()
            await asyncio.wait([playing])
    assert (status, err) == (0, "")
    assert len([line for line in out.splitlines() if not line.startswith("#")]) == 20


def _hum(count: int) -> tuple[AudioParameters, list[bytes]]:
    """Return ``count`` frames of AAC-LC and their coding."""
    coder = av.CodecContext.create("aac", "w")
    assert isinstance(coder, av.AudioCodecContext)
    coder.sample_rate, coder.layout, coder.format = 16_000, "mono", "fltp"
    coder.open()
    coded: list[bytes] = []
    at = 0
    while len(coded) < count:
        wave = np.sin(np.arange(at, at + 1024) * 0.2, dtype=np.float32)[None, :] * 0.2
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16_000, at
        at += 1024
        coded += [bytes(packet) for packet in coder.encode(frame)]
    return AudioParameters(AudioCodec.AAC, 16_000, 1, bytes(coder.extradata or b"")), coded
