"""Deployments with their logs, and which devices are deployable."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.errors import ConflictError
from gateway.db.stored import as_stored
from gateway.db.tables import deployables, deployment_entries, deployment_pictures, deployments


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployableRow:
    """A device that moves."""

    urn: str
    unit: str
    marked_by: str
    marked_ns: int
    thin_link: bool = True
    """Its pictures come over a SIM that is paid for by what it carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRow:
    """A deployment; what there is to know of it is in ``record``, which is not read here."""

    id: str
    stage: str
    urn: str
    changed_ns: int
    entries: int
    record: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One line of a deployment's log."""

    deployment_id: str
    n: int
    at_ns: int
    """When it came."""
    done_ns: int
    """When it was done: a phone without a network sends later."""
    clock_offset_ms: int | None
    """How far the sender's clock was ahead (positive) or behind; ``None``: it said nothing of its time."""
    doubt: str
    """Why what the sender said of its time is not believed."""
    step: str
    user_id: str
    name: str
    said: str
    key: str | None
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRow:
    """A picture of an alarm that is kept."""

    deployment_id: str
    sha256: str
    camera: str
    seen_ns: int


_LINE = tuple(field.name for field in fields(EntryRow))
_LINES = text(f"SELECT {', '.join(_LINE)} FROM deployment_entries WHERE deployment_id = :id ORDER BY n")  # noqa: S608 - ours


