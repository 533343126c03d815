"""What listeners are told of units."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.units.report import Stored


class Link(StrEnum):
    """How a unit stands with us."""

    NEVER = "never"
    """It has not called in yet."""
    ONLINE = "online"
    SILENT = "silent"
    """Its connection stands, as far as the broker knows, and it has said nothing for too long."""
    GONE = "gone"
    """Its connection broke, or it said goodbye."""
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Said:
    """A unit said something that was taken; ``before`` is what was the newest of that kind until then."""

    label: str
    now: Stored
    before: Stored | None


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """A unit came, went or fell silent."""

    label: str
    link: Link


@dataclass(frozen=True, slots=True)
class UnitChanged:
    """A unit was enrolled, changed or retired."""

    label: str
    device_before: str | None = None
    """The device that people had given it until then."""


Change = Said | LinkChanged | UnitChanged
