"""What the API takes and answers about deployments."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from gateway.api import models
from gateway.api.times import Instant
from gateway.deployments.deployment import Stage
from gateway.deployments.done import Told
from gateway.deployments.geofence import Kind
from gateway.deployments.steps import DocumentKind, Found, PhotoKind, Tick
from gateway.deployments.why import Why
from kernel.clock import to_ns

# Several lines of text; no control characters but line ends and tabs, and none that turn text around.
_SIGNS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=5000, pattern=_SIGNS)]
Reference = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=models.ONE_LINE)
]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Key = Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Days = Annotated[int, Field(ge=1, le=366)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=models.ONE_LINE)]
"""What is printed on a unit."""


class Step(models.Taken):
    """Any step. ``key`` is the sender's own word for it: what is sent twice under one key is done once."""

    key: Key | None = None


class Done(Step):
    """A step that may be sent later than it was done, by a phone that had no network.

    Both times are by the sender's own clock, which may be wrong: what counts is how long lies between them. A time that
    cannot be (after it was sent, more than 7 days ago, before what it follows) counts for nothing, and the log says so.
    """

    done_at: Instant | None = None
    """When it was done; without it, now."""
    sent_at: Instant | None = None
    """What the sender's clock says as it is sent."""

    def told(self) -> Told | None:
        """Return what the sender says of its time."""
        return told(self.done_at, self.sent_at)

    def by_ours(self, instant: AwareDatetime, *, now_ns: int) -> int:
        """Return when something was by our clock (ns since 1970), of which the sender says when by its own."""
        return to_ns(instant) + (now_ns - to_ns(self.sent_at) if self.sent_at is not None else 0)


def told(done_at: AwareDatetime | None, sent_at: AwareDatetime | None) -> Told | None:
    """Return what the sender of a step says of its time."""
    if done_at is None:
        return None
    return Told(to_ns(done_at), to_ns(sent_at) if sent_at is not None else None)


class NewReferral(Step):
    """A problem at a place, that a camera might help with."""

    title: models.Name
    problem: Said
    evidence: Said
    alternatives: Said
    """What else was tried, or why nothing else would do."""
    purpose: Said
    referred_by: models.Name
    """Person and organisation whose problem it is."""
    place: models.PlaceModel
    street: models.Word = ""


class NewCheck(Step):
    """What was found of one criterion."""

    criterion: Annotated[str, Field(max_length=200)]
    met: bool
    found: Said


class NewDocument(Step):
    """A document, by where it is kept and what it said: SHA-256 of the file, in hex."""

    kind: DocumentKind
    title: models.Name
    reference: Reference
    sha256: Digest


class NewText(Step):
    """Something said."""

    text: Said


class NewDone(Done):
    """Something said of what was done."""

    text: Said


class Decision(Step):
    """Yes for so many days, or no; why, either way."""

    granted: bool
    reason: Said
    max_days: Days | None = None
    """Of a grant; without it as long as the site allows."""


class NewPlan(Done):
    """Which unit goes, who answers for it, how often it is reviewed."""

    camera: Annotated[str, Field(max_length=32)]
    """One of the unit's cameras; all of them move together."""
    responsible: models.Name
    review_days: Days | None = None
    mount: models.Word = ""
    """The lamp post, by its number."""


class Installed(Done):
    """Which unit stands there now, and where. It is refused where another is planned by the time it comes."""

    unit: Label
    """As it was found on it."""
    place: models.PlaceModel
    street: models.Word = ""
    bearing_deg: Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False)] | None = None
    accuracy_m: Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)] | None = None
    """How far off the place may be, as the phone says it."""


class SignedOff(Done):
    """Whoever put the unit up answers for how it was left. All the ticks that there are must be set."""

    unit: Label
    """As it was found on it."""
    found: Found
    live: Instant
    """When its picture was seen live, since it was put up; where ``sent_at`` is said, by the clock that says that."""
    ticks: Annotated[list[Tick], Field(max_length=len(Tick))]


class NewReview(Done):
    """What a review found."""

    found: Said
    needed: bool
    next: Instant | None = None
    """When somebody looks again, by our clock; without it, as many days after this as it was planned."""


class Extension(Step):
    """Why it stays longer, and until when."""

    reason: Said
    until: Instant


class Acknowledgement(Step):
    """Somebody has seen to an alarm, or goes to. ``line`` is that of ``unseen``: what came after it stays."""

    kind: Kind
    line: Annotated[int, Field(ge=1)]
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000, pattern=_SIGNS)] = ""


class Evaluation(Step):
    """What it did for the problem."""

    found: Said
    effect: Literal["solved", "less", "unchanged", "moved", "worse"]


