"""The field of view, measured: do moves in the FOV space go where they should, and how wide does the lens see?

A known turn shifts the picture by a share of its width that only the field of view decides: tan(turn) = shift times
tan(hfov / 2). Both come out of the same pair of snapshots.
"""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from drivers.errors import CameraFaultError
from drivers.onvif.head import OnvifHead
from drivers.onvif.quirks import Quirks
from drivers.onvif.sight import Shift, shift_between
from kernel.head import Axis, HeadAbilities, Position

log = structlog.get_logger()

MIDDLE = 0.5
"""Where between the ends the second measurement is made: going all the way takes zooms many seconds."""
STEP = 0.16
"""The trial move, in half widths of the picture."""
TRUE_WITHIN = 0.25
"""A FOV move is true if it shifts the picture by its share, give or take this much."""


@dataclass(frozen=True, slots=True)
class _Look:
    shift: Shift
    turned: Position
    tilt: float


@dataclass(slots=True, kw_only=True)
class LensTrial:
    """Looks through the lens of one head."""

    head: OnvifHead
    quirks: Quirks
    fov_offered: bool
    snapshot: Callable[[], Awaitable[bytes | None]]
    go: Callable[[Position], Awaitable[Position]]
    settle: Callable[[], Awaitable[Position]]

    async def run(self, start: Position) -> HeadAbilities:
        """Return the abilities with what was found out about FOV moves and the lens."""
        abilities = self.head.abilities
        if not abilities.absolute or Axis.PAN not in abilities.axes:
            if self.fov_offered:
                self.quirks.note("Moves in the field of view are offered and could not be tried.")
            return abilities
        wide = await self._look(replace(start, zoom=0.0) if Axis.ZOOM in abilities.axes else start)
        if wide is None:
            if self.fov_offered:
                self.quirks.note("Moves in the field of view are offered and could not be tried: no clear snapshot.")
            return abilities
        true = self.fov_offered and abs(wide.shift.right / -STEP - 1.0) <= TRUE_WITHIN
        log.info("head.fov_tried", asked=STEP, seen=round(-wide.shift.right, 3), true=true)
        if self.fov_offered and not true:
            self.quirks.learn("fov-untrue")
        abilities = replace(abilities, fov_relative=true)
        wide_deg = self._hfov_deg(wide, abilities)
        if wide_deg is None:
            return abilities
        if Axis.ZOOM not in abilities.axes:
            return replace(abilities, hfov_deg=(round(wide_deg, 2), round(wide_deg, 2)))
        narrow = await self._look(replace(start, zoom=MIDDLE)) if self.fov_offered else None
        narrow_deg = self._hfov_deg(narrow, abilities) if narrow is not None else None
        if narrow_deg is None or narrow_deg > wide_deg:
            return abilities
        # Focal length grows exponentially with generic zoom, as zoom lenses do: the long end lies on the same curve.
        tele_deg = wide_deg * (narrow_deg / wide_deg) ** (1.0 / MIDDLE)
        return replace(abilities, hfov_deg=(round(wide_deg, 2), round(tele_deg, 2)))

    async def _look(self, base: Position) -> _Look | None:
        """Go to ``base``, take a picture, turn a little to the right, take another."""
        here = await self.go(base)
        before = await self.snapshot()
        if before is None:
            return None
        if self.fov_offered:
            try:
                await self.head.move_in_view(STEP, 0.0)
            except CameraFaultError:
                self.quirks.learn("fov-untrue")
                return None
            there = await self.settle()
        else:
            there = await self.go(replace(here, pan=here.pan + (0.02 if here.pan < 0.9 else -0.02)))
        after = await self.snapshot()
        shift = await shift_between(before, after) if after is not None else None
        if shift is None or not (shift.sure or _agrees(shift)) or abs(shift.right) < STEP / 8:
            log.info("head.picture_unclear", shift=shift)
            return None
        return _Look(shift, Position(there.pan - here.pan, there.tilt - here.tilt, 0.0), here.tilt)

    def _hfov_deg(self, look: _Look, abilities: HeadAbilities) -> float | None:
        """Return the horizontal field of view, where the head tells its range in degrees."""
        if abilities.pan_deg is None or abilities.tilt_deg is None:
            return None
        low, high = abilities.pan_deg
        turn = abs(look.turned.pan) / 2.0 * (high - low)
        tilt_low, tilt_high = abilities.tilt_deg
        tilt = tilt_low + (look.tilt + 1.0) / 2.0 * (tilt_high - tilt_low)
        # Looking down, a turn moves the middle of the picture along a smaller circle.
        across = math.tan(math.radians(turn)) * math.cos(math.radians(tilt))
        hfov = math.degrees(2.0 * math.atan(across / abs(look.shift.right)))
        return hfov if 0.5 < hfov < 179.0 else None


def _agrees(shift: Shift) -> bool:
    """Say whether a faint peak lies exactly where a true move would put it: it is no coincidence then."""
    return abs(shift.up) < STEP / 8 and abs(-shift.right / STEP - 1.0) < 0.1
