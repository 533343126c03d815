"""What a unit needs of a person, at the unit itself: by the same judge as health's page (docs/design/health.md)."""

from collections.abc import Sequence

from pydantic import BaseModel

from gateway.api.health import PutOffModel, put_off_model
from gateway.api.rooms import Rooms
from gateway.db.units import UnitRow
from gateway.fleet.cameras import Camera
from gateway.health.need import Kind, Urgency, in_order
from gateway.health.urgency import unit_needs
from gateway.tended import unit_signs


class Concern(BaseModel):
    """One thing that a person has to see to, as health tells it."""

    kind: Kind
    urgency: Urgency
    cause: str
    cure: str
    put_off: PutOffModel | None


def concerns_of(the: Rooms, row: UnitRow, cameras: Sequence[Camera]) -> list[Concern]:
    """Return what a unit needs now, the most urgent first; one that is retired nothing. ``cameras`` are its own.

    It is judged as it stands now: who looks at units sees a lost link before health's next look.
    """
    if the.units is None or row.retired_ns is not None:
        return []
    now_ns = the.clock.wall_ns()
    found = list(unit_needs(unit_signs(the.units, the.deployments, row, cameras, now_ns=now_ns), now_ns))
    alarms = (one for one in the.ward.needs if one.kind is Kind.ALARM and one.unit.lower() == row.label.lower())
    return [
        Concern(kind=one.kind, urgency=one.urgency, cause=one.cause, cure=one.cure, put_off=put_off_model(the, one))
        for one in in_order([*found, *alarms])
    ]
