"""What is done to the log by the clock: checkpoints are signed and told, personal detail is erased when it is old."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from config.audit import AuditSettings
from gateway.audit.checkpoints import DASH, Signer
from gateway.audit.errors import AuditBrokenError, AuditUnwrittenError
from gateway.audit.events import SYSTEM, Action, AuditEvent, Detail, Outcome
from gateway.audit.trail import Trail
from gateway.audit.witness import Witness, open_witness
from gateway.db.errors import DatabaseError
from kernel.clock import NS_PER_S, Clock, SteadyClock, every

log = structlog.get_logger()

ERASE_EVERY_S = 3600.0
DAY_NS = 86_400 * NS_PER_S
EXPECTED = (DatabaseError, AuditUnwrittenError, AuditBrokenError)
CHECKPOINTS = "audit-checkpoints"
TAIL_BYTES = 4096
"""Longer than any note with its signatures."""


class Keeper:
    """Does it. Made by :func:`open_keeping`."""

    def __init__(self, trail: Trail, signer: Signer, file: Path, witness: Witness | None) -> None:
        self._trail = trail
        self._signer = signer
        self._file = file
        self._witness = witness
        self._said_size = 0
        """The size up to which there is nothing to say: that of the last checkpoint and the entry about it."""

    async def checkpoint(self) -> None:
        """Sign where the log stands, write it to the file and tell the witness; nothing where nothing was added."""
        try:
            await self._trail.settled_soon()
            edge = await self._trail.head()
        except EXPECTED as error:
            log.error("audit.checkpoint_failed", error=error.code)  # noqa: TRY400 - a plain reason
            return
        if edge.size <= self._said_size:
            return
        note = self._signer.sign(size=edge.size, root=edge.root)
        outcome = Outcome.DONE
        try:
            await asyncio.to_thread(append_note, self._file, note)
        except OSError as error:
            log.error("audit.checkpoint_unwritten", file=str(self._file), error=error.strerror)  # noqa: TRY400
            outcome = Outcome.FAILED
        if self._witness is not None:
            self._witness.tell(note)
        self._said_size = edge.size + 1
        details: dict[str, Detail] = {"size": edge.size, "root": edge.root.hex()}
        self._trail.note(AuditEvent(action=Action.CHECKPOINT, actor=SYSTEM, outcome=outcome, details=details))

    async def erase(self, before_ns: int) -> None:
        """Erase personal detail from before an instant; with a failing database at a later turn."""
        try:
            entries = await self._trail.erase_personal(before_ns)
        except EXPECTED as error:
            log.error("audit.erasure_failed", error=error.code)  # noqa: TRY400 - a plain reason
        else:
            if entries:
                log.info("audit.erased", entries=entries)


def append_note(file: Path, note: str) -> None:
    """Append a signed note to a file, and a blank line after it: on disk on return, or not there at all. Blocks.

    What a power cut or a full disk left of a note before it is taken off: two notes that run into each other would be
    one that nobody signed, which is what tampering looks like.

    Raises:
        OSError: it could not be.
    """
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        size = os.fstat(handle).st_size
        origin = note[: note.index("\n") + 1]
        whole, gap = _end_of_notes(handle, size, origin.encode())
        if whole < size:
            log.warning("audit.checkpoint_torn", file=str(file), cut_bytes=size - whole)
            os.ftruncate(handle, whole)
        try:
            _write_all(handle, f"{gap}{note}\n".encode())
            os.fsync(handle)
        except OSError:
            with suppress(OSError):
                os.ftruncate(handle, whole)
            raise
    finally:
        os.close(handle)


def _write_all(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]


def _end_of_notes(handle: int, size: int, origin: bytes) -> tuple[int, str]:
    """Return where a file is to go on, and what has to stand between what is there and the next note.

    Only what is the beginning of a note of this log is taken off: a file that was named by mistake loses nothing.
    """
    start = max(0, size - TAIL_BYTES)
    tail = os.pread(handle, size - start, start)
    ends = [match.end() for match in re.finditer(rb"(?:^|\n)%b[^\n]*\n\n?" % DASH.encode(), tail)]
    whole = ends[-1] if ends else 0
    rest = tail[whole:]
    ours = rest.startswith(origin) or origin.startswith(rest)
    if not ours or (start > 0 and not ends):
        return size, "\n\n"
    return start + whole, "\n" if whole and not tail[:whole].endswith(b"\n\n") else ""


def checkpoint_file(settings: AuditSettings, data_dir: Path) -> Path:
    """Return where checkpoints are written."""
    return settings.checkpoint_file or data_dir / CHECKPOINTS


@asynccontextmanager
async def open_keeping(
    trail: Trail, settings: AuditSettings, *, seed: bytes, data_dir: Path, clock: Clock
) -> AsyncIterator[None]:
    """Keep the log for the time of the block; on leaving, a last checkpoint is written and told."""
    signer = Signer(settings.origin, seed)
    log.info("audit.key", key=signer.public.text)
    async with open_witness(settings, clock=clock) as witness:
        keeper = Keeper(trail, signer, checkpoint_file(settings, data_dir), witness)

        async def checkpoints() -> None:
            async with every(clock, settings.checkpoint_s) as ticks:
                async for _ in ticks:
                    await keeper.checkpoint()

        steady = SteadyClock(clock)

        async def erasures() -> None:
            async with every(clock, ERASE_EVERY_S) as ticks:
                async for _ in ticks:
                    await keeper.erase(steady.wall_ns() - round(settings.personal_days * DAY_NS))

        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(checkpoints(), name="audit checkpoints"),
                tasks.create_task(erasures(), name="audit erasures"),
            ]
            try:
                yield
            finally:
                for task in running:
                    task.cancel()
        await keeper.checkpoint()
