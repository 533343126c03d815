"""What shares lose by themselves, what a failure cannot keep alive, and what is not kept."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.db.errors import ConflictError, DatabaseUnusableError
from gateway.db.sharing import ShareRows
from gateway.db.users import Users
from gateway.sharing import Changed, Ended, Person, ShareChange, SharingChange, StickTakenBack
from gateway.sharing.erasing import ERASE_EVERY_S
from gateway.sharing.errors import InvitationError, ShareFullError, UnknownShareError
from gateway.sharing.terms import widens
from gateway.sharing.upkeep import GONE, MAY_NOT_SHARE, MAY_NOT_STEER, NOBODY_LEFT, SIGNED_OUT
from kernel.clock import NS_PER_S
from kernel.ids import CameraId, StreamName
from tests.fakes.clock import ManualClock
from tests.fakes.sharing_room import CAMERA, OLGA, OTHER, PERSONAL_DAYS
from tests.fakes.sharing_stage import PC, Stage, open_stage
from tests.fakes.waiting import until

DAY_S = 86_400.0
MIA = Person(user_id="u-mia", name="Mia")


@pytest_asyncio.fixture
async def stage(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Stage]:
    """Give the room."""
    async with open_stage(tmp_path, clock) as stage:
        yield stage


def failing(_: object) -> object:
    """Stand for a database that cannot be written to."""
    raise DatabaseUnusableError("The disk is full.", cure="Make room.")


def everything(_: str) -> None:
    """Let everybody share everything."""


def steers(_: str, __: CameraId) -> bool:
    """Let everybody steer everything."""
    return True


async def shown(stage: Stage) -> tuple[CameraId, ...]:
    """Return the cameras of the only share as the database has them."""
    async with stage.database.read() as connection:
        (row,) = await ShareRows(connection).open()
    return row.cameras


async def test_a_camera_that_was_left_is_not_shown_on_by_a_failing_database(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next selection cannot be written: nothing is shown, and the database has that once it can be written."""
    row = await stage.shares.make(stage.wish(follows=True), by=OLGA)
    with monkeypatch.context() as patch:
        patch.setattr(type(stage.database), "write", failing)
        with pytest.raises(DatabaseUnusableError):
            await stage.shares.select(row.id, OTHER, by=OLGA)
        assert stage.shares.get(row.id).cameras == ()
        assert stage.sharing.given(PC.user_id)[0].cameras == frozenset()
    await stage.shares.look()
    assert await shown(stage) == ()


