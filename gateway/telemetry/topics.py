"""The topics of units (docs/asyncapi.yaml): ``sightline/v1/units/{label}/...``."""

from dataclasses import dataclass
from enum import StrEnum

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
