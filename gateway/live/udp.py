"""A UDP socket that every viewer of one local address shares."""

import asyncio
import socket
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from gateway.live.seats import Seat

Address = tuple[str, int]

_log = structlog.get_logger(__name__)


class UdpPath:
    """Satisfies ``gateway.live.seats.Path``. ``known`` tells whose packets come from an address."""

    tcp: Final = False

    def __init__(self, sock: socket.socket, local: Address) -> None:
        self.sock = sock
        self.local: Final = local
        self.known: dict[Address, Seat] = {}
        self._room: asyncio.Event | None = None

    def send(self, data: bytes | memoryview, address: Address) -> bool:
        """Send one packet; return False where there is no room, and nothing was sent.

        What the network refuses for the moment is lost: consent checks decide about that viewer.
        """
        try:
            self.sock.sendto(data, address)
        except BlockingIOError:
            return False
        except OSError as error:
            _log.debug("live.send_failed", error=error.strerror)
        return True

    async def room(self) -> None:
        """Return once there may be room again. All who wait share one event, and one watch on the socket."""
        if self._room is None:
            self._room = asyncio.Event()
            asyncio.get_running_loop().add_writer(self.sock.fileno(), self._has_room)
        await self._room.wait()

    def _has_room(self) -> None:
        asyncio.get_running_loop().remove_writer(self.sock.fileno())
        room, self._room = self._room, None
        assert room is not None
        room.set()

    def close(self) -> None:
        """Release the socket."""
        asyncio.get_running_loop().remove_reader(self.sock.fileno())
        if self._room is not None:
            self._has_room()
        self.sock.close()
