"""Where the keys lie: ``sightline.key`` in the data directory, one key on each line, the current one first.

With a systemd credential each line is wrapped by it, so that the file alone opens nothing; without one each line is the
key itself, as the file of the first versions was. A credential may hold several keys, the newest first: all unwrap, the
first wraps. The credential of the first versions sealed without a ring between; it opens what they sealed.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from gateway.vault.errors import KeyFileError, RotatingError
from gateway.vault.ring import KEY_BYTES, Key, Ring, name_in

CREDENTIAL = "sightline-key"
FILE = "sightline.key"
LOCK = "sightline.key.lock"
WRAPPED = "wrapped:"
_CONTEXT = b"sightline ring"


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which writing of the file was read: every writing is a new file."""

    inode: int
    modified_ns: int


class KeyFile:
    """The keys of one data directory. Every method blocks; call it before the event loop runs, or in a thread."""

    __slots__ = ("_credential", "path")

    def __init__(self, data_dir: Path, *, credentials: str | None) -> None:
        """Take the credential out of ``credentials`` (``$CREDENTIALS_DIRECTORY``), where it is there."""
        self.path = data_dir / FILE
        self._credential = Path(credentials) / CREDENTIAL if credentials is not None else None

    def stamp(self) -> Stamp | None:
        """Return which writing of the file is there; ``None``: none."""
        try:
            known = self.path.stat()
        except OSError:
            return None
        return Stamp(known.st_ino, known.st_mtime_ns)

    def load(self) -> Ring:
        """Return the keys, made at the first run.

        Raises:
            KeyFileError: they cannot be read, are none, or others may read them.
        """
        with suppress(FileNotFoundError):
            return self.read()
        key = Key.new()
        with suppress(FileExistsError):  # a gateway and a command that start together share the first one's
            self._write((key,), first=True)
        return self.read()

    def read(self) -> Ring:
        """Return the keys that are there.

        Raises:
            FileNotFoundError: none were made yet.
            KeyFileError: see :meth:`load`.
        """
        roots = self._roots()
        if self.path.exists() and self.path.stat().st_mode & 0o077:
            raise KeyFileError(
                f"The key {self.path} can be read by others on this machine.", cure=f"Run `chmod 600 {self.path}`."
            )
        raw = _bytes_of(self.path)
        if len(raw) == KEY_BYTES:
            return Ring((Key(raw),), nameless=roots)
        lines = raw.decode(errors="replace").split()
        if not lines:
            raise _no_key(self.path)
        return Ring(tuple(self._key(line, roots) for line in lines), nameless=roots)

    def write(self, keys: tuple[Key, ...]) -> None:
        """Put these keys in place of those that are there: whole or not at all, also when the power goes.

        Raises:
            KeyFileError: the file cannot be written.
        """
        self._write(keys, first=False)

    def wrapped_by(self) -> list[str]:
        """Return how each key lies in the file: the name of the credential key that wraps it in hex, or "plain"."""
        lines = _bytes_of(self.path).decode(errors="replace").split()
        return [_wrapper(line).hex() if line.startswith(WRAPPED) else "plain" for line in lines]

    def credential_names(self) -> list[str]:
        """Return the names of the credential's keys in hex, the one that wraps first."""
        return [key.name.hex() for key in self._roots()]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others from rotating for the time of the block; a killed holder holds nothing.

        Raises:
            RotatingError: somebody is at it.
        """
        descriptor = os.open(self.path.with_name(LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                flock(descriptor, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                raise RotatingError(
                    "The keys are being rotated by another command.", cure="Wait for it, then ask again."
                ) from None
            yield
        finally:
            os.close(descriptor)

    def _roots(self) -> tuple[Key, ...]:
        if self._credential is None or not self._credential.exists():
            return ()
        try:
            raw = _bytes_of(self._credential)
        except FileNotFoundError:
            return ()
        if len(raw) == KEY_BYTES:
            return (Key(raw),)
        lines = raw.decode(errors="replace").split()
        if not lines:
            raise _no_key(self._credential)
        return tuple(_plain(line, self._credential) for line in lines)

    def _key(self, line: str, roots: tuple[Key, ...]) -> Key:
        if not line.startswith(WRAPPED):
            return _plain(line, self.path)
        try:
            wrapped = bytes.fromhex(line.removeprefix(WRAPPED))
        except ValueError:
            raise _no_key(self.path) from None
        for root in roots:
            secret = root.decrypt(wrapped, context=_CONTEXT)
            if secret is not None and len(secret) == KEY_BYTES:
                return Key(secret)
        raise KeyFileError(
            f"The keys in {self.path} are wrapped by a credential that is not here.",
            cure=f"Give the credential {CREDENTIAL} that belongs to it; a command gets it as docs/administer.md says.",
        )

    def _write(self, keys: tuple[Key, ...], *, first: bool) -> None:
        roots = self._roots()
        text = "".join(self._line(key, roots) + "\n" for key in keys)
        beside = self.path.with_name(f"{FILE}.{secrets.token_hex(4)}")
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if first:
                os.link(beside, self.path)
            else:
                beside.replace(self.path)
            _sync(self.path.parent)
        except FileExistsError:
            raise
        except OSError as error:
            raise KeyFileError(
                f"The key {self.path} cannot be written: {error.strerror}.",
                cure="Run this as the user that Sightline runs as, and look at the disk.",
            ) from None
        finally:
            beside.unlink(missing_ok=True)

    def _line(self, key: Key, roots: tuple[Key, ...]) -> str:
        return WRAPPED + roots[0].encrypt(key.secret, context=_CONTEXT).hex() if roots else key.secret.hex()


def _wrapper(line: str) -> bytes:
    return name_in(bytes.fromhex(line.removeprefix(WRAPPED))) or b""


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyFileError(
            f"The key {path} cannot be read: {error.strerror}.", cure="Let the user who runs Sightline read it."
        ) from None


def _plain(text: str, path: Path) -> Key:
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise _no_key(path)
    return Key(secret)


def _no_key(path: Path) -> KeyFileError:
    return KeyFileError(f"{path} is not a key.", cure="It holds 32 bytes or 64 hex digits: `openssl rand -hex 32`.")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
