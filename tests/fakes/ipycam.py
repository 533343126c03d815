"""ipycam, a camera that nobody here wrote, in a process of its own."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from drivers.model import CameraTarget, Credentials
from tests.fakes.ports import free_port


@dataclass(frozen=True, slots=True)
class OtherCamera:
    """Where it is."""

    http_port: int
    rtsp_port: int
    username: str
    password: str

    @property
    def target(self) -> CameraTarget:
        """Return what an operator would type."""
        credentials = Credentials(username=self.username, password=SecretStr(self.password))
        return CameraTarget(address=f"127.0.0.1:{self.http_port}", credentials=credentials)


async def _film(path: Path) -> None:
    """Make five seconds of a test picture."""
    film = await asyncio.create_subprocess_exec(
        *("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=10:duration=5"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", str(path)),
    )
    assert await film.wait() == 0, "ffmpeg could not make the film: apt-get install ffmpeg"


async def _listening(port: int, process: asyncio.subprocess.Process, log: Path) -> None:
    for _ in range(600):
        if process.returncode is not None:
            break
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        await writer.wait_closed()
        return
    said = await asyncio.to_thread(log.read_text)
    raise AssertionError(f"ipycam does not listen at {port}: {said[-2000:]}")


@asynccontextmanager
async def ipycam(folder: Path, *, username: str = "", password: str = "") -> AsyncIterator[OtherCamera]:
    """Run ``python -m ipycam`` in ``folder`` on ports of its own; empty credentials leave it open."""
    camera = OtherCamera(free_port(), free_port(), username, password)
    film = folder / "film.mp4"
    await _film(film)
    settings = {
        "local_ip": "127.0.0.1",
        "onvif_port": camera.http_port,
        "rtsp_port": camera.rtsp_port,
        "go2rtc_api_port": free_port(),
        "username": username,
        "password": password,
        "main_width": 640,
        "main_height": 360,
        "main_fps": 10,
        "main_bitrate": "1M",
        "sub_width": 320,
        "sub_height": 180,
        "sub_bitrate": "256K",
    }
    config = folder / "camera_config.json"
    await asyncio.to_thread(config.write_text, json.dumps(settings))
    log = folder / "ipycam.log"
    with log.open("wb") as written:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ipycam", "--config", str(config), "--source", str(film), "--hw", "cpu"),
            cwd=folder,
            stdout=written,
            stderr=asyncio.subprocess.STDOUT,
            stdin=asyncio.subprocess.DEVNULL,
        )
        try:
            await _listening(camera.http_port, process, log)
            await _listening(camera.rtsp_port, process, log)
            yield camera
        finally:
            if process.returncode is None:
                process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), 5.0)
                except TimeoutError:
                    process.kill()
                    await process.wait()
