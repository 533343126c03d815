"""Pictures of alarms as deployments tell of them. Who may open one is decided by where its camera stood then."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.access.identity import Identity
from gateway.access.permissions import Permission
from gateway.api import deployment_models as shapes
from gateway.api.rooms import Rooms
from gateway.api.there import hidden, withheld
from gateway.api.times import iso, iso_or_none
from gateway.db.stays import StayRow
from gateway.deployments.deployment import Deployment, Seen
from gateway.deployments.stays import stay_at
from gateway.fleet.cameras import Camera


@dataclass(frozen=True, slots=True)
class Showing:
    """Which pictures somebody may open. Made by :func:`showing`."""

    the: Rooms
    who: Identity
    stills: frozenset[str] | None
    """Cameras of which they may take stills now; ``None``: of all."""
    cameras: Mapping[str, Camera]
    stays: Mapping[str, list[StayRow]]

    def of(self, known: Deployment) -> list[shapes.AlarmPicture]:
        """Return the pictures of a deployment, the oldest first."""
        return [
            shapes.AlarmPicture(
                sha256=sha256,
                camera=seen.camera,
                at=iso(seen.at_ns),
                may_open=self._may_open(seen),
                deleted=iso_or_none(seen.deleted_ns),
            )
            for sha256, seen in sorted(known.pictures.items(), key=lambda entry: entry[1].at_ns)
        ]

    def _may_open(self, seen: Seen) -> bool:
        if self.stills is not None and seen.camera not in self.stills:
            return False
        camera, stay = self.cameras.get(seen.camera), stay_at(self.stays.get(seen.camera, ()), seen.at_ns)
        if camera is None or stay is None:
            return True
        if withheld(self.the, self.who, camera, seen.at_ns, seen.at_ns + 1):
            return False
        return not hidden(self.the, self.who, Permission.STILL, camera, [stay])


async def showing(the: Rooms, who: Identity, known: Iterable[Deployment]) -> Showing:
    """Return which pictures of these deployments somebody may open."""
    pictured = {seen.camera for one in known for seen in one.pictures.values()}
    cameras = {str(camera.id): camera for camera in the.fleet.cameras() if camera.id in pictured} if pictured else {}
    stays = await the.stays.of_all(cameras) if cameras else {}
    stills = the.decider.rights(who).cameras(Permission.STILL) if pictured else frozenset()
    return Showing(the, who, stills, cameras, stays)
