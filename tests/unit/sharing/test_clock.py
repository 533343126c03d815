"""What begins and ends by the clock: shares, loans, wishes, invitations; and what a failing database changes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from config.sharing import SharingSettings
from gateway.db.errors import DatabaseUnusableError
from gateway.sharing import Ended, ShareChange, StickRefused, StickTakenBack, changes
from gateway.sharing.errors import InvitationError, OutsideError, ShareError, ShareFullError, UnknownShareError
from gateway.sharing.partners import OrganisationWish
from gateway.sharing.room import LOOK_S
from gateway.sharing.sticks import LENT_ANEW
from kernel.clock import NS_PER_S
from kernel.ids import StreamName
from tests.fakes.clock import ManualClock, settle
from tests.fakes.sharing_room import CAMERA, OLGA, OTHER, opened
from tests.fakes.sharing_stage import PC, Stage, open_stage
from tests.fakes.waiting import until

MINUTE_S = 60.0


@pytest_asyncio.fixture
async def stage(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Stage]:
    """Give the room."""
    async with open_stage(tmp_path, clock) as stage:
        yield stage


async def ended(stage: Stage, count: int = 1) -> None:
    """Wait until so many shares were told to have ended."""
    await until(lambda: len(stage.heard(Ended)) == count, what="the end of a share")


async def test_a_share_ends_on_time(stage: Stage) -> None:
    """Half a second after its end it gives nothing, and its end is told as the clock's."""
    row = await stage.shares.make(stage.wish(), by=OLGA)
    await stage.turn(60 * MINUTE_S - 0.1)
    assert [one.share_id for one in stage.sharing.given(PC.user_id)] == [row.id]
    await stage.turn(0.1 + LOOK_S)
    assert stage.sharing.given(PC.user_id) == []
    await ended(stage)
    assert stage.heard(Ended) == [Ended(stage.heard(Ended)[0].share, None)]  # type: ignore[union-attr]


async def test_shares_that_follow_each_other_are_one_to_who_watches(stage: Stage) -> None:
    """What is seen ends with the last of them, up to the first gap, and with those that give that stream."""
    now_ns = stage.clock.wall_ns()
    ends: dict[str, int] = {}
    for name, start_s, end_s, stream in (("a", 0, 600, "line"), ("b", 600, 1200, "sub"), ("c", 1201, 1800, "line")):
        row = await stage.shares.make(
            stage.wish(starts_ns=now_ns + start_s * NS_PER_S, ends_ns=now_ns + end_s * NS_PER_S, stream=stream),
            by=OLGA,
        )
        ends[name] = row.ends_ns
    main, sub = StreamName.MAIN, StreamName.SUB
    until_ns = stage.shares.shown_until_ns
    assert until_ns(PC.user_id, CAMERA, asked=main, shown=main) == ends["a"]
    assert until_ns(PC.user_id, CAMERA, asked=sub, shown=sub) == ends["b"]
    assert until_ns(PC.user_id, CAMERA, asked=sub, shown=main) == ends["a"]
    assert until_ns(PC.user_id, OTHER, asked=sub, shown=sub) is None


async def test_a_share_begins_on_time(stage: Stage) -> None:
    """Before its start it gives nothing."""
    starts_ns = stage.clock.wall_ns() + 600 * NS_PER_S
    await stage.shares.make(stage.wish(starts_ns=starts_ns), by=OLGA)
    assert stage.sharing.given(PC.user_id) == []
    assert stage.told == []
    await stage.turn(600 + LOOK_S)
    assert len(stage.sharing.given(PC.user_id)) == 1
    assert type(stage.told[0]).__name__ == "Began"


async def test_a_clock_that_is_set_ends_what_is_over(stage: Stage) -> None:
    """The wall clock counts, also when it jumps."""
    await stage.shares.make(stage.wish(), by=OLGA)
    stage.clock.jump_wall(2 * 3600)
    assert stage.sharing.given(PC.user_id) == []
    await stage.turn(LOOK_S)
    await ended(stage)


