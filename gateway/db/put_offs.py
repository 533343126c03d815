"""What of a camera or unit that needs a person was put off: by whom, until when and why."""

from dataclasses import asdict, dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.errors import ConflictError
from gateway.db.tables import put_offs


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOff:
    """``kind``, ``urgency`` and ``cause`` are the need's as it was then; ``until_ns`` is ``None``: until it is over.

    It is of a camera or of a unit.
    """

    camera_id: str | None = None
    unit: str | None = None
    kind: str
    urgency: str
    cause: str
    reason: str
    by_name: str
    at_ns: int
    until_ns: int | None


class PutOffs:
    """The repository, on one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> list[PutOff]:
        """Return every one."""
        rows = await self._connection.execute(select(*(put_offs.c[name] for name in PutOff.__slots__)))
        return [PutOff(**row._asdict()) for row in rows]

    async def put(self, one: PutOff) -> None:
        """Store one in place of what was put off before of that camera or unit, and kind.

        Raises:
            ConflictError: the camera has been removed.
        """
        await self.remove(one.camera_id, one.unit, one.kind)
        try:
            await self._connection.execute(insert(put_offs).values(asdict(one)))
        except IntegrityError as error:
            raise ConflictError("The camera has been removed.") from error

    async def remove(self, camera_id: str | None, unit: str | None, kind: str) -> None:
        """Forget one of a camera or of a unit."""
        whose = put_offs.c.camera_id == camera_id if camera_id is not None else put_offs.c.unit == unit
        here = whose & (put_offs.c.kind == kind)
        await self._connection.execute(delete(put_offs).where(here))
