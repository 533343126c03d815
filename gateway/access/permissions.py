"""Roles are bundles of permissions."""

from enum import StrEnum


class Permission(StrEnum):
    """One thing that somebody may do. Every route names the one it needs."""

    SIGNED_IN = "signed_in"
    """Be here at all: see one's own session and end it."""
    VIEW_LIVE = "view_live"
    VIEW_RECORDED = "view_recorded"
    STEER = "steer"
    EXPORT = "export"
    ENROL = "enrol"
    SUPERVISE = "supervise"
    """See how the service itself fares: its camera hosts, and who watches what through them."""
    ADMINISTER = "administer"
    AUDIT = "audit"


class Role(StrEnum):
    """What a user or token is."""

    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    VIEWER = "viewer"

    @property
    def permissions(self) -> frozenset[Permission]:
        """Return the bundle."""
        return _BUNDLES[self]


_VIEWER = frozenset({Permission.SIGNED_IN, Permission.VIEW_LIVE, Permission.VIEW_RECORDED})
_OPERATOR = _VIEWER | {Permission.STEER, Permission.EXPORT}
_BUNDLES = {Role.VIEWER: _VIEWER, Role.OPERATOR: _OPERATOR, Role.ADMINISTRATOR: frozenset(Permission)}
