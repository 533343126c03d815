"""What a host is asked to look for."""

from pydantic import Field

from gateway.fleet.rpc import Message


class DiscoverRequest(Message):
    """Ask the camera network who is there."""

    timeout_s: float = Field(default=3.0, gt=0.0, le=30.0)
    unicast: tuple[str, ...] = ()
