"""Who saw what, when: spans of time that overlap another, found by index however long the log is.

An index by where a span begins does not say where it ends: a span that overlaps may have begun at any time before. So
spans stand in the index by their class of length first (class N: less than 2**N seconds). Within a class it is known
how far back to look, and about half of what is looked at there overlaps. Spans that have not ended are few and in a
table of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.audit import AuditRows, StoredEntry
from gateway.db.tables import audit_entries, audit_open
from kernel.clock import NS_PER_S

CLASSES = range(35)
"""Every length that 64 bits of nanoseconds can say."""


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
        parts = [self._of_class(asked, number, limit) for number in CLASSES]
        parts.append(self._open(asked, limit))
        pages = [part.subquery(f"part_{number}") for number, part in enumerate(parts)]
        found = union_all(*(select(page.c.from_ns, page.c.seq) for page in pages)).subquery("found")
        query = select(found.c.seq).order_by(found.c.from_ns.desc(), found.c.seq.desc()).limit(limit)
        numbers: Sequence[int] = (await self._connection.execute(query)).scalars().all()
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
        newest = (
            select(audit_entries.c.seq)
            .where(audit_entries.c.actor_id == known.c.id)
            .order_by(audit_entries.c.at_ns.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = select(known.c.id, newest.label("seq")).where(known.c.id.is_not(None))
        rows = (await self._connection.execute(query)).all()
        entries = await AuditRows(self._connection).by_number([row.seq for row in rows])
        return [(row.id, entries[row.seq].personal) for row in rows]

    def _of_class(self, asked: SeenQuestion, number: int, limit: int) -> Select[tuple[int, int]]:
        furthest_ns = max(-1, asked.start_ns - (NS_PER_S << number))
        overlaps = [
            audit_entries.c.span_class == number,
            audit_entries.c.from_ns > furthest_ns,
            audit_entries.c.from_ns < asked.end_ns,
            # What lasted no time at all counts where it happened at the start.
            or_(audit_entries.c.to_ns > asked.start_ns, audit_entries.c.from_ns >= asked.start_ns),
        ]
        return _page(select(audit_entries.c.from_ns, audit_entries.c.seq).where(*overlaps), asked, limit)

    def _open(self, asked: SeenQuestion, limit: int) -> Select[tuple[int, int]]:
        query = select(audit_entries.c.from_ns, audit_entries.c.seq).join_from(
            audit_entries, audit_open, audit_open.c.seq == audit_entries.c.seq
        )
        wanted = (audit_entries.c.action.in_(sorted(asked.actions)), audit_entries.c.from_ns < asked.end_ns)
        return _page(query.where(*wanted), asked, limit)


def _page(query: Select[tuple[int, int]], asked: SeenQuestion, limit: int) -> Select[tuple[int, int]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.camera is not None:
        conditions.append(audit_entries.c.subject == asked.camera)
    if asked.person is not None:
        conditions.append(audit_entries.c.actor_id == asked.person)
    if asked.before is not None:
        from_ns, seq = asked.before
        conditions += [
            audit_entries.c.from_ns <= from_ns,
            or_(audit_entries.c.from_ns < from_ns, and_(audit_entries.c.from_ns == from_ns, audit_entries.c.seq < seq)),
        ]
    return query.where(*conditions).order_by(audit_entries.c.from_ns.desc(), audit_entries.c.seq.desc()).limit(limit)
