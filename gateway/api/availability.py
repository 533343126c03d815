"""How much of a month, and of each day, of each camera was recorded, and its clock (docs/design/health.md)."""

import asyncio
import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from gateway.access.groups import Standing
from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api.cameras import OneCamera
from gateway.api.errors import BadRequestError
from gateway.api.guard import Awake, needs
from gateway.api.health import visible
from gateway.api.rooms import Rooms, The
from gateway.api.times import iso, iso_or_none
from gateway.db.camera_days import CameraDay
from gateway.fleet.moving import place_of
from gateway.health.availability import LOSSES, Figures, Month, month_of
from gateway.health.days import Enrolled, Range, day_of, figures_of, removed
from kernel.clock import NS_PER_S
from kernel.ids import CameraId
from kernel.media import GapCause

router = APIRouter(prefix="/api/v1", tags=["health"])

AT_ONCE = 8
"""Catalogs that are asked at the same time."""

MonthName = Annotated[
    str, Query(pattern=r"^(19[7-9]\d|20\d\d|21\d\d)-(0[1-9]|1[0-2])$", description="Calendar month in UTC, as 2026-05")
]


class CameraTold(BaseModel):
    """Which camera is told of."""

    camera: str
    number: int
    name: str
    removed: str | None
    """When it was removed, null where it is there; its number may be another's by now."""


class CameraMonth(CameraTold):
    """A camera's main stream in a month. All in seconds; ``availability`` is null where there is nothing to judge."""

    availability: float | None
    """What of the time that should have been recorded was: 0 to 1. Privacy and retention do not count against it."""
    recorded_s: float
    lost_s: dict[GapCause, float]
    withheld_s: float
    off_s: float
    """Recording was switched off, or the camera was taken from its host: it counts neither way."""
    unknown_s: float
    """Of which retention has taken what told of it, or of which nothing tells."""


class Availability(BaseModel):
    """A month until its end or now, of every camera that one may see recordings of, by number; also of removed ones."""

    month: str
    start: str
    end: str
    cameras: list[CameraMonth]
    unreached: list[CameraTold]
    """Cameras whose host, or one of its disks, did not answer: what was not settled of them before may be unknown."""


class CameraDayModel(BaseModel):
    """A camera's main stream on a day (UTC). In seconds; null where the day is not over, or nothing was told of it."""

    day: str
    availability: float | None
    recorded_s: float | None
    lost_s: dict[GapCause, float] | None
    withheld_s: float | None
    off_s: float | None
    unknown_s: float | None
    clock_offset_s: float | None
    """The furthest that its clock was seen to be before (positive) or behind ours; null where it was not seen."""


