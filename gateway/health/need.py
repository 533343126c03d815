"""What may need a person, and by when: the words that all of health shares."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kernel.clock import NS_PER_S
from kernel.ids import CameraId

DAY_NS = 86_400 * NS_PER_S


class Urgency(StrEnum):
    """By when, the most urgent first."""

    NOW = "now"
    TODAY = "today"
    SOON = "soon"


class Kind(StrEnum):
    """What is wrong, the worst first among what is as urgent."""

    ALARM = "alarm"
    """A unit has left the place where a deployment has it, leans, is open, was knocked."""
    NO_PICTURE = "no-picture"
    NOT_RECORDED = "not-recorded"
    UNIT_LINK = "unit-link"
    BATTERY = "battery"
    OVERSTAYED = "overstayed"
    """It stands where no deployment allows it any more."""
    PICTURE = "picture"
    UNSEEN = "unseen"
    """Pictures come, and nobody looks at them."""
    UNIT_DISK = "unit-disk"
    CERTIFICATE = "certificate"
    """A camera's own, or a unit's."""
    DATA_BUDGET = "data-budget"
    CLOCK = "clock"
    """A camera's, or a unit's."""
    SIGNAL = "signal"
    FIRMWARE = "firmware"
    # What else deployments ask for.
    UNNEEDED = "unneeded"
    SIGNS = "signs"
    SIGN_OFF = "sign-off"
    REVIEW = "review"
    STAY = "stay"
    EVALUATION = "evaluation"
    DECISION = "decision"


OF_DEPLOYMENTS = frozenset(
    {
        Kind.ALARM,
        Kind.OVERSTAYED,
        Kind.UNNEEDED,
        Kind.SIGNS,
        Kind.SIGN_OFF,
        Kind.REVIEW,
        Kind.STAY,
        Kind.EVALUATION,
        Kind.DECISION,
    }
)


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose a need is: a camera's, a unit's or a deployment's, which are one thing to see to however many cameras.

    None of them, and it is the installation's own.
    """

    camera: CameraId | None = None
    unit: str = ""
    deployment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing that a person has to see to. ``since_ns`` is ``None`` where it is not known of itself."""

    whose: Whose
    kind: Kind
    urgency: Urgency
    cause: str
    cure: str
    since_ns: int | None = None
    cameras: tuple[CameraId, ...] = ()
    """At which it is seen: the camera, or those that the unit carries, if any."""
    unit: str = ""
    """The label of the unit that it is about, where it is about one."""
    title: str = ""
    """Of the deployment whose it is."""


def in_order(found: Iterable[Need]) -> list[Need]:
    """Return needs, the most urgent first; of what is as urgent the worst."""
    urgencies, kinds = list(Urgency), list(Kind)

    def order(one: Need) -> tuple[int, int, Sequence[CameraId], str, str]:
        return (
            urgencies.index(one.urgency),
            kinds.index(one.kind),
            one.cameras,
            one.whose.unit,
            one.whose.deployment,
        )

    return sorted(found, key=order)


def more_urgent(one: Urgency, other: Urgency) -> bool:
    """Return whether the first has to be seen to before the second."""
    urgencies = list(Urgency)
    return urgencies.index(one) < urgencies.index(other)


def in_days(count: int) -> str:
    """Return a number of days in words."""
    return "1 day" if count == 1 else f"{count} days"
