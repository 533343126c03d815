"""The link to one host: greeted, told what it does not know, listened to, found silent, linked again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from config.server import ServerSettings
from config.settings import Settings
from drivers.model import CameraTarget, Credentials
from gateway.db.errors import DatabaseError
from gateway.fleet import links, rpc
from gateway.fleet.handshake import RPC_VERSION
from gateway.fleet.hosts import HostError, HostSilentError, HostUnreachableError
from gateway.fleet.links import AT_ONCE, HostLink
from gateway.hosting import place_of
from kernel.clock import SystemClock
from kernel.errors import SightlineError
from kernel.ids import CameraId
from tests.fakes.descriptions import description, view
from tests.fakes.host import FakeHost
from tests.fakes.waiting import until
from tests.unit.fleet.test_placement import load

CLOCK = SystemClock()


def assignment(camera: str, *, credential: str = "hush", name: str = "") -> rpc.CameraAssignment:
    """Return a camera for a host to own."""
    return rpc.CameraAssignment(
        id=CameraId(camera),
        name=name,
        target=CameraTarget(
            address="192.0.2.1", credentials=Credentials(username="root", password=SecretStr(credential))
        ),
        view=view(),
        description=description(),
    )


class Site:
    """A host that can be started, stopped and replaced, and a link that is kept up to it."""

    def __init__(self, path: Path) -> None:
        self.settings = Settings(server=ServerSettings(data_dir=path))
        self.host = FakeHost()
        self.wanted: dict[CameraId, rpc.CameraAssignment] = {}
        self.left: set[CameraId] = set()
        self.database_fails = False
        self.heard: list[rpc.StateLine] = []
        self.lost: list[SightlineError] = []
        self.link = HostLink(
            0,
            place_of(self.settings, 0),
            clock=CLOCK,
            ours=lambda _: frozenset(self.wanted),
            left=lambda _: frozenset(self.left),
            assignments=self._assignments,
            heard=self.heard.append,
            lost=lambda _, error: self.lost.append(error),
        )

    def want(self, *assignments: rpc.CameraAssignment) -> None:
        """Have these be the host's cameras."""
        self.wanted |= {one.id: one for one in assignments}

    async def _assignments(self, _: int) -> list[rpc.CameraAssignment]:
        if self.database_fails:
            raise DatabaseError("The database does not answer.", cure="Wait.")
        return list(self.wanted.values())

    @asynccontextmanager
    async def host_runs(self) -> AsyncIterator[None]:
        """Have the host answer for the time of the block."""
        async with self.host.open(self.settings, self.link.place.socket, clock=CLOCK):
            yield

    def told(self) -> list[str]:
        """Return what the host was made to own or let go of, in order."""
        return [one for one in self.host.asked if one.startswith(("PUT", "DELETE"))]

    async def is_up(self) -> None:
        """Wait until it is linked."""
        await until(lambda: self.link.up, what="the link")

    async def is_down(self, code: str) -> None:
        """Wait until it is known to be down for this reason."""
        await until(lambda: self.link.problem is not None and self.link.problem.type == code, what=code)


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Return a site whose link runs; its host does not yet."""
    site = Site(tmp_path)
    async with site.link.client, asyncio.TaskGroup() as tasks:
        running = tasks.create_task(site.link.run())
        yield site
        running.cancel()


async def test_a_host_is_told_its_cameras(site: Site) -> None:
    """Once linked the host owns exactly the cameras that are its, and none of another time."""
    site.host.assignments["old"] = assignment("old")
    site.host.states["old"] = site.host.live("old")
    site.want(*(assignment(str(number)) for number in range(20)))
    async with site.host_runs():
        await site.is_up()
        assert set(site.host.assignments) == set(site.wanted)
        assert {line.state.id for line in site.heard if isinstance(line, rpc.CameraChanged)} >= set(site.wanted)


async def test_only_what_has_changed_is_said_again(site: Site) -> None:
    """A gateway that comes back to a host that recorded on disturbs no camera but those that changed meanwhile."""
    site.want(assignment("same"), assignment("password"), assignment("gone"))
    async with site.host_runs():
        await site.is_up()
        site.host.asked.clear()
        site.want(assignment("password", credential="new"), assignment("new"))
        del site.wanted[CameraId("gone")]
        site.host.hang_up()
        await until(lambda: site.link.up and len(site.told()) >= 3, what="the link again")
        assert sorted(site.told()) == ["DELETE /cameras/gone", "PUT /cameras/new", "PUT /cameras/password"]


async def test_a_host_is_told_which_cameras_were_left(site: Site) -> None:
    """Also one that does not have them: it was down as they were left, and would call them lost for ever."""
    site.want(assignment("kept"))
    site.left = {CameraId("left")}
    async with site.host_runs():
        await site.is_up()
        # Not after the host's end: the link may have come back, and told it all again, as it was ending.
        assert sorted(site.told()) == ["DELETE /cameras/left", "PUT /cameras/kept"]


async def test_a_host_that_died_is_told_all_its_cameras(site: Site) -> None:
    """A new process knows nothing; it is told everything, and only its cameras were lost meanwhile."""
    site.want(assignment("1"), assignment("2"))
    async with site.host_runs():
        await site.is_up()
    await site.is_down("host.unreachable")
    assert isinstance(site.lost[-1], HostUnreachableError)
    site.host = FakeHost()
    async with site.host_runs():
        await site.is_up()
        assert set(site.host.assignments) == {"1", "2"}
        assert site.link.problem is None


async def test_the_load_is_told_with_every_beat_and_forgotten_with_the_link(site: Site) -> None:
    """What a host carried is not shown of one that is down."""
    site.host.load = load(cameras=7)
    async with site.host_runs():
        await until(lambda: site.link.load == load(cameras=7), what="the load")
        site.host.load = load(cameras=8)
        await until(lambda: site.link.load == load(cameras=8), what="the next one")
    await site.is_down("host.unreachable")
    assert site.link.load is None


async def test_a_silent_host_is_found_out_and_nobody_waits_for_it(site: Site) -> None:
    """Its stream is open and says nothing: what was asked ends now, what is asked fails at once, until it is back."""
    site.want(assignment("1"))
    async with site.host_runs():
        await site.is_up()
        site.host.slow.clear()
        site.host.silent = True
        waiting = asyncio.create_task(site.link.client.health())
        await site.is_down("host.silent")
        with pytest.raises(HostSilentError):
            await waiting
        asked = len(site.host.asked)
        with pytest.raises(HostSilentError):
            await site.link.client.snapshot(CameraId("1"))
        with pytest.raises(HostSilentError):
            await site.link.assign(assignment("2"))
        await site.link.release(CameraId("1"))
        assert not any("snapshot" in one or one.startswith(("PUT", "DELETE")) for one in site.host.asked[asked:])
        site.host.silent = False
        site.host.slow.set()
        await site.is_up()
        assert (await site.link.client.health()).pid == 1


async def test_a_host_that_falls_silent_while_it_is_told_is_found_out(site: Site) -> None:
    """Assignments that are not answered do not hold the link for longer than the silence itself."""
    site.want(assignment("1"))
    site.host.slow.clear()
    site.host.silent = True
    async with site.host_runs():
        await site.is_down("host.silent")
        site.host.silent = False
        site.host.slow.set()
        await site.is_up()


@pytest.mark.parametrize(
    ("told", "code", "said"),
    [
        ({"rpc": RPC_VERSION + 1, "version": "9.9"}, "host.version", "another version (9.9"),
        ({"rpc": 0}, "host.version", "another version"),
        ({"owner": "host-7"}, "host.stranger", "host-7"),
        ({"site": "/srv/other"}, "host.stranger", "/srv/other"),
    ],
)
async def test_a_host_of_another_kind_is_told_and_nothing_is_asked_of_it(
    site: Site, told: dict[str, object], code: str, said: str
) -> None:
    """Version, owner or site do not fit: the reason and its cure are shown, and no camera is given or taken."""
    site.want(assignment("1"))
    async with site.host_runs():
        # Not before it is linked: it may have been greeted by now, and have no stream yet that could be hung up.
        await site.is_up()
        site.host.asked.clear()
        site.host.version = site.host.version.model_copy(update=told)
        site.host.hang_up()
        await site.is_down(code)
        problem = site.link.problem
        assert problem is not None
        assert said in problem.title
        assert problem.cure
        with pytest.raises(HostError) as caught:
            await site.link.client.health()
        assert caught.value.code == code
        assert site.told() == []
        site.host.version = site.host.version.model_copy(
            update={"rpc": RPC_VERSION, "owner": site.link.place.owner, "site": site.link.place.site}
        )
        await site.is_up()


async def test_a_host_from_before_there_was_a_version_is_told(site: Site) -> None:
    """One that does not know the question is of another version."""
    async with site.host_runs():
        await site.is_up()
        site.host.refuse["version"] = rpc.Problem(type="x", title="Not Found", status=404)
        site.host.hang_up()
        await site.is_down("host.version")


async def test_one_refused_camera_does_not_keep_the_others(site: Site) -> None:
    """A host that refuses cameras is linked all the same."""
    site.host.refuse["assign"] = rpc.Problem(type="recording.full", title="No room.", status=507)
    site.want(assignment("1"), assignment("2"))
    async with site.host_runs():
        await site.is_up()
        assert sorted(site.told()) == ["PUT /cameras/1", "PUT /cameras/2"]


async def test_what_a_host_refused_is_offered_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera that could not be taken at the time is not forgotten while the link stays up."""
    monkeypatch.setattr(links, "SAY_AGAIN_S", 0.1)
    site.host.refuse["assign"] = rpc.Problem(type="recording.full", title="No room.", status=507)
    site.want(assignment("1"))
    async with site.host_runs():
        await site.is_up()
        site.host.refuse.clear()
        await until(lambda: "1" in site.host.assignments, what="the second offer")


