"""The simulator's RTSP server, judged by clients that nobody here wrote."""

import asyncio
import itertools
import json
from typing import Any

import av
import pytest

from kernel.media import AudioCodec, VideoCodec
from tests.fakes.rtsp import reel_camera
from tests.fakes.waiting import until

NAMES = {VideoCodec.H264: "h264", VideoCodec.H265: "hevc"}
every_way = pytest.mark.parametrize(
    ("codec", "transport"), [(codec, transport) for codec in VideoCodec for transport in ("tcp", "udp")]
)


async def ffprobe(url: str, transport: str) -> tuple[dict[str, Any], str]:
    """Return what ffprobe says of a stream of a second, and what it complains of."""
    process = await asyncio.create_subprocess_exec(
        *("ffprobe", "-v", "error", "-rtsp_transport", transport, "-read_intervals", "%+#90"),
        *("-show_streams", "-show_packets", "-of", "json", url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err
    found: dict[str, Any] = json.loads(out)
    return found, err.decode()


@every_way
async def test_ffprobe_accepts_every_track(codec: VideoCodec, transport: str) -> None:
    """Ffprobe names the codings, the size, the sound and the metadata, and complains of nothing."""
    async with reel_camera(codec=codec) as camera:
        found, complaints = await ffprobe(camera.url_with_password(), transport)
    video, audio, data = found["streams"]
    assert (video["codec_name"], video["width"], video["height"]) == (NAMES[codec], 320, 240)
    assert (audio["codec_name"], audio["sample_rate"], audio["channels"]) == ("pcm_mulaw", "8000", 1)
    assert data["codec_type"] == "data"
    pictures = [packet for packet in found["packets"] if packet["codec_type"] == "video"]
    times = [int(packet["pts"]) for packet in pictures if "pts" in packet]
    assert len(pictures) > 20
    assert times == sorted(set(times))
    assert complaints == ""


@every_way
async def test_libav_decodes_the_pictures(codec: VideoCodec, transport: str) -> None:
    """Libav decodes whole pictures of the right size over either transport, sub stream included."""

    def decode(url: str) -> list[tuple[int, int, bool]]:
        options = {"rtsp_transport": transport, "timeout": "5000000", "analyzeduration": "0"}
        with av.open(url, options=options) as container:
            seen = []
            for frame in container.decode(video=0):
                seen.append((frame.width, frame.height, frame.is_corrupt))
                if len(seen) == 15:
                    break
            return seen

    async with reel_camera(codec=codec) as camera:
        assert await asyncio.to_thread(decode, camera.url_with_password()) == [(320, 240, False)] * 15
        assert await asyncio.to_thread(decode, camera.url_with_password("sub")) == [(160, 120, False)] * 15


async def test_ffprobe_hears_the_other_law() -> None:
    """A camera set to A-law says so."""
    async with reel_camera(audio=AudioCodec.PCMA) as camera:
        found, _ = await ffprobe(camera.url_with_password(), "tcp")
    assert found["streams"][1]["codec_name"] == "pcm_alaw"


async def test_the_tone_is_a_tone() -> None:
    """Decoded by libav, the sound is 440 Hz: some 880 zero crossings a second."""

    def crossings(url: str) -> float:
        with av.open(url, options={"rtsp_transport": "tcp", "timeout": "5000000"}) as container:
            samples: list[float] = []
            for frame in container.decode(audio=0):
                samples += frame.to_ndarray().ravel().tolist()
                if len(samples) >= 4000:
                    break
        loud = [sample for sample in samples if abs(sample) > 1500]
        return sum((a < 0) != (b < 0) for a, b in itertools.pairwise(loud)) * 8000 / len(samples)

    async with reel_camera() as camera:
        assert await asyncio.to_thread(crossings, camera.url_with_password()) == pytest.approx(880, rel=0.03)


async def test_a_wrong_password_is_refused_to_others_too() -> None:
    """Libav is turned away without the password."""

    def attempt(url: str) -> None:
        av.open(url, options={"rtsp_transport": "tcp", "timeout": "5000000"}).close()

    async with reel_camera() as camera:
        for url in (camera.url(), camera.url().replace("://", "://sightline:wrong@")):
            with pytest.raises(av.HTTPUnauthorizedError):
                await asyncio.to_thread(attempt, url)


async def test_a_feed_is_attached_once_for_many_clients_and_rests_without_any() -> None:
    """Three clients of a stream are one listener of its feed; when they leave there is none."""
    async with reel_camera() as camera:
        probes = [asyncio.create_task(ffprobe(camera.url_with_password(), "tcp")) for _ in range(3)]
        await until(lambda: camera.main.listeners == 1, what="a listener")
        counts: set[int] = set()
        while not all(probe.done() for probe in probes):
            counts.add(camera.main.listeners)
            await asyncio.wait(probes, timeout=0.05, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*probes)
        await until(lambda: camera.main.listeners == 0, what="the feed to rest")
    assert max(counts) == 1
