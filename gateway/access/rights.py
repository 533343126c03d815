"""What somebody may do, on which cameras, and by which rule."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gateway.access.permissions import Permission
from kernel.ids import CameraId


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One rule's share of what somebody may do."""

    rule: str
    """Names the rule in the audit: ``role:operator``, ``grant:ID``, ``glass:ID``, ``share:ID``."""
    permissions: frozenset[Permission]
    cameras: frozenset[CameraId] | None = None
    """The cameras that it is about; ``None`` is all of them."""
    until_ns: int | None = None
    """When it ends by the clock, in ns since 1970 UTC; ``None``: not by itself."""

    def allows(self, permission: Permission, camera: CameraId | None) -> bool:
        """Return whether it allows this; without a camera, whether it allows it as such or on some cameras.

        What is not of cameras (keeping users, say) is allowed only by a right over all of them.
        """
        if permission not in self.permissions:
            return False
        if self.cameras is None:
            return True
        if not permission.of_cameras:
            return permission is Permission.SIGNED_IN
        return camera is None or camera in self.cameras


class Rights:
    """Everything that somebody may do at a moment. The first rule that allows something is the one that is named."""

    __slots__ = ("_rights",)

    def __init__(self, rights: Iterable[Right]) -> None:
        self._rights: Sequence[Right] = tuple(rights)

    @property
    def each(self) -> Sequence[Right]:
        """Return every rule's share, in the order in which they are asked."""
        return self._rights

    def without(self, rule: str) -> "Rights":
        """Return what is left when one rule is gone."""
        return Rights(right for right in self._rights if right.rule != rule)

    def rule(self, permission: Permission, camera: CameraId | None = None) -> str | None:
        """Return the rule that allows this, or ``None``."""
        return next((right.rule for right in self._rights if right.allows(permission, camera)), None)

    def until_ns(self, permission: Permission, camera: CameraId | None = None) -> int | None:
        """Return when the last right that allows this ends by the clock; ``None`` where one lasts, or none does."""
        ends = [right.until_ns for right in self._rights if right.allows(permission, camera)]
        lasting = None in ends or not ends
        return None if lasting else max(end for end in ends if end is not None)

    def permissions(self, camera: CameraId | None = None) -> frozenset[Permission]:
        """Return what they may do with a camera; without one, what they may do at all or with any camera."""
        return frozenset(permission for permission in Permission if self.rule(permission, camera) is not None)

    def cameras(self, permission: Permission) -> frozenset[CameraId] | None:
        """Return the cameras on which they may do this; ``None`` is all."""
        found: frozenset[CameraId] = frozenset()
        for right in self._rights:
            if permission in right.permissions:
                if right.cameras is None:
                    return None
                found |= right.cameras
        return found

    def within(self, ceiling: frozenset[Permission]) -> "Rights":
        """Return the same rights without any permission outside ``ceiling``: an API token's, or a locked session's."""
        return Rights(replace(right, permissions=right.permissions & ceiling) for right in self._rights)
