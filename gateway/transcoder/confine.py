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
from dataclasses import dataclass
from pathlib import Path

NICE = 10
"""Recording and viewers of other cameras come first: beside a camera host this weighs a tenth (sched(7))."""
MEMORY_BYTES = 1536 * 1024 * 1024
"""Address space. A 4K stream with a full set of reference pictures and all libraries takes about half."""
SECCOMP = "seccomp"
"""The one thing without which nothing hostile may be decoded."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_ALLOW, _ERRNO_EPERM = 0x7FFF0000, 0x00050001
_LOAD, _EQUAL, _ANY_OF, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_PROT_EXEC = 4


@dataclass(frozen=True, slots=True)
class Calls:
    """The system calls a coder needs, by their numbers on one architecture."""

    audit_architecture: int
    read: int
    write: int
    mapping: tuple[int, ...]
    """mmap and mprotect, whose third argument is the protection."""
    others: tuple[int, ...]


CALLS = {
    "x86_64": Calls(
        0xC000003E,
        read=0,
        write=1,
        mapping=(9, 10),
        # close, poll, munmap, brk, rt_sigaction, rt_sigprocmask, rt_sigreturn, select, sched_yield, mremap, madvise,
        # getpid, exit, gettimeofday, sigaltstack, gettid, futex, sched_getaffinity, restart_syscall, clock_gettime,
        # clock_getres, clock_nanosleep, exit_group, pselect6, ppoll, getrandom
        others=(
            3,
            7,
            11,
            12,
            13,
            14,
            15,
            23,
            24,
            25,
            28,
            39,
            60,
            96,
            131,
            186,
            202,
            204,
            219,
            228,
            229,
            230,
            231,
            270,
            271,
            318,
        ),
    ),
    "aarch64": Calls(
        0xC00000B7,
        read=63,
        write=64,
        mapping=(222, 226),
        # close, pselect6, ppoll, exit, exit_group, futex, clock_gettime, clock_getres, clock_nanosleep,
        # sched_getaffinity, sched_yield, restart_syscall, sigaltstack, rt_sigaction, rt_sigprocmask, rt_sigreturn,
        # gettimeofday, getpid, gettid, brk, munmap, mremap, madvise, getrandom
        others=(
            57,
            72,
            73,
            93,
            94,
            98,
            113,
            114,
            115,
            123,
            124,
            128,
            132,
            134,
            135,
            139,
            169,
            172,
            178,
            214,
            215,
            216,
            233,
            278,
        ),
    ),
}


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
    known = CALLS.get(platform.machine())
    if known is None:
        return False
    steps = program(known)
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
    unprivileged: int = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    refused: int = libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filter_, 0, 0)
    return unprivileged == 0 and refused == 0


def program(calls: Calls) -> list[tuple[int, int, int, int]]:
    """Return the filter (seccomp(2), classic BPF) that has the kernel refuse (EPERM) whatever a coder never needs.

    Reading is for standard input alone, writing for standard output and error, and no memory becomes a program.
    """
    refuse, allow = (_RETURN, 0, 0, _ERRNO_EPERM), (_RETURN, 0, 0, _ALLOW)
    steps = [(_LOAD, 0, 0, _ARCHITECTURE_AT), (_EQUAL, 1, 0, calls.audit_architecture), refuse]
    steps.append((_LOAD, 0, 0, _NUMBER_AT))
    steps += _where(calls.read, (_LOAD, 0, 0, _ARGUMENTS_AT), (_EQUAL, 0, 1, 0), allow, refuse)
    steps += _where(calls.write, (_LOAD, 0, 0, _ARGUMENTS_AT), (_EQUAL, 1, 0, 1), (_EQUAL, 0, 1, 2), allow, refuse)
    for number in calls.mapping:
        steps += _where(number, (_LOAD, 0, 0, _ARGUMENTS_AT + 2 * 8), (_ANY_OF, 1, 0, _PROT_EXEC), allow, refuse)
    for number in calls.others:
        steps += _where(number, allow)
    return [*steps, refuse]


def _where(number: int, *steps: tuple[int, int, int, int]) -> Iterable[tuple[int, int, int, int]]:
    """Run ``steps``, which return, for one system call; jumps are counted from the next step."""
    return ((_EQUAL, 0, len(steps), number), *steps)