class DeploymentRows:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    # --- which devices are deployable

    async def deployables(self) -> list[DeployableRow]:
        """Return every device that is."""
        return [DeployableRow(**row._asdict()) for row in await self._connection.execute(select(deployables))]

    async def mark(self, row: DeployableRow) -> None:
        """Have a device be one."""
        await self.unmark(row.urn)
        await self._connection.execute(insert(deployables).values(_values(row)))

    async def unmark(self, urn: str) -> None:
        """Have it be one no more."""
        await self._connection.execute(delete(deployables).where(deployables.c.urn == urn))

    # --- deployments

    async def add(self, row: DeploymentRow, entry: EntryRow) -> None:
        """Store a deployment with the first line of its log."""
        await self._connection.execute(insert(deployments).values(_values(row)))
        await self._connection.execute(insert(deployment_entries).values(_values(entry)))

    async def step(self, row: DeploymentRow, entry: EntryRow) -> None:
        """Store a deployment as it is after a step, with the line that says so.

        Raises:
            ConflictError: somebody else took a step, or its unit stands elsewhere.
        """
        before = (deployments.c.id == row.id) & (deployments.c.entries == row.entries - 1)
        try:
            changed = await self._connection.execute(update(deployments).where(before).values(_values(row)))
        except IntegrityError:
            raise ConflictError(
                "That unit is deployed elsewhere.", cure="Choose another, or remove it there."
            ) from None
        if not changed.rowcount:
            raise ConflictError("Somebody else has just changed that.", cure="Load it again.")
        await self._connection.execute(insert(deployment_entries).values(_values(entry)))

    async def one(self, deployment_id: str) -> DeploymentRow | None:
        """Return one."""
        query = select(deployments).where(deployments.c.id == deployment_id)
        row = (await self._connection.execute(query)).one_or_none()
        return DeploymentRow(**row._asdict()) if row is not None else None

    async def of_stages(self, stages: frozenset[str]) -> list[DeploymentRow]:
        """Return those that have come so far, the oldest first."""
        query = select(deployments).where(deployments.c.stage.in_(sorted(stages))).order_by(deployments.c.id)
        return [DeploymentRow(**row._asdict()) for row in await self._connection.execute(query)]

    async def of_devices(self, urns: Collection[str]) -> list[DeploymentRow]:
        """Return every one of these devices, the newest first."""
        query = select(deployments).where(deployments.c.urn.in_(sorted(urns))).order_by(deployments.c.id.desc())
        return [DeploymentRow(**row._asdict()) for row in await self._connection.execute(query)]

    async def newest(
        self, *, stage: str | None, urn: str | None, before: str | None, limit: int | None
    ) -> list[DeploymentRow]:
        """Return the newest that match; ``before`` is the identifier of one that is newer than what is wanted."""
        query = select(deployments).order_by(deployments.c.id.desc()).limit(limit)
        if stage is not None:
            query = query.where(deployments.c.stage == stage)
        if urn is not None:
            query = query.where(deployments.c.urn == urn)
        if before is not None:
            query = query.where(deployments.c.id < before)
        return [DeploymentRow(**row._asdict()) for row in await self._connection.execute(query)]

    async def log(self, deployment_id: str) -> list[EntryRow]:
        """Return the log of one, oldest first."""
        query = select(deployment_entries).where(deployment_entries.c.deployment_id == deployment_id)
        found = await self._connection.execute(query.order_by(deployment_entries.c.n))
        return [EntryRow(**row._asdict()) for row in found]

    async def last(self, deployment_id: str) -> EntryRow:
        """Return the newest line of its log."""
        query = select(deployment_entries).where(deployment_entries.c.deployment_id == deployment_id)
        row = (await self._connection.execute(query.order_by(deployment_entries.c.n.desc()).limit(1))).one()
        return EntryRow(**row._asdict())

    async def said_before(self, deployment_id: str, key: str) -> EntryRow | None:
        """Return the line that a sender's key belongs to, where it was sent before."""
        query = select(deployment_entries).where(
            deployment_entries.c.deployment_id == deployment_id, deployment_entries.c.key == key
        )
        row = (await self._connection.execute(query)).one_or_none()
        return EntryRow(**row._asdict()) if row is not None else None

    async def said_since(self, user_id: str, step: str, since_ns: int) -> list[str]:
        """Return what somebody said in steps of one kind since an instant, in whichever deployments."""
        line = deployment_entries.c
        query = select(line.said).where(line.user_id == user_id, line.at_ns >= since_ns, line.step == step)
        return list(await self._connection.scalars(query))

    async def referred_before(self, user_id: str, key: str) -> EntryRow | None:
        """Return the first line of what somebody referred under this key, where it was sent before."""
        query = select(deployment_entries).where(
            deployment_entries.c.user_id == user_id, deployment_entries.c.key == key, deployment_entries.c.n == 1
        )
        row = (await self._connection.execute(query)).one_or_none()
        return EntryRow(**row._asdict()) if row is not None else None

    # --- as it is stored, for whoever checks it

    async def stored_sizes(self) -> dict[Any, Any] | None:
        """Return of how many lines each deployment's summary tells; ``None`` where it has no summary, but lines.

        ``None`` for all where the database can make nothing of what is stored there.
        """
        told = await as_stored(self._connection, text("SELECT id, entries FROM deployments"), {})
        logged = text("SELECT DISTINCT deployment_id FROM deployment_entries")
        found = await as_stored(self._connection, logged, {})
        if told is None or found is None:
            return None
        return {**{one: None for (one,) in found}, **{row[0]: row[1] for row in told}}

    async def stored_log(self, deployment_id: object) -> list[EntryRow] | None:
        """Return a log just as stored, whatever stands in its rows, oldest first; ``None`` as above."""
        rows = await as_stored(self._connection, _LINES, {"id": deployment_id})
        return [EntryRow(**dict(zip(_LINE, row, strict=True))) for row in rows] if rows is not None else None

    # --- pictures of alarms

    async def keep_picture(self, row: PictureRow) -> None:
        """Have a picture be kept; of one that is, from later on."""
        await self.forget_picture(row.deployment_id, row.sha256)
        await self._connection.execute(insert(deployment_pictures).values(_values(row)))

    async def forget_picture(self, deployment_id: str, sha256: str) -> None:
        """Have a picture be kept no more."""
        kept = deployment_pictures.c
        of = (kept.deployment_id == deployment_id) & (kept.sha256 == sha256)
        await self._connection.execute(delete(deployment_pictures).where(of))

    async def pictures(self, *, before_ns: int) -> list[PictureRow]:
        """Return the pictures that are kept and were seen before an instant, the oldest first."""
        kept = deployment_pictures.c
        query = select(deployment_pictures).where(kept.seen_ns < before_ns).order_by(kept.seen_ns, kept.sha256)
        return [PictureRow(**row._asdict()) for row in await self._connection.execute(query)]

    async def keepers(self, sha256: str) -> list[str]:
        """Return the deployments that keep a picture of that hash."""
        kept = deployment_pictures.c
        return list(await self._connection.scalars(select(kept.deployment_id).where(kept.sha256 == sha256)))


def _values(row: DeployableRow | DeploymentRow | EntryRow | PictureRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}
