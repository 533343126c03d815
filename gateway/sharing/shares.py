"""Shares: made, changed, and ended by a call or by the clock. What runs is held in memory.

An end holds before it is written: a database that fails keeps nobody watching. It is written when it can be.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from textwrap import shorten

import structlog

from config.sharing import SharingSettings
from gateway.db.engine import Database
from gateway.db.errors import DatabaseError
from gateway.db.sharing import ShareRow, ShareRows
from gateway.sharing.changes import TIME_UP, Began, Bell, Changed, Doer, Ended, Person
from gateway.sharing.errors import ShareError, UnknownShareError
from gateway.sharing.partners import Partners
from gateway.sharing.terms import GRACE_NS, checked, limits_of
from gateway.sharing.wishes import LINE, STANDING, ShareChange, ShareWish
from kernel.clock import Clock
from kernel.ids import CameraId, StreamName, new_id

log = structlog.get_logger()

OPEN_MAX = 500
OVER_MAX = 200
TITLE_MAX = 120


class Shares:
    """Every share that is not over."""

    def __init__(
        self,
        database: Database,
        partners: Partners,
        *,
        clock: Clock,
        settings: SharingSettings,
        bell: Bell,
    ) -> None:
        self._database = database
        self._partners = partners
        self._clock = clock
        self._settings = settings
        self._bell = bell
        self._open: dict[str, ShareRow] = {}
        self._begun: set[str] = set()
        self._unwritten: dict[str, int] = {}
        """Ends that the database has not taken yet: share and time."""
        self._narrowed: set[str] = set()
        """Shares that give less than the database says of them."""
        self._followed: dict[str, str] = {}
        """Through which session somebody selected what a share shows that follows them; of a past run unknown."""
        self._writing = asyncio.Lock()

    async def load(self) -> None:
        """Read what is open; what came to its end meanwhile ends at the first look."""
        async with self._database.read() as connection:
            self._open = {row.id: row for row in await ShareRows(connection).open()}
        now_ns = self._clock.wall_ns()
        self._begun = {row.id for row in self._open.values() if row.starts_ns <= now_ns}

    # --- reading

    def open(self) -> list[ShareRow]:
        """Return every share that is not over, those to come too, the newest first."""
        return sorted(self._open.values(), key=lambda row: row.created_ns, reverse=True)

    def get(self, share_id: str) -> ShareRow:
        """Return a share that is not over.

        Raises:
            UnknownShareError: there is none.
        """
        row = self._open.get(share_id)
        if row is None:
            raise UnknownShareError("There is no such share; it may be over.", cure="See the list of shares.")
        return row

    def is_open(self, share_id: str) -> bool:
        """Return whether a share is not over."""
        return share_id in self._open

    async def over(self) -> list[ShareRow]:
        """Return the shares that ended last, the newest first."""
        async with self._database.read() as connection:
            return await ShareRows(connection).over(limit=OVER_MAX)

    def running(self, share_id: str, at_ns: int | None = None) -> bool:
        """Return whether a share runs, now or at an instant to come as things stand."""
        row = self._open.get(share_id)
        return row is not None and row.starts_ns <= (at_ns or self._clock.wall_ns()) < row.ends_ns

    def received(self, row: ShareRow, user_id: str) -> bool:
        """Return whether somebody is among those whom a share is for."""
        one = self._partners.recipient(user_id)
        if one is None or one.organisation_id != row.organisation_id:
            return False
        return row.recipients is None or user_id in row.recipients

    def mine(self, user_id: str, at_ns: int | None = None) -> list[ShareRow]:
        """Return the shares that run (as :meth:`running`) and are for somebody, who may not see them yet perhaps."""
        return [row for row in self._open.values() if self.running(row.id, at_ns) and self.received(row, user_id)]

    def own(self, share_id: str, user_id: str) -> ShareRow:
        """Return a share that runs and is for somebody who may see it.

        Raises:
            UnknownShareError: there is none.
        """
        row = next((row for row in self.given(user_id) if row.id == share_id), None)
        if row is None:
            raise UnknownShareError("That is not shared with you, or not any more.", cure="Ask the control room.")
        return row

    def given(self, user_id: str, at_ns: int | None = None) -> list[ShareRow]:
        """Return the shares by which somebody may see cameras, now or at an instant to come as things stand."""
        return self.mine(user_id, at_ns) if self._partners.admitted(user_id) is not None else []

    def until_ns(self, user_id: str, camera: CameraId) -> int | None:
        """Return until when somebody may see a camera as things stand; ``None`` where no share gives it."""
        return max((row.ends_ns for row in self.given(user_id) if camera in row.cameras), default=None)

    def shown_until_ns(self, user_id: str, camera: CameraId, *, asked: StreamName, shown: StreamName) -> int | None:
        """Return until when :meth:`showing` gives any as things stand; ``None`` where it is not.

        Shares that follow each other without a gap are one.
        """
        until_ns, at_ns = None, self._clock.wall_ns()
        while giving := [row.ends_ns for row in self.showing(user_id, camera, asked=asked, shown=shown, at_ns=at_ns)]:
            until_ns = at_ns = max(giving)
        return until_ns

    def due(self) -> list[ShareRow]:
        """Return the standing shares whose review is due, the longest overdue first."""
        now_ns = self._clock.wall_ns()
        waiting = [row for row in self._open.values() if row.review_ns is not None and row.review_ns <= now_ns]
        return sorted(waiting, key=lambda row: row.review_ns or 0)

    def showing(
        self, user_id: str, camera: CameraId, *, asked: StreamName, shown: StreamName, at_ns: int | None = None
    ) -> list[ShareRow]:
        """Return the shares by which somebody may be shown a stream in answer to what they asked for."""
        return [
            row
            for row in self.given(user_id, at_ns)
            if camera in row.cameras
            and row.stream in {LINE, asked.value}
            and (shown is StreamName.SUB or self.best(row) is StreamName.MAIN)
        ]

    @staticmethod
    def best(row: ShareRow) -> StreamName:
        """Return the best stream that a share ever shows."""
        return StreamName.SUB if row.stream == StreamName.SUB else StreamName.MAIN

    # --- changing

    async def make(self, wish: ShareWish, *, by: Person) -> ShareRow:
        """Share cameras.

        Raises:
            ShareError: it cannot be: its times, its people, or there are too many.
            UnknownShareError: no such organisation.
        """
        if len(self._open) >= OPEN_MAX:
            raise ShareError(f"There are {OPEN_MAX} shares, which is the most.", cure="End some.")
        now_ns = self._clock.wall_ns()
        starts_ns, ends_ns = limits_of(wish, now_ns, self._settings)
        organisation = self._partners.staying(wish.organisation_id)
        row = ShareRow(
            id=new_id(),
            title=wish.title or shorten(wish.reason, TITLE_MAX, placeholder="…"),
            kind=wish.kind,
            organisation_id=organisation.id,
            recipients=wish.recipients,
            follows=wish.follows,
            cameras=tuple(dict.fromkeys(wish.cameras)),
            reference=wish.reference,
            reason=wish.reason or self._settings.reason,
            review_ns=wish.review_ns,
            stream=wish.stream,
            may_ask_for_stick=wish.may_ask_for_stick,
            stills=wish.stills,
            viewer_limit=wish.viewer_limit or self._settings.viewer_limit,
            starts_ns=starts_ns,
            ends_ns=ends_ns,
            ended_ns=None,
            made_by=by.user_id,
            maker=by.name,
            created_ns=now_ns,
        )
        checked(row, now_ns, self._settings, {one.user_id for one in self._partners.people(organisation.id)})
        async with self._writing, self._database.write() as connection:
            await ShareRows(connection).put(row)
        try:
            self._partners.staying(organisation.id)
        except UnknownShareError:
            self._unwritten[row.id] = now_ns  # the organisation is being removed, and its shares were ended before
            raise
        self._open[row.id] = row
        if wish.follows:
            self._followed[row.id] = wish.session
        if row.starts_ns <= now_ns:
            self._begun.add(row.id)
            self._bell.change(Began(row))
        return row

    async def change(self, share_id: str, change: ShareChange) -> ShareRow:
        """Extend, narrow or otherwise change a share. What it gives no more ends at once.

        Raises:
            ShareError: it cannot be so.
            UnknownShareError: there is none, or it is over.
        """
        was = self.get(share_id)
        row = self.changed(was, change)
        checked(
            row,
            self._clock.wall_ns(),
            self._settings,
            {one.user_id for one in self._partners.people(row.organisation_id)},
        )
        return await self._replace(was, row)

    @staticmethod
    def changed(was: ShareRow, change: ShareChange) -> ShareRow:
        """Return a share as it would be."""
        values = {name: getattr(change, name) for name in ShareChange.__dataclass_fields__}
        return replace(was, **{name: value for name, value in values.items() if value is not None})

    async def review(self, share_id: str, review_ns: int, *, by: Person) -> ShareRow:
        """Let a standing share go on until its next review. Who reviews it answers for it from then on.

        Raises:
            ShareError: it is none, or the date cannot be.
            UnknownShareError: there is none, or it is over.
        """
        row = self.get(share_id)
        if row.kind != STANDING:
            raise ShareError("Only a standing share is reviewed.", cure="Extend this one.")
        change = ShareChange(review_ns=review_ns, ends_ns=review_ns + GRACE_NS)
        # One that follows goes on following whoever made it.
        return await self.change(
            share_id, change if row.follows else replace(change, made_by=by.user_id, maker=by.name)
        )

    async def select(self, share_id: str, camera: CameraId | None, *, by: Person, session: str = "") -> ShareRow:
        """Show in a share that follows what its maker has selected: one camera, or none.

        What was left is taken away first: nobody sees it on, whatever fails then.

        Raises:
            ShareError: it does not follow, or somebody else's selection.
            UnknownShareError: there is none, or it is over.
        """
        was = self.get(share_id)
        if not was.follows or was.made_by != by.user_id:
            raise ShareError("That share does not follow what you select.", cure="Make one of your own that does.")
        self._followed[share_id] = session
        if was.cameras == ((camera,) if camera is not None else ()):
            return was
        blank = self.narrow(was, replace(was, cameras=())) if was.cameras else was
        if camera is None:
            await self._write_narrowed()
            return blank
        try:
            return await self._replace(blank, replace(blank, cameras=(camera,)))
        except BaseException:
            now = self._open.get(share_id)
            if now is not None and now.cameras:
                # Another selection of theirs came between: which of the two was the last is not known.
                self.narrow(now, replace(now, cameras=()))
            raise

    async def _replace(self, was: ShareRow, row: ShareRow) -> ShareRow:
        async with self._writing:
            if self._open.get(row.id) is was:
                async with self._database.write() as connection:
                    await ShareRows(connection).put(row)
            # An end does not wait for us, nor does what is taken away; their own writing does, and so comes after ours.
            if self._open.get(row.id) is not was:
                raise ShareError("The share was changed or ended by somebody else meanwhile.", cure="Look at it anew.")
            self._open[row.id] = row
            self._narrowed.discard(row.id)
        self._bell.change(Changed(row, was))
        return row

    def narrow(self, was: ShareRow, row: ShareRow, *, reason: str = "") -> ShareRow:
        """Have a share give less at once; it is written when it can be. ``reason`` is for what nobody did."""
        self._open[row.id] = row
        self._narrowed.add(row.id)
        self._bell.change(Changed(row, was, reason))
        return row

    def followed(self) -> dict[str, tuple[str, str]]:
        """Return who selected what shares show that follow: maker and session, by share; ``""`` where it is unknown."""
        rows = (row for row in self._open.values() if row.follows and row.cameras)
        return {row.id: (row.made_by, self._followed.get(row.id, "")) for row in rows}

    async def end(self, share_ids: Sequence[str], *, by: Doer | None) -> list[ShareRow]:
        """End shares now; return those that were not over. What they gave is taken away before anything is written."""
        ended = self.end_unwritten(share_ids, by=by)
        if ended:
            await self._write_ends()
        return ended

    def end_unwritten(self, share_ids: Sequence[str], *, by: Doer | None, reason: str = TIME_UP) -> list[ShareRow]:
        """End shares now, as :meth:`end` does; it is written at the next look."""
        now_ns = self._clock.wall_ns()
        ended = [replace(row, ended_ns=now_ns) for one in share_ids if (row := self._open.pop(one, None)) is not None]
        if not ended:
            return []
        # All of it before the first is told: whatever happens there, none of them comes back.
        for row in ended:
            self._unwritten[row.id] = now_ns
            self._begun.discard(row.id)
            self._narrowed.discard(row.id)
            self._followed.pop(row.id, None)
        self._bell.change(*(Ended(row, by, reason) for row in ended))
        return ended

    def organisation_shares(self, organisation_id: str) -> list[str]:
        """Return the shares with an organisation that are not over."""
        return [row.id for row in self._open.values() if row.organisation_id == organisation_id]

    # --- the clock

    async def look(self) -> None:
        """Begin what is to begin and end what is to end by now."""
        now_ns = self._clock.wall_ns()
        over = [row.id for row in self._open.values() if row.ends_ns <= now_ns]
        if over:
            await self.end(over, by=None)
        elif self._unwritten:
            await self._write_ends()
        if self._narrowed:
            await self._write_narrowed()
        beginning = [row for row in self._open.values() if row.id not in self._begun and row.starts_ns <= now_ns]
        if beginning:
            self._begun |= {row.id for row in beginning}
            self._bell.change(*(Began(row) for row in beginning))

    async def _write_ends(self) -> None:
        try:
            async with self._writing, self._database.write() as connection:
                waiting = dict(self._unwritten)
                for ended_ns in set(waiting.values()):
                    of_it = [share_id for share_id, at_ns in waiting.items() if at_ns == ended_ns]
                    await ShareRows(connection).end(of_it, ended_ns)
        except DatabaseError as error:
            log.error("share.end_unwritten", error=error.code, shares=len(self._unwritten))  # noqa: TRY400 - a plain reason
            return
        for share_id in waiting:
            self._unwritten.pop(share_id, None)

    async def _write_narrowed(self) -> None:
        for share_id in tuple(self._narrowed):
            try:
                async with self._writing:
                    row = self._open.get(share_id)
                    if row is not None:
                        async with self._database.write() as connection:
                            await ShareRows(connection).put(row)
                    if self._open.get(share_id) is row:
                        self._narrowed.discard(share_id)
            except DatabaseError as error:
                log.error("share.change_unwritten", error=error.code, share=share_id)  # noqa: TRY400 - a plain reason
