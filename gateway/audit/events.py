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
    CONFIRMED = "access.confirmed"
    SESSION_LOCKED = "access.locked"
    SESSION_UNLOCKED = "access.unlocked"
    WORKED_ON = "access.worked-on"
    """Which incident or request is worked on from here."""
    GLASS_BROKEN = "access.glass-broken"
    GLASS_CLOSED = "access.glass-closed"
    GLASS_ACKNOWLEDGED = "access.glass-acknowledged"
    APPROVAL_ASKED = "approval.asked"
    APPROVED = "approval.given"
    APPROVAL_REFUSED = "approval.refused"
    APPROVAL_WITHDRAWN = "approval.withdrawn"
    FACTOR_ADDED = "factor.added"
    FACTOR_REMOVED = "factor.removed"
    RECOVERY_CODES_MADE = "factor.recovery-codes"
    PASSWORD_CHANGED = "user.password"  # noqa: S105 - a word, not a password
    GRANT_ADDED = "grant.added"
    GRANT_CHANGED = "grant.changed"
    GRANT_REMOVED = "grant.removed"
    TEAM_ADDED = "team.added"
    TEAM_CHANGED = "team.changed"
    TEAM_REMOVED = "team.removed"
    GROUP_ADDED = "group.added"
    GROUP_CHANGED = "group.changed"
    GROUP_REMOVED = "group.removed"
    ROLE_ADDED = "role.added"
    ROLE_CHANGED = "role.changed"
    ROLE_REMOVED = "role.removed"
    USER_ADDED = "user.added"
    USER_CHANGED = "user.changed"
    USER_REMOVED = "user.removed"
    ACCOUNT_TIED = "account.tied"
    ACCOUNT_UNTIED = "account.untied"
    TOKEN_ADDED = "token.added"  # noqa: S105 - a word, not a token
    TOKEN_REMOVED = "token.removed"  # noqa: S105
    CODE_ISSUED = "code.issued"
    PROBED = "camera.probed"
    DISCOVERED = "camera.discovered"
    ENROLLED = "camera.enrolled"
    CHANGED = "camera.changed"
    BOUNDS_CHANGED = "camera.bounds"
    """Limits and no-look zones of a head; before and after."""
    EVENT_BROKER = "camera.event-broker"
    """A device was told to publish its events at our broker, or no more."""
    MAIN_STREAM = "camera.main-stream"
    """The main stream of a camera behind a thin link was asked for, for so many minutes; 0 ends it."""
    REFERENCE_VIEW = "camera.reference-view"
    NEED_PUT_OFF = "camera.need-put-off"
    """What of a camera needs a person waits; until when and why."""
    NEED_TAKEN_UP = "camera.need-taken-up"
    CAMERA_PASSWORD = "camera.password"  # noqa: S105 - a word, not a password
    """A camera was given a random password; nobody sees it, and it is not here either."""
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
    HOLD_PLACED = "hold.placed"
    HOLD_CHANGED = "hold.changed"
    HOLD_RELEASED = "hold.released"
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
    OUTLET_MADE = "outlet.made"
    OUTLET_REMOVED = "outlet.removed"
    ROOM_TEST_STARTED = "share.room-test-started"
    ROOM_TESTED = "share.room-test"
    DEPLOYABLE_MARKED = "deployable.marked"
    DEPLOYABLE_UNMARKED = "deployable.unmarked"
    DEPLOYMENT_REFERRED = "deployment.referred"
    """This and what follows: steps in the life of a deployment, each with the digest of its line in its own log."""
    DEPLOYMENT_CHECKED = "deployment.checked"
    DEPLOYMENT_DOCUMENT = "deployment.document"
    DEPLOYMENT_NOTE = "deployment.note"
    DEPLOYMENT_PHOTO = "deployment.photo"
    DEPLOYMENT_GRANTED = "deployment.granted"
    DEPLOYMENT_REFUSED = "deployment.refused"
    DEPLOYMENT_WITHDRAWN = "deployment.withdrawn"
    DEPLOYMENT_PLANNED = "deployment.planned"
    DEPLOYMENT_SIGNS_UP = "deployment.signs-up"
    DEPLOYMENT_INSTALLED = "deployment.installed"
    DEPLOYMENT_SIGNED_OFF = "deployment.signed-off"
    DEPLOYMENT_BOUNDS = "deployment.bounds"
    DEPLOYMENT_REVIEWED = "deployment.reviewed"
    DEPLOYMENT_EXTENDED = "deployment.extended"
    DEPLOYMENT_HUNG = "deployment.hung"
    DEPLOYMENT_ALARM = "deployment.alarm"
    DEPLOYMENT_ACKNOWLEDGED = "deployment.acknowledged"
    DEPLOYMENT_PICTURE = "deployment.picture"
    DEPLOYMENT_NO_PICTURE = "deployment.no-picture"
    DEPLOYMENT_PICTURE_DELETED = "deployment.picture-deleted"
    DEPLOYMENT_DUE = "deployment.due"
    DEPLOYMENT_LAPSED = "deployment.lapsed"
    DEPLOYMENT_REMOVED = "deployment.removed"
    DEPLOYMENT_FOOTAGE_DELETED = "deployment.footage-deleted"
    DEPLOYMENT_SIGNS_DOWN = "deployment.signs-down"
    DEPLOYMENT_EVALUATED = "deployment.evaluated"
    KEYS_ROTATED = "keys.rotated"
    SETTINGS_CHANGED = "settings.changed"
    UNIT_ENROLLED = "unit.enrolled"
    UNIT_CHANGED = "unit.changed"
    UNIT_CERTIFIED = "unit.certified"
    UNIT_CERTIFICATE_REVOKED = "unit.certificate-revoked"
    UNIT_CAMERA_FORGOTTEN = "unit.camera-forgotten"
    UNIT_RETIRED = "unit.retired"
    UNIT_COMMANDED = "unit.commanded"
    UNIT_MOVED = "unit.moved"
    UNIT_NEED_PUT_OFF = "unit.need-put-off"
    UNIT_NEED_TAKEN_UP = "unit.need-taken-up"
    SHARE_JOINED = "share.joined"
    SHARE_LEFT = "share.left"
    AUDIT_READ = "audit.read"
    AUDIT_VERIFIED = "audit.verified"
    AUDIT_LOST = "audit.lost"
    AUDIT_CARRIED = "audit.carried-over"
    """Entries of an earlier kind of log were taken over; its own check and end are told."""
    AUDIT_ERASED = "audit.erased"
    """Personal detail of entries before an instant was erased."""
    CHECKPOINT = "audit.checkpoint"


