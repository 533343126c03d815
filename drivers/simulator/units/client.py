"""A unit on the wire: MQTT over TLS with its own certificate, as a real unit's firmware would do it.

It connects with a last will, says that it is there, tells every state, and from then on what changes and what happens;
it answers commands. While its link is away a bounded outbox keeps what is worth keeping (QoS 1).
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
import structlog

from drivers.mqtt import MqttClient, TlsSocket
from drivers.simulator.units.broker import Broker
from drivers.simulator.units.link import Link, LinkState, open_link
from drivers.simulator.units.mischief import Mischief
from drivers.simulator.units.orders import Refusal, obey
from drivers.simulator.units.telling import PREFIX, Message, Outbox, Telling
from drivers.simulator.units.unit import FIRMWARE, Power, Unit
from kernel.clock import Clock
from kernel.supervision import Backoff, try_forever

log = structlog.get_logger()

ANSWER_S = 10.0
"""How long the broker may take to answer anything."""
COMMANDS_MAX = 64
OFFLINE = b'{"online":false}'
_PROTOCOLS = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}


class _Context(ssl.SSLContext):
    """Asks for the broker's own name, though the connection goes by way of the unit's link."""

    broker: str

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        return super().wrap_socket(*arguments, **{**options, "server_hostname": self.broker})


def _context(broker: Broker, label: str) -> _Context:
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    context.broker = broker.host
    context.sslsocket_class = TlsSocket
    context.load_verify_locations(broker.certificates / "ca.pem")
    context.load_cert_chain(broker.certificates / f"{label}.pem", broker.certificates / f"{label}.key")
    return context


class UnitClient:
    """Speaks for one unit. Whoever steps the unit calls :meth:`tick` after it; made by :func:`open_client`."""

    def __init__(self, unit: Unit, broker: Broker, link: Link, *, clock: Clock, outbox: Outbox | None = None) -> None:
        self.unit = unit
        self.outbox = Outbox() if outbox is None else outbox
        self.connections = 0
        """How often the broker has taken it."""
        self._broker = broker
        self._link = link
        self._clock = clock
        self._telling = Telling(unit, clock)
        self._mischief = Mischief(unit.label, unit.faults)
        self._seq = 0
        self._boot = ""
        self._attaches = unit.attaches
        self._stamped: tuple[Message, bytes] | None = None
        """What was taken from the outbox and has its number: unconfirmed, it is sent again as it was."""
        self._on = asyncio.Event()
        self._off = asyncio.Event()
        self._wake = asyncio.Event()

    def tick(self) -> None:
        """Look at what has become of the unit."""
        unit = self.unit
        if not unit.running or unit.boot != self._boot:
            self._end_of_boot()
        if unit.running and unit.boot != self._boot:
            self._boot = unit.boot
        if unit.attaches != self._attaches:
            self._attaches = unit.attaches
            self._link.attach()
        if unit.faults.cut_link:
            self._link.turn(LinkState.CUT)
        else:
            self._link.turn(LinkState.OPEN if unit.linked else LinkState.LOST)
        if unit.power is Power.ON:
            self._off.clear()
            self._on.set()
        else:
            self._on.clear()
        for message in self._telling.due():
            self.outbox.put(message)
        self._wake.set()

    def _end_of_boot(self) -> None:
        """Forget what a unit forgets that is switched off."""
        self._on.clear()
        self._off.set()
        self._link.leave()
        self.outbox.clear()
        self._stamped = None
        self._seq = 0
        self._telling.all_anew()

    async def run(self) -> None:
        """Call in, again and again, for ever."""
        await try_forever(
            self._session,
            clock=self._clock,
            expected=(aiomqtt.MqttError, OSError),
            on_failure=self._failed,
            backoff=Backoff(base_s=1.0, cap_s=30.0),
        )

    def _failed(self, error: Exception, delay_s: float) -> None:
        log.debug("simulator.unit_away", unit=self.unit.label, error=str(error), retry_s=round(delay_s, 1))

    async def _session(self) -> None:
        await self._on.wait()
        await self._link.carries()
        label = self.unit.label
        client = MqttClient(
            "127.0.0.1",
            self._link.port,
            identifier=label,
            protocol=_PROTOCOLS[self._broker.protocol],
            tls_context=await asyncio.to_thread(_context, self._broker, label),
            will=aiomqtt.Will(f"{PREFIX}/{label}/online", OFFLINE, qos=1, retain=True),
            timeout=ANSWER_S,
            keepalive=self._broker.keepalive_s,
            max_queued_incoming_messages=COMMANDS_MAX,
        )
        async with client:
            self.connections += 1
            parts = [
                # Who listens is told of a lost connection, so this one begins before anything is asked.
                asyncio.create_task(self._obey(client), name=f"{label} obeys"),
                asyncio.create_task(self._speak(client), name=f"{label} speaks"),
                asyncio.create_task(self._off.wait(), name=f"{label} goes off"),
            ]
            try:
                done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for part in parts:
                    part.cancel()
                await asyncio.gather(*parts, return_exceptions=True)
            for part in done:
                part.result()

    async def _speak(self, client: aiomqtt.Client) -> None:
        """Ask for commands, say that it is there, and then send what waits until the unit has said goodbye."""
        await client.subscribe(f"{PREFIX}/{self.unit.label}/command/+", qos=1)
        if self._stamped is not None:
            # What was not confirmed has a lower number than the birth will have: after it, it would be late.
            await self._send_next(client)
        birth = Message("online", {"online": True, "firmware": FIRMWARE}, self.unit.time())
        wire = self._mischief.right(birth.topic, self._stamp(birth))
        await client.publish(wire.topic, wire.payload, qos=1, retain=True)
        # The broker may be another than last time: every state is told with the next look.
        self._telling.all_anew()
        await self._send(client)

    def _stamp(self, message: Message) -> bytes:
        self._seq += 1
        return message.stamped(self._seq, self._boot)

    async def _send(self, client: aiomqtt.Client) -> None:
        while True:
            while await self._send_next(client):
                pass
            if self.unit.power is Power.CLOSING:
                wire = self._mischief.right("online", OFFLINE)
                await client.publish(wire.topic, wire.payload, qos=1, retain=True)
                return
            self._wake.clear()
            await self._wake.wait()

    async def _send_next(self, client: aiomqtt.Client) -> bool:
        """Send the oldest of what waits; return whether there was anything."""
        message = self.outbox.take()
        if message is None:
            return False
        if self._stamped is None or self._stamped[0] is not message:
            self._stamped = (message, self._stamp(message))
        for wire in self._mischief.sent(message.topic, self._stamped[1]):
            await client.publish(wire.topic, wire.payload, qos=1, retain=message.state)
        self.outbox.confirmed()
        self._stamped = None
        return True

    async def _obey(self, client: aiomqtt.Client) -> None:
        """Answer commands. A retained one is old: somebody should not have kept it."""
        async for message in client.messages:
            if message.retain or not isinstance(message.payload, bytes):
                continue
            name = str(message.topic).rpartition("/")[2]
            try:
                order = json.loads(message.payload)
            except ValueError:
                continue
            if not isinstance(order, dict) or not isinstance(order.get("id"), str):
                continue
            answer: dict[str, Any] = {"id": order["id"], "ok": True}
            try:
                told_again = obey(self.unit, name, order)
            except Refusal as refusal:
                told_again = ()
                answer |= {"ok": False, "error": str(refusal)}
            self._answer(name, answer)
            for kind in told_again:
                self._telling.again(kind)

    def _answer(self, name: str, answer: dict[str, Any]) -> None:
        self.outbox.put(Message(f"answer/{name}", answer, self.unit.time()))
        self._wake.set()


@asynccontextmanager
async def open_client(
    unit: Unit, broker: Broker, *, clock: Clock, outbox: Outbox | None = None
) -> AsyncIterator[UnitClient]:
    """Let a unit call in for the time of the block. On leaving it is gone as when its plug is pulled."""
    async with open_link(broker.host, broker.port, unit.sent) as link:
        client = UnitClient(unit, broker, link, clock=clock, outbox=outbox)
        failure: Exception | None = None
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(client.run(), name=f"unit {unit.label}")
            try:
                yield client
            except Exception as error:  # noqa: BLE001 - raised again below, not wrapped by the task group
                failure = error
            finally:
                link.leave()
                running.cancel()
        if failure is not None:
            raise failure
