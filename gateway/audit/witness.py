"""The witness: a broker outside this machine that keeps what the log has promised (MQTT 5, QoS 1, retained).

Nothing waits for it. What it has not confirmed is kept, the newest of it where there is too much, and told once it
answers again.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt
import structlog

from config.audit import AuditSettings
from drivers.mqtt import MqttClient
from gateway.mqtt import ANSWER_S, BrokerAddress, client_tls
from kernel.clock import Clock
from kernel.supervision import Backoff, try_forever

log = structlog.get_logger()

WAITING_MAX = 1000
KEEPALIVE_S = 20
"""A broker that says nothing for longer is taken for gone; paho also gives a TLS handshake this long."""
LAST_WORD_S = 3.0
"""How long the last checkpoint may take to be told when the service stops."""


class Witness:
    """What a broker is told. Made by :func:`open_witness`."""

    def __init__(self, settings: AuditSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._waiting: deque[str] = deque(maxlen=WAITING_MAX)
        self._wake = asyncio.Event()
        self._told = asyncio.Event()
        self._told.set()

    def tell(self, note: str) -> None:
        """Have a checkpoint told, without waiting."""
        self._waiting.append(note)
        self._told.clear()
        self._wake.set()

    async def told(self) -> None:
        """Return once the broker has confirmed everything."""
        await self._told.wait()

    async def run(self) -> None:
        """Tell what there is to tell, for ever."""
        await try_forever(
            self._run_once,
            clock=self._clock,
            expected=(aiomqtt.MqttError, OSError),
            on_failure=self._failed,
            backoff=Backoff(base_s=1.0, cap_s=60.0),
        )

    async def _run_once(self) -> None:
        address = BrokerAddress.of(self._settings.witness_mqtt_url or "")
        password = self._settings.witness_password
        context = None
        if address.tls:
            context = await asyncio.to_thread(client_tls, self._settings.witness_ca)
        client = MqttClient(
            address.host,
            address.port,
            username=self._settings.witness_username,
            password=password.get_secret_value() if password is not None else None,
            protocol=aiomqtt.ProtocolVersion.V5,
            tls_context=context,
            timeout=ANSWER_S,
            keepalive=KEEPALIVE_S,
        )
        async with client:
            log.info("audit.witness_up", host=address.host)
            listening = asyncio.create_task(_until_lost(client), name="witness connection")
            try:
                await self._tell_all(client, listening)
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def _tell_all(self, client: aiomqtt.Client, lost: asyncio.Task[None]) -> None:
        while True:
            while self._waiting:
                note = self._waiting[0]
                await client.publish(self._settings.witness_topic, note, qos=1, retain=True)
                if self._waiting and self._waiting[0] is note:
                    self._waiting.popleft()
            self._told.set()
            self._wake.clear()
            waking = asyncio.create_task(self._wake.wait(), name="witness waits")
            try:
                await asyncio.wait({waking, lost}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waking.cancel()
                await asyncio.gather(waking, return_exceptions=True)
            if lost.done():
                lost.result()
                return

    def _failed(self, error: Exception, delay_s: float) -> None:
        log.warning("audit.witness_away", error=str(error), waiting=len(self._waiting), retry_s=round(delay_s, 1))


async def _until_lost(client: aiomqtt.Client) -> None:
    """Return or raise when the connection ends: a broker sends us nothing else."""
    async for _ in client.messages:
        pass


@asynccontextmanager
async def open_witness(settings: AuditSettings, *, clock: Clock) -> AsyncIterator[Witness | None]:
    """Give the witness that the settings name, if any; on leaving, it gets a moment to hear the last word."""
    if settings.witness_mqtt_url is None:
        yield None
        return
    witness = Witness(settings, clock=clock)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(witness.run(), name="witness")
        try:
            yield witness
            try:
                async with asyncio.timeout(LAST_WORD_S):
                    await witness.told()
            except TimeoutError:
                log.warning("audit.witness_untold", waiting=len(witness._waiting))  # noqa: SLF001 - its own module
        finally:
            running.cancel()
