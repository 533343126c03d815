"""The decider: tokens, disabled people, bundles of another version, a database that is away."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from gateway.access.decision import Decider, open_decider, permissions_of
from gateway.access.errors import ForbiddenError
from gateway.access.groups import Standing
from gateway.access.people import UserChange
from gateway.access.permissions import Permission, Role
from gateway.db.engine import Database
from gateway.db.errors import DatabaseUnusableError
from gateway.db.rights import BundleRow, GrantRow, RightsRows
from kernel.clock import NS_PER_S
from kernel.ids import CameraId
from tests.fakes.clock import settle
from tests.unit.access.conftest import Door

CAMERA = CameraId("a")


class OneCamera:
    """An estate of one camera, nowhere."""

    def standing(self) -> list[Standing]:
        """See ``Estate``."""
        return [Standing(camera=CAMERA, label="", place=None)]


@pytest_asyncio.fixture
async def decider(door: Door) -> AsyncIterator[Decider]:
    """Return a decider over the door's database."""
    async with open_decider(door.database, OneCamera(), clock=door.clock) as decider:
        yield decider


async def test_a_token_goes_on_as_long_as_it_and_its_user_do(door: Door, decider: Decider) -> None:
    """What a program began ends with its token, with the token's time, and with its user."""
    user = await door.add()
    row, secret = await door.people.add_token(user_id=user.id, name="wall", role=Role.VIEWER, days=1)
    session = (await door.access.of_token(secret)).session
    await decider.reload()
    assert decider.still(user.id, session, Permission.VIEW_LIVE, CAMERA)
    assert not decider.still(user.id, session, Permission.STEER, CAMERA)
    assert not decider.still("somebody else", session, Permission.VIEW_LIVE, CAMERA)
    await door.clock.turn(86_400)
    assert not decider.still(user.id, session, Permission.VIEW_LIVE, CAMERA)
    await door.people.remove_token(row.id)
    await decider.reload()
    assert not decider.still(user.id, session, Permission.VIEW_LIVE, CAMERA)


async def test_the_end_of_a_right_is_that_of_the_last_grant_or_of_the_token(door: Door, decider: Decider) -> None:
    """Grants that follow each other without a gap are one; a role that gives it has no end, a token always has one."""
    user, other = await door.add("mia", Role.MEMBER), await door.add("olga", Role.OPERATOR)
    row, secret = await door.people.add_token(user_id=other.id, name="wall", role=Role.VIEWER, days=1)
    program = (await door.access.of_token(secret)).session
    now_ns = door.clock.wall_ns()
    async with door.database.write() as connection:
        for number, (start_s, end_s) in enumerate([(0, 100), (0, 60), (100, 200), (201, 300)]):
            grant = GrantRow(
                id=f"g{number}",
                kind="grant",
                user_id=user.id,
                team_id=None,
                role="viewer",
                group_id=None,
                starts_ns=now_ns + start_s * NS_PER_S,
                ends_ns=now_ns + end_s * NS_PER_S,
                reason="",
                granted_by="u",
                created_ns=number,
            )
            await RightsRows(connection).put_grant(grant)
    await decider.reload()
    assert decider.until_ns(user.id, "s", Permission.VIEW_LIVE, CAMERA) == now_ns + 200 * NS_PER_S
    assert decider.until_ns(other.id, "s", Permission.VIEW_LIVE, CAMERA) is None
    assert decider.until_ns(other.id, program, Permission.VIEW_LIVE, CAMERA) == row.expires_ns
    assert decider.until_ns("nobody", "s", Permission.VIEW_LIVE, CAMERA) is None


async def test_who_is_disabled_goes_on_with_nothing(door: Door, decider: Decider) -> None:
    """Whatever session it was begun in."""
    await door.add("root", Role.ADMINISTRATOR)
    user = await door.add()
    await decider.reload()
    assert decider.still(user.id, "s", Permission.STEER, CAMERA)
    await door.people.change(user.id, UserChange(disabled=True))
    await decider.reload()
    assert not decider.still(user.id, "s", Permission.STEER, CAMERA)


async def test_a_refusal_says_whether_it_is_the_camera(door: Door, decider: Decider) -> None:
    """Who lacks the permission altogether is told another sentence than who lacks it here."""
    await door.add()
    identity, _ = await door.sign_in()
    await decider.meet(identity)
    with pytest.raises(ForbiddenError, match="Your role, operator"):
        decider.decide(identity, Permission.ADMINISTER)
    assert decider.decide(identity, Permission.STEER, CAMERA) == "role:operator"


