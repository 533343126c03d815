"""The broker inside the gateway, for a demo or a small site: amqtt, MQTT 3.1.1 over TLS with client certificates.

amqtt knows who a client is by what it calls itself, and asks plugins. Here a client is who its certificate says, and
must call itself so: there is no way in beside that. What may wait for a client is bounded (``telemetry.bounded``). It
keeps nothing over a restart; that is what Mosquitto is for (docs/mosquitto.conf).
"""

import asyncio
import logging
import ssl
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from functools import partial
from types import MappingProxyType
from typing import Any

import structlog
from amqtt.adapters import ReaderAdapter, StreamWriterAdapter, WriterAdapter
from amqtt.broker import Broker, BrokerError
from amqtt.contexts import Action, BrokerConfig, ListenerConfig
from amqtt.errors import AMQTTError
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import ApplicationMessage, Session

from gateway.telemetry.bounded import (
    GATEWAY,
    READER,
    SUBSCRIPTIONS_MAX,
    UNIT,
    Connection,
    Reader,
    Room,
    bound,
)
from gateway.telemetry.broker_tls import end_of, name_of, server_tls
from gateway.telemetry.onvif_events import Sender, read_event
from gateway.telemetry.outward.rights import May
from gateway.telemetry.topics import PREFIX, Branch, label_in, may_write, read
from gateway.units import Cause, Units
from gateway.units.credentials import OURSELVES, Pair

log = structlog.get_logger()

CONNECT_S = 10.0
"""How long a client may take to say who it is."""
KEEPALIVE_MAX_S = 300
CONNECTIONS_MAX = 200
SESSION_S = 86_400
UNSENT_MAX_BYTES = 65_536
BROADCASTS_MAX = 1_000
"""So many messages wait to be handed to those who subscribed; who says more waits."""
SENDING_FORGET = 1_000
"""So many that were sent are forgotten at once."""
SUBSCRIPTION_REFUSED = 0x80
UNSUPPORTED_VERSION = b"\x20\x03\x00\x84\x00"
"""The refusal that a client of MQTT 5 understands (section 3.2): it comes again in 3.1.1."""
EVENT_TOPICS_MAX = 64
"""On so many topics a unit may tell events of its camera (ONVIF): the broker keeps the last of each."""

_comer: ContextVar[str] = ContextVar("comer")
"""Whose certificate the connection bears that a task serves."""


class _Plain(logging.LoggerAdapter[logging.Logger]):
    """Leaves out the trace of what nobody acknowledged in time: amqtt has told of it in a line already."""

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        if not isinstance(sys.exception(), TimeoutError):
            super().exception(msg, *args, **kwargs)


