"""What of the cameras needs a person, how urgently, and what is to be done. No clock, no database."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gateway.health.errands import Errand, errand_needs
from gateway.health.need import DAY_NS, Kind, Need, Urgency, Whose, in_days, in_order
from gateway.health.watch import Finding
from kernel.clock import NS_PER_S
from kernel.ids import CameraId
from kernel.media import PictureFault

LINK_NS = 60 * NS_PER_S
"""A picture that has been away for less comes back by itself as a rule."""
UNLOOKED_NS = 900 * NS_PER_S
"""A host with many cameras looks at each every few minutes at worst, and at one that ended its looks after ten."""
CLOCK_OFF_S = 1.0
"""The times that we keep of a camera further off are put right by us, but what it writes into its pictures is wrong."""
CERTIFICATE_NS = 30 * DAY_NS
CERTIFICATE_TODAY_NS = 7 * DAY_NS
BATTERY_NOW_H, BATTERY_TODAY_H, BATTERY_SOON_H = 4.0, 24.0, 72.0
BATTERY_LOW_SHARE = 0.2
"""A battery that stands lower is told of where too little is known to say how long it lasts."""
DISK_FREE_SHARE = 0.05
UNIT_CLOCK_OFF_S = 5.0
"""Of a unit: what it says takes seconds over a poor link, and how far its clock is off is known no better."""
POOR_DBM = -110.0
"""Below, a 4G modem loses its link now and then."""
BUDGET_TODAY_NS = 3 * DAY_NS
BUDGET_CURE = "Have it send its smaller stream, or raise its budget with whoever pays for the SIM."

UNSEEN = (
    "Its picture has not been looked at for a quarter of an hour: "
    "whether it is covered, blurred or turned since is not known."
)
UNSEEN_CURE = (
    "If it is this camera alone, its pictures cannot be decoded: restart it, or set its smaller stream anew. "
    "If it is all of a camera host, see looks.ended in that host's log."
)

BROKER_CURE = (
    "Have the broker read its files again (systemctl reload mosquitto). "
    "If that does not help, see why Sightline could not write them: units.upkeep_failed in its log."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSigns:
    """What a unit that calls in tells of itself; ``None`` where it does not say."""

    label: str
    missed: bool
    """Whether it should be heard and is not: one in store may be switched off."""
    cameras: tuple[CameraId, ...] = ()
    """Those that it carries and that are enrolled."""
    heard_ns: int | None = None
    battery_h: float | None = None
    battery_share: float | None = None
    """How full it is, 0 to 1."""
    charging: bool = False
    rsrp_dbm: float | None = None
    """What it receives, where it is heard now."""
    clock_offset_s: float | None = None
    """How far its clock is before (positive) or behind ours."""
    disk_free_share: float | None = None
    disk_fault: bool = False
    disk_said_ns: int | None = None
    certificate_ends_ns: int | None = None
    """Of the one that lasts longest."""
    certified: bool = True
    """Whether it has a certificate that was not revoked, over or not."""
    budget_spent: bool = False
    """Whether its SIM has sent its month's data."""
    budget_ends_ns: int | None = None
    """When it will have, as it goes now; ``None`` where that is not in this month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What is known of one camera now."""

    camera: CameraId
    missed: bool = True
    """Whether it is to give pictures now: not before its camera host first tells of it, nor a mobile one in store."""
    live: bool = False
    given_up: bool = False
    """It does not come back by itself: its host does not answer, or trying again would lock its account."""
    problem: str = ""
    problem_cure: str = ""
    last_frame_ns: int | None = None
    unrecorded: str = ""
    """Why what should be recorded is not: storage refuses it."""
    recording: bool | None = None
    """Whether its main stream reaches the disk; ``None`` where its host does not say."""
    recording_cause: str = ""
    """Why not."""
    clock_off_s: float | None = None
    """By how much the times that we keep of its pictures may be wrong for its clock, after they were put right."""
    clock_offset_s: float | None = None
    """How far its clock is before (positive) or behind ours, where that was measured."""
    picture: Finding | None = None
    looked_ns: int | None = None
    """When its picture was last judged; ``None`` where none was since pictures come."""
    unlooked_since_ns: int | None = None
    """Since when none was judged though some may have come."""
    make: tuple[str, str] = ("", "")
    """Manufacturer and model."""
    firmware: str = ""
    certificate_ends_ns: int | None = None
    """Of that which it shows, where it is asked over TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What is known of all that may need somebody: every camera, every unit with or without one, every errand."""

    cameras: Sequence[Signs] = ()
    units: Sequence[UnitSigns] = ()
    errands: Sequence[Errand] = ()
    broker_ends_ns: int | None = None
    """When the certificate ends that the units' broker shows; ``None`` where there is none, or it was not seen yet."""


