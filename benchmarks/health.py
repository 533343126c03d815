"""What looking after 900 cameras' pictures costs, how often it is wrong, and what it finds.

    python benchmarks/health.py [--scenes N] [--cameras N] [--hosts N]

Scenes are the simulated borough's, each painted at four instants half a minute apart, so that traffic moves, changed by
light and weather (weathers.py), coded as a sub stream's keyframe (640x360), decoded by the product's confined process
and judged by the product as its camera hosts do: a fault counts once it is stated. The reference view is the scene by
day. `false_alarms` counts scenes and weathers in which any fault was stated; `missed` faults that were not, each by
day: black, covered, blurred, turned by 5, 10 and 20 degrees, and frozen for twelve minutes. CPU is the process's own
and that of judging, as the system accounts for it; for comparison, the same for decoding every picture of the stream.
"""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from report import report
from weathers import FAULTS, WEATHERS, Change, Pixels, day

from drivers.simulator.device import Aim, Lens, Mount
from drivers.simulator.picture.encoder import Coding, Encoder, to_frame
from drivers.simulator.picture.painter import Painter
from drivers.simulator.town.sites import Site
from drivers.simulator.town.town import Town
from gateway.health.picture import HEIGHT, WIDTH, Grey
from gateway.health.view import halved
from gateway.health.watch import Finding, PictureWatch
from gateway.live.transcode.process import Coder, open_coder
from gateway.transcoder.framing import Look, Seen
from gateway.worker.looks import PROGRAM, ROUND_S, SHARE
from kernel.clock import NS_PER_S, SystemClock
from kernel.media import PictureFault, VideoCodec

SIZE = (640, 360)
MAIN = (1920, 1080)
FRAME_RATE = 12.5
NOON_NS = 1_790_000_000 * NS_PER_S
LOOKS = 4
TURNED_DEG = (5.0, 10.0, 20.0)
FROZEN_LOOKS = 25


@dataclass
class Cost:
    """CPU seconds of looks."""

    looks: int = 0
    decoding_s: float = 0.0
    judging_s: float = 0.0

    @property
    def look_s(self) -> float:
        """Return what one costs."""
        return (self.decoding_s + self.judging_s) / self.looks


class Eye:
    """Sees pictures as a camera host does: coded, decoded small and grey in the confined process."""

    def __init__(self, coder: Coder, cost: Cost) -> None:
        self._coder = coder
        self._cost = cost
        self._encoders: dict[tuple[int, int], Encoder] = {}

    def nals(self, picture: Pixels) -> tuple[bytes, ...]:
        """Return a picture as a keyframe with its parameter sets."""
        height, width = picture.shape[:2]
        encoder = self._encoders.get((width, height))
        if encoder is None:
            # A keyframe of a stream of 500 kbit/s (4 Mbit/s) has about eight times the bits of a mean picture.
            rate = 4_000 if width < 1000 else 32_000
            encoder = self._encoders[width, height] = Encoder(coding(width, height, rate))
        (coded,) = encoder.encode(to_frame(picture), 0, keyframe=True)
        sets = encoder.parameters
        return (sets.sps, sets.pps, *coded.nals)

    async def see(self, nals: tuple[bytes, ...]) -> Grey:
        """Return what is judged, and count what that costs."""
        before = cpu_s(self._coder.pid)
        await self._coder.write(Look(VideoCodec.H264, WIDTH, HEIGHT, nals))
        answer = await self._coder.read()
        assert isinstance(answer, Seen)
        assert len(answer.pixels) == WIDTH * HEIGHT
        self._cost.looks += 1
        self._cost.decoding_s += cpu_s(self._coder.pid) - before
        return np.frombuffer(answer.pixels, dtype=np.uint8).reshape(HEIGHT, WIDTH)

    def judge(self, watch: PictureWatch, grey: Grey, look: int) -> Finding | None:
        """Judge what was seen at a look, as a camera host does."""
        before = time.process_time()
        at_ns = look * round(ROUND_S * NS_PER_S)
        found = watch.looked(grey, wall_ns=NOON_NS + at_ns, monotonic_ns=at_ns)
        self._cost.judging_s += time.process_time() - before
        return found


def coding(width: int, height: int, rate_kbit: int) -> Coding:
    """Return how a stream is coded."""
    return Coding(codec=VideoCodec.H264, width=width, height=height, frame_rate=FRAME_RATE, bitrate_kbit=rate_kbit)


def cpu_s(pid: int) -> float:
    """Return user and system CPU seconds of a process, from the scheduler where it tells: to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / NS_PER_S


def painter_of(town: Town, site: Site) -> Painter:
    """Return what paints what a site's camera sees."""
    return Painter(town, Mount(place=town.place(site), bearing_deg=site.bearing_deg, lens=Lens(wide_deg=site.wide_deg)))


def paint(painter: Painter, site: Site, look: int, *, turned_deg: float = 0.0, size: tuple[int, int] = SIZE) -> Pixels:
    """Return what a camera sees at a look."""
    aim = Aim(turned_deg, site.tilt_deg, site.zoom, painter.mount.lens.hfov_deg(site.zoom), moving=False)
    return painter.paint(aim, NOON_NS + look * round(ROUND_S * NS_PER_S), *size)


