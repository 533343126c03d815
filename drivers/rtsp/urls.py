"""Addresses of streams: without secrets, and always at the host we reached."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from drivers.errors import CameraAnswerError, CameraUnreachableError

_PORTS = {"rtsp": 554, "rtsps": 322}


@dataclass(frozen=True, slots=True)
class StreamUrl:
    """A stream's URL taken apart. ``netloc`` is host and port as they were written, without credentials."""

    scheme: str
    host: str
    port: int
    netloc: str
    rest: str
    """Path and query."""
    username: str = ""
    password: str = ""

    @property
    def tls(self) -> bool:
        """Return whether the connection is made inside TLS."""
        return self.scheme == "rtsps"

    def __str__(self) -> str:
        """Return the URL without credentials."""
        return f"{self.scheme}://{self.netloc}{self.rest}"

    def __repr__(self) -> str:
        """Return the same, so that no log shows a password."""
        return f"StreamUrl({self})"


def parse(url: str) -> StreamUrl:
    """Return the parts of ``url``.

    Raises:
        CameraUnreachableError: it is no rtsp:// or rtsps:// URL with a host.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        parts, port, host = urlsplit(""), None, None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not host or any(ord(one) < 0x21 for one in url.strip()):
        raise CameraUnreachableError(
            "The stream's address is not an rtsp:// or rtsps:// URL.", cure="Enrol the camera again."
        )
    return StreamUrl(
        scheme=scheme,
        host=host,
        port=port or _PORTS[scheme],
        netloc=parts.netloc.rpartition("@")[2],
        rest=urlunsplit(("", "", parts.path, parts.query, "")),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def here(url: StreamUrl, given: str) -> str:
    """Return a URL that the camera gave, moved to the host and port that reached it.

    Cameras name their private address in Content-Base and controls (docs/design/onvif.md, *Bootstrap*).
    """
    parts = urlsplit(given)
    if parts.scheme.lower() not in _PORTS:
        return given
    return urlunsplit((url.scheme, url.netloc, parts.path, parts.query, ""))


def control(base: str, given: str, url: StreamUrl) -> str:
    """Return the URL of a control attribute (RFC 2326 section C.1.1), joined as most clients do."""
    if given in {"", "*"}:
        return base
    if urlsplit(given).scheme.lower() in _PORTS:
        return here(url, given)
    return f"{base.rstrip('/')}/{given.lstrip('/')}"


def redirected(url: StreamUrl, location: str) -> StreamUrl:
    """Return where a redirect leads: at the same host, whatever host it names, and never out of TLS.

    Raises:
        CameraAnswerError: it leads nowhere or out of TLS.
    """
    try:
        there = parse(location)
    except CameraUnreachableError:
        raise CameraAnswerError("The camera redirects to something that is no stream.") from None
    if url.tls and not there.tls:
        raise CameraAnswerError(
            "The camera redirects from an encrypted stream to an open one.", cure="Use its rtsp:// address if you must."
        )
    host = f"[{url.host}]" if ":" in url.host else url.host
    return StreamUrl(there.scheme, url.host, there.port, f"{host}:{there.port}", there.rest)