async def test_one_camera_that_takes_long_does_not_cost_the_link(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that beats is not silent: the camera is offered again, and no other camera is lost meanwhile."""
    wire = site.link.client.wire
    ask = wire.ask

    def impatient(method: str, path: str, **options: Any) -> Awaitable[httpx.Response]:
        # With this camera alone: who stands still for so long while the host is greeted takes it for silent.
        return ask(method, path, **(options | {"timeout_s": 0.3} if path == "/cameras/1" else options))

    monkeypatch.setattr(wire, "ask", impatient)
    site.host.stuck["1"] = asyncio.Event()
    site.want(assignment("1"), assignment("2"))
    async with site.host_runs():
        await until(lambda: site.told().count("PUT /cameras/1") >= 2, what="the second offer")
        assert not any(isinstance(error, HostSilentError) for error in site.lost)
        assert "2" in site.host.assignments
        await site.is_up()
        site.host.stuck["1"].set()
        await until(lambda: "1" in site.host.assignments, what="the camera")
        assert site.link.up


async def test_a_database_that_cannot_be_read_is_tried_again(site: Site) -> None:
    """Nothing is taken from the host meanwhile: it records what it has."""
    site.host.assignments["1"] = assignment("1")
    site.host.states["1"] = site.host.live("1")
    site.want(assignment("1"))
    site.database_fails = True
    async with site.host_runs():
        await until(lambda: site.lost and isinstance(site.lost[-1], DatabaseError), what="the failure")
        site.database_fails = False
        await site.is_up()
        assert site.told() == []


async def test_the_later_word_on_a_camera_is_the_one_that_counts(site: Site) -> None:
    """A camera that is changed or removed while all are being told is not told as it was before."""
    site.want(*(assignment(str(number)) for number in range(3 * AT_ONCE)))
    late = CameraId(str(3 * AT_ONCE - 1))
    gone = CameraId(str(3 * AT_ONCE - 2))
    site.host.slow.clear()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(site.host_runs())
        await until(lambda: "GET /cameras" in site.host.asked, what="the first question")
        site.host.slow.set()
        await until(site.told, what="the first camera told")
        del site.wanted[gone]
        site.want(assignment(late, name="new"))
        await site.link.assign(assignment(late, name="new"))
        await site.is_up()
        assert site.host.assignments[late].name == "new"
        assert gone not in site.host.assignments
