"""Where a head may look: limits of its axes, and no-look zones; whom they bind, and when a picture meets them.

Angles are the head's own: 0 is the mount's forward direction and the horizon, right and up are positive. So a bearing
that is surveyed anew moves no zone. What is judged is a :class:`Reach`: everything a head may look at between two
aims. A reach is never smaller than the truth, so what does not meet it is not seen.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar, Literal, Protocol

from kernel.head import Axis, HeadAbilities, Position
from ptz.aiming import ASPECT, Geometry
from ptz.arbitration import Priority

CIRCLE_DEG = 360.0
WIDEST_DEG = 170.0
"""No lens of a head shows more; the geometry of a flat picture ends at 180."""
ROUNDING_DEG = 1e-9


class Binds(StrEnum):
    """Whom a bound binds."""

    EVERYBODY = "everybody"
    GUESTS = "guests"
    """Those outside, to whom the stick is lent."""


def _binds(whom: Binds, hand: Priority) -> bool:
    return whom is Binds.EVERYBODY or hand is Priority.GUEST


@dataclass(frozen=True, slots=True)
class Aim:
    """Where a head looks, in its own degrees. ``hfov_deg`` is ``None`` where the lens is unknown."""

    pan_deg: float
    tilt_deg: float
    hfov_deg: float | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Every aim between two: ranges of pan (which may run past 360), tilt and field of view."""

    pan_deg: tuple[float, float]
    tilt_deg: tuple[float, float]
    hfov_deg: tuple[float, float] | None

    @classmethod
    def between(cls, one: Aim, other: Aim) -> "Reach":
        """Return what may be aimed at on the way from one to the other, at whatever speed each axis goes."""
        hfov = None
        if one.hfov_deg is not None and other.hfov_deg is not None:
            hfov = _ordered(one.hfov_deg, other.hfov_deg)
        return cls(_ordered(one.pan_deg, other.pan_deg), _ordered(one.tilt_deg, other.tilt_deg), hfov)


def _ordered(one: float, other: float) -> tuple[float, float]:
    return (one, other) if one <= other else (other, one)


def extent(tilt_deg: float, hfov_deg: float) -> tuple[float, float, float]:
    """Return what a picture shows: half its range of pan, its least and its greatest tilt, in degrees.

    The rays through its corners and the middles of its upper and lower edge are turned by tilt, as in
    ``ptz.aiming.look_at``. A picture that looks down steeply shows more of the circle than its field of view.
    """
    tilt = math.radians(max(-90.0, min(90.0, tilt_deg)))
    half = math.tan(math.radians(min(hfov_deg, WIDEST_DEG)) / 2.0)
    least = 90.0
    greatest = -90.0
    pan = 0.0
    for up in (-half * ASPECT, half * ASPECT):
        forward = math.cos(tilt) - up * math.sin(tilt)
        height = math.sin(tilt) + up * math.cos(tilt)
        pan = max(pan, math.degrees(math.atan2(half, forward)) if forward > 0.0 else 180.0)
        for right in (0.0, half):
            elevation = math.degrees(math.atan2(height, math.hypot(right, forward)))
            least, greatest = min(least, elevation), max(greatest, elevation)
        if forward <= 0.0:  # the picture shows straight down, or straight up
            least, greatest = (-90.0, greatest) if tilt < 0.0 else (least, 90.0)
    return pan, least, greatest


class Rule(Protocol):
    """One thing that a reach may meet."""

    @property
    def kind(self) -> Literal["zone", "limit"]:
        """Return what it is."""
        ...

    @property
    def name(self) -> str:
        """Return what people call it: the zone's name, or the axis."""
        ...

    def met_by(self, reach: Reach, margin_deg: float) -> bool:
        """Return whether some aim of the reach comes within ``margin_deg`` of what is forbidden."""
        ...

    def covers(self, other: "Rule") -> bool:
        """Return whether it forbids, by itself, all that another forbids."""
        ...


