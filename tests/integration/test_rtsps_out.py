"""Pictures to partners' own systems over RTSPS, judged by clients that nobody here wrote."""

import asyncio
import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from kernel.media import VideoCodec
from tests.fakes.rtsps import outlet, playing_door, run
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(90)
NAMES = {VideoCodec.H264: "h264", VideoCodec.H265: "hevc"}
DECODERS = {VideoCodec.H264: "openh264dec", VideoCodec.H265: "libde265dec"}
every_coding = pytest.mark.parametrize("codec", list(VideoCodec))


@every_coding
async def test_ffprobe_names_what_it_is_shown(tmp_path: Path, codec: VideoCodec) -> None:
    """Ffprobe, by Digest, names the coding and size from the description and the pictures, and complains of nothing."""
    async with playing_door(tmp_path, codec=codec) as door:
        status, out, err = await run(
            *("ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-read_intervals", "%+#60"),
            *("-show_streams", "-show_packets", "-of", "json", door.url()),
        )
    assert (status, err) == (0, "")
    found = json.loads(out)
    (video,) = found["streams"]
    assert (video["codec_name"], video["width"], video["height"]) == (NAMES[codec], 320, 180)
    times = [int(packet["pts"]) for packet in found["packets"] if "pts" in packet]
    assert len(times) > 20
    assert times == sorted(set(times))


@every_coding
async def test_ffmpeg_decodes_a_hundred_whole_pictures(tmp_path: Path, codec: VideoCodec) -> None:
    """Ffmpeg decodes a hundred pictures, and none of them is damaged."""
    async with playing_door(tmp_path, codec=codec) as door:
        status, out, err = await run(
            *("ffmpeg", "-v", "warning", "-xerror", "-err_detect", "explode", "-rtsp_transport", "tcp"),
            *("-i", door.url(), "-frames:v", "100", "-an", "-f", "framecrc", "-"),
        )
    assert (status, err) == (0, "")
    assert len([line for line in out.splitlines() if not line.startswith("#")]) == 100


@every_coding
async def test_gstreamer_decodes_it(tmp_path: Path, codec: VideoCodec) -> None:
    """GStreamer's rtspsrc takes the stream by Digest over TLS, and its decoder the pictures."""
    short = "264" if codec is VideoCodec.H264 else "265"
    async with playing_door(tmp_path, codec=codec) as door:
        status, out, err = await run(
            *("gst-launch-1.0", "-v", "rtspsrc", f"location={door.url()}", "protocols=tcp", "tls-validation-flags=0"),
            *(
                "!",
                f"rtph{short}depay",
                "!",
                f"h{short}parse",
                "!",
                DECODERS[codec],
                "!",
                "video/x-raw,width=320,height=180",
            ),
            *("!", "identity", "eos-after=60", "!", "fakesink", "silent=false"),
        )
    assert status == 0, err + out
    assert "width=(int)320" in out, err + out


async def test_the_end_of_the_outlet_stops_ffmpegs_picture(tmp_path: Path) -> None:
    """Taking the outlet away ends ffmpeg at once, and the same address and credential are refused from then on."""
    async with playing_door(tmp_path) as door:
        process = await asyncio.create_subprocess_exec(
            *("ffmpeg", "-v", "error", "-rtsp_transport", "tcp", "-i", door.url(), "-f", "null", "-"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        await until(lambda: any(one.frames_sent > 30 for one in door.hub.viewers()), what="pictures at ffmpeg")
        assert door.server.outlets.remove("share-41") == 1
        assert door.hub.viewers() == []
        await asyncio.wait_for(process.communicate(), 20)
        status, _, err = await run("ffprobe", "-v", "error", "-rtsp_transport", "tcp", door.url())
        assert status != 0
        assert "401" in err


@pytest.mark.parametrize("program", ["ffprobe", "gst-launch-1.0"])
async def test_clients_prove_themselves_by_digest_md5(tmp_path: Path, program: str) -> None:
    """Offered Basic, SHA-256 and MD5, today's clients choose MD5: a credential that only it opens is enough."""
    async with playing_door(tmp_path) as door:
        good = outlet().credential
        door.put(credential=good.model_copy(update={"sha256": SecretStr("0" * 64)}))
        options = {
            "ffprobe": ("-v", "error", "-rtsp_transport", "tcp", door.url()),
            "gst-launch-1.0": (
                *("rtspsrc", f"location={door.url()}", "protocols=tcp", "tls-validation-flags=0"),
                *("!", "identity", "eos-after=20", "!", "fakesink"),
            ),
        }
        status, out, err = await run(program, *options[program])
    assert status == 0, err + out
