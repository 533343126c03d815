"""Camera hosts as the API shows them: up or why not, what each carries, who watches through it."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from config.hosts import HostSettings
from config.settings import Settings
from gateway.fleet import rpc
from gateway.fleet.load import HostLoad
from kernel.clock import SystemClock
from tests.fakes.descriptions import description
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.host import FakeHost
from tests.fakes.load import host_load
from tests.fakes.waiting import until

HOSTS = "/api/v1/hosts"
GONE = rpc.Problem(type="host.unreachable", title="It does not answer.", cure="It is restarted by itself.", status=503)
OLD = rpc.Problem(type="host.version", title="It is of another version.", cure="Restart it.", status=503)


@dataclass(frozen=True, slots=True)
class Pair:
    """A gateway with two camera hosts, one camera on each."""

    desk: Desk
    hosts: tuple[FakeHost, FakeHost]
    cameras: tuple[str, str]

    async def told(self) -> list[dict[str, Any]]:
        """Return the hosts as the API tells them."""
        answer = await self.desk.admin.get(HOSTS)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    async def down(self, index: int, problem: rpc.Problem) -> None:
        """Bring a host down, and keep it down for a reason."""
        self.hosts[index].refuse["version"] = problem
        self.hosts[index].hang_up()
        link = self.desk.gateway.fleet.links[index]
        await until(
            lambda: link.problem is not None and link.problem.title == problem.title, what="the host to be down"
        )


@pytest_asyncio.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """Return two hosts at work, each with one camera of its own."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sl-"))
        at = HostSettings(workers=2, supervisor="systemd", socket_dir=Path(folder))
        settings = settings_in(tmp_path).model_copy(update={"hosts": at})
        hosts = FakeHost(), FakeHost()
        for index, host in enumerate(hosts):
            await stack.enter_async_context(
                host.open(_of(settings, index), settings.host_socket(index), clock=SystemClock())
            )
        desk = await stack.enter_async_context(open_desk(tmp_path, settings=settings, host=hosts[0]))
        cameras = []
        for number in (1, 2):
            for host in hosts:
                host.found = description(f"urn:uuid:{number}")
            cameras.append(await desk.enrol(number=number, address=f"192.0.2.{number}"))
        yield Pair(desk, hosts, (cameras[0], cameras[1]))


def _of(settings: Settings, index: int) -> Settings:
    """Return the settings as the host itself has them."""
    recording = settings.recording.model_copy(update={"owner": settings.owners[index]})
    return settings.model_copy(update={"recording": recording})


async def test_each_host_is_told_with_its_cameras(pair: Pair) -> None:
    """Name, version, how it is restarted, and its cameras counted."""
    first, second = await pair.told()
    assert (first["index"], first["name"], first["up"], first["problem"]) == (0, "sightline-host@0", True, None)
    assert (second["name"], second["version"]) == ("sightline-host@1", "0")
    assert second["restart"] == "systemctl restart sightline-host@1"
    for host in (first, second):
        assert host["cameras"] == {"assigned": 1, "live": 1, "to_record": 1, "recording": 1}


async def test_everything_a_host_tells_of_its_load_is_shown(pair: Pair) -> None:
    """The newest heartbeat, whole; a host that has told none yet has none."""
    load = host_load()
    pair.hosts[1].say(rpc.Heartbeat(wall_ns=1, load=load))
    link = pair.desk.gateway.fleet.links[1]
    await until(lambda: link.load is not None, what="the load")
    first, second = await pair.told()
    assert first["load"] is None
    assert HostLoad.model_validate(second["load"]) == load


async def test_a_camera_tells_its_host(pair: Pair) -> None:
    """Who sees a camera away can find the host that has it."""
    told = [(await pair.desk.admin.get(f"/api/v1/cameras/{camera}")).json()["host"] for camera in pair.cameras]
    assert sorted(told) == [0, 1]


async def test_a_dead_host_says_why_and_its_neighbour_goes_on(pair: Pair) -> None:
    """The reason and the cure; no load, nothing live, nothing recorded; the other host is as it was."""
    await pair.down(0, GONE)
    first, second = await pair.told()
    assert (first["up"], first["load"]) == (False, None)
    assert first["problem"] == {"type": GONE.type, "title": GONE.title, "cure": GONE.cure}
    assert first["cameras"] == {"assigned": 1, "live": 0, "to_record": 1, "recording": 0}
    assert (second["up"], second["cameras"]["recording"]) == (True, 1)


