"""What a process that decodes hostile input is left with: its pipes, some memory, and the rest of the processor.

Linux only, and as far as the kernel goes along: ``confine`` returns what it could not do.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
from pathlib import Path

NICE = 5
"""Recording and viewers of other cameras come first."""
MEMORY_BYTES = 1536 * 1024 * 1024
"""Address space. A 4K stream with a full set of reference pictures and all libraries takes about half."""
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_ALLOW, _ERRNO_EPERM = 0x7FFF0000, 0x00050001
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_X32 = 0x40000000
# Opening files, sockets, other programs and other processes, by audit architecture.
_REFUSED = {
    "x86_64": (
        0xC000003E,
        # open, socket, connect, socketpair, fork, vfork, execve, kill, truncate, rename, creat, unlink, chmod, ptrace,
        # openat, unlinkat, renameat, process_vm_readv and _writev, execveat, io_uring_setup, openat2
        (2, 41, 42, 53, 57, 58, 59, 62, 76, 82, 85, 87, 90, 101, 257, 263, 264, 310, 311, 322, 425, 437),
    ),
    "aarch64": (
        0xC00000B7,
        # unlinkat, renameat, truncate, fchmodat, openat, ptrace, kill, socket, socketpair, connect, execve,
        # process_vm_readv and _writev, execveat, io_uring_setup, openat2
        (35, 38, 45, 53, 56, 117, 129, 198, 199, 203, 221, 270, 271, 281, 425, 437),
    ),
}


def confine() -> list[str]:
    """Give up everything but what is open; return the names of what this machine would not take."""
    undone = []
    os.nice(NICE)
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
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    if not _refuse_calls(libc):
        undone.append("seccomp")
    return undone


def _refuse_calls(libc: ctypes.CDLL) -> bool:
    """Have the kernel refuse (EPERM) what a coder never needs, by a filter of classic BPF (seccomp(2))."""
    known = _REFUSED.get(platform.machine())
    if known is None:
        return False
    architecture, calls = known
    # Loads the architecture, then the number of the call; jumps are counted from the next instruction.
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 0, len(calls) + 3, architecture), (_LOAD, 0, 0, 0)]
    steps.append((_AT_LEAST, len(calls) + 1, 0, _X32))
    steps += [(_EQUAL, len(calls) - place, 0, call) for place, call in enumerate(calls)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO_EPERM)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program)))
    unprivileged: int = libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    refused: int = libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filter_, 0, 0)
    return unprivileged == 0 and refused == 0
