"""Outlets: what the door is told as shares, partners and viewers change, and what of them outlives a restart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from gateway.db.engine import Database, open_database, sqlite_url
from gateway.db.errors import DatabaseUnusableError
from gateway.db.outlets import OutletRow
from gateway.db.tables import share_outlets
from gateway.sharing import ShareChange, ShareWish, Sharing
from gateway.sharing.errors import ShareError, UnknownShareError
from gateway.sharing.outlets import OUTLETS_MAX
from gateway.sharing.partners import OrganisationWish
from gateway.sharing.room import LOOK_S
from gateway.vault import Key, Vault
from kernel.clock import NS_PER_S
from kernel.ids import StreamName
from tests.fakes.clock import ManualClock, settle
from tests.fakes.keys import Memory
from tests.fakes.outlet_door import OutletDoor
from tests.fakes.sharing_room import CAMERA, OLGA, OTHER, opened
from tests.fakes.waiting import told, until


class Stage:
    """A room with one organisation and a door."""

    def __init__(self, database: Database, clock: ManualClock, vault: Vault) -> None:
        self.database = database
        self.clock = clock
        self.vault = vault
        self.door = OutletDoor()
        self.organisation = ""
        self.sharing: Sharing

    def opened(self) -> AbstractAsyncContextManager[Sharing]:
        """Give the room, once more."""
        return opened(self.database, self.clock, door=self.door, vault=self.vault)

    async def share(self, **facts: Any) -> str:
        """Share cameras with the organisation."""
        wish = ShareWish(organisation_id=self.organisation, **{"cameras": (CAMERA, OTHER), **facts})
        return (await self.sharing.shares.make(wish, by=OLGA)).id

    async def outlet(self, share_id: str) -> OutletRow:
        """Give a share to a system."""
        return (await self.sharing.outlets.make(share_id, name="VMS 2", by=OLGA))[0]

    async def organise(self, **facts: Any) -> None:
        """Change the organisation."""
        await self.sharing.partners.put(OrganisationWish(**{"name": "TVP", **facts}), self.organisation)
        await settle()

    async def stored(self) -> list[bytes]:
        """Return the sealed credentials of the database."""
        async with self.database.read() as connection:
            return list((await connection.execute(select(share_outlets.c.credential_sealed))).scalars())


@pytest_asyncio.fixture
async def stage(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Stage]:
    """Give the room."""
    async with open_database(sqlite_url(tmp_path / "a.db")) as database:
        stage = Stage(database, clock, Memory(Key.new()).vault)
        async with stage.opened() as stage.sharing:
            stage.organisation = (
                await stage.sharing.partners.put(OrganisationWish(name="TVP", networks=("192.0.2.0/24",)))
            ).id
            yield stage


async def test_the_door_is_told_all_that_the_share_says(stage: Stage) -> None:
    """Cameras, stream, places and end are the share's, the networks are the organisation's."""
    share_id = await stage.share(stream="sub", viewer_limit=3)
    row = await stage.outlet(share_id)
    opening = stage.door.open[row.id]
    assert (opening.cameras, opening.best, opening.viewers_max) == ((CAMERA, OTHER), StreamName.SUB, 3)
    assert (opening.networks, opening.subject) == (("192.0.2.0/24",), "VMS 2, TVP")
    assert opening.until_ns == stage.sharing.shares.get(share_id).ends_ns
    assert (opening.credential, opening.share_id, opening.full) == (f"hash-{row.path}", share_id, False)


async def test_what_is_made_is_open_on_return(stage: Stage) -> None:
    """Whoever is told a password may use it at once: the door has heard of it."""
    share_id = await stage.share()
    stage.door.hearing.clear()
    made = []

    async def make() -> None:
        made.append(await stage.outlet(share_id))

    making = asyncio.create_task(make())
    await until(lambda: stage.door.words, what="the door to be told")
    assert not made
    stage.door.hearing.set()
    await making
    assert stage.sharing.outlets.is_open(made[0].id)


async def test_the_end_of_a_share_closes_its_outlets(stage: Stage) -> None:
    """The door is told, the list is empty, and the sealed credential is gone from the database."""
    share_id = await stage.share()
    row = await stage.outlet(share_id)
    await stage.sharing.shares.end([share_id], by=OLGA)
    await until(lambda: not stage.door.open, what="the door to be told")
    assert stage.door.words[-1] == f"remove {row.id}"
    assert stage.sharing.outlets.of_share(share_id) == []
    await stage.clock.turn(LOOK_S)
    await told(stage.stored, lambda rows: not rows, what="the credential to be gone")


async def test_a_share_to_come_opens_with_its_time_and_closes_with_it(stage: Stage) -> None:
    """Before its start nobody is let in; its end by the clock is an end like any other."""
    starts_ns = stage.clock.wall_ns() + 600 * NS_PER_S
    row = await stage.outlet(await stage.share(starts_ns=starts_ns))
    assert stage.door.open == {}
    assert not stage.sharing.outlets.is_open(row.id)
    await stage.clock.turn(600 + LOOK_S)
    assert set(stage.door.open) == {row.id}
    await stage.clock.turn(3600 + LOOK_S)
    await until(lambda: not stage.door.open, what="the end")


async def test_a_change_of_the_share_is_told(stage: Stage) -> None:
    """Narrowed or extended, the door has it as it is then; what concerns it not is not said."""
    share_id = await stage.share()
    row = await stage.outlet(share_id)
    until_ns = stage.clock.wall_ns() + 7200 * NS_PER_S
    await stage.sharing.shares.change(
        share_id, ShareChange(cameras=(OTHER,), stream="sub", viewer_limit=1, ends_ns=until_ns)
    )
    await settle()
    opening = stage.door.open[row.id]
    assert (opening.cameras, opening.best) == ((OTHER,), StreamName.SUB)
    assert (opening.viewers_max, opening.until_ns) == (1, until_ns)
    said = len(stage.door.words)
    await stage.sharing.shares.change(share_id, ShareChange(title="Another title"))
    await settle()
    assert len(stage.door.words) == said


async def test_an_organisations_networks_are_the_outlets(stage: Stage) -> None:
    """Another allow-list is told at once."""
    row = await stage.outlet(await stage.share())
    await stage.organise(networks=("198.51.100.0/24",))
    assert stage.door.open[row.id].networks == ("198.51.100.0/24",)


@pytest.mark.parametrize("facts", [{"disabled": True}, {"certificate": "a" * 64}])
async def test_an_organisation_that_may_not_closes_its_outlets(stage: Stage, facts: dict[str, Any]) -> None:
    """Switched off, or let in with a certificate only, which the door does not ask for; and open again after that."""
    row = await stage.outlet(await stage.share())
    await stage.organise(**facts)
    assert stage.door.open == {}
    await stage.organise()
    assert set(stage.door.open) == {row.id}


async def test_a_system_can_be_taken_out_alone(stage: Stage) -> None:
    """Its credential is gone from door and database, others of the share stay; a second time there is none."""
    share_id = await stage.share()
    one, other = await stage.outlet(share_id), await stage.outlet(share_id)
    await stage.sharing.outlets.remove(share_id, one.id)
    assert set(stage.door.open) == {other.id}
    assert len(await stage.stored()) == 1
    with pytest.raises(UnknownShareError):
        await stage.sharing.outlets.remove(share_id, one.id)
    with pytest.raises(UnknownShareError):
        await stage.sharing.outlets.remove("another share", other.id)


async def test_a_full_share_lets_nobody_in(stage: Stage) -> None:
    """The door is told when all places are taken, and when there is one again."""
    share_id = await stage.share(viewer_limit=2)
    row = await stage.outlet(share_id)
    watching = {share_id: 2}
    stage.sharing.outlets.watching = lambda: watching
    stage.sharing.outlets.look()
    await settle()
    assert stage.door.open[row.id].full
    watching = {share_id: 1}
    stage.sharing.outlets.look()
    await settle()
    assert not stage.door.open[row.id].full


@pytest.mark.parametrize("kind", ["follows", "certificate", "test", "too many"])
async def test_what_cannot_be_given_to_a_system_is_said(stage: Stage, kind: str) -> None:
    """A share that follows a selection, one of a certificate's organisation, a test, and one outlet too many."""
    facts: dict[str, Any] = {"follows": True, "cameras": (CAMERA,)} if kind == "follows" else {}
    share_id = await stage.share(**facts, kind="test" if kind == "test" else "incident")
    if kind == "certificate":
        await stage.organise(certificate="a" * 64)
    if kind == "too many":
        for _ in range(OUTLETS_MAX):
            await stage.outlet(share_id)
    with pytest.raises(ShareError):
        await stage.outlet(share_id)
    assert len(stage.door.open) == (OUTLETS_MAX if kind == "too many" else 0)


