"""The feeds of one camera: drawn once at a time, encoded once per stream, only while somebody listens.

Drawing and encoding run in a pool of threads: numpy and the coders leave the interpreter lock, Pillow holds it only
for the time of one polygon (figures in docs/design/simulator.md). Main and sub of the same frame rate share one
drawing; the smaller is scaled from the larger.
"""

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from drivers.simulator.device import Aim, EncodedUnit, Feed, SimulatedDevice, StreamSettings
from drivers.simulator.picture import strip
from drivers.simulator.picture.encoder import (
    Coding,
    Encoder,
    Frame,
    Picture,
    parameters_of,
    restored,
    scale,
    to_frame,
)
from drivers.simulator.picture.marks import mark, wipe
from kernel.clock import NS_PER_MS, NS_PER_S
from kernel.ids import StreamName
from kernel.media import VIDEO_CLOCK_HZ, VideoCodec, VideoParameters

Pixels = npt.NDArray[np.uint8]
Listener = Callable[[EncodedUnit], None]
SHARP = 0.5
"""The focus at which the town is sharp, when autofocus is off."""
COVER_LEVEL = 14
"""How light a camera's picture is that is covered, where nobody says otherwise: a thick bag."""


class Eye(Protocol):
    """Draws what a camera sees. Called from one thread at a time, never on the event loop."""

    def paint(self, aim: Aim, wall_ns: int, width: int, height: int) -> Pixels:
        """Return a fresh (height, width, 3) RGB picture of the true instant ``wall_ns``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shot:
    """Everything a thread must know to expose one instant."""

    aim: Aim
    true_ns: int
    camera_ns: int
    time_90k: int
    frozen: bool = False
    night: bool = False
    wiper: bool = False
    covered: bool = False
    cover_level: int = 0
    blur: float = 0.0
    streams: tuple[tuple[StreamName, Coding, bool], ...] = ()
    """Name, coding, and whether this must be a keyframe."""


def aim_of(device: SimulatedDevice) -> Aim:
    """Return where a camera points now; one without a head points home for ever."""
    if device.head is not None:
        return device.head.aim()
    mount = device.mount
    hfov_deg = mount.lens.hfov_deg(mount.home_zoom)
    return Aim(mount.home_pan_deg, mount.home_tilt_deg, mount.home_zoom, hfov_deg, moving=False)


class StreamFeed:
    """One stream of one camera (``drivers.simulator.device.Feed``)."""

    def __init__(self, camera: "Camera", name: StreamName) -> None:
        self._camera = camera
        self._name = name
        self._listeners: list[tuple[Listener, list[bool]]] = []
        self._since_keyframe = 0
        self._wants_keyframe = True
        self._last_ns = -1
        self.encoded = 0
        """Pictures encoded since it was made."""

    @property
    def settings(self) -> StreamSettings:
        """Return what the media profile says now."""
        return self._camera.device.streams[self._name]

    @property
    def coding(self) -> Coding:
        """Return what is in force: the profile, and on main half its size under ``resolution_change``."""
        settings = self.settings
        half = 2 if self._name is StreamName.MAIN and self._camera.device.faults.resolution_change else 1
        return Coding(
            codec=settings.codec,
            width=settings.width // half // 2 * 2,
            height=settings.height // half // 2 * 2,
            frame_rate=settings.frame_rate,
            bitrate_kbit=settings.bitrate_kbit,
        )

    @property
    def codec(self) -> VideoCodec:
        """See :class:`~drivers.simulator.device.Feed`."""
        return self.settings.codec

    @property
    def parameters(self) -> VideoParameters:
        """See :class:`~drivers.simulator.device.Feed`."""
        return parameters_of(self.coding)

    @property
    def listened(self) -> bool:
        """Return whether anybody listens."""
        return bool(self._listeners)

    def attach(self, listener: Listener) -> Callable[[], None]:
        """See :class:`~drivers.simulator.device.Feed`; the next picture is made a keyframe."""
        entry = (listener, [False])
        self._listeners.append(entry)
        self._wants_keyframe = True
        self._camera.wake()

        def detach() -> None:
            if entry in self._listeners:
                self._listeners.remove(entry)

        return detach

    def request_keyframe(self) -> None:
        """See :class:`~drivers.simulator.device.Feed`; ignored under ``no_keyframes``."""
        self._wants_keyframe = True

    async def jpeg(self) -> bytes:
        """See :class:`~drivers.simulator.device.Feed`."""
        return await self._camera.still(self.coding)

    def next_due_ns(self, now_ns: int, phase_ns: int) -> int:
        """Return the next instant of this stream's frame grid that was not taken yet, not before ``now_ns``."""
        period_ns = NS_PER_S / self.settings.frame_rate
        index = int((max(now_ns, self._last_ns + 1) - phase_ns) / period_ns)
        while (due_ns := phase_ns + round(index * period_ns)) < now_ns or due_ns <= self._last_ns:
            index += 1
        return due_ns

    def order(self, due_ns: int) -> tuple[StreamName, Coding, bool]:
        """Take the frame of ``due_ns`` into account; return what a shot must know."""
        self._last_ns = due_ns
        keyframe = self._wants_keyframe or self._since_keyframe >= self.settings.gop_frames
        return self._name, self.coding, keyframe and not self._camera.device.faults.no_keyframes

    def deliver(self, picture: Picture, parameters: VideoParameters, camera_ns: int) -> None:
        """Hand one coded picture to everybody who has seen, or now sees, a keyframe."""
        self.encoded += 1
        if picture.keyframe:
            self._since_keyframe = 0
            self._wants_keyframe = False
        self._since_keyframe += 1
        unit = EncodedUnit(picture.nals, picture.time_90k, camera_ns, picture.keyframe, parameters)
        for listener, started in tuple(self._listeners):
            started[0] = started[0] or picture.keyframe
            if started[0]:
                listener(unit)
            else:
                self._wants_keyframe = True  # it came while a picture without one was already being made


