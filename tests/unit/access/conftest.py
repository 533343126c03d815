"""Access over a real database, with quick hashes and a clock that stands."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio
from argon2 import PasswordHasher

from config.access import AccessSettings
from gateway.access.entrance import Entrance, Opened, SecondDue, Visitor
from gateway.access.factors import Factors
from gateway.access.identity import Identity
from gateway.access.passkeys import Site
from gateway.access.passwords import Passwords
from gateway.access.people import People
from gateway.access.permissions import Role
from gateway.access.service import Access
from gateway.access.tickets import Tickets
from gateway.db.engine import Database, open_database, sqlite_url
from gateway.db.users import UserRow
from tests.fakes.clock import ManualClock
from tests.fakes.sealing import OneKeyVault

PASSWORD = "four unrelated words here"
HERE = "192.0.2.7"
SITE = Site(rp_id="cctv.example.org", origin="https://cctv.example.org:8443")
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def visitor(address: str = HERE, device: str | None = None, site: Site | None = SITE) -> Visitor:
    """Return where an attempt comes from."""
    return Visitor(address=address, device=device, site=site, browser="Firefox 140 on Windows")


@dataclass(frozen=True, slots=True)
class Door:
    """Everything about being let in."""

    access: Access
    entrance: Entrance
    factors: Factors
    people: People
    database: Database
    clock: ManualClock
    settings: AccessSettings
    ended: list[str]

    async def add(self, username: str = "ann", role: Role = Role.OPERATOR) -> UserRow:
        """Add a user whose password is PASSWORD."""
        return await self.people.add(username=username, name=username.title(), role=role, password=PASSWORD)

    async def begin(
        self, username: str = "ann", password: str = PASSWORD, address: str = HERE, device: str | None = None
    ) -> Opened | SecondDue:
        """Give a password."""
        return await self.entrance.sign_in(username, password, visitor=visitor(address, device))

    async def sign_in(
        self, username: str = "ann", password: str = PASSWORD, address: str = HERE, device: str | None = None
    ) -> tuple[Identity, str]:
        """Sign in with a password, which is enough."""
        opened = await self.begin(username, password, address, device)
        assert isinstance(opened, Opened)
        return opened.identity, opened.secret


def door_over(database: Database, clock: ManualClock, settings: AccessSettings, passwords: Passwords) -> Door:
    """Return a door to a room."""
    access = Access(database, clock=clock, settings=settings)
    tickets = Tickets(clock=clock)
    factors = Factors(database, clock=clock, settings=settings, vault=OneKeyVault(), tickets=tickets)
    entrance = Entrance(
        database,
        clock=clock,
        settings=settings,
        passwords=passwords,
        access=access,
        factors=factors,
        tickets=tickets,
    )
    people = People(database, clock=clock, settings=settings, passwords=passwords, access=access)
    ended: list[str] = []
    access.when_ended(ended.append)
    return Door(access, entrance, factors, people, database, clock, settings, ended)


DoorWith = Callable[..., Awaitable[Door]]


@pytest_asyncio.fixture
async def door_with(tmp_path: Path, clock: ManualClock) -> AsyncIterator[DoorWith]:
    """Return a function that gives a door with settings of its own."""
    async with AsyncExitStack() as stack:

        async def opened(**settings: object) -> Door:
            known = AccessSettings.model_validate(settings)
            database = await stack.enter_async_context(open_database(sqlite_url(tmp_path / "a.db")))
            passwords = Passwords(min_length=known.password_min_length, hasher=QUICK)
            return door_over(database, clock, known, passwords)

        yield opened


@pytest_asyncio.fixture
async def door(door_with: DoorWith) -> Door:
    """Return a door to an empty room."""
    return await door_with()
