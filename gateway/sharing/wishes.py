"""What a share is to be, and what is to be another."""

from dataclasses import dataclass

from kernel.ids import CameraId

INCIDENT, STANDING, TEST = "incident", "standing", "test"
LINE = "line"
"""The stream that the viewer's line carries: main or sub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareWish:
    """A share as it is to be; ``None`` takes what the settings say."""

    organisation_id: str
    recipients: frozenset[str] | None = None
    """``None`` is everybody of the organisation."""
    cameras: tuple[CameraId, ...] = ()
    follows: bool = False
    kind: str = INCIDENT
    title: str = ""
    reference: str = ""
    reason: str = ""
    review_ns: int | None = None
    stream: str = LINE
    may_ask_for_stick: bool = False
    stills: bool = False
    viewer_limit: int | None = None
    starts_ns: int | None = None
    ends_ns: int | None = None
    ends_by_ns: int | None = None
    """It ends by then at the latest: what allowed it to be made does."""
    session: str = ""
    """The way in through which it follows what is selected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareChange:
    """What is to be another; ``None`` leaves it."""

    title: str | None = None
    cameras: tuple[CameraId, ...] | None = None
    recipients: frozenset[str] | None = None
    ends_ns: int | None = None
    review_ns: int | None = None
    stream: str | None = None
    may_ask_for_stick: bool | None = None
    stills: bool | None = None
    viewer_limit: int | None = None
    made_by: str | None = None
    """Who answers for it from now on."""
    maker: str | None = None
