"""What is kept of where a camera stands: its stays there, the bounds of its head, and its reference view."""

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.bounds import BoundsTable
from gateway.db.reference_views import ReferenceViews
from gateway.db.stays import StayRows


class Standing:
    """The three repositories, on one transaction."""

    __slots__ = ("bounds", "stays", "views")

    def __init__(self, connection: AsyncConnection) -> None:
        self.bounds = BoundsTable(connection)
        self.stays = StayRows(connection)
        self.views = ReferenceViews(connection)
