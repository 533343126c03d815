"""Access over a real database, with quick hashes and a clock that stands."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio
from argon2 import PasswordHasher

from config.access import AccessSettings
from gateway.access.identity import Identity
from gateway.access.passwords import Passwords
from gateway.access.people import People
from gateway.access.permissions import Role
from gateway.access.service import Access
from gateway.db.engine import Database, open_database, sqlite_url
from gateway.db.users import UserRow
from tests.fakes.clock import ManualClock

PASSWORD = "four unrelated words here"
HERE = "192.0.2.7"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(frozen=True, slots=True)
class Door:
    """Everything about being let in."""

    access: Access
    people: People
    database: Database
    clock: ManualClock
    settings: AccessSettings
    ended: list[str]

    async def add(self, username: str = "ann", role: Role = Role.OPERATOR) -> UserRow:
        """Add a user whose password is PASSWORD."""
        return await self.people.add(username=username, name=username.title(), role=role, password=PASSWORD)

    async def sign_in(
        self, username: str = "ann", password: str = PASSWORD, address: str = HERE
    ) -> tuple[Identity, str]:
        """Sign in."""
        return await self.access.sign_in(username, password, address=address)


@pytest_asyncio.fixture
async def door(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Door]:
    """Return a door to an empty room."""
    settings = AccessSettings()
    async with open_database(sqlite_url(tmp_path / "a.db")) as database:
        passwords = Passwords(min_length=settings.password_min_length, hasher=QUICK)
        access = Access(database, clock=clock, settings=settings, passwords=passwords)
        people = People(database, clock=clock, settings=settings, passwords=passwords, access=access)
        ended: list[str] = []
        access.when_ended(ended.append)
        yield Door(access, people, database, clock, settings, ended)
