"""Encrypting a viewer's packets and handing them to the kernel, as little as possible for each of them.

Packets are written, encrypted in place and sent from one buffer that all viewers of the process share: nothing else
runs between writing and sending. Runs of equally long packets go out in one system call (UDP_SEGMENT).
"""

import errno
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import structlog
from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

from gateway.live.seats import Path
from gateway.live.tcp import TcpPath
from gateway.live.udp import Address, UdpPath

SEGMENTS = 64
"""Datagrams that the kernel cuts out of one (UDP_MAX_SEGMENTS of kernels before 6.9)."""
SEGMENTED_BYTES = 65_000
TAG_BYTES = {b"SRTP_AEAD_AES_128_GCM": 16, b"SRTP_AEAD_AES_256_GCM": 16, b"SRTP_AES128_CM_SHA1_80": 10}
_SOL_UDP, _UDP_SEGMENT = 17, 103
_REFUSALS = {errno.EIO, errno.EINVAL, errno.EMSGSIZE, errno.ENOPROTOOPT, errno.EOPNOTSUPP}
"""What kernels and paths say to UDP_SEGMENT that they cannot do."""
_HEADER_BYTES = 12
_FRAME_BYTES = 2
_VERSION, _MARKER, _MASK16 = 0x80, 0x80, 0xFFFF

_SPACE = bytearray(128 * 1024)
_VIEW = memoryview(_SPACE)
_BASE = ffi.from_buffer(_SPACE)
_LENGTH = ffi.new("int *")

_log = structlog.get_logger(__name__)


@lru_cache(maxsize=4096)
def _packer(size: int) -> Callable[..., None]:
    """Return what writes an RTP header and a payload of ``size`` bytes behind it, in one call."""
    return struct.Struct(f"!BBHLL{size}s").pack_into


@lru_cache(maxsize=4096)
def _cut(segment: int) -> tuple[tuple[int, int, bytes]]:
    """Return the ancillary data that has the kernel cut a run into datagrams of ``segment`` bytes."""
    return ((_SOL_UDP, _UDP_SEGMENT, struct.pack("=H", segment)),)


class Sealer:
    """Encrypts with a session of pylibsrtp's and sends to one viewer; ``profile`` is OpenSSL's name of its keys."""

    def __init__(self, session: Session, profile: bytes) -> None:
        self._session: Any = session
        self._context = self._session._srtp[0]  # noqa: SLF001
        self._tag_bytes = TAG_BYTES[profile]
        self._path: Path | None = None
        self._address: Address = ("", 0)
        self._segments = True

    def aim(self, path: Path, address: Address) -> None:
        """Send there from now on."""
        self._path = path
        self._address = address
        self._segments = True

    async def writable(self) -> None:
        """Return once there may be room again."""
        if self._path is not None:
            await self._path.room()

    def send_burst(  # noqa: C901, PLR0913 - one loop: calls for each packet would cost as much as the packet
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
        """See ``gateway.live.track.Wire``."""
        path, context, tag = self._path, self._context, self._tag_bytes
        if path is None:
            return stop - start
        space, base, length, protect = _SPACE, _BASE, _LENGTH, lib.srtp_protect
        # Over TCP each packet has its length before it (RFC 4571), and any sizes make one run.
        frame = _FRAME_BYTES if path.tcp else 0
        last, index = stop - 1, start
        while index < stop:
            first = index
            longest = size = len(payloads[index])
            whole = size + _HEADER_BYTES + tag
            end = min(stop, index + (SEGMENTS if self._segments else 1), index + SEGMENTED_BYTES // whole)
            at = 0
            pack = _packer(size)
            while index < end:
                payload = payloads[index]
                if len(payload) != size:
                    size = len(payload)
                    if size > longest and not frame:
                        break
                    pack = _packer(size)
                    whole = size + _HEADER_BYTES + tag
                kind = payload_type | _MARKER if marker and index == last else payload_type
                at += frame
                pack(space, at, _VERSION, kind, sequence + index - start & _MASK16, timestamp, ssrc, payload)
                length[0] = size + _HEADER_BYTES
                index += 1
                if protect(context, base + at, length):
                    at -= frame  # a spent key loses this packet; the DTLS session ends by itself
                    continue
                if frame:
                    space[at - 2], space[at - 1] = whole >> 8, whole & 0xFF
                at += whole
                if size < longest and not frame:
                    break
            segments = self._segments
            if at and not self._hand_over(path, at, longest + _HEADER_BYTES + tag):
                if self._segments is segments:
                    return first - start
                index = first  # refused as a run: again, one by one
        return stop - start

    def send_rtp(self, header: bytes, payload: bytes) -> bool:
        """Encrypt and send one packet; return False where there is no room, and nothing was sent."""
        return self._send_one(lib.srtp_protect, header + payload)

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send a compound RTCP packet; one that finds no room is lost."""
        self._send_one(lib.srtp_protect_rtcp, packet)

    def _send_one(self, protect: Any, packet: bytes) -> bool:
        if self._path is None:
            return True
        size = len(packet)
        _VIEW[:size] = packet
        _LENGTH[0] = size
        if protect(self._context, _BASE, _LENGTH):
            return True  # a spent key or a bad index loses this packet; the DTLS session ends by itself
        return self._path.send(_VIEW[: _LENGTH[0]], self._address)

    def _hand_over(self, path: Path, size: int, segment: int) -> bool:
        """Send what stands at the head of the buffer; return False where there is no room, or it may not be a run."""
        if isinstance(path, TcpPath):
            return path.write(bytes(_VIEW[:size]), self._address)
        assert isinstance(path, UdpPath)
        if size <= segment:
            return path.send(_VIEW[:size], self._address)
        try:
            path.sock.sendmsg((_VIEW[:size],), _cut(segment), 0, self._address)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _REFUSALS:
                return True  # unreachable for the moment: consent checks decide
            _log.info("live.unsegmented", error=error.strerror)
            self._segments = False
            return False
        return True
