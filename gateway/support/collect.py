"""Each subject of a support dump. A subject that cannot be looked at says why, and the others are told all the same."""

import asyncio
import json
import platform
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.redaction import redacted
from config.settings import Settings
from gateway.certificate import check_files, made_files
from gateway.db.devices import Devices
from gateway.db.engine import Database, head, read_database
from gateway.db.errors import DatabaseError
from gateway.db.survey import survey
from gateway.support.lines import shown
from gateway.vault import KeyFile, VaultError
from gateway.vault.rotation import status
from kernel.clock import Clock, utc
from kernel.errors import SightlineError

EXPECTED = (SightlineError, OSError, ValueError, KeyError, TypeError)
"""What a subject may meet on an installation that is in trouble."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file of the dump: facts as JSON, or text."""

    name: str
    facts: Any = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where to look. ``ask_hosts`` asks every camera host; it answers with JSON objects."""

    settings: Settings
    database: Path
    keys: KeyFile
    log: Path | None
    clock: Clock
    ask_hosts: Callable[[], Awaitable[list[dict[str, Any]]]]


async def collect(site: Site) -> list[Part]:
    """Return everything that there is to tell."""
    parts: Sequence[tuple[str, Callable[[Site], Awaitable[Any]]]] = (
        ("versions.json", _versions),
        ("configuration.json", _configuration),
        ("checks.json", _checks),
        ("hosts.json", _hosts),
        ("cameras.json", _cameras),
        ("database.json", _database),
        ("disks.json", _disks),
    )
    told = [Part(name=name, facts=await _told(look, site)) for name, look in parts]
    if site.log is not None:
        lines = await _told(_log_lines, site)
        told.append(Part(name="log.jsonl", text=lines if isinstance(lines, str) else json.dumps(lines) + "\n"))
    return told


async def _told(look: Callable[[Site], Awaitable[Any]], site: Site) -> Any:
    try:
        return await look(site)
    except EXPECTED as error:
        return {"unknown": _said(error)}


def _said(error: Exception) -> str:
    """Return what went wrong in words of our own; those of others may quote what they met."""
    return f"{error.code}: {error.message}" if isinstance(error, SightlineError) else type(error).__name__


async def _versions(site: Site) -> dict[str, Any]:
    return await asyncio.to_thread(_installed, site.clock)


def _installed(clock: Clock) -> dict[str, Any]:
    names = sorted({_bare(line) for line in requires("sightline") or [] if "extra ==" not in line})
    return {
        "sightline": version("sightline"),
        "python": sys.version.split()[0],
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "libraries": {name: _version(name) for name in names},
        "at": utc(clock.wall_ns()).isoformat(timespec="seconds"),
    }


def _bare(requirement: str) -> str:
    return requirement.partition(";")[0].partition("[")[0].partition(">")[0].partition("=")[0].strip()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


async def _configuration(site: Site) -> dict[str, Any]:
    return redacted(site.settings)


async def _hosts(site: Site) -> list[dict[str, Any]]:
    return await site.ask_hosts()


@asynccontextmanager
async def _opened(site: Site) -> AsyncIterator[Database]:
    async with read_database(site.database) as database:
        yield database


async def _cameras(site: Site) -> list[dict[str, Any]]:
    async with _opened(site) as database, database.read() as connection:
        rows = await Devices(connection).cameras()
    return [
        {
            "number": row.number,
            "id": row.id,
            "host": row.host,
            "recording": row.recording,
            "enrolled": utc(row.enrolled_ns).isoformat(timespec="seconds"),
            "reached_over": urlsplit(device.address).scheme or "http",
            **_device(json.loads(device.description), row.source_token),
        }
        for row, device in rows
    ]


def _device(found: dict[str, Any], source: str) -> dict[str, Any]:
    identity = found["identity"]
    view = next(view for view in found["views"] if view["source_token"] == source)
    return {
        "manufacturer": identity["manufacturer"],
        "model": identity["model"],
        "firmware": identity["firmware"],
        "authentication": found["authentication"],
        "clock_offset_s": found["clock_offset_s"],
        "events": found["events"],
        "quirks": found["quirks"],
        "head": view["head"] is not None,
        "main": _stream(view["main"]),
        "sub": _stream(view["sub"]),
    }


def _stream(profile: dict[str, Any] | None) -> dict[str, Any] | None:
    kept = ("codec", "width", "height", "frame_rate", "bitrate_kbit", "gop_frames", "audio")
    return {key: profile[key] for key in kept} if profile is not None else None


async def _database(site: Site) -> dict[str, Any]:
    async with _opened(site) as database, database.read() as connection:
        known = asdict(await survey(connection))
    sizes = await asyncio.to_thread(_sizes, site.database)
    return {**known, "newest_version": await asyncio.to_thread(head), "size_bytes": sizes}


def _sizes(path: Path) -> dict[str, int]:
    files = {suffix or "database": path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")}
    return {name: file.stat().st_size for name, file in files.items() if file.exists()}


async def _disks(site: Site) -> list[dict[str, Any]]:
    recording, data = site.settings.recording, site.settings.server.data_dir
    folders = [disk.path for disk in recording.disks] or [data / "recordings"]
    quotas = [disk.quota_bytes for disk in recording.disks] or [None]
    found = [await asyncio.to_thread(_disk, "data", data, None)]
    for folder, quota in zip(folders, quotas, strict=True):
        found.append(await asyncio.to_thread(_disk, "recordings", folder, quota))
    return found


def _disk(use: str, path: Path, quota: int | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"use": use, "path": str(path), "quota_bytes": quota}
    try:
        room = shutil.disk_usage(path)
    except OSError as error:
        return {**facts, "unknown": str(error.strerror)}
    return {**facts, "total_bytes": room.total, "free_bytes": room.free, "mount_point": path.is_mount()}


async def _checks(site: Site) -> list[dict[str, Any]]:
    looks: tuple[tuple[str, Callable[[Site], Awaitable[str]]], ...] = (
        ("database", _check_database),
        ("keys", _check_keys),
        ("certificate", _check_certificate),
    )
    found = []
    for name, look in looks:
        try:
            found.append({"check": name, "sound": True, "said": await look(site)})
        except EXPECTED as error:
            found.append({"check": name, "sound": False, "said": _said(error)})
    return found


async def _check_database(site: Site) -> str:
    async with _opened(site) as database, database.read() as connection:
        at = (await survey(connection)).version
    if at != (newest := await asyncio.to_thread(head)):
        raise DatabaseError(f"It is at {at}, this program at {newest}.")
    return f"at {at}"


async def _check_keys(site: Site) -> str:
    async with _opened(site) as database:
        known = await status(database, site.keys)
    if not known.whole:
        raise VaultError("A rotation is due or unfinished, or secrets open with no key.", cure="See `keys status`.")
    return f"one key, {sum(column.current for column in known.columns)} secrets"


async def _check_certificate(site: Site) -> str:
    server = site.settings.server
    if server.plain_http:
        return "plain HTTP on this machine alone"
    certificate, key = made_files(server)
    if server.tls_certificate is not None and server.tls_key is not None:
        certificate, key = server.tls_certificate, server.tls_key
    elif not await asyncio.to_thread(certificate.exists):
        return "none made yet"
    await asyncio.to_thread(check_files, certificate, key, clock=site.clock)
    return "readable, fits its key, not expired"


async def _log_lines(site: Site) -> str:
    assert site.log is not None
    text = await asyncio.to_thread(site.log.read_text, encoding="utf-8", errors="replace")
    return "".join(f"{line}\n" for line in shown(text.splitlines()))
