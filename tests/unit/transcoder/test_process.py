"""The real process, from its host's side."""

import asyncio
import os
import signal
import stat
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.live.transcode import process
from gateway.live.transcode.process import CoderError, open_coder
from gateway.transcoder.confine import NICE
from gateway.transcoder.framing import Coded, Flag, KeyframeWish, Parameters
from kernel.clock import SystemClock
from tests.fakes.clock import ManualClock
from tests.fakes.waiting import until
from tests.unit.transcoder.conftest import Source

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def source() -> Source:
    """Give a camera whose pictures are of now by the machine's clock, which is the process' own."""
    return Source(ManualClock(monotonic_ns=SystemClock().monotonic_ns()))


def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Have another program run in place of the coder."""
    path = tmp_path / "coder"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(process, "_COMMAND", (str(path),))


async def test_it_codes_and_is_confined(source: Source) -> None:
    """Pictures go in and come out; meanwhile it is nicer than we, in our session, first to be killed, and filtered."""
    async with open_coder() as coder:
        await coder.write(source.parameters)
        await coder.write(KeyframeWish())
        for picture in source.pictures(3):
            await coder.write(picture)
            last = picture.time_90k
        sets, *made = [await coder.read(), await coder.read()]
        # On a busy machine the first ones may have been too late to be coded; the last one never is.
        while isinstance(made[-1], Coded) and made[-1].time_90k != last:
            made.append(await coder.read())
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{coder.pid}/status").read_text().splitlines())
        stands = (
            os.getpriority(os.PRIO_PROCESS, coder.pid),
            os.getsid(coder.pid) == os.getsid(0),
            os.getpgid(coder.pid) == coder.pid,
            Path(f"/proc/{coder.pid}/oom_score_adj").read_text().strip(),
            (status["Seccomp"], status["NoNewPrivs"], status["Threads"]),
        )
    assert isinstance(sets, Parameters)
    assert [one.flags for one in made if isinstance(one, Coded)] == [Flag.KEYFRAME, 0, 0][: len(made)]
    assert stands == (NICE, True, True, "900", ("2", "1", "1"))
    assert not Path(f"/proc/{coder.pid}").exists()


async def test_it_knows_nothing_of_its_hosts_environment(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password in the host's environment is not in its own."""
    monkeypatch.setenv("SIGHTLINE_DATABASE__URL", "postgresql://someone:secret@db/")
    async with open_coder() as coder:
        await coder.write(source.parameters)
        environment = Path(f"/proc/{coder.pid}/environ").read_bytes()
    assert b"secret" not in environment


async def test_leaving_kills_it_whatever_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that heeds no signal and reads nothing is gone, and reaped."""
    script(tmp_path, monkeypatch, "trap '' TERM INT HUP; exec sleep 1000")
    async with open_coder() as coder:
        assert Path(f"/proc/{coder.pid}").exists()
    assert not Path(f"/proc/{coder.pid}").exists()


async def test_a_killed_one_says_so(source: Source) -> None:
    """Its reader learns by which signal; writing to it raises nothing of its own."""
    async with open_coder() as coder:
        os.kill(coder.pid, signal.SIGKILL)
        for picture in source.pictures(5):
            await coder.write(picture)
        with pytest.raises(CoderError, match="ended -9"):
            await coder.read()


async def test_last_words_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of what it wrote, and how it ended."""
    script(tmp_path, monkeypatch, "echo one >&2; echo 'MemoryError: too much' >&2; exit 3")
    async with open_coder() as coder:
        with pytest.raises(CoderError, match="ended 3 MemoryError: too much"):
            await coder.read()


async def test_one_who_chatters_is_not_held_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Megabytes on standard error are read away while it works, and little of them is kept."""
    script(
        tmp_path,
        monkeypatch,
        "yes | head -c 4000000 >&2; printf '\\003\\000\\000\\000\\000\\000\\000\\000'; exec sleep 1000",
    )
    async with open_coder() as coder:
        assert await coder.read() == KeyframeWish()
        assert isinstance(coder, process._Process)
        assert len(coder._said) <= 4096


@pytest.mark.parametrize(
    "said",
    [
        "\\\\011\\\\000\\\\000\\\\000\\\\000\\\\000\\\\000\\\\000",
        "\\\\002\\\\000\\\\000\\\\000\\\\377\\\\377\\\\377\\\\377",
    ],
)
async def test_one_who_speaks_another_tongue_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    """No message of this wire, or one announced at four gigabytes, which are not waited for."""
    script(tmp_path, monkeypatch, f"printf '{said}'; exec sleep 1000".replace("\\\\", "\\"))
    async with open_coder() as coder:
        with pytest.raises(CoderError, match=r"no message|announced"):
            await coder.read()


async def test_what_is_too_large_is_not_handed_over() -> None:
    """A picture beyond the wire's most ends the coder, not its host."""
    async with open_coder() as coder:
        with pytest.raises(CoderError, match="too large"):
            await coder.write(Coded((bytes(17 << 20),), 0, 0))


async def test_no_process_is_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that gives none says why."""
    monkeypatch.setattr(process, "_COMMAND", ("/nonexistent",))
    with pytest.raises(CoderError, match="No such file"):
        async with open_coder():
            pass


async def test_what_could_not_be_given_up_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's log names it once."""
    script(tmp_path, monkeypatch, "echo 'unconfined: nice oom_score_adj' >&2; exec sleep 1000")
    with capture_logs() as logs:
        async with open_coder():
            await until(lambda: logs, what="the log")
    assert [(entry["event"], entry["undone"]) for entry in logs] == [("transcode.unconfined", "nice oom_score_adj")]


async def test_a_host_that_dies_takes_it_along(source: Source) -> None:
    """The end of its input ends it, by itself and in order."""
    async with open_coder() as coder:
        await coder.write(source.parameters)
        for picture in source.pictures(2):
            await coder.write(picture)
        await coder.read()
        assert isinstance(coder, process._Process)
        coder._stdin.close()
        assert await asyncio.wait_for(coder._process.wait(), 20) == 0


REFUSED_BY_THE_UNIT = """
import ctypes, os, struct, sys
from gateway.transcoder import confine
libc = ctypes.CDLL(None)
deny = (141,) if os.uname().machine == "x86_64" else (140,)  # setpriority
steps = [(0x20, 0, 0, 0)]
for number in deny:
    steps += [(0x15, 0, 1, number), (0x06, 0, 0, 0x00050001)]
steps.append((0x06, 0, 0, 0x7FFF0000))
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
rule = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, rule, 0, 0) == 0
os.execv(sys.executable, [sys.executable, "-m", "gateway.transcoder"])
"""


async def test_it_works_where_the_system_refuses_it_niceness(
    tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service manager's own filter, under which setpriority fails, costs the niceness and nothing else."""
    monkeypatch.setattr(process, "_COMMAND", (*process._COMMAND[:3], "-c", REFUSED_BY_THE_UNIT))
    with capture_logs() as logs:
        async with open_coder() as coder:
            await coder.write(source.parameters)
            for picture in source.pictures(1):
                await coder.write(picture)
            assert isinstance(await coder.read(), Parameters)
            assert isinstance(await coder.read(), Coded)
    assert [entry["undone"] for entry in logs if entry["event"] == "transcode.unconfined"] == ["nice"]
