"""What the broker brings, before anybody has judged it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came. ``stored``: the broker had kept it (retained), it was not sent just now."""

    topic: str
    payload: bytes
    stored: bool = False
