"""Whether a unit has left its place, was tilted, knocked or opened, judged from what it reports. No clock, no database.

A fix of GNSS among houses is off by more than it says now and then, and a mast sways. So a unit has left only where
several fixes in a row, over a while, cannot be explained by its standing where it should, at twice the accuracy that
they claim and with what the place itself may be off; a fix too poor to tell says nothing either way. What happens once
(a knock, a lid opened) is told at once, and a second time only after some quiet.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median

from kernel.clock import NS_PER_S
from kernel.geography import Place, distance_m


class Kind(StrEnum):
    """What happened to a unit."""

    LEFT = "left"
    RETURNED = "returned"
    TILTED = "tilted"
    LEVELLED = "levelled"
    """It hangs as it was put up again."""
    KNOCKED = "knocked"
    OPENED = "opened"
    CLOSED = "closed"
    MOVED = "moved"
    """It says itself that it is being moved."""
    TAMPERED = "tampered"


OVER = {Kind.RETURNED: Kind.LEFT, Kind.LEVELLED: Kind.TILTED, Kind.CLOSED: Kind.OPENED}
"""What ends what."""
LASTING = frozenset(OVER.values())


@dataclass(frozen=True, slots=True)
class Position:
    """A fix. ``accuracy_m``: the radius within which two of three fixes like it are true."""

    place: Place
    accuracy_m: float


@dataclass(frozen=True, slots=True)
class Tilt:
    """How it hangs."""

    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True, slots=True)
class Shock:
    """It was hit."""

    peak_g: float


@dataclass(frozen=True, slots=True)
class Case:
    """Its lid."""

    open: bool


@dataclass(frozen=True, slots=True)
class Quiet:
    """It says nothing; time goes by."""


@dataclass(frozen=True, slots=True)
class Moved:
    """It says that it is being moved."""


@dataclass(frozen=True, slots=True)
class Tampered:
    """It says that somebody is at it."""


_Said = Position | Tilt | Shock | Case | Moved | Tampered
Report = _Said | Quiet


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """What is too much."""

    radius_m: float = 30.0
    sure: float = 2.0
    """How many accuracies a fix may be off."""
    poor_m: float = 100.0
    """A fix less accurate than this says nothing."""
    fixes: int = 3
    left_s: float = 20.0
    """So many fixes, over so long, one after the other, are no error."""
    tilt_deg: float = 10.0
    tilt_s: float = 10.0
    learn: int = 5
    """So many reports of how it hangs tell how it was put up."""
    shock_g: float = 2.5
    quiet_s: float = 60.0
    """What happened once is not told again before so long without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What happened, when it was seen, and by how much: metres, degrees or g; 0 where there is no measure."""

    kind: Kind
    at_ns: int
    by: float = 0.0
    place: Place | None = None
    """Where the unit said it was last."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Reports in a row that say something else than what holds."""

    count: int = 0
    since_ns: int = 0

    def more(self, at_ns: int) -> "_Run":
        return _Run(self.count + 1, self.since_ns if self.count else at_ns)

    def long(self, at_ns: int, *, count: int, lasting_s: float) -> bool:
        return self.count >= count and at_ns - self.since_ns >= lasting_s * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is known of one unit since it was put up at a place.

    ``accuracy_m``: how far off that place may be, as the phone said that gave it; 0 where nobody did.
    """

    place: Place
    accuracy_m: float = 0.0
    level: Tilt | None = None
    """How it was put up; learnt from its first reports where it is not known."""
    last: Place | None = None
    left: bool = False
    tilted: bool = False
    opened: bool = False
    lid_waits: bool = False
    """Its lid is the other way by now than was told, and it is too soon to tell that."""
    learning: tuple[Tilt, ...] = ()
    astray: _Run = _Run()
    askew: _Run = _Run()
    told_ns: tuple[tuple[Kind, int], ...] = ()
    """When each thing that happens at once happened last."""


def judge(watch: Watch, report: Report, at_ns: int, fence: Fence) -> tuple[Watch, Alarm | None]:
    """Return what is known after a report of an instant (ns since 1970 UTC), and what is to be raised.

    Reports of one kind come in the order of their instants; kinds among each other need not.
    """
    alarm = None
    if not isinstance(report, Quiet):
        watch, alarm = _judged(watch, report, at_ns, fence)
    return (watch, alarm) if alarm is not None else _lid_told(watch, at_ns, fence)


def _judged(watch: Watch, report: _Said, at_ns: int, fence: Fence) -> tuple[Watch, Alarm | None]:
    match report:
        case Position():
            return _position(watch, report, at_ns, fence)
        case Tilt():
            return _tilt(watch, report, at_ns, fence)
        case Case():
            return _case(watch, report, at_ns, fence)
        case Shock():
            return _shock(watch, report, at_ns, fence)
        case Moved():
            return _once(watch, Kind.MOVED, at_ns, fence)
        case Tampered():
            return _once(watch, Kind.TAMPERED, at_ns, fence)


def _position(watch: Watch, fix: Position, at_ns: int, fence: Fence) -> tuple[Watch, Alarm | None]:
    if not 0.0 <= fix.accuracy_m <= fence.poor_m:
        return watch, None
    watch = replace(watch, last=fix.place)
    off_m = distance_m(watch.place, fix.place)
    # A place that is less sure than a fix may be says no more than that: it may not put the fence out of sight.
    unsure_m = min(watch.accuracy_m, fence.poor_m)
    away = off_m - fence.sure * fix.accuracy_m - unsure_m > fence.radius_m
    # Back is what is near by itself: a fix that only might be near does not end an alarm. Where the place itself is
    # off, that is as near as the unit ever comes.
    changes = off_m - unsure_m <= fence.radius_m if watch.left else away
    if not changes:
        return replace(watch, astray=_Run()), None
    run = watch.astray.more(at_ns)
    if not run.long(at_ns, count=fence.fixes, lasting_s=fence.left_s):
        return replace(watch, astray=run), None
    kind = Kind.RETURNED if watch.left else Kind.LEFT
    watch = replace(watch, left=not watch.left, astray=_Run())
    return watch, Alarm(kind=kind, at_ns=at_ns, by=off_m, place=fix.place)


def _tilt(watch: Watch, tilt: Tilt, at_ns: int, fence: Fence) -> tuple[Watch, Alarm | None]:
    if not (math.isfinite(tilt.pitch_deg) and math.isfinite(tilt.roll_deg)):
        return watch, None
    if watch.level is None:
        learning = (*watch.learning, tilt)
        if len(learning) < fence.learn:
            return replace(watch, learning=learning), None
        level = Tilt(median(one.pitch_deg for one in learning), median(one.roll_deg for one in learning))
        return replace(watch, learning=(), level=level), None
    off_deg = between_deg(watch.level, tilt)
    changes = off_deg <= fence.tilt_deg / 2 if watch.tilted else off_deg > fence.tilt_deg
    if not changes:
        return replace(watch, askew=_Run()), None
    run = watch.askew.more(at_ns)
    if not run.long(at_ns, count=2, lasting_s=fence.tilt_s):
        return replace(watch, askew=run), None
    kind = Kind.LEVELLED if watch.tilted else Kind.TILTED
    watch = replace(watch, tilted=not watch.tilted, askew=_Run())
    return watch, Alarm(kind=kind, at_ns=at_ns, by=off_deg, place=watch.last)


def _case(watch: Watch, case: Case, at_ns: int, fence: Fence) -> tuple[Watch, Alarm | None]:
    """Judge a lid. One that flaps is told once each way, and how it is in the end once that has lasted."""
    if case.open == (watch.opened is not watch.lid_waits):
        return watch, None
    watch, alarm = _once(watch, Kind.OPENED if case.open else Kind.CLOSED, at_ns, fence)
    if case.open == watch.opened:
        return replace(watch, lid_waits=False), None
    return replace(watch, opened=case.open if alarm else watch.opened, lid_waits=alarm is None), alarm


def _lid_told(watch: Watch, at_ns: int, fence: Fence) -> tuple[Watch, Alarm | None]:
    """Tell how a lid is that was to wait, once it has been so for long enough."""
    kind = Kind.CLOSED if watch.opened else Kind.OPENED
    if not watch.lid_waits or at_ns - dict(watch.told_ns)[kind] < fence.quiet_s * NS_PER_S:
        return watch, None
    return replace(watch, opened=not watch.opened, lid_waits=False), Alarm(kind=kind, at_ns=at_ns, place=watch.last)


def _shock(watch: Watch, shock: Shock, at_ns: int, fence: Fence) -> tuple[Watch, Alarm | None]:
    # Written so that what is no number is no blow.
    if not shock.peak_g >= fence.shock_g:
        return watch, None
    return _once(watch, Kind.KNOCKED, at_ns, fence, by=shock.peak_g)


def _once(watch: Watch, kind: Kind, at_ns: int, fence: Fence, *, by: float = 0.0) -> tuple[Watch, Alarm | None]:
    told = dict(watch.told_ns)
    # What is told late may be of before what was told: it is another thing where it lies as far from that.
    quiet = kind not in told or abs(at_ns - told[kind]) >= fence.quiet_s * NS_PER_S
    told[kind] = max(at_ns, told.get(kind, at_ns))
    watch = replace(watch, told_ns=tuple(sorted(told.items())))
    return watch, Alarm(kind=kind, at_ns=at_ns, by=by, place=watch.last) if quiet else None


def between_deg(one: Tilt, other: Tilt) -> float:
    """Return the angle between the two directions that are down, in degrees: 0 to 180."""
    a, b = _down(one), _down(other)
    cross = math.hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return math.degrees(math.atan2(cross, sum(x * y for x, y in zip(a, b, strict=True))))


def _down(tilt: Tilt) -> tuple[float, float, float]:
    pitch, roll = math.radians(tilt.pitch_deg), math.radians(tilt.roll_deg)
    return -math.sin(pitch), math.sin(roll) * math.cos(pitch), math.cos(roll) * math.cos(pitch)
