"""A bad line between viewers and the one UDP port of a host: loss, delay, reordering, a thin link with its queue.

It runs in a thread of its own, so that what it does to a packet does not wait for the loop under test. Viewers talk to
``address``; each of them gets an upstream socket, so that the host sees as many addresses as there are viewers.
"""

import heapq
import random
import selectors
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Self

Address = tuple[str, int]

BUFFER_BYTES = 4 * 1024 * 1024
_BATCH = 64


@dataclass(slots=True)
class Carried:
    """What became of the packets of one way."""

    taken: int = 0
    lost: int = 0
    """By chance, by a rule, or while the line was cut."""
    overflowed: int = 0
    """Found the thin link's queue full."""
    duplicated: int = 0
    overtaken: int = 0
    """Handed on after a packet that came later."""


@dataclass(slots=True)
class Way:
    """One direction; every knob may be turned at any time."""

    loss: float = 0.0
    """Share of packets lost by chance, each for itself."""
    delay_s: float = 0.0
    late: float = 0.0
    """Share of packets that are late, each for itself by up to ``late_s``: the others overtake them."""
    late_s: float = 0.02
    duplicate: float = 0.0
    """Share of packets that come twice."""
    bit_s: float | None = None
    """Rate of the link; packets queue for it."""
    queue_bytes: int = 96 * 1024
    """Room in that queue; what finds none is lost."""
    eats: Callable[[bytes], bool] | None = None
    """Loses the packets it says yes to; called in the relay's thread, once for each."""
    carried: Carried = field(default_factory=Carried)
    _free_at: float = 0.0

    def schedule(self, packet: bytes, now: float, chance: random.Random) -> list[float]:
        """Return when the packet, and its duplicate, are to be handed on; nothing where it is lost."""
        carried = self.carried
        carried.taken += 1
        # Chance is asked in the same order for every packet, so that one seed is one line, whatever knobs are turned.
        lost, late, by, twice = chance.random(), chance.random(), chance.random(), chance.random()
        if lost < self.loss or (self.eats is not None and self.eats(packet)):
            carried.lost += 1
            return []
        through = now
        if self.bit_s is not None:
            waiting_bytes = max(0.0, self._free_at - now) * self.bit_s / 8
            if waiting_bytes + len(packet) > self.queue_bytes:
                carried.overflowed += 1
                return []
            through = self._free_at = max(now, self._free_at) + len(packet) * 8 / self.bit_s
        due = [through + self.delay_s + (by * self.late_s if late < self.late else 0.0)]
        if twice < self.duplicate:
            carried.duplicated += 1
            due.append(through + self.delay_s + by * self.late_s)
        return due


class UdpRelay:
    """A context manager. ``host`` is the port behind it; the same ``seed`` gives the same run of chances."""

    def __init__(self, host: Address, *, seed: int = 1) -> None:
        self.down = Way()
        """From the host to viewers."""
        self.up = Way()
        """From viewers to the host."""
        self._host = host
        self._seed = seed
        self._cut_until = 0.0
        self._stopping = False
        self._selector = selectors.DefaultSelector()
        self._door = _socket()
        self._door.bind(("127.0.0.1", 0))
        self._selector.register(self._door, selectors.EVENT_READ, None)
        self._upstream: dict[Address, socket.socket] = {}
        self._due: list[tuple[float, int, bytes, socket.socket, Address | None, Carried]] = []
        self._order = count()
        self._newest: dict[tuple[socket.socket, Address | None], int] = {}
        self._bell, self._rope = socket.socketpair()
        self._selector.register(self._bell, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, name="udp relay", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._rope.send(b"!")
        self._thread.join()
        self._selector.close()
        for one in (self._door, self._bell, self._rope, *self._upstream.values()):
            one.close()

    @property
    def address(self) -> Address:
        """Return where viewers reach the host."""
        host, port = self._door.getsockname()
        return host, port

    @property
    def viewers(self) -> int:
        """Return how many addresses have been heard from."""
        return len(self._upstream)

    def cut(self, for_s: float) -> None:
        """Lose everything, both ways, from now on for so long."""
        self._cut_until = time.monotonic() + for_s

    @property
    def is_cut(self) -> bool:
        """Return whether it still does."""
        return time.monotonic() < self._cut_until

    def _run(self) -> None:
        # Two rows of chances: how many packets come up must not change what happens to those that go down.
        downs, ups = random.Random(self._seed), random.Random(self._seed + 1)  # noqa: S311 - no secret
        while not self._stopping:
            wait_s = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
            for key, _ in self._selector.select(wait_s):
                source = key.fileobj
                assert isinstance(source, socket.socket)
                if source is self._bell:
                    continue
                if source is self._door:
                    self._take_up(ups)
                else:
                    self._take_down(source, key.data, downs)
            self._hand_on()

    def _take_up(self, chance: random.Random) -> None:
        for _ in range(_BATCH):
            try:
                packet, viewer = self._door.recvfrom(65_536)
            except BlockingIOError:
                return
            upstream = self._upstream.get(viewer)
            if upstream is None:
                upstream = self._upstream[viewer] = _socket()
                upstream.connect(self._host)
                self._selector.register(upstream, selectors.EVENT_READ, viewer)
            self._plan(packet, self.up, chance, upstream, None)

    def _take_down(self, upstream: socket.socket, viewer: Address, chance: random.Random) -> None:
        for _ in range(_BATCH):
            try:
                packet = upstream.recv(65_536)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue  # the host's port was closed; its packets before that may still be there
            self._plan(packet, self.down, chance, self._door, viewer)

    def _plan(self, packet: bytes, way: Way, chance: random.Random, via: socket.socket, to: Address | None) -> None:
        now = time.monotonic()
        due = way.schedule(packet, now, chance)
        if now < self._cut_until:
            way.carried.lost += bool(due)
            return
        for when in due:
            heapq.heappush(self._due, (when, next(self._order), packet, via, to, way.carried))

    def _hand_on(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            _, order, packet, via, to, carried = heapq.heappop(self._due)
            newest = self._newest.get((via, to), -1)
            if order < newest:
                carried.overtaken += 1
            self._newest[via, to] = max(order, newest)
            try:
                if to is None:
                    via.send(packet)
                else:
                    via.sendto(packet, to)
            except (BlockingIOError, ConnectionRefusedError):
                carried.lost += 1  # the other side has closed, or its queue is full


def _socket() -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.settimeout(0)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        one.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    return one