async def test_whoever_was_let_in_before_may_what_they_may_now(door: Door, decider: Decider) -> None:
    """A socket keeps the identity that it was opened by, and a program's outlives a change of its user's role."""
    await door.add("root", Role.ADMINISTRATOR)
    user = await door.add(role=Role.SUPERVISOR)
    _, secret = await door.people.add_token(user_id=user.id, name="wall", role=Role.OPERATOR, days=1)
    opened = [(await door.sign_in())[0], await door.access.of_token(secret)]
    await decider.reload()
    assert [decider.rights(one).rule(Permission.STEER, CAMERA) for one in opened] == ["role:supervisor"] * 2
    assert [decider.rights(one).rule(Permission.SUPERVISE) is not None for one in opened] == [True, False]
    await door.people.change(user.id, UserChange(role=Role.VIEWER))
    await decider.reload()
    for one in opened:
        assert decider.rights(one).permissions() == Role.VIEWER.permissions
    assert [decider.held_there(one, Permission.STEER, OneCamera().standing()[0]) for one in opened] == [False, False]
    await door.people.change(user.id, UserChange(disabled=True))
    await decider.reload()
    assert [decider.rights(one).permissions() for one in opened] == [frozenset(), frozenset()]


async def test_a_change_by_another_process_is_told(door: Door, decider: Decider) -> None:
    """Within half a second, and once."""
    told: list[None] = []
    detach = decider.when_changed(lambda: told.append(None))
    async with door.database.write() as connection:
        await RightsRows(connection).put_bundle(BundleRow(id="b", name="b", permissions="[]"))
    await decider.look()
    await decider.look()
    assert len(told) == 1
    detach()
    await decider.reload()
    assert len(told) == 1


async def test_who_fails_at_hearing_of_rights_keeps_it_from_nobody(door: Door, decider: Decider) -> None:
    """An act that changed them is done and recorded, and whoever took what is not theirs any more loses it."""
    told: list[None] = []

    def fail() -> None:
        raise RuntimeError

    detach = [decider.when_changed(fail), decider.when_changed(lambda: told.append(None))]
    await decider.reload()
    for call in detach:
        call()
    assert len(told) == 1


async def test_an_end_by_the_clock_is_told_though_somebody_asked_before_the_look(door: Door, decider: Decider) -> None:
    """Whoever asks in the half second between the end and the look must not keep it from those who listen."""
    user = await door.add(role=Role.MEMBER)
    now_ns = door.clock.wall_ns()
    async with door.database.write() as connection:
        await RightsRows(connection).put_grant(
            GrantRow(id="g", kind="grant", user_id=user.id, team_id=None, role="viewer", group_id=None,
                     starts_ns=now_ns, ends_ns=now_ns + 60 * NS_PER_S, reason="", granted_by="", created_ns=now_ns)
        )  # fmt: skip
    await decider.reload()
    assert decider.still(user.id, "s", Permission.VIEW_LIVE, CAMERA)
    told: list[None] = []
    detach = decider.when_changed(lambda: told.append(None))
    door.clock.jump_wall(61)
    assert not decider.still(user.id, "s", Permission.VIEW_LIVE, CAMERA)
    await decider.look()
    await decider.look()
    detach()
    assert len(told) == 1


async def test_what_is_known_holds_while_the_database_is_away(
    door: Door, decider: Decider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said once, not twice a second, and nobody loses a right by it."""
    await door.add()
    identity, _ = await door.sign_in()
    await decider.reload()

    def away(_: Database) -> None:
        raise DatabaseUnusableError("away", cure="")

    monkeypatch.setattr(Database, "read", away)
    with capture_logs() as logs:
        for _ in range(4):
            await door.clock.turn(0.5)
            await settle()
    assert [entry["event"] for entry in logs] == ["rights.unread"]
    assert decider.decide(identity, Permission.STEER, CAMERA)


def test_a_bundle_of_a_newer_version_gives_what_is_known(decider: Decider) -> None:
    """A permission that this version does not know is left out; a role that is gone gives nothing."""
    held = json.dumps(["steer", "fly"])
    tables = decider.tables()
    object.__setattr__(tables, "bundles", (BundleRow(id="b", name="b", permissions=held),))
    assert permissions_of(tables, "b") == {Permission.STEER}
    assert permissions_of(tables, "gone") == frozenset()
    assert permissions_of(tables, "viewer") == Role.VIEWER.permissions
