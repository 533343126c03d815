"""Units, their certificates, and the newest that each has said of itself."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, insert, select, union, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.errors import ConflictError
from gateway.db.tables import unit_authorities, unit_certificates, unit_states, unit_trends, units

HEARD = ("urn", "serial", "firmware", "boot", "boots", "online", "heard_ns")
"""Columns of a unit that it tells itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    """A unit. ``boot`` is the newest that we know of; ``boots`` some before it, the newest last."""

    label: str
    urn: str | None = None
    serial: str = ""
    model: str = ""
    firmware: str = ""
    note: str = ""
    device_id: str | None = None
    budget_bytes: int | None = None
    boot: str = ""
    boots: tuple[str, ...] = ()
    online: bool = False
    heard_ns: int | None = None
    enrolled_ns: int
    retired_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRow:
    """A certificate that was issued to a unit. ``serial`` in lower-case hex."""

    serial: str
    label: str
    fingerprint: str
    issued_ns: int
    expires_ns: int
    revoked_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityRow:
    """Who issues certificates: its own certificate in PEM, its key sealed."""

    id: str
    certificate: str
    key_sealed: bytes
    created_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRow:
    """The newest of one kind that a unit has said. ``payload`` is JSON."""

    label: str
    kind: str
    boot: str
    seq: int
    unit_ns: int
    taken_ns: int
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendRow:
    """One point of a trend. ``payload`` is JSON. ``anew``: the unit's counter began anew since the point before it."""

    label: str
    kind: str
    at_ns: int
    payload: str
    anew: bool = False