_PICTURES: Mapping[PictureFault, tuple[Urgency, str, str]] = {
    PictureFault.BLACK: (
        Urgency.NOW,
        "The picture is black.",
        "See to its iris, its light and whether its lens is covered.",
    ),
    PictureFault.COVERED: (
        Urgency.NOW,
        "The picture shows nothing: the lens is covered.",
        "Send somebody to uncover it.",
    ),
    PictureFault.MOVED: (Urgency.NOW, "It looks another way than it should.", "Turn it back, or confirm its new view."),
    PictureFault.FROZEN: (Urgency.TODAY, "The picture stands still though it keeps coming.", "Restart the camera."),
    PictureFault.BLURRED: (
        Urgency.TODAY,
        "The picture is blurred.",
        "Focus it, clean its dome, or wait for fog to lift.",
    ),
}


def needs(known: Round, *, now_ns: int) -> list[Need]:
    """Return everything that needs a person, the most urgent first."""
    newest = newest_firmware(known.cameras)
    found = [need for one in known.cameras for need in _of(one, now_ns, newest)]
    found += [need for unit in known.units for need in unit_needs(unit, now_ns)]
    found += [need for errand in known.errands for need in errand_needs(errand, now_ns)]
    found += _of_broker(known.broker_ends_ns, now_ns)
    return in_order(found)


def _of(one: Signs, now_ns: int, newest: Mapping[tuple[str, str], str]) -> Iterable[Need]:
    def need(kind: Kind, urgency: Urgency, cause: str, cure: str, since_ns: int | None = None) -> Need:
        whose, at = Whose(camera=one.camera), (one.camera,)
        return Need(whose=whose, kind=kind, urgency=urgency, cause=cause, cure=cure, since_ns=since_ns, cameras=at)

    away = one.missed and not one.live
    if away and (one.given_up or one.last_frame_ns is None or now_ns - one.last_frame_ns >= LINK_NS):
        cause = one.problem or "No picture comes."
        cure = one.problem_cure or "See to its power and its line."
        yield need(Kind.NO_PICTURE, Urgency.NOW, cause, cure, one.last_frame_ns)
    if one.unrecorded:
        cure = "See to the disks of its camera host."
        yield need(Kind.NOT_RECORDED, Urgency.NOW, f"It is not recorded: {one.unrecorded}", cure)
    if one.picture is not None and one.missed:
        # In a store, a van or its bag a lens sees nothing, and nobody is to uncover it there.
        urgency, cause, cure = _PICTURES[one.picture.fault]
        yield need(Kind.PICTURE, urgency, cause, cure, one.picture.since_ns)
    if one.live and one.missed and one.unlooked_since_ns is not None and now_ns - one.unlooked_since_ns >= UNLOOKED_NS:
        yield need(Kind.UNSEEN, Urgency.TODAY, UNSEEN, UNSEEN_CURE, one.unlooked_since_ns)
    wrong = _clock_of(one)
    if wrong is not None:
        yield need(Kind.CLOCK, Urgency.TODAY, *wrong)
    if one.certificate_ends_ns is not None and one.certificate_ends_ns - now_ns < CERTIFICATE_NS:
        # Over, it is no more urgent: where it is checked there is no picture, and that is told as such.
        soon = one.certificate_ends_ns - now_ns >= CERTIFICATE_TODAY_NS
        cause = f"Its own certificate {_ends(one.certificate_ends_ns, now_ns)}."
        cure = "Give the camera a new one, and pin that where the old one is pinned."
        yield need(Kind.CERTIFICATE, Urgency.SOON if soon else Urgency.TODAY, cause, cure)
    best = newest.get(one.make, one.firmware)
    if one.firmware and best != one.firmware:
        cause = f"Its firmware is {one.firmware}; another of its model has {best}."
        yield need(Kind.FIRMWARE, Urgency.SOON, cause, "Update it when somebody is at it next.")


