"""A room of shares with one organisation, and PC 1 of it, on a clock that is turned by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from config.sharing import SharingSettings
from gateway.db.engine import Database, open_database, sqlite_url
from gateway.db.users import UserRow, Users
from gateway.sharing import Person, ShareWish, Sharing, SharingChange
from gateway.sharing.partners import OrganisationWish
from tests.fakes.clock import ManualClock
from tests.fakes.sharing_room import CAMERA, opened
from tests.fakes.waiting import until

PC = Person(user_id="u-pc", name="PC 1")
RUNNING = 2
"""Tasks of a room that do something by the clock: they sleep on it, or are at it."""


class Stage:
    """A room with one organisation, and PC 1 of it."""

    def __init__(self, sharing: Sharing, database: Database, clock: ManualClock, organisation_id: str) -> None:
        self.sharing = sharing
        self.shares = sharing.shares
        self.sticks = sharing.sticks
        self.database = database
        self.clock = clock
        self.organisation = organisation_id
        self.told: list[SharingChange] = []
        sharing.bell.listen(self.told.append)

    def wish(self, **facts: object) -> ShareWish:
        """Return a share of the camera with the organisation."""
        return ShareWish(organisation_id=self.organisation, **{"cameras": (CAMERA,), **facts})  # type: ignore[arg-type]

    def heard(self, kind: type) -> list[SharingChange]:
        """Return what was told of a kind."""
        return [one for one in self.told if isinstance(one, kind)]

    async def turn(self, seconds: float) -> None:
        """Let time pass, and what was begun come to its end: the database takes real time for it.

        A look that goes on would otherwise take what the test says of the time next for its own.
        """
        await self.clock.turn(seconds)
        await until(lambda: self.clock.sleepers == RUNNING, what="the room to be at rest")


@asynccontextmanager
async def open_stage(path: Path, clock: ManualClock) -> AsyncIterator[Stage]:
    """Give the room for the time of the block."""
    async with open_database(sqlite_url(path / "a.db")) as database:
        async with database.write() as connection:
            user = UserRow(
                id=PC.user_id,
                username="pc",
                name=PC.name,
                role="partner",
                password_hash="",
                disabled=False,
                created_ns=1,
            )
            await Users(connection).add(user)
        settings = SharingSettings()
        async with opened(database, clock, settings) as sharing:
            partners = sharing.partners
            organisation = await partners.put(OrganisationWish(name="TVP"))
            invitation, _ = await partners.invite(organisation.id, username="pc", name=PC.name, invited_by="u")
            await partners.enrolled(invitation, user_id=PC.user_id, name=PC.name)
            await partners.accept_terms(PC.user_id, partners.terms_version)
            yield Stage(sharing, database, clock, organisation.id)
