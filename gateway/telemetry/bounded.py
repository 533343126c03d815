"""What amqtt lets grow without end for a client that does not read, or says too much, and how it is bounded here.

What comes is held back: nothing more is read of a connection until what came of it is seen to, so that TCP holds the
client back. What goes has room for so many messages and bytes; a client that lets it fill is sent away, and what was
on its way waits for it, where its session outlives the connection. A session whose room is full as well is ended: the
client is told so when it comes again (MQTT 3.1.1 section 3.2.2.2, no session present).
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from amqtt.adapters import StreamReaderAdapter
from amqtt.broker import RetainedApplicationMessage
from amqtt.errors import AMQTTError, ProtocolHandlerError
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.plugins.manager import PluginManager
from amqtt.session import ApplicationMessage, OutgoingApplicationMessage, Session

log = structlog.get_logger()

PACKET_MAX_BYTES = 4608
HEAD_BYTES = 16
"""In so many bytes a client has said which version it speaks."""
COMING_MAX = 64
"""So many packets of a client are seen to at once; more than a usual client sends unacknowledged (paho: 20)."""
SUBSCRIPTIONS_MAX = 64
PENDING_MAX = 8
"""So many requests to subscribe wait for one that is seen to."""
KEPT_AT_ONCE = 20
"""So many of the messages that waited, or that the broker keeps, are on their way at once."""
OVER = "the connection has ended"
READS_A_TURN = 64
"""After so many reads others have their turn: a buffer that is full of small packets is read without a pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What may wait in the session of one client; half of that may be on its way to it."""

    messages: int
    size_bytes: int
    topics: int
    """On so many topics the broker keeps a message of it."""


UNIT = Room(messages=200, size_bytes=512 * 1024, topics=128)
READER = Room(messages=4_000, size_bytes=8 * 1024 * 1024, topics=4_096)
GATEWAY = Room(messages=20_000, size_bytes=64 * 1024 * 1024, topics=4_096)
"""For ourselves: what 200 units say in a minute and a half."""


class Reader(StreamReaderAdapter):  # type: ignore[misc]
    """Reads no packet that is too long, none of a version that amqtt would wait in for ever, and no silence."""

    def __init__(self, reader: asyncio.StreamReader, abort: Callable[[], None]) -> None:
        super().__init__(reader)
        self.oversized = False
        self.modern = False
        self.patience_s: float | None = None
        """Who says nothing for so long is gone (MQTT 3.1.1 section 3.1.2.10); amqtt would wait for ever."""
        self.ready: Callable[[], Awaitable[object]] | None = None
        """What to wait for before more is read."""
        self.abort = abort
        self._head = b""
        self._reads = 0

    async def read(self, n: int = -1) -> bytes:
        """Return so many bytes; none where nothing comes any more."""
        if n > PACKET_MAX_BYTES:
            self.oversized = True
            raise AMQTTError(f"a packet of {n} bytes")
        self._reads += 1
        try:
            async with asyncio.timeout(self.patience_s):
                if self._reads % READS_A_TURN == 0:
                    await _turn()
                if self.ready is not None:
                    await self.ready()
                data = bytes(await super().read(n))
        except TimeoutError:
            self.abort()
            return b""
        if len(self._head) < HEAD_BYTES:
            self._head += data
            _, named, level = self._head.partition(b"\x00\x04MQTT")
            if named and level[:1] > b"\x04":
                self.modern = True
                raise AMQTTError(f"version {level[0]} of MQTT")
        return data


class Waiting(asyncio.Queue[RetainedApplicationMessage]):
    """What waits in a session for its client to come back."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room = room
        self.size_bytes = 0
        self.overfull = False
        """Something found no room: the client would come back to a gap that it does not see."""

    def keep(self, topic: str, data: bytes | bytearray, qos: int) -> bool:
        """Have a message wait; return whether there was room for it."""
        size_bytes = self.size_bytes + len(topic) + len(data)
        if self.overfull or self.qsize() >= self._room.messages or size_bytes > self._room.size_bytes:
            self.overfull = True
            return False
        self.put_nowait(RetainedApplicationMessage(None, topic, data, qos))
        return True

    def next(self, most: int) -> list[RetainedApplicationMessage]:
        """Return those that have waited longest; they wait on."""
        return list(itertools.islice(self._queue, most))  # type: ignore[attr-defined]

    def _put(self, item: RetainedApplicationMessage) -> None:
        self.size_bytes += len(item.topic) + len(item.data)
        super()._put(item)

    def _get(self) -> RetainedApplicationMessage:
        item = super()._get()
        self.size_bytes -= len(item.topic) + len(item.data)
        return item


