"""The topics of units (docs/asyncapi.yaml): ``sightline/v1/units/{label}/...``."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.telemetry import messages

PREFIX = "sightline/v1/units"


class Branch(StrEnum):
    """What stands after the unit's label."""

    ONLINE = "online"
    STATE = "state"
    EVENT = "event"
    COMMAND = "command"
    ANSWER = "answer"


FROM_UNITS = tuple(
    f"{PREFIX}/+/{rest}" for rest in (Branch.ONLINE, f"{Branch.STATE}/+", f"{Branch.EVENT}/+", f"{Branch.ANSWER}/+")
)
"""What we subscribe to."""
WRITTEN = frozenset(
    {
        Branch.ONLINE.value,
        *(f"{Branch.STATE}/{kind}" for kind in messages.STATES),
        *(f"{Branch.EVENT}/{kind}" for kind in messages.EVENTS),
        *(f"{Branch.ANSWER}/{kind}" for kind in messages.COMMANDS),
    }
)
"""What a unit writes of its own topics, word for word: on any other word a broker would keep what nobody reads."""
COMMANDS = f"{PREFIX}/+/{Branch.COMMAND}/+"
"""What we subscribe to as well, to see that nobody has one kept there."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a unit. ``kind`` of :attr:`Branch.ONLINE` is empty."""

    label: str
    branch: Branch
    kind: str = ""

    def __str__(self) -> str:
        """Return it as it is on the wire."""
        return "/".join([PREFIX, self.label, self.branch.value, *([self.kind] if self.kind else [])])


def may_write(label: str, topic: str) -> bool:
    """Return whether a unit writes on a topic, events of its camera apart."""
    own = f"{PREFIX}/{label}/"
    return topic.startswith(own) and topic.removeprefix(own) in WRITTEN


def read(topic: str) -> Topic | None:
    """Return which topic of a unit that is; ``None`` where it is none."""
    if not topic.startswith(f"{PREFIX}/"):
        return None
    label, _, rest = topic.removeprefix(f"{PREFIX}/").partition("/")
    branch, _, kind = rest.partition("/")
    if branch not in set(Branch) or (branch == Branch.ONLINE) != (not kind) or "/" in kind:
        return None
    return Topic(label, Branch(branch), kind)


def label_in(topic: str) -> str:
    """Return whose topic that would be, whether or not it is one; empty where it is nobody's."""
    return topic.removeprefix(f"{PREFIX}/").partition("/")[0] if topic.startswith(f"{PREFIX}/") else ""
