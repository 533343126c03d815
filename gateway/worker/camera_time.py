"""How far a camera's clock is off ours, and how far off that may be."""

from dataclasses import dataclass

TOLERANCE_S = 1.0
"""A clock that has moved by more is corrected at once, which begins a new run of the recording."""


@dataclass(slots=True)
class CameraTime:
    """The offset by which one camera's sender reports are corrected."""

    offset_s: float
    """Camera's clock minus ours, as it is in use."""
    off_s: float
    """By how much the times of its pictures may be wrong for that."""

    def measured(self, offset_s: float, uncertainty_s: float) -> bool:
        """Take a reading; return whether another offset is in use from now on."""
        moved_s = abs(offset_s - self.offset_s)
        if moved_s > TOLERANCE_S + uncertainty_s:
            self.offset_s, self.off_s = offset_s, uncertainty_s
            return True
        off_s = moved_s + uncertainty_s
        # An answer that was long on its way says little: it takes back nothing that is known better.
        self.off_s = min(self.off_s, off_s) if uncertainty_s > TOLERANCE_S else off_s
        return False
