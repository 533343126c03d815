"""What the server answers with (RFC 2326 sections 7, 11 and 12), and where a request's URL points."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from kernel.ids import StreamName

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    451: "Parameter Not Understood",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    459: "Aggregate Operation Not Allowed",
    461: "Unsupported Transport",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "RTSP Version not supported",
    551: "Option not supported",
}
PUBLIC = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
TRACK = "track="


@dataclass(slots=True)
class Answer:
    """One response. ``headers`` may repeat a name; ``why`` is said beside the reason, for whoever reads the log."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    why: str = ""

    def written(self, cseq: int | None) -> bytes:
        """Return the bytes of it."""
        reason = REASONS[self.status]
        lines = [f"RTSP/1.0 {self.status} {reason}{f' ({self.why})' if self.why else ''}"]
        if cseq is not None:
            lines.append(f"CSeq: {cseq}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL points: ``rtsps://host/<outlet's name>/<camera>[/<stream>][/track=<kind>]``."""

    name: str
    camera: str
    """Number or identifier."""
    stream: StreamName | None
    track: str | None
    base: str
    """The URL of the stream as the client wrote it, without user, query and track, a slash at its end."""


def place_of(url: str) -> Place | None:
    """Return where ``url`` points, or ``None`` where it names no outlet and camera."""
    try:
        parts = urlsplit(url)
        segments = [unquote(one) for one in parts.path.split("/") if one]
    except ValueError:
        return None
    if parts.scheme.lower() not in {"rtsp", "rtsps"}:
        return None
    track = segments.pop().removeprefix(TRACK) if segments and segments[-1].startswith(TRACK) else None
    if len(segments) not in {2, 3}:
        return None
    stream = None
    if len(segments) == 3:
        try:
            stream = StreamName(segments[2].lower())
        except ValueError:
            return None
    host = parts.netloc.rpartition("@")[2]
    path = "/".join(one for one in parts.path.split("/") if one and not one.startswith(TRACK))
    return Place(segments[0], segments[1], stream, track, f"{parts.scheme}://{host}/{path}/")
