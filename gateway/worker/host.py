"""The camera host: every camera that is assigned to this process."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import structlog

from config.recording import DiskSettings, RecordingSettings
from config.settings import Settings
from drivers.addresses import AddressPolicy
from drivers.model import CameraTarget, DeviceIdentity, DiscoveredDevice
from drivers.onvif import accounts, discover, expand, hear_hellos, meet, set_password, stream_urls
from gateway.certificate import tls_paths
from gateway.fleet import rpc
from gateway.fleet.accounts import AccountList, AccountModel, AccountsWish, PasswordWish
from gateway.fleet.handshake import RPC_VERSION, HostVersion
from gateway.fleet.looking import DiscoverRequest
from gateway.live import LiveHub, open_live
from gateway.live.rtsp import RtspServer, open_rtsp
from gateway.worker.broadcast import Broadcast
from gateway.worker.camera import CameraActor, CameraPlane, tell_all
from gateway.worker.gate import ConnectGate
from gateway.worker.gauges import Gauges
from gateway.worker.looks import Looks
from gateway.worker.probing import Prober
from gateway.worker.problems import NoSuchCameraError
from gateway.worker.stream import MediaPlane
from kernel.clock import BELIEVED_S, NS_PER_S, Clock, SteadyClock
from kernel.head import Position
from kernel.ids import CameraId, StreamName
from recording import Storage, open_storage

_log = structlog.get_logger(__name__)

LOOK_S = 60.0


class CameraHost:
    """Made by :func:`open_cameras`."""

    def __init__(
        self, plane: CameraPlane, *, settings: Settings, group: asyncio.TaskGroup, outgoing: RtspServer | None = None
    ) -> None:
        """``outgoing`` is the RTSPS door, where there is to be one."""
        self.outgoing = outgoing
        self._plane = plane
        self._settings = settings
        self._group = group
        self._cameras: dict[CameraId, tuple[CameraActor, asyncio.Task[None]]] = {}
        self._steady = SteadyClock(plane.media.clock, believed_s=BELIEVED_S)
        self._ending: dict[CameraId, asyncio.Task[None]] = {}
        """Who waits for the instant from which a camera may not be recorded any more."""
        self._turn = asyncio.Lock()
        self._prober = Prober(
            clock=plane.media.clock,
            policy=plane.media.policy,
            max_clock_offset_s=settings.cameras.max_clock_offset_s,
        )
        self.gauges = Gauges(
            clock=plane.media.clock,
            hub=plane.media.hub,
            cameras=lambda: len(self._cameras),
            streams=lambda: (run for actor in self.cameras() for run in actor.streams),
            record_lane_bytes=settings.recording.lane_bytes,
        )
        self.looks = Looks(clock=plane.looking, cameras=self.cameras)
        self._started_ns = plane.media.clock.wall_ns()
        self._progress = 0
        self._written: dict[tuple[CameraId, StreamName], int] = {}

    @property
    def hub(self) -> LiveHub:
        """Return the viewers' side."""
        return self._plane.media.hub

    @property
    def storage(self) -> Storage:
        """Return the recordings."""
        return self._plane.media.storage

    @property
    def broadcast(self) -> Broadcast:
        """Return the state stream."""
        return self._plane.broadcast

    def camera(self, camera: str) -> CameraActor:
        """Return a camera of this host.

        Raises:
            NoSuchCameraError: it is not here.
        """
        found = self._cameras.get(CameraId(camera))
        if found is None:
            raise NoSuchCameraError("This host does not own that camera.", cure="Ask for /cameras.")
        return found[0]

    def cameras(self) -> tuple[CameraActor, ...]:
        """Return every camera."""
        return tuple(actor for actor, _ in self._cameras.values())

    async def assign(self, assignment: rpc.CameraAssignment) -> rpc.CameraState:
        """Own a camera from now on. The same again changes nothing; new names do not disturb its streams."""
        async with self._turn:
            found = self._cameras.get(assignment.id)
            self._end_on_time(assignment)
            if found is not None:
                if found[0].renamed(assignment):
                    return found[0].state()
                await self._stop(assignment.id)
            actor = CameraActor(assignment, self._plane)
            # A task of the host's own group: what the actor does not expect ends the host, which is restarted.
            task = self._group.create_task(actor.run(), name=f"camera {assignment.id}")
            self._cameras[assignment.id] = (actor, task)
            _log.info("camera.assigned", camera=assignment.id, number=assignment.number)
            actor.changed()
            return actor.state()

    def _end_on_time(self, assignment: rpc.CameraAssignment) -> None:
        """Have a recording end at the instant that it is said to, by our clock: the gateway may be away by then."""
        waiting = self._ending.pop(assignment.id, None)
        if waiting is not None and waiting is not asyncio.current_task():
            waiting.cancel()
        if assignment.withheld_from_ns is not None:
            name = f"{assignment.id} is recorded no more"
            self._ending[assignment.id] = self._group.create_task(self._withhold(assignment), name=name)

    async def _withhold(self, assignment: rpc.CameraAssignment) -> None:
        clock, from_ns = self._plane.media.clock, assignment.withheld_from_ns
        assert from_ns is not None
        while (left_ns := from_ns - self._steady.wall_ns()) > 0:
            # In pieces: the wall clock may be set meanwhile.
            await clock.sleep(min(left_ns / NS_PER_S, LOOK_S))
        async with self._turn:
            found = self._cameras.get(assignment.id)
            now = found[0].assignment if found is not None else None
        if now is not None and now.withheld_from_ns == from_ns:
            _log.info("camera.withheld", camera=assignment.id, number=now.number)
            await self.assign(now.model_copy(update={"withheld_from_ns": None}))

    def said_hello(self, device: DiscoveredDevice) -> None:
        """Tell of a Hello by a device whose cameras are here; others are no concern of this host."""
        if any(actor.assignment.description.identity.urn == device.urn for actor in self.cameras()):
            self._plane.broadcast.happened(rpc.DeviceSaid(urn=device.urn, addresses=device.addresses))

    async def release(self, camera: CameraId) -> None:
        """Let go of a camera, its streams ended in order: it is not to be recorded here, and loses nothing by that.

        One that is not here is no error: it was taken from this host before the host was started anew, or meanwhile.
        """
        async with self._turn:
            if camera in self._cameras:
                await self._let_go(camera)
                self._plane.broadcast.released(camera)
                _log.info("camera.released", camera=camera)
            await self.storage.leave(camera, "the camera was taken from its host")

    async def release_all(self) -> None:
        """Let go of every camera at once."""
        async with self._turn:
            await asyncio.gather(*(self._let_go(camera) for camera in tuple(self._cameras)))

    async def _let_go(self, camera: CameraId) -> None:
        waiting = self._ending.pop(camera, None)
        if waiting is not None:
            waiting.cancel()
        await self._stop(camera)

    async def _stop(self, camera: CameraId) -> None:
        actor, task = self._cameras[camera]
        self.hub.end(camera=actor.assignment.id)
        task.cancel()
        await asyncio.wait([task])
        del self._cameras[camera]

    async def probe(self, target: CameraTarget) -> rpc.Probed:
        """Look at a device; see ``drivers.onvif.enrol`` for what it raises."""
        return await self._prober.probe(target, owned=[actor.assignment for actor in self.cameras()])

    async def look(self, camera: str) -> tuple[bytes, Position | None]:
        """Return what a camera shows now, as a reference view, and where its head stands; not what it showed before.

        Raises:
            NoSuchCameraError: it is not here.
            NotSeenError: no picture comes, or none could be looked at; see :attr:`CameraActor.seen`.
        """
        actor = self.camera(camera)
        await self.looks.at(actor, since_ns=actor.show())
        return actor.seen

    async def identify(self, wish: rpc.IdentifyWish) -> DeviceIdentity:
        """Ask a device who it is; see ``drivers.onvif.meet`` for what it raises."""
        return await meet(wish.target, urn=wish.urn, clock=self._plane.media.clock, policy=self._plane.media.policy)

    async def stream_urls(self, target: CameraTarget) -> rpc.StreamUrls:
        """Ask a device where its main streams are; see ``drivers.onvif.stream_urls`` for what it raises."""
        media = self._plane.media
        return rpc.StreamUrls(urls=await stream_urls(target, clock=media.clock, policy=media.policy))

    async def accounts(self, wish: AccountsWish) -> AccountList:
        """Ask a device for its accounts; see ``drivers.onvif.accounts`` for what it raises."""
        media = self._plane.media
        listed = await accounts(wish.target, wish.description, clock=media.clock, policy=media.policy)
        return AccountList(accounts=tuple(AccountModel(name=one.name, level=one.level) for one in listed))

    async def set_password(self, wish: PasswordWish) -> None:
        """Give a device's account another password; see ``drivers.onvif.set_password`` for what it raises."""
        media, password = self._plane.media, wish.password.get_secret_value()
        await set_password(wish.target, wish.description, password, clock=media.clock, policy=media.policy)

    async def discover(self, wish: DiscoverRequest) -> list[DiscoveredDevice]:
        """Ask the camera network who is there.

        Raises:
            CameraRefusedAddressError: an address asked for by itself is one that no camera may have here.
        """
        media = self._plane.media
        for address in expand(wish.unicast):
            media.policy.check_ip(address)
        return await discover(clock=media.clock, timeout_s=wish.timeout_s, unicast=wish.unicast)

    def progress(self) -> int:
        """Return a count that grows for as long as this host does its work.

        Where streams are being recorded, only bytes that reach the disk count; where none is, that the loop turns.
        A host in which it stands for half a minute is stuck, and the watchdog's to end.
        """
        written = {
            (run.plan.camera, run.plan.stream): run.written_bytes
            for actor in self.cameras()
            for run in actor.streams
            if run.written_bytes is not None
        }
        if not written or written != self._written:
            self._progress += 1
        self._written = written
        return self._progress

    def version(self) -> HostVersion:
        """Return who this is."""
        settings = self._settings
        return HostVersion(
            rpc=RPC_VERSION, version=VERSION, pid=os.getpid(), owner=settings.recording.owner, site=settings.site
        )

    async def health(self) -> rpc.HostHealth:
        """Return what this host does as a whole."""
        disks = (await self.storage.stats()).disks
        facts = [run.facts() for actor in self.cameras() for run in actor.streams]
        return rpc.HostHealth(
            version=VERSION,
            rpc=RPC_VERSION,
            pid=os.getpid(),
            started_ns=self._started_ns,
            cameras=len(self._cameras),
            streams_live=sum(one.state is rpc.LiveState.LIVE for one in facts),
            recording=sum(one.recording is not None and one.recording.on for one in facts),
            viewers=len(self.hub.viewers()),
            progress=self.progress(),
            load=self.gauges.load,
            disks=tuple(asdict(disk) for disk in disks),
        )


