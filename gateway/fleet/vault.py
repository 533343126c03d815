"""Camera passwords at rest: AES-256-GCM, with a key from systemd's credentials or a file of our own."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.fleet.errors import KeyFileError

KEY_BYTES = 32
NONCE_BYTES = 12
CREDENTIAL = "sightline-key"
FILE = "sightline.key"
_VERSION = b"\x01"


class Vault:
    """Seals and opens. A sealed text is bound to its context: it opens nowhere else."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, secret: str, *, context: str) -> bytes:
        """Return version, nonce and ciphertext."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret.encode(), context.encode())

    def open(self, sealed: bytes, *, context: str) -> str:
        """Return what was sealed.

        Raises:
            KeyFileError: another key sealed it, or it was tampered with.
        """
        nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if sealed[:1] == _VERSION:
            with suppress(InvalidTag):
                return self._cipher.decrypt(nonce, ciphertext, context.encode()).decode()
        raise KeyFileError(
            "A stored camera password cannot be opened: the key is not the one it was sealed with.",
            cure=f"Restore {FILE} from the backup that belongs to this database, or enrol the camera again.",
        )


def load_key(data_dir: Path, *, credentials: str | None) -> bytes:
    """Return the key of ``$CREDENTIALS_DIRECTORY`` (``credentials``) or of ``data_dir``, made there at the first run.

    Blocks; call it before the event loop runs or in a thread.

    Raises:
        KeyFileError: it cannot be read, is not a key, or others may read it.
    """
    if credentials is not None and (Path(credentials) / CREDENTIAL).exists():
        return _read(Path(credentials) / CREDENTIAL)
    path = data_dir / FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            raise KeyFileError(
                f"The key {path} can be read by others on this machine.", cure=f"Run `chmod 600 {path}`."
            ) from None
        return _read(path)
    with os.fdopen(handle, "w") as file:
        key = secrets.token_bytes(KEY_BYTES)
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key


def _read(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise KeyFileError(
            f"The key {path} cannot be read: {error.strerror}.", cure="Let the user who runs Sightline read it."
        ) from None
    if len(raw) == KEY_BYTES:
        return raw
    try:
        key = bytes.fromhex(raw.decode().strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"{path} is not a key.", cure="It holds 32 bytes or 64 hex digits: `openssl rand -hex 32`.")
    return key
