"""What deployments ask of a person: alarms of their units, and what is due. No clock, no database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.health.need import DAY_NS, Kind, Need, Urgency, Whose, in_days
from kernel.ids import CameraId


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One thing that is to be done about a deployment by an instant."""

    deployment: str
    title: str
    kind: Kind
    by_ns: int
    overdue: bool
    unit: str = ""
    """The label of its unit; empty before one is planned."""
    cameras: tuple[CameraId, ...] = ()
    """Of that unit, where it stands."""
    happened: tuple[str, ...] = ()
    """Of an alarm: what happened to the unit, as a sentence goes on after its name."""
    unseen: bool = False
    """Of an alarm: nobody has acknowledged it."""
    down: bool = False
    """Its unit was taken down since: what happened to it happened before."""


_CURES: Mapping[Kind, str] = {
    Kind.OVERSTAYED: "Extend it, or take the unit down.",
    Kind.UNNEEDED: "Take the unit down.",
    Kind.SIGNS: "Take the signs down, and say so there.",
    Kind.SIGN_OFF: "Sign it off on the phone, or find out who put it up.",
    Kind.REVIEW: "Review it: is it still needed?",
    Kind.STAY: "Extend it, or plan who takes the unit down.",
    Kind.EVALUATION: "Say what it did for the problem.",
    Kind.DECISION: "Grant or refuse it.",
}


_OF_UNIT: Mapping[Kind, str] = {
    Kind.OVERSTAYED: "stands past its longest stay",
    Kind.UNNEEDED: "is not needed there any more, a review found",
    Kind.SIGNS: "is down; its signs are not said to be",
    Kind.SIGN_OFF: "was put up, and nobody has signed it off",
}


def errand_needs(errand: Errand, now_ns: int) -> Iterable[Need]:
    """Give the need that an errand is."""
    urgency = Urgency.TODAY if errand.overdue else Urgency.SOON
    cure, since_ns = _CURES.get(errand.kind, ""), errand.by_ns if errand.overdue else None
    if errand.kind is Kind.ALARM:
        # Acknowledged, somebody sees to it; it is told of for as long as it lasts.
        urgency = Urgency.NOW if errand.unseen else Urgency.TODAY
        cure = (_RECORDED if errand.down else _SHOWN) if errand.unseen else _SEEN
        since_ns = errand.by_ns
    yield Need(
        whose=Whose(deployment=errand.deployment),
        kind=errand.kind,
        urgency=urgency,
        cause=_cause(errand, now_ns),
        cure=cure,
        since_ns=since_ns,
        cameras=errand.cameras,
        unit=errand.unit,
        title=errand.title,
    )


_SHOWN = "See where it is and what its camera shows, and acknowledge it."
_RECORDED = "See what its camera recorded then, and acknowledge it."
_SEEN = "Somebody has acknowledged it: have the unit put right where it stands, or taken down."


def _cause(errand: Errand, now_ns: int) -> str:
    unit = f"Unit {errand.unit}" if errand.unit else "Its unit"
    match errand.kind:
        case Kind.ALARM:
            return f"{unit} {', '.join(errand.happened)}{', while it stood there' if errand.down else ''}."
        case kind if kind in _OF_UNIT:
            return f"{unit} {_OF_UNIT[kind]}."
        case Kind.STAY:
            return f"The stay of unit {errand.unit} ends {_within(errand, now_ns)}."
        case Kind.REVIEW:
            what = f"The review of unit {errand.unit}"
        case Kind.EVALUATION:
            what = "Its evaluation"
        case _:
            what = "Its decision"
    return f"{what} is overdue." if errand.overdue else f"{what} is due {_within(errand, now_ns)}."


def _within(errand: Errand, now_ns: int) -> str:
    left_days = max(0, errand.by_ns - now_ns) // DAY_NS
    return f"in {in_days(left_days)}" if left_days else "within a day"
