"""Settings as they may be shown: nothing that opens anything."""

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel

HIDDEN = "•••"
_SECRET = re.compile(r"password|secret|credential|token$|(^|_)key$", re.IGNORECASE)
_PATHS = frozenset({"tls_key", "breached_passwords", "client_secret_file"})
"""Keys that name a file, not its contents."""


def redacted(settings: BaseModel) -> dict[str, Any]:
    """Return the settings as plain JSON values with every secret, and every password in an address, hidden."""
    shown = _hide(settings.model_dump(mode="json"))
    assert isinstance(shown, dict)
    return shown


def _hide(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _hide(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hide(inner, key) for inner in value]
    if value is not None and _SECRET.search(key) and key not in _PATHS and not isinstance(value, bool | int | float):
        return HIDDEN
    if isinstance(value, str) and "://" in value:
        return without_password(value)
    return value


def without_password(url: str) -> str:
    """Return ``url`` with the password in it, if any, hidden."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:{HIDDEN}@{host}"))
