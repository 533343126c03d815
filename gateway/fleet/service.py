"""The fleet: enrolment, the list of cameras, and the newest state of each."""

import asyncio
from collections import defaultdict
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
from gateway.fleet.changes import (
    Announced,
    FleetChange,
    Happened,
    ListChanged,
    StateChanged,
    ViewerChanged,
    ViewersTold,
)
from gateway.fleet.demand import Demand, Thin, ending
from gateway.fleet.granted import Granted
from gateway.fleet.host_outlets import HostOutlets
from gateway.fleet.hosts import HostClient, HostError
from gateway.fleet.links import HostLink, HostPlace, off
from gateway.fleet.placement import Burden, lightest, moves
from gateway.fleet.pointing import Spot, Whither, check_same, deserted, met, pointed
from gateway.fleet.register import Register, unknown
from gateway.fleet.settling import settled
from gateway.fleet.states import States
from gateway.listeners import Listeners
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
        self._states = States(lambda camera: self.tell(StateChanged(camera)))
        self.turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By endpoint reference: which password a device takes is found out, or changed, by one at a time."""
        self._listeners: Listeners[[FleetChange]] = Listeners("fleet.untold")
        self._viewers = ViewersTold()
        self._granted = Granted(self.cameras)
        self.links = [
            HostLink(
                index,
                place,
                clock=clock,
                ours=self._ours,
                left=lambda host: self._ours(host, left=True),
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
        return self._states.of(camera)

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
            settled(self._states.of(one.id), withheld=not one.recording or self.withheld(one))
            for one in self._cameras.values()
        )

    def listen(self, listener: Callable[[FleetChange], None]) -> Callable[[], None]:
        """Call ``listener`` on the event loop with each change; returns the detaching call."""
        return self._listeners.add(listener)

    def hear_viewers(self, listener: Callable[[ViewerChanged], None]) -> Callable[[], None]:
        """Call ``listener`` with who comes and goes, what was told until now first; returns the detaching call."""
        return self._viewers.hear(listener)

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
            AnotherDeviceError: who answers there changed in between; nothing was stored.
        """
        found = (await self.probe(target)).description
        async with self.turns[found.identity.urn]:
            if await self._register.renewed(found.identity.urn):
                # It may have been given another password while it was looked at: what is stored is what it takes now.
                check_same(found.identity, (again := await self.probe(target)).description.identity)
                found = again.description
            stands = await placed(found.identity.urn) if placed is not None else None
            if stands is not None:
                facts = replace(facts, place=None)
            host = lightest([self._burden(link) for link in self.links])
            cameras, known = await self._register.store(target, found, facts, host=host, stands=stands)
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

    async def repoint(self, device_id: str, spot: Spot, *, still: Callable[[], bool] = lambda: True) -> bool:
        """Reach a device elsewhere from now on, once it was met there; return whether that is new.

        ``still`` says, as it is written, whether that is wanted yet: meeting it took seconds.

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
        if pointed(before, known, spot) == (before, known):
            return False
        there = await met(self.host_of(views[0]), before, known, spot)
        moved = await self._moved(device_id, lambda now, known: pointed(now, known, there) if still() else None)
        if moved:
            log.info("camera.repointed", device=device_id, host=there.host)
        return moved

    def withheld(self, camera: Camera) -> str:
        """Return why nothing of a camera may be recorded now; empty where it may."""
        why, from_ns = self._withheld(camera.description.identity.urn)
        return why if from_ns is None else ""

    async def desert(self, device_id: str) -> bool:
        """Take a device's cameras from their hosts, where it is where its unit said and nobody else; return whether so.

        Until it is enrolled again at an address that somebody names, or followed by a unit that is believed.
        """
        return await self._moved(device_id, deserted)

    async def _moved(self, device_id: str, there: Whither) -> bool:
        moved = await self._register.repoint(device_id, there)
        for camera in moved:
            await self._retold(camera)
        return bool(moved)

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
        self._states.forget(camera.id)
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
        self._states.left.discard(camera.id)
        if target.deserted:
            await self._link(camera).release(camera.id)
            self._states.leave(camera.id)
            return
        try:
            await self._link(camera).assign(self._assignment(camera, target))
            self._link(camera).tell_outlets_soon()
        except HostError as error:
            log.warning("host.assign_late", camera=camera.id, error=error.code)

    def _ours(self, host: int, *, left: bool = False) -> frozenset[CameraId]:
        mine = (one.id for one in self._cameras.values() if one.host == host)
        return frozenset(one for one in mine if (one in self._states.left) is left)

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
                self._states.leave(camera.id)
            elif isinstance(target, SightlineError):
                log.error("camera.unassignable", camera=camera.id, error=target.code)
                self._states.put(off(camera.id, target))
            else:
                wanted.append(self._assignment(camera, target))
        return wanted

    def _assignment(self, camera: Camera, target: CameraTarget) -> rpc.CameraAssignment:
        urn = camera.description.identity.urn
        return assigned(camera, target, withheld=self._withheld(urn), small_only=self.demand.small_only(urn))

    def _heard(self, line: rpc.StateLine) -> None:
        match line:
            case rpc.CameraChanged(state=state) if state.id in self._cameras.keys() - self._states.left:
                self._states.put(state)
            case rpc.CameraHappened() if line.id in self._cameras:
                self.tell(Happened(line))
            case rpc.DeviceSaid(urn=urn, addresses=addresses):
                self.tell(Announced(urn, addresses))
            case rpc.ViewerCame() | rpc.ViewerWent():
                self._viewers.tell(ViewerChanged(line))
            case _:
                pass

    def _lost(self, host: int, error: SightlineError) -> None:
        for camera in self._cameras.values():
            if camera.host == host and camera.id not in self._states.left:
                self._states.put(off(camera.id, error))

    def tell(self, change: FleetChange) -> None:
        """Tell whoever listens."""
        self._listeners.tell(change)


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
