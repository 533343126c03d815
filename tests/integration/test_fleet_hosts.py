"""A gateway and two camera hosts that somebody else starts: who gets a new camera, and what a dead host costs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from config.hosts import HostSettings
from gateway.app import open_gateway
from kernel.clock import SystemClock
from tests.fakes.desk import Desk, settings_in, sign_up
from tests.fakes.host import FakeHost
from tests.fakes.waiting import until
from tests.unit.fleet.test_placement import load

CLOCK = SystemClock()


class Hall:
    """A desk with two hosts; each can be ended by closing its stack."""

    def __init__(self, desk: Desk, hosts: list[FakeHost], stacks: list[AsyncExitStack]) -> None:
        self.desk = desk
        self.hosts = hosts
        self.stacks = stacks

    def at(self) -> list[set[str]]:
        """Return the cameras of each host."""
        return [set(host.assignments) for host in self.hosts]

    async def dies(self, host: int) -> None:
        """End a host, and wait until the gateway knows."""
        await self.stacks[host].aclose()
        await until(lambda: not self.desk.gateway.fleet.links[host].up, what="the loss to be noticed")


@pytest_asyncio.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    """Return two hosts of which the first has much to do."""
    hosts = [FakeHost(), FakeHost()]
    hosts[0].load, hosts[1].load = load(cpu=80.0, mbit=900.0), load(cpu=10.0, mbit=100.0)
    settings = settings_in(tmp_path).model_copy(update={"hosts": HostSettings(workers=2, supervisor="systemd")})
    async with AsyncExitStack() as stack:
        stacks = [await stack.enter_async_context(AsyncExitStack()) for _ in hosts]
        for index, host in enumerate(hosts):
            opened = host.open(settings.of_host(index), settings.host_socket(index), clock=CLOCK)
            await stacks[index].enter_async_context(opened)
        gateway = await stack.enter_async_context(open_gateway(settings, clock=CLOCK, open_host=FakeHost().open))
        await until(lambda: all(link.load for link in gateway.fleet.links) and gateway.fleet.up, what="both hosts")
        desk = Desk(gateway, hosts[0], stack)
        await sign_up(desk)
        yield Hall(desk, hosts, stacks)


async def test_a_new_camera_goes_to_the_host_with_less_to_do(hall: Hall) -> None:
    """Enrolment places by the load that the hosts tell."""
    camera = await hall.desk.enrol()
    assert hall.at() == [set(), {camera}]


async def test_a_new_camera_goes_to_a_host_that_is_there(hall: Hall) -> None:
    """A dead host gets none, however little it carried."""
    await hall.dies(1)
    camera = await hall.desk.enrol()
    assert hall.at()[0] == {camera}


@pytest.mark.parametrize("asked", ["snapshot", "timeline?start=2026-01-01T00:00:00Z&end=2026-01-01T01:00:00Z"])
async def test_a_dead_hosts_cameras_are_off_and_questions_about_them_are_503(hall: Hall, asked: str) -> None:
    """The list stays whole, the state says why, and no request waits."""
    camera = await hall.desk.enrol()
    await hall.dies(1)
    (listed,) = (await hall.desk.admin.get("/api/v1/cameras")).json()
    assert (listed["id"], listed["state"]["live"]) == (camera, "off")
    answer = await hall.desk.admin.get(f"/api/v1/cameras/{camera}/{asked}")
    assert answer.status_code == 503
    assert "host.unreachable" in answer.json()["type"]
