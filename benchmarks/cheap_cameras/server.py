"""Shows one reel to hundreds of RTSP clients, each at its own moment of it, in one thread."""

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from cheap_cameras.film import Reel
from cheap_cameras.replies import Replies, sender_report

SLOTS = 20
"""The cameras of one picture's time are sent to in so many groups, evenly spread over it."""
REPORT_S = 5.0
BACKLOG_LIMIT_BYTES = 16 * 1024 * 1024
"""A client that leaves more unread is cut, and the cut is counted."""


@dataclass(slots=True)
class Account:
    """What was sent of one camera, all its sessions together."""

    sessions: int = 0
    frames: int = 0
    """Pictures handed to the kernel whole, from each session's first keyframe on."""
    before: int = 0
    """Pictures sent before the first keyframe of a session: nobody can use them."""
    cut: int = 0
    """Sessions ended because the client read too slowly."""
    last: int | None = None
    """Which picture of the film was sent last."""


@dataclass(slots=True)
class Client:
    """One connection."""

    socket: socket.socket
    replies: Replies
    camera: int | None = None
    """Of what is being played."""
    backlog: deque[memoryview] = field(default_factory=deque)
    backlog_bytes: int = 0
    begun: bool = False
    """Its first keyframe was sent."""
    report_due: float = 0.0


