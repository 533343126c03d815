"""Click to centre and drag a box to zoom, by the geometry of a perspective picture.

Picture coordinates: ``right`` and ``up`` from -1 to +1 are half the width and height from the centre, as in ONVIF's
FOV translation space (PTZ service specification, section 5.7.2.2).
"""

import math
from dataclasses import dataclass

from kernel.head import HeadAbilities, Position
from ptz.errors import AimError

ASPECT = 9.0 / 16.0
"""Height by width of the pictures heads are sold with; the error for 4:3 is a third of the vertical angle."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """What must be known to turn pixels into degrees and degrees into generic positions."""

    pan_deg: tuple[float, float]
    tilt_deg: tuple[float, float]
    hfov_deg: tuple[float, float]

    @classmethod
    def of(cls, abilities: HeadAbilities) -> "Geometry | None":
        """Return the geometry of a head that told all of it, else ``None``."""
        if abilities.pan_deg is None or abilities.tilt_deg is None or abilities.hfov_deg is None:
            return None
        return cls(abilities.pan_deg, abilities.tilt_deg, abilities.hfov_deg)

    def degrees(self, position: Position) -> tuple[float, float]:
        """Return (pan, tilt) in degrees."""
        return _scale(position.pan, self.pan_deg), _scale(position.tilt, self.tilt_deg)

    def hfov(self, zoom: float) -> float:
        """Return the horizontal field of view in degrees at ``zoom`` 0..1."""
        wide, tele = self.hfov_deg
        return float(wide * (tele / wide) ** max(0.0, min(1.0, zoom)))

    def zoom_for(self, hfov_deg: float) -> float:
        """Return the zoom 0..1 whose field of view is nearest ``hfov_deg``."""
        wide, tele = self.hfov_deg
        if wide == tele:
            return 0.0
        return max(0.0, min(1.0, math.log(hfov_deg / wide) / math.log(tele / wide)))

    def generic(self, pan: float, tilt: float, zoom: float) -> Position:
        """Return the generic position of an aim in degrees, within the head's limits.

        A head whose pan covers the full circle goes the way its numbers go: 190 degrees is -170.
        """
        low, high = self.pan_deg
        if not low <= pan <= high:
            pan = next((turned for turned in (pan - 360.0, pan + 360.0) if low <= turned <= high), pan)
        return Position(_unscale(pan, self.pan_deg), _unscale(tilt, self.tilt_deg), max(0.0, min(1.0, zoom)))


def _scale(value: float, span: tuple[float, float]) -> float:
    return span[0] + (value + 1.0) / 2.0 * (span[1] - span[0])


def _unscale(degrees: float, span: tuple[float, float]) -> float:
    if span[0] == span[1]:
        return 0.0
    return max(-1.0, min(1.0, (degrees - span[0]) / (span[1] - span[0]) * 2.0 - 1.0))


def look_at(pan_deg: float, tilt_deg: float, hfov_deg: float, right: float, up: float) -> tuple[float, float]:
    """Return the (pan, tilt) in degrees that brings a point of the present picture to its centre.

    The ray through the pixel is turned by tilt about the horizontal axis, then by pan about the vertical one.
    """
    half = math.tan(math.radians(hfov_deg) / 2.0)
    x, y = right * half, up * half * ASPECT
    tilt = math.radians(tilt_deg)
    forward = math.cos(tilt) - y * math.sin(tilt)
    height = math.sin(tilt) + y * math.cos(tilt)
    turn = math.degrees(math.atan2(x, forward))
    return pan_deg + turn, math.degrees(math.atan2(height, math.hypot(x, forward)))


def target_of(abilities: HeadAbilities, at: Position | None, right: float, up: float) -> Position:
    """Return the position from which a clicked point is seen in the centre.

    Raises:
        AimError: the head told too little of itself.
    """
    geometry = Geometry.of(abilities)
    if geometry is None or at is None:
        raise _unable()
    pan, tilt = geometry.degrees(at)
    pan, tilt = look_at(pan, tilt, geometry.hfov(at.zoom), right, up)
    return geometry.generic(pan, tilt, at.zoom)


def _unable() -> AimError:
    return AimError(
        "This head cannot turn to a point of the picture.", cure="Steer it with the stick or recall a preset."
    )


def centre_on(abilities: HeadAbilities, at: Position | None, right: float, up: float) -> Position:
    """Return the absolute position that centres a clicked point.

    Raises:
        AimError: as :func:`target_of`; also where the head cannot move to a position.
    """
    if not abilities.absolute:
        raise _unable()
    return target_of(abilities, at, right, up)


def frame_box(abilities: HeadAbilities, at: Position | None, box: tuple[float, float, float, float]) -> Position:
    """Return the position that fills the picture with a box (x0, y0, x1, y1; 0..1 from the top left).

    Raises:
        AimError: as :func:`centre_on`; also for a box of less than a hundredth of the picture's width and height.
    """
    x0, y0, x1, y1 = box
    left, right_edge = sorted((x0, x1))
    top, bottom = sorted((y0, y1))
    share = max(right_edge - left, bottom - top)
    if share < 0.01:
        raise AimError("That box is too small to zoom to.", cure="Drag a larger one, or click to centre.")
    target = centre_on(abilities, at, left + right_edge - 1.0, 1.0 - top - bottom)
    geometry = Geometry.of(abilities)
    assert geometry is not None
    assert at is not None
    half = math.tan(math.radians(geometry.hfov(at.zoom)) / 2.0) * min(1.0, share)
    return Position(target.pan, target.tilt, geometry.zoom_for(math.degrees(2.0 * math.atan(half))))
