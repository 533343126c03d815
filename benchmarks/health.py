"""What looking after 900 cameras' pictures costs, how often it is wrong, and what it finds.

    python benchmarks/health.py [--scenes N] [--looks N] [--cameras N] [--hosts N] [--rounds N]

Scenes are the simulated borough's, painted half a minute apart, so that traffic moves, changed by light and weather
(weathers.py), coded as a sub stream's keyframe (640x360), decoded by the product's confined process and judged by the
product as its camera hosts do. The reference view is the scene by day. Twenty-five looks are twelve minutes: enough for
each rule but that of three hours (`--looks 361`). `false_alarms` counts what was stated, at any time, of a scene in a
weather; `agreement_least` is how little the edges agreed with the reference view of the same scene in that weather.
`missed` are faults that were not stated in that time, each by day: black, covered, blurred, turned by 5, 10, 20 and 90
degrees, frozen; one that was stated by another name is `called_otherwise`. `told_after_s` is the longest that it took.

`looked_at_every_s` and `cpu_percent_of_a_core` are of the product's own looks at one host's share of the cameras, in
real time, from look to look at one of them. CPU is the process's own and that of judging, as the system accounts
for it; for comparison, the same for decoding every picture of the stream. The promise is for `--scenes 30 --rounds 3`.
"""

import argparse
import asyncio
import math
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
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
from gateway.health.view import halved, shift
from gateway.health.watch import PictureWatch
from gateway.live.transcode.process import Coder, open_coder
from gateway.transcoder.framing import Look, Seen
from gateway.worker.looks import PROGRAM, ROUND_S, Looks
from kernel.clock import NS_PER_S, SystemClock
from kernel.ids import CameraId
from kernel.media import AccessUnit, PictureFault, VideoCodec

SIZE = (640, 360)
MAIN = (1920, 1080)
FRAME_RATE = 12.5
NOON_NS = 1_790_000_000 * NS_PER_S
TURNED_DEG = (5.0, 10.0, 20.0, 90.0)
COMPARED_EACH = 5
"""Of so many looks one is asked how well it agrees with the reference view: asking takes as long as judging."""
SHOWN = 6
"""So many pictures of each scene are looked at in turn while the rounds are timed."""


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

    def unit(self, picture: Pixels) -> AccessUnit:
        """Return a picture as a keyframe with its parameter sets."""
        height, width = picture.shape[:2]
        encoder = self._encoders.get((width, height))
        if encoder is None:
            # A keyframe of a stream of 500 kbit/s (4 Mbit/s) has about eight times the bits of a mean picture.
            rate = 4_000 if width < 1000 else 32_000
            encoder = self._encoders[width, height] = Encoder(coding(width, height, rate))
        (coded,) = encoder.encode(to_frame(picture), 0, keyframe=True)
        return AccessUnit(coded.nals, 0, NOON_NS, keyframe=True, parameters=encoder.parameters, received_ns=0)

    async def see(self, picture: Pixels) -> Grey:
        """Return what is judged, and count what that costs."""
        unit = self.unit(picture)
        before = cpu_s(self._coder.pid)
        nals = (unit.parameters.sps, unit.parameters.pps, *unit.nals)
        await self._coder.write(Look(VideoCodec.H264, WIDTH, HEIGHT, nals))
        answer = await self._coder.read()
        assert isinstance(answer, Seen)
        assert len(answer.pixels) == WIDTH * HEIGHT
        self._cost.looks += 1
        self._cost.decoding_s += cpu_s(self._coder.pid) - before
        return np.frombuffer(answer.pixels, dtype=np.uint8).reshape(HEIGHT, WIDTH)

    def judge(self, watch: PictureWatch, grey: Grey, look: int) -> PictureFault | None:
        """Judge what was seen at a look, as a camera host does."""
        before = time.process_time()
        at_ns = look * round(ROUND_S * NS_PER_S)
        found = watch.looked(grey, wall_ns=NOON_NS + at_ns, monotonic_ns=at_ns)
        self._cost.judging_s += time.process_time() - before
        return found.fault if found is not None else None


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


