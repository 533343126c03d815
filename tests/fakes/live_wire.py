"""A viewer's wire that keeps what is sent over it."""

import asyncio
import struct
from collections.abc import Sequence

from aiortc.rtp import RtpPacket


class Wire:
    """Keeps what is sent; ``room`` packets fit."""

    def __init__(self, room: int = 1_000_000) -> None:
        self.packets: list[RtpPacket] = []
        self.room = room
        self.waiting = 0
        """How often room was waited for."""
        self._wider = asyncio.Event()

    def send_rtp(self, header: bytes, payload: bytes) -> bool:
        """See ``Wire`` of the track."""
        if len(self.packets) >= self.room:
            return False
        self.packets.append(RtpPacket.parse(header + payload))
        return True

    def send_burst(
        self,
        payloads: Sequence[bytes],
        start: int,
        stop: int,
        *,
        payload_type: int,
        sequence: int,
        timestamp: int,
        ssrc: int,
        marker: bool,
    ) -> int:
        """See ``Wire`` of the track."""
        for index in range(start, stop):
            marked = payload_type | (0x80 if marker and index == stop - 1 else 0)
            header = struct.pack("!BBHLL", 0x80, marked, (sequence + index - start) & 0xFFFF, timestamp, ssrc)
            if not self.send_rtp(header, payloads[index]):
                return index - start
        return stop - start

    async def writable(self) -> None:
        """See ``gateway.live.line.Room``: return when the test has made room with :meth:`widen`."""
        self.waiting += 1
        await self._wider.wait()

    def widen(self, room: int) -> None:
        """Let so many packets more through, and tell whoever waits."""
        self.room = len(self.packets) + room
        self._wider.set()
        self._wider = asyncio.Event()
