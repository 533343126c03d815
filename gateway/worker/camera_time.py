"""How far a camera's clock is off ours, and how far off that may be."""

from dataclasses import dataclass, field

TOLERANCE_S = 1.0
"""A clock that has moved by more is corrected at once, which begins a new run of the recording."""


@dataclass(slots=True)
class CameraTime:
    """The offset by which one camera's sender reports are corrected."""

    offset_s: float
    """Camera's clock minus ours, as it is in use."""
    off_s: float
    """By how much the times of its pictures may be wrong for that."""
    read_s: float = field(init=False)
    """Camera's clock minus ours, as it was read last."""

    def __post_init__(self) -> None:
        """Nothing was read since the offset in use was."""
        self.read_s = self.offset_s

    def measured(self, offset_s: float, uncertainty_s: float) -> bool:
        """Take a reading; return whether another offset is in use from now on."""
        moved_s = abs(offset_s - self.offset_s)
        if moved_s > TOLERANCE_S + uncertainty_s:
            self.offset_s = self.read_s = offset_s
            self.off_s = uncertainty_s
            return True
        off_s = moved_s + uncertainty_s
        if uncertainty_s > TOLERANCE_S:
            # An answer that was long on its way says little: it takes back nothing that is known better.
            self.off_s = min(self.off_s, off_s)
        else:
            self.read_s, self.off_s = offset_s, off_s
        return False