@dataclass(frozen=True, slots=True)
class Scene:
    """What one camera sees, at looks half a minute apart; the first is its reference view."""

    site: Site
    painter: Painter
    painted: list[Pixels]
    reference: Grey
    seed: int
    """Noise is another in each scene."""

    def changed(self, by: Change) -> Iterator[Pixels]:
        """Return what is seen in a light, a weather or with a fault."""
        return (by(picture, self.seed + look) for look, picture in enumerate(self.painted[1:], 1))

    def turned(self, degrees: float) -> Iterator[Pixels]:
        """Return what is seen once somebody has turned it."""
        looks = range(1, len(self.painted))
        return (day(paint(self.painter, self.site, look, turned_deg=degrees), self.seed + look) for look in looks)

    def faults(self) -> Iterator[tuple[str, PictureFault, Iterator[Pixels]]]:
        """Return each fault: what the table calls it, what the product should, and what is seen."""
        for name, fault in FAULTS.items():
            yield name, PictureFault(name), self.changed(fault)
        for degrees in TURNED_DEG:
            yield f"turned by {degrees:.0f}", PictureFault.MOVED, self.turned(degrees)
        frozen = (day(self.painted[1], self.seed) for _ in self.painted[1:])
        yield "frozen", PictureFault.FROZEN, frozen


class Judged:
    """What was found in scenes, and what should have been."""

    def __init__(self) -> None:
        self.scenes = 0
        self.false = Counter[str]()
        self.missed = Counter[str]()
        self.otherwise = Counter[str]()
        self.told_after_s: dict[str, float] = {}
        self.agreement: dict[str, float] = {}

    async def scene(self, eye: Eye, scene: Scene) -> None:
        """Judge one in every weather and with every fault."""
        self.scenes += 1
        for name, weather in WEATHERS.items():
            watch, reference = PictureWatch(halved(scene.reference)), halved(scene.reference)
            found = set()
            for look, picture in enumerate(scene.changed(weather)):
                grey = await eye.see(picture)
                found.add(eye.judge(watch, grey, look))
                if look % COMPARED_EACH == 0:
                    agreed = shift(reference, halved(grey)).here
                    self.agreement[name] = min(agreed, self.agreement.get(name, 1.0))
            self.false.update(f"{name}: {fault.value}" for fault in found if fault is not None)
        for name, fault, pictures in scene.faults():
            told = await stated(eye, scene.reference, pictures)
            if told is None:
                self.missed[name] += 1
            elif told[0] is not fault:
                self.otherwise[f"{name}: {told[0].value}"] += 1
            else:
                self.told_after_s[name] = max(told[1] * ROUND_S, self.told_after_s.get(name, 0.0))


async def stated(eye: Eye, reference: Grey, pictures: Iterator[Pixels]) -> tuple[PictureFault, int] | None:
    """Return the fault that is stated first, and after how many looks from the first one."""
    watch = PictureWatch(halved(reference))
    for look, picture in enumerate(pictures):
        fault = eye.judge(watch, await eye.see(picture), look)
        if fault is not None:
            return fault, look
    return None


class Shown:
    """Satisfies ``Watched``: has a new keyframe at every look, and judges what is seen as a camera host does."""

    def __init__(self, number: int, units: Sequence[AccessUnit], reference: Grey) -> None:
        self.id = CameraId(f"c{number}")
        self.looks = 0
        self.seen = asyncio.Event()
        self._units = units
        self._watch = PictureWatch(halved(reference))

    def keyframe(self) -> AccessUnit | None:
        """See ``Watched``."""
        return replace(self._units[self.looks % len(self._units)])

    def looked(self, grey: Grey | None, received_ns: int = 0) -> None:  # noqa: ARG002 - the protocol's
        """See ``Watched``."""
        assert grey is not None
        at_ns = time.monotonic_ns()
        self._watch.looked(grey, wall_ns=NOON_NS + at_ns, monotonic_ns=at_ns)
        self.looks += 1
        self.seen.set()


