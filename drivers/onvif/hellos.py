"""Hello (WS-Discovery 2005/04, section 4.1): a device says by multicast that it is there, and at which addresses.

Anybody on the network can say it: who hears one knows where to look, and not yet who is there.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog

from drivers.errors import CameraAnswerError
from drivers.model import DiscoveredDevice
from drivers.onvif.discovery import PORT, listener, local_addresses, read_match
from drivers.onvif.reading import parse

log = structlog.get_logger()

SIZE_MAX_BYTES = 8192
"""A Hello has a few hundred; what is longer is none, and is not read."""


class _Hellos(asyncio.DatagramProtocol):
    """Tells of each."""

    def __init__(self, said: Callable[[DiscoveredDevice], None]) -> None:
        self._said = said

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Need nothing of it."""

    def datagram_received(self, data: bytes, addr: tuple[str | Any, ...]) -> None:
        """Tell of a Hello; anything else is somebody else's."""
        if len(data) > SIZE_MAX_BYTES or b"Hello" not in data:
            return
        try:
            root = parse(data, address=str(addr[0])).root
            devices = [read_match(hello, str(addr[0])) for hello in root.descendants("Hello")]
        except (CameraAnswerError, ValueError):  # "http://[::::]/" is no URL
            return
        for device in devices:
            if device is not None:
                self._said(device)


@asynccontextmanager
async def hear_hellos(
    said: Callable[[DiscoveredDevice], None], *, interfaces: Sequence[str] | None = None, port: int = PORT
) -> AsyncIterator[None]:
    """Call ``said`` on the event loop with each Hello, for the time of the block.

    ``interfaces``: IPv4 addresses of the interfaces to listen on; all, where None. Where the port cannot be had nothing
    is heard, and that is logged.
    """
    try:
        made = listener(local_addresses() if interfaces is None else list(interfaces), port)
    except OSError as error:
        log.warning("hellos.not_listening", error=str(error))
        yield
        return
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Hellos(said), sock=made)
    try:
        yield
    finally:
        transport.close()
