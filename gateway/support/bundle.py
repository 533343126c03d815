"""The file that is handed over: a tar archive that only its maker can read."""

import io
import json
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

from gateway.support.collect import Part
from kernel.clock import NS_PER_S, Clock
from kernel.errors import SightlineError

README = """\
A support dump of Sightline: one JSON file for each subject, and the newest log lines where a log was given.
Look through it before you hand it over. Left out on purpose: passwords, keys and tokens in any form; the people who
use it; names, places and serial numbers of cameras; addresses and texts in log lines; the audit; pictures.
"""


class SupportError(SightlineError):
    """The dump cannot be written."""

    code = "support.error"


def write_bundle(path: Path, parts: Sequence[Part], *, clock: Clock) -> None:
    """Write the archive to a new file, mode 0600. Blocks.

    Raises:
        SupportError: the file is there already, or cannot be written.
    """
    folder = path.name.removesuffix(".gz").removesuffix(".tgz").removesuffix(".tar")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
            _add(archive, f"{folder}/README.txt", README, clock)
            for part in parts:
                text = part.text
                if text is None:
                    text = json.dumps(part.facts, indent=2, ensure_ascii=False, default=str) + "\n"
                _add(archive, f"{folder}/{part.name}", text, clock)
    except FileExistsError:
        raise SupportError(f"{path} is there already.", cure="Name another file with --output.") from None
    except OSError as error:
        raise SupportError(f"{path} cannot be written: {error.strerror}.", cure="Name another with --output.") from None


def _add(archive: tarfile.TarFile, name: str, text: str, clock: Clock) -> None:
    content = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o600, clock.wall_ns() // NS_PER_S
    archive.addfile(entry, io.BytesIO(content))
