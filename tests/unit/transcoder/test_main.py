"""The process's own loop, and what it does where it cannot be confined; here without a process."""

import ctypes
import os
import platform
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.transcoder import __main__ as program
from gateway.transcoder import confine, pipes
from gateway.transcoder.__main__ import serve
from gateway.transcoder.framing import HEAD, Coded, Flag, KeyframeWish, Message, Parameters, body_bytes, pack, unpack
from gateway.transcoder.pipes import Pipes
from kernel.clock import NS_PER_S, SystemClock
from tests.fakes.clock import ManualClock
from tests.unit.transcoder.conftest import Source


@pytest.fixture
def ends() -> Iterator[tuple[int, int, int, int]]:
    """Give two pipes: what the coder reads, where that is written, where it is read, what the coder writes."""
    read_in, write_in = os.pipe()
    read_out, write_out = os.pipe()
    yield read_in, write_in, read_out, write_out
    for descriptor in (read_in, write_in, read_out, write_out):
        try:
            os.close(descriptor)
        except OSError:
            continue  # the test has closed it


def messages(data: bytes) -> list[Message]:
    """Return what was written."""
    found = []
    while data:
        length = body_bytes(data[: HEAD.size])
        found.append(unpack(data[: HEAD.size], data[HEAD.size : HEAD.size + length]))
        data = data[HEAD.size + length :]
    return found


def test_it_serves_until_its_input_ends(clock: ManualClock, source: Source, ends: tuple[int, int, int, int]) -> None:
    """Parameters, pictures and a wish go in; H.264 with a keyframe where one was wished for comes out."""
    read_in, write_in, read_out, write_out = ends
    first, second, third = source.pictures(3)
    for message in (source.parameters, first, second, KeyframeWish(), third):
        os.write(write_in, pack(message))
    os.close(write_in)
    serve(Pipes(read_in, write_out), clock)
    os.close(write_out)
    sets, *made = messages(os.read(read_out, 1 << 20))
    assert isinstance(sets, Parameters)
    assert [one.flags for one in made if isinstance(one, Coded)] == [Flag.KEYFRAME, 0, Flag.KEYFRAME]


def test_what_waits_is_seen(ends: tuple[int, int, int, int]) -> None:
    """It knows whether more has come, without taking it."""
    read_in, write_in, _, write_out = ends
    pipes = Pipes(read_in, write_out)
    before = pipes.waiting()
    os.write(write_in, pack(KeyframeWish()))
    assert (before, pipes.waiting(), pipes.read(), pipes.waiting()) == (False, True, KeyframeWish(), False)


def test_a_message_cut_off_by_the_end_is_the_end(ends: tuple[int, int, int, int]) -> None:
    """A host that dies while it writes leaves half a message, which is none."""
    read_in, write_in, _, write_out = ends
    os.write(write_in, pack(Coded((b"half",), 0, 0))[:-2])
    os.close(write_in)
    assert Pipes(read_in, write_out).read() is None


class Machine:
    """What a process asks of its machine, with everything refused."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.limits: dict[int, tuple[int, int]] = {}
        self.asked: list[int] = []
        self.answer = -1

        def refused(*_: object) -> None:
            raise PermissionError

        def limit(which: int, amounts: tuple[int, int]) -> None:
            self.limits[which] = amounts

        monkeypatch.setattr(os, "setpgid", refused)
        monkeypatch.setattr(os, "setpriority", refused)
        monkeypatch.setattr(Path, "write_text", refused)
        monkeypatch.setattr(resource, "setrlimit", limit)
        monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: self)

    def prctl(self, option: int, *_: object) -> int:
        """Refuse, or do what is asked where ``answer`` is 0."""
        self.asked.append(option)
        return self.answer


def test_what_a_machine_does_not_take_is_named_and_the_rest_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each refusal has its name; limits are set all the same."""
    machine = Machine(monkeypatch)
    assert confine.confine() == ["setpgid", "nice", "oom_score_adj", "pdeathsig", confine.SECCOMP]
    assert machine.limits[resource.RLIMIT_AS] == (confine.MEMORY_BYTES, confine.MEMORY_BYTES)
    assert machine.limits[resource.RLIMIT_NOFILE] == (3, 3)


def test_an_unknown_architecture_has_no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of calls are not guessed."""
    machine = Machine(monkeypatch)
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert confine.SECCOMP in confine.confine()
    assert confine._PR_SET_SECCOMP not in machine.asked


def test_a_machine_that_takes_the_filter_is_handed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """No new privileges first, without which the kernel takes none."""
    machine = Machine(monkeypatch)
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    machine.answer = 0
    assert confine.SECCOMP not in confine.confine()
    assert machine.asked[-2:] == [confine._PR_SET_NO_NEW_PRIVS, confine._PR_SET_SECCOMP]


def test_without_a_filter_nothing_is_decoded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what is missing, and ends before it has read anything."""
    monkeypatch.setattr(pipes, "confine", lambda: ["nice", confine.SECCOMP])
    monkeypatch.setattr(program, "serve", lambda *_: pytest.fail("it served"))
    with pytest.raises(SystemExit, match="decodes nothing"):
        program.main()
    assert capsys.readouterr().err == "unconfined: nice seccomp\n"


@pytest.mark.parametrize(
    ("said", "ends_with"), [(b"\x09" + bytes(7), "framing: there is no message of kind 9"), (b"", None)]
)
def test_a_wire_that_is_none_ends_it_in_a_sentence(
    ends: tuple[int, int, int, int], monkeypatch: pytest.MonkeyPatch, said: bytes, ends_with: str | None
) -> None:
    """Nothing that follows could be read either; the end of input is no error."""
    read_in, write_in, _, write_out = ends
    monkeypatch.setattr(pipes, "confine", list)
    monkeypatch.setattr(pipes, "_STDIN", read_in)
    monkeypatch.setattr(pipes, "_STDOUT", write_out)
    os.write(write_in, said)
    os.close(write_in)
    if ends_with is None:
        program.main()
        return
    with pytest.raises(SystemExit, match=ends_with):
        program.main()


def test_a_host_that_reads_no_more_ends_it(ends: tuple[int, int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken pipe is the end, without a traceback."""
    read_in, write_in, read_out, write_out = ends
    monkeypatch.setattr(pipes, "confine", list)
    monkeypatch.setattr(pipes, "_STDIN", read_in)
    monkeypatch.setattr(pipes, "_STDOUT", write_out)
    # Of now by the machine's clock, which is the coder's own here.
    source = Source(ManualClock())
    os.write(write_in, pack(source.parameters))
    for picture in source.pictures(2):
        os.write(write_in, pack(Coded(picture.nals, picture.time_90k, SystemClock().monotonic_ns() + NS_PER_S)))
    os.close(write_in)
    os.close(read_out)
    program.main()
    # It has not read on: the second picture is still there.
    assert os.read(read_in, 1 << 16)
