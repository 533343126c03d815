"""One camera, many viewers: what each packet and each viewer costs the server, and whether every picture arrives whole.

    python benchmarks/fanout.py [--viewers 16] [--versus aiortc] [--versus janus] [--seconds 10] [--mbit 4]

*Ours* is a camera host in a process of its own (``sightline host``) that takes one cheap camera in over RTSP
(``cheap_cameras``: real 1080p25 H.264, a keyframe every 2 s), records it, and sends it to viewers in another process
(``audience``): real ICE, DTLS and SRTP; every packet is decrypted and put in order, every picture put together and
compared byte for byte with the film; at the end the camera falls silent, each viewer must have its very last
picture, and a decoder takes one viewer's newest pictures without an error.

CPU is that of the server's process with all its threads, user and system, from the kernel, over ``--seconds``. It
holds everything: taking the stream in, recording it, its state, feedback. ``ingest_percent`` was measured in the same
process before the first viewer came; it is told and not subtracted, except in ``sending_us_per_packet``: that can be
held against the other servers, which take no camera in and record nothing. A veth pair and the loopback interface both
run the receiving half of UDP in the sender's own system call: a part of the receivers' cost is each server's, alike.

``--versus aiortc``: its own sender in a process of its own (``contest.aiortc_server``), fed with the same pictures from
memory: no camera, no recording, which favours it. ``--versus janus``: Debian's Janus with its streaming plugin, the
same pictures as RTP datagrams; it records nothing either. Janus leaves the loopback interface out, so with it servers
and viewers, ours included, are put into two network namespaces joined by a veth pair (root is needed); without it all
run over loopback. Packets differ in size from server to server: ``cpu_percent_per_viewer`` is what can be compared, and
``cpu_percent_per_mbit_s`` is the same per Mbit/s of RTP; ``us_per_packet`` only among packets of the same size.
"""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from cheap_cameras.film import Shape, make_film
from cheap_cameras.stored import picture_sums, save
from contest.ground import LOOPBACK, Ground, cpu_s, namespaces, process
from contest.rivals import janus_folder, open_aiortc, open_janus
from contest.sightline import BENCHMARKS, open_sightline
from contest.words import Spoken
from report import report

logging.getLogger("httpx").setLevel(logging.WARNING)

INGEST_S = 4.0
SETTLE_S = 3.0
"""After everybody has joined: the first groups of pictures have been sent, and reports have come."""
DRAIN_S = 5.0


class Server(Protocol):
    """What is measured."""

    target: str

    @property
    def camera(self) -> str:
        """Return what viewers ask for."""
        ...

    @property
    def pid(self) -> int:
        """Return the process whose CPU counts."""
        ...

    async def count(self) -> dict[str, Any]:
        """Return what was shown and sent."""
        ...

    async def pause(self) -> dict[str, Any]:
        """Show nothing more; return the counts."""
        ...


@asynccontextmanager
async def audience(
    kind: str, server: Server, film: Path, ground: Ground, options: argparse.Namespace
) -> AsyncIterator[Spoken]:
    """Give viewers in a process of their own."""
    async with process(
        *(*ground.viewers, sys.executable, "-m", "audience", "--film", str(film), "--viewers", str(options.viewers)),
        *("--server", kind, "--target", server.target, "--camera", server.camera),
        *("--address", ground.viewers_address, "--srtp", options.srtp),
        cwd=BENCHMARKS,
    ) as started:
        yield Spoken(started, f"The viewers of {kind}")


async def watch(kind: str, server: Server, film: Path, ground: Ground, options: argparse.Namespace) -> dict[str, Any]:
    """Let everybody watch, and return the figures of one server.

    Raises:
        RuntimeError: they could not be taken.
    """
    async with audience(kind, server, film, ground, options) as viewers:
        joined = await viewers.ask("join")
        await asyncio.sleep(SETTLE_S)
        shown, got, used, began = await server.count(), await viewers.ask("count"), cpu_s(server.pid), time.monotonic()
        await asyncio.sleep(options.seconds)
        lasted, used_s = time.monotonic() - began, cpu_s(server.pid) - used
        got_then, shown_then = await viewers.ask("count"), await server.count()
        last = (await server.pause())["last"]
        ended = await drained(viewers, last)
    packets = got_then["packets"] - got["packets"]
    sent = shown_then.get("packets_sent", 0) - shown.get("packets_sent", 0)
    mbit_s = (got_then["octets"] - got["octets"]) * 8 / 1e6 / lasted
    if not packets:
        raise RuntimeError(f"The viewers of {kind} got no packet in {lasted:.0f} s.")
    without_last = sum(newest != last for newest in ended["newest"])
    return {
        "us_per_packet": 1e6 * used_s / (sent or packets),
        "cpu_percent_per_viewer": 100 * used_s / lasted / options.viewers,
        "cpu_percent_per_mbit_s": 100 * used_s / lasted / mbit_s,
        "cpu_percent": 100 * used_s / lasted,
        "incomplete_frames": ended["incomplete"] + without_last,
        "frames_shown": shown_then["frames"] - shown["frames"],
        "frames_per_viewer": (got_then["complete"] - got["complete"]) / options.viewers,
        "frames_decoded": ended["decoded"],
        "frames_given_to_decoder": ended["decode_given"],
        "viewers_without_last_frame": without_last,
        "broken_frames": ended["broken"],
        "wrong_frames": ended["wrong"],
        "skipped_frames": ended["skipped"],
        "packets_sent": sent or None,
        "packets_received": packets,
        "packets_lost": ended["lost"],
        "packets_repeated": ended["repeated"],
        "packets_late": ended["late"],
        "packet_bytes_mean": (got_then["octets"] - got["octets"]) / packets,
        "packet_bytes_mode": ended["sizes"][0][0],
        "mbit_s_per_viewer": mbit_s / options.viewers,
        "srtp": joined["srtp"],
    }