class Criterion(BaseModel):
    """One criterion, and what was found of it last; ``null``: not looked at yet."""

    criterion: str
    met: bool | None


class Photo(BaseModel):
    """A photo, by its hash; what it says of itself is in the log."""

    sha256: str
    kind: PhotoKind


class AlarmPicture(BaseModel):
    """What one of its cameras saw at an alarm, by its hash, to be read at ``pictures/{sha256}``.

    ``may_open``: one may, by the right to stills of that camera. ``deleted``: when, with the footage of its time.
    """

    sha256: str
    camera: str
    at: str
    may_open: bool
    deleted: str | None


class Unseen(BaseModel):
    """What happened to its unit and nobody has acknowledged. ``line``: where the log tells it last.

    ``told``: when it was told last, where that was late.
    """

    kind: Kind
    count: int
    since: str
    line: int
    told: str | None


class RecordedWhenDown(BaseModel):
    """From when its unit was down until that was told."""

    start: str
    end: str


class Deployment(BaseModel):
    """A deployment as it stands."""

    id: str
    stage: Stage
    title: str
    problem: str
    evidence: str
    alternatives: str
    purpose: str
    referred_by: str
    referred: str
    mine: bool
    """One referred it oneself: where two people are asked for, somebody else decides."""
    place: models.PlaceModel
    street: str
    criteria: list[Criterion]
    documents: list[DocumentKind]
    decided_by: str
    decided: str | None
    max_days: int | None
    unit: str
    cameras: list[str]
    """Identifiers of the unit's cameras, as it is enrolled now."""
    responsible: str
    mount: str
    signs_up: str | None
    deployed: str | None
    again: str | None
    """When it was put up again under its grant, after a removal that was none."""
    recorded_when_down: list[RecordedWhenDown]
    """When it was recorded after it was down, as nobody had said so yet: withheld from all but administrators."""
    bearing_deg: float | None
    accuracy_m: float | None
    """How far off the place may be where it stands, as the phone said."""
    signed_off: str | None
    signed_off_by: str
    """Who put it up and answers for how it was left."""
    needed: bool
    review: str | None
    review_days: int | None
    """Once in so many it is reviewed, as it was planned."""
    until: str | None
    lapsed: str | None
    removed: str | None
    signs_down: str | None
    evaluated: str | None
    photos: list[Photo]
    pictures: list[AlarmPicture]
    """Of alarms, the oldest first."""
    alarms: list[Kind]
    """What is wrong with its unit now, the oldest first."""
    unseen: list[Unseen]
    """What nobody has acknowledged, the oldest first, be it over or not."""
    valid: bool
    """It says now why its cameras stand where they stand."""
    lines: int


class Line(BaseModel):
    """One line of a deployment's log. ``digest`` covers it and the digest before it; the audit has it too."""

    n: int
    at: str
    """When it came."""
    done: str
    """When it was done: a phone without a network sends later."""
    clock_offset_s: float | None
    """How far the sender's clock was ahead (positive) or behind, with the way here; null where it said nothing."""
    doubt: str
    """Why what the sender said of its time is not believed; empty where it is."""
    step: str
    by: str
    said: dict[str, Any]
    digest: str


class DueModel(BaseModel):
    """Something that is to be done. ``yours``: one answers for that deployment oneself, by name or user name."""

    deployment: Deployment
    why: Why
    by: str
    overdue: bool
    yours: bool


class OwnDue(BaseModel):
    """Something that is due to oneself, who answers for the deployment; whether one may deploy or not."""

    deployment: str
    title: str
    street: str
    unit: str
    why: Why
    by: str
    overdue: bool


class Rules(BaseModel):
    """What this site asks for."""

    criteria: list[str]
    two_people: bool
    max_days: int
    review_days: int
    spread_m: float
    sign_photos: bool
    fence_m: float
    """How far a unit may be from where it was put up before it has left its place."""


class Deployable(BaseModel):
    """Whether a camera moves. ``records``: it may be recorded now; ``why_not`` in words where not."""

    deployable: bool
    unit: str
    records: bool
    why_not: str
    deployment: str | None
    """Identifier of the deployment by which it stands where it stands."""
    thin_link: bool
    """Its pictures come over a SIM: the sub stream stands for main, but while somebody asks for main."""


class DeployableUnit(BaseModel):
    """A unit that moves. ``cameras``: identifiers of what is enrolled of it now; ``deployment``: by which it stands."""

    unit: str
    cameras: list[str]
    deployment: str | None


class Mark(models.Taken):
    """The label that is printed on the unit. ``thin_link``: its main stream comes on demand."""

    thin_link: bool = True
    unit: Label
