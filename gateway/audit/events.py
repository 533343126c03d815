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
    GROUP_PUT = "group.put"
    GROUP_REMOVED = "group.removed"
    TEAM_PUT = "team.put"
    TEAM_REMOVED = "team.removed"
    ROLE_PUT = "role.put"
    ROLE_REMOVED = "role.removed"
    GRANTED = "grant.added"
    GRANT_ENDED = "grant.ended"
    GLASS_BROKEN = "glass.broken"
    GLASS_CLOSED = "glass.closed"
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
    STICK_ASKED = "steer.asked"
    STICK_REFUSED = "steer.refused"
    STICK_LENT = "steer.lent"
    STICK_TAKEN_BACK = "steer.taken-back"
    PRESET_STORED = "preset.stored"
    PRESET_REMOVED = "preset.removed"
    PLAYBACK_STARTED = "playback.started"
    PLAYBACK_ENDED = "playback.ended"
    STILL = "playback.still"
    EXPORTED = "export.clip"
    PARTNER_ADDED = "partner.added"
    PARTNER_CHANGED = "partner.changed"
    PARTNER_REMOVED = "partner.removed"
    PARTNER_INVITED = "partner.invited"
    INVITATION_WITHDRAWN = "partner.invitation-withdrawn"
    PARTNER_ENROLLED = "partner.enrolled"
    TERMS_ACCEPTED = "partner.terms-accepted"
    SHARE_MADE = "share.made"
    SHARE_CHANGED = "share.changed"
    SHARE_REVIEWED = "share.reviewed"
    SHARE_ENDED = "share.ended"
    SHARE_NOTE = "share.note"
    ROOM_TEST_STARTED = "share.room-test-started"
    ROOM_TESTED = "share.room-test"
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
    """Who, from where, by which rule. ``id`` is empty for somebody unknown; ``name`` is what they called themselves."""

    id: str
    name: str
    address: str
    rule: str = ""
    """What allows them to act, as ``gateway.access.rights`` names it; empty where nothing had to."""


SYSTEM = Actor(id="system", name="Sightline", address="")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One thing that happened. ``subject`` is the camera's, user's or token's identifier it was done to."""

    action: Action
    actor: Actor
    subject: str = ""
    outcome: Outcome = Outcome.DONE
    details: Mapping[str, str | int | bool | None] = field(default_factory=dict)