async def test_a_host_that_may_still_record_is_not_said_to_lose_footage(pair: Pair) -> None:
    """One of another version keeps recording what it has: how much is not known."""
    await pair.down(1, OLD)
    _, second = await pair.told()
    assert (second["up"], second["cameras"]["recording"]) == (False, None)


async def test_the_cameras_of_a_dead_host_say_so_in_their_states(pair: Pair) -> None:
    """Off, with the host's reason, which is why nothing is recorded."""
    await pair.down(0, GONE)
    shown = [one for one in (await pair.desk.admin.get("/api/v1/cameras")).json() if one["host"] == 0]
    (state,) = [one["state"] for one in shown]
    assert (state["live"], state["problem"]["type"]) == ("off", "host.unreachable")
    assert state["recording"] == {"main": False, "sub": None, "cause": GONE.title}


async def test_a_host_that_is_back_is_up_without_a_reason(pair: Pair) -> None:
    """Its trouble is over, and not told any more."""
    await pair.down(0, GONE)
    pair.hosts[0].refuse.clear()
    await until(lambda: pair.desk.gateway.fleet.up, what="the host to be linked again")
    first, _ = await pair.told()
    assert (first["up"], first["problem"], first["cameras"]["live"]) == (True, None, 1)


async def test_one_host_is_told_alone(pair: Pair) -> None:
    """By its index, as in the list."""
    answer = await pair.desk.admin.get(f"{HOSTS}/1")
    assert answer.json() == (await pair.told())[1]


@pytest.mark.parametrize("index", [-1, 2, 99])
@pytest.mark.parametrize("path", ["", "/viewers"])
async def test_a_host_that_there_is_not_is_told(desk: Desk, index: int, path: str) -> None:
    """404 with a way to find those that there are."""
    answer = await desk.admin.get(f"{HOSTS}/{index}{path}")
    assert (answer.status_code, answer.json()["type"]) == (404, "api.not-here")


async def test_who_watches_through_a_host_and_how_well(desk: Desk) -> None:
    """Who, from where, which camera and stream, and what got through."""
    camera = await desk.enrol(number=7)
    olga = await desk.person("operator", "olga")
    await desk.watch(olga, camera, "sub")
    (session,) = desk.host.viewers
    poor = {"fraction_lost": 0.0256, "packets_lost": 31, "retransmitted": 30, "rtt_ms": 84.2, "frames_dropped": 4}
    desk.host.viewers[session] = desk.host.viewers[session].model_copy(update={**poor, "transcoded": True})
    (viewer,) = (await desk.admin.get(f"{HOSTS}/0/viewers")).json()
    told = (viewer["who"], viewer["address"], viewer["camera"], viewer["number"], viewer["stream"])
    assert told == ("olga", "127.0.0.1", camera, 7, "sub")
    assert (viewer["connected"], viewer["transcoded"], viewer["rtt_ms"]) == (True, True, 84.2)
    assert (viewer["loss_percent"], viewer["packets_lost"], viewer["frames_dropped"]) == (2.6, 31, 4)


async def test_a_viewer_of_a_camera_that_was_removed_is_still_told(desk: Desk) -> None:
    """For the moment until the host ends the view it has no number."""
    await desk.watch(desk.admin, await desk.enrol())
    (session,) = desk.host.viewers
    changed = {"camera": "gone"}
    desk.host.viewers[session] = desk.host.viewers[session].model_copy(update=changed)
    (viewer,) = (await desk.admin.get(f"{HOSTS}/0/viewers")).json()
    assert (viewer["camera"], viewer["number"]) == ("gone", None)


async def test_a_host_that_refuses_its_viewers_is_heard(desk: Desk) -> None:
    """Its own problem, as it is."""
    desk.host.refuse["viewers"] = rpc.Problem(type="host.busy", title="Busy.", status=503, retry_after_s=1)
    answer = await desk.admin.get(f"{HOSTS}/0/viewers")
    assert (answer.status_code, answer.json()["type"], answer.headers["retry-after"]) == (503, "host.busy", "1")


@pytest.mark.parametrize("role", ["operator", "viewer"])
async def test_only_who_supervises_sees_hosts_and_viewers(desk: Desk, role: str) -> None:
    """Who watches what is not for everybody."""
    somebody = await desk.person(role)
    for path in (HOSTS, f"{HOSTS}/0", f"{HOSTS}/0/viewers"):
        assert (await somebody.get(path)).status_code == 403