def _clock_of(one: Signs) -> tuple[str, str] | None:
    """Return what is wrong with a camera's clock, and what is to be done; ``None`` where it goes right.

    How far it is off is one thing, which its pictures show; how far what we make of it may be, another.
    """
    ahead_s, left_s = one.clock_offset_s or 0.0, one.clock_off_s or 0.0
    if abs(ahead_s) >= CLOCK_OFF_S:
        way = "ahead" if ahead_s > 0 else "behind"
        cause = (
            f"Its clock is {abs(ahead_s):.0f} s {way}, and so is what it writes into its pictures. "
            f"The times that we keep are put right, to {left_s:.1f} s."
        )
        return cause, "Set its time server, or its clock."
    if left_s >= CLOCK_OFF_S:
        cause = f"The times of its pictures may be off by {left_s:.1f} s: its clock is not known better."
        return cause, "Set its time server. Where it has one, see to its line: it answers too late for its clock."
    return None


def _ends(ends_ns: int, now_ns: int) -> str:
    """Return when a certificate ends, in words."""
    if ends_ns <= now_ns:
        return "has ended"
    left_days = (ends_ns - now_ns) // DAY_NS
    return f"ends in {in_days(left_days)}" if left_days else "ends within a day"


def unit_needs(unit: UnitSigns, now_ns: int) -> Iterable[Need]:
    """Give what one unit needs: health's page and the unit's own tell the same."""
    whose, at = Whose(unit=unit.label), unit.cameras
    for kind, urgency, cause, cure, since_ns in (*_of_box(unit), *_of_papers(unit, now_ns), *_of_line(unit, now_ns)):
        yield Need(
            whose=whose,
            kind=kind,
            urgency=urgency,
            cause=cause,
            cure=cure,
            since_ns=since_ns,
            cameras=at,
            unit=unit.label,
        )


_Said: TypeAlias = tuple[Kind, Urgency, str, str, int | None]


def _of_box(unit: UnitSigns) -> Iterable[_Said]:
    if unit.missed:
        cause = f"Unit {unit.label} is not heard."
        # Without a camera it watches nothing yet: whoever has it at hand sees to it.
        urgency = Urgency.NOW if unit.cameras else Urgency.TODAY
        yield Kind.UNIT_LINK, urgency, cause, "Look at its last position and battery; go there.", unit.heard_ns
    if unit.battery_h is not None and unit.battery_h < BATTERY_SOON_H:
        urgency = (
            Urgency.NOW
            if unit.battery_h < BATTERY_NOW_H
            else Urgency.TODAY
            if unit.battery_h < BATTERY_TODAY_H
            else Urgency.SOON
        )
        cause = f"The battery of unit {unit.label} lasts {unit.battery_h:.0f} h more."
        yield Kind.BATTERY, urgency, cause, "Change or charge it before.", None
    elif unit.battery_h is None and not unit.charging and _low(unit.battery_share):
        cause = f"The battery of unit {unit.label} is at {unit.battery_share:.0%}; how long it lasts is not known yet."
        yield Kind.BATTERY, Urgency.TODAY, cause, "Change or charge it.", None
    if unit.disk_fault:
        cause = f"The disk of unit {unit.label} says that it fails."
        yield Kind.UNIT_DISK, Urgency.TODAY, cause, "Replace it.", unit.disk_said_ns
    elif unit.disk_free_share is not None and unit.disk_free_share < DISK_FREE_SHARE:
        cause = f"The disk of unit {unit.label} is full to {1 - unit.disk_free_share:.0%}."
        yield Kind.UNIT_DISK, Urgency.SOON, cause, "See whether it deletes its oldest footage by itself.", None


