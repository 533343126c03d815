"""One disk: its threads, its catalog, and whether it can be trusted just now."""

import asyncio
import errno
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog

from config.recording import DiskSettings, RecordingSettings
from kernel.clock import NS_PER_S, Clock
from recording.catalog import Catalog
from recording.volume import Volume

P = ParamSpec("P")
T = TypeVar("T")

_log = structlog.get_logger(__name__)

DISK_ERRORS = (OSError, sqlite3.Error, TimeoutError)
"""What a disk that fails looks like from here."""


MAINTAIN_S = 60.0
BUFFER_LIMIT_BYTES = 16 * 1024 * 1024
"""A thread's buffer that had to grow beyond this is not kept."""


class DiskState(StrEnum):
    """Whether a disk takes recordings."""

    OK = "ok"
    SLOW = "slow"
    READ_ONLY = "read-only"
    FULL = "full"
    FAILED = "failed"


_BY_ERRNO = {errno.ENOSPC: DiskState.FULL, errno.EDQUOT: DiskState.FULL, errno.EROFS: DiskState.READ_ONLY}


def diagnose(error: BaseException) -> DiskState:
    """Return what ``error`` says of the disk it came from."""
    if isinstance(error, TimeoutError):
        return DiskState.SLOW
    if isinstance(error, OSError) and error.errno is not None:
        return _BY_ERRNO.get(error.errno, DiskState.FAILED)
    if isinstance(error, sqlite3.OperationalError):
        if "full" in str(error):
            return DiskState.FULL
        if "readonly" in str(error):
            return DiskState.READ_ONLY
    return DiskState.FAILED


class Disk:
    """A directory that takes recordings, with the threads that do its reading and writing."""

    def __init__(  # noqa: PLR0913 - one place where they meet
        self,
        settings: DiskSettings,
        recording: RecordingSettings,
        *,
        disk_id: str,
        catalog: Catalog,
        volume: Volume,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self.id = disk_id
        self.root = settings.path / recording.owner
        self.catalog = catalog
        self.volume = volume
        self.state = DiskState.OK
        self.fault = ""
        self.bytes_written = 0
        self.last_alive_ns: int | None = None
        """When the process before this one last gave a sign of life, wall time."""
        self.active: set[str] = set()
        """Identifiers of the files that are being written."""
        self.sweeping = threading.Lock()
        """Held by the one thread that deletes: two at once would each make the room that both want."""
        self.limit_s = recording.slow_write_s
        self._own = threading.local()
        self._jobs_done = 0
        """By the writing threads; only ever compared, so that a count lost between two of them does no harm."""
        self._clock = clock
        self._began_ns = clock.monotonic_ns()
        name = settings.path.name
        self._writers = ThreadPoolExecutor(recording.writer_threads, thread_name_prefix=f"write-{name}")
        self._readers = ThreadPoolExecutor(2, thread_name_prefix=f"read-{name}")

    async def write(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``job`` on a writing thread, in bounded time.

        Raises:
            TimeoutError: it took longer than ``slow_write_s``, or so long nothing that waits here got its turn.
                What has begun goes on in its thread, and is not waited for.
        """
        return await self._within(self.limit_s, lambda: job(*args, **kwargs))

    async def maintain(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``job`` on a writing thread; deleting many files may take longer than a write does.

        Raises:
            TimeoutError: it took longer than a minute.
        """
        return await self._within(max(MAINTAIN_S, self.limit_s), lambda: job(*args, **kwargs))

    async def _within(self, limit_s: float, job: Callable[[], T]) -> T:
        """Wait for a job; its turn in the queue counts only while nothing before it gets done.

        Hundreds of streams that begin together want hundreds of files made at once. A disk that works them off is
        busy, not slow, and to leave it would lose them all.
        """
        loop = asyncio.get_running_loop()
        began_s: float | None = None

        def begin() -> T:
            nonlocal began_s
            began_s = loop.time()
            try:
                return job()
            finally:
                self._jobs_done += 1

        running = loop.run_in_executor(self._writers, begin)
        try:
            while True:
                done_before, since_s = self._jobs_done, began_s or loop.time()
                await asyncio.wait([running], timeout=since_s + limit_s - loop.time())
                if running.done():
                    return running.result()
                stuck = self._jobs_done == done_before if began_s is None else loop.time() >= began_s + limit_s
                if stuck:
                    raise TimeoutError
        finally:
            running.cancel()

    @property
    def buffer(self) -> BytesIO:
        """Return an empty buffer that belongs to the calling thread.

        It is used again and again: memory fresh from the kernel is cleared page by page, which for every megabyte
        recorded costs more than writing it.
        """
        found: BytesIO | None = getattr(self._own, "buffer", None)
        if found is None or found.seek(0, SEEK_END) > BUFFER_LIMIT_BYTES:
            found = self._own.buffer = BytesIO()
        found.seek(0)
        return found

    async def read(self, job: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``job`` on a reading thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, lambda: job(*args, **kwargs))

    def mark(self, error: BaseException) -> None:
        """Trust the disk no more: its streams move to another."""
        state = diagnose(error)
        if self.state is DiskState.OK:
            _log.error("recording.disk_lost", disk=str(self.settings.path), state=state.value, error=str(error))
        self.state = state
        self.fault = str(error) or f"a write took longer than {self.limit_s:g} s"

    def trust(self) -> None:
        """Use the disk again."""
        if self.state is not DiskState.OK:
            _log.info("recording.disk_back", disk=str(self.settings.path))
        self.state = DiskState.OK
        self.fault = ""

    @property
    def bytes_per_s(self) -> float:
        """Return how fast recordings grew here since the start; 0 in the first minute, when it would mislead."""
        elapsed_ns = self._clock.monotonic_ns() - self._began_ns
        return self.bytes_written * NS_PER_S / elapsed_ns if elapsed_ns > 60 * NS_PER_S else 0.0

    def absolute(self, path: str) -> Path:
        """Return where a catalogued path lies."""
        return self.root / path

    async def close(self) -> None:
        """Fold the catalog and let the threads go; one that hangs in the kernel is left behind."""
        loop = asyncio.get_running_loop()
        if self.state is not DiskState.SLOW:
            await loop.run_in_executor(self._readers, self.catalog.close)
        self._writers.shutdown(wait=False)
        self._readers.shutdown(wait=False)
