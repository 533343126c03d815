"""Steps that were done before they come: when they count from, and what they do not undo any more."""

import json

import pytest

from gateway.db.engine import Database
from gateway.deployments.done import Told
from gateway.deployments.errors import StepError
from gateway.deployments.service import Deployments, open_deployments
from gateway.deployments.steps import Remove, Review
from kernel.clock import NS_PER_S
from tests.fakes.clock import ManualClock
from tests.fakes.estate import FakeEstate
from tests.unit.deployments.conftest import DAY_S, SETTINGS, URN, brought
from tests.unit.deployments.test_life import CHIEF, INSTALL, PLAN, STANDING, TEAM

HOUR_NS = 3600 * NS_PER_S


async def test_what_was_done_without_a_network_counts_from_when_it_was_done(
    deployments: Deployments, estate: FakeEstate, clock: ManualClock
) -> None:
    """Put up and taken down hours before that was told: the stay began and ended then; both times are on record."""
    hour_ns = 3600 * 10**9
    one = await brought(deployments, *STANDING[:-2])
    clock.pass_by(5 * 3600)
    now_ns = clock.wall_ns()
    for ago, step in ((4, STANDING[-2]), (3, INSTALL), (1, Remove(reason="x"))):
        await deployments.step(one, step, by=TEAM, told=Told(now_ns - ago * hour_ns, now_ns))
    known = await deployments.one(one)
    assert (known.signs_up_ns, known.deployed_ns, known.removed_ns) == tuple(
        now_ns - ago * hour_ns for ago in (4, 3, 1)
    )
    assert estate.moved_ns == [now_ns - 3 * hour_ns, now_ns - hour_ns]
    assert not known.stood(now_ns - hour_ns // 2)
    last = (await deployments.log(one))[-1]
    assert (last.at_ns, last.done_ns, last.clock_offset_ms, last.doubt) == (now_ns, now_ns - hour_ns, 0, "")


async def test_a_time_that_is_not_believed_is_on_record(deployments: Deployments, clock: ManualClock) -> None:
    """The signs are up all the same, from when it was told."""
    one = await brought(deployments, *STANDING[:-2])
    now_ns = clock.wall_ns()
    await deployments.step(one, STANDING[-2], by=TEAM, told=Told(now_ns + 10**12, now_ns))
    last = (await deployments.log(one))[-1]
    assert last.done_ns == now_ns == (await deployments.one(one)).signs_up_ns
    assert "after it was sent" in last.doubt


async def test_an_installation_of_before_the_removal_puts_nothing_up_again(
    deployments: Deployments, clock: ManualClock
) -> None:
    """A phone that was flat meanwhile sends it from the depot: the unit there does not record. Of later, it does."""
    one = await brought(deployments, *STANDING)
    clock.pass_by(6 * 3600)
    await deployments.step(one, Remove(reason="x"), by=TEAM)
    clock.pass_by(3 * 3600)
    now_ns = clock.wall_ns()
    for told in (Told(now_ns - 7 * HOUR_NS, now_ns), Told(now_ns + HOUR_NS, now_ns)):
        with pytest.raises(StepError, match="taken down since"):
            await deployments.step(one, INSTALL, by=TEAM, told=told)
    assert not deployments.may_record(URN)
    await deployments.step(one, INSTALL, by=TEAM, told=Told(now_ns - HOUR_NS, now_ns))
    assert deployments.may_record(URN)


async def test_a_removal_of_before_it_was_put_up_again_takes_nothing_down(
    deployments: Deployments, clock: ManualClock
) -> None:
    """The desk has removed it and put it up again since: what stands goes on recording. Said of later, it is down."""
    one = await brought(deployments, *STANDING)
    clock.pass_by(3600)
    await deployments.step(one, Remove(reason="x"), by=TEAM)
    await deployments.step(one, INSTALL, by=TEAM)
    clock.pass_by(2 * 3600)
    now_ns = clock.wall_ns()
    with pytest.raises(StepError, match="put up again since"):
        await deployments.step(one, Remove(reason="x"), by=TEAM, told=Told(now_ns - 3 * HOUR_NS, now_ns))
    assert deployments.may_record(URN)
    await deployments.step(one, Remove(reason="x"), by=TEAM, told=Told(now_ns - HOUR_NS, now_ns))
    assert not deployments.may_record(URN)


@pytest.mark.parametrize("ahead_s", [0, 1200, 86_400 * 365])
async def test_the_next_review_is_by_our_clock_and_the_plan(
    deployments: Deployments, clock: ManualClock, ahead_s: int
) -> None:
    """Written on a phone without a network whose clock is wrong: so many days after it was done, also in the log."""
    one = await brought(deployments, *STANDING)
    clock.pass_by(3 * 3600)
    now_ns = clock.wall_ns()
    told = Told(now_ns - 2 * HOUR_NS + ahead_s * NS_PER_S, now_ns + ahead_s * NS_PER_S)
    review = Review(found="x", needed=True, next_ns=None)
    taken = await deployments.step(one, review, by=TEAM, told=told)
    next_ns = now_ns - 2 * HOUR_NS + PLAN.review_days * DAY_S * NS_PER_S
    assert taken.deployment.review_ns == next_ns
    assert json.loads(taken.entry.said)["next_ns"] == next_ns


async def test_a_plan_of_before_the_site_asked_for_more_reviews_is_reviewed_as_often_as_it_may(
    database: Database, deployments: Deployments, clock: ManualClock
) -> None:
    """What is reviewed by the plan is never refused for the days that the plan has."""
    one = await brought(deployments, *STANDING)
    stricter = SETTINGS.model_copy(update={"review_days": 3})
    async with open_deployments(database, clock=clock, settings=stricter) as later:
        taken = await later.step(one, Review(found="x", needed=True, next_ns=None), by=TEAM)
    assert taken.deployment.review_ns == clock.wall_ns() + 3 * DAY_S * NS_PER_S


async def test_a_first_removal_is_believed_whatever_its_time(deployments: Deployments, clock: ManualClock) -> None:
    """It undoes nothing that was said since: the unit is down all the same, from when it was told."""
    one = await brought(deployments, *STANDING)
    now_ns = clock.wall_ns()
    await deployments.step(one, Remove(reason="x"), by=TEAM, told=Told(now_ns - 9 * HOUR_NS, now_ns))
    assert (await deployments.one(one)).removed_ns == now_ns


async def test_what_is_recorded_after_it_was_down_is_known_to_be(
    database: Database, deployments: Deployments, clock: ManualClock
) -> None:
    """From when it was taken down until that was told, also over a restart; a removal that comes at once has none."""
    one = await brought(deployments, *STANDING)
    clock.pass_by(3 * 3600)
    now_ns = clock.wall_ns()
    await deployments.step(one, Remove(reason="x"), by=TEAM, told=Told(now_ns - HOUR_NS, now_ns))
    spans = ((now_ns - HOUR_NS, now_ns),)
    assert (await deployments.one(one)).recorded_when_down == spans
    again = Deployments(database, clock=clock, settings=SETTINGS)
    await again.load()
    assert (deployments.recorded_when_down(URN), again.recorded_when_down(URN)) == ([*spans], [*spans])
    await deployments.step(one, INSTALL, by=TEAM)
    clock.pass_by(3600)
    await deployments.step(one, Remove(reason="x"), by=TEAM)
    assert (await deployments.one(one)).recorded_when_down == spans


async def test_what_nobody_recorded_when_it_was_down_is_not_told_of(
    deployments: Deployments, clock: ManualClock
) -> None:
    """Its stay had ended by then, or by half of it; or the time that the phone says is not believed."""
    one = await brought(deployments, *STANDING)
    until_ns = (await deployments.one(one)).until_ns
    assert until_ns is not None
    clock.pass_by((until_ns - clock.wall_ns()) / NS_PER_S + 1800)
    now_ns = clock.wall_ns()
    await deployments.step(one, Remove(reason="x"), by=TEAM, told=Told(now_ns - HOUR_NS, now_ns))
    assert (await deployments.one(one)).recorded_when_down == ((now_ns - HOUR_NS, until_ns),)
    for told in (Told(clock.wall_ns() + HOUR_NS, clock.wall_ns()), Told(0, clock.wall_ns())):
        other = await brought(deployments, *STANDING)
        clock.pass_by(3600)
        await deployments.step(other, Remove(reason="x"), by=TEAM, told=told)
        assert (await deployments.one(other)).recorded_when_down == ()


async def test_where_all_may_be_recorded_nothing_is_withheld(database: Database, clock: ManualClock) -> None:
    """The administrator has said so."""
    settings = SETTINGS.model_copy(update={"record_without": True})
    async with open_deployments(database, clock=clock, settings=settings) as deployments:
        deployments.join(FakeEstate(URN))
        await deployments.mark(URN, "D017", by=CHIEF)
        one = await brought(deployments, *STANDING)
        clock.pass_by(3 * 3600)
        now_ns = clock.wall_ns()
        await deployments.step(one, Remove(reason="x"), by=TEAM, told=Told(now_ns - HOUR_NS, now_ns))
        assert (await deployments.one(one)).recorded_when_down == ()
