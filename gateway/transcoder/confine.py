"""What a process that decodes hostile input is left with: its pipes, some memory, and what the processor has to spare.

Linux on x86-64 or aarch64. All libraries must be loaded before, since nothing can be opened afterwards.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
from collections.abc import Iterable
from pathlib import Path

NICE = 10
"""Recording and viewers of other cameras come first: beside a camera host this weighs a tenth (sched(7))."""
MEMORY_BYTES = 1024 * 1024 * 1024
"""Address space, all libraries in it. 1080p takes 180 MB, 4K as cameras send it 240 MB; more is not given."""
SECCOMP = "seccomp"
"""The one thing without which nothing hostile may be decoded."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_ALLOW, _ERRNO_EPERM = 0x7FFF0000, 0x00050001
_LOAD, _EQUAL, _ANY_OF, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_PROT_EXEC = 4


_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""As the kernel's audit names them."""
_READ, _WRITE = (0, 63), (1, 64)
_MAPPING = ((9, 222), (10, 226))
"""mmap and mprotect, whose third argument is the protection."""
_NEEDED = {
    "close": (3, 57),
    "poll": (7, None),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "select": (23, None),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "getpid": (39, 172),
    "exit": (60, 93),
    "gettimeofday": (96, 169),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "pselect6": (270, 72),
    "ppoll": (271, 73),
    "getrandom": (318, 278),
}
"""What else a coder calls, by its numbers on x86-64 and aarch64."""


def confine() -> list[str]:
    """Give up everything but standard input, output and error; return the names of what this machine would not take."""
    undone = []
    try:
        # A group of our own: a Ctrl-C for the host is not one for us. Not a session of our own: where the kernel
        # shares the processor out by session (autogroup), niceness would count for nothing against the host.
        os.setpgid(0, 0)
    except OSError:
        undone.append("setpgid")
    try:
        os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    except OSError:
        undone.append("nice")
    try:
        # Where memory runs out this process goes, not the one that records.
        Path("/proc/self/oom_score_adj").write_text("900")
    except OSError:
        undone.append("oom_score_adj")
    libc = ctypes.CDLL(None, use_errno=True)
    # Also when we hang in a decoder and see no end of input.
    if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
        undone.append("pdeathsig")
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    for limit, amount in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 3),
        (resource.RLIMIT_AS, MEMORY_BYTES),
    ):
        resource.setrlimit(limit, (amount, amount))
    if not _refuse_calls(libc):
        undone.append(SECCOMP)
    return undone


def _refuse_calls(libc: ctypes.CDLL) -> bool:
    if platform.machine() not in _ARCHITECTURES:
        return False
    steps = program(platform.machine())
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
    unprivileged: int = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    refused: int = libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filter_, 0, 0)
    return unprivileged == 0 and refused == 0


def program(machine: str) -> list[tuple[int, int, int, int]]:
    """Return the filter (seccomp(2), classic BPF) that has the kernel refuse (EPERM) whatever a coder never needs.

    Reading is for standard input alone, writing for standard output and error, and no memory becomes a program.
    """
    place = list(_ARCHITECTURES).index(machine)
    refuse, allow = (_RETURN, 0, 0, _ERRNO_EPERM), (_RETURN, 0, 0, _ALLOW)
    first, third = (_LOAD, 0, 0, _ARGUMENTS_AT), (_LOAD, 0, 0, _ARGUMENTS_AT + 2 * 8)
    steps = [(_LOAD, 0, 0, _ARCHITECTURE_AT), (_EQUAL, 1, 0, _ARCHITECTURES[machine]), refuse]
    steps.append((_LOAD, 0, 0, _NUMBER_AT))
    steps += _where(_READ[place], first, (_EQUAL, 0, 1, 0), allow, refuse)
    steps += _where(_WRITE[place], first, (_EQUAL, 1, 0, 1), (_EQUAL, 0, 1, 2), allow, refuse)
    for numbers in _MAPPING:
        steps += _where(numbers[place], third, (_ANY_OF, 1, 0, _PROT_EXEC), allow, refuse)
    for number in (numbers[place] for numbers in _NEEDED.values()):
        if number is not None:
            steps += _where(number, allow)
    return [*steps, refuse]


def _where(number: int, *steps: tuple[int, int, int, int]) -> Iterable[tuple[int, int, int, int]]:
    """Run ``steps``, which return, for one system call; jumps are counted from the next step."""
    return ((_EQUAL, 0, len(steps), number), *steps)
