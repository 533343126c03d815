"""The key that signs checkpoints: from systemd's credentials, or a file of our own."""

import os
import secrets
from pathlib import Path

from gateway.audit.errors import AuditKeyError

SEED_BYTES = 32
CREDENTIAL = "sightline-audit-key"
FILE = "audit.key"


def load_seed(data_dir: Path, *, credentials: str | None) -> bytes:
    """Return the key's seed, from ``$CREDENTIALS_DIRECTORY`` (``credentials``) or ``data_dir``; made at the first run.

    Blocks; call it before the event loop runs or in a thread.

    Raises:
        AuditKeyError: it cannot be read, is no key, or others may read it.
    """
    found = find_seed(data_dir, credentials=credentials)
    if found is not None:
        return found
    seed = secrets.token_bytes(SEED_BYTES)
    handle = os.open(data_dir / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(seed.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return seed


def find_seed(data_dir: Path, *, credentials: str | None) -> bytes | None:
    """Return the key's seed, ``None`` where there is none yet. Blocks.

    Raises:
        AuditKeyError: see :func:`load_seed`.
    """
    if credentials is not None and (Path(credentials) / CREDENTIAL).exists():
        return _read(Path(credentials) / CREDENTIAL)
    path = data_dir / FILE
    if not path.exists():
        return None
    if path.stat().st_mode & 0o077:
        raise AuditKeyError(f"The key {path} can be read by others on this machine.", cure=f"Run `chmod 600 {path}`.")
    return _read(path)


def _read(path: Path) -> bytes:
    try:
        seed = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except OSError as error:
        raise AuditKeyError(
            f"The key {path} cannot be read: {error.strerror}.", cure="Let the user who runs Sightline read it."
        ) from None
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES:
        raise AuditKeyError(f"{path} is not a key.", cure="It holds 64 hex digits: `openssl rand -hex 32`.")
    return seed
