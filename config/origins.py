"""Web origins (RFC 6454) as settings."""

from urllib.parse import urlsplit


def origin(url: str) -> str:
    """Return an origin as browsers send it.

    Raises:
        ValueError: it is none, such as "https://cctv.example.org".
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        msg = f'{url!r} is not an origin such as "https://cctv.example.org"'
        raise ValueError(msg)
    return url.rstrip("/").lower()
