"""What a unit reports, once it was found to be well-formed; and the causes for which a report is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Value = str | int | float | bool | None


class Cause(StrEnum):
    """Why something that came was not taken."""

    WRONG_UNIT = "wrong-unit"
    """It names another unit, another unit's camera, or came under a certificate of another unit."""
    OFF_NETWORK = "off-network"
    """It says that its camera is outside the networks in which units are (``telemetry.networks``)."""
    MALFORMED = "malformed"
    OVERSIZED = "oversized"
    REPLAYED = "replayed"
    OUT_OF_ORDER = "out-of-order"
    UNKNOWN_KIND = "unknown-kind"
    RETAINED_COMMAND = "retained-command"
    UNKNOWN_UNIT = "unknown-unit"
    REVOKED = "revoked"
    """The unit is retired, or has no certificate that is good."""
    FLOODING = "flooding"
    """It said more in a minute than any unit should (``telemetry.flood_per_minute``), and was seen out."""
    MISSING = "missing"
    """Numbers of a unit never came: it wrote where it may not, and the broker stopped it, or something was lost."""
    UNASKED = "unasked"
    """It answers a command that nobody waits for: none was sent, it was answered already, or its time is over."""
    NO_CERTIFICATE = "no-certificate"
    """Somebody came to the broker with a certificate that it does not take, or with none."""


class Group(StrEnum):
    """Which part of a unit's topics something came under."""

    STATE = "state"
    EVENT = "event"
    ONLINE = "online"
    ANSWER = "answer"
    """What came of a command: it has its place in the order, and is no state that anybody keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One thing that a unit says.

    ``unit_ns`` is by its clock. ``stored``: the broker had kept it for us, it was not said just now.
    """

    group: Group
    kind: str
    """As in "battery"; of :attr:`Group.ONLINE` empty."""
    boot: str
    seq: int
    unit_ns: int
    values: Mapping[str, Value] = field(default_factory=dict)
    stored: bool = False

    @property
    def name(self) -> str:
        """Return group and kind, as in "state/battery"."""
        return f"{self.group}/{self.kind}" if self.kind else self.group.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The broker says that the unit's connection broke: its last will, which bears no number and no time."""

    stored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The newest of one kind, with the unit's time and ours."""

    name: str
    boot: str
    seq: int
    unit_ns: int
    taken_ns: int
    values: Mapping[str, Value]