@dataclass(frozen=True, slots=True)
class PanLimit:
    """The centre of the picture stays on an arc, clockwise from ``from_deg``."""

    from_deg: float
    width_deg: float
    kind: ClassVar[Literal["limit"]] = "limit"
    name: ClassVar[str] = "pan"

    def met_by(self, reach: Reach, margin_deg: float) -> bool:
        """Return whether the reach leaves the arc."""
        if self.width_deg >= CIRCLE_DEG:
            return False
        low, high = reach.pan_deg
        into = (low - self.from_deg - margin_deg + ROUNDING_DEG) % CIRCLE_DEG
        return into + high - low > self.width_deg - 2.0 * margin_deg + 2.0 * ROUNDING_DEG

    def covers(self, other: Rule) -> bool:
        """Return whether its arc lies within the other's."""
        if not isinstance(other, PanLimit):
            return False
        return other.width_deg >= CIRCLE_DEG or _within(
            (self.from_deg, self.width_deg), (other.from_deg, other.width_deg)
        )


@dataclass(frozen=True, slots=True)
class TiltLimit:
    """The centre of the picture stays between two tilts."""

    lower_deg: float
    upper_deg: float
    kind: ClassVar[Literal["limit"]] = "limit"
    name: ClassVar[str] = "tilt"

    def met_by(self, reach: Reach, margin_deg: float) -> bool:
        """Return whether the reach goes lower or higher."""
        low, high = reach.tilt_deg
        return low < self.lower_deg + margin_deg or high > self.upper_deg - margin_deg

    def covers(self, other: Rule) -> bool:
        """Return whether its tilts lie within the other's."""
        if not isinstance(other, TiltLimit):
            return False
        return self.lower_deg >= other.lower_deg and self.upper_deg <= other.upper_deg


