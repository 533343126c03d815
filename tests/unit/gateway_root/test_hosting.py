"""Camera host processes under the gateway: started, listened to, started again, ended."""

import asyncio
import errno
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config.handover import from_line
from config.hosts import HostSettings
from config.server import ServerSettings
from config.settings import Settings
from gateway.hosting import BACKOFF, HostProcess, Patience, open_hosting, place_of
from gateway.startup import SocketDirError
from kernel.clock import SystemClock
from tests.fakes.clock import ManualClock
from tests.fakes.host_processes import DEAF, Machine, PretendedProcess
from tests.fakes.waiting import until

PATIENCE = Patience(start_s=120.0, watchdog_s=30.0, stacks_s=2.0, end_s=20.0)
NEXT_START_S = BACKOFF.base_s * 2


def _settings(path: Path, workers: int = 2) -> Settings:
    return Settings(server=ServerSettings(data_dir=path), hosts=HostSettings(workers=workers))


@asynccontextmanager
async def _hosting(
    path: Path, clock: ManualClock, machine: Machine, workers: int = 2
) -> AsyncIterator[tuple[HostProcess, ...]]:
    """Give hosts that have all been started; leaving turns the clock until all have ended."""
    opening = open_hosting(_settings(path, workers), clock=clock, patience=PATIENCE, start=machine.start)
    hosts = await opening.__aenter__()
    await until(lambda: len(machine.processes) == workers, what="the first starts")
    try:
        yield hosts
    finally:
        ending = asyncio.ensure_future(opening.__aexit__(None, None, None))
        while not ending.done():
            await clock.turn(0.1)
            await _heard()
        await ending


async def _tell(process: PretendedProcess, words: str) -> None:
    """Say something, and let it be heard."""
    process.tell(words)
    await _heard()


async def _heard() -> None:
    loop = asyncio.get_running_loop()
    for _ in range(3):  # the selector hands over what waits on sockets once in each turn of the loop
        turned = asyncio.Event()
        loop.call_later(0.001, turned.set)
        await turned.wait()


async def _dies(machine: Machine, clock: ManualClock, host: int, code: int) -> None:
    """Have a host's process die, and turn the clock until another one was started."""
    before = len(machine.of(host))
    machine.of(host)[-1].end(code)
    await _until_started(machine, clock, host, before + 1)


async def _until_started(machine: Machine, clock: ManualClock, host: int, starts: int) -> None:
    """Turn the clock, but only while the one host sleeps: its files take real time, and nothing goes by then."""
    while len(machine.of(host)) < starts:
        if clock.sleepers:
            await clock.turn(0.25)
        await _heard()


async def _ended(host: HostProcess) -> None:
    """Wait until a host's end is known: from then on it waits for its next start, and on the clock."""
    await until(lambda: host.ended is not None, what="the end to be known")


async def test_every_host_is_started_with_the_settings_in_its_pipe(tmp_path: Path, clock: ManualClock) -> None:
    """Each process knows its number by its command, and everything else by the line in its standard input."""
    machine = Machine()
    async with _hosting(tmp_path, clock, machine) as hosts:
        # They are started side by side, in whatever order.
        processes = sorted(machine.processes, key=lambda process: process.command[-1])
        assert [process.command[-1] for process in processes] == ["0", "1"]
        assert [from_line(process.stdin.written) for process in processes] == [_settings(tmp_path)] * 2
        assert not any(process.stdin.closed for process in processes)
        assert [host.pid for host in hosts] == [process.pid for process in processes]


