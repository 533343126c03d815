"""RTSP messages (RFC 2326 sections 4 to 7) in a byte buffer, bounded."""

import re
from dataclasses import dataclass, field

from drivers.errors import CameraAnswerError

HEADER_LIMIT_BYTES = 16 * 1024
BODY_LIMIT_BYTES = 64 * 1024

_START = re.compile(rb"(?:RTSP/\d\.\d +(\d{3})(?: +([^\r\n]*))?|([A-Z_]{3,20}) +(\S+) +RTSP/(\d\.\d)) *")
_BLANK = re.compile(rb"\r?\n\r?\n")


@dataclass(slots=True)
class Message:
    """A response, or (``status`` 0) a request. Header names are lower-case."""

    status: int
    reason: str
    method: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    url: str = ""
    """Of a request."""
    version: str = "1.0"
    """Of a request."""

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of a header."""
        return next((value for key, value in self.headers if key == name), default)

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for key, value in self.headers if key == name]

    @property
    def cseq(self) -> int | None:
        """Return the CSeq, if it is a number."""
        text = self.get("cseq")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def take(buffer: bytearray, start: int, end: int) -> tuple[Message, int] | None:
    """Return the message at ``start`` and where it ends, or ``None`` while it is incomplete.

    Raises:
        CameraAnswerError: what stands there is no RTSP message, or one larger than the limits.
    """
    blank = _BLANK.search(buffer, start, min(end, start + HEADER_LIMIT_BYTES))
    if blank is None:
        _refuse_if_hopeless(buffer, start, end)
        return None
    # Two newlines and nothing before them are no line at all, not an empty one.
    first, *lines = bytes(buffer[start : blank.start()]).splitlines() or [b""]
    matched = _START.fullmatch(first)
    if matched is None:
        raise _garbage(first)
    headers = []
    for line in lines:
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if colon:
            headers.append((name.strip().lower(), value.strip()))
    status, reason, method, url, version = matched.groups()
    message = Message(
        int(status or 0),
        (reason or b"").decode("latin-1"),
        (method or b"").decode(),
        headers,
        url=(url or b"").decode("latin-1"),
        version=(version or b"1.0").decode(),
    )
    length = message.get("content-length", "0") or "0"
    if not (length.isascii() and length.isdigit()) or len(length) > 9 or int(length) > BODY_LIMIT_BYTES:
        raise CameraAnswerError(
            f"The camera announces a body of {length[:20]} bytes.", cure="Check that the address is its RTSP port."
        )
    stop = blank.end() + int(length)
    if stop > end:
        return None
    message.body = bytes(buffer[blank.end() : stop])
    return message, stop


def _refuse_if_hopeless(buffer: bytearray, start: int, end: int) -> None:
    """Cut a camera off before its answer is complete, when it cannot become one."""
    if end - start >= HEADER_LIMIT_BYTES:
        raise CameraAnswerError(
            f"The camera's answer has headers of more than {HEADER_LIMIT_BYTES} bytes.",
            cure="Check that the address is its RTSP port.",
        )
    begin = bytes(buffer[start : min(end, start + 64)])
    line, newline, _ = begin.partition(b"\n")
    if newline:
        hopeless = _START.fullmatch(line.rstrip(b"\r")) is None
    else:
        hopeless = re.fullmatch(rb"[A-Z][\x20-\x7e\r]*", begin) is None
    if hopeless:
        raise _garbage(begin)


def _garbage(begin: bytes) -> CameraAnswerError:
    return CameraAnswerError(
        f"The camera answers something that is not RTSP ({begin[:16].hex(' ')}).",
        cure="Check that the address is its RTSP port.",
    )