async def rounds(shown: Sequence[Shown], count: int) -> tuple[float, float]:
    """Have cameras looked at as a host does, in real time; return seconds and CPU seconds of so many rounds."""
    pids: list[int] = []
    # Not the first: its look, and the rest after that, are as long as the process takes to start.
    paced = shown[min(1, len(shown) - 1)]

    @asynccontextmanager
    async def opened() -> AsyncIterator[Coder]:
        async with open_coder(PROGRAM) as coder:
            pids.append(coder.pid)
            yield coder

    async def until(looks: int) -> tuple[float, float]:
        while paced.looks < looks:
            paced.seen.clear()
            await paced.seen.wait()
            if len(pids) > 1:
                sys.exit("the process that looks has ended: nothing was measured")
        return time.monotonic(), time.process_time() + cpu_s(pids[0])

    looks = Looks(clock=SystemClock(), cameras=lambda: shown, open_coder=opened)
    running = asyncio.create_task(looks.run())
    try:
        began_s, spent_s = await until(1)
        ended_s, spent_then_s = await until(1 + count)
    finally:
        running.cancel()
        await asyncio.wait([running])
    if any(one.looks < count for one in shown):
        sys.exit("not every camera was looked at in each round: nothing was measured")
    return ended_s - began_s, spent_then_s - spent_s


async def measure(given: argparse.Namespace) -> None:
    """Take every figure."""
    town = Town(seed=7, clock=SystemClock())
    cost, main, judged = Cost(), Cost(), Judged()
    shown: list[tuple[list[AccessUnit], Grey]] = []
    async with open_coder(PROGRAM) as coder:
        eye = Eye(coder, cost)
        for number, site in enumerate(town.sites(given.scenes)):
            painter = painter_of(town, site)
            painted = [paint(painter, site, look) for look in range(given.looks + 1)]
            scene = Scene(site, painter, painted, await eye.see(day(painted[0], 1)), number * 1000)
            shown.append(([eye.unit(day(one, at)) for at, one in enumerate(painted[1 : SHOWN + 1])], scene.reference))
            await judged.scene(eye, scene)
        await main_stream(Eye(coder, main), town)
    every_s = every_picture(town)
    on_one = math.ceil(given.cameras / given.hosts)
    cameras = [Shown(number, *shown[number % len(shown)]) for number in range(on_one)]
    took_s, spent_s = await rounds(cameras, given.rounds)
    hourly_s = spent_s / took_s * 3600 / on_one
    report(
        "health",
        packages=["av", "numpy"],
        scenes=judged.scenes,
        weathers=len(WEATHERS),
        looks=given.looks,
        false_alarms=sum(judged.false.values()),
        false_alarms_of=judged.scenes * len(WEATHERS),
        false_alarms_by=dict(judged.false),
        agreement_least={name: round(least, 2) for name, least in judged.agreement.items()},
        missed=dict(judged.missed),
        missed_of=judged.scenes,
        called_otherwise=dict(judged.otherwise),
        told_after_s=judged.told_after_s,
        look_ms_cpu=cost.look_s * 1000,
        decoding_ms_cpu=cost.decoding_s / cost.looks * 1000,
        judging_ms_cpu=cost.judging_s / cost.looks * 1000,
        look_ms_cpu_1080p=main.look_s * 1000,
        cameras=given.cameras,
        hosts=given.hosts,
        rounds=given.rounds,
        looked_at_every_s=took_s / given.rounds,
        cpu_percent_of_a_core=spent_s / took_s * 100,
        cpu_s_per_camera_hour=hourly_s,
        versus={
            "decoding every picture, cpu_s_per_camera_hour": {
                "value": round(every_s * 3600, 2),
                "ratio": round(hourly_s / (every_s * 3600), 3),
            }
        },
    )


async def main_stream(eye: Eye, town: Town) -> None:
    """Look at keyframes of main streams: what a camera without a sub stream costs."""
    for site in town.sites(4):
        picture = day(paint(painter_of(town, site), site, 0, size=MAIN), 1)
        watch = PictureWatch()
        for look in range(3):
            eye.judge(watch, await eye.see(picture), look)


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
    parser.add_argument("--scenes", type=int, default=2)
    parser.add_argument("--looks", type=int, default=25)
    parser.add_argument("--cameras", type=int, default=900)
    parser.add_argument("--hosts", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=1)
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
