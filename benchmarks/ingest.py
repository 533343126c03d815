"""Hundreds of cameras received and recorded by camera hosts: what it costs, and whether every picture is on the disk.

    python benchmarks/ingest.py [--streams 300] [--workers 1] [--versus ffmpeg] [--views 933] [--seconds 15]
    python benchmarks/ingest.py --soak [--streams 60] [--seconds 600]

Cheap cameras in a process of their own (``cheap_cameras``: real 1080p25 H.264 of 4 Mbit/s, a keyframe every 2 s) are
given to real camera host processes (``sightline host``) over their socket, as the gateway gives them, and its state
stream is read all the while. CPU is that of the hosts alone, all threads, from /proc, once every stream is recording.

*Every picture*: for each stream the cameras count what they hand to the kernel from its session's first keyframe on.
At the end they fall silent, the hosts take what is still on the way and are ended in order (SIGTERM), and the
samples in the files' own tables are counted. Any difference, in any stream, is an error. Files stay in a temporary
directory and are deleted; retention's reserves of free space are switched off, as the disk is not to fill for a month.

``--views N`` is N streams, at the rate of a sub stream where this machine cannot carry that many main ones; which rate
was used, and why, stands in the table.

``--soak`` goes on for ten minutes and looks at memory, descriptors and threads all the while: growth is an error too.
Nothing recorded is deleted meanwhile, so that every picture can be counted at the end.
"""

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cheap_cameras.process import CheapCameras, cheap_cameras
from others import versus
from recorders.counted import judged_pictures, pictures_in, pictures_on_disk
from recorders.ffmpeg import ffmpeg_cpu_percent
from recorders.hosts import Host, all_record, assign, end, name_of, open_hosts
from recorders.processes import cpu_s, descriptors, memory_bytes
from recorders.soak import watch
from report import machine, report

logging.getLogger("httpx").setLevel(logging.WARNING)

MAIN = {"size": "1920x1080", "frame-rate": 25.0, "gop-frames": 50, "kbit": 4000.0}
SUB = {"size": "640x360", "frame-rate": 25.0, "gop-frames": 50, "kbit": 512.0}
MAIN_CORE_PERCENT = 0.3
"""Of one main stream, host and cheap camera together, for deciding what a machine can carry."""
CORE_SHARE = 0.8
RECORDING_WITHIN_S = 90.0
SETTLE_S = 8.0
LATE_LIMIT_MS = 250.0
"""Cameras that send later than this (99th percentile) are no cameras: nothing is told of the hosts then."""
STREAMS, MEASURED_S = 300, 12.0
SOAK_STREAMS, SOAK_S = 60, 600.0
FFMPEGS = 10
JUDGED = 3
"""Files in which ffprobe counts, too."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured."""

    streams: int
    workers: int
    seconds: float
    rate: dict[str, Any]
    why: str
    """This rate."""
    soak: bool


def plan_of(options: argparse.Namespace) -> Plan:
    """Return what the options ask for, at a rate that this machine can carry."""
    streams = options.views or options.streams or (SOAK_STREAMS if options.soak else STREAMS)
    seconds = options.seconds or (SOAK_S if options.soak else MEASURED_S)
    workers = options.workers or (2 if options.views else 1)
    cores = machine()["cores"]
    needed = streams * MAIN_CORE_PERCENT / 100
    if not options.views or needed <= cores * CORE_SHARE:
        return Plan(streams, workers, seconds, MAIN, "main", options.soak)
    why = f"sub: {streams} main streams and their cameras would take some {needed:.1f} cores of {cores}"
    return Plan(streams, workers, seconds, SUB, why, options.soak)


def refuse_a_small_disk(home: Path, plan: Plan) -> None:
    """Say so before the disk is full.

    Raises:
        RuntimeError: the recordings would not fit.
    """
    needed = round(plan.streams * plan.rate["kbit"] * 125 * (plan.seconds + 40))
    free = shutil.disk_usage(home).free
    if free < 2 * needed:
        raise RuntimeError(
            f"{home} has {free >> 30} GiB free, {2 * needed >> 30} are wanted: give fewer --seconds or --directory"
        )


