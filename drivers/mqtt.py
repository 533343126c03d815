"""What MQTT clients need beside aiomqtt: an end that is not forgotten, and TLS that leaves no socket open."""

import asyncio
import math
import ssl
from collections.abc import Awaitable
from typing import TypeVar

import aiomqtt

T = TypeVar("T")


class MqttClient(aiomqtt.Client):
    """aiomqtt's, in which whoever waits for the broker can be cancelled at any moment.

    aiomqtt waits by ``asyncio.wait_for``, which in Python 3.11 forgets a cancellation that comes in the same turn of
    the loop as the answer: who was told to end went on, and whoever waited for its end waited for ever.
    """

    async def _wait_for(self, fut: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109 - aiomqtt's signature
        limit_s = self.timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(None if limit_s == math.inf else limit_s):
                return await fut
        except TimeoutError:
            msg = "Operation timed out"
            raise aiomqtt.MqttError(msg) from None


class TlsSocket(ssl.SSLSocket):
    """Closes itself when its handshake fails: paho leaves it to whoever collects the garbage."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the standard library's signature
        """Shake hands; raises what SSLSocket does."""
        try:
            super().do_handshake(block)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError:
            self.close()
            raise
