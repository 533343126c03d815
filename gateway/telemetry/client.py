"""The connection to the broker: persistent, of bounded flow, and acknowledging only what is in the database.

The broker is to send at most ``RECEIVE_MAX`` messages that we have not acknowledged, and nothing is read where too many
wait; the rest waits there, in a session that outlives our absence. What has come is taken in one go, committed, and
acknowledged then: whatever of ours or the broker's dies in between, it comes again, and the order of numbers tells that
it had been taken.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

import aiomqtt
import structlog
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.enums import MessageType
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from drivers.mqtt import MqttClient
from gateway.db.errors import DatabaseError
from gateway.mqtt import ANSWER_S
from gateway.telemetry.arrived import Arrived
from gateway.telemetry.errors import BrokerAwayError
from gateway.telemetry.inbox import Inbox
from gateway.telemetry.logbook import LOG_TOPICS, Logbook, is_log
from gateway.telemetry.onvif_events import FROM_DEVICES
from gateway.telemetry.topics import COMMANDS, FROM_UNITS, Branch, read
from kernel.clock import Clock
from kernel.supervision import Backoff, try_forever

log = structlog.get_logger()

RECEIVE_MAX = 500
WAITING_MAX = 1000
"""So many messages wait here at most before nothing more is read."""
PACKET_MAX_BYTES = 65_536
"""What a broker may send us at most. More than a message may have, so that one that is too long is counted here."""
SESSION_S = 7 * 86_400
"""So long the broker keeps what comes for us while we are away."""
BATCH_MAX = 500
UNSUPPORTED_VERSION = 132
"""MQTT 5 section 3.2.2.2: also what paho makes of a refusal by a broker of 3.1.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerDoor:
    """How to come to the broker now. ``modern``: it may speak MQTT 5; 3.1.1 is tried where it does not."""

    host: str
    port: int
    identifier: str
    tls: ssl.SSLContext
    keepalive_s: int
    modern: bool = True


class _Batches(asyncio.Queue[aiomqtt.Message]):
    """What has come, given by :meth:`get` all at once: a list where aiomqtt expects one message.

    Bounded. Where as much waits as may, nothing more is read of the connection until there is room, so that TCP holds
    the broker back: Mosquitto 2.0.11 was seen to send four times what MQTT's own bound (receive maximum) allows. What
    one read brings beyond still has its place; were there more, it would not be acknowledged, and come anew.
    What needs no acknowledgement (the broker's own log, a thousand lines when a thousand units come back) has half the
    room, and is passed over beyond it.
    """

    def __init__(self, waiting_max: int = WAITING_MAX) -> None:
        super().__init__(maxsize=2 * waiting_max)
        self._waiting_max = waiting_max
        self.tap: Tap | None = None
        self.overflowed = False
        self.passed_over = 0

    def put_nowait(self, item: aiomqtt.Message) -> None:
        if item.qos == 0 and self.qsize() >= self._waiting_max // 2:
            self.passed_over += 1
            return
        try:
            super().put_nowait(item)
        except asyncio.QueueFull:
            self.overflowed = True
            raise
        if self.qsize() >= self._waiting_max and self.tap is not None:
            self.tap.close()

    async def get(self) -> Any:
        batch = [await super().get()]
        while not self.empty() and len(batch) < BATCH_MAX:
            batch.append(self.get_nowait())
        if self.qsize() <= self._waiting_max // 2 and self.tap is not None:
            self.tap.open()
        return batch


class Tap(Protocol):
    """Stops reading and goes on; both may be said again."""

    def close(self) -> None:
        """Read nothing more."""
        ...

    def open(self) -> None:
        """Read on."""
        ...


