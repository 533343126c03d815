"""What a unit's cameras are to show where it stands now is taken as it is signed off: nobody has to think of it.

A camera that was turned afterwards, by hand or by a blow, is found by it (docs/design/health.md). Whoever deploys may
take it anew at any time.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from gateway.audit.events import SYSTEM, Action, AuditEvent
from gateway.audit.trail import Trail
from gateway.db.reference_views import ReferenceView
from gateway.deployments.deployment import Deployment
from gateway.deployments.service import Deployments, Taken
from gateway.fleet.cameras import Camera
from gateway.fleet.service import Fleet
from kernel.clock import Clock
from kernel.errors import SightlineError

log = structlog.get_logger()

SIGNED_OFF = "signed-off"
TRIES, RETRY_S = 20, 30.0
"""No picture comes yet, or the head has just turned: it is tried for ten minutes and more."""


class Referring:
    """Made by :func:`open_referring`."""

    def __init__(
        self, fleet: Fleet, deployments: Deployments, trail: Trail, *, clock: Clock, group: asyncio.TaskGroup
    ) -> None:
        self._fleet = fleet
        self._deployments = deployments
        self._trail = trail
        self._clock = clock
        self._group = group
        self._running: dict[str, asyncio.Task[None]] = {}

    def heard(self, taken: Taken) -> None:
        """Have the views taken of a unit that was signed off."""
        known = taken.deployment
        if taken.entry.step == SIGNED_OFF:
            self._end(known.urn)
            name = f"views of {known.unit or known.urn}"
            self._running[known.urn] = self._group.create_task(self._take(known), name=name)

    def close(self) -> None:
        """Take no more."""
        for urn in tuple(self._running):
            self._end(urn)

    def _end(self, urn: str) -> None:
        running = self._running.pop(urn, None)
        if running is not None:
            running.cancel()

    async def _take(self, known: Deployment) -> None:
        missing = [one.id for one in self._fleet.cameras() if one.description.identity.urn == known.urn]
        for _ in range(TRIES):
            standing = self._deployments.standing(known.urn)
            if standing is None or standing.id != known.id:
                return
            missing = [one for one in missing if not await self._taken(one)]
            if not missing:
                return
            await self._clock.sleep(RETRY_S)
        log.warning("reference_view.not_taken", cameras=missing)

    async def _taken(self, camera_id: str) -> bool:
        """Return whether there is nothing more to be tried."""
        try:
            camera: Camera = self._fleet.camera(camera_id)
            seen = await self._fleet.host_of(camera).look(camera.id)
            if camera.view.head is not None and seen.at is None:
                return True  # Its head does not say where it stands: there is nothing to compare.
            await self._fleet.refer(camera, ReferenceView(self._clock.wall_ns(), seen.grey, seen.at))
        except SightlineError as error:
            log.info("reference_view.later", camera=camera_id, error=error.code)
            return False
        self._trail.note(
            AuditEvent(action=Action.REFERENCE_VIEW, actor=SYSTEM, subject=camera.id, details={"on": True})
        )
        return True


@asynccontextmanager
async def open_referring(
    fleet: Fleet, deployments: Deployments, trail: Trail, *, clock: Clock
) -> AsyncIterator[Referring]:
    """Take views of units as they are signed off, for the time of the block."""
    async with asyncio.TaskGroup() as group:
        referring = Referring(fleet, deployments, trail, clock=clock, group=group)
        detach = deployments.follow(referring.heard)
        try:
            yield referring
        finally:
            detach()
            referring.close()