def _version() -> str:
    try:
        return version("sightline")
    except PackageNotFoundError:
        return "uninstalled"


VERSION = _version()


def recording_settings(settings: Settings) -> RecordingSettings:
    """Return where to record: the configured disks, else one directory beside the gateway's data."""
    if settings.recording.disks:
        return settings.recording
    disk = DiskSettings(path=settings.server.data_dir / "recordings")
    return settings.recording.model_copy(update={"disks": (disk,)})


def _tls_files(settings: Settings) -> tuple[Path, Path]:
    """Return the certificate and key of the RTSPS door: its own, else the gateway's."""
    outgoing = settings.outgoing
    if outgoing.tls_certificate is not None and outgoing.tls_key is not None:
        return outgoing.tls_certificate, outgoing.tls_key
    return tls_paths(settings.server)


@asynccontextmanager
async def open_cameras(settings: Settings, *, clock: Clock, looking: Clock | None = None) -> AsyncIterator[CameraHost]:
    """Give a host that owns no camera yet; leaving it ends views, sessions and recordings in that order.

    Pictures are looked at by the clock ``looking``, where that is another one.

    Raises:
        recording.RecordingError: a disk is missing, full, read-only or not the one it was.
    """
    broadcast = Broadcast(clock=clock, load=lambda: host.gauges.load)
    async with (
        open_storage(recording_settings(settings), clock=clock) as storage,
        open_live(settings.live, clock=clock, gone=broadcast.missed) as hub,
        AsyncExitStack() as stack,
        asyncio.TaskGroup() as group,
    ):
        policy = AddressPolicy(
            allow_loopback=settings.cameras.allow_loopback, allow_networks=settings.cameras.allow_networks
        )
        media = MediaPlane(
            hub=hub,
            storage=storage,
            clock=clock,
            policy=policy,
            gate=ConnectGate(settings.cameras.connect_concurrency, clock=clock),
            clock_gate=ConnectGate(settings.cameras.connect_concurrency, clock=clock),
        )
        plane = CameraPlane(media=media, steering=settings.steering, broadcast=broadcast, looking=looking or clock)
        outgoing = await stack.enter_async_context(
            open_rtsp(settings.outgoing, _tls_files(settings), hub=hub, clock=clock, tell=broadcast.happened)
        )
        host = CameraHost(plane, settings=settings, group=group, outgoing=outgoing)
        await stack.enter_async_context(hear_hellos(host.said_hello))
        tickers = (
            group.create_task(tell_all(host.cameras, clock), name="camera host ticker"),
            group.create_task(host.gauges.run(), name="camera host gauges"),
            group.create_task(host.looks.run(), name="camera host looks"),
        )
        try:
            yield host
        finally:
            broadcast.close()
            await host.release_all()
            for ticker in tickers:
                ticker.cancel()
