"""The connection by which other systems are told: MQTT 3.1.1, QoS 1, with a last will.

It is another than the units', under another name: what is told never waits for what is heard, and may write nothing
to a unit. Nothing of MQTT 5 is needed to tell, and every broker speaks 3.1.1.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiomqtt
import structlog

from config.errors import BadValueError
from drivers.mqtt import MqttClient
from gateway.mqtt import ANSWER_S
from gateway.telemetry.outward.memory import Memory
from gateway.telemetry.outward.messages import PRESENCE, Absence
from gateway.telemetry.outward.outbox import Letter, Outbox
from kernel.clock import Clock
from kernel.supervision import Backoff, try_forever

log = structlog.get_logger()

AT_ONCE = 20
"""So many messages are on their way to the broker at once, in their order."""
GOODBYE_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutwardDoor:
    """How to come to the broker now."""

    host: str
    port: int
    identifier: str
    tls: ssl.SSLContext
    keepalive_s: int
    username: str | None = None
    password: str | None = None


class OutwardClient:
    """Tells what is in an outbox. ``broker``: by what its memory knows the broker."""

    def __init__(
        self,
        door: Callable[[], Awaitable[OutwardDoor]],
        outbox: Outbox,
        memory: Memory,
        *,
        broker: str,
        clock: Clock,
    ) -> None:
        self._door = door
        self._outbox = outbox
        self._memory = memory
        self._broker = broker
        self._clock = clock
        self._told_lost = 0
        self._up = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Return whether there is a connection."""
        return self._up.is_set()

    async def up(self) -> None:
        """Return once there is a connection."""
        await self._up.wait()

    async def run(self) -> None:
        """Tell what there is to tell, for ever."""
        await try_forever(
            self._run_once,
            clock=self._clock,
            expected=(aiomqtt.MqttError, OSError, BadValueError),
            on_failure=self._failed,
            backoff=Backoff(base_s=0.5, cap_s=30.0),
        )

    async def _run_once(self) -> None:
        door = await self._door()
        speaks = bool(self._outbox.topics)
        client = MqttClient(
            door.host,
            door.port,
            identifier=door.identifier,
            username=door.username,
            password=door.password,
            protocol=aiomqtt.ProtocolVersion.V311,
            tls_context=door.tls,
            timeout=ANSWER_S,
            keepalive=door.keepalive_s,
            will=aiomqtt.Will(PRESENCE, _GOODBYE, qos=1, retain=True) if speaks else None,
        )
        try:
            async with client:
                log.info("outward.up", host=door.host, port=door.port)
                self._up.set()
                lost = asyncio.create_task(_until_lost(client), name="outward connection")
                telling = asyncio.create_task(self._tell(client, speaks=speaks), name="outward messages")
                try:
                    await asyncio.wait({lost, telling}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    over = lost.done()
                    for task in (lost, telling):
                        task.cancel()
                    await asyncio.gather(lost, telling, return_exceptions=True)
                    if speaks and not over:
                        await self._say_goodbye(client)
                for task in (lost, telling):
                    if not task.cancelled():
                        task.result()
        finally:
            self._up.clear()

    async def _tell(self, client: aiomqtt.Client, *, speaks: bool) -> None:
        self._outbox.anew()
        self._told_lost = -1
        while True:
            if speaks and self._told_lost != self._outbox.lost:
                self._told_lost = self._outbox.lost
                await self._publish(client, [self._outbox.present()])
            letters = await self._outbox.some(AT_ONCE)
            # Before it is kept there: what nobody remembers nobody removes.
            await self._remember()
            await self._publish(client, letters)
            self._outbox.told(letters)
            await self._remember()

    async def _remember(self) -> None:
        standing = tuple(self._outbox.standing.values()) if self._outbox.topics else ()
        await asyncio.to_thread(self._memory.write, self._broker, self._outbox.remembered, standing)

    @staticmethod
    async def _publish(client: aiomqtt.Client, letters: list[Letter]) -> None:
        """Return once the broker has them all. They are sent in their order."""
        sent = [client.publish(one.topic, one.payload, qos=1, retain=one.retain) for one in letters]
        for failure in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(failure, BaseException):
                raise failure

    @staticmethod
    async def _say_goodbye(client: aiomqtt.Client) -> None:
        """Say it ourselves: whoever disconnects in order has no last will."""
        try:
            async with asyncio.timeout(GOODBYE_S):
                await client.publish(PRESENCE, _GOODBYE, qos=1, retain=True)
        except (aiomqtt.MqttError, TimeoutError):
            log.warning("outward.no_goodbye")

    def _failed(self, error: Exception, delay_s: float) -> None:
        log.warning(
            "outward.down",
            error=str(error),
            waiting=self._outbox.waiting,
            lost=self._outbox.lost,
            retry_s=round(delay_s, 1),
        )


_GOODBYE = Absence().model_dump_json()


async def _until_lost(client: aiomqtt.Client) -> None:
    """Return or raise when the connection ends: a broker sends us nothing else."""
    async for _ in client.messages:
        pass
