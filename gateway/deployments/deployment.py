"""A deployment as it stands after all that was said of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.deployments.geofence import Kind, Tilt, Watch
from gateway.deployments.steps import DocumentKind, PhotoKind
from gateway.deployments.why import Why
from kernel.clock import NS_PER_S
from kernel.geography import Place

DAY_NS = 86_400 * NS_PER_S


class Stage(StrEnum):
    """How far a deployment has come."""

    REFERRED = "referred"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    PLANNED = "planned"
    DEPLOYED = "deployed"
    REMOVED = "removed"
    EVALUATED = "evaluated"


@dataclass(frozen=True, slots=True)
class Unseen:
    """An alarm that nobody has acknowledged: how often it was raised since, from when on, and in which line last.

    ``told_ns``: when we were told of it last, where that was late.
    """

    count: int
    since_ns: int
    line: int
    told_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Reminded:
    """That something is due by an instant was said, or that it is overdue."""

    by_ns: int
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a camera saw at an alarm: which camera, and when."""

    camera: str
    at_ns: int
    deleted_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployment as it stands. Times are ns since 1970 UTC."""

    id: str
    stage: Stage
    title: str
    problem: str
    evidence: str
    alternatives: str
    purpose: str
    referred_by: str
    referrer: str
    """User who wrote it down."""
    referred_ns: int
    place: Place
    """What was asked for; once it stands, where it stands."""
    granted_place: Place | None = None
    street: str
    met: Mapping[str, bool] = field(default_factory=dict)
    """Criteria by what was found last."""
    documents: frozenset[DocumentKind] = frozenset()
    decider: str = ""
    decided_by: str = ""
    decided_ns: int | None = None
    max_days: int = 0
    urn: str = ""
    unit: str = ""
    responsible: str = ""
    mount: str = ""
    review_days: int = 0
    signs_up_ns: int | None = None
    deployed_ns: int | None = None
    bearing_deg: float | None = None
    again_ns: int | None = None
    """When it was put up again under its grant, after a removal that was none."""
    away: tuple[tuple[int, int], ...] = ()
    """From when to when it was down in between, each time."""
    recorded_when_down: tuple[tuple[int, int], ...] = ()
    """From when to when it was down and nobody had said so yet, each time, where it was recorded meanwhile."""
    signed_off_ns: int | None = None
    signed_off_by: str = ""
    """Who put it up and answers for how it was left."""
    needed: bool = True
    """What the last review found."""
    review_ns: int | None = None
    until_ns: int | None = None
    lapsed_ns: int | None = None
    removed_ns: int | None = None
    signs_down_ns: int | None = None
    withdrawn_ns: int | None = None
    evaluated_ns: int | None = None
    accuracy_m: float | None = None
    """How far off the place may be where it stands."""
    photos: Mapping[str, PhotoKind] = field(default_factory=dict)
    """What people sent, by SHA-256."""
    pictures: Mapping[str, Seen] = field(default_factory=dict)
    """Of alarms, by SHA-256."""
    level: Tilt | None = None
    """How its unit hangs."""
    alarms: Mapping[Kind, int] = field(default_factory=dict)
    """What is wrong with its unit, and since when."""
    unseen: Mapping[Kind, Unseen] = field(default_factory=dict)
    """What happened to its unit, be it over or not, and nobody has acknowledged."""
    reminded: Mapping[Why, Reminded] = field(default_factory=dict)
    """What was last said to be due, by what it is."""
    entries: int = 1
    """Lines of its log."""

    @property
    def signs_hang(self) -> bool:
        """Whether its signs are up where no unit of it stands any more, or ever will."""
        over = self.stage in {Stage.REMOVED, Stage.WITHDRAWN}
        return over and self.signs_up_ns is not None and self.signs_down_ns is None

    def valid(self, now_ns: int) -> bool:
        """Return whether it says at this instant why its camera stands there."""
        return self.stage is Stage.DEPLOYED and self.until_ns is not None and now_ns < self.until_ns

    def watch(self) -> Watch:
        """Return what is known of its unit where it was put up, as its log says."""
        return Watch(
            place=self.place,
            accuracy_m=self.accuracy_m or 0.0,
            level=self.level,
            left=Kind.LEFT in self.alarms,
            tilted=Kind.TILTED in self.alarms,
            opened=Kind.OPENED in self.alarms,
        )

    def stood(self, at_ns: int) -> bool:
        """Return whether its cameras stood where it says at an instant, valid or not."""
        return (
            self.deployed_ns is not None
            and self.deployed_ns <= at_ns
            and (self.removed_ns is None or at_ns < self.removed_ns)
            and not any(from_ns <= at_ns < to_ns for from_ns, to_ns in self.away)
        )
