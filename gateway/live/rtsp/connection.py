"""One client's connection: messages and interleaved packets taken apart, room watched, and an end that is one."""

import asyncio
import socket
from contextlib import suppress
from struct import pack
from typing import Protocol, cast

import structlog

from drivers.errors import CameraAnswerError
from drivers.rtsp.messages import Message, take
from gateway.live.rtsp.limits import address_of
from gateway.live.rtsp.messages import Answer
from gateway.live.rtsp.wire import DOLLAR
from kernel.allowance import Allowance
from kernel.clock import Clock

_log = structlog.get_logger(__name__)

ROOM_BYTES = 64 * 1024
"""What may wait for a viewer before pictures do; about half a second more waits in the kernel."""
UNSENT_BYTES = 128 * 1024
"""As much may wait unsent in the kernel (tcp(7), TCP_NOTSENT_LOWAT): what it holds cannot be called back."""
UNREAD_MAX_BYTES = 1024 * 1024
"""Answers that a client asks for and does not read; one picture may be half of it."""
MESSAGES_PER_S, MESSAGES_BURST = 20, 60
"""Requests of one client. RTCP is not counted, nor answered."""
_TCP_NOTSENT_LOWAT = 25


class Dialogue(Protocol):
    """Answers the requests of one connection."""

    def answer(self, request: Message) -> Answer:
        """Return the answer. No request makes it raise."""
        ...

    def answered(self, request: Message) -> None:
        """Do what must come after the answer: play, or end."""
        ...

    def garbage(self) -> None:
        """Note that what came was no RTSP."""
        ...

    def over(self, reason: str) -> None:
        """Let go of everything: the connection is gone."""
        ...


class Connection(asyncio.Protocol):
    """Satisfies ``gateway.live.rtsp.view.Carrier``. ``dialogue`` is set before the first byte comes."""

    dialogue: Dialogue

    def __init__(self, raw: socket.socket, address: str, *, clock: Clock) -> None:
        self.address = address
        self.heard_ns = clock.monotonic_ns()
        """When the client last said anything."""
        self.full_since_ns: int | None = None
        """Since when it takes nothing in."""
        self.over = False
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done once the socket is closed, or its handshake failed."""
        self._raw = raw
        self._clock = clock
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._room = asyncio.Event()
        self._room.set()
        self._messages = Allowance(MESSAGES_PER_S, MESSAGES_BURST)
        # A port of the camera host: what waits for one viewer must stay short, since an end cannot take it back.
        raw.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: the TLS handshake is done."""
        # uvloop's transports are no asyncio.Transport by descent.
        self._transport = cast("asyncio.Transport", transport)
        if self.over:
            self._transport.abort()  # ended while TLS was being made
            return
        self._transport.set_write_buffer_limits(high=ROOM_BYTES, low=ROOM_BYTES // 4)

    def data_received(self, data: bytes) -> None:
        """Take what came. A failure of ours is this client's alone."""
        self._buffer += data
        self.heard_ns = self._clock.monotonic_ns()
        try:
            self._take_all()
        except CameraAnswerError:
            self.dialogue.garbage()
            self.write(Answer(400).written(None))
            self.close("sent no RTSP")
        except Exception:  # noqa: BLE001 - see above
            _log.exception("rtsp.request_failed", address=self.address)
            self.cut("failed")

    def pause_writing(self) -> None:
        """Hold pictures back."""
        self._room.clear()
        self.full_since_ns = self._clock.monotonic_ns()

    def resume_writing(self) -> None:
        """Send again."""
        self.full_since_ns = None
        self._room.set()

    def connection_lost(self, error: Exception | None) -> None:
        """End what it carried."""
        self._ended("left" if error is None else "connection lost")
        self.closed()

    # --- what dialogue and view use

    @property
    def local_address(self) -> str:
        """Return the address that the client came to."""
        assert self._transport is not None
        return address_of(self._transport.get_extra_info("sockname"))

    @property
    def full(self) -> bool:
        """See ``Outgoing``."""
        return not self._room.is_set()

    async def writable(self) -> None:
        """See ``Carrier``."""
        await self._room.wait()

    def write(self, data: bytes) -> None:
        """See ``Outgoing``."""
        if self._transport is not None and not self.over:
            self._transport.write(data)

    def closed(self) -> None:
        """Note that the socket is closed, TLS made or not."""
        if not self.gone.done():
            self.gone.set_result(None)

    def close(self, reason: str) -> None:
        """End in order, once what was written has left."""
        if self._transport is not None:
            self._transport.close()
        self._ended(reason)

    def cut(self, reason: str) -> None:
        """End at once. A reset, so that the kernel forgets what it has not sent yet: no later picture arrives."""
        if self.over:
            return
        with suppress(OSError):
            self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
        if self._transport is not None:
            self._transport.abort()
        self._ended(reason)

    # --- inside

    def _ended(self, reason: str) -> None:
        if self.over:
            return
        self.over = True
        self._buffer.clear()
        self._room.set()
        self.dialogue.over(reason)

    def _take_all(self) -> None:
        buffer, at = self._buffer, 0
        while at < len(buffer) and not self.over:
            if buffer[at] == DOLLAR:
                if len(buffer) - at < 4 or len(buffer) - at - 4 < (
                    size := int.from_bytes(buffer[at + 2 : at + 4], "big")
                ):
                    break
                at += 4 + size
                continue
            if buffer[at] in b"\r\n":
                at += 1  # between messages (RFC 7826 section 5.1), as some clients send
                continue
            found = take(buffer, at, len(buffer))
            if found is None:
                break
            message, at = found
            if message.status == 0:
                self._request(message)
        del buffer[:at]

    def _request(self, request: Message) -> None:
        if not self._messages.take(self._clock.monotonic_ns()):
            self.dialogue.garbage()
            self.cut("asked too much")
            return
        assert self._transport is not None
        if self._transport.get_write_buffer_size() > UNREAD_MAX_BYTES:
            self.cut("reads no answers")
            return
        self.write(self.dialogue.answer(request).written(request.cseq))
        self.dialogue.answered(request)