class EmbeddedBroker(Broker):  # type: ignore[misc]
    """Made by :func:`open_broker`. What amqtt asks plugins for elsewhere is decided here."""

    def __init__(self, config: BrokerConfig, units: Units, tls: ssl.SSLContext, others: Mapping[str, May]) -> None:
        super().__init__(config)
        self.logger = _Plain(logging.getLogger("amqtt.broker"), {})
        self._others = others
        self._of_units = units
        self._tls = tls
        self._heard = asyncio.Event()
        """We have subscribed: what units say from now on reaches us."""
        self._broadcast_queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(BROADCASTS_MAX)
        self._forget_at = SENDING_FORGET
        self._event_topics: dict[str, set[str]] = {}
        """On which topics each unit has told events of its camera."""
        self._inside: dict[asyncio.StreamWriter, tuple[str, str]] = {}
        """Connections that stand: whose certificate each bears, and its serial number."""

    async def renew(self, pair: Pair) -> None:
        """Show another certificate to whoever comes from now on; connections that stand go on."""
        try:
            await asyncio.to_thread(self._tls.load_cert_chain, pair.certificate, pair.key)
            self._of_units.credentials.broker_shows(await asyncio.to_thread(end_of, pair))
        except OSError as error:
            log.error("telemetry.broker_certificate_unread", error=str(error))  # noqa: TRY400 - a plain reason

    def waiting_of(self, name: str) -> tuple[int, int]:
        """Return how many messages are on their way to a client, and how many wait in its session."""
        session, handler = self._sessions.get(name, (None, None))
        return (handler.going, session.retained_messages.qsize()) if session is not None else (0, 0)

    def coming_of(self, name: str) -> int:
        """Return how many packets of a client are being seen to."""
        handler = self._sessions.get(name, (None, None))[1]
        return handler.coming if handler is not None else 0

    def kept_of(self, name: str) -> int:
        """Return on how many topics a message of a client is kept."""
        sources = (one.source_session for one in self._retained_messages.values())
        return sum(1 for one in sources if one is not None and one.client_id == name)

    def see_out(self, label: str) -> None:
        """End the connections of a unit whose certificates are good no more."""
        for writer, (name, serial) in tuple(self._inside.items()):
            if name == label and not self._of_units.credentials.is_good(name, serial):
                writer.transport.abort()
                log.info("unit.seen_out", unit=label)

    def turn_out(self, label: str) -> None:
        """End the connections of a unit, whatever its certificates are; it may come again."""
        for writer, (name, _) in tuple(self._inside.items()):
            if name == label:
                writer.transport.abort()

    def _create_ssl_context(self, _: ListenerConfig) -> ssl.SSLContext:
        """Return ours: amqtt's own takes those who show no certificate."""
        return self._tls

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        """Serve a client that has come through TLS."""
        if len(self._inside) >= CONNECTIONS_MAX:
            # amqtt would have it wait for a place, with all who come after it.
            log.warning("telemetry.broker_full", connections=CONNECTIONS_MAX)
            writer.transport.abort()
            return
        # Of TLS asyncio would keep eight times as much for a client that does not read.
        writer.transport.set_write_buffer_limits(high=UNSENT_MAX_BYTES)
        bounded, out = Reader(reader, writer.transport.abort), StreamWriterAdapter(writer)
        name, serial = name_of(out)
        self._inside[writer] = name, serial
        try:
            await self._client_connected(listener_name, bounded, out)
        finally:
            del self._inside[writer]
            writer.close()
        if bounded.oversized:
            self._of_units.refusals.count(Cause.OVERSIZED, name, said="more than the broker takes")

    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, remote_address: str, remote_port: int
    ) -> tuple[BrokerProtocolHandler, Session]:
        name, serial = name_of(writer)
        _comer.set(name)
        try:
            self._check(name, serial)
            async with asyncio.timeout(CONNECT_S):
                if name != OURSELVES:
                    # What came before would be acknowledged, and reach nobody.
                    await self._heard.wait()
                await self._end_overfull(name)
                _, session = await super()._initialize_client_session(reader, writer, remote_address, remote_port)
            self._check_called(name, session.client_id)
            if session.will_flag:
                # amqtt publishes it without asking whether its owner may.
                self._check_will(name, session.will_topic or "")
        except (AMQTTError, TimeoutError) as error:
            with suppress(OSError):
                if isinstance(reader, Reader) and reader.modern:
                    writer.write(UNSUPPORTED_VERSION)
                await writer.close()
            raise AMQTTError(str(error)) from error
        assert isinstance(reader, Reader)
        room = self._room_of(name)
        handler = Connection(self.plugins_manager, room=room, end=reader.abort, loop=self._loop)
        bound(session, room, partial(self._hand_on, session, handler))
        reader.ready = handler.ready
        # A unit that asks for no bound, or for a long one, is bound as it is by Mosquitto.
        reader.patience_s = 1.5 * min(session.keep_alive or KEEPALIVE_MAX_S, KEEPALIVE_MAX_S)
        session.keep_alive = 0
        # A session that was there bears the connection it was made on.
        session.ssl_object = writer.get_ssl_info()
        return handler, session

    async def _hand_on(self, session: Session, handler: Connection, message: ApplicationMessage) -> None:
        """Hand a message to all who subscribed, where its sender may say it."""
        said: asyncio.Future[ApplicationMessage] = self._loop.create_future()
        said.set_result(message)
        if not await self._handle_message_delivery(session, handler, said):
            handler.send_away("spoke on a topic that can be none")

    def _room_of(self, name: str) -> Room:
        if name == OURSELVES:
            return GATEWAY
        return READER if name in self._others else UNIT

    def _check(self, name: str, serial: str) -> None:
        if name != OURSELVES and name not in self._others and not self._of_units.credentials.is_good(name, serial):
            self._of_units.refusals.count(Cause.NO_CERTIFICATE, name, said="its certificate is revoked, or unknown")
            raise AMQTTError(f"the certificate of {name} is good no more")

    def _check_will(self, name: str, topic: str) -> None:
        if name not in self._others:
            self._check_own(name, topic)
        elif not self._others[name].write(topic):
            raise AMQTTError(f"{name} may not write on {topic}")

    def _check_called(self, name: str, called: str | None) -> None:
        if called != name:
            self._of_units.refusals.count(Cause.WRONG_UNIT, name, said=f"came as {called}")
            raise AMQTTError(f"{name} came as {called}")

    async def _handle_subscription(
        self, client_session: Session, handler: BrokerProtocolHandler, subscribe_waiter: "asyncio.Future[Any]"
    ) -> None:
        await super()._handle_subscription(client_session, handler, subscribe_waiter)
        for topic, qos in subscribe_waiter.result().topics:
            if any(session is client_session for session, _ in self._subscriptions.get(topic, ())):
                kept = [one for name, one in self._retained_messages.items() if self._matches(name, topic)]
                await handler.send_kept(kept, qos)
        if client_session.client_id == OURSELVES:
            self._heard.set()

    async def _publish_retained_messages_for_subscription(self, _: tuple[str, int], session: Session) -> None:
        """Send nothing: what is kept answers a subscription (MQTT 3.1.1 section 3.3.1.3), and is sent with that.

        amqtt also comes here whenever a client connects, for the subscriptions of everybody: each unit would be told
        what every other one said last, and where it stands.
        """

    async def _publish_session_retained_messages(self, session: Session) -> None:
        """Send what waited in a session for its client, and what comes meanwhile after it."""
        if session.transitions.state == "disconnected":
            session.transitions.connect()  # by the end of the connection that this one has taken over
        await self._sessions[session.client_id][1].catch_up()

    async def add_subscription(self, subscription: tuple[str, int], session: Session) -> int:
        """Subscribe a client to so many topics at most; return the code for that (MQTT 3.1.1 section 3.9.3)."""
        of_client = sum(1 for those in self._subscriptions.values() if any(one is session for one, _ in those))
        if of_client >= SUBSCRIPTIONS_MAX:
            log.warning("telemetry.too_many_subscriptions", client=session.client_id)
            return SUBSCRIPTION_REFUSED
        return int(await super().add_subscription(subscription, session))

    async def _handle_unsubscription(
        self, client_session: Session, handler: BrokerProtocolHandler, unsubscribe_waiter: "asyncio.Future[Any]"
    ) -> None:
        await super()._handle_unsubscription(client_session, handler, unsubscribe_waiter)
        for topic in unsubscribe_waiter.result().topics:
            # amqtt keeps the topic, with nobody on it.
            if not self._subscriptions.get(topic, True):
                del self._subscriptions[topic]

    async def retain_message(
        self,
        source_session: Session | None,
        topic_name: str | None,
        data: bytes | bytearray | None,
        qos: int | None = None,
    ) -> None:
        """Keep a message, on so many topics of one client."""
        if data and source_session is not None and topic_name not in self._retained_messages:
            name = source_session.client_id or ""
            if self.kept_of(name) >= self._room_of(name).topics:
                log.warning("telemetry.too_much_kept", client=name, topic=topic_name)
                return
        await super().retain_message(source_session, topic_name, data, qos)

    async def _run_broadcast(self, running_tasks: "deque[asyncio.Task[Any]]") -> None:
        """Hand one message to all who subscribed; end the sessions of those who are away and have no room for it."""
        await super()._run_broadcast(running_tasks)
        for name, (session, _) in tuple(self._sessions.items()):
            if session.transitions.state == "disconnected":
                await self._end_overfull(name)
        if len(running_tasks) >= self._forget_at:
            # amqtt forgets them from the first on: behind one that waits long it would keep all that are done.
            going = [one for one in running_tasks if not _over(one)]
            running_tasks.clear()
            running_tasks.extend(going)
            self._forget_at = 2 * len(going) + SENDING_FORGET

    async def _end_overfull(self, name: str) -> None:
        """End a session in which there was no room: whoever comes back to it would not see the gap."""
        session, _ = self._sessions.get(name, (None, None))
        if session is not None and session.retained_messages.overfull:
            log.warning("telemetry.session_ended", client=name, waiting=session.retained_messages.qsize())
            await self._cleanup_session(name)

    async def _handle_disconnect(
        self, client_session: Session, handler: BrokerProtocolHandler, disconnect_waiter: "asyncio.Future[Any]"
    ) -> None:
        await super()._handle_disconnect(client_session, handler, disconnect_waiter)
        if self._get_handler(client_session) is not handler and client_session.client_id in self._sessions:
            # Another connection has taken the session over: amqtt would go on as if nobody were there.
            client_session.transitions.connect()

    async def _retain_broadcast_message(self, broadcast: dict[str, Any], qos: int, target_session: Session) -> None:
        """Have a message wait for a client that is away, where there is room."""
        target_session.retained_messages.keep(broadcast["topic"], broadcast["data"], qos)

    async def _delete_session(self, client_id: str) -> None:
        """End the session of a client that begins a new one; amqtt does so before anybody asked who it is."""
        self._check_called(_comer.get(), client_id)
        await super()._delete_session(client_id)

    async def _authenticate(self, session: Session, _: ListenerConfig) -> bool:
        """Return whether a client may stay: whoever comes here has shown who it is."""
        return session.ssl_object is not None

    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        """Return whether a client may write, read or subscribe to a topic."""
        name = session.client_id or ""
        if name == OURSELVES:
            return True
        if name in self._others:
            may = self._others[name]
            return may.write(topic) if action is Action.PUBLISH else may.read(topic)
        if action is not Action.PUBLISH:
            return topic.startswith(f"{PREFIX}/{name}/{Branch.COMMAND}/")
        if not self._of_units.credentials.good(name):
            self._of_units.refusals.count(Cause.REVOKED, name, said=f"on {topic}")
            return False
        try:
            self._check_own(name, topic)
        except AMQTTError:
            return False
        return True

    def _check_own(self, name: str, topic: str) -> None:
        found, event = read(topic), read_event(topic)
        if event is not None and (event.sender, event.name) == (Sender.UNIT, name) and self._has_room(name, topic):
            return
        if not may_write(name, topic):
            known = label_in(topic) == name and (found is None or found.branch is not Branch.COMMAND)
            self._of_units.refusals.count(Cause.UNKNOWN_KIND if known else Cause.WRONG_UNIT, name, said=f"on {topic}")
            raise AMQTTError(f"{name} may not write on {topic}")

    def _has_room(self, name: str, topic: str) -> bool:
        told = self._event_topics.setdefault(name, set())
        if len(told) < EVENT_TOPICS_MAX:
            told.add(topic)
        return topic in told


