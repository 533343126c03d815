"""`sightline hosts`: a table or JSON of what each camera host carries, and which does not answer."""

import asyncio
import io
import json
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from config.hosts import HostSettings
from config.server import ServerSettings
from config.settings import Settings
from gateway.cli.hosts import HEADINGS, HostReport, as_object, ask_all, show
from gateway.cli.main import app
from gateway.fleet.handshake import RPC_VERSION
from kernel.clock import SystemClock
from tests.fakes.clock import ManualClock
from tests.fakes.host import FakeHost
from tests.fakes.waiting import until
from tests.unit.fleet.test_placement import load

CLOCK = SystemClock()


def settings_in(path: Path, workers: int = 2) -> Settings:
    """Return the settings of a site with so many hosts."""
    return Settings(server=ServerSettings(data_dir=path), hosts=HostSettings(workers=workers))


def host(cameras: int) -> FakeHost:
    """Return a host that carries something."""
    made = FakeHost()
    made.load = load(cameras=cameras, cpu=12.5, mbit=4.0 * cameras)
    return made


async def ask(settings: Settings, hosts: list[FakeHost | None], *, patience_s: float = 4.0) -> list[HostReport]:
    """Ask hosts, of which some may not be there."""
    async with AsyncExitStack() as stack:
        for index, one in enumerate(hosts):
            if one is not None:
                opened = one.open(settings.of_host(index), settings.host_socket(index), clock=CLOCK)
                await stack.enter_async_context(opened)
        return await ask_all(settings, patience_s=patience_s)


def shown(reports: list[HostReport]) -> str:
    """Return what is printed."""
    said = io.StringIO()
    show(reports, Console(file=said, highlight=False))
    return said.getvalue()


async def test_every_host_is_a_row(tmp_path: Path) -> None:
    """Each host stands in the table with what it carries."""
    reports = await ask(settings_in(tmp_path), [host(7), host(8)])
    rows = [line.split() for line in shown(reports).splitlines() if line.startswith("camera host")]
    assert [row[:5] for row in rows] == [["camera", "host", "0", "up", "7"], ["camera", "host", "1", "up", "8"]]
    assert ["28.0" in row for row in rows] == [True, False], "Mbit/s"
    assert all("12.5" in row for row in rows), "CPU"


async def test_the_host_inside_the_gateway_is_shown_too(tmp_path: Path) -> None:
    """Without workers there is one row."""
    (report,) = await ask(settings_in(tmp_path, workers=0), [host(3)])
    assert report.state == "up"
    assert "inside the gateway" in shown([report])


async def test_a_dead_host_is_down_and_the_others_are_shown(tmp_path: Path) -> None:
    """Its row has no figures; under the table stands why, and what to do."""
    reports = await ask(settings_in(tmp_path), [None, host(8)])
    assert [report.state for report in reports] == ["down", "up"]
    said = shown(reports)
    assert f"camera host 0: No camera host answers at {tmp_path / 'run' / 'host-0.sock'}" in said
    assert "started again" in said


async def test_a_host_that_says_nothing_is_silent_and_costs_no_other_anything(tmp_path: Path) -> None:
    """It is waited for no longer than the patience lasts, all at once."""
    still = host(1)
    still.slow.clear()
    asking = asyncio.create_task(ask(settings_in(tmp_path), [still, host(8)], patience_s=0.5))
    await until(lambda: still.asked, what="the question")
    asyncio.get_running_loop().call_later(1.0, still.slow.set)
    reports = await asking
    assert [report.state for report in reports] == ["silent", "up"]
    assert reports[0].version is not None, "it had told that much"


async def test_a_host_of_another_version_is_told(tmp_path: Path) -> None:
    """It is not asked further, and the way to mend it is named."""
    old = host(1)
    old.version = old.version.model_copy(update={"rpc": RPC_VERSION + 1, "version": "7.0"})
    reports = await ask(settings_in(tmp_path), [old, host(8)])
    assert reports[0].problem is not None
    assert reports[0].problem.type == "host.version"
    assert "7.0" in shown(reports)
    assert old.health_asked == 0


async def test_json_has_everything(tmp_path: Path, clock: ManualClock) -> None:
    """Each key is there for each host; what is not known is null."""
    up, down = (as_object(one, clock=clock) for one in await ask(settings_in(tmp_path), [host(7), None]))
    assert set(up) == set(down)
    assert up["load"] == load(cameras=7, cpu=12.5, mbit=28.0).model_dump()
    assert (up["state"], up["problem"], up["pid"]) == ("up", None, 1)
    assert (down["state"], down["load"], down["pid"]) == ("down", None, None)
    assert down["problem"]["type"] == "host.unreachable"
    json.dumps([up, down])


def test_there_is_a_cell_under_every_heading(tmp_path: Path) -> None:
    """A host without figures has a dash under each."""
    settings = settings_in(tmp_path)
    reports = asyncio.run(ask_all(settings))
    rows = [line for line in shown(reports).splitlines() if " down " in line]
    assert [row.count("\u2013") for row in rows] == [len(HEADINGS)] * 2


@contextmanager
def hosts_run(settings: Settings, hosts: list[FakeHost]) -> Iterator[None]:
    """Run hosts in a thread of their own, for a command that runs its own loop."""
    up, end = threading.Event(), threading.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            for index, one in enumerate(hosts):
                opened = one.open(settings.of_host(index), settings.host_socket(index), clock=CLOCK)
                await stack.enter_async_context(opened)
            up.set()
            await asyncio.to_thread(end.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert up.wait(20)
        yield
    finally:
        end.set()
        thread.join()


@pytest.mark.parametrize(("present", "code"), [(2, 0), (1, 1)])
def test_the_exit_code_says_whether_all_are_up(tmp_path: Path, present: int, code: int) -> None:
    """0 when each host answers, 1 when one does not, so that a monitor can use it."""
    config = tmp_path / "sightline.toml"
    config.write_text(f'[server]\ndata_dir = "{tmp_path}"\n[hosts]\nworkers = 2\n')
    settings = settings_in(tmp_path)
    made = [FakeHost() for _ in range(present)]
    with hosts_run(settings, made):
        result = CliRunner().invoke(app, ["hosts", "--json", "--config", str(config)])
    assert result.exit_code == code, result.output
    assert [one["state"] for one in json.loads(result.stdout)["hosts"]] == ["up", "up" if present == 2 else "down"]
