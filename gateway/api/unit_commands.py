"""What units are told: sent once, over MQTT, and answered by the unit itself within half a minute."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api import models
from gateway.api.errors import UnitsOffError
from gateway.api.guard import Awake, actor, needs
from gateway.api.rooms import Rooms, The
from gateway.api.times import iso
from gateway.api.units import Budget, Label, seen
from gateway.audit.events import Action, AuditEvent, Outcome
from gateway.units import Told
from kernel.clock import to_ns
from kernel.errors import SightlineError

router = APIRouter(prefix="/api/v1/units/{label}", tags=["units"])


class StreamWish(models.Taken):
    """Which stream the unit is to send over the mobile network."""

    stream: Literal["main", "sub"]


class BudgetWish(models.Taken):
    """What its SIM may send in a calendar month; null: as much as it will."""

    budget_bytes: Budget | None


class CommandAnswer(BaseModel):
    """What the unit answered. ``error``, where it does not do it, is its own word; ``time`` is by its clock."""

    id: str
    ok: bool
    error: str | None
    time: str


@router.post("/locate", **needs(Permission.DEPLOY))
async def locate(label: Label, request: Request, who: Awake, the: The) -> CommandAnswer:
    """Have a unit say where it is now, and how it is heard there. What it says comes as its states."""
    return await _told(the, request, who, label, "locate")


@router.post("/reboot", **needs(Permission.DEPLOY))
async def reboot(label: Label, request: Request, who: Awake, the: The) -> CommandAnswer:
    """Have a unit start anew."""
    return await _told(the, request, who, label, "reboot")


@router.post("/stream", **needs(Permission.DEPLOY))
async def stream(label: Label, wish: StreamWish, request: Request, who: Awake, the: The) -> CommandAnswer:
    """Have a unit send its main stream, or as little as it can. Beyond its budget it refuses the main one."""
    return await _told(the, request, who, label, "stream", stream=wish.stream)


@router.post("/data-budget", **needs(Permission.ENROL, room=True))
async def data_budget(label: Label, wish: BudgetWish, request: Request, who: Awake, the: The) -> CommandAnswer:
    """Tell a unit what its SIM may send in a month. Where it takes that, the forecast is by it from then on."""
    answer = await _told(the, request, who, label, "data-budget", budget_bytes=wish.budget_bytes)
    if answer.ok and the.units is not None:
        await the.units.register.change(label, budget_bytes=wish.budget_bytes)
    return answer


async def _told(
    the: Rooms, request: Request, who: Identity, label: str, name: str, **values: str | int | None
) -> CommandAnswer:
    """Send a command, and have the audit told of it whatever comes of it."""
    row = seen(the, who, label)
    if the.commander is None:
        raise UnitsOffError
    try:
        answer = await the.commander.send(row.label, name, **values)
    except SightlineError as error:
        await _note(the, request, who, row.label, name, values, outcome=Outcome.FAILED, why=error.code)
        raise
    await _note(the, request, who, row.label, name, values, outcome=_outcome(answer), why=answer.error)
    return CommandAnswer(id=answer.id, ok=answer.ok, error=answer.error, time=iso(to_ns(answer.time)))


def _outcome(answer: Told) -> Outcome:
    return Outcome.DONE if answer.ok else Outcome.FAILED


async def _note(
    the: Rooms,
    request: Request,
    who: Identity,
    label: str,
    name: str,
    values: dict[str, str | int | None],
    *,
    outcome: Outcome,
    why: str | None,
) -> None:
    event = AuditEvent(
        action=Action.UNIT_COMMANDED,
        actor=actor(request, who),
        subject=label,
        outcome=outcome,
        details={"command": name, **values, "why": why},
    )
    await the.trail.append(event)
