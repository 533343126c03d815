"""Disks at start: who they are, whether they can be written, and whether what they hold is all there."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from config.recording import DiskSettings, RecordingSettings
from kernel.clock import Clock
from recording.disk import Disk
from recording.errors import DiskUnusableError, StorageStartError
from recording.identity import REGISTER, identify, occupy, unusable
from recording.recovery import RecoveryReport, open_catalog, recover
from recording.volume import Volume


async def open_disks(
    settings: RecordingSettings, *, clock: Clock, volume: Callable[[], Volume], stack: AsyncExitStack
) -> tuple[list[Disk], list[RecoveryReport]]:
    """Open every disk; ``stack`` closes them.

    Raises:
        StorageStartError: one of them cannot be opened; those already open are closed again.
    """
    if not settings.disks:
        raise StorageStartError("No disk for recordings is configured.", cure="Name one in recording.disks.")
    register = settings.disk_register or settings.disks[0].path.parent / REGISTER
    disks, reports = [], []
    for disk_settings in settings.disks:
        disk, lock, report = await asyncio.to_thread(_open, disk_settings, settings, register, clock, volume())
        stack.callback(os.close, lock)
        stack.push_async_callback(disk.close)
        disks.append(disk)
        reports.append(report)
    return disks, reports


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
        return Disk(disk, settings, disk_id=disk_id, catalog=catalog, volume=volume, clock=clock), lock, report
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
