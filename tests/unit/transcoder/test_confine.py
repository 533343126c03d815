"""What is left to a coder: tried by a process that confines itself and then does what a broken decoder might."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.transcoder.confine import (
    _ALLOW,
    _ANY_OF,
    _ARCHITECTURES,
    _EQUAL,
    _LOAD,
    _MAPPING,
    _NEEDED,
    _READ,
    _RETURN,
    MEMORY_BYTES,
    program,
)

ROOT = Path(__file__).parents[3]
TRIAL = """
import ctypes, mmap, os, socket, sys, threading
from gateway.transcoder.confine import confine
host = os.getppid()
undone = confine()
def tried(what):
    {what}
try:
    tried(None)
except BaseException as error:
    print("refused", getattr(error, "errno", None), undone)
else:
    print("done", undone)
sys.stdout.flush()
os._exit(0)
"""
EPERM, ENOMEM = 1, 12


def after(what: str) -> str:
    """Return what a confined process says of ``what`` it tried."""
    trial = TRIAL.format(what=what)
    done = subprocess.run(
        [sys.executable, "-c", trial], capture_output=True, text=True, check=True, cwd=ROOT, stdin=subprocess.DEVNULL
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    "what",
    [
        "open('/etc/hostname')",
        "os.open('.', os.O_RDONLY)",
        "os.stat('/')",
        "socket.socket()",
        "socket.socketpair()",
        "os.fork()",
        "os.execv('/bin/true', ['true'])",
        "os.kill(host, 0)",
        "os.pidfd_open(host)",
        "os.dup(0)",
        "os.pipe()",
        "os.memfd_create('x')",
        "os.read(1, 1)",
        "os.write(0, b'x')",
        "os.setpriority(os.PRIO_PROCESS, 0, 0)",
        "os.unlink('x')",
        "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
    ],
)
def test_what_a_coder_never_needs_is_refused(what: str) -> None:
    """Files, sockets, programs, processes, descriptors of others, memory that runs: the kernel says no."""
    assert after(what) == f"refused {EPERM} []"


def test_no_thread_begins() -> None:
    """One process is one thread, whatever runs in it."""
    assert after("threading.Thread(target=print).start()").startswith("refused")


@pytest.mark.parametrize("what", ["mmap.mmap(-1, 1 << 24)", "os.write(2, b'x')", "os.read(0, 1)", "bytearray(1 << 26)"])
def test_what_a_coder_needs_is_left(what: str) -> None:
    """Memory, its input, its output."""
    assert after(what) == "done []"


def test_memory_is_bounded() -> None:
    """More than a coder's share is refused at once."""
    assert after(f"mmap.mmap(-1, {MEMORY_BYTES})") == f"refused {ENOMEM} []"


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_jump_of_the_filter_lands_in_it(machine: str) -> None:
    """On either architecture whatever runs through the filter ends at a verdict."""
    steps = program(machine)
    for place, (code, met, unmet, _) in enumerate(steps):
        if code in {_EQUAL, _ANY_OF}:
            assert place + 1 + max(met, unmet) < len(steps)
    assert steps[-1][0] == _RETURN


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_lets_through_what_is_on_its_list(machine: str) -> None:
    """Run as the kernel runs it: the needed calls pass on their own architecture, and none on the other."""
    place = ["x86_64", "aarch64"].index(machine)
    passed = {number for number in range(600) if verdict(program(machine), _ARCHITECTURES[machine], number) == _ALLOW}
    needed = {numbers[place] for numbers in _NEEDED.values()} - {None}
    # With every argument 0: reading from standard input passes, and mapping; writing to it does not.
    assert passed == needed | {_READ[place]} | {numbers[place] for numbers in _MAPPING}
    other = _ARCHITECTURES["aarch64" if machine == "x86_64" else "x86_64"]
    assert not [number for number in range(600) if verdict(program(machine), other, number) == _ALLOW]


def verdict(steps: list[tuple[int, int, int, int]], architecture: int, number: int) -> int:
    """Return what a filter says of a call whose arguments are all 0."""
    loaded, at = 0, 0
    while True:
        code, met, unmet, operand = steps[at]
        at += 1
        if code == _LOAD:
            loaded = {0: number, 4: architecture}.get(operand, 0)
        elif code == _RETURN:
            return operand
        else:
            at += met if (loaded == operand if code == _EQUAL else loaded & operand) else unmet
