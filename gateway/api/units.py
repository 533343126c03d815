"""Units that call in: who they are, what they last said, their certificates."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, StringConstraints

from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api import models
from gateway.api.concerns import Concern, concerns_of
from gateway.api.errors import UnitsOffError
from gateway.api.guard import Awake, actor, needs
from gateway.api.hands import moving
from gateway.api.rooms import Rooms, The
from gateway.api.times import End, Start, iso, iso_or_none, span_ns
from gateway.audit.events import Action, AuditEvent, Detail
from gateway.db.units import UnitRow
from gateway.fleet.cameras import Camera
from gateway.tended import battery_hours
from gateway.units import Cause, Link, Refusal, Stored, Units
from gateway.units.errors import UnknownCertificateError, UnknownUnitError, UnlistedError
from gateway.units.order import heard_ns
from gateway.units.register import ADDRESS
from gateway.units.report import Value
from gateway.units.trends import thinned

router = APIRouter(prefix="/api/v1", tags=["units"])

Label = Annotated[str, Field(min_length=1, max_length=32)]
Serial = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[0-9a-f]+$")]
Urn = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
Budget = Annotated[int, Field(ge=0, le=2**60)]


class UnitFacts(models.Taken):
    """What people say of a unit. ``camera`` is one of the device that belongs to it."""

    model: models.Word = ""
    note: Note = ""
    camera: Annotated[str, Field(max_length=32)] | None = None
    budget_bytes: Budget | None = None
    """What its SIM may send in a calendar month."""


class NewUnit(UnitFacts):
    """A unit to be. URN and serial number of its camera are learnt from it where they are not given."""

    label: Label
    urn: Urn | None = None
    serial: models.Word = ""


class State(BaseModel):
    """The newest of one kind. ``unit_time`` is by the unit's clock, ``time`` by ours."""

    kind: str
    time: str
    unit_time: str
    values: dict[str, Value]


class RefusalModel(BaseModel):
    """What was refused, of one unit and for one cause, since the gateway started. An unknown unit has no label."""

    cause: Cause
    label: str
    count: int
    last: str
    said: str


class UnitCertificate(BaseModel):
    """A certificate of a unit."""

    serial: str
    issued: str
    expires: str
    revoked: str | None


class Forecast(BaseModel):
    """The SIM's use in this calendar month (UTC), and by its end as it goes now."""

    used_bytes: int
    by_end_bytes: int | None
    budget_bytes: int | None
    exhausted: str | None


class Unit(BaseModel):
    """A unit as the list shows it."""

    label: str
    link: Link
    model: str
    serial: str
    urn: str | None
    """URN and serial number of its camera, and its state "address", are told to who enrols alone."""
    firmware: str
    note: str
    cameras: list[str]
    """Those that people have given it, or marked as deployable with its label, as far as one may see them."""
    heard: str | None
    """When it was last heard."""
    clock_offset_s: float | None
    enrolled: str
    retired: str | None
    states: list[State]
    battery_hours: float | None
    """For how many hours its battery lasts, as it has gone in the last ones; null: it is charged, or not known."""
    data: Forecast
    certificate_ends: str | None
    """When the last of its certificates ends that are good; null: it has none, and nothing is taken of it."""
    concerns: list[Concern]
    """What of it needs a person now, the most urgent first: as health tells it."""


class OneUnit(Unit):
    """A unit with its certificates, and what was refused of it."""

    certificates: list[UnitCertificate]
    refusals: list[RefusalModel]


class UnitList(BaseModel):
    """The units that one may see; what was refused of them and, for who enrols, of anybody."""

    units: list[Unit]
    refusals: list[RefusalModel]


class Point(BaseModel):
    """A point of a trend."""

    time: str
    values: dict[str, Value]


class Certificate(BaseModel):
    """A certificate with its key: this is the only time that it is shown. PEM."""

    serial: str
    expires: str
    certificate: str
    key: str
    authority: str
    """By which the unit knows the broker."""


@router.get("/units", **needs(Permission.VIEW_LIVE, room=True))
async def units(who: Awake, the: The) -> UnitList:
    """Return the units whose cameras one may see, by label; for who enrols, every one."""
    room, enrols = _room(the), _enrols(the, who)
    seen = the.decider.rights(who).cameras(Permission.VIEW_LIVE)
    # All at once: to ask of each unit which cameras are its own takes a look at every camera for each.
    carried = the.belonging.of_all() if the.belonging is not None else {}
    theirs: dict[str, list[str]] = {
        row.label: [one.id for one in carried.get(row.label, ()) if seen is None or one.id in seen]
        for row in room.register.units()
    }
    shown = [row for row in room.register.units() if enrols or theirs[row.label]]
    labels = {row.label for row in shown}
    refusals = [one for one in room.refusals.all() if enrols or one.label in labels]
    return UnitList(
        units=[_unit(the, row, theirs[row.label], carried.get(row.label, ()), enrols=enrols) for row in shown],
        refusals=[_refusal(one, enrols=enrols) for one in refusals],
    )


