"""Permissions, and the roles that come with Sightline. A site makes more roles in :mod:`gateway.access.grants`."""

from enum import StrEnum


class Permission(StrEnum):
    """One thing that somebody may do. Every route names the one it needs."""

    SIGNED_IN = "signed_in"
    """Be here at all: see one's own session and end it."""
    VIEW_LIVE = "view_live"
    STILL = "still"
    """Take away a picture that a camera makes now."""
    VIEW_RECORDED = "view_recorded"
    STEER = "steer"
    EXPORT = "export"
    HOLD = "hold"
    """Keep footage from being deleted, and let go of it again."""
    SHARE = "share"
    """Give people of another organisation a live view, and end it."""
    BREAK_GLASS = "break_glass"
    """Take what one's role does not give, for a while, with a reason, loudly."""
    APPROVE = "approve"
    """Be the second of two people where an act takes two."""
    DEPLOY = "deploy"
    """Refer problems, and bring mobile cameras to places and away, as was decided."""
    DECIDE_DEPLOYMENT = "decide_deployment"
    """Sign whether a mobile camera goes to a place, and whether it stays longer."""
    ENROL = "enrol"
    SUPERVISE = "supervise"
    """See how the service itself fares: its camera hosts, and who watches what through them."""
    ADMINISTER = "administer"
    AUDIT = "audit"

    @property
    def of_cameras(self) -> bool:
        """Return whether it is held over cameras: over all of them, or over those of a group."""
        return self in _OF_CAMERAS


_OF_CAMERAS = frozenset(
    {
        Permission.VIEW_LIVE,
        Permission.STILL,
        Permission.VIEW_RECORDED,
        Permission.STEER,
        Permission.EXPORT,
        Permission.HOLD,
        Permission.SHARE,
    }
)


class Role(StrEnum):
    """What a user or token is everywhere. Grants add to it, over some cameras or for a time."""

    ADMINISTRATOR = "administrator"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    VIEWER = "viewer"
    MEMBER = "member"
    """Signs in, and may do what grants say and nothing else."""
    PARTNER = "partner"
    """Belongs to another organisation: sees what is shared with them and nothing else."""

    @property
    def permissions(self) -> frozenset[Permission]:
        """Return the bundle."""
        return _BUNDLES[self]

    @property
    def ceiling(self) -> frozenset[Permission]:
        """Return what an API token of this role may do at most: a partner's player may show what is shared."""
        return self.permissions | {Permission.VIEW_LIVE} if self is Role.PARTNER else self.permissions


_MEMBER = frozenset({Permission.SIGNED_IN})
_VIEWER = _MEMBER | {Permission.VIEW_LIVE, Permission.STILL, Permission.VIEW_RECORDED}
_OPERATOR = _VIEWER | {
    Permission.STEER,
    Permission.EXPORT,
    Permission.HOLD,
    Permission.SHARE,
    Permission.BREAK_GLASS,
    Permission.DEPLOY,
}
_SUPERVISOR = _OPERATOR | {
    Permission.SUPERVISE,
    Permission.APPROVE,
    Permission.DECIDE_DEPLOYMENT,
    Permission.AUDIT,
}
_BUNDLES = {
    Role.PARTNER: _MEMBER,
    Role.MEMBER: _MEMBER,
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMINISTRATOR: frozenset(Permission),
}
