"""A thousand viewers join one hub and leave it in every way there is; nothing of them stays."""

import asyncio
import gc
import itertools
import json
import resource
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from aioice.ice import Connection
from aiortc import RTCDtlsTransport, RTCIceTransport
from OpenSSL import SSL
from pylibsrtp import Session as SrtpSession

from config.live import LiveSettings
from gateway.live import LiveHub, open_live
from gateway.live.peer import Peer
from gateway.live.peer.srtp import Sealer
from gateway.live.seats import Seat
from gateway.live.session import Session
from gateway.live.track import Track
from kernel.clock import SystemClock
from kernel.ids import CameraId, StreamName
from tests.fakes.churning_viewers import WAYS
from tests.fakes.film_camera import FilmCamera, film
from tests.fakes.live_page import live_page
from tests.fakes.waiting import until

CAMERA = CameraId("0" * 32)
# Those who vanish and those who never come are let go a little sooner than by default; much sooner, and a machine that
# is so busy that the viewers' process waits for its turn would look like viewers who have stalled.
SETTINGS = LiveSettings(
    loopback=True, port=0, addresses=("127.0.0.1",), max_viewers=900, stall_timeout_s=15, connect_timeout_s=15
)
ROUNDS, VIEWS, AT_ONCE = 4, 250, 10
OURS = 6
"""Tasks of the hub, its port, the camera, the web server and the test."""
MOST_GROWTH_BYTES = 5 * 1024 * 1024 // 2
"""Half of what the sessions of one round would take at 20 kB each."""
KINDS = (
    Session, Track, Peer, Seat, Sealer, RTCDtlsTransport, RTCIceTransport, Connection, SSL.Connection, SSL.Context,
    SrtpSession, asyncio.Task,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds at one time."""

    tasks: int
    files: int
    objects: dict[str, int]
    seats: int
    addresses: int
    awaited: int
    memory_bytes: int


def _held(hub: LiveHub) -> Held:
    for _ in range(3):
        gc.collect()
    names = {kind: f"{kind.__module__}.{kind.__qualname__}" for kind in KINDS}
    found = Counter(names[type(one)] for one in gc.get_objects() if type(one) in names)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return Held(
        tasks=len(asyncio.all_tasks()),
        files=len(list(Path("/proc/self/fd").iterdir())),
        objects=dict(sorted(found.items())),
        seats=len(hub.port.seats.by_fragment),
        addresses=sum(len(path.known) for path in hub.port.paths.values()),
        awaited=len(hub.port.seats.expected),
        memory_bytes=pages * resource.getpagesize(),
    )


async def _churn(address: str, count: int, hub: LiveHub) -> dict[str, int]:
    command = ("-m", "tests.fakes.churning_viewers", address, str(count), str(AT_ONCE))
    crowd = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    told = asyncio.create_task(crowd.communicate())
    while not told.done():
        # Views are cycles of objects: what waits for a collector in no hurry is not what stays for ever.
        await asyncio.wait([told], timeout=1)
        gc.collect()
    output, errors = told.result()
    assert crowd.returncode == 0, errors.decode()
    await until(lambda: not hub.viewers(), timeout_s=60, what="the end of every view")
    left: dict[str, int] = json.loads(output)
    return left


@pytest.mark.timeout(480)
async def test_a_thousand_viewers_leave_nothing_behind() -> None:
    """Tasks, files, places at the port, objects and memory stay what they were after the first round."""
    clock = SystemClock()
    camera = FilmCamera(clock, film(width=160, height=90, gop_frames=25, grain=30))
    async with open_live(SETTINGS, clock=clock) as hub:
        with hub.feed(CAMERA, StreamName.MAIN, request_keyframe=camera.request_keyframe) as feed:
            async with live_page(hub, CAMERA) as address, camera.playing(feed):
                await until(lambda: len(feed.cached()) > 5, what="a cached GOP")
                held: list[Held] = []
                for _ in range(ROUNDS):
                    left = await _churn(address, VIEWS, hub)
                    assert left == dict.fromkeys(WAYS, VIEWS // len(WAYS))
                    # The web server has its own tasks for connections that have just been closed.
                    await until(lambda: len(asyncio.all_tasks()) <= OURS, what="the end of every task")
                    held.append(_held(hub))
    before, after = held[0], held[-1]
    assert (after.seats, after.addresses, after.awaited) == (0, 0, 0)
    assert (after.tasks, after.files) == (before.tasks, before.files)
    # The interpreter may keep the last one's frames for a while; a leak would be hundreds.
    grown = {kind: number - before.objects.get(kind, 0) for kind, number in after.objects.items()}
    assert max(grown.values(), default=0) <= AT_ONCE, grown
    # The allocator takes more in some rounds, as the worst moment decides; what leaks takes more in every one.
    growths = [later.memory_bytes - earlier.memory_bytes for earlier, later in itertools.pairwise(held)]
    assert min(growths) < MOST_GROWTH_BYTES, growths