async def test_an_end_holds_though_it_cannot_be_written(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody watches on because a disk is full; once it can be written it is."""
    row = await stage.shares.make(stage.wish(), by=OLGA)
    write = stage.database.write

    def failing() -> object:
        raise DatabaseUnusableError("The disk is full.", cure="Make room.")

    monkeypatch.setattr(type(stage.database), "write", lambda _: failing())
    await stage.shares.end([row.id], by=OLGA)
    assert stage.sharing.given(PC.user_id) == []
    assert await stage.shares.over() == []
    monkeypatch.setattr(type(stage.database), "write", lambda _: write())
    await stage.shares.look()
    (over,) = await stage.shares.over()
    assert over.ended_ns is not None


async def test_a_change_does_not_bring_back_what_has_ended(stage: Stage) -> None:
    """Whoever extends a share that another ends at the same moment is told so, and it stays over."""
    row = await stage.shares.make(stage.wish(), by=OLGA)
    async with stage.shares._writing:
        changing = asyncio.create_task(stage.shares.change(row.id, ShareChange(title="longer")))
        ending = asyncio.create_task(stage.shares.end([row.id], by=OLGA))
        await settle()
    with pytest.raises(ShareError, match="meanwhile"):
        await changing
    await ending
    await stage.shares.load()
    assert stage.shares.open() == []


async def test_a_loan_ends_on_time(stage: Stage) -> None:
    """After five minutes the stick is back, by the clock."""
    row = await stage.shares.make(stage.wish(may_ask_for_stick=True), by=OLGA)
    stage.sticks.lend(row.id, camera=CAMERA, user_id=PC.user_id, minutes=None, by=OLGA)
    assert stage.sharing.given(PC.user_id)[0].steered == {CAMERA}
    await stage.turn(5 * MINUTE_S + LOOK_S)
    assert stage.sharing.given(PC.user_id)[0].steered == frozenset()
    assert [one.by for one in stage.told if isinstance(one, StickTakenBack)] == [None]


async def test_a_loan_is_no_longer_than_its_share(stage: Stage) -> None:
    """It ends with it at the latest."""
    row = await stage.shares.make(stage.wish(ends_ns=stage.clock.wall_ns() + 60 * NS_PER_S), by=OLGA)
    loan = stage.sticks.lend(row.id, camera=CAMERA, user_id=PC.user_id, minutes=30, by=OLGA)
    assert loan.until_ns == row.ends_ns


async def test_a_wish_that_nobody_answers_is_refused(stage: Stage) -> None:
    """After two minutes they are told no."""
    row = await stage.shares.make(stage.wish(may_ask_for_stick=True), by=OLGA)
    stage.sticks.ask(row.id, CAMERA, note="", by=PC)
    await stage.turn(119)
    assert len(stage.sticks.requests()) == 1
    await stage.turn(1 + LOOK_S)
    assert stage.sticks.requests() == []
    assert len(stage.heard(StickRefused)) == 1


async def test_a_camera_that_leaves_the_share_takes_its_loan_with_it(stage: Stage) -> None:
    """Narrowing a share takes back what was lent of what is no longer in it."""
    row = await stage.shares.make(stage.wish(cameras=(CAMERA, OTHER), may_ask_for_stick=True), by=OLGA)
    stage.sticks.lend(row.id, camera=CAMERA, user_id=PC.user_id, minutes=5, by=OLGA)
    stage.sticks.ask(row.id, CAMERA, note="", by=PC)
    await stage.shares.change(row.id, ShareChange(cameras=(OTHER,)))
    assert stage.sticks.loan(CAMERA) is None
    assert stage.sticks.requests() == []


async def test_a_stick_is_lent_to_one_at_a_time(stage: Stage) -> None:
    """Lent anew by another share, the first loan is over and is told as such; lent on by the same one it goes on."""
    first, other = [await stage.shares.make(stage.wish(), by=OLGA) for _ in range(2)]
    was = stage.sticks.lend(first.id, camera=CAMERA, user_id=PC.user_id, minutes=5, by=OLGA)
    loan = stage.sticks.lend(other.id, camera=CAMERA, user_id=PC.user_id, minutes=5, by=OLGA)
    assert stage.sticks.loans() == [loan]
    assert stage.heard(StickTakenBack) == [StickTakenBack(first, was, OLGA, LENT_ANEW)]
    stage.sticks.lend(other.id, camera=CAMERA, user_id=PC.user_id, minutes=9, by=OLGA)
    assert len(stage.heard(StickTakenBack)) == 1
    with pytest.raises(UnknownShareError):
        stage.sticks.lend(first.id, camera=OTHER, user_id=PC.user_id, minutes=5, by=OLGA)
    with pytest.raises(UnknownShareError):
        stage.sticks.lend(first.id, camera=CAMERA, user_id="u-nobody", minutes=5, by=OLGA)


async def test_a_link_test_ends_once(stage: Stage) -> None:
    """Though it is found to be over a second time, while the result of another is stored."""
    other = await stage.sharing.partners.put(OrganisationWish(name="BTP"))
    for organisation_id in (stage.organisation, other.id):
        await stage.sharing.tests.start(organisation_id, CAMERA, by=OLGA)
    await stage.shares.end([row.id for row in stage.shares.open()], by=OLGA)
    await asyncio.gather(stage.sharing.tests.look(), stage.sharing.tests.look())
    assert len(stage.heard(changes.Tested)) == 2


async def test_an_invitation_grows_old(stage: Stage) -> None:
    """After an hour its code is worth nothing."""
    _, code = await stage.sharing.partners.invite(stage.organisation, username="x", name="X", invited_by="u")
    await stage.sharing.partners.invitation(code.lower().replace("-", " "))
    await stage.turn(60 * MINUTE_S)
    with pytest.raises(InvitationError):
        await stage.sharing.partners.invitation(code)


async def test_an_invitation_is_used_by_one(stage: Stage) -> None:
    """Of two who are quick one is refused."""
    partners = stage.sharing.partners
    invitation, _ = await partners.invite(stage.organisation, username="x", name="X", invited_by="u")
    await partners.withdraw(invitation.id)
    with pytest.raises(InvitationError):
        await partners.enrolled(invitation, user_id=PC.user_id, name="X")


async def test_places_are_held_while_views_are_opened(stage: Stage) -> None:
    """Two offers at once do not share the last place."""
    await stage.shares.make(stage.wish(viewer_limit=1), by=OLGA)
    with (
        stage.sharing.seats.seat(PC.user_id, CAMERA, StreamName.MAIN, watching=lambda _: []),
        pytest.raises(ShareFullError),
        stage.sharing.seats.seat(PC.user_id, CAMERA, StreamName.MAIN, watching=lambda _: []),
    ):
        pass
    with stage.sharing.seats.seat(PC.user_id, CAMERA, StreamName.MAIN, watching=lambda _: []):
        pass


async def test_a_second_share_has_places_of_its_own(stage: Stage) -> None:
    """Where the first is full the other is taken."""
    first = await stage.shares.make(stage.wish(viewer_limit=1), by=OLGA)
    other = await stage.shares.make(stage.wish(viewer_limit=1), by=OLGA)
    places = {first.id: [("u-colleague", CAMERA)], other.id: []}
    with stage.sharing.seats.seat(PC.user_id, CAMERA, StreamName.MAIN, watching=lambda share: places[share]) as row:
        assert row.id == other.id


async def test_a_relay_serves_no_longer_than_the_share(stage: Stage) -> None:
    """The latest end of what gives the camera."""
    row = await stage.shares.make(stage.wish(), by=OLGA)
    assert stage.shares.until_ns(PC.user_id, CAMERA) == row.ends_ns
    assert stage.shares.until_ns(PC.user_id, OTHER) is None


@pytest.mark.parametrize(
    ("address", "certificate", "let_in"),
    [
        ("192.0.2.7", "ab" * 32, True),
        ("::ffff:192.0.2.7", "ab" * 32, True),
        ("198.51.100.1", "ab" * 32, False),
        ("nonsense", "ab" * 32, False),
        ("192.0.2.7", None, False),
        ("192.0.2.7", "cd" * 32, False),
    ],
)
async def test_people_come_as_was_agreed(stage: Stage, address: str, certificate: str | None, *, let_in: bool) -> None:
    """From their networks, with their certificate."""
    wish = OrganisationWish(name="TVP", networks=("192.0.2.0/24",), certificate="AB:" * 31 + "AB")
    await stage.sharing.partners.put(wish, stage.organisation)
    if let_in:
        stage.sharing.partners.check_entry(PC.user_id, address=address, certificate=certificate)
        return
    with pytest.raises(OutsideError):
        stage.sharing.partners.check_entry(PC.user_id, address=address, certificate=certificate)


async def test_terms_that_change_are_accepted_anew(tmp_path: Path, stage: Stage) -> None:
    """Another text is another version: what was accepted before counts no more."""
    await stage.shares.make(stage.wish(), by=OLGA)
    other = SharingSettings(terms="Other terms.")
    async with opened(stage.database, stage.clock, other) as anew:
        assert len(anew.shares.mine(PC.user_id)) == 1
        assert anew.given(PC.user_id) == []
