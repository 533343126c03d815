"""The listening socket of a simulated camera, and the life of each connection."""

import asyncio
import random
import secrets
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import structlog

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.rtsp.authentication import Doorkeeper
from drivers.simulator.rtsp.description import AUDIO, METADATA, VIDEO
from drivers.simulator.rtsp.methods import Methods
from drivers.simulator.rtsp.requests import HEADER_LIMIT_BYTES, Answer, BadRequestError, Frame, Request, read
from drivers.simulator.rtsp.sessions import SESSION_TIMEOUT_S, Session
from drivers.simulator.rtsp.tracks import AudioTrack, MetadataTrack, Track, VideoTrack
from kernel.clock import NS_PER_S, every
from kernel.ids import StreamName

log = structlog.get_logger(__name__)

HANG_LOOK_S = 0.2


@asynccontextmanager
async def rtsp_server(device: SimulatedDevice, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    """Serve ``rtsp://host:port/main`` and ``/sub`` while entered; writes the bound port to ``device.rtsp_port``.

    With ``tls`` the port speaks RTSPS instead. ``device.feeds`` is read at each DESCRIBE.

    Raises:
        OSError: the port is taken.
    """
    server = _Server(device)
    listener = await asyncio.start_server(
        server.serve, device.host, device.rtsp_port, ssl=tls, limit=HEADER_LIMIT_BYTES
    )
    device.rtsp_port = listener.sockets[0].getsockname()[1]
    device.listeners += server.observers
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(work) for work in server.work()]
            try:
                yield
            finally:
                listener.close()
                for task in running:
                    task.cancel()
                await server.hang_up()
    finally:
        for observer in server.observers:
            device.listeners.remove(observer)


class _Server:
    """The tracks of both streams, the sessions, and the open connections."""

    def __init__(self, device: SimulatedDevice) -> None:
        self.device = device
        rng = random.Random(f"rtsp-{device.number}")  # noqa: S311 - numbering, not a secret
        self.sessions: dict[str, Session] = {}
        audio = AudioTrack(device, rng) if device.audio is not None else None
        self._metadata = MetadataTrack(device, rng)
        self._audio = audio
        self.tracks: dict[StreamName, dict[str, Track]] = {}
        for name, feed in device.feeds.items():
            tracks: dict[str, Track] = {VIDEO: VideoTrack(device, feed, rng), METADATA: self._metadata}
            if audio is not None:
                tracks[AUDIO] = audio
            self.tracks[name] = tracks
        self.observers = [self._metadata.observe]
        self._methods = Methods(device, self.tracks, self.sessions)
        self._doorkeeper = Doorkeeper(device)
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def work(self) -> list[Coroutine[None, None, None]]:
        """Return what must run while the server does."""
        running = [self._metadata.run(), self._reap()]
        if self._audio is not None:
            running.append(self._audio.run())
        return running

    async def _reap(self) -> None:
        """End sessions that say nothing for longer than they were told."""
        async with every(self.device.clock, 5.0) as ticks:
            async for _ in ticks:
                oldest_ns = self.device.clock.monotonic_ns() - SESSION_TIMEOUT_S * NS_PER_S
                for session in [one for one in self.sessions.values() if one.seen_ns < oldest_ns]:
                    log.info("simulator.session_timeout", camera=self.device.number)
                    del self.sessions[session.ident]
                    session.close(farewell=True)
                    session.end()

    async def hang_up(self) -> None:
        """Cut every connection and wait until each has left."""
        tasks = list(self._connections)
        for writer in self._connections.values():
            writer.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Live with one client until it leaves or is cut."""
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        mine: set[str] = set()
        try:
            await self._converse(reader, writer, mine)
        except asyncio.CancelledError:
            pass  # hang_up() waits for us; streams would report the cancellation as an error
        except (ConnectionError, TimeoutError):
            log.info("simulator.client_left", camera=self.device.number)
        finally:
            del self._connections[task]
            for ident in mine:
                session = self.sessions.pop(ident, None)
                if session is not None:
                    session.close()
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mine: set[str]) -> None:
        def cut() -> None:
            log.warning("simulator.client_cut", camera=self.device.number, reason="reads too slowly")
            writer.transport.abort()

        while True:
            try:
                message = await read(reader)
            except BadRequestError as error:
                writer.write(Answer(400).encode("0"))
                await writer.drain()
                log.info("simulator.bad_request", camera=self.device.number, reason=str(error))
                return
            if message is None:
                return
            while self.device.faults.drop_link:
                await self.device.clock.sleep(HANG_LOOK_S)
            if isinstance(message, Frame):
                self._feedback(message, mine)
                continue
            if self.device.faults.garbage:
                writer.write(secrets.token_bytes(600))
            else:
                await self._answer(message, writer, cut, mine)

    async def _answer(
        self, request: Request, writer: asyncio.StreamWriter, cut: Callable[[], None], mine: set[str]
    ) -> None:
        answer = self._refusal(request)
        started = None
        if answer is None:
            answer, started = await self._methods.handle(request, writer, cut)
            self._keep(request, answer, mine)
        writer.write(answer.encode(request.headers.get("cseq", "0")))
        if started is not None:
            for outlet in started.outlets.values():
                outlet.open()

    def _refusal(self, request: Request) -> Answer | None:
        if request.version != "RTSP/1.0":
            return Answer(505)
        if "require" in request.headers:
            return Answer(551, [("Unsupported", request.headers["require"])])
        if request.method == "OPTIONS":
            return None
        challenges = self._doorkeeper.check(request.headers.get("authorization"), request.method)
        if challenges is None:
            return None
        return Answer(401, [("WWW-Authenticate", challenge) for challenge in challenges])

    def _keep(self, request: Request, answer: Answer, mine: set[str]) -> None:
        idents = {value.partition(";")[0] for name, value in answer.headers if name == "Session"}
        mine |= idents
        session = self.sessions.get(request.session)
        if session is not None:
            session.seen_ns = self.device.clock.monotonic_ns()

    def _feedback(self, frame: Frame, mine: set[str]) -> None:
        for session in filter(None, map(self.sessions.get, mine)):
            session.seen_ns = self.device.clock.monotonic_ns()
            for outlet in session.outlets.values():
                if frame.channel == getattr(outlet.carrier, "channels", (None, None))[1]:
                    outlet.feedback(frame.data)
