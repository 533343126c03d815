"""Who saw this camera between two instants? What did this person see? Answered from the audit, on screen and as CSV."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api.errors import BadRequestError
from gateway.api.guard import Who, actor, needs
from gateway.api.record import EntryModel, entry_models
from gateway.api.rooms import Rooms, The
from gateway.api.times import End, Start, iso, iso_or_none, span_ns
from gateway.audit.events import Action, AuditEvent, Detail
from gateway.audit.leaves import Entry

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])

CSV_PAGE = 1000
CSV_HEAD = (
    "from",
    "to",
    "person",
    "person id",
    "address",
    "camera number",
    "camera",
    "camera id",
    "act",
    "outcome",
    "rule",
    "reference",
    "details",
    "entry",
    "hash",
)

Camera = Annotated[str | None, Query(max_length=64, description="Identifier of a camera, also of one that is no more")]
Person = Annotated[str | None, Query(max_length=64, description="Identifier of a user or recipient, as in an entry")]


class Seen(BaseModel):
    """Acts, the latest begun first: of each its last entry, or its first while it goes on (``end`` is null).

    ``before`` asks for those after them; null where there are none.
    """

    entries: list[EntryModel]
    before: str | None


class Somebody(BaseModel):
    """Somebody whom the audit knows. The name is the newest on record, empty once it was erased."""

    id: str
    name: str


@router.get("/people", **needs(Permission.AUDIT))
async def people(the: The) -> list[Somebody]:
    """Return everybody whom the audit knows, also those who are no longer users."""
    return [Somebody(id=person, name=name) for person, name in await the.trail.people()]


@router.get("/seen", **needs(Permission.AUDIT))
async def seen(
    request: Request,
    who: Who,
    the: The,
    start: Start,
    end: End,
    camera: Camera = None,
    person: Person = None,
    before: Annotated[str | None, Query(pattern=r"^\d{1,19}\.\d{1,18}$", description="From the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Seen:
    """Return views, playback, holds of the stick, stills and exports that overlap a time. Asking is itself recorded."""
    start_ns, end_ns = _asked(request, who, the, camera, person, start, end, as_csv=False)
    after = None
    if before is not None:
        from_ns, _, seq = before.partition(".")
        after = (min(int(from_ns), 2**63 - 1), int(seq))
    found = await the.trail.seen(
        camera=camera, person=person, start_ns=start_ns, end_ns=end_ns, before=after, limit=limit
    )
    more = f"{found[-1].from_ns}.{found[-1].seq}" if len(found) == limit else None
    return Seen(entries=await entry_models(the, found), before=more)


@router.get("/seen.csv", response_class=StreamingResponse, **needs(Permission.AUDIT))
async def seen_csv(
    request: Request, who: Who, the: The, start: Start, end: End, camera: Camera = None, person: Person = None
) -> StreamingResponse:
    """Return the same, whole, as CSV (RFC 4180, UTF-8). Asking is itself recorded."""
    start_ns, end_ns = _asked(request, who, the, camera, person, start, end, as_csv=True)
    lines = _lines(the, camera=camera, person=person, start_ns=start_ns, end_ns=end_ns)
    headers = {"Content-Disposition": 'attachment; filename="seen.csv"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8; header=present", headers=headers)


def _asked(
    request: Request,
    who: Identity,
    the: Rooms,
    camera: str | None,
    person: str | None,
    start: Start,
    end: End,
    *,
    as_csv: bool,
) -> tuple[int, int]:
    """Return the range that is asked about, and record that it was."""
    if camera is None and person is None:
        raise BadRequestError("The question names neither a camera nor a person.", cure="Name one of them, or both.")
    start_ns, end_ns = span_ns(start, end)
    details: dict[str, Detail] = {"camera": camera, "user": person, "csv": as_csv}
    details |= {"start": iso(start_ns), "end": iso(end_ns)}
    the.trail.note(AuditEvent(action=Action.AUDIT_READ, actor=actor(request, who), details=details))
    return start_ns, end_ns


async def _lines(
    the: Rooms, *, camera: str | None, person: str | None, start_ns: int, end_ns: int
) -> AsyncIterator[str]:
    known = {str(one.id): (str(one.number), one.name) for one in the.fleet.cameras()}
    yield _csv([CSV_HEAD])
    after: tuple[int, int] | None = None
    while True:
        page = await the.trail.seen(
            camera=camera, person=person, start_ns=start_ns, end_ns=end_ns, before=after, limit=CSV_PAGE
        )
        if page:
            yield _csv([_cells(entry, known) for entry in page])
        if len(page) < CSV_PAGE:
            return
        after = (page[-1].from_ns or 0, page[-1].seq)


def _cells(entry: Entry, known: dict[str, tuple[str, str]]) -> tuple[str, ...]:
    number, name = known.get(entry.subject, ("", ""))
    return (
        iso_or_none(entry.from_ns) or "",
        iso_or_none(entry.to_ns) or "",
        entry.actor,
        entry.actor_id,
        entry.address,
        number,
        name,
        entry.subject,
        entry.action,
        entry.outcome,
        entry.rule,
        entry.reference,
        entry.details,
        str(entry.seq),
        entry.leaf.hex(),
    )


def _csv(rows: list[tuple[str, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([[_inert(cell) for cell in row] for row in rows])
    return out.getvalue()


def _inert(cell: str) -> str:
    """Keep a spreadsheet from taking a name for a formula: what begins like one is led by an apostrophe (OWASP)."""
    return f"'{cell}" if cell.lstrip(" ")[:1] in {"=", "+", "-", "@", "\t", "\r", "\n"} else cell
