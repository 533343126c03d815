"""What a camera writes over its picture: the strip on top, its name and clock at the foot, a wiper in between."""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from drivers.simulator.picture import strip
from kernel.clock import NS_PER_MS, utc

Pixels = npt.NDArray[np.uint8]


@lru_cache(maxsize=8)
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


@lru_cache(maxsize=256)
def _label(text: str, size_px: int) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
    """Return how much of the picture stays (0..256) and what is added, both (h, w, 1), for outlined white text."""
    font = _font(size_px)
    edge = max(1, size_px // 12)
    left, top, right, bottom = font.getbbox(text, stroke_width=edge)
    size = (math.ceil(right - left), math.ceil(bottom - top))
    light, dark = Image.new("L", size), Image.new("L", size)
    ImageDraw.Draw(light).text((-left, -top), text, font=font, fill=255)
    ImageDraw.Draw(dark).text((-left, -top), text, font=font, fill=255, stroke_width=edge, stroke_fill=255)
    added = np.asarray(light, dtype=np.uint16)[..., None]
    stays = 256 - np.asarray(dark, dtype=np.uint16)[..., None] * 200 // 255
    return np.where(added > 0, np.minimum(stays, 256 - added), stays).astype(np.uint16), added * 235 // 255


def _write(picture: Pixels, text: str, size_px: int, x: int, y: int) -> None:
    """Blend ``text`` so that it ends at row ``y``; a negative ``x`` counts its end from the right edge."""
    stays, added = _label(text, size_px)
    width = picture.shape[1]
    h, w = min(stays.shape[0], y), min(stays.shape[1], width)
    left = x if x >= 0 else max(0, width + x - w)
    w = min(w, width - left)
    patch = picture[y - h : y, left : left + w]
    patch[...] = (patch.astype(np.uint16) * stays[:h, :w] >> 8) + added[:h, :w]


def mark(picture: Pixels, *, wall_ns: int, number: int, name: str) -> None:
    """Write strip, name and clock (UTC, the camera's own) into an (H, W, 3) RGB picture in place."""
    height = picture.shape[0]
    size = max(10, height // 26)
    moment = utc(wall_ns)
    _write(picture, f"{number:03d}  {name}", size, size // 2 + 2, height - size // 2)
    _write(picture, f"{moment:%Y-%m-%d  %H:%M:%S} UTC", size, -(size // 2 + 2), height - size // 2)
    strip.paint(picture, wall_ns // NS_PER_MS, number)


def wipe(picture: Pixels, seconds: float) -> Pixels:
    """Return the picture with the wiper's blade at its place ``seconds`` into its two-second sweep."""
    height, width = picture.shape[:2]
    image = Image.fromarray(picture)
    swing = math.radians(70.0) * math.cos(seconds * math.pi)
    foot = (width / 2, height * 1.05)
    tip = (foot[0] + math.sin(swing) * height * 1.1, foot[1] - math.cos(swing) * height * 1.1)
    ImageDraw.Draw(image).line([foot, tip], fill=(18, 20, 22), width=max(3, height // 36))
    return np.array(image)
