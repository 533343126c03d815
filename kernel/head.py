"""What steering and cameras say to each other about a pan/tilt/zoom head.

Numbers are those of ONVIF's generic spaces (PTZ service specification, section 5.7): pan and tilt -1..+1 of the
head's range, zoom 0..1 of the lens's, velocities -1..+1 of the greatest speed. Right, up and in are positive.
"""

from dataclasses import dataclass
from enum import StrEnum


class Axis(StrEnum):
    """What a head can move."""

    PAN = "pan"
    TILT = "tilt"
    ZOOM = "zoom"


@dataclass(frozen=True, slots=True)
class Velocity:
    """A wish to move: shares of the greatest speed, -1..+1 on each axis."""

    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0

    @property
    def still(self) -> bool:
        """Return whether it asks for standstill."""
        return self.pan == 0.0 and self.tilt == 0.0 and self.zoom == 0.0


@dataclass(frozen=True, slots=True)
class Position:
    """Where a head points, in the generic position spaces."""

    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0


@dataclass(frozen=True, slots=True)
class HeadStatus:
    """What GetStatus told; an unknown is ``None``. ``wall_ns`` is when we asked."""

    position: Position | None
    moving: bool | None
    wall_ns: int


@dataclass(frozen=True, slots=True)
class Preset:
    """A stored position. ``token`` is the camera's."""

    token: str
    name: str
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class HeadAbilities:
    """What a head was found to do at enrolment, by trial where a claim is not proof."""

    axes: frozenset[Axis]
    continuous: bool = True
    absolute: bool = False
    relative: bool = False
    fov_relative: bool = False
    """Relative moves in the field-of-view translation space were tried and are true."""
    fov_velocity: bool = False
    status: bool = True
    stop_works: bool = True
    pulse: bool = False
    """Only its own timeout stops it: it is moved in short, refreshed pulses."""
    presets_max: int = 0
    home: bool = False
    auxiliary: tuple[str, ...] = ()
    pan_deg: tuple[float, float] | None = None
    """Degrees at pan -1 and +1, where the camera tells; 0 is the mount's forward direction."""
    tilt_deg: tuple[float, float] | None = None
    """Degrees at tilt -1 and +1, where the camera tells; 0 is the horizon, up is positive."""
    hfov_deg: tuple[float, float] | None = None
    """Horizontal field of view at zoom 0 and 1, degrees, where known."""
    presets_only: bool = False
    """Nothing stops this head: it is not steered continuously, and the operator is told."""