async def test_nothing_selected_shows_nothing_though_it_cannot_be_written(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To select no camera never fails."""
    row = await stage.shares.make(stage.wish(follows=True), by=OLGA)
    with monkeypatch.context() as patch:
        patch.setattr(type(stage.database), "write", failing)
        assert (await stage.shares.select(row.id, None, by=OLGA)).cameras == ()
    await stage.shares.look()
    assert await shown(stage) == ()


async def test_a_share_follows_on_when_a_named_recipient_was_removed(stage: Stage) -> None:
    """Before that is learnt the camera that was left is blank; then the next is shown."""
    wish = stage.wish(follows=True, recipients=frozenset({PC.user_id}))
    row = await stage.shares.make(wish, by=OLGA)
    async with stage.database.write() as connection:
        await Users(connection).remove(PC.user_id)
    with pytest.raises(ConflictError):
        await stage.shares.select(row.id, OTHER, by=OLGA)
    assert stage.shares.get(row.id).cameras == ()
    stage.sharing.upkeep.forget({PC.user_id})
    assert (await stage.shares.select(row.id, OTHER, by=OLGA)).cameras == (OTHER,)
    assert stage.sharing.partners.recipient(PC.user_id) is None
    assert GONE in [one.reason for one in stage.told if isinstance(one, Changed)]


async def test_a_share_whose_only_recipient_was_removed_is_over(stage: Stage) -> None:
    """Nobody is left whom it is for."""
    await stage.shares.make(stage.wish(recipients=frozenset({PC.user_id})), by=OLGA)
    stage.sharing.upkeep.forget({PC.user_id})
    stage.sharing.upkeep.keep_to(everything, steers)
    assert [one.reason for one in stage.told if isinstance(one, Ended)] == [NOBODY_LEFT]


async def test_a_camera_that_its_maker_may_not_share_leaves_the_share(stage: Stage) -> None:
    """The other goes on; with the last the share is over."""
    row = await stage.shares.make(stage.wish(cameras=(CAMERA, OTHER)), by=OLGA)
    stage.sharing.upkeep.keep_to(lambda _: {OTHER}, steers)
    assert stage.shares.get(row.id).cameras == (OTHER,)
    await stage.shares.look()
    assert await shown(stage) == (OTHER,)
    stage.sharing.upkeep.keep_to(lambda _: {CAMERA}, steers)
    assert [one.reason for one in stage.told if isinstance(one, Ended)] == [MAY_NOT_SHARE]


async def test_shares_of_who_may_share_nothing_are_over(stage: Stage) -> None:
    """One that follows too, though it shows nothing; that of a colleague goes on."""
    await stage.shares.make(stage.wish(cameras=(), follows=True), by=OLGA)
    await stage.shares.make(stage.wish(), by=OLGA)
    other = await stage.shares.make(stage.wish(), by=MIA)
    stage.sharing.upkeep.keep_to(lambda user_id: () if user_id == OLGA.user_id else None, steers)
    assert [row.id for row in stage.shares.open()] == [other.id]
    await stage.shares.look()
    assert len(await stage.shares.over()) == 2


async def test_what_follows_shows_nothing_once_its_session_is_over(stage: Stage) -> None:
    """Of the session that the selection came through; what shows cameras by name goes on."""
    row = await stage.shares.make(stage.wish(follows=True, session="one"), by=OLGA)
    named = await stage.shares.make(stage.wish(session="one"), by=OLGA)
    stage.sharing.upkeep.signed_out("two")
    assert stage.shares.get(row.id).cameras == (CAMERA,)
    stage.sharing.upkeep.signed_out("one")
    assert (stage.shares.get(row.id).cameras, stage.shares.get(named.id).cameras) == ((), (CAMERA,))
    assert [one.reason for one in stage.told if isinstance(one, Changed)] == [SIGNED_OUT]
    await stage.shares.select(row.id, OTHER, by=OLGA, session="two")
    stage.sharing.upkeep.signed_out("one")
    assert stage.shares.get(row.id).cameras == (OTHER,)


async def test_a_loan_ends_when_its_lender_may_not_steer(stage: Stage) -> None:
    """Whoever has it steers no more."""
    row = await stage.shares.make(stage.wish(), by=OLGA)
    stage.sticks.lend(row.id, camera=CAMERA, user_id=PC.user_id, minutes=5, by=OLGA)
    stage.sharing.upkeep.keep_to(everything, steers)
    assert stage.sticks.loan(CAMERA) is not None
    stage.sharing.upkeep.keep_to(everything, lambda user_id, _: user_id != OLGA.user_id)
    assert stage.sticks.loan(CAMERA) is None
    assert stage.sharing.given(PC.user_id)[0].steered == frozenset()
    assert [one.reason for one in stage.told if isinstance(one, StickTakenBack)] == [MAY_NOT_STEER]


async def test_who_reviews_a_standing_share_answers_for_it(stage: Stage) -> None:
    """Whoever made it may leave from then on."""
    later_ns = stage.clock.wall_ns() + 86_400 * NS_PER_S
    row = await stage.shares.make(stage.wish(kind="standing", reference="MoU 7", review_ns=later_ns), by=OLGA)
    reviewed = await stage.shares.review(row.id, later_ns + 1, by=MIA)
    assert (reviewed.made_by, reviewed.maker) == (MIA.user_id, MIA.name)


async def test_all_shares_end_though_somebody_fails_at_hearing_of_the_first(stage: Stage) -> None:
    """The others are told of all of them, and the database has every end."""
    rows = [await stage.shares.make(stage.wish(), by=OLGA) for _ in range(3)]

    def fail(_: SharingChange) -> None:
        raise UnknownShareError("No organisation.", cure="None.")

    told: list[SharingChange] = []
    stage.sharing.bell.listen(fail)
    stage.sharing.bell.listen(told.append)
    await stage.shares.end([row.id for row in rows], by=OLGA)
    assert len(told) == 3
    assert len(await stage.shares.over()) == 3


async def test_an_organisation_that_is_being_removed_is_given_nothing(stage: Stage) -> None:
    """Nobody of it sees anything, no share with it is made, and nobody is invited or enrols; then it is as before."""
    await stage.shares.make(stage.wish(), by=OLGA)
    _, code = await stage.sharing.partners.invite(stage.organisation, username="x", name="X", invited_by="u")
    with stage.sharing.partners.leaving(stage.organisation):
        assert stage.sharing.given(PC.user_id) == []
        with pytest.raises(UnknownShareError):
            await stage.shares.make(stage.wish(), by=OLGA)
        with pytest.raises(InvitationError):
            await stage.sharing.partners.invitation(code)
        with pytest.raises(UnknownShareError):
            await stage.sharing.partners.invite(stage.organisation, username="y", name="Y", invited_by="u")
    assert len(stage.sharing.given(PC.user_id)) == 1


async def test_a_share_that_is_made_while_its_organisation_is_removed_is_not_there(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was written a moment before: it is over, and does not come back with a restart."""
    put = ShareRows.put

    async def slow(rows: ShareRows, row: object) -> None:
        await put(rows, row)  # type: ignore[arg-type]
        stage.sharing.partners._leaving.add(stage.organisation)

    monkeypatch.setattr(ShareRows, "put", slow)
    with pytest.raises(UnknownShareError):
        await stage.shares.make(stage.wish(), by=OLGA)
    assert stage.shares.open() == []
    await stage.shares.look()
    await stage.shares.load()
    assert stage.shares.open() == []


async def test_personal_detail_is_not_kept(stage: Stage) -> None:
    """Shares that are over, notes and tests go after their time, by no leap; what runs on loses its old notes only."""
    later_ns = stage.clock.wall_ns() + round(300 * DAY_S) * NS_PER_S
    over = await stage.shares.make(stage.wish(), by=OLGA)
    await stage.sharing.notes.write(over, "He went left.", by=OLGA, outside=False)
    await stage.sharing.tests.start(stage.organisation, CAMERA, by=OLGA)
    standing = await stage.shares.make(stage.wish(kind="standing", reference="M", review_ns=later_ns), by=OLGA)
    await stage.sharing.notes.write(standing, "Old.", by=OLGA, outside=False)
    await stage.turn(2 * 3600)
    await until(lambda: len(stage.heard(Ended)) == 2, what="both ends")
    stage.clock.jump_wall(30 * PERSONAL_DAYS * DAY_S)
    await stage.sharing.erasing.erase()
    stage.clock.jump_wall(-30 * PERSONAL_DAYS * DAY_S)
    stage.clock.pass_by((PERSONAL_DAYS - 1) * DAY_S)
    await stage.sharing.erasing.erase()
    assert (len(await stage.shares.over()), len(await stage.sharing.tests.of(stage.organisation))) == (2, 1)
    await stage.sharing.notes.write(standing, "New.", by=OLGA, outside=False)
    stage.clock.pass_by(2 * DAY_S)
    await stage.sharing.erasing.erase()
    assert (await stage.shares.over(), await stage.sharing.tests.of(stage.organisation)) == ([], [])
    assert [note.text for note in await stage.sharing.notes.of(standing)] == ["New."]
    async with stage.database.read() as connection:
        assert await ShareRows(connection).count_notes(over.id) == 0


async def test_an_invitation_that_ran_out_is_deleted(stage: Stage) -> None:
    """With the name in it, within the hour."""
    await stage.sharing.partners.invite(stage.organisation, username="x", name="X", invited_by="u")
    await stage.turn(ERASE_EVERY_S)

    async def kept() -> int:
        async with stage.database.read() as connection:
            rows = await connection.exec_driver_sql("SELECT count(*) FROM invitations")
            return int(rows.scalar_one())

    await stage.turn(0)
    await stage.sharing.erasing.erase()
    assert await kept() == 0


async def test_nobody_takes_all_places_by_one_camera(stage: Stage) -> None:
    """A fifth view of it is refused, those being opened included; a colleague's, and another camera's, is not."""
    await stage.shares.make(stage.wish(cameras=(CAMERA, OTHER)), by=OLGA)
    seat = stage.sharing.seats.seat
    mine, foreign = [(PC.user_id, CAMERA)] * 3, [("u-colleague", CAMERA)] * 4
    with seat(PC.user_id, CAMERA, StreamName.MAIN, watching=lambda _: [*mine, *foreign]):
        with (
            pytest.raises(ShareFullError, match="You have 4"),
            seat(PC.user_id, CAMERA, StreamName.SUB, watching=lambda _: [*mine, *foreign]),
        ):
            pass
        with seat(PC.user_id, OTHER, StreamName.MAIN, watching=lambda _: [*mine, *foreign]):
            pass


async def test_what_gives_anybody_more_widens(stage: Stage) -> None:
    """Cameras, people, detail, stills, the stick, places, time; the reverse of each narrows."""
    row = await stage.shares.make(stage.wish(recipients=frozenset({PC.user_id}), stream="sub"), by=OLGA)
    more = (
        {"cameras": (CAMERA, OTHER)},
        {"recipients": None},
        {"recipients": frozenset({PC.user_id, "u-other"})},
        {"stream": "main"},
        {"stream": "line"},
        {"stills": True},
        {"may_ask_for_stick": True},
        {"viewer_limit": row.viewer_limit + 1},
        {"ends_ns": row.ends_ns + 1},
    )
    for change in more:
        wider = replace(row, **change)
        assert (widens(row, wider), widens(wider, row)) == (True, False), change
    assert not widens(row, stage.shares.changed(row, ShareChange(title="Another")))