async def test_a_restart_takes_nothing_away(stage: Stage) -> None:
    """The room that comes back tells the door what it told before, credential and all, and reads it from a seal."""
    row = await stage.outlet(await stage.share())
    (sealed,) = await stage.stored()
    assert f"hash-{row.path}".encode() not in sealed
    before = dict(stage.door.open)
    async with stage.opened() as anew:
        assert {one.id: one for one in stage.door.loaded or ()} == before
        assert anew.outlets.find(row.id) == row


async def test_what_ended_while_the_room_was_away_is_not_opened_again(stage: Stage) -> None:
    """A share whose time was up meanwhile opens nothing."""
    share_id = await stage.share()
    await stage.outlet(share_id)
    stage.clock.jump_wall(7200)
    async with stage.opened() as anew:
        assert stage.door.loaded == ()
        assert not anew.shares.running(share_id)


async def test_a_credential_that_no_key_opens_shuts_its_outlet_alone(stage: Stage) -> None:
    """The room starts all the same; the outlet is listed, so that it can be taken out."""
    share_id = await stage.share()
    one, other = await stage.outlet(share_id), await stage.outlet(share_id)
    foreign = Key.new().encrypt(b"whose?", context=f"outlet:{one.id}".encode())
    async with stage.database.write() as connection:
        await connection.execute(
            update(share_outlets).where(share_outlets.c.id == one.id).values(credential_sealed=foreign)
        )
    async with stage.opened() as anew:
        assert [opening.id for opening in stage.door.loaded or ()] == [other.id]
        assert [row.id for row in anew.outlets.of_share(share_id)] == [one.id, other.id]


async def test_an_end_holds_before_it_is_written(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a database that fails nobody watches on; the row is taken out when it can be."""
    share_id = await stage.share()
    row = await stage.outlet(share_id)

    def failing(_: Database) -> None:
        raise DatabaseUnusableError("The disk is full.", cure="Make room.")

    with monkeypatch.context() as broken:
        broken.setattr(Database, "write", failing)
        await stage.sharing.outlets.remove(share_id, row.id)
        assert stage.door.open == {}
    assert len(await stage.stored()) == 1
    await stage.clock.turn(LOOK_S)
    await told(stage.stored, lambda rows: not rows, what="the credential to be gone")