class Handing(asyncio.Queue[ApplicationMessage]):
    """In the place of a queue of what a client says: each message is handed on before it is acknowledged.

    amqtt acknowledges what is in its queue, and forgets the queue with the connection: of a client that says goodbye
    after its last word that word was lost.
    """

    def __init__(self, hand_on: Callable[[ApplicationMessage], Awaitable[None]]) -> None:
        super().__init__()
        self._hand_on = hand_on
        self._one_by_one = asyncio.Lock()

    async def put(self, item: ApplicationMessage) -> None:
        """Return once it is handed on, after all that came before."""
        async with self._one_by_one:
            await self._hand_on(item)


def bound(session: Session, room: Room, hand_on: Callable[[ApplicationMessage], Awaitable[None]]) -> None:
    """Bound the queues of a session that has just been made, or was there before."""
    session.delivered_message_queue = Handing(hand_on)
    if not isinstance(session.retained_messages, Waiting):
        session.retained_messages = Waiting(room)
    if len(session.inflight_in) > COMING_MAX:
        # Begun with QoS 2 and never released, over many connections.
        session.inflight_in.clear()


class Connection(BrokerProtocolHandler):  # type: ignore[misc]
    """One connection of a client. ``end`` ends it."""

    def __init__(
        self, plugins: PluginManager[Any], *, room: Room, end: Callable[[], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(plugins, loop=loop)
        self._room = room
        self._end = end
        self._going = 0
        self._going_bytes = 0
        self._unwritten = 0
        self._coming = 0
        self._ready = asyncio.Event()
        self._ready.set()
        self.over = False
        """It ends: nothing more is sent."""
        self._pending_subscriptions: asyncio.Queue[Any] = asyncio.Queue(PENDING_MAX)
        self._pending_unsubscriptions: asyncio.Queue[Any] = asyncio.Queue(PENDING_MAX)
        self._catching_up = True
        """What waited goes first; until then what comes for the client waits behind it."""

    async def ready(self) -> None:
        """Return once more may be read."""
        await self._ready.wait()

    @property
    def going(self) -> int:
        """Return how many messages are on their way: not written yet, or not acknowledged."""
        return self._going

    @property
    def coming(self) -> int:
        """Return how many packets of it are being seen to."""
        return self._coming

    # --- what goes

    async def catch_up(self) -> None:
        """Send what waited in the session, and what has come behind it meanwhile, in that order."""
        waiting = self.session.retained_messages
        while some := waiting.next(KEPT_AT_ONCE):
            sent = (self._publish(one.topic, one.data, one.qos, retain=False) for one in some)
            await asyncio.gather(*sent, return_exceptions=True)
            if self.over:
                return
            for _ in some:
                waiting.get_nowait()
        self._catching_up = False

    async def send_kept(self, messages: Sequence[RetainedApplicationMessage], qos: int) -> None:
        """Send what the broker keeps for whoever has just subscribed, some at once."""
        for start in range(0, len(messages), KEPT_AT_ONCE):
            if self.over:
                return
            some = messages[start : start + KEPT_AT_ONCE]
            sent = (self._publish(one.topic, one.data, min(qos, one.qos or qos), retain=True) for one in some)
            await asyncio.gather(*sent, return_exceptions=True)

    async def mqtt_publish(
        self,
        topic: str,
        data: bytes | bytearray,
        qos: int | None,
        retain: bool,  # noqa: FBT001 - amqtt's signature
        _: int | None = None,
    ) -> OutgoingApplicationMessage | None:
        """Send what somebody has just published, where there is room."""
        if self._catching_up or self.over:
            self._keep(topic, data, qos)
            return None
        if self._going >= self._room.messages // 2 or self._going_bytes + len(data) > self._room.size_bytes // 2:
            self.send_away("does not read what it is sent")
            self._keep(topic, data, qos)
            return None
        try:
            return await self._publish(topic, data, qos, retain=retain)
        except (asyncio.CancelledError, AMQTTError):
            if self.over:
                # amqtt forgets what was on its way when a connection ends; whoever comes back is to have it.
                self._keep(topic, data, qos)
            raise

    async def _publish(
        self, topic: str, data: bytes | bytearray, qos: int | None, *, retain: bool
    ) -> OutgoingApplicationMessage:
        self._going += 1
        self._going_bytes += len(data)
        try:
            return await super().mqtt_publish(topic, data, qos, retain)
        finally:
            self._going -= 1
            self._going_bytes -= len(data)

    async def _handle_qos1_message_flow(self, app_message: Any) -> None:
        """Send, and wait for the acknowledgement for as long as the connection stands; amqtt gives up after 5 s."""
        if not isinstance(app_message, OutgoingApplicationMessage):
            await super()._handle_qos1_message_flow(app_message)
            return
        number, session = app_message.packet_id, self.session
        session.inflight_out[number] = app_message
        acknowledged = self._puback_waiters[number] = asyncio.get_running_loop().create_future()
        try:
            await self._send_packet(app_message.build_publish_packet())
            await acknowledged
        finally:
            self._puback_waiters.pop(number, None)
            session.inflight_out.pop(number, None)

    def _keep(self, topic: str, data: bytes | bytearray, qos: int | None) -> None:
        session = self.session
        if qos and session is not None and not session.clean_session:
            waiting = session.retained_messages
            if not waiting.keep(topic, data, qos):
                self.send_away("has no room for what waits for it")

    async def _send_packet(self, packet: Any) -> None:
        if self._unwritten >= self._room.messages:
            self.send_away("does not read what it is answered")
        if not self.over:
            self._unwritten += 1
            try:
                await super()._send_packet(packet)
            finally:
                self._unwritten -= 1
        if self.over:
            # amqtt would wait for an answer, for nobody is told that it was not sent.
            raise ProtocolHandlerError(OVER)

    def send_away(self, why: str) -> None:
        """End the connection, for a reason that is logged."""
        if not self.over:
            self.over = True
            log.warning("telemetry.client_sent_away", client=self.session and self.session.client_id, why=why)
            self._end()

    async def handle_connection_closed(self) -> None:
        """Take in that it has ended."""
        self.over = True
        await super().handle_connection_closed()

    async def stop(self) -> None:
        """End it."""
        self.over = True
        await super().stop()

    # --- what comes

    def handle_publish(self, publish_packet: Any) -> Coroutine[Any, Any, None]:
        """See to a packet, as each of the following does; it is counted from when it was read."""
        return self._begun(super().handle_publish, publish_packet)

    def handle_subscribe(self, subscribe: Any) -> Coroutine[Any, Any, None]:
        """See to it."""
        return self._begun(super().handle_subscribe, subscribe)

    def handle_unsubscribe(self, unsubscribe: Any) -> Coroutine[Any, Any, None]:
        """See to it."""
        return self._begun(super().handle_unsubscribe, unsubscribe)

    def handle_pingreq(self, pingreq: Any) -> Coroutine[Any, Any, None]:
        """See to it."""
        return self._begun(super().handle_pingreq, pingreq)

    def _begun(self, handle: Callable[[Any], Awaitable[None]], packet: Any) -> Coroutine[Any, Any, None]:
        self._coming += 1
        if self._coming >= COMING_MAX:
            self._ready.clear()
        return self._handled(handle, packet)

    async def _handled(self, handle: Callable[[Any], Awaitable[None]], packet: Any) -> None:
        try:
            await handle(packet)
        except ProtocolHandlerError:
            if not self.over:
                raise
        finally:
            self._coming -= 1
            if self._coming < COMING_MAX:
                self._ready.set()

    async def _handle_qos0_message_flow(self, app_message: Any) -> None:
        """Hand on what needs no acknowledgement in its order as well."""
        if isinstance(app_message, OutgoingApplicationMessage):
            await super()._handle_qos0_message_flow(app_message)
        else:
            await self.session.delivered_message_queue.put(app_message)


async def _turn() -> None:
    """Let whatever is ready run once."""
    turned = asyncio.Event()
    asyncio.get_running_loop().call_soon(turned.set)
    await turned.wait()
