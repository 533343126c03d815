"""From a wish to what is worth sending: clamped, scaled by zoom, and only when it differs."""

import math

from kernel.head import Axis, HeadAbilities, Velocity


def _clamp(value: float) -> float:
    return 0.0 if math.isnan(value) else max(-1.0, min(1.0, value))


def zoom_scale(abilities: HeadAbilities, zoom: float | None) -> float:
    """Return the share of full pan and tilt speed that looks the same at ``zoom`` 0..1 as full speed does at 0.

    A head that takes velocities in field-of-view space scales them itself. Where the lens is unknown a tenfold
    zoom is assumed, which errs on the slow side for long lenses only mildly.
    """
    if zoom is None or abilities.fov_velocity or Axis.ZOOM not in abilities.axes:
        return 1.0
    zoom = max(0.0, min(1.0, zoom))
    wide_deg, tele_deg = abilities.hfov_deg or (60.0, 6.0)
    if wide_deg <= 0.0 or tele_deg <= 0.0:
        return 1.0
    return float(min(1.0, (tele_deg / wide_deg) ** zoom))


def shape(wish: Velocity, abilities: HeadAbilities, zoom: float | None) -> Velocity:
    """Return ``wish`` clamped to -1..+1, on the axes the head has, its turning scaled by zoom."""
    scale = zoom_scale(abilities, zoom)
    axes = abilities.axes
    return Velocity(
        pan=_clamp(wish.pan) * scale if Axis.PAN in axes else 0.0,
        tilt=_clamp(wish.tilt) * scale if Axis.TILT in axes else 0.0,
        zoom=_clamp(wish.zoom) if Axis.ZOOM in axes else 0.0,
    )


def differs(new: Velocity, old: Velocity, *, change: float) -> bool:
    """Return whether ``new`` is worth a request after ``old``.

    An axis that starts, stops or turns round always is; else the largest change counts, relative to the greater of
    the two speeds so that slow, zoomed-in steering stays fine-grained.
    """
    for one, other in ((new.pan, old.pan), (new.tilt, old.tilt), (new.zoom, old.zoom)):
        if (one == 0.0) != (other == 0.0) or one * other < 0.0:
            return True
        if abs(one - other) > change * max(abs(one), abs(other)):
            return True
    return False
