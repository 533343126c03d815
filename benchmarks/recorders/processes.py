"""What the kernel tells of a process (proc(5))."""

import os
from pathlib import Path

_TICKS_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Return user and system CPU seconds of a process, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_S


def memory_bytes(pid: int) -> tuple[int, int]:
    """Return resident and proportional set size."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()[1:]:
        name, _, rest = line.partition(":")
        found[name] = int(rest.split()[0]) * 1024
    return found["Rss"], found["Pss"]


def descriptors(pid: int) -> int:
    """Return how many files and sockets are open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def threads(pid: int) -> int:
    """Return how many threads it has."""
    return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())
