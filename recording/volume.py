"""The system calls that recording makes on one disk, in one place: a test puts a faulty volume here."""

import ctypes
import errno
import os
from pathlib import Path

_FALLOC_FL_KEEP_SIZE = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_FALLOCATE = _LIBC.fallocate
_FALLOCATE.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


class Volume:
    """Writes, flushes and measures. Every method may block, and raises :class:`OSError` as the kernel does."""

    def create(self, path: Path) -> int:
        """Make a new file, and the directories above it, and make their names last; return its descriptor."""
        fresh = []
        parent = path.parent
        while not parent.exists():
            fresh.append(parent)
            parent = parent.parent
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o640)
        for directory in {path.parent, *(made.parent for made in fresh)}:
            self.sync_directory(directory)
        return descriptor

    def sync_directory(self, path: Path) -> None:
        """Flush the names in a directory."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def allocate(self, descriptor: int, offset: int, size: int) -> None:
        """Reserve blocks beyond the end without growing the file, so that it stays in one piece on the disk.

        Where there is no room for that, or no such call, the write itself will say what it lacks.
        """
        if _FALLOCATE(descriptor, _FALLOC_FL_KEEP_SIZE, offset, size) != 0:
            number = ctypes.get_errno()
            if number not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOSPC):
                raise OSError(number, os.strerror(number))

    def write(self, descriptor: int, data: memoryview, offset: int) -> None:
        """Write all of ``data`` at ``offset``."""
        done = 0
        while done < len(data):
            with data[done:] as rest:
                written = os.pwrite(descriptor, rest, offset + done)
            if written == 0:
                raise OSError(errno.EIO, "nothing was written")
            done += written

    def sync(self, descriptor: int) -> None:
        """Flush data, and the size needed to reach it."""
        os.fdatasync(descriptor)

    def drop_cache(self, descriptor: int, offset: int, size: int) -> None:
        """Tell the kernel that what was written will not be read soon."""
        os.posix_fadvise(descriptor, offset, size, os.POSIX_FADV_DONTNEED)

    def truncate(self, descriptor: int, size: int) -> None:
        """Set the size; blocks reserved beyond it are given back."""
        os.ftruncate(descriptor, size)

    def close(self, descriptor: int) -> None:
        """Close."""
        os.close(descriptor)

    def free_bytes(self, path: Path) -> tuple[int, int]:
        """Return free and total bytes of the file system."""
        facts = os.statvfs(path)
        return facts.f_bavail * facts.f_frsize, facts.f_blocks * facts.f_frsize

    def read(self, descriptor: int, size: int, offset: int) -> bytes:
        """Read exactly ``size`` bytes; fewer mean that the file ends there."""
        parts = []
        while size:
            part = os.pread(descriptor, size, offset)
            if not part:
                break
            parts.append(part)
            size -= len(part)
            offset += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)
