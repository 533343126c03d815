"""The room itself: its parts, joined, and its clock."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from config.sharing import SharingSettings
from gateway.db.engine import Database
from gateway.sharing.changes import Bell
from gateway.sharing.erasing import ERASE_EVERY_S, Erasing
from gateway.sharing.notes import Acts, Notes
from gateway.sharing.outlets import Door, Outlets
from gateway.sharing.partners import Partners
from gateway.sharing.room_tests import RoomTests
from gateway.sharing.seats import Seats
from gateway.sharing.shares import Shares
from gateway.sharing.sticks import Sticks
from gateway.sharing.upkeep import Upkeep
from gateway.vault import Vault
from kernel.clock import Clock, every
from kernel.ids import CameraId

LOOK_S = 0.25
"""A share or a loan ends by the clock at most this late. Nothing is read for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What one share gives somebody at an instant."""

    share_id: str
    cameras: frozenset[CameraId]
    steered: frozenset[CameraId]
    """Of them, those whose stick is lent."""
    stills: bool
    until_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """Made by :func:`open_sharing`."""

    partners: Partners
    shares: Shares
    seats: Seats
    sticks: Sticks
    notes: Notes
    tests: RoomTests
    acts: Acts
    outlets: Outlets
    upkeep: Upkeep
    erasing: Erasing
    bell: Bell

    def given(self, user_id: str, at_ns: int | None = None) -> list[Given]:
        """Return what somebody may see and steer, now or at an instant to come as things stand, by share."""
        return [
            Given(
                share_id=row.id,
                cameras=frozenset(row.cameras),
                steered=frozenset(loan.camera for loan in self.sticks.loans_to(user_id) if loan.share_id == row.id),
                stills=row.stills,
                until_ns=row.ends_ns,
            )
            for row in self.shares.given(user_id, at_ns)
        ]

    async def look(self) -> None:
        """Let everything that is over by the clock be over."""
        await self.shares.look()
        self.sticks.look()
        await self.tests.look()
        await self.outlets.write()

    async def run(self, clock: Clock) -> None:
        """Look for ever."""
        async with every(clock, LOOK_S) as ticks:
            async for _ in ticks:
                await self.look()

    async def erase(self, clock: Clock) -> None:
        """Delete what is too old, for ever."""
        async with every(clock, ERASE_EVERY_S) as ticks:
            async for _ in ticks:
                await self.erasing.erase()


@asynccontextmanager
async def open_sharing(  # noqa: PLR0913 - what the composition root hands over
    database: Database,
    *,
    clock: Clock,
    settings: SharingSettings,
    personal_days: float,
    changed: Callable[[], None],
    vault: Vault,
    door: Door,
) -> AsyncIterator[Sharing]:
    """Give the room for the time of the block. ``changed`` is called when somebody's rights may be others.

    Personal detail is kept for ``personal_days`` from when a share is over, or something was written.
    """

    def told() -> None:
        # First, so that nobody who is told next meets an outlet whose share is over.
        outlets.look()
        changed()

    bell = Bell(told)
    partners = Partners(database, clock=clock, settings=settings, changed=told)
    shares = Shares(database, partners, clock=clock, settings=settings, bell=bell)
    outlets = Outlets(database, shares, partners, clock=clock, vault=vault, door=door)
    sticks = Sticks(shares, partners, clock=clock, settings=settings, bell=bell)
    sharing = Sharing(
        partners=partners,
        shares=shares,
        seats=Seats(shares, settings=settings),
        sticks=sticks,
        notes=Notes(database, clock=clock, bell=bell),
        tests=RoomTests(database, shares, clock=clock, settings=settings, bell=bell),
        acts=Acts(clock=clock, settings=settings),
        outlets=outlets,
        upkeep=Upkeep(partners, shares, sticks),
        erasing=Erasing(database, clock=clock, personal_days=personal_days),
        bell=bell,
    )
    await partners.load()
    await shares.load()
    await sharing.tests.load()
    await outlets.load()
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(sharing.run(clock), name="shares"),
            tasks.create_task(sharing.erase(clock), name="shares erased"),
        ]
        try:
            yield sharing
        finally:
            for task in running:
                task.cancel()
            await outlets.close()