@router.get("/units/{label}", **needs(Permission.VIEW_LIVE, room=True))
async def unit(label: Label, who: Awake, the: The) -> OneUnit:
    """Return one unit."""
    return _one(the, who, seen(the, who, label))


@router.get("/units/{label}/trend", **needs(Permission.VIEW_LIVE, room=True))
async def trend(label: Label, kind: Label, start: Start, end: End, who: Awake, the: The) -> list[Point]:
    """Return what a unit said of battery, signal, temperature or data, a point a minute at most, for 31 days.

    Where there are many, those are left out that draw nothing: at most 502 are told for each value, and of each 250th
    of the time the lowest and the highest.
    """
    row = seen(the, who, label)
    from_ns, to_ns = span_ns(start, end)
    points = await _room(the).register.trend(row.label, f"state/{kind}", from_ns=from_ns, to_ns=to_ns)
    return [
        Point(time=iso(one.at_ns), values=dict(one.values)) for one in thinned(points, from_ns=from_ns, to_ns=to_ns)
    ]


@router.post("/units", status_code=201, **needs(Permission.ENROL, room=True))
async def enrol(wish: NewUnit, request: Request, who: Awake, the: The) -> OneUnit:
    """Make a unit known. It calls in once it has a certificate. Its camera is one that moves from then on."""
    async with moving(the, request, who, wish.camera, wish.label):
        row = await _room(the).register.enrol(
            wish.label,
            urn=wish.urn,
            serial=wish.serial,
            model=wish.model,
            note=wish.note,
            device_id=_device(the, wish.camera),
            budget_bytes=wish.budget_bytes,
        )
    await _note(the, request, who, Action.UNIT_ENROLLED, row.label, serial=row.serial, model=row.model)
    return _one(the, who, row)


@router.put("/units/{label}", **needs(Permission.ENROL, room=True))
async def change(label: Label, wish: UnitFacts, request: Request, who: Awake, the: The) -> OneUnit:
    """Say anew what people say of a unit. Its camera is one that moves from then on."""
    room = _room(the)
    label = room.register.check_in_use(label).label
    device, camera = _device(the, wish.camera), wish.camera  # known to the fleet, hence no text of somebody
    async with moving(the, request, who, wish.camera, label):
        row = await room.register.change(
            label, model=wish.model, note=wish.note, device_id=device, budget_bytes=wish.budget_bytes
        )
    await _note(the, request, who, Action.UNIT_CHANGED, label, camera=camera, note=wish.note)
    return _one(the, who, row)


@router.post("/units/{label}/certificate", status_code=201, **needs(Permission.ENROL, room=True, step_up=True))
async def certify(label: Label, request: Request, who: Awake, the: The) -> Certificate:
    """Make a unit a certificate. Those that it has go on, so that it can be given the new one before its end."""
    room = _room(the)
    label = room.register.check_in_use(label).label
    issued = await room.credentials.issue(label)
    await _note(the, request, who, Action.UNIT_CERTIFIED, label, serial=issued.serial)
    return Certificate(
        serial=issued.serial,
        expires=iso(issued.expires_ns),
        certificate=issued.certificate,
        key=issued.key,
        authority=room.credentials.authority,
    )


@router.delete(
    "/units/{label}/certificates/{serial}", status_code=204, **needs(Permission.ENROL, room=True, step_up=True)
)
async def revoke(label: Label, serial: Serial, request: Request, who: Awake, the: The) -> None:
    """Revoke one certificate of a unit: once it has taken another, or its key was lost. One that is not good is none.

    Nothing more is taken by it from then on, and a connection that was made with it ends.
    """
    room = _room(the)
    label = room.register.unit(label).label
    try:
        if not await room.credentials.revoke(label, [serial]):
            raise UnknownCertificateError(label)
    except UnlistedError as error:
        if error.serials:
            await _note(the, request, who, Action.UNIT_CERTIFICATE_REVOKED, label, serial=serial)
        raise
    await _note(the, request, who, Action.UNIT_CERTIFICATE_REVOKED, label, serial=serial)


@router.delete("/units/{label}/camera", **needs(Permission.ENROL, room=True, step_up=True))
async def forget_camera(label: Label, request: Request, who: Awake, the: The) -> OneUnit:
    """Forget URN and serial number of a unit's camera: it was given another one, or it said one that is not its own.

    They are learnt anew from what it says next.
    """
    room = _room(the)
    before = room.register.check_in_use(label)
    row = await room.register.change(before.label, urn=None, serial="")
    await _note(the, request, who, Action.UNIT_CAMERA_FORGOTTEN, row.label, urn=before.urn, serial=before.serial)
    return _one(the, who, row)


