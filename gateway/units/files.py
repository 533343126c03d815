"""Files that others read while we write them: never half written."""

import os
import secrets
from pathlib import Path

SECRET = 0o600
SHARED = 0o640
"""Of what the broker alone reads beside us: Mosquitto is in the group of the folder, if anybody else is."""
OPEN = 0o644


def write_whole(path: Path, text: str, mode: int) -> None:
    """Put a file in place of what was there; where that fails nothing of it is left. Blocks.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "w") as file:
            os.fchmod(handle, mode)  # whatever our umask
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
