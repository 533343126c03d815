"""What of cameras and units needs a person today, and how much of a month each was there (docs/design/health.md)."""

import asyncio
import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api.errors import BadRequestError
from gateway.api.guard import Awake, needs
from gateway.api.rooms import Rooms, The
from gateway.api.times import iso, iso_or_none
from gateway.fleet.cameras import Camera
from gateway.fleet.hosts import HostError
from gateway.health import urgency
from gateway.health.availability import LOSSES, Figures, Month, figures, month_of
from gateway.health.urgency import Kind, Urgency
from kernel.clock import NS_PER_S
from kernel.ids import StreamName
from kernel.media import GapCause

router = APIRouter(prefix="/api/v1", tags=["health"])

AT_ONCE = 8
"""Catalogs that are asked at the same time."""

MonthName = Annotated[
    str, Query(pattern=r"^(19[7-9]\d|20\d\d|21\d\d)-(0[1-9]|1[0-2])$", description="Calendar month in UTC, as 2026-05")
]


class PutOffModel(BaseModel):
    """Who had a need wait, since when, until when and why; ``until`` is null where that is until it is over."""

    by: str
    at: str
    until: str | None
    reason: str


class Need(BaseModel):
    """One thing that a person has to see to: at which camera or unit, why, since when, and what is to be done.

    Of a unit, the camera is the first that it carries and one may see; null, as is its number, where it carries none.
    """

    camera: str | None
    number: int | None
    name: str
    """The camera's; empty where there is none."""
    unit: str | None
    """The label of the unit that it is about, where it is about one."""
    kind: Kind
    urgency: Urgency
    cause: str
    since: str
    cure: str
    put_off: PutOffModel | None


class Needs(BaseModel):
    """Everything, the most urgent first; ``looked`` is when that was judged, null before it ever was."""

    looked: str | None
    needs: list[Need]


class CameraMonth(BaseModel):
    """A camera's main stream in a month. All in seconds; ``availability`` is null where there is nothing to judge."""

    camera: str
    number: int
    name: str
    availability: float | None
    """What of the time that should have been recorded was: 0 to 1. Privacy and retention do not count against it."""
    recorded_s: float
    lost_s: dict[GapCause, float]
    withheld_s: float
    unknown_s: float
    """Of which retention has taken what told of it, or of which nothing tells."""


class Availability(BaseModel):
    """A month until its end or now, of every camera that one may see recordings of, by number."""

    month: str
    start: str
    end: str
    cameras: list[CameraMonth]
    unreached: list[str]
    """Cameras whose host did not answer."""


@router.get("/health", **needs(Permission.VIEW_LIVE, room=True))
async def health(who: Awake, the: The) -> Needs:
    """Return what of the cameras and units that one may see needs a person, by urgency."""
    return Needs(looked=iso_or_none(the.ward.looked_ns), needs=need_models(the, who, the.ward.needs))


def need_models(the: Rooms, who: Identity, all_needs: Iterable[urgency.Need]) -> list[Need]:
    """Return needs as the API tells them: of cameras that one may see, and their units; to who enrols, of all units."""
    cameras = {camera.id: camera for camera in _visible(the, who, Permission.VIEW_LIVE)}
    enrols = the.decider.rights(who).rule(Permission.ENROL) is not None
    told = []
    for one in all_needs:
        camera = next((cameras[each] for each in one.cameras if each in cameras), None)
        if camera is not None or (one.whose.unit and enrols):
            told.append(_need(the, one, camera))
    return told


def _need(the: Rooms, one: urgency.Need, camera: Camera | None) -> Need:
    put_off = the.ward.put_off_of(one)
    return Need(
        camera=camera.id if camera is not None else None,
        number=camera.number if camera is not None else None,
        name=camera.name if camera is not None else "",
        unit=one.whose.unit or None,
        kind=one.kind,
        urgency=one.urgency,
        cause=one.cause,
        since=iso(one.since_ns or 0),  # the ward knows it of each
        cure=one.cure,
        put_off=PutOffModel(
            by=put_off.by_name, at=iso(put_off.at_ns), until=iso_or_none(put_off.until_ns), reason=put_off.reason
        )
        if put_off is not None
        else None,
    )


