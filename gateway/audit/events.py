"""What is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Action(StrEnum):
    """What somebody did."""

    SET_UP = "access.set-up"
    SIGN_IN = "access.sign-in"
    SIGN_OUT = "access.sign-out"
    SESSION_ENDED = "access.session-ended"
    REFUSED = "access.refused"
    USER_ADDED = "user.added"
    USER_CHANGED = "user.changed"
    USER_REMOVED = "user.removed"
    CONFIRMED = "access.confirmed"
    ACCOUNT_TIED = "account.tied"
    ACCOUNT_UNTIED = "account.untied"
    TOKEN_ADDED = "token.added"  # noqa: S105 - a word, not a token
    TOKEN_REMOVED = "token.removed"  # noqa: S105
    CODE_ISSUED = "code.issued"
    PROBED = "camera.probed"
    DISCOVERED = "camera.discovered"
    ENROLLED = "camera.enrolled"
    CHANGED = "camera.changed"
    REMOVED = "camera.removed"
    VIEW_STARTED = "view.started"
    VIEW_ENDED = "view.ended"
    SNAPSHOT = "view.snapshot"
    STICK_TAKEN = "steer.started"
    STICK_LEFT = "steer.ended"
    PRESET_STORED = "preset.stored"
    PRESET_REMOVED = "preset.removed"
    PLAYBACK_STARTED = "playback.started"
    PLAYBACK_ENDED = "playback.ended"
    STILL = "playback.still"
    EXPORTED = "export.clip"
    AUDIT_READ = "audit.read"
    AUDIT_VERIFIED = "audit.verified"
    AUDIT_LOST = "audit.lost"


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who, and from where. ``id`` is empty for somebody unknown; ``name`` is what they called themselves."""

    id: str
    name: str
    address: str


SYSTEM = Actor(id="system", name="Sightline", address="")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One thing that happened. ``subject`` is the camera's, user's or token's identifier it was done to."""

    action: Action
    actor: Actor
    subject: str = ""
    outcome: Outcome = Outcome.DONE
    details: Mapping[str, str | int | bool | None] = field(default_factory=dict)