async def stated(eye: Eye, reference: Grey, pictures: Iterator[Pixels]) -> PictureFault | None:
    """Return the fault that is stated of a camera after these pictures."""
    watch = PictureWatch(halved(reference))
    for look, picture in enumerate(pictures):
        eye.judge(watch, await eye.see(eye.nals(picture)), look)
    return watch.finding.fault if watch.finding is not None else None


async def measure(scenes: int, cameras: int, hosts: int) -> None:
    """Take every figure."""
    town = Town(seed=7, clock=SystemClock())
    cost, false, missed, wrong = Cost(), Counter[str](), Counter[str](), Counter[str]()
    async with open_coder(PROGRAM) as coder:
        eye = Eye(coder, cost)
        for number, site in enumerate(town.sites(scenes)):
            painter = painter_of(town, site)
            painted = [paint(painter, site, look) for look in range(LOOKS)]
            reference = await eye.see(eye.nals(day(painted[0], 1)))

            def changed(by: Change, pictures: list[Pixels], first: int) -> Iterator[Pixels]:
                return (by(picture, first + look) for look, picture in enumerate(pictures))

            for name, weather in WEATHERS.items():
                found = await stated(eye, reference, changed(weather, painted[1:], number * 100))
                if found is not None:
                    false[f"{name}: {found.value}"] += 1
            for name, fault in FAULTS.items():
                found = await stated(eye, reference, changed(fault, painted[1:], number * 100))
                if found is None:
                    missed[name] += 1
                elif found.value != name:
                    wrong[f"{name}: {found.value}"] += 1
            for degrees in TURNED_DEG:
                turned = [paint(painter, site, look, turned_deg=degrees) for look in range(1, LOOKS)]
                found = await stated(eye, reference, changed(day, turned, number * 100))
                missed[f"turned by {degrees:.0f}"] += found is None
            frozen = (day(painted[1], 7) for _ in range(FROZEN_LOOKS))
            missed["frozen"] += await stated(eye, reference, frozen) is not PictureFault.FROZEN
        main = Cost()
        await main_stream(Eye(coder, main), town)
    every_s = every_picture(town)
    judged = scenes * len(WEATHERS)
    report(
        "health",
        packages=["av", "numpy"],
        scenes=scenes,
        weathers=len(WEATHERS),
        false_alarms=sum(false.values()),
        false_alarms_of=judged,
        false_alarms_by=dict(false),
        missed={name: count for name, count in missed.items() if count},
        missed_of=scenes,
        called_otherwise=dict(wrong),
        look_ms_cpu=cost.look_s * 1000,
        decoding_ms_cpu=cost.decoding_s / cost.looks * 1000,
        judging_ms_cpu=cost.judging_s / cost.looks * 1000,
        look_ms_cpu_1080p=main.look_s * 1000,
        cameras=cameras,
        hosts=hosts,
        **per_camera(cost.look_s, cameras, hosts),
        cpu_s_per_camera_hour_1080p=per_camera(main.look_s, cameras, hosts)["cpu_s_per_camera_hour"],
        cpu_s_per_camera_hour_every_picture=every_s * 3600,
    )


def per_camera(look_s: float, cameras: int, hosts: int) -> dict[str, float]:
    """Return what a camera costs in an hour, and how often it is looked at: both as the product bounds them."""
    on_one = cameras / hosts
    round_s = max(ROUND_S, on_one * look_s / SHARE)
    return {"looked_at_every_s": round_s, "cpu_s_per_camera_hour": 3600.0 / round_s * look_s}


async def main_stream(eye: Eye, town: Town) -> None:
    """Look at keyframes of main streams: what a camera without a sub stream costs."""
    for site in town.sites(4):
        picture = day(paint(painter_of(town, site), site, 0, size=MAIN), 1)
        watch = PictureWatch()
        nals = eye.nals(picture)
        for look in range(3):
            eye.judge(watch, await eye.see(nals), look)


def every_picture(town: Town) -> float:
    """Return CPU seconds for a second of a sub stream of which every picture is decoded, and none is judged."""
    (site,) = town.sites(1)
    painter = painter_of(town, site)
    encoder = Encoder(coding(*SIZE, 500))
    count = 50
    coded = []
    for at in range(count):
        picture = day(painter.paint(
            Aim(0.0, site.tilt_deg, site.zoom, painter.mount.lens.hfov_deg(site.zoom), moving=False),
            NOON_NS + round(at / FRAME_RATE * NS_PER_S),
            *SIZE,
        ), at)  # fmt: skip
        coded += encoder.encode(to_frame(picture), at * 7200, keyframe=at % 25 == 0)
    start = b"\x00\x00\x00\x01"
    sets = start + encoder.parameters.sps + start + encoder.parameters.pps
    decoder = av.VideoCodecContext.create("h264", "r")
    decoder.thread_count = 1
    before = time.process_time()
    shown = 0
    for one in coded:
        data = (sets if one.keyframe else b"") + b"".join(start + nal for nal in one.nals)
        shown += len(decoder.decode(av.Packet(data)))
    shown += len(decoder.decode(None))
    spent = time.process_time() - before
    if shown != count:
        msg = f"{shown} of {count} pictures were decoded"
        raise RuntimeError(msg)
    return spent / count * FRAME_RATE


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=40)
    parser.add_argument("--cameras", type=int, default=900)
    parser.add_argument("--hosts", type=int, default=4)
    given = parser.parse_args()
    asyncio.run(measure(given.scenes, given.cameras, given.hosts))


if __name__ == "__main__":
    main()
