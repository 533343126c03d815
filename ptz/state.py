"""What everybody may see of a head."""

from dataclasses import dataclass

from kernel.errors import SightlineError
from kernel.head import Position


@dataclass(frozen=True, slots=True)
class HeadState:
    """What everybody may see of a head."""

    position: Position | None = None
    moving: bool = False
    presets_only: bool = False
    fault: SightlineError | None = None
    wall_ns: int = 0
