"""What lasts: a view, a hold of the stick, playback. Each has a beginning and an end in the audit."""

from dataclasses import dataclass, field

from gateway.access.permissions import Permission
from gateway.audit.events import Action, Actor
from kernel.ids import CameraId, StreamName, new_id

NEEDS = {
    Action.VIEW_STARTED: Permission.VIEW_LIVE,
    Action.STICK_TAKEN: Permission.STEER,
    Action.PLAYBACK_STARTED: Permission.VIEW_RECORDED,
}
"""Without it what began may not go on."""

ENDS = {
    Action.VIEW_STARTED: Action.VIEW_ENDED,
    Action.STICK_TAKEN: Action.STICK_LEFT,
    Action.PLAYBACK_STARTED: Action.PLAYBACK_ENDED,
}

SHARE = "share:"
"""How a rule begins that is a share."""


@dataclass(slots=True, kw_only=True)
class Span:
    """Something that began and has not ended."""

    key: tuple[str, ...]
    action: Action
    """How it began: decides how its end is called."""
    actor: Actor
    session: str
    """The access session or token that it goes through."""
    camera: CameraId
    said: str | None = None
    """What was said to be worked on, apart from what its rule stands for; ``None``: as its actor has it."""
    details: dict[str, str | int | bool | None] = field(default_factory=dict)
    id: str = field(default_factory=new_id)
    """What its first and its last entry share."""
    outlet: str = ""
    """The outlet that a view goes through. The right to it is its share's; it ends with the outlet, at its host."""
    until_ns: int | None = None
    """When the host of a view ends it by itself, as it was told last; ``None``: not by itself."""
    from_ns: int = 0
    """When it began; 0: when it is noted."""
    began_ns: int = 0
    """The same on the monotonic clock."""
    touched_ns: int = 0
    cut_reason: str | None = None
    """Why this view is to be cut off at its host; it goes on until that has succeeded."""

    @property
    def rule(self) -> str:
        """Return the rule that allows it, without who approved it beside that; empty where it is not known."""
        return self.actor.rule.partition(" ")[0]

    @property
    def streams(self) -> tuple[StreamName, StreamName]:
        """Return which stream of a view was asked for, and which is shown where the line carries it."""
        shown = str(self.details["stream"])
        return StreamName(str(self.details.get("asked", shown))), StreamName(shown)


def view_key(session: str) -> tuple[str, ...]:
    """Return the key of a view by its host's session."""
    return ("view", session)