async def measure(options: argparse.Namespace) -> bool:
    """Record, count, report; return whether every picture is there."""
    plan = plan_of(options)
    rate = plan.rate
    arguments = [text for key, value in rate.items() for text in (f"--{key}", str(value))]
    with tempfile.TemporaryDirectory(prefix="sightline-ingest-", dir=options.directory) as made:
        home = Path(made)
        refuse_a_small_disk(home, plan)
        async with cheap_cameras(*arguments) as source:
            facts = await record(source, home, plan)
            theirs = {}
            if options.versus == "ffmpeg":
                await source.ask("resume")
                theirs["ffmpeg"] = await ffmpeg_cpu_percent(
                    source, home / "ffmpeg", streams=FFMPEGS, seconds=min(8.0, plan.seconds), first=plan.streams
                )
        files = sorted((home / "recordings").glob("*/media/*/main/*/*.mp4"))
        on_disk = pictures_on_disk(home / "recordings")
        for path in files[:: max(1, len(files) // JUDGED)][:JUDGED]:
            judge(path)
    wrong = compare(facts.pop("sent"), on_disk)
    for growth in facts["grown"]:
        print(growth, file=sys.stderr)
    report(
        "ingest",
        ["uvloop", "av"],
        streams=plan.streams,
        workers=plan.workers,
        rate=plan.why,
        size=rate["size"],
        kbit_s_per_stream=source.kbit_s,
        packets_s_per_stream=source.packets_s,
        **facts,
        frames_on_disk=sum(on_disk.values()),
        streams_with_lost_frames=wrong,
        versus=versus(facts["cpu_percent_per_stream"], **theirs),
    )
    return not wrong and not facts["grown"]


async def record(source: CheapCameras, home: Path, plan: Plan) -> dict[str, Any]:
    """Have the hosts record; return what was measured, and under ``sent`` what each camera sent."""
    width, height = (int(part) for part in plan.rate["size"].split("x"))
    shape = width, height, plan.rate["frame-rate"]
    streams, seconds = plan.streams, plan.seconds
    async with open_hosts(home, workers=plan.workers, streams=streams) as hosts:
        answered = time.monotonic()
        await asyncio.gather(*(assign(host, source, shape) for host in hosts))
        assigned_s = time.monotonic() - answered
        all_recording_s = await all_record(hosts, within_s=RECORDING_WITHIN_S)
        await asyncio.sleep(SETTLE_S)
        before, began = [cpu_s(host.process.pid) for host in hosts], time.monotonic()
        counts_before = await source.ask("counts")
        watched = await watch(hosts, seconds) if plan.soak else await asyncio.sleep(seconds, [])
        used = [cpu_s(host.process.pid) - at for host, at in zip(hosts, before, strict=True)]
        lasted = time.monotonic() - began
        loads = [(await host.client.health()).load for host in hosts]
        memory = [memory_bytes(host.process.pid) for host in hosts]
        opened = [descriptors(host.process.pid) for host in hosts]
        counts = await fallen_silent(source, hosts)
        for host in hosts:
            await end(host.process)
            if host.process.returncode != 0:
                raise RuntimeError(f"camera host {host.index} ended with {host.process.returncode}")
    if counts["late_ms_p99"] > LATE_LIMIT_MS:
        raise RuntimeError(f"the cameras themselves were {counts['late_ms_p99']:.0f} ms late: the machine is too busy")
    grown = sum(now[0] - host.bare_bytes[0] for host, now in zip(hosts, memory, strict=True))
    grown_share = sum(now[1] - host.bare_bytes[1] for host, now in zip(hosts, memory, strict=True))
    sent = {int(camera): account for camera, account in counts["cameras"].items()}
    return {
        "cpu_percent_per_stream": 100 * sum(used) / lasted / streams,
        "cpu_percent_of_hosts": [round(100 * one / lasted, 1) for one in used],
        "loop_lag_ms_p99": max(load.loop_lag_p99_ms for load in loads if load) if all(loads) else None,
        "loop_lag_ms_max": max(load.loop_lag_max_ms for load in loads if load) if all(loads) else None,
        "waiting_for_disk_mb": sum(load.record_lane_bytes for load in loads if load) / 1e6,
        "memory_mb_per_stream": grown / 1e6 / streams,
        "memory_mb_per_stream_pss": grown_share / 1e6 / streams,
        "memory_mb_of_hosts": [round(resident / 1e6) for resident, _ in memory],
        "descriptors_of_hosts": opened,
        "all_assigned_s": assigned_s,
        "all_recording_s": all_recording_s,
        "seconds": seconds,
        "samples": len(watched[0].memory_bytes) if watched else 0,
        "grown": [
            f"host {host.index}: {what}" for host, one in zip(hosts, watched, strict=plan.soak) for what in one.growth()
        ],
        "frames_sent": sum(account["frames"] for account in sent.values()),
        "sessions": sum(account["sessions"] for account in sent.values()),
        "camera_late_ms_p99": counts["late_ms_p99"],
        "camera_late_ms_max": counts["late_ms_max"],
        "camera_cpu_percent_per_stream": 100 * (counts["cpu_s"] - counts_before["cpu_s"]) / lasted / streams,
        "sent": sent,
    }


async def fallen_silent(source: CheapCameras, hosts: list[Host]) -> dict[str, Any]:
    """Have the cameras fall silent and wait until the hosts have counted everything; return what was sent.

    A host that does not come to the same count within five seconds has lost something: the files will tell.
    """
    counts = await source.ask("pause")
    until = time.monotonic() + 5.0
    while time.monotonic() < until:
        counts = await source.ask("counts")
        expected = {name_of(int(camera)): one["frames"] for camera, one in counts["cameras"].items()}
        told = {str(state.id): state.main.frames for host in hosts for state in host.states.values()}
        if counts["backlog_bytes"] == 0 and all(told.get(name, 0) >= frames for name, frames in expected.items()):
            break
        await asyncio.sleep(0.25)
    return counts


def compare(sent: dict[int, dict[str, int]], on_disk: dict[str, int]) -> int:
    """Print each stream whose pictures are not all there; return how many."""
    wrong = 0
    for camera, account in sorted(sent.items()):
        found = on_disk.get(name_of(camera), 0)
        if found != account["frames"] or account["cut"]:
            wrong += 1
            print(f"{name_of(camera)}: {account['frames']} pictures sent, {found} on disk, {account}", file=sys.stderr)
    return wrong


def judge(path: Path) -> None:
    """Hold our counting against ffprobe's.

    Raises:
        RuntimeError: they differ.
    """
    ours, theirs = pictures_in(path), judged_pictures(path)
    if ours != theirs:
        raise RuntimeError(f"{path.name}: {ours} pictures by its tables, {theirs} by ffprobe")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=0, help=f"({STREAMS}; {SOAK_STREAMS} with --soak)")
    parser.add_argument("--views", type=int, default=0, help="so many streams, at a sub stream's rate if need be")
    parser.add_argument("--workers", type=int, default=0, help="camera host processes (1; 2 with --views)")
    parser.add_argument("--seconds", type=float, default=0.0, help=f"measured ({MEASURED_S:g}; {SOAK_S:g} with --soak)")
    parser.add_argument("--soak", action="store_true", help="look for growth, too")
    parser.add_argument("--versus", choices=["ffmpeg"], default=None)
    parser.add_argument("--directory", default=None, help="where the recordings go; default: the temporary directory")
    try:
        sys.exit(0 if asyncio.run(measure(parser.parse_args())) else 1)
    except RuntimeError as error:
        sys.exit(f"Nothing was measured: {error}")
