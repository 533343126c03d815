"""What it is compared with: one ffmpeg process for each stream, copying into fragmented MP4 on the same disk."""

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, Process
from contextlib import AsyncExitStack
from pathlib import Path

from cheap_cameras.process import CheapCameras

from recorders.hosts import end
from recorders.processes import cpu_s

SETTLE_S = 4.0
STARTED_BYTES = 200_000


async def ffmpeg_cpu_percent(source: CheapCameras, home: Path, *, streams: int, seconds: float, first: int) -> float:
    """Return per cent of a core for each stream.

    Raises:
        RuntimeError: ffmpeg is not here, or a process ended early or wrote nothing.
    """
    if shutil.which("ffmpeg") is None:
        raise RuntimeError("ffmpeg is not here. Install it: apt-get install ffmpeg (or: make test-parts)")
    await asyncio.to_thread(home.mkdir)
    files = [home / f"{number}.mp4" for number in range(streams)]
    async with AsyncExitStack() as stack:
        processes: list[Process] = []
        for number, file in enumerate(files):
            process = await asyncio.create_subprocess_exec(
                *("ffmpeg", "-hide_banner", "-loglevel", "error", "-rtsp_transport", "tcp"),
                *("-i", source.url(first + number), "-c", "copy", "-f", "mp4"),
                *("-movflags", "frag_keyframe+empty_moov+default_base_moof", str(file)),
                stdin=DEVNULL,
            )
            stack.push_async_callback(end, process)
            processes.append(process)
        async with asyncio.timeout(30):
            while any(size < STARTED_BYTES for size in await asyncio.to_thread(_sizes, files)):  # noqa: ASYNC110 - files
                await asyncio.sleep(0.1)
        await asyncio.sleep(SETTLE_S)
        before, sizes = [cpu_s(process.pid) for process in processes], _sizes(files)
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(seconds)
        lasted = asyncio.get_running_loop().time() - began
        if any(process.returncode is not None for process in processes):
            raise RuntimeError("an ffmpeg process ended early; its message stands above")
        used = sum(cpu_s(process.pid) - at for process, at in zip(processes, before, strict=True))
        if any(now <= then for now, then in zip(_sizes(files), sizes, strict=True)):
            raise RuntimeError("an ffmpeg process wrote nothing while it was measured")
    return 100 * used / lasted / streams


def _sizes(files: list[Path]) -> list[int]:
    return [file.stat().st_size if file.exists() else 0 for file in files]
