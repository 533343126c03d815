"""Event brokers of a simulated camera: it publishes its events over MQTT as JSON (ONVIF Core, "Event Broker").

Properties are kept by the broker; a topic tells ONVIF's names without their prefix, and the values of the source behind
an ampersand. The broker's certificate is not checked: that is what the specification has a device do that was given no
policy for it.
"""

import asyncio
import json
import ssl
from collections import deque
from urllib.parse import urlsplit

import aiomqtt
import structlog

from drivers.mqtt import MqttClient
from drivers.simulator import happenings
from drivers.simulator.device import DeviceEvent, SimulatedDevice
from drivers.simulator.onvif import values
from drivers.simulator.onvif.markup import Element, el
from drivers.simulator.onvif.soap import Fault, Request, Service, invalid, operation
from kernel.supervision import Backoff, try_forever

log = structlog.get_logger()

BROKERS_MAX = 2
WAITING_MAX = 256
PORTS = {"mqtt": 1883, "mqtts": 8883}
ANSWER_S = 10.0
KEEPALIVE_S = 30


class EventBrokerService(Service):
    """AddEventBroker, DeleteEventBroker and GetEventBrokers; who is added is published to until it is deleted."""

    prefix = "tev"

    def __init__(self, device: SimulatedDevice, tasks: asyncio.TaskGroup) -> None:
        super().__init__(device)
        self._tasks = tasks
        self._brokers: dict[str, tuple[_Publisher, asyncio.Task[None]]] = {}

    def heard(self, event: DeviceEvent) -> None:
        """Have an event published at every broker."""
        for publisher, _ in self._brokers.values():
            publisher.put(event)

    def close(self) -> None:
        """Publish no more."""
        for _, running in self._brokers.values():
            running.cancel()
        self._brokers.clear()

    @operation("AddEventBroker")
    def add_event_broker(self, request: Request) -> None:
        """Publish at a broker from now on, first of all the state of every property."""
        address, prefix = request.need("EventBroker/Address"), request.need("EventBroker/TopicPrefix")
        parts = urlsplit(address)
        if parts.scheme not in PORTS:
            raise invalid("This protocol is not spoken.", "InvalidProtocol")
        if not parts.hostname:
            raise invalid("This is no address of a broker.", "InvalidAddress")
        if address not in self._brokers and len(self._brokers) >= BROKERS_MAX:
            raise Fault("Action", "TooManyEventBrokers", reason="No more brokers.", receiver=True)
        self._forget(address)
        publisher = _Publisher(
            self.device,
            address,
            prefix,
            username=request.text("EventBroker/UserName"),
            password=request.text("EventBroker/Password"),
            qos=int(request.number("EventBroker/QoS", 0)),
        )
        running = self._tasks.create_task(publisher.run(), name=f"events of {self.device.number} to {address}")
        self._brokers[address] = publisher, running

    @operation("DeleteEventBroker")
    def delete_event_broker(self, request: Request) -> None:
        """Publish there no more."""
        if not self._forget(request.need("Address")):
            raise invalid("There is no such broker.", "InvalidAddress")

    @operation("GetEventBrokers")
    def get_event_brokers(self, request: Request) -> list[Element]:
        """Return them, without their passwords."""
        wanted = request.text("Address")
        if wanted and wanted not in self._brokers:
            raise invalid("There is no such broker.", "InvalidAddress")
        return [publisher.described() for address, (publisher, _) in self._brokers.items() if wanted in {"", address}]

    def _forget(self, address: str) -> bool:
        found = self._brokers.pop(address, None)
        if found is not None:
            found[1].cancel()
        return found is not None


class _Publisher:
    """Publishes at one broker."""

    def __init__(  # noqa: PLR0913 - what a device is told of a broker
        self, device: SimulatedDevice, address: str, prefix: str, *, username: str, password: str, qos: int
    ) -> None:
        self._device = device
        self._address = address
        self._prefix = prefix
        self._username = username
        self._password = password
        self._qos = qos
        self._waiting = deque(happenings.present(device), maxlen=WAITING_MAX)
        self._wake = asyncio.Event()
        self._status = "Offline"

    def put(self, event: DeviceEvent) -> None:
        """Have an event published."""
        self._waiting.append(event)
        self._wake.set()

    def described(self) -> Element:
        """Return it as GetEventBrokers tells it."""
        return el(
            "tev:EventBroker",
            el("tev:Address", self._address),
            el("tev:TopicPrefix", self._prefix),
            el("tev:UserName", self._username) if self._username else None,
            el("tev:QoS", self._qos),
            el("tev:Status", self._status),
        )

    async def run(self) -> None:
        """Publish, for ever."""
        await try_forever(
            self._run_once,
            clock=self._device.clock,
            expected=(aiomqtt.MqttError, OSError),
            on_failure=self._failed,
            backoff=Backoff(base_s=0.5, cap_s=15.0),
        )

    async def _run_once(self) -> None:
        parts = urlsplit(self._address)
        self._status = "Connecting"
        tls = await asyncio.to_thread(_unchecked) if parts.scheme == "mqtts" else None
        client = MqttClient(
            parts.hostname or "",
            parts.port or PORTS[parts.scheme],
            username=self._username or None,
            password=self._password or None,
            tls_context=tls,
            tls_insecure=True if tls is not None else None,
            protocol=aiomqtt.ProtocolVersion.V311,
            timeout=ANSWER_S,
            keepalive=KEEPALIVE_S,
        )
        try:
            async with client:
                self._status = "Connected"
                while True:
                    while self._waiting:
                        event = self._waiting[0]
                        await client.publish(self._topic(event), self._payload(event), qos=self._qos, retain=True)
                        if self._waiting and self._waiting[0] is event:
                            self._waiting.popleft()
                    self._wake.clear()
                    await self._wake.wait()
        finally:
            self._status = "Offline"

    def _topic(self, event: DeviceEvent) -> str:
        local = event.topic.replace("tns1:", "")
        source = "/".join(event.source.values()).replace("#", "").replace("+", "")
        return f"{self._prefix}/onvif-ej/{local}" + (f"/&{source}" if source else "")

    def _payload(self, event: DeviceEvent) -> str:
        moment = values.instant(event.wall_ns, self._device.faults)
        return json.dumps({"UtcTime": moment, "Source": event.source, "Data": event.data})

    def _failed(self, error: Exception, delay_s: float) -> None:
        log.debug("simulator.events_unpublished", error=str(error), retry_s=round(delay_s, 1))


def _unchecked() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
