"""One camera host as the gateway holds it: connected again and again, told its cameras, listened to.

A link that breaks costs nobody else anything: nothing waits for it, what was asked of the host fails at once, and once
it is back only what has changed is said again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

import structlog

from gateway.db.errors import DatabaseError
from gateway.fleet import rpc
from gateway.fleet.calls import HostBusyError, HostError, HostMismatchError, HostSilentError, HostUnreachableError
from gateway.fleet.handshake import RPC_VERSION, HostVersion, digest
from gateway.fleet.hosts import HostClient
from gateway.fleet.load import HostLoad
from gateway.fleet.outlets import Outlet, OutletEnds
from kernel.clock import NS_PER_S, Clock
from kernel.errors import SightlineError
from kernel.ids import CameraId
from kernel.supervision import Backoff, try_forever

log = structlog.get_logger()

BACKOFF = Backoff(base_s=0.1, cap_s=0.5)
"""Asking whether a local socket answers costs next to nothing; a host that is back is told its cameras at once."""
AT_ONCE = 8
"""Assignments on their way to one host together."""
SAY_AGAIN_S = 30.0
"""A link that is down for one reason says so this often; a camera that a host refused is offered again this often."""
_SERVER_ERROR = 500
SOON_S = 1.0
"""What a host could not take at the moment is offered again after this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPlace:
    """Where a host answers and who must answer there; ``owner`` and ``site`` as in :class:`HostVersion`."""

    socket: Path
    owner: str
    site: str
    name: str
    """As an operator knows it: ``sightline-host@1``."""
    restart: str
    """How an operator starts it anew."""


