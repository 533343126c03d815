"""Passwords of cameras at the broker, in Mosquitto's own form: ``user:$7$rounds$salt$hash``, PBKDF2 over SHA-512.

A camera comes by user name and password: few can be given a certificate by machine. Its name is the identifier of its
device; its password is random, told to the device once, and kept nowhere. Mosquitto reads the file when it starts and
when it is told to reload (SIGHUP).
"""

import asyncio
import base64
import hashlib
import secrets
from pathlib import Path

from gateway.units.files import SHARED, write_whole

FILE = "cameras.passwd"
ROUNDS = 101
"""As mosquitto_passwd has it: nothing that is random all through is found by trying."""
SALT_BYTES = 12
HASH_BYTES = 64


def fresh() -> str:
    """Return a new password."""
    return secrets.token_urlsafe(24)


class DevicePasswords:
    """The file in a folder."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._lock = asyncio.Lock()

    @property
    def file(self) -> Path:
        """Return where it lies."""
        return self._file

    async def prepare(self) -> None:
        """Have a file there: a broker that names one does not start without it."""
        async with self._lock:
            await asyncio.to_thread(self._prepare)

    async def put(self, name: str, password: str) -> None:
        """Have a device come by a password from now on, in place of an older one."""
        async with self._lock:
            await asyncio.to_thread(self._put, name, _line(name, password))

    async def withdraw(self, name: str) -> None:
        """Have a device come no more."""
        async with self._lock:
            await asyncio.to_thread(self._put, name, None)

    def _prepare(self) -> None:
        if not self._file.exists():
            write_whole(self._file, "", SHARED)

    def _put(self, name: str, line: str | None) -> None:
        known = self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else []
        others = [one for one in known if one.partition(":")[0] != name]
        write_whole(self._file, "".join(f"{one}\n" for one in [*others, *([line] if line is not None else [])]), SHARED)


def _line(name: str, password: str) -> str:
    salt = secrets.token_bytes(SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS, HASH_BYTES)
    told = "$".join(base64.b64encode(part).decode() for part in (salt, digest))
    return f"{name}:$7${ROUNDS}${told}"
