"""The MQTT brokers at which a device publishes its events (Core section 9, "Event Broker"; Profile M).

A device that has none of it refuses the operations, which is a CameraFaultError.
"""

from collections.abc import Sequence

from drivers.model import EventBroker
from drivers.onvif.catalogue import Service
from drivers.onvif.soap import Caller

QOS = 1


class EventBrokers:
    """Those of one device. Every method raises ``drivers.errors.CameraError``."""

    def __init__(self, caller: Caller, url: str) -> None:
        self._caller = caller
        self._url = url

    async def add(self, broker: EventBroker) -> None:
        """AddEventBroker: all events, at least once. One of the same address is replaced."""
        fields = {"Address": broker.address, "TopicPrefix": broker.prefix, "QoS": QOS}
        if broker.username:
            fields |= {"UserName": broker.username, "Password": broker.password.get_secret_value()}
        await self._caller.call(self._url, Service.EVENT_BROKER, "AddEventBroker", {"EventBroker": fields})

    async def remove(self, address: str) -> None:
        """DeleteEventBroker; one that it does not have is refused."""
        await self._caller.call(self._url, Service.EVENT_BROKER, "DeleteEventBroker", {"Address": address})

    async def all(self) -> Sequence[EventBroker]:
        """GetEventBrokers: every one, without its password."""
        answer = await self._caller.call(self._url, Service.EVENT_BROKER, "GetEventBrokers")
        return [
            EventBroker(
                address=node.text("Address"),
                prefix=node.text("TopicPrefix"),
                username=node.text("UserName"),
                status=node.text("Status"),
            )
            for node in answer.all("EventBroker")
        ]
