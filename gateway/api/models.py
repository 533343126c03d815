"""What the API takes and answers about people and cameras."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from gateway.access.permissions import Permission, Role
from kernel.media import GapCause, VideoCodec


class Taken(BaseModel):
    """A body that we are sent: unknown keys are refused. Nothing is trimmed as a whole: passwords are among it."""

    model_config = ConfigDict(extra="forbid")


# One line of text: it goes into lists, labels, logs and the titles of files.
ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=ONE_LINE)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120, pattern=ONE_LINE)]
Password = Annotated[SecretStr, Field(min_length=1, max_length=1024)]


def _without_login(address: str) -> str:
    """Keep a password that was typed into an address out of the audit, the database and every list of cameras."""
    if "@" in address:
        msg = "should have no user name and password in it; they have fields of their own"
        raise ValueError(msg)
    return address


class User(BaseModel):
    """A user as the API shows them."""

    id: str
    username: str
    name: str
    role: Role
    permissions: list[Permission]


class Target(Taken):
    """A device to look at."""

    address: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=ONE_LINE),
        AfterValidator(_without_login),
    ]
    username: Annotated[str, Field(max_length=120)] = ""
    password: SecretStr = SecretStr("")
    tls_verify: bool = True


class Enrol(Target):
    """A device to enrol, and what people say of its (first) camera."""

    number: Annotated[int, Field(ge=1, le=9999)] | None = None
    name: Name | None = None
    street: Word | None = None
    group: Word | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    height_m: Annotated[float, Field(ge=-100, le=1000)] | None = None
    bearing_deg: Annotated[float, Field(ge=-360, le=360)] | None = None
    hfov_deg: Annotated[float, Field(gt=0, le=360)] | None = None
    unit: Annotated[Word, Field(min_length=1)] | None = None
    """Label of the deployable unit that it belongs to: it is marked so before anything of it could be recorded."""


class PlaceModel(Taken):
    """A point in WGS 84 degrees, with height above the ground."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    height_m: Annotated[float, Field(ge=-100, le=1000)] = 0.0


class CameraChange(Taken):
    """What is to change of a camera; a key left out stays, ``null`` forgets a place, bearing or angle."""

    number: Annotated[int, Field(ge=1, le=9999)] | None = None
    name: Name | None = None
    street: Word | None = None
    group: Word | None = None
    place: PlaceModel | None = None
    bearing_deg: Annotated[float, Field(ge=-360, le=360)] | None = None
    hfov_deg: Annotated[float, Field(gt=0, le=360)] | None = None
    recording: bool | None = None


class Trouble(BaseModel):
    """What is wrong, in plain words."""

    type: str
    title: str
    cure: str


class RecordingState(BaseModel):
    """Whether footage reaches the disk; ``cause`` says why not."""

    main: bool
    sub: bool | None
    cause: str | None


class Bound(BaseModel):
    """What holds a head back: a no-look zone by its name, or the limit of an axis (pan, tilt, zoom)."""

    kind: Literal["zone", "limit"]
    name: str
    does: Literal["stopped", "returned"]
    """``returned``: the head had run past, and is brought back."""


class HeadPosition(BaseModel):
    """Where a head points."""

    pan: float | None
    tilt: float | None
    zoom: float | None
    pan_deg: float | None
    tilt_deg: float | None
    bearing_deg: float | None
    hfov_deg: float | None
    moving: bool
    at: str | None
    problem: Trouble | None = None
    bound: Bound | None = None


class Stick(BaseModel):
    """Who steers."""

    holder: str
    user_id: str
    since: str | None
    idle_s: float
    mine: bool


class Lent(BaseModel):
    """A stick that is lent: to whom, by whom, until when."""

    share: str
    camera: str
    user_id: str
    name: str
    by: str
    since: str
    until: str


class Timed(BaseModel):
    """Of each stream, whether it is known when a picture was taken. Where not, its age is since it arrived here."""

    main: bool | None
    """``None`` before its first picture."""
    sub: bool | None


