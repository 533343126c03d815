"""The door: who is let in, who plays, and who has been silent, slow or undecided for too long."""

import asyncio
import errno
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from config.outgoing import OutgoingSettings
from gateway.fleet import rpc
from gateway.live.errors import LivePortError
from gateway.live.hub import LiveHub
from gateway.live.rtsp.certificate import Certificate
from gateway.live.rtsp.connection import Connection
from gateway.live.rtsp.dialogue import RtspDialogue
from gateway.live.rtsp.digest import Doorkeeper
from gateway.live.rtsp.limits import Failures, address_of
from gateway.live.rtsp.outlets import Outlets
from gateway.live.rtsp.view import RtspView
from kernel.clock import NS_PER_S, Clock

_log = structlog.get_logger(__name__)

LOOK_S = 1.0
"""Between two looks at every connection, and two sender reports of every view."""
BACKLOG = 128
GRACE = 1.25
"""A session may be silent for so many times the time-out that clients are told (RFC 7826 section 18.49)."""
PAUSE_S = 0.5
"""Without accepting, where the process has no descriptor left."""
CLOSE_S = 2.0
"""For the end of TLS in order."""

TellViewer = Callable[[rpc.ViewerCame | rpc.ViewerWent], None]


class RtspServer:
    """Satisfies ``gateway.live.rtsp.dialogue.House``. Made by :func:`open_rtsp`."""

    def __init__(  # noqa: PLR0913 - what a door is made of, once
        self,
        settings: OutgoingSettings,
        *,
        hub: LiveHub,
        clock: Clock,
        tell: TellViewer,
        group: asyncio.TaskGroup,
        certificate: Certificate,
    ) -> None:
        self.hub = hub
        self.clock = clock
        self.outlets = Outlets(clock=clock)
        self.doorkeeper = Doorkeeper(clock=clock)
        self.failures = Failures(clock=clock)
        self.session_timeout_s = settings.session_timeout_s
        self.port: int | None = None
        """Where it listens."""
        self._settings = settings
        self._tell = tell
        self._group = group
        self._certificate = certificate
        self._dialogues: dict[Connection, RtspDialogue] = {}
        self._playing: dict[RtspDialogue, asyncio.Task[None]] = {}
        self._addresses: Counter[str] = Counter()
        self._greeting: set[asyncio.Task[None]] = set()

    async def prepare(self) -> None:
        """Have a certificate, where there is one by now: who was just told of an outlet comes at once."""
        if self._certificate.context is None:
            await self._certificate.look()

    @property
    def connections(self) -> int:
        """Return how many there are, those in their handshake too."""
        return self._addresses.total()

    # --- House

    def play(self, dialogue: RtspDialogue) -> None:
        """See ``House``."""
        view = dialogue.view
        if view is None or dialogue in self._playing:
            return
        self._playing[dialogue] = self._group.create_task(view.run(), name=f"rtsp {view.id}")
        self.joined(view)

    def joined(self, view: RtspView) -> None:
        """See ``House``."""
        _log.info(
            "rtsp.joined",
            session=view.id,
            camera=view.feed.camera,
            stream=view.feed.stream,
            outlet=view.outlet.id,
            address=view.viewer.address,
        )
        self._tell(rpc.ViewerCame(viewer=view.state()))

    def left(self, dialogue: RtspDialogue, reason: str) -> None:
        """See ``House``."""
        task = self._playing.pop(dialogue, None)
        if task is None or dialogue.view is None:
            return
        task.cancel()
        view = dialogue.view
        _log.info("rtsp.left", session=view.id, camera=view.feed.camera, outlet=view.outlet.id, reason=reason)
        self._tell(rpc.ViewerWent(viewer=view.state(), reason=reason, wall_ns=self.clock.wall_ns()))

    # --- the door

    async def listen(self, listening: socket.socket) -> None:
        """Let in whoever comes, for ever."""
        loop = asyncio.get_running_loop()
        self.port = listening.getsockname()[1]
        while True:
            try:
                raw, peer = await loop.sock_accept(listening)
            except OSError as error:
                # No descriptor is left, or who came is gone already: neither is worth the host.
                if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                    await self.clock.sleep(PAUSE_S)
                continue
            address = address_of(peer)
            if not self._room_for(address):
                raw.close()
                continue
            self._addresses[address] += 1
            task = self._group.create_task(self._greet(raw, address), name=f"rtsp from {address}")
            self._greeting.add(task)
            task.add_done_callback(self._greeting.discard)

    def _room_for(self, address: str) -> bool:
        settings = self._settings
        return (
            self._certificate.context is not None
            and not self.failures.shut_out(address)
            and self._addresses[address] < settings.max_connections_per_address
            and self.connections < settings.max_connections
        )

    async def _greet(self, raw: socket.socket, address: str) -> None:
        """Make TLS with who came; from then on the connection lives by what it is sent."""
        connection = Connection(raw, address, clock=self.clock)
        connection.dialogue = dialogue = RtspDialogue(self, connection)
        self._dialogues[connection] = dialogue
        connection.gone.add_done_callback(lambda _: self._forget(connection))
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                raw,
                ssl=self._certificate.context,
                ssl_handshake_timeout=self._settings.connect_timeout_s,
                ssl_shutdown_timeout=CLOSE_S,
            )
        except OSError:  # TLS errors and time-outs are among them
            self.failures.note(address)
            connection.closed()
        except Exception:  # noqa: BLE001 - one client must not end the host
            _log.exception("rtsp.greeting_failed", address=address)
            raw.close()
            connection.closed()
        except asyncio.CancelledError:
            raw.close()
            connection.closed()
            raise

    def _forget(self, connection: Connection) -> None:
        self._dialogues.pop(connection, None)
        self._release(connection.address)

    def _release(self, address: str) -> None:
        self._addresses[address] -= 1
        if self._addresses[address] <= 0:
            del self._addresses[address]

    # --- by the clock

    async def keep(self) -> None:
        """Look at every connection once a second, for ever."""
        while True:
            await self.clock.sleep(LOOK_S)
            now_ns = self.clock.monotonic_ns()
            for dialogue in tuple(self._dialogues.values()):
                self._look(dialogue, now_ns)

    def _look(self, dialogue: RtspDialogue, now_ns: int) -> None:
        settings, connection, view = self._settings, dialogue.connection, dialogue.view

        def past(since_ns: int, limit_s: float) -> bool:
            return now_ns - since_ns > limit_s * NS_PER_S

        if view is None or not view.playing:
            if past(dialogue.began_ns, settings.connect_timeout_s):
                connection.cut("asked for nothing")
        elif past(connection.heard_ns, settings.session_timeout_s * GRACE):
            connection.cut("was silent")
        elif connection.full_since_ns is not None and past(connection.full_since_ns, settings.stall_timeout_s):
            connection.cut("takes nothing in")
        else:
            view.report()

    async def expire(self) -> None:
        """End outlets when their time is over, for ever."""
        while True:
            until_ns = self.outlets.expire()
            left_s = LOOK_S if until_ns is None else (until_ns - self.clock.wall_ns()) / NS_PER_S
            # The wall clock may jump: it is looked at once a second all the same.
            await self.clock.sleep(min(LOOK_S, max(0.0, left_s)))

    async def shut(self) -> None:
        """End every connection: the host ends."""
        gone = [connection.gone for connection in self._dialogues]
        for connection in tuple(self._dialogues):
            connection.cut("the camera host ends")
        for task in self._greeting:
            task.cancel()
        if gone:
            await asyncio.wait(gone)


