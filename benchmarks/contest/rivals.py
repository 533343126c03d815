"""The others, opened like ours: aiortc's own sender, and Debian's Janus with its streaming plugin."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contest.ground import Ground, process
from contest.words import Spoken

BENCHMARKS = Path(__file__).resolve().parents[1]
MOUNTPOINT = 1
JANUS_HTTP, JANUS_RTP = 8088, 5004
_JANUS = Path("/usr/lib/x86_64-linux-gnu/janus")


@dataclass(slots=True, kw_only=True)
class Rival:
    """A running server. ``process`` is the one whose CPU counts; ``source`` knows what was shown."""

    process: asyncio.subprocess.Process
    source: Spoken
    target: str
    camera: str = str(MOUNTPOINT)

    @property
    def pid(self) -> int:
        """Return the process to watch."""
        return self.process.pid

    async def count(self) -> dict[str, Any]:
        """Return what was shown, and what was sent where the server tells that."""
        return await self.source.ask("count")

    async def pause(self) -> dict[str, Any]:
        """Show nothing more; return the counts."""
        return await self.source.ask("pause")


@asynccontextmanager
async def open_aiortc(film: Path, home: Path, ground: Ground) -> AsyncIterator[Rival]:
    """Start aiortc's sender in a process of its own (``contest.aiortc_server``)."""
    target = home / "aiortc.sock"
    command = (sys.executable, "-m", "contest.aiortc_server", "--film", str(film), "--socket", str(target))
    async with process(*ground.server, *command, "--address", ground.server_address, cwd=BENCHMARKS) as started:
        server = Spoken(started, "The aiortc server")
        await server.hear()
        yield Rival(process=started, source=server, target=str(target))


def janus_folder() -> Path:
    """Return where Debian puts Janus's parts.

    Raises:
        RuntimeError: it is not installed; says how to.
    """
    found = next((path for path in (_JANUS, *Path("/usr/lib").glob("*/janus")) if path.is_dir()), None)
    if shutil.which("janus") is None or found is None:
        raise RuntimeError("Janus is not here. Install it: apt-get install janus")
    return found


@asynccontextmanager
async def open_janus(film: Path, home: Path, ground: Ground) -> AsyncIterator[Rival]:
    """Start Janus with one RTP mountpoint, and its camera, which sends datagrams to it inside its own namespace."""
    parts, folder = janus_folder(), home / "janus"
    await asyncio.to_thread(_configure, folder, parts, ground)
    base = f"http://{ground.server_address}:{JANUS_HTTP}"
    async with AsyncExitStack() as stack:
        log = home / "janus.log"
        started = await stack.enter_async_context(
            process(
                *(*ground.server, "janus", "--disable-stdout", "--log-file", str(log)),
                *("--configs-folder", str(folder), "--interface", ground.server_address),
                cwd=home,
                quiet=True,
            )
        )
        await _up(started, ground, log)
        command = (sys.executable, "-m", "contest.datagrams", "--film", str(film), "--to", f"127.0.0.1:{JANUS_RTP}")
        camera = await stack.enter_async_context(process(*ground.server, *command, cwd=BENCHMARKS))
        source = Spoken(camera, "The camera of datagrams")
        await source.ask("count")
        yield Rival(process=started, source=source, target=base)


def _configure(folder: Path, parts: Path, ground: Ground) -> None:
    """Write Janus's settings: its defaults, but for where things are, and for parts that nobody here uses."""
    folder.mkdir()
    others = {path.name for path in (parts / "plugins").glob("*.so")} - {"libjanus_streaming.so"}
    ways = {path.name for path in (parts / "transports").glob("*.so")} - {"libjanus_http.so"}
    texts = {
        "janus.jcfg": f"""
general: {{
    plugins_folder = "{parts / "plugins"}"
    transports_folder = "{parts / "transports"}"
    events_folder = "{parts / "events"}"
    loggers_folder = "{parts / "loggers"}"
    debug_level = 3
    session_timeout = 0
}}
plugins: {{ disable = "{",".join(sorted(others))}" }}
transports: {{ disable = "{",".join(sorted(ways))}" }}
events: {{ broadcast = false }}
""",
        "janus.transport.http.jcfg": f"""
general: {{ json = "compact" base_path = "/janus" http = true port = {JANUS_HTTP} ip = "{ground.server_address}" }}
admin: {{ admin_http = false }}
""",
        "janus.plugin.streaming.jcfg": f"""
general: {{ events = false }}
camera: {{
    type = "rtp"
    id = {MOUNTPOINT}
    audio = false
    video = true
    videoiface = "127.0.0.1"
    videoport = {JANUS_RTP}
    videopt = 96
    videocodec = "h264"
    videofmtp = "profile-level-id=42e01f;packetization-mode=1"
}}
""",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="ascii")


async def _up(started: asyncio.subprocess.Process, ground: Ground, log: Path) -> None:
    """Wait until its HTTP API answers, asked from the viewers' side."""
    address = f"http://{ground.server_address}:{JANUS_HTTP}/janus/info"
    question = f"import urllib.request as asking; asking.urlopen('{address}', timeout=2)"
    for _ in range(60):
        if started.returncode is not None:
            break
        async with process(*ground.viewers, sys.executable, "-c", question, cwd=BENCHMARKS, quiet=True) as asking:
            if await asking.wait() == 0:
                return
        await asyncio.sleep(0.2)
    raise RuntimeError(f"Janus does not answer: {await asyncio.to_thread(_end_of, log)}")


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-600:] if log.exists() else "it wrote no log"
