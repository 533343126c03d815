"""Which of a unit's numbers never came: what a broker refused in silence, or lost, leaves a hole in them.

A unit numbers what it says from one to the next within a boot, over all its topics. What it writes where it may not is
stopped by the broker, and Mosquitto tells nobody; but the next thing that comes shows that something is missing.
Judged is only between two things that were heard since we began: before that nobody knows what came.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Known:
    """Up to where a unit was heard. ``unread``: so many were refused since, whose numbers count for nothing."""

    boot: str
    highest: int
    unread: int = 0


class Numbers:
    """Of every unit the numbers that came. One for all; bounded by who is told of: the units that are known."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def came(self, label: str, boot: str, seq: int) -> int:
        """Take in a number that came just now, and return how many before it did not."""
        known = self._known.get(label)
        if known is None or known.boot != boot:
            self._known[label] = _Known(boot, seq)
            return 0
        if seq <= known.highest:
            return 0
        self._known[label] = _Known(boot, seq)
        return max(0, seq - known.highest - 1 - known.unread)

    def unread(self, label: str) -> None:
        """Take in that something came that was refused, and counted as that: its number is unread, or not believed."""
        known = self._known.get(label)
        if known is not None:
            self._known[label] = _Known(known.boot, known.highest, known.unread + 1)
