"""What becomes due is said once, and once more when it is overdue."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest_asyncio

from config.deployments import DeploymentSettings
from gateway.db.engine import Database
from gateway.deployments.deployment import DAY_NS, Deployment
from gateway.deployments.due import Due, due
from gateway.deployments.geofence import Kind
from gateway.deployments.reminding import LOOK_S, SIGNS_NS, Reminding, open_reminding, unsaid
from gateway.deployments.service import Deployments, Taken, open_deployments
from gateway.deployments.steps import Raise, Remind, Remove, Review
from gateway.deployments.why import Why
from tests.fakes.clock import ManualClock
from tests.fakes.estate import FakeEstate
from tests.fakes.waiting import until
from tests.unit.deployments.conftest import DAY_S, URN
from tests.unit.deployments.test_life import CHIEF, NOW_NS, OFF, REFERRAL, SHOWN, STANDING, TEAM, hand_for, lived

SIGNED = [*STANDING, SHOWN, OFF]
SETTINGS = DeploymentSettings(criteria=("recorded", "tried"), max_days=30, review_days=10, warn_days=2)


@pytest_asyncio.fixture
async def deployments(database: Database, clock: ManualClock) -> AsyncIterator[Deployments]:
    """Return deployments with one that stands: to be reviewed in seven days, for twenty."""
    async with open_deployments(database, clock=clock, settings=SETTINGS) as deployments:
        deployments.join(FakeEstate(URN))
        await deployments.mark(URN, "D017", by=CHIEF)
        taken = await deployments.refer(REFERRAL, by=TEAM)
        for step in SIGNED:
            await deployments.step(taken.deployment.id, step, by=hand_for(step))
        yield deployments


def found(one: Deployment, *, days: float) -> list[Due]:
    """Return what is to be said of a deployment some days after it began."""
    now_ns = NOW_NS + round(days * DAY_NS)
    return unsaid(due([one], now_ns=now_ns, warn_days=2, evaluation_days=60), now_ns=now_ns)


async def test_a_review_is_said_when_it_is_due_and_when_it_is_overdue(
    database: Database, deployments: Deployments, clock: ManualClock
) -> None:
    """Once each, to whoever listens, and in the log; over a restart not again; a later one is another."""
    heard: list[Taken] = []
    deployments.listen(heard.append)
    reminding = Reminding(deployments, clock=clock)

    async def said_after(days: float) -> list[tuple[str, bool]]:
        clock.pass_by(days * DAY_S)
        heard.clear()
        for again in (
            reminding,
            reminding,
            Reminding(Deployments(database, clock=clock, settings=SETTINGS), clock=clock),
        ):
            await again.look()
        said = [json.loads(taken.entry.said) for taken in heard]
        return [(one["why"], one["overdue"]) for one in said]

    assert await said_after(4.0) == []
    assert await said_after(1.5) == [("review", False)]
    assert await said_after(2.0) == [("review", True)]
    (one,) = await deployments.newest()
    later = Review(found="x", needed=True, next_ns=clock.wall_ns() + 5 * DAY_NS)
    await deployments.step(one.id, later, by=TEAM)
    assert await said_after(2.0) == []
    assert await said_after(1.5) == [("review", False)]
    lines = [line.step for line in await deployments.log(one.id)]
    assert lines.count("due") == 3


async def test_it_looks_by_itself(deployments: Deployments, clock: ManualClock) -> None:
    """Every minute, as long as it is open."""
    heard: list[Taken] = []
    deployments.listen(heard.append)
    async with open_reminding(deployments, clock=clock):
        await clock.turn(1)
        clock.pass_by(6 * DAY_S)
        await clock.turn(LOOK_S)
        await until(lambda: [taken.entry.step for taken in heard] == ["due"], what="the reminder")


async def test_whoever_fails_at_hearing_it_does_not_end_the_looking(
    deployments: Deployments, clock: ManualClock
) -> None:
    """The others hear it, it is in the log, and what becomes due next is said as well."""

    def fails(_taken: Taken) -> None:
        raise ValueError

    heard: list[bool] = []
    deployments.listen(fails)
    deployments.follow(fails)
    deployments.follow(lambda taken: heard.append(json.loads(taken.entry.said)["overdue"]))
    async with open_reminding(deployments, clock=clock):
        for days in (6, 2):
            await clock.turn(1)
            clock.pass_by(days * DAY_S)
            said = len(heard)
            await clock.turn(LOOK_S)
            await until(lambda said=said: len(heard) > said, what="the reminder")  # type: ignore[misc]
    assert heard == [False, True]
    (one,) = await deployments.newest()
    assert [line.step for line in await deployments.log(one.id)].count("due") == len(heard)


def test_what_is_said_when_it_happens_is_not_said_again() -> None:
    """Alarms, and stays that are over."""
    gone = lived(*SIGNED, Raise(kind=Kind.LEFT, by=300.0, place=None))
    assert found(gone, days=0) == []
    over = replace(lived(*SIGNED), lapsed_ns=NOW_NS + 20 * DAY_NS)
    assert [one.why for one in found(over, days=20.5)] == [Why.REVIEW]


def test_a_referral_is_news_when_it_has_waited_for_too_long() -> None:
    """Whoever decides has the list; that nobody does is said."""
    assert found(lived(), days=1) == []
    assert [(one.why, one.overdue) for one in found(lived(), days=2.1)] == [(Why.DECISION, True)]


def test_signs_are_given_an_hour() -> None:
    """Who took the unit down is taking them down."""
    down = lived(*SIGNED, Remove(reason="x"))
    assert found(down, days=0.01) == []
    assert [one.why for one in found(down, days=SIGNS_NS / DAY_NS + 0.01)] == [Why.SIGNS]


def test_what_was_said_of_another_date_is_said_again() -> None:
    """An evaluation that was due is another when it is overdue."""
    down = lived(*SIGNED, Remove(reason="x"), Remind(why=Why.SIGNS, by_ns=NOW_NS, overdue=True))
    by_ns = NOW_NS + 60 * DAY_NS
    assert [(one.why, one.overdue) for one in found(down, days=59)] == [(Why.EVALUATION, False)]
    told = lived(
        *SIGNED,
        Remove(reason="x"),
        Remind(why=Why.SIGNS, by_ns=NOW_NS, overdue=True),
        Remind(why=Why.EVALUATION, by_ns=by_ns, overdue=False),
    )
    assert found(told, days=59) == []
    assert [(one.why, one.overdue) for one in found(told, days=60.1)] == [(Why.EVALUATION, True)]
