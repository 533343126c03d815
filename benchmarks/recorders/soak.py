"""Whether hosts stay as they are: memory, descriptors and threads over time."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from recorders.hosts import Host
from recorders.processes import descriptors, memory_bytes, threads

EVERY_S = 2.0
MEMORY_GROWTH = 0.05
"""Share by which the memory of the last quarter may exceed that of the second: the first one still fills buffers."""
MEMORY_NOISE_BYTES = 16_000_000
COUNT_GROWTH = 4
"""Descriptors, and threads, that may come and go with a file being closed or a thread of a pool being started."""


@dataclass(slots=True)
class Watched:
    """What one host took over time, sample by sample."""

    memory_bytes: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)

    def look(self, pid: int) -> None:
        """Take a sample."""
        self.memory_bytes.append(memory_bytes(pid)[0])
        self.descriptors.append(descriptors(pid))
        self.threads.append(threads(pid))

    def growth(self) -> list[str]:
        """Return what grew."""
        found = []
        before, after = _quarters(self.memory_bytes)
        if after > before * (1 + MEMORY_GROWTH) + MEMORY_NOISE_BYTES:
            found.append(f"memory grew from {before / 1e6:.0f} to {after / 1e6:.0f} MB")
        for name, values in (("descriptors", self.descriptors), ("threads", self.threads)):
            before, after = _quarters(values)
            if after > before + COUNT_GROWTH:
                found.append(f"{name} grew from {before:.0f} to {after:.0f}")
        return found


def _quarters(values: Sequence[int]) -> tuple[float, float]:
    """Return the medians of the second and the last quarter.

    Raises:
        RuntimeError: there are too few samples to tell.
    """
    quarter = len(values) // 4
    if quarter < 3:
        raise RuntimeError(f"{len(values)} samples say nothing of growth: give more --seconds")
    return statistics.median(values[quarter : 2 * quarter]), statistics.median(values[-quarter:])


async def watch(hosts: Sequence[Host], seconds: float) -> list[Watched]:
    """Look at the hosts for so long.

    Raises:
        RuntimeError: one ended.
    """
    watched = [Watched() for _ in hosts]
    until = time.monotonic() + seconds
    while (left_s := until - time.monotonic()) > 0:
        for host, one in zip(hosts, watched, strict=True):
            if host.process.returncode is not None:
                raise RuntimeError(f"camera host {host.index} ended; its message stands above")
            one.look(host.process.pid)
        await asyncio.sleep(min(EVERY_S, left_s))
    return watched
