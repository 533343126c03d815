"""What a simulated head sees, without a town: a fixed random texture all around, in true perspective."""

import asyncio
import io
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from drivers.simulator.device import Aim, EncodedUnit, HeadModel
from kernel.media import VideoCodec, VideoParameters

_PER_DEGREE = 4


class PanoramaFeed:
    """Satisfies ``drivers.simulator.device.Feed`` as far as snapshots go; it encodes no video."""

    codec = VideoCodec.H264
    parameters = VideoParameters(VideoCodec.H264, 320, 180, b"", b"")

    def __init__(self, head: HeadModel, *, seed: int = 7) -> None:
        self._head = head
        random = np.random.default_rng(seed)
        # Coarse blots for the wide end, fine grain for the long one.
        shape = (180 * _PER_DEGREE, 360 * _PER_DEGREE)
        fine = random.random(shape)
        coarse = np.kron(random.random((180, 360)), np.ones((_PER_DEGREE, _PER_DEGREE)))
        self._texture: NDArray[np.float64] = (fine + 2.0 * coarse) / 3.0

    def attach(self, listener: Callable[[EncodedUnit], None]) -> Callable[[], None]:
        """Never call anybody."""
        return lambda: None

    def request_keyframe(self) -> None:
        """Have none."""

    async def jpeg(self) -> bytes:
        """Return what the head sees now."""
        return await asyncio.to_thread(self._paint, self._head.aim())

    def _paint(self, aim: Aim, width: int = 320, height: int = 180) -> bytes:
        half = math.tan(math.radians(aim.hfov_deg) / 2.0)
        x, y = np.meshgrid(np.linspace(-half, half, width), np.linspace(half, -half, height) * height / width)
        tilt = math.radians(aim.tilt_deg)
        forward = math.cos(tilt) - y * math.sin(tilt)
        up = math.sin(tilt) + y * math.cos(tilt)
        pan_deg = np.degrees(np.arctan2(x, forward)) + aim.pan_deg
        tilt_deg = np.degrees(np.arctan2(up, np.hypot(x, forward)))
        rows = (90.0 - tilt_deg) * _PER_DEGREE
        columns = (pan_deg + 180.0) * _PER_DEGREE
        luma = self._sample(rows, columns)
        picture = Image.fromarray((luma * 255).astype(np.uint8))
        written = io.BytesIO()
        picture.save(written, "JPEG", quality=85)
        return written.getvalue()

    def _sample(self, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
        height, width = self._texture.shape
        top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
        down, across = rows - top, columns - left

        def at(row: NDArray[np.int_], column: NDArray[np.int_]) -> NDArray[np.float64]:
            found: NDArray[np.float64] = self._texture[np.clip(row, 0, height - 1), column % width]
            return found

        upper = at(top, left) * (1 - across) + at(top, left + 1) * across
        lower = at(top + 1, left) * (1 - across) + at(top + 1, left + 1) * across
        mixed: NDArray[np.float64] = upper * (1 - down) + lower * down
        return mixed