@router.get("/health/availability", **needs(Permission.VIEW_RECORDED, room=True))
async def availability(who: Awake, the: The, month: MonthName) -> Availability:
    """Return how much of a month's footage of each camera is there, and to what the rest was lost."""
    moment = datetime.strptime(month, "%Y-%m")  # noqa: DTZ007 - two numbers
    span, now_ns = month_of(moment.year, moment.month), the.clock.wall_ns()
    if span.start_ns >= now_ns:
        raise BadRequestError("That month has not begun.", cure="Ask for this one, or one that is over.")
    span = Month(start_ns=span.start_ns, end_ns=min(span.end_ns, now_ns))
    slots = asyncio.Semaphore(AT_ONCE)
    cameras = _visible(the, who, Permission.VIEW_RECORDED)
    found = await asyncio.gather(*(_figures(the, camera, span, slots) for camera in cameras))
    pairs = list(zip(cameras, found, strict=True))
    return Availability(
        month=month,
        start=iso(span.start_ns),
        end=iso(span.end_ns),
        cameras=[_of_camera(camera, known) for camera, known in pairs if known is not None],
        unreached=[camera.id for camera, known in pairs if known is None],
    )


@router.get(
    "/health/availability.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    **needs(Permission.VIEW_RECORDED, room=True),
)
async def availability_table(who: Awake, the: The, month: MonthName) -> Response:
    """Return the same as a table (RFC 4180), with a line for each camera, also for those whose host did not answer."""
    report = await availability(who, the, month)
    told = io.StringIO()
    table = csv.writer(told)
    causes = [cause.value for cause in LOSSES]
    table.writerow(
        ["number", "name", "camera", "availability", "recorded_s"]
        + [f"lost_{cause}_s" for cause in causes]
        + ["withheld_s", "unknown_s"]
    )
    for one in report.cameras:
        share = "" if one.availability is None else f"{one.availability:.6f}"
        lost = [one.lost_s.get(cause, 0.0) for cause in LOSSES]
        row = [one.number, _plain(one.name), one.camera, share, one.recorded_s, *lost, one.withheld_s, one.unknown_s]
        table.writerow(row)
    for camera in (the.fleet.camera(unreached) for unreached in report.unreached):
        table.writerow([camera.number, _plain(camera.name), camera.id] + [""] * (len(causes) + 4))
    name = f"availability-{month}.csv"
    return Response(
        told.getvalue(), media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _plain(name: str) -> str:
    """Return a name that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


def _visible(the: Rooms, who: Identity, permission: Permission) -> list[Camera]:
    seen = the.decider.rights(who).cameras(permission)
    return [camera for camera in the.fleet.cameras() if seen is None or camera.id in seen]


async def _figures(the: Rooms, camera: Camera, span: Month, slots: asyncio.Semaphore) -> Figures | None:
    """Return a camera's figures; ``None`` where its host does not answer."""
    # Before it was enrolled nothing was asked of it.
    start_ns = max(span.start_ns, camera.enrolled_ns)
    if start_ns >= span.end_ns:
        return figures((), (), start_ns=span.end_ns, end_ns=span.end_ns)
    async with slots:
        try:
            known = await the.fleet.host_of(camera).timeline(camera.id, StreamName.MAIN, start_ns, span.end_ns)
        except HostError:
            return None
    return figures(known.spans, known.gaps, start_ns=start_ns, end_ns=span.end_ns)


def _of_camera(camera: Camera, known: Figures) -> CameraMonth:
    return CameraMonth(
        camera=camera.id,
        number=camera.number,
        name=camera.name,
        availability=known.share,
        recorded_s=known.recorded_ns / NS_PER_S,
        lost_s={cause: lost_ns / NS_PER_S for cause, lost_ns in known.lost_ns.items()},
        withheld_s=known.withheld_ns / NS_PER_S,
        unknown_s=known.unknown_ns / NS_PER_S,
    )
