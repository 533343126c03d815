"""One camera host as the gateway holds it: connected again and again, told its cameras, listened to."""

from collections.abc import Awaitable, Callable

import structlog

from gateway.db.errors import DatabaseError
from gateway.fleet import rpc
from gateway.fleet.hosts import HostClient, HostError, HostUnreachableError
from kernel.clock import Clock
from kernel.errors import SightlineError
from kernel.ids import CameraId
from kernel.supervision import Backoff, try_forever

log = structlog.get_logger()

BACKOFF = Backoff(base_s=0.1, cap_s=2.0)


class HostLink:
    """The link to one host. :meth:`run` keeps it up."""

    def __init__(  # noqa: PLR0913 - what the fleet hands over
        self,
        index: int,
        client: HostClient,
        *,
        clock: Clock,
        ours: Callable[[int], frozenset[CameraId]],
        assignments: Callable[[int], Awaitable[list[rpc.CameraAssignment]]],
        heard: Callable[[rpc.StateLine], None],
        lost: Callable[[int, SightlineError], None],
    ) -> None:
        self.index = index
        self.client = client
        self.up = False
        """All cameras are assigned and the state stream runs."""
        self.beats = 0
        """Lines heard since the start."""
        self._clock = clock
        self._ours = ours
        self._assignments = assignments
        self._heard = heard
        self._lost = lost

    async def run(self) -> None:
        """Keep the link up, for ever."""
        await try_forever(
            self._run_once,
            clock=self._clock,
            expected=(HostError, DatabaseError),
            on_failure=self._failed,
            backoff=BACKOFF,
        )

    async def _run_once(self) -> None:
        await self._assign_all()
        try:
            async for line in self.client.states():
                if not self.up:
                    self.up = True
                    log.info("host.linked", host=self.index)
                self.beats += 1
                self._heard(line)
        finally:
            self.up = False
        raise HostUnreachableError(self.client.socket, "the state stream ended")

    async def _assign_all(self) -> None:
        """Make the host own exactly the cameras that are its.

        One whose assignment cannot be made now is still its: the host keeps recording it as it last heard.
        """
        wanted = await self._assignments(self.index)
        for state in await self.client.cameras():
            if state.id not in self._ours(self.index):
                await self.client.release(state.id)
        for assignment in wanted:
            await self.assign(assignment)

    async def assign(self, assignment: rpc.CameraAssignment) -> None:
        """Give the host a camera. One that it refuses is logged; the others are not kept waiting.

        Raises:
            HostUnreachableError: it gets the camera once the link is up again.
        """
        try:
            state = await self.client.assign(assignment)
        except HostUnreachableError:
            raise
        except HostError as error:
            log.warning("host.refused_camera", host=self.index, camera=assignment.id, error=error.code)
        else:
            self._heard(rpc.CameraChanged(state=state))

    async def release(self, camera: CameraId) -> None:
        """Take a camera from the host, now or once the link is up again."""
        try:
            await self.client.release(camera)
        except HostError as error:
            log.warning("host.release_late", host=self.index, camera=camera, error=error.code)

    def _failed(self, error: Exception, delay_s: float) -> None:
        assert isinstance(error, (HostError, DatabaseError))
        log.warning("host.lost", host=self.index, error=error.code, again_in_s=round(delay_s, 2))
        self._lost(self.index, error)


def off(camera: CameraId, error: SightlineError) -> rpc.CameraState:
    """Return the state of a camera whose host does not answer."""
    problem = rpc.Problem(type=error.code, title=error.message, cure=error.cure, status=503)
    return rpc.CameraState(
        id=camera, live=rpc.LiveState.OFF, problem=problem, main=rpc.StreamFacts(state=rpc.LiveState.OFF)
    )
