"""What everybody may see of a head."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from kernel.errors import SightlineError
from kernel.head import Position


class Barring(StrEnum):
    """What a bound does to a head."""

    STOPPED = "stopped"
    RETURNED = "returned"
    """It had run past and is brought back."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Which bound holds a head back now."""

    kind: Literal["zone", "limit"]
    name: str
    """The zone's name, or the axis: pan, tilt, zoom."""
    does: Barring = Barring.STOPPED


@dataclass(frozen=True, slots=True)
class HeadState:
    """What everybody may see of a head."""

    position: Position | None = None
    moving: bool = False
    presets_only: bool = False
    fault: SightlineError | None = None
    bar: Bar | None = None
    wall_ns: int = 0