def _of_papers(unit: UnitSigns, now_ns: int) -> Iterable[_Said]:
    ends_ns = unit.certificate_ends_ns
    if ends_ns is not None and ends_ns - now_ns < CERTIFICATE_NS:
        cause = f"The certificate of unit {unit.label} {_ends(ends_ns, now_ns)}"
        urgency = Urgency.TODAY if ends_ns - now_ns < CERTIFICATE_TODAY_NS else Urgency.SOON
        cause, urgency = (f"{cause}: it cannot call in.", Urgency.NOW) if ends_ns <= now_ns else (f"{cause}.", urgency)
        yield Kind.CERTIFICATE, urgency, cause, "Issue it a new one and put that into the unit.", None
    if not unit.certified:
        # One that was never heard waits to be put to work; another is out there and cannot say anything.
        urgency = Urgency.SOON if unit.heard_ns is None else Urgency.TODAY
        cause = f"Unit {unit.label} has no certificate that is good: it cannot call in."
        yield Kind.CERTIFICATE, urgency, cause, "Issue it one and put that into the unit, or retire it.", None


def _of_line(unit: UnitSigns, now_ns: int) -> Iterable[_Said]:
    if unit.clock_offset_s is not None and abs(unit.clock_offset_s) > UNIT_CLOCK_OFF_S:
        way = "ahead" if unit.clock_offset_s > 0 else "behind"
        cause = f"The clock of unit {unit.label} is {abs(unit.clock_offset_s):.0f} s {way}."
        yield Kind.CLOCK, Urgency.TODAY, cause, "Set its time server, or its clock.", None
    if unit.rsrp_dbm is not None and unit.rsrp_dbm < POOR_DBM:
        cause = f"The signal of unit {unit.label} is poor: its pictures may stop."
        yield Kind.SIGNAL, Urgency.SOON, cause, "Turn or move its aerial, or try another network's SIM.", None
    if unit.budget_spent:
        cause = f"The SIM of unit {unit.label} has sent its month's data."
        yield Kind.DATA_BUDGET, Urgency.TODAY, cause, BUDGET_CURE, None
    elif unit.budget_ends_ns is not None:
        left_ns = max(0, unit.budget_ends_ns - now_ns)
        within = in_days(max(1, -(-left_ns // DAY_NS)))
        cause = f"As it goes now, the SIM of unit {unit.label} will have sent its month's data within {within}."
        urgency = Urgency.TODAY if left_ns < BUDGET_TODAY_NS else Urgency.SOON
        yield Kind.DATA_BUDGET, urgency, cause, BUDGET_CURE, None


def _of_broker(ends_ns: int | None, now_ns: int) -> Iterable[Need]:
    """Return what there is to do about the certificate of the units' broker: it is renewed, unless something fails."""
    if ends_ns is None or ends_ns - now_ns >= CERTIFICATE_NS:
        return
    urgency = Urgency.TODAY if ends_ns - now_ns < CERTIFICATE_TODAY_NS else Urgency.SOON
    cause = f"The certificate that the units' broker shows {_ends(ends_ns, now_ns)}"
    cause, urgency = (
        (f"{cause}: no unit can call in.", Urgency.NOW)
        if ends_ns <= now_ns
        else (f"{cause}; no unit could call in then.", urgency)
    )
    yield Need(whose=Whose(), kind=Kind.CERTIFICATE, urgency=urgency, cause=cause, cure=BROKER_CURE)


def _low(share: float | None) -> bool:
    return share is not None and share <= BATTERY_LOW_SHARE


def newest_firmware(cameras: Iterable[Signs]) -> dict[tuple[str, str], str]:
    """Return the newest firmware of each make and model that is among cameras."""
    newest: dict[tuple[str, str], str] = {}
    for one in cameras:
        if one.firmware and all(one.make):
            newest[one.make] = max(newest.get(one.make, one.firmware), one.firmware, key=version_key)
    return newest


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Return what orders versions as people number them: 2.10 is after 2.9."""
    parts = re.findall(r"\d+|[^\W\d]+", version)
    return tuple((1, int(part), "") if part.isdecimal() else (0, 0, part.lower()) for part in parts)
