"""What some reports change in the register, until it is committed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.db.units import StateRow, TrendRow, UnitRow, UnitRows
from gateway.units.changes import Said
from gateway.units.order import Heard
from gateway.units.report import Stored
from gateway.units.traces import Trace
from gateway.units.trends import DRAWN, Point, drawn


@dataclass(slots=True)
class Batch:
    """Keyed by label; the register adds it to what it knows once all of it is stored."""

    units: dict[str, UnitRow] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    """Units whose rows are to be written."""
    heard: dict[str, Heard] = field(default_factory=dict)
    states: dict[tuple[str, str], Stored] = field(default_factory=dict)
    trends: list[TrendRow] = field(default_factory=list)
    traces: dict[tuple[str, str], Trace] = field(default_factory=dict)
    told: list[tuple[str, str, Point]] = field(default_factory=list)
    live: list[tuple[str, str, int, int]] = field(default_factory=list)
    """What was said just now: label, boot, the unit's time and ours."""
    changes: list[Said] = field(default_factory=list)

    def tell(self, label: str, name: str, point: Point, known: Mapping[tuple[str, str], Trace]) -> None:
        """Have something be told just now; of what is drawn, keep what ``known`` does not spare."""
        self.told.append((label, name, point))
        if name not in DRAWN:
            return
        key = label, name
        trace = self.traces.get(key) or known.get(key, Trace())
        self.traces[key], kept = trace.after(name, point)
        for one in kept:
            payload = json.dumps(drawn(name, one.point.values))
            self.trends.append(TrendRow(label=label, kind=name, at_ns=one.point.at_ns, payload=payload, anew=one.anew))

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