def _bind(settings: OutgoingSettings) -> socket.socket:
    where = f"{settings.host} port {settings.port}"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listening = socket.create_server(
            (settings.host, settings.port), family=family, backlog=BACKLOG, dualstack_ipv6=settings.host == "::"
        )
    except OSError as error:
        raise LivePortError(
            f"Cannot listen for RTSPS on {where}: {error.strerror or error}.",
            cure="Set outgoing.host and outgoing.port, or outgoing.rtsps = false.",
        ) from None
    listening.setblocking(False)  # noqa: FBT003 - the socket's own signature
    return listening


@asynccontextmanager
async def open_rtsp(
    settings: OutgoingSettings, files: tuple[Path, Path], *, hub: LiveHub, clock: Clock, tell: TellViewer
) -> AsyncIterator[RtspServer | None]:
    """Give the RTSPS door of a camera host, or ``None`` where it is to have none; leaving it ends every view.

    ``files`` are certificate and key; ``tell`` is told who comes and goes.

    Raises:
        LivePortError: the port is another program's.
    """
    if not settings.rtsps:
        yield None
        return
    listening = await asyncio.to_thread(_bind, settings)
    try:
        async with asyncio.TaskGroup() as group:
            certificate = Certificate(*files, clock=clock)
            await certificate.look()
            server = RtspServer(settings, hub=hub, clock=clock, tell=tell, group=group, certificate=certificate)
            server.port = listening.getsockname()[1]
            tasks = [
                group.create_task(work, name=f"rtsp {name}")
                for name, work in (
                    ("door", server.listen(listening)),
                    ("keeper", server.keep()),
                    ("ends", server.expire()),
                    ("certificate", certificate.watch()),
                )
            ]
            try:
                yield server
            finally:
                for task in tasks:
                    task.cancel()
                await server.shut()
    finally:
        listening.close()
