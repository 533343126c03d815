"""What stands where now, and what may be recorded of it, from memory; and where a device stood before."""

from config.deployments import DeploymentSettings
from gateway.db.deployments import DeployableRow
from gateway.db.engine import Database
from gateway.deployments.deployment import Deployment
from gateway.deployments.geofence import Fence
from gateway.deployments.reading import Reading
from gateway.deployments.steps import Without
from gateway.deployments.watches import Watches
from kernel.clock import Clock

WITHHELD = "no valid deployment says why this camera stands here"


class Standing(Reading):
    """What :class:`gateway.deployments.service.Deployments` says of devices."""

    def __init__(self, database: Database, *, clock: Clock, settings: DeploymentSettings) -> None:
        super().__init__(database, clock=clock, settings=settings)
        self._deployables: dict[str, DeployableRow] = {}
        self._standing: dict[str, Deployment] = {}
        """By the endpoint reference of the device."""
        fence = Fence(radius_m=settings.fence_m, tilt_deg=settings.tilt_deg, shock_g=settings.shock_g)
        self._watches = Watches(fence)
        self._recorded_when_down: dict[str, dict[str, tuple[tuple[int, int], ...]]] = {}
        """By device and deployment, where there is any."""

    def withheld(self, urn: str) -> str:
        """Return why nothing may be recorded of a device now; empty where it may."""
        return "" if self.may_record(urn) else WITHHELD

    def may_record(self, urn: str) -> bool:
        """Return whether a device may be recorded: it does not move, or a valid deployment says why it is there."""
        if self._settings.record_without or urn not in self._deployables:
            return True
        standing = self._standing.get(urn)
        return standing is not None and standing.valid(self.now_ns())

    def blind(self, deployment_id: str, urn: str) -> Without | None:
        """Return why nothing that a device sees now may be put to a deployment; ``None`` where it may."""
        standing = self._standing.get(urn)
        if standing is None or standing.id != deployment_id:
            return Without.DOWN
        return None if self.may_record(urn) else Without.OVER

    def thin(self, urn: str) -> bool:
        """Return whether a device's pictures come over a thin link: its sub stream is taken, and main on demand."""
        return urn in self._deployables and self._deployables[urn].thin_link

    def standing(self, urn: str) -> Deployment | None:
        """Return the deployment by which a device stands where it stands."""
        return self._standing.get(urn)

    def watched(self, urn: str) -> bool:
        """Return whether what a device reports may be of a place: it stands, or stood lately and tells of it late."""
        return urn in self._standing or self._watches.down_lately(urn, self._clock.wall_ns())

    def recorded_when_down(self, urn: str) -> list[tuple[int, int]]:
        """Return from when to when a device was recorded although it was down, as nobody had said so; in order."""
        return sorted(span for spans in self._recorded_when_down.get(urn, {}).values() for span in spans)

    def _hide(self, then: Deployment) -> None:
        if then.recorded_when_down:
            self._recorded_when_down.setdefault(then.urn, {})[then.id] = then.recorded_when_down

    def deployable(self, urn: str) -> DeployableRow | None:
        """Return the mark of a device that moves."""
        return self._deployables.get(urn)

    def deployables(self) -> list[DeployableRow]:
        """Return every device that moves, by the label of its unit."""
        return sorted(self._deployables.values(), key=lambda row: (row.unit, row.urn))

    async def _stood_at(self, urn: str, at_ns: int) -> Deployment | None:
        """Return the deployment by which a device stood somewhere at an instant, be it down since or not."""
        here = self._standing.get(urn)
        if here is not None and here.stood(at_ns):
            return here
        if not self._watches.before_down(urn, at_ns):
            return None
        return next((one for one in await self.of_devices([urn]) if one.stood(at_ns)), None)
