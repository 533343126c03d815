"""A wall clock that leaps ahead ends no stay; the time that goes by does."""

from gateway.deployments.deployment import Stage
from gateway.deployments.reminding import Reminding
from gateway.deployments.service import Deployments, Taken
from kernel.clock import BELIEVED_S
from tests.fakes.clock import ManualClock
from tests.fakes.estate import FakeEstate
from tests.unit.deployments.conftest import DAY_S, URN, brought
from tests.unit.deployments.test_life import GRANT, STANDING

MONTH_S = 30 * DAY_S


async def test_a_bad_time_server_ends_no_stay(deployments: Deployments, estate: FakeEstate, clock: ManualClock) -> None:
    """A month ahead, it goes on recording, and nobody is told or reminded of anything."""
    heard: list[Taken] = []
    one = await brought(deployments, *STANDING)
    reminding = Reminding(deployments, clock=clock)
    await reminding.look()
    deployments.listen(heard.append)
    judged = len(estate.judged)
    clock.jump_wall(MONTH_S)
    await deployments.look()
    await reminding.look()
    assert deployments.may_record(URN)
    assert (heard, len(estate.judged)) == ([], judged)
    clock.jump_wall(-MONTH_S)
    await deployments.look()
    assert (await deployments.log(one))[-1].step == "due"


async def test_a_stay_ends_on_time_while_the_wall_clock_is_astray(deployments: Deployments, clock: ManualClock) -> None:
    """By as much time as has gone by: the authority is for no longer."""
    one = await brought(deployments, *STANDING)
    clock.pass_by((GRANT.max_days - 1) * DAY_S)
    clock.jump_wall(MONTH_S)
    await deployments.look()
    assert deployments.may_record(URN)
    clock.pass_by(DAY_S)
    assert not deployments.may_record(URN)
    await deployments.look()
    assert (await deployments.log(one))[-1].step == "lapsed"


async def test_a_leap_that_nobody_puts_back_for_a_day_is_the_time(deployments: Deployments, clock: ManualClock) -> None:
    """The clock was wrong before: a unit does not record for longer than a day past what was signed."""
    one = await brought(deployments, *STANDING)
    clock.jump_wall(MONTH_S)
    await deployments.look()
    clock.pass_by(BELIEVED_S)
    await deployments.look()
    known = await deployments.one(one)
    assert (known.stage, known.lapsed_ns is not None) == (Stage.DEPLOYED, True)
    assert not deployments.may_record(URN)
