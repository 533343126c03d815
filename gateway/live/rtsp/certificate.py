"""The certificate of the RTSPS door: read from the files that are there, and again when they change."""

import asyncio
import ssl
from pathlib import Path

import structlog

from kernel.clock import Clock

_log = structlog.get_logger(__name__)

LOOK_S = 5.0
"""Between two looks: at the first run the gateway makes the files after its hosts have started; renewals come later."""


class Certificate:
    """Gives the TLS context of the newest pair of files that fits together."""

    def __init__(self, certificate: Path, key: Path, *, clock: Clock) -> None:
        self.context: ssl.SSLContext | None = None
        """``None`` while there are no files that can be used; nobody is let in then."""
        self._certificate = certificate
        self._key = key
        self._clock = clock
        self._seen: tuple[int, ...] | None = None
        self._said: str | None = None

    async def look(self) -> None:
        """Read the files, if they are others than at the last look."""
        try:
            seen, context = await asyncio.to_thread(self._read)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            said = getattr(error, "strerror", None) or str(error)
            if said != self._said:
                _log.warning("rtsp.certificate_unusable", certificate=str(self._certificate), detail=said)
            self._said = said
            return
        self._seen, self._said = seen, None
        if context is not None:
            self.context = context

    async def watch(self) -> None:
        """Look again and again, for ever."""
        while True:
            await self._clock.sleep(LOOK_S)
            await self.look()

    def _read(self) -> tuple[tuple[int, ...], ssl.SSLContext | None]:
        stats = [path.stat() for path in (self._certificate, self._key)]
        seen = tuple(number for one in stats for number in (one.st_mtime_ns, one.st_ino))
        if seen == self._seen:
            return seen, None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Nothing of an ended view can be resumed: each connection is a whole handshake.
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
        context.load_cert_chain(self._certificate, self._key, password=lambda: "")
        return seen, context
