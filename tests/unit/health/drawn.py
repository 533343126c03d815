"""Drawn pictures: a street with windows, its twin by lamplight, and what a lens can do to it."""

import numpy as np
from numpy.typing import NDArray

from gateway.health.picture import HEIGHT, WIDTH, Grey

MARGIN = 100
"""So far beyond the picture a street goes on, in pixels."""


def street(seed: int = 1) -> NDArray[np.float64]:
    """Return a street larger than a picture, 0 to 255: sky, houses with windows, a road with marks."""
    rng = np.random.default_rng(seed)
    height, width = HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN
    scene = np.full((height, width), 180.0)
    scene[height * 2 // 3 :] = 90.0
    at = 0
    while at < width:
        wide, tall = int(rng.integers(30, 90)), int(rng.integers(80, 180))
        top = height * 2 // 3 - tall
        scene[top : height * 2 // 3, at : at + wide] = rng.integers(60, 150)
        for row in range(top + 8, height * 2 // 3 - 12, 22):
            for column in range(at + 6, at + wide - 8, 16):
                scene[row : row + 11, column : column + 8] = rng.integers(20, 230)
        at += wide
    for column in range(0, width, 48):
        scene[height * 5 // 6 : height * 5 // 6 + 4, column : column + 22] = 220.0
    return scene


def shot(scene: NDArray[np.float64], *, right: int = 0, down: int = 0, light: float = 1.0, noise: int = 0) -> Grey:
    """Return what a camera sees of a scene that has moved by so many pixels in its picture; ``noise`` seeds it."""
    rows, columns = slice(MARGIN - down, MARGIN - down + HEIGHT), slice(MARGIN - right, MARGIN - right + WIDTH)
    seen = scene[rows, columns] * light
    if noise:
        seen = seen + np.random.default_rng(noise).normal(0.0, 1.5, seen.shape)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)


def softened(grey: Grey, radius: int) -> Grey:
    """Return a picture out of focus."""
    picture = grey.astype(np.float64)
    for _ in range(2):
        for axis in (0, 1):
            padded = np.pad(picture, [(radius, radius) if one == axis else (0, 0) for one in (0, 1)], mode="edge")
            picture = np.mean(
                [np.take(padded, range(at, at + picture.shape[axis]), axis=axis) for at in range(2 * radius + 1)],
                axis=0,
            )
    return np.rint(picture).astype(np.uint8)


def night(scene: NDArray[np.float64]) -> Grey:
    """Return it with lamps alone: dark, and four of them."""
    seen = shot(scene, light=0.12).astype(np.int16)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    for lamp in range(4):
        away = np.hypot(rows - 60, columns - 40 - 80 * lamp)
        seen = seen + np.where(away < 5, 200, np.maximum(0, 60 - 3 * away)).astype(np.int16)
    return np.clip(seen, 0, 255).astype(np.uint8)
