"""The fleet: enrolment, the list of cameras, and the newest state of each."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import structlog

from drivers.model import CameraTarget, DiscoveredDevice
from gateway.db.engine import Database
from gateway.db.reference_views import ReferenceView
from gateway.fleet import rpc
from gateway.fleet.assigning import Withheld, assigned
from gateway.fleet.cameras import Camera, CameraFacts, Placed
from gateway.fleet.changes import Announced, FleetChange, Happened, ListChanged, StateChanged, ViewerChanged
from gateway.fleet.demand import Demand, Thin, ending
from gateway.fleet.errors import DesertedError
from gateway.fleet.granted import Granted
from gateway.fleet.host_outlets import HostOutlets
from gateway.fleet.hosts import HostClient, HostError
from gateway.fleet.links import HostLink, HostPlace, off
from gateway.fleet.placement import Burden, lightest, moves
from gateway.fleet.pointing import Spot, check_same, pointed, streams_at
from gateway.fleet.register import Register, unknown
from gateway.fleet.settling import settled
from gateway.vault import Vault
from kernel.clock import Clock
from kernel.errors import SightlineError
from kernel.ids import CameraId
from ptz.bounds import Bounds

log = structlog.get_logger()


class Fleet:
    """Every camera. Made by :func:`open_fleet`."""

    def __init__(
        self, register: Register, places: Sequence[HostPlace], *, clock: Clock, withheld: Withheld, thin: Thin
    ) -> None:
        self._register = register
        self._withheld = withheld
        self.demand = Demand(thin, clock=clock)
        self._cameras: dict[CameraId, Camera] = {}
        self._states: dict[CameraId, rpc.CameraState] = {}
        self._deserted: set[CameraId] = set()
        """Taken from their hosts: a state of theirs that comes late is of before."""
        self._listeners: list[Callable[[FleetChange], None]] = []
        self._viewers_told: list[ViewerChanged] = []
        """Until somebody hears them: a host tells the ends that nobody heard as soon as it is linked."""
        self._hears_viewers: Callable[[ViewerChanged], None] = self._viewers_told.append
        self._granted = Granted(self.cameras)
        self.links = [
            HostLink(
                index,
                place,
                clock=clock,
                ours=self._ours,
                assignments=self._assignments,
                heard=self._heard,
                lost=self._lost,
                outlets=self._granted.of_host,
                outlets_known=lambda: self._granted.known,
            )
            for index, place in enumerate(places)
        ]
        self.outlets = HostOutlets(self._granted, self.links)
        """What partners' own systems may take."""

    # --- reading

    def cameras(self) -> list[Camera]:
        """Return every camera by number."""
        return sorted(self._cameras.values(), key=lambda camera: camera.number)

    def camera(self, camera: str) -> Camera:
        """Return one camera.

        Raises:
            UnknownCameraError: there is none.
        """
        found = self._cameras.get(CameraId(camera))
        if found is None:
            raise unknown()
        return found

    def state(self, camera: CameraId) -> rpc.CameraState | None:
        """Return the newest state of a camera; ``None`` before its host has told it."""
        return self._states.get(camera)

    def host_of(self, camera: Camera) -> HostClient:
        """Return the host that owns a camera."""
        return self._link(camera).client

    @property
    def up(self) -> bool:
        """Whether every host is linked."""
        return all(link.up for link in self.links)

    @property
    def settled(self) -> bool:
        """Whether every host is linked and every camera records, or is known not to work at the moment."""
        return self.up and all(
            settled(self._states.get(one.id), withheld=not one.recording or self.withheld(one))
            for one in self._cameras.values()
        )

    def listen(self, listener: Callable[[FleetChange], None]) -> Callable[[], None]:
        """Call ``listener`` on the event loop with each change; returns the detaching call."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def hear_viewers(self, listener: Callable[[ViewerChanged], None]) -> Callable[[], None]:
        """Call ``listener`` with who comes and goes, what was told until now first; returns the detaching call."""
        told, self._viewers_told = self._viewers_told, []
        self._hears_viewers = listener
        for change in told:
            listener(change)

        def stop() -> None:
            self._hears_viewers = self._viewers_told.append

        return stop

    # --- changing

    async def probe(self, target: CameraTarget) -> rpc.Probed:
        """Look at a device with credentials, storing nothing."""
        return await self._asked(target.address).client.probe(target)

    async def discover(self, *, unicast: tuple[str, ...] = ()) -> list[tuple[DiscoveredDevice, bool]]:
        """Return who is on the camera network, and whether each is enrolled."""
        found = await self._asked().client.discover(unicast=unicast)
        known = await self._register.urns()
        return [(device, device.urn in known) for device in found]

    async def enrol(
        self, target: CameraTarget, facts: CameraFacts, *, placed: Placed | None = None
    ) -> tuple[list[Camera], bool]:
        """Look at a device, store it whole, and give it to a host; return its cameras and whether it was known.

        ``placed``: told a device's endpoint reference before any host has it. Where something else says where it stands
        its cameras keep their place, and views that are new have that one.

        Raises:
            HostError: the camera's or the host's own plain reason; nothing was stored.
            ConflictError: the number is taken; nothing was stored.
        """
        probed = await self.probe(target)
        stands = await placed(probed.description.identity.urn) if placed is not None else None
        if stands is not None:
            facts = replace(facts, place=None)
        host = lightest([self._burden(link) for link in self.links])
        cameras, known = await self._register.store(target, probed.description, facts, host=host, stands=stands)
        for camera in cameras:
            self._cameras[camera.id] = camera
            await self._assign(camera, target)
        self.tell(ListChanged())
        numbers = [camera.number for camera in cameras]
        log.info("camera.enrolled", device=cameras[0].device_id, cameras=numbers, known=known)
        return cameras, known

    async def change(
        self, camera: Camera, facts: CameraFacts, *, clear: frozenset[str] = frozenset(), moved_ns: int | None = None
    ) -> Camera:
        """Change what people say of a camera. ``moved_ns``: it was put up, or taken down, then; also where it stood.

        Raises:
            UnknownCameraError: it was removed.
            ConflictError: the number is taken.
        """
        return await self._retold(await self._register.change(camera.id, facts, clear=clear, moved_ns=moved_ns))

    async def bind(self, camera: Camera, bounds: Bounds) -> Camera:
        """Give a camera's head these limits and no-look zones; they hold once its host knows them.

        Raises:
            UnknownCameraError: it was removed.
        """
        await self._register.bind(camera.id, bounds)
        return await self._retold(replace(self._cameras[camera.id], bounds=bounds))

    async def refer(self, camera: Camera, view: ReferenceView | None) -> Camera:
        """Have a camera's picture compared with this one from now on, or with none; raises as :meth:`bind`."""
        await self._register.refer(camera.id, view)
        return await self._retold(replace(self._cameras[camera.id], reference=view))

    async def _retold(self, changed: Camera) -> Camera:
        self._cameras[changed.id] = changed
        await self._assign(changed, await self._register.target(changed.device_id))
        self.tell(ListChanged())
        return changed

    async def repoint(self, device_id: str, spot: Spot) -> bool:
        """Reach a device elsewhere from now on, once it was met there; return whether that is new.

        Raises:
            UnknownCameraError: it was removed.
            AnotherDeviceError: somebody else answers there; nothing was changed.
            HostError: nobody answers there, or the host does not; nor was it.
        """
        views = [one for one in self._cameras.values() if one.device_id == device_id]
        if not views:
            raise unknown()
        known = views[0].description
        before = await self._register.target(device_id)
        target, description = pointed(before, known, spot)
        if (target, description) == (before, known):
            return False
        host = self.host_of(views[0])
        check_same(known.identity, await host.identify(target, known.identity.urn))
        if spot.rtsp_port is None:
            target, description = pointed(before, known, streams_at(known, await host.stream_urls(target), spot))
        for changed in await self._register.repoint(device_id, target, description):
            self._cameras[changed.id] = changed
            await self._assign(changed, target)
        self.tell(ListChanged())
        log.info("camera.repointed", device=device_id, address=target.address)
        return True

    def withheld(self, camera: Camera) -> str:
        """Return why nothing of a camera may be recorded now; empty where it may."""
        why, from_ns = self._withheld(camera.description.identity.urn)
        return why if from_ns is None else ""

    async def desert(self, device_id: str) -> bool:
        """Take a device's cameras from their hosts, where it is where its unit said and nobody else; return whether so.

        Until it is enrolled again at an address that somebody names, or followed by a unit that is believed.
        """
        target = await self._register.target(device_id)
        known = next((one.description for one in self._cameras.values() if one.device_id == device_id), None)
        if known is None or target.deserted or not target.roams:
            return False
        for changed in await self._register.repoint(device_id, target.model_copy(update={"deserted": True}), known):
            await self._retold(changed)
        return True

    async def judge(self, urn: str) -> None:
        """Tell the hosts anew of a device's cameras: whether they may be recorded has changed."""
        self.tell(ListChanged())
        for camera in self.cameras():
            if camera.description.identity.urn == urn:
                await self._assign(camera, await self._register.target(camera.device_id))

    async def show_main(self, camera: Camera, seconds: int) -> None:
        """Take the main streams of a camera's device over its thin link for so long; 0 ends it.

        Views of it end, and come again with what there is then.
        """
        urn = camera.description.identity.urn
        before = self.demand.small_only(urn)
        self.demand.ask(urn, seconds)
        if self.demand.small_only(urn) is not before:
            await self.judge(urn)
        self.tell(ListChanged())

    async def end_demands(self) -> None:
        """Go back to the sub stream where the time that somebody asked for is over."""
        for urn in self.demand.lapsed():
            await self.judge(urn)
            self.demand.forget(urn)
            self.tell(ListChanged())

    async def remove(self, camera: Camera) -> None:
        """Forget a camera. What was recorded stays until its retention ends."""
        await self._register.remove(camera.id)
        self._cameras.pop(camera.id, None)
        self._states.pop(camera.id, None)
        self._deserted.discard(camera.id)
        await self._link(camera).release(camera.id)
        self._link(camera).tell_outlets_soon()
        self.tell(ListChanged())

    # --- inside

    async def load(self) -> None:
        """Read the register, and place the cameras anew that the number of hosts concerns."""
        cameras = await self._register.cameras()
        moved = moves(cameras, len(self.links))
        if moved:
            await self._register.move(moved)
            log.info("fleet.placed_anew", cameras=len(moved), hosts=len(self.links))
        self._cameras = {camera.id: replace(camera, host=moved.get(camera.id, camera.host)) for camera in cameras}

    def _link(self, camera: Camera) -> HostLink:
        return self.links[camera.host]

    def _asked(self, address: str | None = None) -> HostLink:
        """Return the host for a question that any can answer: the owner of that device, else one that is there.

        The owner knows its head and does not turn it; the others would.
        """
        owners = [self._link(camera) for camera in self._cameras.values() if camera.address == address]
        return next((link for link in (*owners, *self.links) if link.up), (*owners, *self.links)[0])

    def _burden(self, link: HostLink) -> Burden:
        return Burden(up=link.up, cameras=len(self._ours(link.index)), load=link.load)

    async def _assign(self, camera: Camera, target: CameraTarget) -> None:
        self._deserted.discard(camera.id)
        if target.deserted:
            await self._link(camera).release(camera.id)
            self._leave(camera)
            return
        try:
            await self._link(camera).assign(self._assignment(camera, target))
            self._link(camera).tell_outlets_soon()
        except HostError as error:
            log.warning("host.assign_late", camera=camera.id, error=error.code)

    def _leave(self, camera: Camera) -> None:
        self._deserted.add(camera.id)
        self._set_state(off(camera.id, DesertedError()))

    def _ours(self, host: int) -> frozenset[CameraId]:
        return frozenset(camera.id for camera in self._cameras.values() if camera.host == host)

    async def _assignments(self, host: int) -> list[rpc.CameraAssignment]:
        """Return what a host is to do.

        Raises:
            DatabaseError: the register cannot be read now; nothing is known of any camera, so the link tries again.
        """
        targets = await self._register.targets()
        wanted = []
        for camera in self.cameras():
            if camera.host != host:
                continue
            target = targets.get(camera.device_id) or unknown()
            if isinstance(target, CameraTarget) and target.deserted:
                self._leave(camera)
            elif isinstance(target, SightlineError):
                log.error("camera.unassignable", camera=camera.id, error=target.code)
                self._set_state(off(camera.id, target))
            else:
                wanted.append(self._assignment(camera, target))
        return wanted

    def _assignment(self, camera: Camera, target: CameraTarget) -> rpc.CameraAssignment:
        urn = camera.description.identity.urn
        return assigned(camera, target, withheld=self._withheld(urn), small_only=self.demand.small_only(urn))

    def _heard(self, line: rpc.StateLine) -> None:
        match line:
            case rpc.CameraChanged(state=state) if state.id in self._cameras.keys() - self._deserted:
                self._set_state(state)
            case rpc.CameraHappened() if line.id in self._cameras:
                self.tell(Happened(line))
            case rpc.DeviceSaid(urn=urn, addresses=addresses):
                self.tell(Announced(urn, addresses))
            case rpc.ViewerCame() | rpc.ViewerWent():
                self._hears_viewers(ViewerChanged(line))
            case _:
                pass

    def _lost(self, host: int, error: SightlineError) -> None:
        for camera in self._cameras.values():
            if camera.host == host and camera.id not in self._deserted:
                self._set_state(off(camera.id, error))

    def _set_state(self, state: rpc.CameraState) -> None:
        if self._states.get(state.id) != state:
            self._states[state.id] = state
            self.tell(StateChanged(state.id))

    def tell(self, change: FleetChange) -> None:
        """Tell whoever listens."""
        for listener in tuple(self._listeners):
            listener(change)


@asynccontextmanager
async def open_fleet(  # noqa: PLR0913 - what it is opened with
    database: Database,
    places: Sequence[HostPlace],
    *,
    clock: Clock,
    vault: Vault,
    withheld: Withheld = lambda _urn: ("", None),
    thin: Thin = lambda _urn: False,
) -> AsyncIterator[Fleet]:
    """Give the fleet for the time of the block, its hosts linked by one task each."""
    fleet = Fleet(Register(database, clock=clock, vault=vault), places, clock=clock, withheld=withheld, thin=thin)
    await fleet.load()
    async with AsyncExitStack() as stack:
        for link in fleet.links:
            await stack.enter_async_context(link.client)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(link.run(), name=f"host link {link.index}") for link in fleet.links]
            running.append(tasks.create_task(ending(fleet.end_demands, clock), name="main streams on demand"))
            try:
                yield fleet
            finally:
                for task in running:
                    task.cancel()
