"""Shares with who receives them, the notes that were written in them, and the tests of the link to a room."""

import json
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.errors import ConflictError
from gateway.db.tables import room_tests, share_notes, share_recipients, shares
from kernel.ids import CameraId


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRow:
    """A live view given to an organisation or some of its people, for a time."""

    id: str
    title: str
    """Empty: what it shows."""
    kind: str
    """``incident``, ``standing`` (by an agreement), or ``test`` (of the link to a room)."""
    organisation_id: str
    recipients: frozenset[str] | None
    """User identifiers; ``None`` is everybody of the organisation."""
    follows: bool
    """``cameras`` is whatever its maker selects: one at most."""
    cameras: tuple[CameraId, ...]
    reference: str
    reason: str
    review_ns: int | None
    stream: str
    may_ask_for_stick: bool
    stills: bool
    viewer_limit: int
    starts_ns: int
    ends_ns: int
    ended_ns: int | None
    """When it truly ended; ``None`` until then."""
    made_by: str
    maker: str
    created_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRow:
    """One line, from inside or from outside."""

    id: str
    share_id: str
    at_ns: int
    user_id: str
    name: str
    outside: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomTestRow:
    """A test of the link to an organisation. Its identifier is that of the share that it was done by."""

    id: str
    organisation_id: str
    camera_id: CameraId
    started_ns: int
    by: str
    operator: str
    result: str
    """``running``, ``passed`` or ``failed``."""
    ended_ns: int | None = None
    seen_by: str | None = None
    frames: int = 0
    width: int = 0
    height: int = 0


class ShareRows:
    """The repository, on one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def open(self) -> list[ShareRow]:
        """Return every share that has not ended, in the order that they were made."""
        return await self._read(shares.c.ended_ns.is_(None), newest_first=False, limit=None)

    async def over(self, *, limit: int) -> list[ShareRow]:
        """Return the shares that ended last, the newest first."""
        return await self._read(shares.c.ended_ns.is_not(None), newest_first=True, limit=limit)

    async def _read(self, which: object, *, newest_first: bool, limit: int | None) -> list[ShareRow]:
        order = shares.c.ended_ns.desc() if newest_first else shares.c.created_ns
        found = (await self._connection.execute(select(shares).where(which).order_by(order).limit(limit))).all()  # type: ignore[arg-type]
        people: dict[str, set[str]] = {}
        named = share_recipients.c.share_id.in_([row.id for row in found])
        for share_id, user_id in await self._connection.execute(select(share_recipients).where(named)):
            people.setdefault(share_id, set()).add(user_id)
        rows = []
        for row in found:
            values = row._asdict()
            everybody = values.pop("everybody")
            values["cameras"] = tuple(CameraId(one) for one in json.loads(row.cameras))
            rows.append(ShareRow(recipients=None if everybody else frozenset(people.get(row.id, ())), **values))
        return rows

    async def put(self, row: ShareRow) -> None:
        """Store a share, new or changed.

        Raises:
            ConflictError: a recipient or the organisation is gone.
        """
        values = {column.name: getattr(row, column.name, None) for column in shares.columns}
        values["everybody"] = row.recipients is None
        values["cameras"] = json.dumps(row.cameras)
        try:
            changed = await self._connection.execute(update(shares).where(shares.c.id == row.id).values(values))
            if not changed.rowcount:
                await self._connection.execute(insert(shares).values(values))
            await self._connection.execute(delete(share_recipients).where(share_recipients.c.share_id == row.id))
            if row.recipients:
                people = [{"share_id": row.id, "user_id": user_id} for user_id in sorted(row.recipients)]
                await self._connection.execute(insert(share_recipients), people)
        except IntegrityError:
            raise ConflictError(
                "Whom it is shared with is not there any more.", cure="Look at the list of organisations anew."
            ) from None

    async def end(self, share_ids: list[str], ended_ns: int) -> None:
        """Note that shares have ended."""
        await self._connection.execute(update(shares).where(shares.c.id.in_(share_ids)).values(ended_ns=ended_ns))

    async def add_note(self, row: NoteRow) -> None:
        """Store a note."""
        await self._connection.execute(
            insert(share_notes).values({column.name: getattr(row, column.name) for column in share_notes.columns})
        )

    async def notes(self, share_id: str, *, limit: int) -> list[NoteRow]:
        """Return the newest notes of a share, oldest first."""
        newest = select(share_notes).where(share_notes.c.share_id == share_id)
        rows = await self._connection.execute(newest.order_by(share_notes.c.at_ns.desc()).limit(limit))
        return [NoteRow(**row._asdict()) for row in rows][::-1]

    async def count_notes(self, share_id: str) -> int:
        """Return how many notes were written in a share."""
        counted = select(func.count()).select_from(share_notes).where(share_notes.c.share_id == share_id)
        return int((await self._connection.execute(counted)).scalar_one())

    async def put_room_test(self, row: RoomTestRow) -> None:
        """Store a test of a link, new or with its result."""
        values = {column.name: getattr(row, column.name) for column in room_tests.columns}
        changed = await self._connection.execute(update(room_tests).where(room_tests.c.id == row.id).values(values))
        if not changed.rowcount:
            await self._connection.execute(insert(room_tests).values(values))

    async def room_tests(self, organisation_id: str, *, limit: int) -> list[RoomTestRow]:
        """Return the newest tests of the link to an organisation, the newest first."""
        of_it = select(room_tests).where(room_tests.c.organisation_id == organisation_id)
        rows = await self._connection.execute(of_it.order_by(room_tests.c.started_ns.desc()).limit(limit))
        return [_room_test(row._asdict()) for row in rows]

    async def running_room_tests(self) -> list[RoomTestRow]:
        """Return the tests that have no result yet."""
        rows = await self._connection.execute(select(room_tests).where(room_tests.c.result == "running"))
        return [_room_test(row._asdict()) for row in rows]

    async def erase(self, before_ns: int) -> int:
        """Delete shares that were over, and notes and tests that were written, before an instant; return how many."""
        shares_over = delete(shares).where(shares.c.ended_ns < before_ns)
        tests_over = delete(room_tests).where(room_tests.c.started_ns < before_ns, room_tests.c.result != "running")
        written = delete(share_notes).where(share_notes.c.at_ns < before_ns)
        return sum([(await self._connection.execute(one)).rowcount for one in (written, tests_over, shares_over)])


def _room_test(values: dict[str, object]) -> RoomTestRow:
    return RoomTestRow(**{**values, "camera_id": CameraId(str(values["camera_id"]))})  # type: ignore[arg-type]
