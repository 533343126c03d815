"""Does the link to a partner's room work? A share of a test picture, whose far end reports what it has decoded."""

import asyncio
from dataclasses import replace

import structlog

from config.sharing import SharingSettings
from gateway.db.engine import Database
from gateway.db.errors import DatabaseError
from gateway.db.sharing import RoomTestRow, ShareRow, ShareRows
from gateway.sharing.changes import Bell, Person, Tested
from gateway.sharing.errors import ShareError, UnknownShareError
from gateway.sharing.shares import Shares
from gateway.sharing.wishes import TEST, ShareWish
from kernel.clock import NS_PER_S, Clock
from kernel.ids import CameraId

log = structlog.get_logger()

RUNNING, PASSED, FAILED = "running", "passed", "failed"
FRAMES_MIN = 25
"""Decoded pictures that prove the link: a second at least."""
SHOWN = 50


class RoomTests:
    """Tests of links. One of each organisation runs at a time."""

    def __init__(
        self, database: Database, shares: Shares, *, clock: Clock, settings: SharingSettings, bell: Bell
    ) -> None:
        self._database = database
        self._shares = shares
        self._clock = clock
        self._settings = settings
        self._bell = bell
        self._running: dict[str, RoomTestRow] = {}
        self._storing: dict[str, RoomTestRow] = {}
        """Results that the database does not have yet: a test that is over is not told as one that runs."""
        self._starting = asyncio.Lock()

    async def load(self) -> None:
        """Read the tests that run; one whose share is over has failed at the first look."""
        async with self._database.read() as connection:
            self._running = {row.id: row for row in await ShareRows(connection).running_room_tests()}

    async def start(self, organisation_id: str, camera: CameraId, *, by: Person) -> tuple[RoomTestRow, ShareRow]:
        """Share a test picture with everybody of an organisation for a short while.

        Raises:
            ShareError: a test with it runs.
            UnknownShareError: no such organisation.
        """
        async with self._starting:
            if any(row.organisation_id == organisation_id for row in self._running.values()):
                raise ShareError("A test with that organisation is running.", cure="Wait until it is over.")
            now_ns = self._clock.wall_ns()
            wish = ShareWish(
                organisation_id=organisation_id,
                cameras=(camera,),
                kind=TEST,
                title="Link test",
                reason="Test of the link",
                ends_ns=now_ns + self._settings.test_s * NS_PER_S,
            )
            share = await self._shares.make(wish, by=by)
            row = RoomTestRow(
                id=share.id,
                organisation_id=organisation_id,
                camera_id=camera,
                started_ns=now_ns,
                by=by.user_id,
                operator=by.name,
                result=RUNNING,
            )
            self._running[row.id] = row
            await self._store(row)
        return row, share

    async def seen(  # noqa: PLR0913 - what was seen, and by whom
        self, share_id: str, *, by: Person, frames: int, width: int, height: int, watching: bool
    ) -> RoomTestRow:
        """Take what the far end says it has decoded. Only who truly has a view open (``watching``) proves anything.

        Raises:
            UnknownShareError: that is no test, or not one that runs.
        """
        row = self._running.get(share_id)
        if row is None:
            raise UnknownShareError("No such test is running.", cure="Ask the control room for one.")
        if not watching or frames < FRAMES_MIN or not width or not height:
            return row
        return await self._finish(
            replace(row, result=PASSED, seen_by=by.name, frames=frames, width=width, height=height)
        )

    async def look(self) -> None:
        """Fail the tests whose time is over."""
        for row in list(self._running.values()):
            if not self._shares.running(row.id):
                await self._finish(replace(row, result=FAILED))

    async def of(self, organisation_id: str) -> list[RoomTestRow]:
        """Return the last tests of the link to an organisation, the newest first."""
        known = dict(self._storing)
        async with self._database.read() as connection:
            rows = await ShareRows(connection).room_tests(organisation_id, limit=SHOWN)
        return [known.get(row.id, row) for row in rows]

    async def _finish(self, row: RoomTestRow) -> RoomTestRow:
        if self._running.pop(row.id, None) is None:
            return row  # it ended while another's result was stored
        row = replace(row, ended_ns=self._clock.wall_ns())
        self._storing[row.id] = row
        self._bell.ring(Tested(row))
        await self._store(row)
        del self._storing[row.id]
        return row

    async def _store(self, row: RoomTestRow) -> None:
        try:
            async with self._database.write() as connection:
                await ShareRows(connection).put_room_test(row)
        except DatabaseError as error:
            # The audit has the result all the same.
            log.error("share.test_unwritten", error=error.code, result=row.result)  # noqa: TRY400 - a plain reason
