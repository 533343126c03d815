"""What some reports change in the register, until it is committed."""

from dataclasses import dataclass, field

from gateway.db.units import TrendRow, UnitRow
from gateway.units.changes import Change
from gateway.units.order import Heard
from gateway.units.report import Stored
from gateway.units.trends import Point


@dataclass(slots=True)
class Batch:
    """Keyed by label; the register adds it to what it knows once all of it is stored."""

    units: dict[str, UnitRow] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    """Units whose rows are to be written."""
    heard: dict[str, Heard] = field(default_factory=dict)
    states: dict[tuple[str, str], Stored] = field(default_factory=dict)
    trends: list[TrendRow] = field(default_factory=list)
    told: list[tuple[str, str, Point]] = field(default_factory=list)
    live: list[tuple[str, str, int, int]] = field(default_factory=list)
    """What was said just now: label, boot, the unit's time and ours."""
    changes: list[Change] = field(default_factory=list)
