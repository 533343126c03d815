"""Passwords that others have had stolen: a list on this machine, so that no password is sent anywhere.

The file is the one that Have I Been Pwned gives out: ``SHA1-IN-HEX:COUNT`` a line, sorted by hash. It is tens of
gigabytes; a look-up reads some forty places of it.
"""

import hashlib
import re
from pathlib import Path
from typing import IO

from gateway.access.errors import BreachedListError

_LINE = re.compile(rb"[0-9A-Fa-f]{40}:\d+\s*$")
LINE_MAX = 64
"""Bytes of the longest line."""


class BreachedList:
    """Looks up. Every method blocks; call them in a thread."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self) -> None:
        """Make sure that the file is such a list.

        Raises:
            BreachedListError: it cannot be read, or is something else.
        """
        with self._opened() as file:
            first = file.readline(LINE_MAX)
        if not _LINE.match(first):
            raise BreachedListError(
                f"{self._path} is not a list of breached passwords.",
                cure='Each of its lines is "HASH:COUNT" with a SHA-1 in hex, sorted by hash.',
            )

    def has(self, password: str) -> bool:
        """Return whether a password is on the list.

        Raises:
            BreachedListError: the file cannot be read.
        """
        wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
        with self._opened() as file:
            low, high = 0, file.seek(0, 2)
            # The line wanted begins at or after ``low`` and before ``high``.
            while low < high:
                middle = (low + high) // 2
                start, line = _line_at(file, middle)
                if not line or start >= high:
                    high = middle
                    continue
                found = line[:40].upper()
                if found == wanted:
                    return True
                if found < wanted:
                    low = start + len(line)
                else:
                    high = middle
        return False

    def _opened(self) -> IO[bytes]:
        try:
            return self._path.open("rb", buffering=LINE_MAX * 4)
        except OSError as error:
            raise BreachedListError(
                f"The list of breached passwords, {self._path}, cannot be read: {error.strerror}.",
                cure="Let the user who runs Sightline read it, or leave access.breached_passwords out.",
            ) from None


def _line_at(file: IO[bytes], position: int) -> tuple[int, bytes]:
    """Return the first line that begins at or after ``position``, and where it begins."""
    if position == 0:
        file.seek(0)
        return 0, file.readline(LINE_MAX)
    file.seek(position - 1)
    skipped = len(file.readline(LINE_MAX))
    start = position - 1 + skipped
    return start, file.readline(LINE_MAX)