class Camera:
    """The shutter that all feeds of a device share."""

    def __init__(self, device: SimulatedDevice, eye: Eye, pool: Executor) -> None:
        self.device = device
        self.feeds = {name: StreamFeed(self, name) for name in device.streams}
        self.covered = False
        self.cover_level = COVER_LEVEL
        """Somebody holds a bag over the lens."""
        self.drawn = 0
        """Pictures drawn since it was made."""
        self._eye = eye
        self._pool = pool
        self._lock = threading.Lock()
        self._encoders: dict[StreamName, Encoder] = {}
        self._frozen: Pixels | None = None
        self._marked_ns = 0
        self._wake = asyncio.Event()
        # Cameras take turns within a frame's time, so that their bursts of work do not meet.
        self._phase_ns = device.number * 29_000_000 % NS_PER_S
        self._origin_ns = device.clock.monotonic_ns()

    def wake(self) -> None:
        """Look again at who listens."""
        self._wake.set()

    def _shot(self, due_ns: int, *names: StreamName) -> _Shot:
        device = self.device
        late_ns = device.clock.monotonic_ns() - due_ns
        return _Shot(
            aim=aim_of(device),
            true_ns=device.clock.wall_ns() - late_ns,
            camera_ns=device.wall_ns() - late_ns,
            time_90k=(due_ns - self._origin_ns) * VIDEO_CLOCK_HZ // NS_PER_S,
            frozen=device.faults.freeze_picture,
            night=device.night,
            wiper=device.wiper,
            covered=self.covered,
            cover_level=self.cover_level,
            blur=0.0 if device.autofocus else abs(device.focus - SHARP),
            streams=tuple(self.feeds[name].order(due_ns) for name in names),
        )

    async def run(self) -> None:
        """Expose each frame at its instant, for ever; late frames are skipped, not bunched."""
        loop = asyncio.get_running_loop()
        clock = self.device.clock
        while True:
            listened = {name: feed for name, feed in self.feeds.items() if feed.listened}
            for name in self._encoders.keys() - listened.keys():
                self._encoders.pop(name, None)
            if not listened:
                self._wake.clear()
                await self._wake.wait()
                continue
            now_ns = clock.monotonic_ns()
            due = {name: feed.next_due_ns(now_ns, self._phase_ns) for name, feed in listened.items()}
            first_ns = min(due.values())
            await clock.sleep_until(first_ns)
            names = [name for name, due_ns in due.items() if due_ns == first_ns and self.feeds[name].listened]
            if not names:
                continue
            shot = self._shot(first_ns, *names)
            for name, picture, parameters in await loop.run_in_executor(self._pool, self._expose, shot):
                self.feeds[name].deliver(picture, parameters, shot.camera_ns)

    async def still(self, coding: Coding) -> bytes:
        """Return a JPEG (ITU-T T.81) of this instant in the coding's size."""
        shot = self._shot(self.device.clock.monotonic_ns())
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._jpeg, shot, coding)

    # --- below: on a thread of the pool

    def _expose(self, shot: _Shot) -> list[tuple[StreamName, Picture, VideoParameters]]:
        with self._lock:
            widest = max((coding for _, coding, _ in shot.streams), key=lambda coding: coding.width * coding.height)
            frame = to_frame(self._draw(shot, widest.width, widest.height))
            coded = []
            for name, coding, keyframe in shot.streams:
                encoder = self._encoders.get(name)
                fresh = encoder is None or encoder.coding != coding
                if encoder is None or encoder.coding != coding:
                    encoder = self._encoders[name] = Encoder(coding)
                same = (coding.width, coding.height) == (frame.width, frame.height)
                sized = frame if same else self._smaller(frame, coding)
                coded += [
                    (name, picture, encoder.parameters)
                    for picture in encoder.encode(sized, shot.time_90k, keyframe=keyframe or fresh)
                ]
            return coded

    def _smaller(self, frame: Frame, coding: Coding) -> Frame:
        """Return ``frame`` scaled; in small pictures the strip is written anew, since it may not shrink with them."""
        scaled = scale(frame, coding.width, coding.height)
        if strip.height_px(coding.height) <= coding.height / 24:
            return scaled
        planes = np.asarray(scaled.to_ndarray(), dtype=np.uint8)
        strip.paint(planes[: coding.height], self._marked_ns // NS_PER_MS, self.device.number)
        return restored(planes, scaled)

    def _jpeg(self, shot: _Shot, coding: Coding) -> bytes:
        with self._lock:
            picture = self._draw(shot, coding.width, coding.height)
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=88)
        return buffer.getvalue()

    def _draw(self, shot: _Shot, width: int, height: int) -> Pixels:
        if shot.frozen and self._frozen is not None and self._frozen.shape == (height, width, 3):
            return self._frozen
        self.drawn += 1
        if shot.covered:
            picture = np.full((height, width, 3), shot.cover_level, dtype=np.uint8)
        else:
            picture = self._eye.paint(shot.aim, shot.true_ns, width, height)
        if shot.blur > 0.02:
            picture = np.array(Image.fromarray(picture).filter(ImageFilter.BoxBlur(shot.blur * width / 20)))
        if shot.wiper:
            picture = wipe(picture, shot.true_ns / NS_PER_S)
        if shot.night:
            # The infra-red filter is out: no colour.
            picture[...] = (picture @ np.array([77, 150, 29], dtype=np.uint32) >> 8)[..., None]
        mark(picture, wall_ns=shot.camera_ns, number=self.device.number, name=self.device.name)
        self._frozen = picture
        self._marked_ns = shot.camera_ns
        return picture


@asynccontextmanager
async def open_feeds(device: SimulatedDevice, eye: Eye, *, pool: Executor) -> AsyncIterator[Camera]:
    """Fill ``device.feeds`` for its ``streams`` and keep them running; on leaving they fall silent."""
    camera = Camera(device, eye, pool)
    feeds: dict[StreamName, Feed] = dict(camera.feeds)
    device.feeds = feeds
    failure: Exception | None = None
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(camera.run(), name=f"camera {device.number}")
        try:
            yield camera
        except Exception as error:  # noqa: BLE001 - raised again below, not wrapped by the task group
            failure = error
        finally:
            running.cancel()
    if failure is not None:
        raise failure
