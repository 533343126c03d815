"""The audit trail, read and checked."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from gateway.access.permissions import Permission
from gateway.api.guard import Who, actor, needs
from gateway.api.rooms import The
from gateway.api.times import Instant, iso
from gateway.audit.events import Action, AuditEvent
from gateway.db.audit import AuditFilter
from kernel.clock import to_ns

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])

SEQ_MAX = 2**63 - 1
"""What a sequence number can be in the database."""


class Entry(BaseModel):
    """One entry: who, when, what, from where."""

    seq: int
    at: str
    action: str
    outcome: str
    actor_id: str
    actor: str
    address: str
    subject: str
    details: dict[str, Any]
    hash: str


class Entries(BaseModel):
    """Entries, newest first. ``before`` asks for those before them; null where there are none."""

    entries: list[Entry]
    before: int | None


class ChainCheck(BaseModel):
    """What checking the chain found."""

    sound: bool
    entries: int
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
    asked = {key: value for key, value in request.query_params.items() if value}
    the.trail.note(AuditEvent(action=Action.AUDIT_READ, actor=actor(request, who), details=dict(asked)))
    return Entries(
        entries=[
            Entry(
                seq=row.seq,
                at=iso(row.at_ns),
                action=row.action,
                outcome=row.outcome,
                actor_id=row.actor_id,
                actor=row.actor,
                address=row.address,
                subject=row.subject,
                details=json.loads(row.details),
                hash=row.hash,
            )
            for row in rows
        ],
        before=rows[-1].seq if len(rows) == limit else None,
    )


@router.post("/verify", **needs(Permission.AUDIT))
async def verify(request: Request, who: Who, the: The) -> ChainCheck:
    """Check the whole chain."""
    await the.trail.settled()
    report = await the.trail.verify()
    the.trail.note(
        AuditEvent(
            action=Action.AUDIT_VERIFIED,
            actor=actor(request, who),
            details={"entries": report.entries, "sound": report.sound, "head": report.head},
        )
    )
    return ChainCheck(sound=report.sound, entries=report.entries, head=report.head, problems=list(report.problems))
