"""Who saw what, when: spans of time that overlap another, found by index however long the log is.

An index by where a span begins does not say where it ends: a span that overlaps may have begun at any time before. So
spans stand in the index by their class of length first (class N: less than 2**N seconds). Within a class it is known
how far back to look, and about half of what is looked at there overlaps. Spans that have not ended are few and in a
table of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import TextClause, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.audit import AuditRows, StoredEntry
from gateway.db.tables import audit_entries
from kernel.clock import NS_PER_S

CLASSES = range(35)
"""Every length that 64 bits of nanoseconds can say ..."""
FURTHEST = 33
"""... of which the last reach back to before everything, as this one does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenQuestion:
    """Whose acts, at which camera, that overlap start to end (the end itself is outside); ``None`` is any."""

    camera: str | None
    person: str | None
    start_ns: int
    end_ns: int
    actions: frozenset[str]
    """Of spans that have not ended: those in which pictures are seen."""
    before: tuple[int, int] | None = None
    """Only what comes after the span that began at this time with this entry, the last of the page before."""


class SeenRows:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def seen(self, asked: SeenQuestion, *, limit: int) -> list[StoredEntry]:
        """Return the spans, the latest begun first: of each its last entry, or its first where it has not ended."""
        values: dict[str, Any] = {
            "start_ns": asked.start_ns,
            "end_ns": asked.end_ns,
            "limit": limit,
            "actions": sorted(asked.actions),
        }
        values |= {"camera": asked.camera} if asked.camera is not None else {}
        values |= {"person": asked.person} if asked.person is not None else {}
        if asked.before is not None:
            values |= {"last_ns": asked.before[0], "last_seq": asked.before[1]}
        query = _question(asked.camera is not None, asked.person is not None, asked.before is not None)
        numbers: Sequence[int] = (await self._connection.execute(query, values)).scalars().all()
        entries = await AuditRows(self._connection).by_number(numbers)
        return [entries[seq] for seq in numbers]

    async def people(self) -> list[tuple[str, str | None]]:
        """Return everybody who has an entry: identifier, and personal part of their newest entry where it is kept."""
        # From one identifier to the next by index: there are hundreds of them among millions of entries.
        first = select(func.min(audit_entries.c.actor_id).label("id")).where(audit_entries.c.actor_id > "")
        known = first.cte("known", recursive=True)
        following = (
            select(func.min(audit_entries.c.actor_id)).where(audit_entries.c.actor_id > known.c.id).scalar_subquery()
        )
        known = known.union_all(select(following).where(known.c.id.is_not(None)))
        newest = select(func.max(audit_entries.c.seq)).where(audit_entries.c.actor_id == known.c.id).scalar_subquery()
        query = select(known.c.id, newest.label("seq")).where(known.c.id.is_not(None))
        rows = (await self._connection.execute(query)).all()
        entries = await AuditRows(self._connection).by_number([row.seq for row in rows])
        return [(row.id, entries[row.seq].personal) for row in rows]


@cache
def _question(camera: bool, person: bool, further: bool) -> TextClause:  # noqa: FBT001 - which question it is
    """Return the query: one look into the index for each class, and one at what has not ended.

    As text, made once: built anew of expressions for each question it took fifty times as long (87 ms against 2).
    """
    # What lasted no time at all counts where it happened at the start.
    ended = "e.from_ns < :end_ns AND (e.to_ns > :start_ns OR e.from_ns >= :start_ns)"
    narrowed = "".join(
        [
            " AND e.subject = :camera" if camera else "",
            " AND e.actor_id = :person" if person else "",
            " AND e.from_ns <= :last_ns AND (e.from_ns < :last_ns OR e.seq < :last_seq)" if further else "",
            " ORDER BY e.from_ns DESC, e.seq DESC LIMIT :limit",
        ]
    )
    looks = [
        f"SELECT e.from_ns, e.seq FROM audit_entries AS e WHERE e.span_class = {number} "  # noqa: S608 - ours
        f"AND e.from_ns > :start_ns - {NS_PER_S << min(number, FURTHEST)} AND {ended}{narrowed}"
        for number in CLASSES
    ]
    looks.append(
        "SELECT e.from_ns, e.seq FROM audit_open AS o JOIN audit_entries AS e ON e.seq = o.seq "  # noqa: S608 - ours
        f"WHERE e.action IN :actions AND e.from_ns < :end_ns{narrowed}"
    )
    parts = " UNION ALL ".join(f"SELECT * FROM ({look}) AS look_{number}" for number, look in enumerate(looks))  # noqa: S608
    query = f"SELECT seq FROM ({parts}) AS found ORDER BY from_ns DESC, seq DESC LIMIT :limit"  # noqa: S608 - ours
    return text(query).bindparams(bindparam("actions", expanding=True))
