"""Outlets: a share for a partner's own system, by a credential that is that share's and that system's alone.

What the door is to let in follows from what runs now. It is worked out anew at every change of shares, partners and
viewers, and only what has changed is said: an end that nobody thought to announce is an end all the same.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from gateway.db.engine import Database
from gateway.db.errors import DatabaseError
from gateway.db.outlets import OutletRow, OutletRows
from gateway.db.sharing import ShareRow
from gateway.sharing.changes import Person
from gateway.sharing.errors import ShareError, UnknownShareError
from gateway.sharing.partners import Partners
from gateway.sharing.shares import Shares
from gateway.vault import Vault
from gateway.vault.errors import SealedElsewhereError
from kernel.clock import Clock
from kernel.ids import CameraId, StreamName, new_id

log = structlog.get_logger()

OUTLETS_MAX = 32
"""Of one share."""
PATH_BYTES = 5
_SUBJECT_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What the door lets in now."""

    id: str
    path: str
    username: str
    credential: str
    cameras: tuple[CameraId, ...]
    best: StreamName
    networks: tuple[str, ...]
    viewers_max: int
    full: bool
    """Every place of the share is taken, by whatever way."""
    until_ns: int
    subject: str
    share_id: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential just made. The password is shown once; ``credential`` is what it is checked against."""

    username: str
    password: str
    credential: str


class Door(Protocol):
    """Where systems of partners come in. What it is told holds from the call on."""

    def issue(self, path: str) -> Issued:
        """Make a credential that is good at this path alone."""
        ...

    def load(self, openings: Iterable[Opening]) -> None:
        """Tell everything that is open: once, at the start. Before, nothing is taken from those who watch."""
        ...

    async def put(self, opening: Opening) -> None:
        """Open, or change what is open; what it does not cover any more has ended on return."""
        ...

    async def remove(self, outlet_id: str) -> None:
        """Close; whoever watched by it watches no more on return."""
        ...


class Outlets:
    """Every outlet of shares that are not over."""

    def __init__(  # noqa: PLR0913 - what the room hands over
        self, database: Database, shares: Shares, partners: Partners, *, clock: Clock, vault: Vault, door: Door
    ) -> None:
        self.watching: Callable[[], Mapping[str, int]] = dict
        """Returns how many views of each share are open, by whatever way."""
        self._database = database
        self._shares = shares
        self._partners = partners
        self._clock = clock
        self._vault = vault
        self._door = door
        self._rows: dict[str, OutletRow] = {}
        self._credentials: dict[str, str] = {}
        self._said: dict[str, Opening] = {}
        self._saying: set[asyncio.Task[None]] = set()
        self._gone: set[str] = set()
        """Outlets that are no more and whose rows the database still has."""
        self._loaded = False

    async def load(self) -> None:
        """Read what is open, and tell the door."""
        async with self._database.read() as connection:
            found = await OutletRows(connection).all()
        for row, sealed in found:
            try:
                self._credentials[row.id] = await self._vault.open(sealed, context=_context(row.id))
            except SealedElsewhereError as error:
                # Its share can be given anew; everything else goes on.
                log.error("outlet.unreadable", outlet=row.id, share=row.share_id, error=error.code)  # noqa: TRY400
            self._rows[row.id] = row
        self._said = self._wanted()
        self._loaded = True
        self._door.load(self._said.values())

    # --- reading

    def of_share(self, share_id: str) -> list[OutletRow]:
        """Return the outlets of a share in the order that they were made."""
        return [row for row in self._rows.values() if row.share_id == share_id]

    def find(self, outlet_id: str) -> OutletRow | None:
        """Return an outlet, or ``None`` where it is no more."""
        return self._rows.get(outlet_id)

    def is_open(self, outlet_id: str) -> bool:
        """Tell whether the door lets it in now."""
        return outlet_id in self._said

    # --- changing

    async def make(self, share_id: str, *, name: str, by: Person) -> tuple[OutletRow, Issued]:
        """Give a share to a system of its partner; return the outlet, and its credential, which is told this once.

        Raises:
            ShareError: this share cannot be given so.
            UnknownShareError: there is none, or it is over.
            DatabaseError: it cannot be stored; nothing was opened.
        """
        self._check(self._shares.get(share_id))
        path = secrets.token_hex(PATH_BYTES)
        issued = self._door.issue(path)
        row = OutletRow(
            id=new_id(),
            share_id=share_id,
            name=name,
            path=path,
            username=issued.username,
            made_by=by.user_id,
            maker=by.name,
            created_ns=self._clock.wall_ns(),
        )
        async with self._database.write() as connection:
            sealer = await self._vault.sealer(connection)
            await OutletRows(connection).add(row, sealer.seal(issued.credential, context=_context(row.id)))
        self._rows[row.id], self._credentials[row.id] = row, issued.credential
        self.look()  # the share may be over by now
        await self._settled()
        self._shares.get(share_id)
        return row, issued

    async def remove(self, share_id: str, outlet_id: str) -> OutletRow:
        """Take a share from a system: it watches no more on return, and the credential is worth nothing.

        Raises:
            UnknownShareError: there is no such outlet.
        """
        row = self._rows.get(outlet_id)
        if row is None or row.share_id != share_id:
            raise UnknownShareError("The share has no such outlet.", cure="See the list of its outlets.")
        self._forget(row)
        self.look()
        await self._settled()
        await self.write()
        return row

    def _check(self, share: ShareRow) -> None:
        if share.follows:
            raise ShareError(
                "A share that follows what you select cannot be given to a system: its address names a camera.",
                cure="Share the cameras themselves.",
            )
        if share.kind == "test":
            raise ShareError("A test of a link is for people alone.", cure="Make a share.")
        organisation = self._partners.organisation(share.organisation_id)
        if organisation.certificate is not None:
            raise ShareError(
                f"{organisation.name} is let in with its client certificate only, which a system cannot show here.",
                cure="Share it with people of the organisation, or agree on networks in place of the certificate.",
            )
        if len(self.of_share(share.id)) >= OUTLETS_MAX:
            raise ShareError(f"A share has {OUTLETS_MAX} outlets at most.", cure="Remove one.")

    # --- what the door is told

    def look(self) -> None:
        """Work out what the door lets in now, and tell it what has changed."""
        if not self._loaded:
            return
        running = {row.id for row in self._shares.open()}
        for row in [one for one in self._rows.values() if one.share_id not in running]:
            self._forget(row)
        before, self._said = self._said, self._wanted()
        for outlet_id in before.keys() | self._said.keys():
            opening = self._said.get(outlet_id)
            if opening != before.get(outlet_id):
                task = asyncio.get_running_loop().create_task(self._say(outlet_id, opening), name=f"outlet {outlet_id}")
                self._saying.add(task)
                task.add_done_callback(self._saying.discard)

    async def _say(self, outlet_id: str, opening: Opening | None) -> None:
        if opening is None:
            await self._door.remove(outlet_id)
            log.info("outlet.closed", outlet=outlet_id)
        else:
            await self._door.put(opening)

    async def _settled(self) -> None:
        """Return once the door has heard all that was said so far."""
        if self._saying:
            await asyncio.wait(tuple(self._saying))

    def _forget(self, row: OutletRow) -> None:
        self._rows.pop(row.id)
        self._credentials.pop(row.id, None)
        self._gone.add(row.id)

    def _wanted(self) -> dict[str, Opening]:
        watching = self.watching()
        openings = (self._opening(row, watching.get(row.share_id, 0)) for row in self._rows.values())
        return {one.id: one for one in openings if one is not None}

    def _opening(self, row: OutletRow, watching: int) -> Opening | None:
        credential = self._credentials.get(row.id)
        if credential is None or not self._shares.running(row.share_id):
            return None
        share = self._shares.get(row.share_id)
        organisation = self._partners.organisation(share.organisation_id)
        if organisation.disabled or organisation.certificate is not None:
            return None
        return Opening(
            id=row.id,
            path=row.path,
            username=row.username,
            credential=credential,
            cameras=share.cameras,
            best=self._shares.best(share),
            networks=organisation.networks,
            viewers_max=share.viewer_limit,
            full=watching >= share.viewer_limit,
            until_ns=share.ends_ns,
            subject=f"{row.name}, {organisation.name}"[:_SUBJECT_CHARS],
            share_id=share.id,
        )

    # --- what the database is told

    async def write(self) -> None:
        """Have the database forget what is no more; with a failing one at a later look."""
        if not self._gone:
            return
        leaving = frozenset(self._gone)
        try:
            async with self._database.write() as connection:
                await OutletRows(connection).remove(leaving)
        except DatabaseError as error:
            log.error("outlet.end_unwritten", error=error.code, outlets=len(leaving))  # noqa: TRY400 - a plain reason
            return
        self._gone -= leaving

    async def close(self) -> None:
        """Let what is being said be said."""
        await self._settled()


def _context(outlet_id: str) -> str:
    """Return what a sealed credential is bound to; ``gateway.db.sealed`` has it too, for a change of keys."""
    return f"outlet:{outlet_id}"
