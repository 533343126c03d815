"""Disks at start: who they are, whether they can be written, and whether what they hold is all there."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from config.recording import DiskSettings, RecordingSettings
from kernel.clock import Clock
from recording.catalog import facts
from recording.disk import Disk
from recording.errors import DiskUnusableError, StorageStartError
from recording.identity import REGISTER, identify, occupy, unusable
from recording.recovery import RecoveryReport, open_catalog, recover
from recording.volume import Volume

_log = structlog.get_logger(__name__)


async def open_disks(
    settings: RecordingSettings, *, clock: Clock, volume: Callable[[], Volume], stack: AsyncExitStack
) -> tuple[list[Disk], list[RecoveryReport], tuple[str, ...]]:
    """Open every disk; ``stack`` closes them. Return also why others had to be left out.

    A disk that is full, read-only or broken is left out as long as another one works. A disk that is missing, or
    has lost footage, stops everything: recording on would hide it.

    Raises:
        StorageStartError: storage cannot be opened; what was opened is closed again.
    """
    if not settings.disks:
        raise StorageStartError("No disk for recordings is configured.", cure="Name one in recording.disks.")
    register = settings.disk_register or settings.disks[0].path.parent / REGISTER
    disks, reports = [], []
    left_out: list[DiskUnusableError] = []
    for disk_settings in settings.disks:
        try:
            disk, lock, report = await asyncio.to_thread(_open, disk_settings, settings, register, clock, volume())
        except DiskUnusableError as error:
            _log.error("recording.disk_left_out", disk=str(disk_settings.path), error=str(error))
            left_out.append(error)
            continue
        stack.callback(os.close, lock)
        stack.push_async_callback(disk.close)
        disks.append(disk)
        reports.append(report)
    if not disks:
        raise left_out[0]
    return disks, reports, tuple(str(error) for error in left_out)


def _open(
    disk: DiskSettings, settings: RecordingSettings, register: Path, clock: Clock, volume: Volume
) -> tuple[Disk, int, RecoveryReport]:
    disk_id = identify(disk.path, register)
    root = disk.path / settings.owner
    lock = occupy(root)
    try:
        catalog, fresh = open_catalog(root)
        try:
            report = recover(
                root, catalog, missing_share=settings.missing_share, accept_missing=settings.accept_missing
            )
        except BaseException:
            catalog.close()
            raise
        report.rebuilt = fresh and bool(report.adopted)
        opened = Disk(disk, settings, disk_id=disk_id, catalog=catalog, volume=volume, clock=clock)
        with catalog.read() as db:
            alive = facts.get_meta(db, facts.ALIVE_KEY)
        opened.last_alive_ns = None if alive is None else int(alive)
        return opened, lock, report  # noqa: TRY300 - the errors are those of every step
    except OSError as error:
        os.close(lock)
        raise unusable(disk.path, error) from error
    except sqlite3.Error as error:
        os.close(lock)
        raise DiskUnusableError(
            f"The catalog {root / 'catalog.db'} cannot be used: {error}.",
            cure="Look in the kernel's log for disk errors; the media files are untouched.",
        ) from error
    except BaseException:
        os.close(lock)
        raise