async def test_a_host_hears_nothing_of_the_gateways_own_supervisor(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What systemd told the gateway is the gateway's: a host that fed that watchdog would hide a stuck gateway."""
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    monkeypatch.setenv("WATCHDOG_USEC", "1")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    machine = Machine()
    async with _hosting(tmp_path, clock, machine, workers=1):
        environment = machine.processes[0].environment
    assert environment["NOTIFY_SOCKET"] == str(tmp_path / "run" / "notify-0.sock")
    assert environment["WATCHDOG_USEC"] == "30000000"
    assert "WATCHDOG_PID" not in environment
    assert environment["PATH"] == os.environ["PATH"]


async def test_a_dead_host_is_started_again_and_its_neighbour_is_left_alone(tmp_path: Path, clock: ManualClock) -> None:
    """Within half a second; the death of one is nothing to the other."""
    machine = Machine()
    async with _hosting(tmp_path, clock, machine) as hosts:
        await _heard()
        machine.of(0)[0].end(-signal.SIGKILL)
        await _ended(hosts[0])
        await clock.turn(NEXT_START_S)
        await until(lambda: len(machine.of(0)) == 2, what="the second start")
        assert hosts[0].starts == 2
        assert hosts[0].pid == machine.of(0)[1].pid
        assert hosts[0].ended is not None
        assert "SIGKILL" in hosts[0].ended.message
        assert (hosts[1].starts, machine.of(1)[0].signals, hosts[1].ended) == (1, [], None)


async def test_a_host_that_ended_by_itself_is_started_again(tmp_path: Path, clock: ManualClock) -> None:
    """Whoever stops a host in order gets another one: there are to be as many as the settings say."""
    machine = Machine()
    async with _hosting(tmp_path, clock, machine, workers=1) as hosts:
        await _dies(machine, clock, 0, 0)
        assert hosts[0].ended is not None
        assert "status 0" in hosts[0].ended.message


async def test_one_that_dies_again_and_again_is_left_alone_for_longer(tmp_path: Path, clock: ManualClock) -> None:
    """Ten deaths in a row take longer than ten starts at the first pace, and never longer apart than the cap."""
    machine = Machine()
    async with _hosting(tmp_path, clock, machine, workers=1):
        began_ns = clock.monotonic_ns()
        for _ in range(10):
            await _dies(machine, clock, 0, 1)
        lasted_s = (clock.monotonic_ns() - began_ns) / 1e9
    assert 10 * NEXT_START_S < lasted_s < 10 * (BACKOFF.cap_s + 1)


async def test_a_machine_that_has_no_room_is_asked_again(tmp_path: Path, clock: ManualClock) -> None:
    """A start that the system refuses is a failure like a death, and the next one may work."""
    machine = Machine()
    async with _hosting(tmp_path, clock, machine, workers=1) as hosts:
        machine.refuse = OSError(errno.EAGAIN, "Resource temporarily unavailable")
        machine.processes[0].end(1)
        await _ended(hosts[0])
        await clock.turn(NEXT_START_S)
        await until(lambda: hosts[0].ended is not None and "cannot be started" in hosts[0].ended.message)
        machine.refuse = None
        await _until_started(machine, clock, 0, 2)


async def test_a_host_that_works_on_is_left_alone(tmp_path: Path, clock: ManualClock) -> None:
    """As long as WATCHDOG comes within the limit nothing is done to it."""
    machine = Machine()
    async with _hosting(tmp_path, clock, machine, workers=1) as hosts:
        process = machine.processes[0]
        await _tell(process, "READY=1")
        for _ in range(10):
            await clock.turn(PATIENCE.watchdog_s - 1.0)
            await _tell(process, "WATCHDOG=1\nSTATUS=well")
        assert process.signals == []
        assert hosts[0].starts == 1


@pytest.mark.parametrize(
    ("words", "after_s", "said"),
    [
        ((), PATIENCE.start_s, "not ready within 120 s"),
        (("STATUS=opening",), PATIENCE.start_s, "not ready within 120 s"),
        (("READY=1",), PATIENCE.watchdog_s, "done no work for 30 s"),
        (("READY=1", "WATCHDOG=1", "STOPPING=1"), PATIENCE.end_s, "did not end within 20 s"),
    ],
)
async def test_a_stuck_host_is_ended_and_started_again(
    tmp_path: Path, clock: ManualClock, words: tuple[str, ...], after_s: float, said: str
) -> None:
    """One that does not become ready, works no more, or does not end gets SIGABRT, and another takes its place."""
    machine = Machine()
    async with _hosting(tmp_path, clock, machine, workers=1) as hosts:
        process = machine.processes[0]
        for word in words:
            await _tell(process, word)
        await clock.turn(after_s - 0.5)
        assert process.signals == [], "not before its time"
        await clock.turn(0.6)
        await until(lambda: process.signals == [signal.SIGABRT], what="SIGABRT")
        await _until_started(machine, clock, 0, 2)
        assert hosts[0].ended is not None
        assert said in hosts[0].ended.message


async def test_one_that_does_not_even_hear_sigabrt_is_killed(tmp_path: Path, clock: ManualClock) -> None:
    """A stopped process hears SIGKILL alone; it gets it two seconds later."""
    machine = Machine()
    machine.deaf_to = DEAF
    async with _hosting(tmp_path, clock, machine, workers=1):
        process = machine.processes[0]
        await _tell(process, "READY=1")
        await clock.turn(PATIENCE.watchdog_s)
        await until(lambda: process.signals == [signal.SIGABRT], what="SIGABRT")
        await clock.turn(PATIENCE.stacks_s)
        await until(lambda: process.signals == [signal.SIGABRT, signal.SIGKILL], what="SIGKILL")


async def test_leaving_ends_all_in_order_at_once(tmp_path: Path, clock: ManualClock) -> None:
    """Each host gets SIGTERM, its pipe is closed when it has ended, and no ear is left behind."""
    machine = Machine()
    async with _hosting(tmp_path, clock, machine) as hosts:
        pass
    assert [process.signals for process in machine.processes] == [[signal.SIGTERM]] * 2
    assert all(process.stdin.closed for process in machine.processes)
    assert [host.pid for host in hosts] == [None, None]
    assert list((tmp_path / "run").iterdir()) == []


async def test_one_that_does_not_end_is_ended(tmp_path: Path, clock: ManualClock) -> None:
    """Leaving never waits for ever: SIGTERM, then SIGABRT, then SIGKILL."""
    machine = Machine()
    machine.deaf_to = DEAF
    async with _hosting(tmp_path, clock, machine, workers=1):
        pass
    assert machine.processes[0].signals == [signal.SIGTERM, signal.SIGABRT, signal.SIGKILL]


async def test_a_gateway_that_fails_still_ends_its_hosts_in_order(tmp_path: Path) -> None:
    """An error in the block does not cut the orderly end short."""
    machine = Machine()

    async def gateway() -> None:
        async with open_hosting(_settings(tmp_path), clock=SystemClock(), start=machine.start):
            await until(lambda: len(machine.processes) == 2, what="the first starts")
            raise RuntimeError

    with pytest.raises(ExceptionGroup) as caught:
        await gateway()
    assert caught.group_contains(RuntimeError)
    assert [process.signals for process in machine.processes] == [[signal.SIGTERM]] * 2


async def test_a_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path, clock: ManualClock) -> None:
    """Where the sockets cannot be, nothing is started."""
    (tmp_path / "run").write_text("a file")
    machine = Machine()
    with pytest.raises(SocketDirError, match=r"hosts\.socket_dir"):
        async with open_hosting(_settings(tmp_path), clock=clock, start=machine.start):
            pytest.fail("it was entered")
    assert machine.processes == []


@pytest.mark.parametrize(
    ("workers", "supervisor", "name", "restart"),
    [
        (0, "gateway", "inside the gateway", "stop and start Sightline"),
        (0, "systemd", "inside the gateway", "stop and start Sightline"),
        (3, "gateway", "camera host 0", "stop and start Sightline"),
        (3, "systemd", "sightline-host@0", "systemctl restart sightline-host@0"),
    ],
)
def test_a_host_is_named_as_its_operator_knows_it(workers: int, supervisor: str, name: str, restart: str) -> None:
    """The name and the cure fit whoever starts it."""
    settings = Settings(hosts=HostSettings.model_validate({"workers": workers, "supervisor": supervisor}))
    place = place_of(settings, 0)
    assert (place.name, place.restart) == (name, restart)