class CameraStateModel(BaseModel):
    """What a camera does now."""

    live: Literal["live", "connecting", "retrying", "parked", "off"]
    problem: Trouble | None
    recording: RecordingState
    last_frame: str | None
    timed: Timed
    viewers: int
    head: HeadPosition | None
    stick: Stick | None
    lent: Lent | None = None
    clock_offset_s: float | None


class Stream(BaseModel):
    """A stream's profile."""

    codec: VideoCodec
    width: int
    height: int
    frame_rate: float


class Streams(BaseModel):
    """Main is recorded and evidence; sub is for grids and phones."""

    main: Stream
    sub: Stream | None


class HeadModel(BaseModel):
    """What a head can do, as enrolment found by trial."""

    axes: list[str]
    presets_only: bool
    pan_deg: tuple[float, float] | None
    tilt_deg: tuple[float, float] | None
    hfov_deg: tuple[float, float] | None
    fov_relative: bool
    presets_max: int
    home: bool
    auxiliary: list[str]


class IdentityModel(BaseModel):
    """What the device says it is."""

    manufacturer: str
    model: str
    firmware: str
    serial: str


class RemarkModel(BaseModel):
    """Something a camera does wrong."""

    text: str
    quirk: str | None


class ThinLink(BaseModel):
    """The sub stream stands for main, except until ``main_until``; null where nobody has asked for main."""

    main_until: str | None


class CameraModel(BaseModel):
    """An enrolled camera."""

    id: str
    number: int
    name: str
    street: str
    group: str
    place: PlaceModel | None
    bearing_deg: float | None
    hfov_deg: float | None
    recording: bool
    host: int
    """Index of the camera host that owns it (``/api/v1/hosts``)."""
    address: str | None
    """Where its device is; ``null`` for who may not enrol: it is a door to the camera network."""
    streams: Streams
    head: HeadModel | None
    identity: IdentityModel
    clock_offset_s: float
    remarks: list[RemarkModel]
    enrolled: str
    may: list[Permission]
    """What one may do with this camera."""
    state: CameraStateModel
    bounds: Literal["none", "kept", "unconfirmed"] = "none"
    """Limits and no-look zones of its head; ``unconfirmed`` since it stands at another place."""
    thin_link: ThinLink | None = None
    """``null`` where its main stream is always taken."""


class ViewModel(BaseModel):
    """A view of a device that is not enrolled."""

    streams: Streams
    head: HeadModel | None


class Probe(BaseModel):
    """What enrolment would find."""

    identity: IdentityModel
    urn: str
    views: list[ViewModel]
    clock_offset_s: float
    clock_uncertainty_s: float
    authentication: str
    events: bool
    relays: list[str]
    remarks: list[RemarkModel]
    enrolled: bool
    snapshot: str | None
    """A data URL."""


class Discovery(Taken):
    """Whom to ask beside the multicast group."""

    addresses: Annotated[
        list[Annotated[str, Field(max_length=255, pattern=ONE_LINE), AfterValidator(_without_login)]],
        Field(max_length=256),
    ] = []


class Discovered(BaseModel):
    """A device on the camera network."""

    urn: str
    addresses: list[str]
    scopes: list[str]
    name: str
    hardware: str
    enrolled: bool


class PresetModel(BaseModel):
    """A stored position. Not ``confirmed``: it was stored at another place, and is not recalled until stored anew."""

    token: str
    name: str
    confirmed: bool


class NewPreset(Taken):
    """Store where the head points; ``token`` overwrites that preset."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=ONE_LINE)]
    token: Annotated[str, Field(max_length=128)] | None = None


class Span(BaseModel):
    """Footage without a break."""

    start: str
    end: str
    codec: VideoCodec
    width: int
    height: int


class Gap(BaseModel):
    """No footage, and why."""

    start: str
    end: str
    cause: GapCause
    detail: str


class Timeline(BaseModel):
    """What is recorded of one stream."""

    spans: list[Span]
    gaps: list[Gap]
    newest: str | None
    whole: bool
    """Every disk of its camera host answered; else there may be more footage, and other causes."""