class HostLink:
    """The link to one host. :meth:`run` keeps it up."""

    def __init__(  # noqa: PLR0913 - what the fleet hands over
        self,
        index: int,
        place: HostPlace,
        *,
        clock: Clock,
        ours: Callable[[int], frozenset[CameraId]],
        left: Callable[[int], frozenset[CameraId]],
        assignments: Callable[[int], Awaitable[list[rpc.CameraAssignment]]],
        heard: Callable[[rpc.StateLine], None],
        lost: Callable[[int, SightlineError], None],
        outlets: Callable[[int], dict[str, Outlet]] = lambda _: {},
        outlets_known: Callable[[], bool] = lambda: False,
    ) -> None:
        """``left`` gives those of the host's cameras that nobody is to have.

        ``outlets`` gives what the host is to have; until they are all known it keeps what it has beside.
        """
        self.index = index
        self.place = place
        self.client = HostClient(place.socket)
        self.up = False
        """The state stream runs, and every camera has been told; one that the host could not take is offered again."""
        self.beats = 0
        """Lines heard since the start."""
        self.load: HostLoad | None = None
        """The newest the host told; ``None`` while it is not linked."""
        self.version: str | None = None
        """Of the product, as the host told when it last answered."""
        self.problem: rpc.Problem | None = None
        """Why the link is down."""
        self._clock = clock
        self._ours = ours
        self._left = left
        self._assignments = assignments
        self._heard = heard
        self._lost = lost
        self._outlets = outlets
        self._outlets_known = outlets_known
        self.outlet_port: int | None = None
        """Where the host listens for RTSPS, as it said last; ``None`` where it does not, or was never asked."""
        self._knows_outlets: dict[str, str] = {}
        """Digests of what the host has, as far as is known."""
        self._saying: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """One word at a time is on its way about an outlet: a late one cannot undo a newer one."""
        self._newer: set[CameraId] = set()
        """Cameras assigned one by one while all are being assigned: theirs is the later word."""
        self._told = False
        """It has been told all its cameras in this linking."""
        self._hears = False
        """It has said a word in this linking."""
        self._owed_ns: int | None = None
        """When the host is to be told again what it does not know: something could not be said to it."""
        self._said_ns: int | None = None

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
        try:
            await self._greet()
            async with aclosing(self.client.states()) as lines:
                await self._listen(lines)
        except HostSilentError as error:
            # Whoever waits for it now would wait until the time limit; whoever asks next, too.
            self.client.wire.close_for(error)
            raise
        finally:
            self.up = False
            self.load = None
        raise HostUnreachableError(self.client.socket, "the state stream ended")

    async def _listen(self, lines: AsyncIterator[rpc.StateLine]) -> None:
        """Hear the host, and tell it its cameras meanwhile: if it falls silent while it is told, that is found out too.

        What the telling fails of is noticed with the next line, a second later at most.
        """
        self._told = self._hears = False
        telling = asyncio.create_task(self._tell(), name=f"host {self.index} told")
        try:
            async for line in lines:
                self._hears = True
                if telling.done():
                    telling.result()
                    self._linked()
                    if self._owed_ns is not None and self._clock.monotonic_ns() >= self._owed_ns:
                        telling = asyncio.create_task(self._tell(), name=f"host {self.index} told again")
                self._hear(line)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def _tell(self) -> None:
        self._owed_ns = None
        # First: what has ended meanwhile is still open there, and cameras may take their time.
        await self._tell_outlets()
        await self._assign_all()
        self._told = True
        self._linked()

    def _linked(self) -> None:
        if self._told and self._hears and not self.up:
            self.up = True
            self.problem = None
            self._said_ns = None
            log.info("host.linked", host=self.index)

    def _hear(self, line: rpc.StateLine) -> None:
        self.beats += 1
        if isinstance(line, rpc.Heartbeat):
            if line.load is not None:
                self.load = line.load
        else:
            self._heard(line)

    async def _greet(self) -> None:
        """Learn who answers, and speak no further to one that is not ours or would not understand.

        Raises:
            HostMismatchError: it is so.
        """
        found = await self.client.version()
        self.version = found.version
        error = mismatch(found, self.place)
        if error is not None:
            self.client.wire.close_for(error)
            raise error
        self.client.wire.reopen()

    async def _assign_all(self) -> None:
        """Make the host own exactly the cameras that are its, saying only what it does not know yet.

        One whose assignment cannot be made now is still its: the host keeps recording it as it last heard.
        """
        self._newer.clear()
        wanted = await self._assignments(self.index)
        known = await self.client.cameras()
        ours, left = self._ours(self.index), self._left(self.index)
        # It is told of those that were left whether it has them or not: it may have been down meanwhile.
        gone = {state.id for state in known.cameras if state.id not in ours} | left
        due = [one for one in wanted if known.assigned.get(one.id) != digest(one)]
        await _at_once(self.release(one) for one in sorted(gone) if one not in self._ours(self.index))
        await _at_once(self._offer(one) for one in due if self._still(one.id))
        if gone or due:
            log.info("host.assigned", host=self.index, told=len(due), released=len(gone), known=len(wanted) - len(due))

    async def _tell_outlets(self) -> None:
        """Make the host have exactly the outlets that are its, saying only what it does not know yet."""
        if not self._outlets_known():
            return
        found = await self.client.outlets()
        self.outlet_port, self._knows_outlets = found.port, dict(found.outlets)
        wanted = self._outlets(self.index)
        gone = [one for one in found.outlets if one not in wanted]
        due = [one.id for one in wanted.values() if found.outlets.get(one.id) != digest(one)]
        await _at_once(self.say_outlet(one) for one in (*gone, *due))

    def tell_outlets_soon(self) -> None:
        """Have the host told with its next line, a second from now at most, or once it is linked: not if it knows."""
        wanted = {one.id: digest(one) for one in self._outlets(self.index).values()}
        if self._outlets_known() and wanted != self._knows_outlets:
            self._owe(0.0)

    async def say_outlet(self, outlet: str) -> OutletEnds | None:
        """Have an outlet at the host be what it is to be by then: put, changed, or gone.

        ``None`` where it cannot be told now: it is told later.
        """
        async with self._saying.setdefault(outlet, asyncio.Lock()):
            wanted = self._outlets(self.index).get(outlet)
            try:
                if wanted is None:
                    ends = await self.client.remove_outlet(outlet)
                    self._knows_outlets.pop(outlet, None)
                else:
                    ends = await self.client.put_outlet(wanted)
                    self._knows_outlets[outlet] = digest(wanted)
            except HostError as error:
                # Refused, it stays so until the host is configured anew; busy or out of reach, it will pass.
                self._owe(SAY_AGAIN_S if error.status < _SERVER_ERROR else SOON_S)
                log.warning("host.outlet_late", host=self.index, outlet=outlet, error=error.code)
                return None
            self.outlet_port = ends.port
            return ends

    def _still(self, camera: CameraId) -> bool:
        """Whether a camera is still to be told as it was when the telling began."""
        return camera not in self._newer and camera in self._ours(self.index)

    async def _offer(self, assignment: rpc.CameraAssignment) -> None:
        """Tell the host one camera. Whether it is dead or silent is for its stream to say: one camera may be slow."""
        try:
            await self._send(assignment)
        except HostUnreachableError as error:
            if self.client.wire.shut is not None:
                raise
            log.warning("host.assign_late", host=self.index, camera=assignment.id, error=error.code)
            self._owe(SOON_S)

    async def _send(self, assignment: rpc.CameraAssignment) -> None:
        try:
            state = await self.client.assign(assignment)
        except HostUnreachableError:
            raise
        except HostBusyError:
            self._owe(SOON_S)
        except HostError as error:
            log.warning("host.refused_camera", host=self.index, camera=assignment.id, error=error.code)
            self._owe(SAY_AGAIN_S)
        else:
            self._heard(rpc.CameraChanged(state=state))

    def _owe(self, within_s: float) -> None:
        due_ns = self._clock.monotonic_ns() + round(within_s * NS_PER_S)
        self._owed_ns = due_ns if self._owed_ns is None else min(due_ns, self._owed_ns)

    async def assign(self, assignment: rpc.CameraAssignment) -> None:
        """Give the host a camera, or change what it was told of it. One that it refuses is offered again later.

        Raises:
            HostError: nothing can be said to the host at present; it is told later, once the link is up.
        """
        self._newer.add(assignment.id)
        try:
            await self._send(assignment)
        except HostError:
            self._owe(0.0)
            raise

    async def release(self, camera: CameraId) -> None:
        """Take a camera from the host, now or once the link is up again."""
        try:
            await self.client.release(camera)
        except HostError as error:
            self._owe(SOON_S)
            log.warning("host.release_late", host=self.index, camera=camera, error=error.code)

    def _failed(self, error: Exception, _delay_s: float) -> None:
        assert isinstance(error, (HostError, DatabaseError))
        before = self.problem.type if self.problem is not None else None
        self.problem = error.problem if isinstance(error, HostError) else _problem(error)
        now_ns = self._clock.monotonic_ns()
        if before != self.problem.type or self._said_ns is None or now_ns - self._said_ns >= SAY_AGAIN_S * NS_PER_S:
            self._said_ns = now_ns
            log.warning("host.lost", host=self.index, error=error.code, detail=error.message, cure=error.cure)
        self._lost(self.index, error)


