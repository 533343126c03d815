"""What a host is asked to look for."""

from pydantic import Field

from drivers.model import EventBroker
from gateway.fleet.rpc import Message


class DiscoverRequest(Message):
    """Ask the camera network who is there."""

    timeout_s: float = Field(default=3.0, gt=0.0, le=30.0)
    unicast: tuple[str, ...] = ()


class EventBrokerList(Message):
    """The MQTT brokers at which a device publishes its events; no password is ever in it."""

    brokers: tuple[EventBroker, ...]