class UnitRows:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def authority(self) -> AuthorityRow | None:
        """Return the newest authority."""
        query = select(unit_authorities).order_by(unit_authorities.c.created_ns.desc()).limit(1)
        row = (await self._connection.execute(query)).one_or_none()
        return AuthorityRow(**row._asdict()) if row is not None else None

    async def add_authority(self, row: AuthorityRow) -> None:
        """Store an authority."""
        await self._connection.execute(insert(unit_authorities).values(_values(row, AuthorityRow)))

    async def all(self) -> list[UnitRow]:
        """Return every unit, those that are retired as well."""
        rows = await self._connection.execute(select(units).order_by(units.c.label))
        return [UnitRow(**{**row._asdict(), "boots": tuple(json.loads(row.boots))}) for row in rows]

    async def add(self, row: UnitRow) -> None:
        """Store a new unit.

        Raises:
            ConflictError: its label, camera or device is another unit's.
        """
        try:
            await self._connection.execute(insert(units).values(_of_unit(row)))
        except IntegrityError:
            raise ConflictError(
                f"There is already a unit {row.label}, or one with its camera.", cure="Choose another label."
            ) from None

    async def change(self, label: str, **values: object) -> None:
        """Set columns of a unit.

        Raises:
            ConflictError: its camera or device is another unit's.
        """
        try:
            await self._connection.execute(update(units).where(units.c.label == label).values(values))
        except IntegrityError:
            raise ConflictError(
                "That camera belongs to another unit.", cure="Take it from that unit first, or correct it."
            ) from None

    async def put_heard(self, rows: Sequence[UnitRow]) -> None:
        """Store what units have told of themselves; what people say of them stays.

        Raises:
            ConflictError: the camera of one is another unit's.
        """
        if not rows:
            return
        change = update(units).where(units.c.label == bindparam("at_label"))
        told = [{name: _of_unit(row)[name] for name in HEARD} | {"at_label": row.label} for row in rows]
        try:
            await self._connection.execute(change, told)
        except IntegrityError:
            raise ConflictError("A camera is said to belong to two units.", cure="Look at both.") from None

    async def certificates(self) -> list[CertificateRow]:
        """Return every certificate that was issued, in that order."""
        rows = await self._connection.execute(select(unit_certificates).order_by(unit_certificates.c.issued_ns))
        return [CertificateRow(**row._asdict()) for row in rows]

    async def add_certificate(self, row: CertificateRow) -> None:
        """Store a certificate."""
        await self._connection.execute(insert(unit_certificates).values(_values(row, CertificateRow)))

    async def revoke(self, serials: Sequence[str], at_ns: int) -> None:
        """Mark certificates as revoked."""
        await self._connection.execute(
            update(unit_certificates).where(unit_certificates.c.serial.in_(serials)).values(revoked_ns=at_ns)
        )

    async def states(self) -> list[StateRow]:
        """Return the newest of every kind of every unit."""
        return [StateRow(**row._asdict()) for row in await self._connection.execute(select(unit_states))]

    async def put_states(self, rows: Sequence[StateRow]) -> None:
        """Store what is the newest now; at most one row for each unit and kind."""
        if not rows:
            return
        known = delete(unit_states).where(
            unit_states.c.label == bindparam("at_label"), unit_states.c.kind == bindparam("at_kind")
        )
        await self._connection.execute(known, [{"at_label": row.label, "at_kind": row.kind} for row in rows])
        await self._connection.execute(insert(unit_states), [_values(row, StateRow) for row in rows])

    async def add_trends(self, rows: Sequence[TrendRow]) -> None:
        """Store points of trends."""
        if rows:
            await self._connection.execute(insert(unit_trends), [_values(row, TrendRow) for row in rows])

    async def trend(self, label: str, kind: str, from_ns: int, to_ns: int) -> list[TrendRow]:
        """Return a unit's points of a kind from an instant until before another, in order."""
        query = (
            select(unit_trends)
            .where(unit_trends.c.label == label, unit_trends.c.kind == kind)
            .where(unit_trends.c.at_ns >= from_ns, unit_trends.c.at_ns < to_ns)
            .order_by(unit_trends.c.at_ns)
        )
        return [TrendRow(**row._asdict()) for row in await self._connection.execute(query)]

    async def outline(self, kind: str, from_ns: int, step_ns: int) -> list[TrendRow]:
        """Return of every unit the points of a kind that tell its sum since an instant, in order.

        The first, the newest in each stretch of so many ns, and of a counter those before and after it began anew.
        """
        label, at_ns = unit_trends.c.label, unit_trends.c.at_ns
        here = (unit_trends.c.kind == kind) & (at_ns >= from_ns)
        earlier = unit_trends.alias()
        before = (
            select(func.max(earlier.c.at_ns))
            .where(earlier.c.label == label, earlier.c.kind == kind, earlier.c.at_ns < at_ns)
            .scalar_subquery()
        )
        told = union(
            select(label, func.min(at_ns).label("at_ns")).where(here).group_by(label),
            select(label, func.max(at_ns)).where(here).group_by(label, at_ns // step_ns),
            select(label, at_ns).where(here, unit_trends.c.anew),
            select(label, before).where(here, unit_trends.c.anew),
        ).subquery()
        query = (
            select(unit_trends)
            .join(told, (label == told.c.label) & (at_ns == told.c.at_ns))
            .where(unit_trends.c.kind == kind)
            .order_by(unit_trends.c.at_ns)
        )
        return [TrendRow(**row._asdict()) for row in await self._connection.execute(query)]

    async def newest_trends(self) -> dict[tuple[str, str], int]:
        """Return when the newest point of each unit and kind is."""
        newest = func.max(unit_trends.c.at_ns).label("newest_ns")
        query = select(unit_trends.c.label, unit_trends.c.kind, newest).group_by(
            unit_trends.c.label, unit_trends.c.kind
        )
        return {(row.label, row.kind): row.newest_ns for row in await self._connection.execute(query)}

    async def remove_trends(self, before_ns: int) -> int:
        """Delete the points before an instant; return how many."""
        return (await self._connection.execute(delete(unit_trends).where(unit_trends.c.at_ns < before_ns))).rowcount


_Row = UnitRow | CertificateRow | AuthorityRow | StateRow | TrendRow


def _values(row: _Row, kind: type[_Row]) -> dict[str, object]:
    return {name: getattr(row, name) for name in kind.__slots__}


def _of_unit(row: UnitRow) -> dict[str, object]:
    return _values(row, UnitRow) | {"boots": json.dumps(row.boots)}
