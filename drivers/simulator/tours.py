"""A preset tour as a camera keeps it (ONVIF PTZ service specification, section 5.6)."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Spot:
    """One stop of a tour: a preset, or home where ``preset`` is empty."""

    preset: str
    speed: float = 1.0
    stay_s: float = 5.0


@dataclass(slots=True)
class Tour:
    """A round of spots. ``rounds`` 0 goes on for ever; ``state`` is Idle, Touring or Paused."""

    token: str
    name: str = ""
    spots: tuple[Spot, ...] = ()
    rounds: int = 0
    backward: bool = False
    auto_start: bool = False
    state: str = "Idle"
    at: int = field(default=0)
    """Index of the spot it goes to or stands at."""
