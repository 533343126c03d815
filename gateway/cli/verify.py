"""`sightline verify`: were the record or the logs of deployments altered, is the footage still what was written?"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from config.settings import Settings
from gateway.app import database_url
from gateway.audit.checkpoints import Checkpoint, CheckpointKey, Signer, read_notes
from gateway.audit.errors import AuditKeyError, CheckpointError
from gateway.audit.keeping import checkpoint_file
from gateway.audit.key import find_seed
from gateway.audit.proof import AuditReport
from gateway.audit.trail import Trail
from gateway.cli.failures import FAILED, plainly
from gateway.cli.options import ConfigFile, settings_of
from gateway.db.audit import AuditRows
from gateway.db.deployments import DeploymentRows
from gateway.db.engine import open_database
from gateway.deployments.proof import LogsReport
from gateway.fleet.hosts import HostClient, HostUnreachableError
from gateway.stationed import check_logs
from gateway.worker.host import recording_settings
from kernel.clock import Clock, SystemClock
from recording import open_storage

SHOWN_MAX = 20


def verify(
    config: ConfigFile = None,
    audit: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--audit", help="Check the audit alone; recordings take as long as reading them all.")
    ] = False,
    deployments: Annotated[  # noqa: FBT002 - an option
        bool,
        typer.Option("--deployments", help="Check the audit, and every deployment's log against it; no recordings."),
    ] = False,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(
            help="Signed checkpoints kept elsewhere, in a file as the witness received them. Without it: the gateway's "
            "own file, where there is one. Can be given more than once.",
            show_default=False,
        ),
    ] = None,
    checkpoint_key: Annotated[
        list[str] | None,
        typer.Option(
            help="Public key that checkpoints are to be signed by, as this command printed it. Without it: that of the "
            "gateway's own key. Can be given more than once.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Check the audit, the logs of deployments and the recordings.

    Of the audit every entry is hashed anew and held against the checkpoints: what was altered, removed or reordered is
    told. Of each deployment's log every line is hashed anew and held against what the audit was told of it. Recordings:
    asks the camera hosts that run; where none does, reads the disks itself. Ends with 1 when something is wrong.
    """
    with plainly():
        settings = settings_of(config)
        alone = audit or deployments
        checks = _Checks(logs=deployments or not alone, recordings=not alone)
        sound = asyncio.run(_verify(settings, checkpoint or [], checkpoint_key or [], checks))
    if not sound:
        raise typer.Exit(FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checks:
    """What is checked beside the audit, without which a log of a deployment proves nothing."""

    logs: bool
    recordings: bool


async def _verify(settings: Settings, files: list[Path], key_lines: list[str], checks: _Checks) -> bool:
    clock = SystemClock()
    sound = await _audit(settings, files, key_lines, clock=clock)
    if checks.logs:
        sound = await _logs(settings, clock=clock) and sound
    if checks.recordings:
        sound = await _all_recordings(settings, clock=clock) and sound
    return sound


async def _audit(settings: Settings, files: list[Path], key_lines: list[str], *, clock: Clock) -> bool:
    own = await asyncio.to_thread(_own_key, settings)
    keys = [CheckpointKey.parse(line) for line in key_lines] or ([own] if own is not None else [])
    checkpoints, problems = await asyncio.to_thread(_checkpoints, settings, files, keys)
    async with open_database(database_url(settings)) as database:
        report = await Trail(database, clock=clock).verify(checkpoints)
    _tell_audit(replace(report, problems=(*problems, *report.problems)), own)
    return report.sound and not problems


async def _logs(settings: Settings, *, clock: Clock) -> bool:
    async with open_database(database_url(settings)) as database, database.read() as connection:
        report = await check_logs(AuditRows(connection), DeploymentRows(connection), now_ns=clock.wall_ns())
    _tell_logs(report)
    return report.sound


def _own_key(settings: Settings) -> CheckpointKey | None:
    seed = find_seed(settings.server.data_dir, credentials=os.environ.get("CREDENTIALS_DIRECTORY"))
    return Signer(settings.audit.origin, seed).public if seed is not None else None


def _checkpoints(
    settings: Settings, files: list[Path], keys: list[CheckpointKey]
) -> tuple[list[Checkpoint], list[str]]:
    """Return the checkpoints to hold the log against, and what is wrong with the files themselves."""
    if not files:
        files = [file for file in [checkpoint_file(settings.audit, settings.server.data_dir)] if file.exists()]
    if files and not keys:
        raise AuditKeyError(
            "There is no key here to check the signatures of checkpoints by.",
            cure="Give the log's public key with --checkpoint-key.",
        )
    checkpoints: list[Checkpoint] = []
    problems: list[str] = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointError(
                f"The checkpoints {file} cannot be read: {error}.", cure="Give a file of checkpoints."
            ) from None
        found, wrong = read_notes(text, keys)
        checkpoints += found
        problems += [f"{file}: {what}" for what in wrong]
        if not found and not wrong:
            problems.append(f"{file}: there is no checkpoint in it.")
    return checkpoints, problems


async def _all_recordings(settings: Settings, *, clock: Clock) -> bool:
    hosts = settings.hosts.workers
    sound = True
    for index in range(max(1, hosts)):
        report = await _recordings(settings.of_host(index), settings.host_socket(index), clock=clock)
        _tell_recordings(report, f"host {index}" if hosts else "recordings")
        sound = sound and not report["faults"]
    return sound


async def _recordings(settings: Settings, socket: Path, *, clock: Clock) -> dict[str, Any]:
    try:
        async with HostClient(socket) as host:
            return await host.verify()
    except HostUnreachableError:
        # Nobody holds the disks: read them ourselves.
        async with _storage_report(settings, clock=clock) as report:
            return report


@asynccontextmanager
async def _storage_report(settings: Settings, *, clock: Clock) -> AsyncIterator[dict[str, Any]]:
    async with open_storage(recording_settings(settings), clock=clock) as storage:
        yield asdict(await storage.verify())


def _tell_audit(report: AuditReport, key: CheckpointKey | None) -> None:
    erased = f", personal detail of {report.erased} erased" if report.erased else ""
    typer.echo(
        f"audit: {report.entries} entries{erased}, held against {report.checkpoints} checkpoints, "
        + ("all as written." if report.sound else "NOT as they were written:")
    )
    _tell_problems(report.problems)
    if report.sound:
        typer.echo(f"  Root: {report.head}")
    if key is not None:
        typer.echo(f"  Key of its checkpoints, to be noted elsewhere: {key.text}")


def _tell_logs(report: LogsReport) -> None:
    coming = f", {report.on_their_way} of them of just now and not in the audit yet" if report.on_their_way else ""
    typer.echo(
        f"deployments: {report.deployments} logs, {report.lines} lines{coming}, "
        + ("all as the audit has them." if report.sound else "NOT as the audit has them:")
    )
    _tell_problems(report.problems)


def _tell_problems(problems: Sequence[str]) -> None:
    for problem in problems[:SHOWN_MAX]:
        typer.echo(f"  {problem}")
    if len(problems) > SHOWN_MAX:
        typer.echo("  and more.")


def _tell_recordings(report: dict[str, Any], name: str) -> None:
    faults = report["faults"]
    typer.echo(
        f"{name}: {report['files']} files, {report['fragments']} fragments, {report['bytes']} bytes, "
        + ("all as written." if not faults else f"{len(faults)} NOT as written:")
    )
    for fault in faults[:SHOWN_MAX]:
        where = f", fragment {fault['index']}" if fault["index"] is not None else ""
        typer.echo(f"  {fault['disk']}/{fault['path']}{where}: {fault['what']}")
    if len(faults) > SHOWN_MAX:
        typer.echo(f"  and {len(faults) - SHOWN_MAX} more.")
