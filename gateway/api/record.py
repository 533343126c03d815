"""The audit trail, read and checked."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from gateway.access.permissions import Permission
from gateway.api.guard import Who, actor, needs
from gateway.api.rooms import Rooms, The
from gateway.api.times import Instant, iso, iso_or_none
from gateway.audit.events import Action, AuditEvent, Detail
from gateway.audit.leaves import Entry
from gateway.db.audit import AuditFilter
from gateway.db.stays import StayRow
from gateway.deployments.stays import place_of, stay_at
from kernel.clock import to_ns
from kernel.ids import is_id

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])

SEQ_MAX = 2**63 - 1
"""What a sequence number can be in the database."""


class EntryModel(BaseModel):
    """One entry: who, when, what, from where, for what, and by which rule.

    ``erased``: name, address, reference and what was typed were erased, as they are after ``audit.personal_days``.
    ``start`` and ``end`` say when something lasting went on; ``hash`` is that of the entry's leaf in the log's tree.
    """

    seq: int
    at: str
    action: str
    outcome: str
    actor_id: str
    actor: str
    address: str
    subject: str
    rule: str
    reference: str
    start: str | None
    end: str | None
    details: dict[str, Any]
    erased: bool
    hash: str
    stood: str | None = None
    """Where the camera that it is about stood then: its street, or its coordinates."""


class Entries(BaseModel):
    """Entries, newest first. ``before`` asks for those before them; null where there are none."""

    entries: list[EntryModel]
    before: int | None


class LogCheck(BaseModel):
    """What checking the log found. ``head`` is the root of its tree, hex."""

    sound: bool
    entries: int
    erased: int
    head: str
    problems: list[str]


@router.get("", **needs(Permission.AUDIT))
async def entries(
    request: Request,
    who: Who,
    the: The,
    actor_id: Annotated[str | None, Query(max_length=64)] = None,
    subject: Annotated[str | None, Query(max_length=64)] = None,
    action: Annotated[Action | None, Query()] = None,
    start: Annotated[Instant | None, Query()] = None,
    end: Annotated[Instant | None, Query()] = None,
    before: Annotated[int | None, Query(ge=1, le=SEQ_MAX)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Entries:
    """Return entries, newest first. Reading them is itself recorded."""
    wanted = AuditFilter(
        actor_id=actor_id,
        subject=subject,
        action=action,
        start_ns=to_ns(start) if start is not None else None,
        end_ns=to_ns(end) if end is not None else None,
        before_seq=before,
    )
    rows = await the.trail.entries(wanted, limit=limit)
    # Only what is asked here, as it was read: anything else in the address is somebody's own text.
    asked: dict[str, Detail] = {
        "actor_id": actor_id,
        "subject": subject,
        "action": action,
        "start": iso_or_none(wanted.start_ns),
        "end": iso_or_none(wanted.end_ns),
        "before": before,
    }
    told = {key: value for key, value in asked.items() if value is not None}
    the.trail.note(AuditEvent(action=Action.AUDIT_READ, actor=actor(request, who), details=told))
    return Entries(entries=await entry_models(the, rows), before=rows[-1].seq if len(rows) == limit else None)


async def entry_models(the: Rooms, entries: Sequence[Entry]) -> list[EntryModel]:
    """Return entries as the API says them, with where their cameras stood then."""
    stays = await the.stays.of_all({entry.subject for entry in entries if is_id(entry.subject)})
    return [entry_model(entry, stood=_stood(entry, stays.get(entry.subject, ()))) for entry in entries]


def _stood(entry: Entry, stays: Sequence[StayRow]) -> str | None:
    stay = stay_at(stays, entry.from_ns if entry.from_ns is not None else entry.at_ns)
    place = place_of(stay) if stay is not None else None
    if stay is None or place is None:
        return None
    return stay.street or f"{place.latitude_deg:.5f}, {place.longitude_deg:.5f}"


def entry_model(entry: Entry, *, stood: str | None = None) -> EntryModel:
    """Return an entry as the API says it."""
    return EntryModel(
        seq=entry.seq,
        at=iso(entry.at_ns),
        action=entry.action,
        outcome=entry.outcome,
        actor_id=entry.actor_id,
        actor=entry.actor,
        address=entry.address,
        subject=entry.subject,
        rule=entry.rule,
        reference=entry.reference,
        start=iso_or_none(entry.from_ns),
        end=iso_or_none(entry.to_ns),
        details=json.loads(entry.details),
        erased=entry.erased,
        hash=entry.leaf.hex(),
        stood=stood,
    )


@router.post("/verify", **needs(Permission.AUDIT))
async def verify(request: Request, who: Who, the: The) -> LogCheck:
    """Check the whole log: that no entry was altered, removed or reordered."""
    await the.trail.settled()
    report = await the.trail.verify()
    the.trail.note(
        AuditEvent(
            action=Action.AUDIT_VERIFIED,
            actor=actor(request, who),
            details={"entries": report.entries, "sound": report.sound, "head": report.head},
        )
    )
    return LogCheck(
        sound=report.sound,
        entries=report.entries,
        erased=report.erased,
        head=report.head,
        problems=list(report.problems),
    )
