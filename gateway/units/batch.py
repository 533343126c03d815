"""What some reports change in the register, until it is committed."""

import json
from dataclasses import dataclass, field

from gateway.db.units import StateRow, TrendRow, UnitRow, UnitRows
from gateway.units.changes import Said
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
    changes: list[Said] = field(default_factory=list)

    async def store(self, rows: UnitRows) -> None:
        """Store what it changes."""
        await rows.put_heard([self.units[label] for label in sorted(self.written)])
        await rows.put_states(self.state_rows())
        await rows.add_trends(self.trends)

    def state_rows(self) -> list[StateRow]:
        """Return the states as they are kept."""
        return [
            StateRow(
                label=label,
                kind=name,
                boot=one.boot,
                seq=one.seq,
                unit_ns=one.unit_ns,
                taken_ns=one.taken_ns,
                payload=json.dumps(dict(one.values)),
            )
            for (label, name), one in self.states.items()
        ]


def stored_in(row: StateRow) -> Stored:
    """Return the state that was kept as ``row``."""
    return Stored(
        name=row.kind,
        boot=row.boot,
        seq=row.seq,
        unit_ns=row.unit_ns,
        taken_ns=row.taken_ns,
        values=json.loads(row.payload),
    )
