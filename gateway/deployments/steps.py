"""Every step in the life of a deployment, with what is said in it."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.deployments.geofence import Kind
from gateway.deployments.why import Why
from kernel.geography import Place
from ptz.bounds import Bounds


class DocumentKind(StrEnum):
    """What of the law and its paper is linked."""

    DPIA = "dpia"
    """Data protection impact assessment (UK GDPR article 35)."""
    AUTHORITY = "authority"
    """By whose word and under which power the camera stands there."""
    SURVEILLANCE = "surveillance"
    """Authorisation of directed surveillance (RIPA 2000 section 28), where it is that."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """Somebody has a problem at a place. It opens a deployment."""

    title: str
    problem: str
    evidence: str
    alternatives: str
    """What else was tried, or why nothing else would do."""
    purpose: str
    referred_by: str
    """Person and organisation whose problem it is, as people say it."""
    place: Place
    street: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One criterion was looked at."""

    criterion: str
    met: bool
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document is linked: where it is kept, and the hash of what it said then."""

    kind: DocumentKind
    title: str
    reference: str
    """Its number or address in whatever keeps it."""
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something to be remembered; it changes nothing."""

    text: str


class PhotoKind(StrEnum):
    """What a photo shows."""

    SIGN_UP = "sign-up"
    SIGN_DOWN = "sign-down"
    """The place of a sign without it."""
    UNIT = "unit"
    VIEW = "view"


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A photo was taken. What it says of itself stands here; the file is kept by its hash."""

    kind: PhotoKind
    sha256: str
    media_type: str
    size_bytes: int
    width: int
    height: int
    taken: str
    place: Place | None
    off_m: float | None
    """How far from the deployment's place."""
    remarks: tuple[str, ...]
    """What is odd about it, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A camera may stand there, so long, for this reason."""

    reason: str
    max_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """None may, for this reason."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """It is not wanted any more, and nothing stands."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which unit goes, who answers for it, and when it is looked at again after it stands."""

    urn: str
    unit: str
    """Its label, as printed on it."""
    responsible: str
    review_days: int
    mount: str
    """The lamp post, by its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignsUp:
    """The signs are up."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Install:
    """The unit is up."""

    unit: str
    """Its label, as whoever put it up found it on it: what was planned may have changed since they left."""
    place: Place
    street: str
    bearing_deg: float | None
    accuracy_m: float | None = None
    """How far off the place may be, as the phone says it; ``None``: nobody said."""


class Found(StrEnum):
    """How a team knew which unit it had in its hands."""

    SCANNED = "scanned"
    TYPED = "typed"
    CHOSEN = "chosen"
    """From those that call in."""
    CARRIED = "carried"
    """It was taken down at another place just before."""


class Tick(StrEnum):
    """What a team ticks before it signs a unit off."""

    UNIT = "unit"
    """The unit that was planned is the one that hangs there."""
    SIGNS = "signs"
    PLACE = "place"
    """Place and bearing are said."""
    PHOTO = "photo"
    """The unit is photographed on its post."""
    LIVE = "live"
    """Its picture was seen live."""
    BOUNDS = "bounds"
    """Limits and no-look zones hold here."""
    PRESETS = "presets"
    """No preset of another place is left: each was confirmed, stored anew, or removed."""
    FAST = "fast"
    """It is fastened and locked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """Whoever put the unit up answers for how it was left."""

    unit: str
    """Its label, as it was found on it."""
    found: Found
    live_ns: int
    """When its picture was seen live."""
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """Limits and no-look zones of one of the unit's cameras are said for where it stands.

    ``own``: nobody but the team has said any for this place, so that before it signs off it may draw them anew.
    """

    camera: str
    bounds: Bounds
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Somebody looked whether it is still needed, and when to look again."""

    found: str
    needed: bool
    next_ns: int | None
    """``None``: after as many days as it was planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend:
    """It may stay longer, for this reason."""

    reason: str
    until_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hung:
    """How the unit hangs since it was put up, as its own first reports tell."""

    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Raise:
    """Something happened to the unit where it stands, or is over; see :mod:`gateway.deployments.geofence`."""

    kind: Kind
    by: float
    """Metres, degrees or g, by the kind."""
    place: Place | None
    """Where the unit said it was."""
    happened_ns: int | None = None
    """When, where it was told late (``down``: after the unit was taken down); ``None``: as the line was written."""
    down: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """Somebody has seen to an alarm, or goes to. ``line``: the last line of the log that they had seen of it."""

    kind: Kind
    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What the unit's camera saw when something happened to it: kept by its hash, for as long as footage is."""

    kind: Kind
    sha256: str
    size_bytes: int
    camera: str
    recorded_ns: int | None
    """When it was recorded; ``None``: the camera made it after the alarm."""


class Without(StrEnum):
    """Why an alarm has no picture."""

    OVER = "stay-over"
    """No valid deployment says why the camera stands there: nothing of what it sees is kept."""
    DOWN = "taken-down"
    """The unit does not stand there any more: it would show another place."""
    NONE = "none-made"
    """The camera makes none, and nothing was recorded."""
    UNKEPT = "not-kept"
    """The disk did not take it."""
    ENOUGH = "enough"
    """There are as many of this hour and kind as anybody looks at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpictured:
    """An alarm has no picture, and why."""

    kind: Kind
    why: Without


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """The picture of an alarm was deleted, as the footage of its camera and time was."""

    sha256: str
    camera: str
    seen_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remind:
    """It was said that something is due by an instant, or overdue since."""

    why: Why
    by_ns: int
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapse:
    """Its time is over by the clock, and it still stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """The unit is down."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase:
    """What was recorded after the unit was down was deleted: of so many files; so many had to be kept."""

    files: int
    kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignsDown:
    """The signs are down."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluate:
    """What it did. It can be said again: effects are looked at some time after, too."""

    found: str
    effect: str
    """In a word: solved, less, unchanged, moved, worse."""


Step = (
    Check
    | Document
    | Note
    | Photo
    | Grant
    | Refuse
    | Withdraw
    | Plan
    | SignsUp
    | Install
    | SignOff
    | Bind
    | Review
    | Extend
    | Hung
    | Raise
    | Acknowledge
    | Picture
    | Unpictured
    | Delete
    | Remind
    | Lapse
    | Remove
    | Erase
    | SignsDown
    | Evaluate
)
NAMES: dict[type[Referral | Step], str] = {
    Referral: "referred",
    Check: "checked",
    Document: "document",
    Note: "note",
    Photo: "photo",
    Grant: "granted",
    Refuse: "refused",
    Withdraw: "withdrawn",
    Plan: "planned",
    SignsUp: "signs-up",
    Install: "installed",
    SignOff: "signed-off",
    Bind: "bounds",
    Review: "reviewed",
    Extend: "extended",
    Hung: "hung",
    Raise: "alarm",
    Acknowledge: "acknowledged",
    Picture: "picture",
    Unpictured: "no-picture",
    Delete: "picture-deleted",
    Remind: "due",
    Lapse: "lapsed",
    Remove: "removed",
    Erase: "footage-deleted",
    SignsDown: "signs-down",
    Evaluate: "evaluated",
}
"""What each is called in the log and the audit."""
