"""Session descriptions as cameras write them (RFC 4566), which is not always as they should."""

from dataclasses import dataclass, field

from drivers.errors import CameraAnswerError

_STATIC = {0: ("PCMU", 8000), 8: ("PCMA", 8000)}
"""Payload types of RFC 3551 that need no rtpmap."""
MEDIA_LIMIT = 32


@dataclass(slots=True)
class Media:
    """One ``m=`` section: the first payload type in it that has a name."""

    kind: str
    payload_types: list[int]
    control: str = ""
    maps: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    """Payload type -> (encoding in upper case, clock in Hz, channels)."""
    formats: dict[int, dict[str, str]] = field(default_factory=dict)
    """Payload type -> fmtp parameters, names in lower case."""
    feedback: set[str] = field(default_factory=set)
    """Values of ``a=rtcp-fb``, such as ``nack pli``."""

    @property
    def payload_type(self) -> int:
        """Return the payload type that counts."""
        named = [number for number in self.payload_types if number in self.maps or number in _STATIC]
        return (named or self.payload_types or [-1])[0]

    @property
    def encoding(self) -> str:
        """Return its encoding name in upper case, or ``""``."""
        return self._map[0]

    @property
    def clock_hz(self) -> int:
        """Return its RTP clock rate."""
        return self._map[1]

    @property
    def channels(self) -> int:
        """Return its number of channels."""
        return self._map[2]

    @property
    def parameters(self) -> dict[str, str]:
        """Return its fmtp parameters."""
        return self.formats.get(self.payload_type, {})

    @property
    def _map(self) -> tuple[str, int, int]:
        number = self.payload_type
        if number in self.maps:
            return self.maps[number]
        name, clock_hz = _STATIC.get(number, ("", 0))
        return name, clock_hz, 1


@dataclass(slots=True)
class Description:
    """A whole session description."""

    control: str = ""
    media: list[Media] = field(default_factory=list)


def parse(body: bytes) -> Description:
    """Return what ``body`` describes; lines that make no sense are passed over.

    Raises:
        CameraAnswerError: it describes no media at all.
    """
    description = Description()
    media: Media | None = None
    for raw in body.decode("utf-8", "replace").replace("\r", "\n").split("\n"):
        kind, equals, value = raw.strip().partition("=")
        if not equals:
            continue
        if kind.strip() == "m":
            media = _media(value)
            if media is not None and len(description.media) < MEDIA_LIMIT:
                description.media.append(media)
        elif kind.strip() == "a":
            name, _, text = value.strip().partition(":")
            _attribute(description, media, name.strip().lower(), text.strip())
    if not description.media:
        raise CameraAnswerError(
            "The camera's session description names no media.", cure="Check the stream's URL and profile."
        )
    return description


def _media(value: str) -> Media | None:
    words = value.split()
    if len(words) < 3:
        return None
    numbers = [int(word) for word in words[3:] if word.isascii() and word.isdigit() and len(word) < 4]
    return Media(words[0].lower(), numbers)


def _attribute(description: Description, media: Media | None, name: str, text: str) -> None:
    if name == "control":
        if media is None:
            description.control = text
        else:
            media.control = text
        return
    if media is None or name not in {"rtpmap", "fmtp", "rtcp-fb"}:
        return
    number, _, rest = text.partition(" ")
    if name == "rtcp-fb":
        media.feedback.add(" ".join(rest.split()).lower())
        return
    if not (number.isascii() and number.isdigit()) or len(number) > 3:
        return
    if name == "rtpmap":
        words = [word.strip() for word in rest.split("/")]
        clock = _number(words[1]) if len(words) > 1 else None
        channels = _number(words[2]) if len(words) > 2 else None
        media.maps[int(number)] = (words[0].upper(), clock or 90_000, channels or 1)
    else:
        pairs = (pair.partition("=") for pair in rest.split(";"))
        media.formats[int(number)] = {key.strip().lower(): one.strip() for key, _, one in pairs if key.strip()}


def _number(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 8 else None
