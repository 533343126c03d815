"""What the API takes and answers about shares."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field

from gateway.api import models

Id = Annotated[str, Field(min_length=1, max_length=32)]
Ids = Annotated[list[Id], Field(max_length=200)]
StreamChoice = Literal["main", "sub", "line"]
"""``line`` is what the viewer's line carries."""
Minutes = Annotated[int, Field(ge=1, le=10_080)]
ViewerLimit = Annotated[int, Field(ge=1, le=1000)]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=models.ONE_LINE)]


class NewShare(models.Taken):
    """A share to be. Without recipients it is for the whole organisation; ``end`` or ``minutes`` or the usual time."""

    organisation: Id
    recipients: Ids | None = None
    cameras: Annotated[list[Id], Field(max_length=64)] = Field(default_factory=list)
    follow: bool = False
    """It shows whatever its maker selects."""
    kind: Literal["incident", "standing"] = "incident"
    title: models.Word = ""
    reference: models.Word = ""
    """The incident's, or the standing agreement's."""
    reason: Annotated[str, Field(max_length=500)] = ""
    review: AwareDatetime | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    minutes: Minutes | None = None
    stream: StreamChoice = "line"
    may_ask_for_stick: bool = False
    stills: bool = False
    viewer_limit: ViewerLimit | None = None


class QuickShare(models.Taken):
    """A tile, shared by two keys: everything else is the room's default."""

    camera: Id
    organisation: Id | None = None
    recipients: Ids | None = None
    minutes: Minutes | None = None
    reference: models.Word = ""
    follow: bool = False
    """It shows whatever its maker selects, this camera first."""
    may_ask_for_stick: bool = True


class Usual(BaseModel):
    """What a share is where nobody says otherwise, and what it may be at most."""

    organisation: str | None
    """With whom a tile is shared by two keys; ``null`` where the room has no usual partner."""
    minutes: int
    max_minutes: int
    reason: str
    viewer_limit: int
    stick_minutes: int
    stick_max_minutes: int
    test_camera: str | None
    """Whose picture tests the link to a partner's room."""


class ChangeShare(models.Taken):
    """What is to be another; a key left out stays. ``minutes`` is from now."""

    title: models.Name | None = None
    cameras: Annotated[list[Id], Field(min_length=1, max_length=64)] | None = None
    recipients: Annotated[list[Id], Field(min_length=1, max_length=200)] | None = None
    end: AwareDatetime | None = None
    minutes: Minutes | None = None
    stream: StreamChoice | None = None
    may_ask_for_stick: bool | None = None
    stills: bool | None = None
    viewer_limit: ViewerLimit | None = None


class Review(models.Taken):
    """A standing share was looked at, and may go on until it is looked at again."""

    review: AwareDatetime


class Selected(models.Taken):
    """What the maker of a share that follows has selected."""

    camera: Id | None


class AskStick(models.Taken):
    """A wish to steer."""

    camera: Id
    note: Annotated[str, Field(max_length=200, pattern=models.ONE_LINE)] = ""


class Lend(models.Taken):
    """To whom the stick of which camera is lent; what is left out is as was asked for last."""

    camera: Id | None = None
    user: Id | None = None
    minutes: Annotated[int, Field(ge=1, le=240)] | None = None


class NewNote(models.Taken):
    """One line."""

    text: Line


class Seen(models.Taken):
    """What the far end of a room test has decoded."""

    frames: Annotated[int, Field(ge=0, le=1_000_000)]
    width: Annotated[int, Field(ge=0, le=16_384)]
    height: Annotated[int, Field(ge=0, le=16_384)]


class NewTest(models.Taken):
    """Whose picture tests the link; without it the configured camera's."""

    camera: Id | None = None


class Request(BaseModel):
    """Somebody who asks for a stick."""

    share: str
    camera: str
    user_id: str
    name: str
    note: str
    at: str


class Share(BaseModel):
    """A share as the room sees it."""

    id: str
    kind: str
    title: str
    organisation: str
    organisation_name: str
    recipients: list[str] | None
    cameras: list[str]
    follow: bool
    reference: str
    reason: str
    review: str | None
    stream: str
    may_ask_for_stick: bool
    stills: bool
    viewer_limit: int
    viewers: int
    start: str
    end: str
    ended: str | None
    running: bool
    made_by: str
    made_by_id: str
    made: str
    lent: list[models.Lent]
    requests: list[Request]


class SharedCamera(BaseModel):
    """A camera as partners see it."""

    id: str
    number: int
    name: str
    street: str
    live: bool
    timed: models.Timed
    sub: bool
    """Whether it has a sub stream, for small pictures."""
    steerable: bool
    lent: models.Lent | None


class MyShare(BaseModel):
    """A share as its recipients see it: no more than they need."""

    id: str
    kind: str
    title: str
    made_by: str
    """Who of the control room made it, by name."""
    reference: str
    reason: str
    stream: str
    may_ask_for_stick: bool
    stills: bool
    start: str
    end: str
    cameras: list[SharedCamera]
    asked: str | None
    """The camera for whose stick one has asked, and waits."""


class Mine(BaseModel):
    """Everything that is shared with somebody now. With ``terms_due`` it shows nothing before they accept the terms."""

    name: str
    organisation: str
    room: str
    """Who shares with them: the control room's name."""
    terms_due: bool
    server_time: str
    shares: list[MyShare]


class Note(BaseModel):
    """One line, from inside or from outside."""

    id: str
    share: str
    at: str
    name: str
    outside: bool
    text: str


class Viewer(BaseModel):
    """Somebody outside, or a system of theirs, that watches."""

    user_id: str
    """Of a system: the identifier of its outlet."""
    kind: Literal["webrtc", "rtsp"]
    """``rtsp``: a partner's own system."""
    name: str
    organisation: str
    camera: str
    share: str | None
    seconds: int
    connected: bool
    loss_percent: float
    """Packets that did not arrive; over RTSPS, where TCP mends that, pictures that the line could not take."""
    rtt_ms: float | None


class RoomTest(BaseModel):
    """A test of the link to a partner's room."""

    id: str
    organisation: str
    camera: str
    at: str
    operator: str
    result: str
    ended: str | None
    seen_by: str | None
    frames: int
    width: int
    height: int
