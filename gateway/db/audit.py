"""The audit table: rows are added, never changed; the head row says where the chain ends."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, fields

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.tables import audit, audit_head


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """A row of audit. ``details`` is a canonical JSON object."""

    seq: int
    at_ns: int
    action: str
    outcome: str
    actor_id: str
    actor: str
    address: str
    subject: str
    details: str
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which rows are wanted; ``None`` is any."""

    actor_id: str | None = None
    subject: str | None = None
    action: str | None = None
    start_ns: int | None = None
    end_ns: int | None = None
    before_seq: int | None = None


class AuditRows:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def head(self, *, lock: bool = False) -> tuple[int, str] | None:
        """Return the newest sequence number and hash that were stored; ``lock`` keeps others from appending."""
        query = select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.id == 1)
        row = (await self._connection.execute(query.with_for_update() if lock else query)).one_or_none()
        return (int(row.seq), str(row.hash)) if row is not None else None

    async def append(self, rows: list[AuditRow]) -> None:
        """Add rows in order and move the head to the last."""
        await self._connection.execute(
            insert(audit), [{field.name: getattr(row, field.name) for field in fields(row)} for row in rows]
        )
        await self._connection.execute(
            update(audit_head).where(audit_head.c.id == 1).values(seq=rows[-1].seq, hash=rows[-1].hash)
        )

    async def newest(self, wanted: AuditFilter, *, limit: int) -> list[AuditRow]:
        """Return the rows that match, newest first."""
        query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if wanted.actor_id is not None:
            query = query.where(audit.c.actor_id == wanted.actor_id)
        if wanted.subject is not None:
            query = query.where(audit.c.subject == wanted.subject)
        if wanted.action is not None:
            query = query.where(audit.c.action == wanted.action)
        if wanted.start_ns is not None:
            query = query.where(audit.c.at_ns >= wanted.start_ns)
        if wanted.end_ns is not None:
            query = query.where(audit.c.at_ns < wanted.end_ns)
        if wanted.before_seq is not None:
            query = query.where(audit.c.seq < wanted.before_seq)
        return [AuditRow(**row._asdict()) for row in await self._connection.execute(query)]

    async def in_order(self) -> AsyncIterator[AuditRow]:
        """Yield every row from the first, without holding them all."""
        async with self._connection.stream(select(audit).order_by(audit.c.seq)) as result:
            async for row in result:
                yield AuditRow(**row._asdict())