def mismatch(found: HostVersion, place: HostPlace) -> HostMismatchError | None:
    """Return why one must not speak further to who answers at a place; ``None`` where it is the one."""
    if found.rpc != RPC_VERSION:
        return HostMismatchError(
            f"The camera host {place.name} is of another version ({found.version}, wire {found.rpc}) than this gateway"
            f" (wire {RPC_VERSION}); it keeps recording what it has.",
            cure=f"Restart it so that it runs what is installed: {place.restart}.",
        )
    if (found.owner, found.site) != (place.owner, place.site):
        return HostMismatchError(
            f"What answers at {place.socket} is the camera host {found.owner} of {found.site}, not {place.owner} of"
            f" {place.site}.",
            cure="Give each gateway a hosts.socket_dir of its own, and restart its hosts.",
            code="host.stranger",
        )
    return None


def _problem(error: SightlineError) -> rpc.Problem:
    return rpc.Problem(type=error.code, title=error.message, cure=error.cure, status=503)


async def _at_once(calls: Iterable[Awaitable[object]]) -> None:
    """Await all of ``calls``, a few at once. The first failure ends the others, and is raised as it is."""
    left = iter(calls)

    async def some(mine: Iterator[Awaitable[object]]) -> None:
        for call in mine:
            await call

    workers = [asyncio.ensure_future(some(left)) for _ in range(AT_ONCE)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


def off(camera: CameraId, error: SightlineError) -> rpc.CameraState:
    """Return the state of a camera whose host does not answer."""
    problem = rpc.Problem(type=error.code, title=error.message, cure=error.cure, status=503)
    return rpc.CameraState(
        id=camera, live=rpc.LiveState.OFF, problem=problem, main=rpc.StreamFacts(state=rpc.LiveState.OFF)
    )
