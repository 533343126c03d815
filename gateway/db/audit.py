"""The audit's tables: entries are added, never changed; their personal parts can be removed; the head says the end."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.stored import as_stored
from gateway.db.tables import audit_entries, audit_open, audit_personal, audit_tree


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """A row of audit_entries. ``details`` is a canonical JSON object; ``leaf`` is the hash of the entry's leaf."""

    seq: int
    at_ns: int
    action: str
    outcome: str
    actor_id: str
    subject: str
    rule: str
    span: str
    from_ns: int | None
    to_ns: int | None
    span_class: int | None
    details: str
    commitment: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalRow:
    """A row of audit_personal: what an entry's commitment stands for. ``body`` is a canonical JSON object."""

    seq: int
    at_ns: int
    salt: bytes
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """An entry with its personal part, ``None`` where that was erased."""

    row: AuditRow
    personal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadRow:
    """How many entries there are, and the right edge of the tree over them."""

    size: int
    edge: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which rows are wanted; ``None`` is any."""

    actor_id: str | None = None
    subject: str | None = None
    action: str | None = None
    start_ns: int | None = None
    end_ns: int | None = None
    before_seq: int | None = None


ROW_NAMES = tuple(field.name for field in fields(AuditRow))
_AS_STORED = text(
    # Plain text, so that nothing is converted on the way: a value of a kind that was never written must be seen.
    f"SELECT {', '.join(f'a.{name}' for name in ROW_NAMES)}, p.at_ns, p.salt, p.body FROM audit_entries AS a "  # noqa: S608 - ours
    "LEFT JOIN audit_personal AS p ON p.seq = a.seq WHERE a.seq > :after ORDER BY a.seq LIMIT :limit"
)
_DETAILS = text(
    "SELECT seq, details FROM audit_entries WHERE seq > :after AND action LIKE :family ORDER BY seq LIMIT :limit"
)
_STORED = select(audit_entries, audit_personal.c.body).join_from(
    audit_entries, audit_personal, audit_personal.c.seq == audit_entries.c.seq, isouter=True
)


class AuditRows:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def head(self, *, lock: bool = False) -> HeadRow | None:
        """Return where the log ends; ``lock`` keeps others from appending."""
        query = select(audit_tree.c.size, audit_tree.c.edge).where(audit_tree.c.id == 1)
        row = (await self._connection.execute(query.with_for_update() if lock else query)).one_or_none()
        return HeadRow(size=row.size, edge=row.edge) if row is not None else None

    async def append(self, rows: Sequence[AuditRow], personal: Sequence[PersonalRow], head: HeadRow) -> None:
        """Add rows in order with their personal parts, and move the head."""
        await self._connection.execute(insert(audit_entries), [_values(row) for row in rows])
        await self._connection.execute(insert(audit_personal), [_values(row) for row in personal])
        await self._connection.execute(
            update(audit_tree).where(audit_tree.c.id == 1).values(size=head.size, edge=head.edge)
        )

    async def move_open(self, opened: dict[str, int], closed: set[str]) -> None:
        """Note which spans have begun (with the number of their first entry), after ``closed`` were taken out."""
        if closed:
            await self._connection.execute(delete(audit_open).where(audit_open.c.span.in_(closed)))
        if opened:
            await self._connection.execute(
                insert(audit_open), [{"span": span, "seq": seq} for span, seq in opened.items()]
            )

    async def newest(self, wanted: AuditFilter, *, limit: int) -> list[StoredEntry]:
        """Return the entries that match, newest first."""
        query = _STORED.order_by(audit_entries.c.seq.desc()).limit(limit)
        if wanted.actor_id is not None:
            query = query.where(audit_entries.c.actor_id == wanted.actor_id)
        if wanted.subject is not None:
            query = query.where(audit_entries.c.subject == wanted.subject)
        if wanted.action is not None:
            query = query.where(audit_entries.c.action == wanted.action)
        if wanted.start_ns is not None:
            query = query.where(audit_entries.c.at_ns >= wanted.start_ns)
        if wanted.end_ns is not None:
            query = query.where(audit_entries.c.at_ns < wanted.end_ns)
        if wanted.before_seq is not None:
            query = query.where(audit_entries.c.seq < wanted.before_seq)
        return [_stored(row) for row in await self._connection.execute(query)]

    async def by_number(self, numbers: Sequence[int]) -> dict[int, StoredEntry]:
        """Return entries by their numbers."""
        found = await self._connection.execute(_STORED.where(audit_entries.c.seq.in_(numbers)))
        return {row.seq: _stored(row) for row in found}

    async def still_open(self) -> list[StoredEntry]:
        """Return the first entry of every span that has not ended."""
        query = _STORED.join(audit_open, audit_open.c.seq == audit_entries.c.seq).order_by(audit_entries.c.seq)
        return [_stored(row) for row in await self._connection.execute(query)]

    # --- erasing personal parts

    async def personal_before(self, before_ns: int) -> int:
        """Return how many entries before an instant still have their personal part."""
        query = select(func.count()).select_from(audit_personal).where(audit_personal.c.at_ns < before_ns)
        return int((await self._connection.execute(query)).scalar_one())

    async def erase_personal(self, before_ns: int, *, limit: int) -> int:
        """Remove the personal part of at most ``limit`` entries before an instant, and return of how many."""
        oldest = (
            select(audit_personal.c.seq)
            .where(audit_personal.c.at_ns < before_ns)
            .order_by(audit_personal.c.at_ns)
            .limit(limit)
        )
        return (await self._connection.execute(delete(audit_personal).where(audit_personal.c.seq.in_(oldest)))).rowcount

    # --- as it is stored, for whoever checks it

    async def stored_after(self, seq: int, *, limit: int) -> list[tuple[Any, ...]] | None:
        """Return rows with their personal parts (time, salt, body or three times null) in order, just as stored.

        ``None`` where the database cannot make anything of what is stored there.
        """
        return await as_stored(self._connection, _AS_STORED, {"after": seq, "limit": limit})

    async def stored_details(self, family: str, after: int, *, limit: int) -> list[tuple[Any, ...]] | None:
        """Return number and details of what happened whose names begin with ``family.``, in order, just as stored.

        ``None`` as above.
        """
        values = {"family": f"{family}.%", "after": after, "limit": limit}
        return await as_stored(self._connection, _DETAILS, values)

    async def stored_head(self) -> tuple[Any, Any] | None:
        """Return size and edge just as stored."""
        row = (await self._connection.execute(text("SELECT size, edge FROM audit_tree WHERE id = 1"))).one_or_none()
        return (row[0], row[1]) if row is not None else None

    async def stored_open(self) -> list[tuple[Any, ...]] | None:
        """Return which spans are said to be open, each with the number of its first entry; ``None`` as above."""
        return await as_stored(self._connection, text("SELECT span, seq FROM audit_open"), {})

    async def personal_parts(self) -> int:
        """Return how many personal parts there are, with or without an entry."""
        return int((await self._connection.execute(select(func.count()).select_from(audit_personal))).scalar_one())


def _values(row: AuditRow | PersonalRow) -> dict[str, object]:
    return {field.name: getattr(row, field.name) for field in fields(row)}


def _stored(row: Row[Any]) -> StoredEntry:
    values = row._asdict()
    body = values.pop("body")
    return StoredEntry(row=AuditRow(**values), personal=body)
