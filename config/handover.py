"""Settings on their way to a child process, secrets in the clear: for a pipe between two processes and nothing else."""

import json

from pydantic import SecretStr

from config.settings import Settings


def to_line(settings: Settings) -> bytes:
    """Return one line that :func:`from_line` reads again, whatever the settings were made from."""
    return json.dumps(settings.model_dump(mode="python"), default=_plain).encode() + b"\n"


def from_line(line: bytes) -> Settings:
    """Return the settings of a line.

    Raises:
        ValueError: it is none.
    """
    return Settings.model_validate_json(line)


def _plain(value: object) -> object:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, frozenset | set):
        return sorted(value)
    # Paths, addresses and networks write themselves as they are read.
    return str(value)