def _over(sending: "asyncio.Task[Any]") -> bool:
    """Return whether a message was sent, or will not be any more."""
    if sending.done() and not sending.cancelled():
        sending.exception()  # what asyncio would tell of when it is forgotten: it was the end of a connection
    return sending.done()


@asynccontextmanager
async def open_broker(
    units: Units, pair: Pair, *, host: str, port: int, others: Mapping[str, May] = MappingProxyType({})
) -> AsyncIterator[EmbeddedBroker]:
    """Serve units on a port for the time of the block, with the broker's own certificate.

    ``others`` are those who come and are no unit, by the names on their certificates, with what each may.

    Raises:
        OSError: the port cannot be had.
    """
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    listener = ListenerConfig(bind=bind, max_connections=CONNECTIONS_MAX, ssl=True)
    config = BrokerConfig(listeners={"default": listener}, plugins={}, session_expiry_interval=SESSION_S)
    broker = EmbeddedBroker(config, units, await asyncio.to_thread(server_tls, units.credentials.ca_file, pair), others)
    try:
        await broker.start()
    except BrokerError as error:
        raise OSError(f"The embedded broker cannot listen on {host}:{port}: {error.__cause__ or error}.") from error
    log.info("telemetry.broker_up", host=host, port=port)
    units.credentials.broker_shows(await asyncio.to_thread(end_of, pair))
    leave = units.credentials.when_revoked(broker.see_out), units.credentials.when_renewed(broker.renew)
    try:
        yield broker
    finally:
        for end in leave:
            end()
        await broker.shutdown()