@router.delete("/units/{label}", status_code=204, **needs(Permission.ENROL, room=True, step_up=True))
async def retire(label: Label, request: Request, who: Awake, the: The) -> None:
    """Retire a unit: its certificates are revoked, and nothing more is taken of it. What it said stays.

    Its camera is another unit's once people say so.
    """
    room = _room(the)
    before = room.register.unit(label)
    camera = next(iter(the.belonging.cameras(before.label)), None) if the.belonging is not None else None
    let_go: dict[str, Detail] = {"urn": before.urn, "serial": before.serial}
    let_go["camera"] = camera.id if camera is not None else None
    try:
        await room.register.retire(before.label)
    except UnlistedError:
        await _note(the, request, who, Action.UNIT_RETIRED, before.label, **let_go)
        raise
    await _note(the, request, who, Action.UNIT_RETIRED, before.label, **let_go)


def _room(the: Rooms) -> Units:
    if the.units is None:
        raise UnitsOffError
    return the.units


def _enrols(the: Rooms, who: Identity) -> bool:
    return the.decider.rights(who).rule(Permission.ENROL) is not None


def cameras_of(the: Rooms, who: Identity, row: UnitRow) -> list[str]:
    """Return the cameras that belong to a unit, as far as somebody may see them."""
    if the.belonging is None:
        return []
    seen = the.decider.rights(who).cameras(Permission.VIEW_LIVE)
    return [one.id for one in the.belonging.cameras(row.label) if seen is None or one.id in seen]


def sees(the: Rooms, who: Identity, row: UnitRow) -> bool:
    """Return whether somebody may see a unit: one of its cameras, or whatever is enrolled."""
    return _enrols(the, who) or bool(cameras_of(the, who, row))


def seen(the: Rooms, who: Identity, label: str) -> UnitRow:
    """Return a unit; to who may not see it, it is not there."""
    row = _room(the).register.unit(label)
    if not sees(the, who, row):
        raise UnknownUnitError(label)
    return row


def _device(the: Rooms, camera: str | None) -> str | None:
    return the.fleet.camera(camera).device_id if camera is not None else None


def told_to(the: Rooms, who: Identity, kind: str) -> bool:
    """Return whether somebody is told a kind of state: where its camera answers is a door, and for who enrols alone."""
    return kind != ADDRESS or _enrols(the, who)


def _unit(the: Rooms, row: UnitRow, cameras: list[str], carried: Sequence[Camera], *, enrols: bool) -> Unit:
    register = _room(the).register
    data = register.forecast(row.label)
    hours = battery_hours(register, row.label, now_ns=the.clock.wall_ns())
    return Unit(
        label=row.label,
        link=register.link(row.label),
        model=row.model,
        serial=row.serial if enrols else "",
        urn=row.urn if enrols else None,
        firmware=row.firmware,
        note=row.note,
        cameras=cameras,
        heard=iso_or_none(heard_ns(row.heard_ns, register.states(row.label).values())),
        clock_offset_s=register.clock_offset_s(row.label),
        enrolled=iso(row.enrolled_ns),
        retired=iso_or_none(row.retired_ns),
        states=[state(one) for name, one in sorted(register.states(row.label).items()) if enrols or name != ADDRESS],
        battery_hours=hours,
        data=Forecast(
            used_bytes=data.used_bytes,
            by_end_bytes=data.by_end_bytes,
            budget_bytes=data.budget_bytes,
            exhausted=iso_or_none(data.exhausted_ns),
        ),
        certificate_ends=iso_or_none(_room(the).credentials.ends_ns(row.label)),
        concerns=concerns_of(the, row, carried),
    )


def state(one: Stored) -> State:
    """Return the newest of one kind as it is shown."""
    return State(kind=one.name, time=iso(one.taken_ns), unit_time=iso(one.unit_ns), values=dict(one.values))


def _one(the: Rooms, who: Identity, row: UnitRow) -> OneUnit:
    room, enrols = _room(the), _enrols(the, who)
    carried = the.belonging.cameras(row.label) if the.belonging is not None else ()
    return OneUnit(
        **_unit(the, row, cameras_of(the, who, row), carried, enrols=enrols).model_dump(),
        certificates=[
            UnitCertificate(
                serial=one.serial,
                issued=iso(one.issued_ns),
                expires=iso(one.expires_ns),
                revoked=iso_or_none(one.revoked_ns),
            )
            for one in room.credentials.of(row.label)
        ],
        refusals=[_refusal(one, enrols=enrols) for one in room.refusals.of(row.label)],
    )


def _refusal(one: Refusal, *, enrols: bool) -> RefusalModel:
    # What is said of it may name addresses, and whatever a stranger typed.
    said = one.said if enrols else ""
    return RefusalModel(cause=one.cause, label=one.label, count=one.count, last=iso(one.last_ns), said=said)


async def _note(the: Rooms, request: Request, who: Identity, action: Action, label: str, **details: Detail) -> None:
    event = AuditEvent(action=action, actor=actor(request, who), subject=label, details=details)
    await the.trail.append(event)