class _SocketTap:
    """That of a client's socket, which aiomqtt reads whenever there is something."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._closed = False

    def close(self) -> None:
        sock = self._client._client.socket()  # noqa: SLF001 - aiomqtt has no face for it
        if not self._closed and sock is not None:
            self._closed = True
            self._loop.remove_reader(sock.fileno())

    def open(self) -> None:
        sock = self._client._client.socket()  # noqa: SLF001
        if self._closed and sock is not None:
            self._closed = False
            self._loop.add_reader(sock.fileno(), self._read)
            # TLS may hold what came before: no socket tells of that again.
            self._loop.call_soon(self._read)

    def _read(self) -> None:
        """Read as aiomqtt does: until TLS holds nothing. What breaks in it ends the connection, which it is told of."""
        paho = self._client._client  # noqa: SLF001
        while not self._closed and paho.socket() is not None:
            paho.loop_read()
            sock = paho.socket()
            if not isinstance(sock, ssl.SSLSocket) or not sock.pending():
                return


class UnitClient:
    """Hears units and speaks to them. ``door`` is asked at each connection: certificates are renewed meanwhile."""

    def __init__(
        self, door: Callable[[], Awaitable[BrokerDoor]], inbox: Inbox, logbook: Logbook, *, clock: Clock
    ) -> None:
        self._door = door
        self._inbox = inbox
        self._logbook = logbook
        self._clock = clock
        self._client: aiomqtt.Client | None = None
        self._batches: _Batches | None = None
        self._old_only = False
        self._up = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Return whether there is a connection, with everything subscribed."""
        return self._up.is_set()

    @property
    def modern(self) -> bool:
        """Return whether it is MQTT 5 that is spoken, or would be."""
        return not self._old_only

    async def up(self) -> None:
        """Return once there is a connection."""
        await self._up.wait()

    async def run(self) -> None:
        """Hear units, for ever."""
        await try_forever(
            self._run_once,
            clock=self._clock,
            expected=(aiomqtt.MqttError, OSError, DatabaseError, BrokerAwayError),
            on_failure=self._failed,
            backoff=Backoff(base_s=0.5, cap_s=30.0),
        )

    async def send(self, topic: str, payload: str, *, expiry_s: int) -> None:
        """Send a message that no broker keeps; return once it has it.

        Raises:
            BrokerAwayError: there is none.
        """
        properties = None
        if self.modern:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = expiry_s
        await self._publish(topic, payload, properties=properties)

    async def clear(self, topic: str) -> None:
        """Have the broker forget what it keeps on a topic.

        Raises:
            BrokerAwayError: there is none.
        """
        await self._publish(topic, "", retain=True)

    async def _publish(
        self, topic: str, payload: str, *, retain: bool = False, properties: Properties | None = None
    ) -> None:
        client = self._client
        if client is None:
            raise BrokerAwayError("There is no connection to the broker.", cure="Look at the broker, and try again.")
        try:
            await client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        except aiomqtt.MqttError as error:
            raise BrokerAwayError(f"The broker did not take it: {error}.", cure="Try again.") from error

    async def _run_once(self) -> None:
        door = await self._door()
        modern = door.modern and not self._old_only
        client, batches = self._made(door, modern=modern)
        try:
            async with client:
                await self._subscribe(client, modern=modern)
                batches.tap = _SocketTap(client)
                self._client, self._batches = client, batches
                self._up.set()
                log.info("telemetry.up", host=door.host, port=door.port, mqtt="5" if modern else "3.1.1")
                await self._hear(client, batches)
        except aiomqtt.MqttCodeError as error:
            # Whichever was spoken is not understood: the other one is tried, at once and from then on.
            if getattr(error.rc, "value", error.rc) == UNSUPPORTED_VERSION and modern:
                self._old_only = True
                log.info("telemetry.mqtt_3_1_1", host=door.host)
                return
            raise
        finally:
            self._client = self._batches = None
            self._up.clear()

    def _made(self, door: BrokerDoor, *, modern: bool) -> tuple[aiomqtt.Client, _Batches]:
        batches = _Batches()
        properties = None
        if modern:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_S
            properties.ReceiveMaximum = RECEIVE_MAX
            properties.MaximumPacketSize = PACKET_MAX_BYTES
        client = MqttClient(
            door.host,
            door.port,
            identifier=door.identifier,
            protocol=aiomqtt.ProtocolVersion.V5 if modern else aiomqtt.ProtocolVersion.V311,
            tls_context=door.tls,
            timeout=ANSWER_S,
            keepalive=door.keepalive_s,
            queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", lambda maxsize: batches),  # noqa: ARG005
            properties=properties,
            clean_start=False if modern else MQTT_CLEAN_START_FIRST_ONLY,
            clean_session=None if modern else False,
        )
        # aiomqtt has no face for it: paho would acknowledge what has come before anybody has looked at it.
        client._client.manual_ack_set(True)  # noqa: FBT003, SLF001
        return client, batches

    async def _subscribe(self, client: aiomqtt.Client, *, modern: bool) -> None:
        if not modern:
            await client.subscribe([(topic, 1) for topic in (*FROM_UNITS, *FROM_DEVICES, COMMANDS, *LOG_TOPICS)])
            return
        # What is kept is sent for a subscription that is new; a session that was there has missed nothing.
        heard = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        kept = SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True)
        said = SubscribeOptions(qos=0, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
        await client.subscribe(
            [
                *((topic, heard) for topic in (*FROM_UNITS, *FROM_DEVICES)),
                (COMMANDS, kept),
                *((topic, said) for topic in LOG_TOPICS),
            ]
        )

    async def _hear(self, client: aiomqtt.Client, batches: _Batches) -> None:
        async for messages in client.messages:
            batch = cast("list[aiomqtt.Message]", messages)
            arrived = [one for one in map(_arrived, batch) if one is not None]
            for one in arrived:
                if is_log(one.topic):
                    self._logbook.read(one.payload)
            await self._inbox.take([one for one in arrived if not is_log(one.topic)])
            _acknowledge(client, batch)
            for one in arrived:
                if one.stored and one.payload and _of_command(one.topic):
                    await self.clear(one.topic)
            if batches.overflowed:
                msg = "the broker sent more at once than there was room for"
                raise aiomqtt.MqttError(msg)

    def _failed(self, error: Exception, delay_s: float) -> None:
        log.warning("telemetry.down", error=str(error), retry_s=round(delay_s, 1))


async def pass_by(door: BrokerDoor) -> None:
    """Come to a broker and go again: whoever is there under that name has to go then (MQTT 5 section 3.1.4).

    Raises:
        BrokerAwayError: the broker does not let us in, or there is none.
    """
    client = MqttClient(
        door.host,
        door.port,
        identifier=door.identifier,
        protocol=aiomqtt.ProtocolVersion.V311,
        tls_context=door.tls,
        timeout=ANSWER_S,
        keepalive=door.keepalive_s,
        clean_session=True,
    )
    try:
        async with client:
            pass
    except (aiomqtt.MqttError, OSError) as error:
        raise BrokerAwayError(f"The broker did not let us in: {error}.", cure="Look at the broker.") from error


def _acknowledge(client: aiomqtt.Client, batch: list[aiomqtt.Message]) -> None:
    """Acknowledge a batch in one write: paho would make a write, a TLS record and a wake-up of nobody of each.

    A PUBACK that says success is the same four bytes in MQTT 3.1.1 and 5 (section 3.4).
    """
    acknowledged = b"".join(b"\x40\x02" + message.mid.to_bytes(2, "big") for message in batch if message.qos == 1)
    if acknowledged:
        client._client._packet_queue(MessageType.PUBACK, acknowledged, 0, 0)  # noqa: SLF001


def _arrived(message: aiomqtt.Message) -> Arrived | None:
    """Return what came; ``None`` where it is a command of ours that 3.1.1 sends back, or a topic made empty."""
    topic, payload = message.topic.value, message.payload
    if _of_command(topic) and not message.retain:
        return None
    if not payload and (message.retain or read(topic) is not None):
        return None
    return Arrived(topic, payload, stored=message.retain)


def _of_command(topic: str) -> bool:
    found = read(topic)
    return found is not None and found.branch is Branch.COMMAND