class Server:
    """Serves ``rtsp://127.0.0.1:{port}/{camera}``. :meth:`run` lasts until ``handle`` closes it."""

    def __init__(self, reel: Reel, *, port: int = 0) -> None:
        self._reel = reel
        self._selector = selectors.DefaultSelector()
        self._listening = self._listen(port)
        self._clients: dict[int, Client] = {}
        self._slots: list[dict[int, Client]] = [{} for _ in range(SLOTS)]
        self._wired: dict[int, bytes] = {}
        self._began = time.monotonic()
        self._began_wall = time.time()
        self._slot_s = 1.0 / reel.film.shape.frame_rate / SLOTS
        self._tick = 0
        self.paused = False
        self.closing = False
        self.accounts: dict[int, Account] = {}
        self.late_ms: deque[float] = deque(maxlen=200_000)
        """How late each group was sent to."""

    @property
    def port(self) -> int:
        """Return where RTSP is served, and the time over ONVIF."""
        return int(self._listening.getsockname()[1])

    @property
    def backlog_bytes(self) -> int:
        """Return what clients have not taken yet."""
        return sum(client.backlog_bytes for client in self._clients.values())

    def listen_to(self, descriptor: int, handle: Callable[[], None]) -> None:
        """Call ``handle`` whenever ``descriptor`` can be read."""
        self._selector.register(descriptor, selectors.EVENT_READ, lambda _: handle())

    def resume(self) -> None:
        """Go on showing after a pause; the pictures of the pause are never shown."""
        missed_s = max(0.0, time.monotonic() - self._due())
        self._began += missed_s
        self._began_wall += missed_s
        self.paused = False

    def drop_all(self) -> None:
        """Break every connection, as a switch does that loses its power."""
        for client in tuple(self._clients.values()):
            self._close(client)

    def close(self) -> None:
        """End :meth:`run`."""
        self.closing = True

    def run(self) -> None:
        """Serve."""
        try:
            while not self.closing:
                wait_s = 0.2 if self.paused else max(0.0, self._due() - time.monotonic())
                for key, events in self._selector.select(wait_s):
                    key.data(events)
                if not self.paused:
                    self._show()
        finally:
            self.drop_all()
            self._selector.close()
            self._listening.close()

    # --- showing

    def _due(self) -> float:
        return self._began + self._tick * self._slot_s

    def _show(self) -> None:
        """Send to every group that is due; a late one is made up for at once and told in ``late_ms``."""
        while (late_s := time.monotonic() - self._due()) >= 0:
            number, slot = divmod(self._tick, SLOTS)
            self._tick += 1
            clients = self._slots[slot]
            if clients:
                self.late_ms.append(late_s * 1000)
                for client in tuple(clients.values()):
                    self._send_picture(client, number, slot)
            if slot == 0:
                self._wired.pop(number - 1, None)

    def _send_picture(self, client: Client, number: int, slot: int) -> None:
        camera = client.camera
        assert camera is not None
        shown = number + _phase(camera, len(self._reel))
        data = self._wired.get(shown)
        if data is None:
            data = self._wired[shown] = self._reel.picture(shown)
        account = self.accounts[camera]
        account.last = shown % len(self._reel)
        if not client.begun:
            client.begun = self._reel.pictures[shown % len(self._reel)].keyframe
        now = time.monotonic()
        if now >= client.report_due:
            client.report_due = now + REPORT_S
            captured = self._began_wall + (number * SLOTS + slot) * self._slot_s
            data = sender_report(captured, self._reel.timestamp(shown)) + data
        if client.begun:
            account.frames += 1
        else:
            account.before += 1
        self._send(client, data)

    def _send(self, client: Client, data: bytes) -> None:
        if not client.backlog:
            try:
                sent = client.socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._close(client)
                return
            if sent == len(data):
                return
            client.backlog.append(memoryview(data)[sent:])
            client.backlog_bytes = len(data) - sent
            self._selector.modify(client.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, self._handler(client))
            return
        client.backlog.append(memoryview(data))
        client.backlog_bytes += len(data)
        if client.backlog_bytes > BACKLOG_LIMIT_BYTES:
            if client.camera is not None:
                self.accounts[client.camera].cut += 1
            self._close(client)

    def _drain(self, client: Client) -> None:
        while client.backlog:
            try:
                sent = client.socket.send(client.backlog[0])
            except BlockingIOError:
                return
            except OSError:
                self._close(client)
                return
            client.backlog_bytes -= sent
            if sent < len(client.backlog[0]):
                client.backlog[0] = client.backlog[0][sent:]
            else:
                client.backlog.popleft()
        self._selector.modify(client.socket, selectors.EVENT_READ, self._handler(client))

    # --- connections

    def _listen(self, port: int) -> socket.socket:
        listening = socket.create_server(("127.0.0.1", port), backlog=1024)
        listening.settimeout(0)
        self._selector.register(listening, selectors.EVENT_READ, lambda _: self._accept())
        return listening

    def _accept(self) -> None:
        taken, _ = self._listening.accept()
        taken.settimeout(0)
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        replies = Replies(self._reel.film, play=self._play, stop=self._stop)
        client = self._clients[taken.fileno()] = Client(taken, replies)
        self._selector.register(taken, selectors.EVENT_READ, self._handler(client))

    def _handler(self, client: Client) -> "Callable[[int], None]":
        return lambda events: self._ready(client, events)

    def _ready(self, client: Client, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._drain(client)
        if events & selectors.EVENT_READ and client.socket.fileno() >= 0:
            try:
                data = client.socket.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            answer = client.replies.answer(data, client.socket.fileno()) if data else None
            if answer is None:
                self._close(client)
            elif answer:
                self._send(client, answer)

    def _play(self, descriptor: int, camera: int) -> None:
        client = self._clients[descriptor]
        if client.camera is None:
            client.camera = camera
            self.accounts.setdefault(camera, Account()).sessions += 1
            self._slots[camera % SLOTS][descriptor] = client

    def _stop(self, descriptor: int) -> None:
        client = self._clients[descriptor]
        if client.camera is not None:
            self._slots[client.camera % SLOTS].pop(descriptor, None)
            client.camera = None

    def _close(self, client: Client) -> None:
        descriptor = client.socket.fileno()
        if descriptor < 0:
            return
        self._stop(descriptor)
        del self._clients[descriptor]
        self._selector.unregister(client.socket)
        client.socket.close()
        client.backlog.clear()
        client.backlog_bytes = 0


def _phase(camera: int, length: int) -> int:
    """Return how many pictures a camera is ahead of the first: keyframes must not come all at once."""
    return camera * 37 % length
