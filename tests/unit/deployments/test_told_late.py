"""What units tell after they were taken down, and what of it is of the place where they stood."""

import json

import pytest

from gateway.db.engine import Database
from gateway.deployments.deployment import Stage
from gateway.deployments.errors import StepError, TakenError
from gateway.deployments.geofence import Case, Kind, Moved, Position, Shock
from gateway.deployments.life import after
from gateway.deployments.service import Deployments, Taken
from gateway.deployments.steps import Acknowledge, Evaluate, Raise, Remove, SignsDown, Step
from gateway.deployments.why import Why
from kernel.clock import NS_PER_S
from kernel.geography import LocalPlane
from tests.fakes.clock import ManualClock
from tests.unit.deployments.conftest import DAY_S, SETTINGS, URN, brought
from tests.unit.deployments.test_life import CLOCK, HERE, NO_SIGN, RULES, STANDING, TEAM, lived

REMOVE = Remove(reason="Over.")
DOWN: list[Step] = [REMOVE, NO_SIGN, SignsDown(text="Both.")]
EVALUATE = Evaluate(found="Nothing.", effect="unchanged")


async def took_down(deployments: Deployments, clock: ManualClock) -> tuple[str, int]:
    """Have a unit stand for an hour and be taken down; return its deployment, and when that was."""
    one = await brought(deployments, *STANDING)
    clock.pass_by(3600)
    await deployments.step(one, REMOVE, by=TEAM)
    down_ns = clock.wall_ns()
    clock.pass_by(1800)
    return one, down_ns


async def test_a_theft_that_is_told_after_the_unit_was_said_to_be_down_is_an_alarm(
    deployments: Deployments, clock: ManualClock
) -> None:
    """It stays with that deployment, says that it was told late, is told and due, and is acknowledged as others are."""
    heard: list[Taken] = []
    deployments.listen(heard.append)
    one, down_ns = await took_down(deployments, clock)
    happened_ns = down_ns - 600 * NS_PER_S
    (taken,) = await deployments.reported(URN, Moved(), happened_ns=happened_ns)
    said = json.loads(taken.entry.said)
    assert heard == [taken]
    assert (taken.deployment.id, taken.deployment.stage, said["kind"]) == (one, Stage.REMOVED, "moved")
    assert (said["happened_ns"], said["down"], taken.entry.at_ns) == (happened_ns, True, clock.wall_ns())
    unseen = taken.deployment.unseen[Kind.MOVED]
    assert (unseen.since_ns, unseen.told_ns) == (happened_ns, clock.wall_ns())
    assert Why.ALARM in {due.why for due in await deployments.due()}
    await deployments.step(one, Acknowledge(kind=Kind.MOVED, line=unseen.line, text="Seen to."), by=TEAM)
    assert Why.ALARM not in {due.why for due in await deployments.due()}


async def test_what_happens_in_the_van_is_no_alarm(deployments: Deployments, clock: ManualClock) -> None:
    """Neither told at once nor late: it was down when that happened."""
    _, down_ns = await took_down(deployments, clock)
    for report in (Moved(), Shock(9.0), Case(open=True)):
        assert await deployments.reported(URN, report, told_ns=clock.wall_ns()) == []
        assert await deployments.reported(URN, report, happened_ns=down_ns + NS_PER_S) == []


async def test_fixes_that_led_off_before_it_was_down_are_one_alarm(
    deployments: Deployments, clock: ManualClock
) -> None:
    """Of then; nothing lasts of it, for the unit is down. That its lid was open is told once too."""
    one, down_ns = await took_down(deployments, clock)
    away = Position(LocalPlane(HERE).to_place(0.0, 400.0), 5.0)
    taken = []
    for ago_s in range(900, 600, -10):
        taken += await deployments.reported(URN, away, happened_ns=down_ns - ago_s * NS_PER_S)
        taken += await deployments.reported(URN, Case(open=True), happened_ns=down_ns - ago_s * NS_PER_S)
    assert [json.loads(line.entry.said)["kind"] for line in taken] == ["opened", "left"]
    known = await deployments.one(one)
    assert (known.alarms, set(known.unseen)) == ({}, {Kind.OPENED, Kind.LEFT})