async def drained(viewers: Spoken, last: int | None) -> dict[str, Any]:
    """Wait until all viewers have the last picture, or no longer; return what they got in the end."""
    until = time.monotonic() + DRAIN_S
    while time.monotonic() < until:
        if all(newest == last for newest in (await viewers.ask("count"))["newest"]):
            break
        await asyncio.sleep(0.1)
    return await viewers.ask("finish")


def against(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Return one entry of ``versus``: their value per viewer, ours divided by it, and the same for packets."""
    keys = ("cpu_percent_per_mbit_s", "packet_bytes_mean", "incomplete_frames", "mbit_s_per_viewer", "srtp")
    return {
        "value": round(theirs["cpu_percent_per_viewer"], 3),
        "ratio": round(ours["cpu_percent_per_viewer"] / theirs["cpu_percent_per_viewer"], 3),
        "us_per_packet": {
            "value": round(theirs["us_per_packet"], 2),
            "ratio": round(ours["us_per_packet"] / theirs["us_per_packet"], 3),
            "ratio_sending": round(ours["sending_us_per_packet"] / theirs["us_per_packet"], 3),
        },
        **{key: round(theirs[key], 3) if isinstance(theirs[key], float) else theirs[key] for key in keys},
    }


async def measure(options: argparse.Namespace) -> None:
    """Measure ours, then the others, and report."""
    rivals = dict.fromkeys(options.versus)
    with contextlib.ExitStack() as stack:
        if "janus" in rivals:
            janus_folder()
        ground = stack.enter_context(namespaces()) if "janus" in rivals or options.namespaces else LOOPBACK
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sightline-fanout-")))
        film, reel = home / "film.json", await asyncio.to_thread(make_film, Shape(kbit_s=options.mbit * 1000))
        picture_sums(reel)
        save(reel, film)
        async with open_sightline(film, home, ground, ingest_s=INGEST_S, profile=options.profile) as server:
            ours = await watch("sightline", server, film, ground, options)
            ingest_percent = server.ingest_percent
        ours["sending_us_per_packet"] = ours["us_per_packet"] * max(0.0, 1 - ingest_percent / ours["cpu_percent"])
        theirs = {}
        for name in rivals:
            opened = open_janus(film, home, ground) if name == "janus" else open_aiortc(film, home, ground)
            async with opened as rival:
                theirs[name] = await watch(name, rival, film, ground, options)
    report(
        "fanout",
        ["aiortc", "aioice", "pylibsrtp", "uvloop", "av"],
        viewers=options.viewers,
        **{key: value for key, value in ours.items() if key in {"us_per_packet", "incomplete_frames"}},
        cpu_percent_per_viewer=round(ours["cpu_percent_per_viewer"], 3),
        cpu_percent_per_mbit_s=round(ours["cpu_percent_per_mbit_s"], 4),
        ingest_percent=ingest_percent,
        film_mbit_s=reel.kbit_s / 1000,
        seconds=options.seconds,
        ground=ground.name,
        **{key: value for key, value in ours.items() if key not in _FIRST},
        versus={name: against(ours, figures) for name, figures in theirs.items()},
    )
    if options.profile is None:
        refuse_losses("sightline", ours)


_FIRST = {"us_per_packet", "incomplete_frames", "cpu_percent_per_viewer", "cpu_percent_per_mbit_s"}


def refuse_losses(name: str, figures: dict[str, Any]) -> None:
    """Fail where pictures did not arrive as they were sent, or could not be decoded.

    Raises:
        RuntimeError: so it is.
    """
    if figures["incomplete_frames"] or figures["frames_decoded"] != figures["frames_given_to_decoder"]:
        raise RuntimeError(
            f"{name}: {figures['incomplete_frames']} pictures did not arrive as they were sent, and"
            f" {figures['frames_decoded']} of {figures['frames_given_to_decoder']} were decoded."
        )


async def run(options: argparse.Namespace) -> int:
    """Measure; what went wrong is a sentence, and SIGTERM ends everything in order as Ctrl-C does."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await measure(options)
    except (RuntimeError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", type=int, default=16)
    parser.add_argument("--versus", action="append", default=[], choices=("aiortc", "janus"))
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--mbit", type=float, default=4.0, help="rate of the H.264")
    parser.add_argument("--srtp", choices=("any", "gcm", "cm"), default="any", help="ciphers the viewers know")
    parser.add_argument("--namespaces", action="store_true", help="in network namespaces without Janus, too")
    parser.add_argument("--profile", type=Path, help="write cProfile's statistics of our host here; spoils the figures")
    sys.exit(asyncio.run(run(parser.parse_args())))
