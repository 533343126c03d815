"""Every fragment read again and hashed: does the disk still hold what was written?"""

import hashlib
import os
from dataclasses import dataclass

from recording.catalog.files import GARBAGE, FileRow, all_files, fragments_of
from recording.disk import Disk
from recording.errors import MalformedFileError
from recording.mux.fragment import FragmentHeader, rehash


@dataclass(frozen=True, slots=True)
class VerifyFault:
    """One thing that is not as it was written. ``index`` is the fragment's; None: the file or its head."""

    disk: str
    path: str
    index: int | None
    what: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a verification saw."""

    files: int
    fragments: int
    bytes: int
    faults: tuple[VerifyFault, ...]

    @property
    def sound(self) -> bool:
        """Return whether everything is as it was written."""
        return not self.faults


def listed(disk: Disk, camera: str | None) -> list[FileRow]:
    """Return the files to verify. Runs on a reading thread."""
    with disk.catalog.read() as db:
        return [row for row in all_files(db) if row.state != GARBAGE and camera in (None, row.camera)]


def check(disk: Disk, file: FileRow) -> VerifyReport:
    """Verify one file. Runs on a reading thread."""
    with disk.catalog.read() as db:
        rows = fragments_of(db, file.n)
    name = str(disk.settings.path)
    try:
        descriptor = os.open(disk.absolute(file.path), os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        return VerifyReport(1, 0, 0, (VerifyFault(name, file.path, None, f"cannot be opened: {error.strerror}"),))
    faults: list[VerifyFault] = []
    checked_bytes = 0
    try:
        init = os.pread(descriptor, file.init_bytes, 0)
        if hashlib.sha256(init).digest() != file.init_sha256:
            faults.append(VerifyFault(name, file.path, None, "its head was altered"))
        for row in rows:
            what = _fault(os.pread(descriptor, row.size_bytes, row.offset), row.size_bytes, row.sha256)
            checked_bytes += row.size_bytes
            if what:
                faults.append(VerifyFault(name, file.path, row.idx, what))
        if file.id not in disk.active:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError as error:
        faults.append(VerifyFault(name, file.path, None, f"cannot be read: {error.strerror}"))
    finally:
        os.close(descriptor)
    return VerifyReport(1, len(rows), checked_bytes, tuple(faults))


def _fault(data: bytes, size: int, sha256: bytes) -> str | None:
    if len(data) != size:
        return "is cut short"
    try:
        header = FragmentHeader.parse(data)
    except MalformedFileError:
        return "its head was altered"
    if rehash(data) != sha256:
        return "its bytes were altered"
    if header.sha256 != sha256:
        return "the hash in the file is another than in the catalog"
    return None
