"""The broker inside the gateway, for a demo or a small site: amqtt, MQTT 3.1.1 over TLS with client certificates.

amqtt knows who a client is by what it calls itself, and asks plugins. Here a client is who its certificate says, and
must call itself so: there is no way in beside that. It keeps nothing over a restart, and bounds no queue of a client
that does not read; that is what Mosquitto is for (docs/mosquitto.conf).
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Any

import structlog
from amqtt.adapters import ReaderAdapter, StreamReaderAdapter, StreamWriterAdapter, WriterAdapter
from amqtt.broker import Broker, BrokerError
from amqtt.contexts import Action, BrokerConfig, ListenerConfig
from amqtt.errors import AMQTTError
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session

from gateway.telemetry.onvif_events import Sender, read_event
from gateway.telemetry.outward.rights import May
from gateway.telemetry.topics import PREFIX, Branch, label_in, may_write, read
from gateway.units import Cause, Units
from gateway.units.credentials import OURSELVES, Pair

log = structlog.get_logger()

PACKET_MAX_BYTES = 4608
CONNECT_S = 10.0
"""How long a client may take to say who it is."""
KEEPALIVE_MAX_S = 300
CONNECTIONS_MAX = 200
SESSION_S = 86_400
HEAD_BYTES = 16
"""In so many bytes a client has said which version it speaks."""
UNSUPPORTED_VERSION = b"\x20\x03\x00\x84\x00"
"""The refusal that a client of MQTT 5 understands (section 3.2): it comes again in 3.1.1."""
EVENT_TOPICS_MAX = 64
"""On so many topics a unit may tell events of its camera (ONVIF): the broker keeps the last of each."""

_comer: ContextVar[str] = ContextVar("comer")
"""Whose certificate the connection bears that a task serves."""


class _Reader(StreamReaderAdapter):  # type: ignore[misc]
    """Reads no packet that is too long, none of a version that amqtt would wait in for ever, and no silence."""

    def __init__(self, reader: asyncio.StreamReader, abort: Callable[[], None]) -> None:
        super().__init__(reader)
        self.oversized = False
        self.modern = False
        self.patience_s: float | None = None
        """Who says nothing for so long is gone (MQTT 3.1.1 section 3.1.2.10); amqtt would wait for ever."""
        self._abort = abort
        self._head = b""

    async def read(self, n: int = -1) -> bytes:
        if n > PACKET_MAX_BYTES:
            self.oversized = True
            raise AMQTTError(f"a packet of {n} bytes")
        try:
            async with asyncio.timeout(self.patience_s):
                data = bytes(await super().read(n))
        except TimeoutError:
            self._abort()
            return b""
        if len(self._head) < HEAD_BYTES:
            self._head += data
            _, named, level = self._head.partition(b"\x00\x04MQTT")
            if named and level[:1] > b"\x04":
                self.modern = True
                raise AMQTTError(f"version {level[0]} of MQTT")
        return data


class EmbeddedBroker(Broker):  # type: ignore[misc]
    """Made by :func:`open_broker`. What amqtt asks plugins for elsewhere is decided here."""

    def __init__(self, config: BrokerConfig, units: Units, tls: ssl.SSLContext, others: Mapping[str, May]) -> None:
        super().__init__(config)
        self._others = others
        self._of_units = units
        self._tls = tls
        self._heard = asyncio.Event()
        """We have subscribed: what units say from now on reaches us."""
        self._event_topics: dict[str, set[str]] = {}
        """On which topics each unit has told events of its camera."""
        self._inside: dict[asyncio.StreamWriter, tuple[str, str]] = {}
        """Connections that stand: whose certificate each bears, and its serial number."""

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
        bounded, out = _Reader(reader, writer.transport.abort), StreamWriterAdapter(writer)
        name, serial = _name_of(out)
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
        name, serial = _name_of(writer)
        _comer.set(name)
        try:
            self._check(name, serial)
            async with asyncio.timeout(CONNECT_S):
                if name != OURSELVES:
                    # What came before would be acknowledged, and reach nobody.
                    await self._heard.wait()
                handler, session = await super()._initialize_client_session(reader, writer, remote_address, remote_port)
            self._check_called(name, session.client_id)
            if session.will_flag:
                # amqtt publishes it without asking whether its owner may.
                self._check_will(name, session.will_topic or "")
        except (AMQTTError, TimeoutError) as error:
            with suppress(OSError):
                if isinstance(reader, _Reader) and reader.modern:
                    writer.write(UNSUPPORTED_VERSION)
                await writer.close()
            raise AMQTTError(str(error)) from error
        if isinstance(reader, _Reader):
            # A unit that asks for no bound, or for a long one, is bound as it is by Mosquitto.
            reader.patience_s = 1.5 * min(session.keep_alive or KEEPALIVE_MAX_S, KEEPALIVE_MAX_S)
            session.keep_alive = 0
        # A session that was there bears the connection it was made on.
        session.ssl_object = writer.get_ssl_info()
        return handler, session

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
        if client_session.client_id == OURSELVES:
            self._heard.set()

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


def _name_of(writer: WriterAdapter) -> tuple[str, str]:
    """Return whom a certificate is for, and its serial number in hex."""
    shown = writer.get_ssl_info()
    certificate = shown.getpeercert() if shown is not None else None
    if not certificate:
        return "", ""
    subject = certificate.get("subject", ())
    names = [value for part in subject for key, value in part if key == "commonName"]
    return (names[0] if len(names) == 1 else ""), f"{int(str(certificate['serialNumber']), 16):x}"


def _tls(ca: Path, pair: Pair) -> ssl.SSLContext:
    """Return a context that takes nobody without a certificate of the units' authority. Blocks."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(pair.certificate, pair.key)
    return context


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
    broker = EmbeddedBroker(config, units, await asyncio.to_thread(_tls, units.credentials.ca_file, pair), others)
    try:
        await broker.start()
    except BrokerError as error:
        raise OSError(f"The embedded broker cannot listen on {host}:{port}: {error.__cause__ or error}.") from error
    log.info("telemetry.broker_up", host=host, port=port)
    leave = units.credentials.when_revoked(broker.see_out)
    try:
        yield broker
    finally:
        leave()
        await broker.shutdown()
