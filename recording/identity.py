"""Whether what is mounted is the disk that was there before: an unmounted disk is not an empty one."""

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kernel.ids import new_id
from recording.errors import DiskBusyError, DiskMissingError, DiskUnusableError
from recording.volume import Volume

MARKER = "sightline-disk.json"
REGISTER = "sightline-disks.json"
RESERVE = ".reserve"
PROBE_BYTES = 1024 * 1024
"""A disk with less room than this is full: not even its catalog could grow."""


def unusable(path: Path, error: OSError) -> DiskUnusableError:
    """Return the sentence for what the kernel said of the disk at ``path``."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskUnusableError(
            f"The recording disk {path} is full.", cure="Free some space on it, or give recording.disks another disk."
        )
    if error.errno == errno.EROFS:
        return DiskUnusableError(
            f"The recording disk {path} is read-only.",
            cure="Look in the kernel's log for disk errors, mend it, and remount it writable.",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return DiskUnusableError(
            f"The recording disk {path} may not be written by this user.",
            cure="Give the directory to the user that the service runs as.",
        )
    return DiskUnusableError(
        f"The recording disk {path} cannot be used: {error.strerror or error}.",
        cure="Correct recording.disks, or mend the disk.",
    )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an advisory lock on ``path`` (made if it is not there)."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, content: dict[str, str]) -> None:
    """Write a small JSON file so that it is there whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with fresh.open("w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    Volume().sync_directory(path.parent)


def identify(path: Path, register: Path) -> str:
    """Return the identity of the disk at ``path``; a new one is given its marker and entered in ``register``.

    Raises:
        DiskMissingError: the register knows another disk there, or the marker is gone.
        DiskUnusableError: it cannot be written.
    """
    try:
        register.parent.mkdir(parents=True, exist_ok=True)
        with _locked(register.with_name(f".{register.name}.lock")):
            return _identify(path, register)
    except OSError as error:
        culprit = register if error.filename and str(error.filename).startswith(str(register.parent / ".")) else path
        raise unusable(culprit, error) from error


def _identify(path: Path, register: Path) -> str:
    known: dict[str, str] = json.loads(register.read_text()) if register.exists() else {}
    expected = known.get(str(path))
    marker = path / MARKER
    found: str | None = None
    if marker.exists():
        found = json.loads(marker.read_text())["id"]
    if expected is not None and found != expected:
        what = "It carries no mark of ours" if found is None else "Another disk is there"
        raise DiskMissingError(
            f"The recording disk {path} is not the one that was there before. {what}: is it mounted?",
            cure=f"Mount the disk. If it was replaced on purpose, remove its line from {register}.",
        )
    if path.exists() and not path.is_dir():
        raise DiskUnusableError(f"{path} is not a directory.", cure="Correct recording.disks.")
    path.mkdir(parents=True, exist_ok=True)
    if found is None:
        found = new_id()
        _replace(marker, {"id": found, "what": "Recordings of Sightline. Leave this file where it is."})
    if expected is None:
        _replace(register, {**known, str(path): found})
    return found


def occupy(root: Path) -> int:
    """Take the owner's directory for this process; return the descriptor that holds its lock.

    Raises:
        DiskBusyError: another process has it.
        DiskUnusableError: it cannot be written, or has no room.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _probe(root)
        except BlockingIOError as error:
            raise DiskBusyError(
                f"Another process records in {root}.", cure="Stop it, or give this one another recording.owner."
            ) from error
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as error:
        raise unusable(root, error) from error
    return descriptor


def _probe(root: Path) -> None:
    """Write, flush and remove a file; a full disk says so here and not in the middle of the first GOP."""
    probe = root / ".probe"
    try:
        with probe.open("wb") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    finally:
        probe.unlink(missing_ok=True)


def reserve(root: Path) -> None:
    """Set room aside, so that a disk that others filled can still catalogue what is deleted to make room."""
    path = root / RESERVE
    if not path.exists():
        with contextlib.suppress(OSError), path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, PROBE_BYTES)


def give_reserve(root: Path) -> None:
    """Free what was set aside."""
    (root / RESERVE).unlink(missing_ok=True)


def probe(root: Path) -> None:
    """See whether a disk that failed can be written again.

    Raises:
        OSError: it cannot.
    """
    _probe(root)
