"""One RTSP connection: requests and answers, and the packets interleaved between them (RFC 2326 section 10.12)."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from drivers.errors import CameraError
from drivers.rtsp.errors import StreamFellError
from drivers.rtsp.messages import BODY_LIMIT_BYTES, HEADER_LIMIT_BYTES, Message, take
from kernel.clock import Clock
from kernel.media import GapCause

Handler = Callable[[bytearray, int, int], None]
"""Takes a packet as (buffer, start, end); the buffer is only its until it returns."""
Follower = Callable[[bytearray, int, int], tuple[int, int]]
"""Takes what it can of the interleaved packets from start to end; returns where it stopped, and how many it took."""

WAKE_LIMIT_BYTES = 128 * 1024
"""Most that may wait in the kernel before it is taken."""
_RECEIVE_BYTES = 256 * 1024
_TAIL_LIMIT_BYTES = HEADER_LIMIT_BYTES + BODY_LIMIT_BYTES + 4
# One buffer serves every connection of the process: the loop reads into it and hands it over in one step, and each
# connection keeps only the tail of a packet that is not whole yet (docs/design/media.md, *RTSP*).
_BUFFER = bytearray(_TAIL_LIMIT_BYTES + _RECEIVE_BYTES)
_VIEW = memoryview(_BUFFER)
_NEWLINES = b"\r\n"


class Connection(asyncio.BufferedProtocol):
    """Speaks RTSP with one camera; fails once, with a :class:`CameraError` that every waiter sees."""

    def __init__(self, clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        self.handlers: list[Handler | None] = [None] * 256
        self.followers: list[Follower | None] = [None] * 256
        """Asked after each packet of their channel: they may take those behind it without ceremony."""
        self.received_ns = 0
        """Monotonic time of what is being handled."""
        self.bytes = self.packets = 0
        self.woken_at = 1
        """See :meth:`wake_at`."""
        self.ended: asyncio.Future[None] = loop.create_future()
        self._clock = clock
        self._tail = bytearray()
        self._transport: asyncio.Transport | None = None
        self._turn = asyncio.Lock()
        self._cseq = 0
        self._answer: asyncio.Future[Message] | None = None

    # --- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See :class:`asyncio.BaseProtocol`."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's transports are ones by shape only

    def connection_lost(self, exc: Exception | None) -> None:
        """See :class:`asyncio.BaseProtocol`; what is no failure of the link is a bug, and escapes through a waiter."""
        if exc is None or isinstance(exc, OSError):
            exc = StreamFellError(
                "The camera closed the connection.", cause=GapCause.NETWORK, cure="Check the camera and its link."
            )
        self._end(exc)

    def eof_received(self) -> bool:
        """See :class:`asyncio.Protocol`."""
        return False

    def get_buffer(self, sizehint: int) -> memoryview:
        """Put back the tail of last time and offer the room behind it."""
        del sizehint
        tail = self._tail
        if tail:
            size = len(tail)
            _BUFFER[:size] = tail
            return _VIEW[size:]
        return _VIEW

    def buffer_updated(self, nbytes: int) -> None:
        """Consume every whole packet and message; keep the rest."""
        end = len(self._tail) + nbytes
        self.bytes += nbytes
        self.received_ns = self._clock.monotonic_ns()
        try:
            at = self._consume(end)
        except CameraError as error:
            self.fail(error)
            at = end
        self._tail = _BUFFER[at:end]

    def _consume(self, end: int) -> int:
        buffer, handlers, followers, at, packets = _BUFFER, self.handlers, self.followers, 0, 0
        while end - at >= 4:
            first = buffer[at]
            if first == 0x24:
                channel = buffer[at + 1]
                stop = at + 4 + (buffer[at + 2] << 8 | buffer[at + 3])
                if stop > end:
                    break
                handler = handlers[channel]
                if handler is not None:
                    handler(buffer, at + 4, stop)
                    packets += 1
                at = stop
                follower = followers[channel]
                if follower is not None:
                    at, taken = follower(buffer, at, end)
                    packets += taken
            elif first in _NEWLINES:
                at += 1
            else:
                found = take(buffer, at, end)
                if found is None:
                    break
                message, at = found
                self._message(message)
        self.packets += packets
        return at

    # --- our side

    async def request(self, method: str, uri: str, headers: list[tuple[str, str]], *, timeout_s: float) -> Message:
        """Send a request and return its answer, whatever its status; one is under way at a time.

        Raises:
            CameraError: the connection ended.
            TimeoutError: no answer came in time.
        """
        async with self._turn:
            if self.ended.done():
                self.ended.result()
            self._cseq += 1
            lines = [
                f"{method} {uri} RTSP/1.0",
                f"CSeq: {self._cseq}",
                *(f"{name}: {value}" for name, value in headers),
            ]
            self._answer = asyncio.get_running_loop().create_future()
            self.send(("\r\n".join(lines) + "\r\n\r\n").encode())
            try:
                async with asyncio.timeout(timeout_s):
                    return await self._answer
            finally:
                self._answer = None

    def send(self, data: bytes) -> None:
        """Write, unless the connection has ended."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def send_packet(self, channel: int, packet: bytes) -> None:
        """Send an interleaved packet."""
        self.send(bytes((0x24, channel)) + len(packet).to_bytes(2, "big") + packet)

    @property
    def certificate(self) -> bytes | None:
        """Return the DER of the camera's certificate, inside TLS."""
        assert self._transport is not None
        tls = self._transport.get_extra_info("ssl_object")
        return tls.getpeercert(binary_form=True) if tls is not None else None

    def wake_at(self, size_bytes: int) -> None:
        """Be woken only once so much can be read (socket(7), SO_RCVLOWAT), or the camera closes; 1 is at once.

        What is there already is handed over if it is enough.
        """
        size_bytes = max(1, min(size_bytes, WAKE_LIMIT_BYTES))
        if size_bytes == self.woken_at or self._transport is None or self._transport.is_closing():
            return
        self.woken_at = size_bytes
        with suppress(OSError):  # it has just been closed
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size_bytes)

    def fail(self, error: Exception) -> None:
        """End the connection for this reason."""
        self._end(error)
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Close the connection; what is still to be written is given up."""
        if not self.ended.done():
            self.ended.set_result(None)
        if self._transport is not None:
            self._transport.abort()

    def _end(self, error: Exception) -> None:
        self.mute()
        if not self.ended.done():
            self.ended.set_exception(error)
            self.ended.exception()  # a waiter may come late or never
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def mute(self) -> None:
        """Hand over no more packets."""
        self.handlers[:] = [None] * 256
        self.followers[:] = [None] * 256

    def _message(self, message: Message) -> None:
        if message.status == 0:
            self._camera_asks(message)
            return
        if self._answer is None or self._answer.done() or message.status < 200:
            return
        # Some cameras answer with a CSeq of 0 or none; only an older one is certainly not ours.
        if message.cseq is not None and 0 < message.cseq < self._cseq:
            return
        self._answer.set_result(message)

    def _camera_asks(self, request: Message) -> None:
        """Answer a camera's own request: it may ask whether we live (OPTIONS), and nothing else."""
        status = "200 OK" if request.method in {"OPTIONS", "GET_PARAMETER"} else "501 Not Implemented"
        self.send(f"RTSP/1.0 {status}\r\nCSeq: {request.get('cseq', '0')[:20]}\r\n\r\n".encode())