@router.get("/health/availability", **needs(Permission.VIEW_RECORDED, room=True))
async def availability(who: Awake, the: The, month: MonthName) -> Availability:
    """Return how much of a month's footage of each camera was there, and to what the rest was lost.

    Days that are over are read from what was settled then, whether their recordings are still there or not; what is
    not settled, as today, from the catalogs.
    """
    moment = datetime.strptime(month, "%Y-%m")  # noqa: DTZ007 - two numbers
    span, now_ns = month_of(moment.year, moment.month), the.clock.wall_ns()
    if span.start_ns >= now_ns:
        raise BadRequestError("That month has not begun.", cure="Ask for this one, or one that is over.")
    span = Month(start_ns=span.start_ns, end_ns=min(span.end_ns, now_ns))
    slots = asyncio.Semaphore(AT_ONCE)
    cameras = await _judged(the, who, span)
    # Of every camera at once: nine hundred names are more than a database takes in one question.
    stored = await the.days.within(None, day_of(span.start_ns), day_of(span.end_ns - 1) + 1)

    async def of(judged: _Judged) -> Range:
        async with slots:
            days = stored.get(judged.one.camera, ())
            return await the.days.of_range(judged.one, days, span.start_ns, span.end_ns)

    pairs = list(zip(cameras, await asyncio.gather(*map(of, cameras)), strict=True))
    return Availability(
        month=month,
        start=iso(span.start_ns),
        end=iso(span.end_ns),
        cameras=[_of_camera(judged, known.figures) for judged, known in pairs if known.known],
        unreached=[judged.told for judged, known in pairs if not known.whole],
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """A camera, there still or removed within the month or after."""

    one: Enrolled
    number: int
    name: str

    @property
    def told(self) -> CameraTold:
        """Return who it is."""
        removed = iso_or_none(self.one.until_ns)
        return CameraTold(camera=self.one.camera, number=self.number, name=self.name, removed=removed)


async def _judged(the: Rooms, who: Identity, span: Month) -> list[_Judged]:
    """Return the cameras of a month whose recordings somebody may see, by number.

    One that was removed may be seen by whoever might if it stood now where, and in the group in which, it was last.
    """
    found = [
        _Judged(Enrolled(one.id, one.enrolled_ns, one.host), one.number, one.name)
        for one in visible(the, who, Permission.VIEW_RECORDED)
    ]
    for row in await the.days.past(span.start_ns):
        place = place_of(row.latitude_deg, row.longitude_deg, row.height_m)
        standing = Standing(camera=CameraId(row.camera_id), label=row.camera_group, place=place)
        if row.enrolled_ns < span.end_ns and the.decider.held_there(who, Permission.VIEW_RECORDED, standing):
            found.append(_Judged(removed(row), row.number, row.name))
    return sorted(found, key=lambda judged: judged.number)


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
        + ["withheld_s", "off_s", "unknown_s", "removed"]
    )
    for one in report.cameras:
        share = "" if one.availability is None else f"{one.availability:.6f}"
        lost = [one.lost_s.get(cause, 0.0) for cause in LOSSES]
        told_s = [one.recorded_s, *lost, one.withheld_s, one.off_s, one.unknown_s]
        table.writerow([one.number, _plain(one.name), one.camera, share, *told_s, one.removed or ""])
    told_of = {one.camera for one in report.cameras}
    for silent in (each for each in report.unreached if each.camera not in told_of):
        nothing = [""] * (len(causes) + 5)
        table.writerow([silent.number, _plain(silent.name), silent.camera, *nothing, silent.removed or ""])
    name = f"availability-{month}.csv"
    return Response(
        told.getvalue(), media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _plain(name: str) -> str:
    """Return a name that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


@router.get("/cameras/{camera_id}/health/days", **needs(Permission.VIEW_RECORDED, room=True))
async def days(
    camera: OneCamera, the: The, count: Annotated[int, Query(ge=1, le=400, description="How many days back")] = 90
) -> list[CameraDayModel]:
    """Return what became of a camera's last days, the oldest first: those of which anything is known."""
    today = day_of(the.clock.wall_ns())
    found = await the.days.within({camera.id}, today - count, today + 1)
    return [_day(one) for one in found.get(camera.id, ())]


def _day(one: CameraDay) -> CameraDayModel:
    known = figures_of(one.figures) if one.figures is not None else None
    return CameraDayModel(
        day=(date(1970, 1, 1) + timedelta(days=one.day)).isoformat(),
        availability=known.share if known is not None else None,
        recorded_s=known.recorded_ns / NS_PER_S if known is not None else None,
        lost_s={cause: lost_ns / NS_PER_S for cause, lost_ns in known.lost_ns.items()} if known is not None else None,
        withheld_s=known.withheld_ns / NS_PER_S if known is not None else None,
        off_s=known.off_ns / NS_PER_S if known is not None else None,
        unknown_s=known.unknown_ns / NS_PER_S if known is not None else None,
        clock_offset_s=one.clock_offset_s,
    )


def _of_camera(judged: _Judged, known: Figures) -> CameraMonth:
    return CameraMonth(
        **judged.told.model_dump(),
        availability=known.share,
        recorded_s=known.recorded_ns / NS_PER_S,
        lost_s={cause: lost_ns / NS_PER_S for cause, lost_ns in known.lost_ns.items()},
        withheld_s=known.withheld_ns / NS_PER_S,
        off_s=known.off_ns / NS_PER_S,
        unknown_s=known.unknown_ns / NS_PER_S,
    )