def _within(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Return whether an arc, from a pan clockwise by a width, lies within another."""
    return (one[0] - other[0] + ROUNDING_DEG) % CIRCLE_DEG + one[1] <= other[1] + 2.0 * ROUNDING_DEG


def _narrowed(hfov_deg: float, margin_deg: float) -> float:
    """Return a field of view with its margin: 4 % for each degree that angles get."""
    return hfov_deg * (1.0 + 0.04 * margin_deg)


@dataclass(frozen=True, slots=True)
class ZoomLimit:
    """The field of view stays as wide as this."""

    narrowest_deg: float
    kind: ClassVar[Literal["limit"]] = "limit"
    name: ClassVar[str] = "zoom"

    def met_by(self, reach: Reach, margin_deg: float) -> bool:
        """Return whether the reach goes narrower; a lens that tells nothing may always."""
        return reach.hfov_deg is None or reach.hfov_deg[0] < _narrowed(self.narrowest_deg, margin_deg)

    def covers(self, other: Rule) -> bool:
        """Return whether it keeps the lens at least as wide."""
        return isinstance(other, ZoomLimit) and self.narrowest_deg >= other.narrowest_deg


@dataclass(frozen=True, slots=True)
class Zone:
    """A sector that is not looked into: clockwise from one pan to another, and from one tilt up to another.

    Equal pans mean the whole circle. With ``narrower_than_deg`` it may be passed with a wider field of view.
    """

    id: str
    name: str
    pan_from_deg: float
    pan_to_deg: float
    tilt_from_deg: float
    tilt_to_deg: float
    binds: Binds = Binds.EVERYBODY
    narrower_than_deg: float | None = None

    @property
    def kind(self) -> Literal["zone"]:
        """Return that it is a zone."""
        return "zone"

    @property
    def width_deg(self) -> float:
        """Return its range of pan, above 0 and at most 360."""
        return (self.pan_to_deg - self.pan_from_deg) % CIRCLE_DEG or CIRCLE_DEG

    def met_by(self, reach: Reach, margin_deg: float) -> bool:
        """Return whether some picture of the reach shows a part of it; where the lens is unknown, its centre."""
        half, low, high = 0.0, *reach.tilt_deg
        if reach.hfov_deg is not None:
            narrowest, widest = reach.hfov_deg
            if self.narrower_than_deg is not None:
                harmless = _narrowed(self.narrower_than_deg, margin_deg)
                if narrowest >= harmless:
                    return False
                widest = min(widest, harmless)
            shown = [extent(tilt, widest) for tilt in reach.tilt_deg]
            half = max(one[0] for one in shown)
            low, high = min(one[1] for one in shown), max(one[2] for one in shown)
        if high < self.tilt_from_deg - margin_deg or low > self.tilt_to_deg + margin_deg:
            return False
        start, turn = reach.pan_deg[0] - half, reach.pan_deg[1] - reach.pan_deg[0] + 2.0 * half
        begin, width = self.pan_from_deg - margin_deg, self.width_deg + 2.0 * margin_deg
        return (start - begin) % CIRCLE_DEG <= width or (begin - start) % CIRCLE_DEG <= turn

    def covers(self, other: Rule) -> bool:
        """Return whether the other lies within it, and may be passed with no narrower lens."""
        if not isinstance(other, Zone):
            return False
        around = self.width_deg >= CIRCLE_DEG or _within(
            (other.pan_from_deg, other.width_deg), (self.pan_from_deg, self.width_deg)
        )
        harmless, needed = self.narrower_than_deg, other.narrower_than_deg
        as_wide = harmless is None or (needed is not None and harmless >= needed)
        return around and as_wide and self.tilt_from_deg <= other.tilt_from_deg <= other.tilt_to_deg <= self.tilt_to_deg


@dataclass(frozen=True, slots=True)
class Limits:
    """How far the centre of the picture may go, and how narrow it may get; ``None`` is as far as the head goes."""

    binds: Binds = Binds.EVERYBODY
    left_deg: float | None = None
    right_deg: float | None = None
    lower_deg: float | None = None
    upper_deg: float | None = None
    narrowest_deg: float | None = None

    def rules(self, abilities: HeadAbilities) -> tuple[Rule, ...]:
        """Return what they forbid this head."""
        found: list[Rule] = []
        if self.left_deg is not None or self.right_deg is not None:
            low, high = abilities.pan_deg or (-180.0, 180.0)
            left = low if self.left_deg is None else self.left_deg
            right = high if self.right_deg is None else self.right_deg
            found.append(PanLimit(left, (right - left) % CIRCLE_DEG or CIRCLE_DEG))
        if self.lower_deg is not None or self.upper_deg is not None:
            lower = -math.inf if self.lower_deg is None else self.lower_deg
            upper = math.inf if self.upper_deg is None else self.upper_deg
            found.append(TiltLimit(lower, upper))
        if self.narrowest_deg is not None and Axis.ZOOM in abilities.axes:
            found.append(ZoomLimit(self.narrowest_deg))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Bounds:
    """All of one head's. ``confirmed`` is false once its camera has moved to another place."""

    limits: tuple[Limits, ...] = ()
    zones: tuple[Zone, ...] = ()
    confirmed: bool = True

    @property
    def empty(self) -> bool:
        """Return whether there are none."""
        return not self.limits and not self.zones

    def rules(self, abilities: HeadAbilities, hand: Priority) -> tuple[Rule, ...]:
        """Return what is forbidden to somebody. Bounds of another place mean nothing here."""
        if not self.confirmed:
            return ()
        limits = [rule for one in self.limits if _binds(one.binds, hand) for rule in one.rules(abilities)]
        return (*limits, *(zone for zone in self.zones if _binds(zone.binds, hand)))

    def loosened(self, after: "Bounds", abilities: HeadAbilities) -> tuple[str, ...]:
        """Return the names of what stands here and is forbidden less by others, to anybody, wherever they are of.

        Each is to be kept, or to be within one that is wider: two that only together forbid as much are not compared.
        """
        here, there = replace(self, confirmed=True), replace(after, confirmed=True)
        lost = (
            rule.name
            for hand in Priority
            for rule in here.rules(abilities, hand)
            if not any(one.covers(rule) for one in there.rules(abilities, hand))
        )
        return tuple(dict.fromkeys(lost))


def aim_of(abilities: HeadAbilities, position: Position) -> Aim | None:
    """Return a position in degrees, or ``None`` for a head that did not tell its ranges."""
    if abilities.pan_deg is None or abilities.tilt_deg is None:
        return None
    geometry = Geometry(abilities.pan_deg, abilities.tilt_deg, abilities.hfov_deg or (WIDEST_DEG, WIDEST_DEG))
    pan, tilt = geometry.degrees(position)
    return Aim(pan, tilt, geometry.hfov(position.zoom) if abilities.hfov_deg is not None else None)


def full_circle(abilities: HeadAbilities) -> bool:
    """Return whether a head turns round without an end."""
    return abilities.pan_deg is not None and abilities.pan_deg[1] - abilities.pan_deg[0] >= CIRCLE_DEG - 0.5