async def test_what_stands_elsewhere_by_then_is_told_of_where_it_was(
    deployments: Deployments, clock: ManualClock
) -> None:
    """By when it happened; what was in the van between is of neither place."""
    first, down_ns = await took_down(deployments, clock)
    second = await brought(deployments, *STANDING)
    clock.pass_by(600)
    ends_ns = (down_ns - 60 * NS_PER_S, down_ns + 60 * NS_PER_S, clock.wall_ns() - 60 * NS_PER_S)
    taken = [await deployments.reported(URN, Shock(9.0), happened_ns=at_ns) for at_ns in ends_ns]
    assert [[one.deployment.id for one in each] for each in taken] == [[first], [], [second]]
    assert [json.loads(each[0].entry.said)["down"] for each in (taken[0], taken[2])] == [True, False]


async def test_what_was_evaluated_without_it_is_evaluated_again(deployments: Deployments, clock: ManualClock) -> None:
    """A theft is told after everything was closed: it is open again until somebody has seen to it."""
    one = await brought(deployments, *STANDING)
    clock.pass_by(3600)
    happened_ns = clock.wall_ns() - 60 * NS_PER_S
    for step in (*DOWN, EVALUATE):
        await deployments.step(one, step, by=TEAM)
    clock.pass_by(600)
    (taken,) = await deployments.reported(URN, Moved(), happened_ns=happened_ns)
    assert taken.deployment.stage is Stage.REMOVED
    assert Why.ALARM in {due.why for due in await deployments.due()}
    with pytest.raises(StepError, match="not acknowledged"):
        await deployments.step(one, EVALUATE, by=TEAM)
    await deployments.step(one, Acknowledge(kind=Kind.MOVED, line=taken.entry.n, text="Seen to."), by=TEAM)
    again = await deployments.step(one, EVALUATE, by=TEAM)
    assert again.deployment.stage is Stage.EVALUATED


async def test_it_is_an_alarm_over_a_restart(database: Database, deployments: Deployments, clock: ManualClock) -> None:
    """For a day, which is as late as a unit is believed; then nobody waits for it."""
    one, down_ns = await took_down(deployments, clock)
    again = Deployments(database, clock=clock, settings=SETTINGS)
    await again.load()
    assert again.watched(URN)
    (taken,) = await again.reported(URN, Moved(), happened_ns=down_ns - 60 * NS_PER_S)
    assert taken.deployment.id == one
    clock.pass_by(DAY_S)
    later = Deployments(database, clock=clock, settings=SETTINGS)
    await later.load()
    assert [each.watched(URN) for each in (again, later)] == [False, False]


async def test_what_was_told_while_it_stood_and_judged_after_it_was_down_is_an_alarm(
    deployments: Deployments, clock: ManualClock
) -> None:
    """It waited while somebody said that the unit is down."""
    one, down_ns = await took_down(deployments, clock)
    (taken,) = await deployments.reported(URN, Shock(9.0), told_ns=down_ns - NS_PER_S)
    assert (taken.deployment.id, json.loads(taken.entry.said)["happened_ns"]) == (one, down_ns - NS_PER_S)


async def test_what_another_process_took_down_is_known_at_the_second_try(
    database: Database, deployments: Deployments, clock: ManualClock
) -> None:
    """The first says that somebody took a step; what happened before is raised then."""
    one = await brought(deployments, *STANDING)
    other = Deployments(database, clock=clock, settings=SETTINGS)
    await other.load()
    clock.pass_by(3600)
    told_ns = clock.wall_ns() - NS_PER_S
    await deployments.step(one, REMOVE, by=TEAM)
    with pytest.raises(TakenError):
        await other.reported(URN, Shock(9.0), told_ns=told_ns)
    (taken,) = await other.reported(URN, Shock(9.0), told_ns=told_ns)
    assert json.loads(taken.entry.said)["down"]


def test_no_alarm_is_raised_of_when_it_did_not_stand() -> None:
    """Not by any caller: the step itself refuses."""
    known = lived(*STANDING, REMOVE)
    assert known.removed_ns is not None
    late = Raise(kind=Kind.MOVED, by=0.0, place=None, happened_ns=known.removed_ns, down=True)
    with pytest.raises(StepError, match="did not stand"):
        after(known, late, CLOCK, rules=RULES, now_ns=known.removed_ns + NS_PER_S)


async def test_what_is_put_up_again_is_watched_anew(deployments: Deployments, clock: ManualClock) -> None:
    """Its lid was open when it was taken down by mistake; open still, that is told of where it hangs now."""
    one = await brought(deployments, *STANDING)
    assert len(await deployments.reported(URN, Case(open=True))) == 1
    clock.pass_by(3600)
    await deployments.step(one, REMOVE, by=TEAM)
    await deployments.step(one, STANDING[-1], by=TEAM)
    (taken,) = await deployments.reported(URN, Case(open=True))
    assert (taken.deployment.id, json.loads(taken.entry.said)["kind"]) == (one, "opened")