SEEING = frozenset(
    {
        Action.VIEW_STARTED,
        Action.VIEW_ENDED,
        Action.PLAYBACK_STARTED,
        Action.PLAYBACK_ENDED,
        Action.STICK_TAKEN,
        Action.STICK_LEFT,
        Action.SNAPSHOT,
        Action.STILL,
        Action.EXPORTED,
    }
)
"""Acts in which somebody sees a camera's pictures: what "who saw this camera?" is answered from."""

PLAIN = frozenset(
    {
        "act",
        "approval",
        "hold",
        "before_ns",
        "camera",
        "converted_from",
        "deployment",
        "digest",
        "end",
        "error",
        "factor",
        "file",
        "group",
        "head",
        "how",
        "outlet",
        "permission",
        "role",
        "root",
        "size",
        "start",
        "stream",
        "team",
        "urn",
        "user",
        "view",
    }
)
"""Keys of details whose text is ours or an identifier. The text under any other key counts as personal: somebody may
have typed it, and what is forgotten here is erased too early rather than kept for ever. Numbers, yes and no are
plain."""


IDENTIFIERS = frozenset({"approval", "camera", "deployment", "group", "hold", "outlet", "team", "user"})
"""Those of :data:`PLAIN` that name a row: whatever else stands under them, a name say, counts as personal too."""


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
    reference: str = ""
    """The incident or request that they are at work on, as they typed it."""


SYSTEM = Actor(id="system", name="Sightline", address="")


Detail = str | int | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One thing that happened. ``subject`` is the camera's, user's, token's or share's identifier it was done to."""

    action: Action
    actor: Actor
    subject: str = ""
    outcome: Outcome = Outcome.DONE
    rule: str = ""
    """What allowed it: ``role:operator``, ``grant:ID``, ``share:ID``, ``glass:ID``; empty where nothing had to."""
    reference: str = ""
    """The incident or request it was done for, as somebody typed it."""
    span: str = ""
    """Identifier that the beginning and the end of something lasting share. The beginning has no ``to_ns``."""
    from_ns: int | None = None
    to_ns: int | None = None
    """When from and when to; an act of :data:`SEEING` that says neither happened at the instant it is recorded."""
    details: Mapping[str, Detail] = field(default_factory=dict)
