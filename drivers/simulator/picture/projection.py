"""Where a point of the town lands in the picture: a pinhole camera on a pole, no lens distortion."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Vertex = tuple[float, float, float]
NEAR_M = 0.4
"""Nothing nearer than this is drawn."""


@dataclass(frozen=True, slots=True)
class Projection:
    """One view: the camera's place in metres (east, north, up), its axes as rows, and focal length in pixels.

    Camera space is (right, up, forward) in metres. Pixels count from the picture's top left corner.
    """

    eye: Floats
    axes: Floats
    focal_px: float
    width: int
    height: int

    @classmethod
    def of(  # noqa: PLR0913 - each is a separate angle or length
        cls,
        eye: Vertex,
        *,
        bearing_deg: float,
        tilt_deg: float,
        hfov_deg: float,
        width: int,
        height: int,
    ) -> "Projection":
        """Return the view from ``eye`` along a bearing (clockwise from north) and a tilt (up from the horizon)."""
        bearing, tilt = math.radians(bearing_deg), math.radians(tilt_deg)
        sb, cb, st, ct = math.sin(bearing), math.cos(bearing), math.sin(tilt), math.cos(tilt)
        right = (cb, -sb, 0.0)
        up = (-sb * st, -cb * st, ct)
        forward = (sb * ct, cb * ct, st)
        focal = width / 2 / math.tan(math.radians(hfov_deg) / 2)
        return cls(np.array(eye, dtype=np.float64), np.array((right, up, forward)), focal, width, height)

    def scaled(self, factor: int) -> "Projection":
        """Return the same view in a picture ``factor`` times as large."""
        return Projection(self.eye, self.axes, self.focal_px * factor, self.width * factor, self.height * factor)

    def to_camera(self, points: Floats) -> Floats:
        """Return (n, 3) town points in camera space."""
        return np.asarray((points - self.eye) @ self.axes.T)

    def to_pixels(self, seen: Floats) -> Floats:
        """Return (n, 2) pixels of (n, 3) points in camera space, all of them in front of the camera."""
        depth = seen[:, 2]
        return np.stack(
            (
                self.width / 2 + self.focal_px * seen[:, 0] / depth,
                self.height / 2 - self.focal_px * seen[:, 1] / depth,
            ),
            axis=1,
        )

    def pixel(self, point: Vertex) -> tuple[float, float] | None:
        """Return the pixel of one town point, or None where it is behind the camera."""
        seen = self.to_camera(np.array([point]))
        if seen[0, 2] < NEAR_M:
            return None
        x, y = self.to_pixels(seen)[0]
        return float(x), float(y)

    @property
    def horizon_px(self) -> float:
        """Return the row of the horizon; heads do not roll, so it is level."""
        cos_tilt, sin_tilt = float(self.axes[1, 2]), float(self.axes[2, 2])
        return self.height / 2 + self.focal_px * sin_tilt / max(1e-6, cos_tilt)

    def planes(self) -> Floats:
        """Return the inward normals (4, 3) of the view's sides in camera space; all pass through the eye."""
        half_w, half_h = self.width / 2, self.height / 2
        normals = np.array(
            (
                (self.focal_px, 0.0, half_w),
                (-self.focal_px, 0.0, half_w),
                (0.0, self.focal_px, half_h),
                (0.0, -self.focal_px, half_h),
            )
        )
        return np.asarray(normals / np.linalg.norm(normals, axis=1)[:, None])

    def spheres_in_view(self, centres: Floats, radii: Floats) -> npt.NDArray[np.bool_]:
        """Return which spheres (town coordinates) touch the view."""
        seen = self.to_camera(centres)
        inside: npt.NDArray[np.bool_] = (seen @ self.planes().T > -radii[:, None]).all(axis=1) & (seen[:, 2] > -radii)
        return inside


def clip_near(seen: Floats) -> Floats:
    """Return the part of a polygon (n, 3) in camera space that lies in front of the near plane; maybe empty."""
    kept: list[Floats] = []
    for index in range(len(seen)):
        here, there = seen[index - 1], seen[index]
        if (here[2] >= NEAR_M) != (there[2] >= NEAR_M):
            part = (NEAR_M - here[2]) / (there[2] - here[2])
            kept.append(here + (there - here) * part)
        if there[2] >= NEAR_M:
            kept.append(there)
    return np.array(kept).reshape(-1, 3)
