"""Which camera addresses may be talked to, and how (docs/design/onvif.md)."""

import ipaddress
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator


class CameraSettings(BaseModel):
    """What holds for every camera."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allow_loopback: bool = False
    """Let camera addresses reach this machine itself. The demo needs it; a camera network does not."""
    allow_networks: tuple[str, ...] = ()
    """Networks allowed although they are link-local or otherwise refused, as in "169.254.0.0/16"."""
    max_clock_offset_s: Annotated[float, Field(gt=0)] = 300.0
    """A camera whose clock is further off than this is not enrolled: its times would be no evidence."""
    connect_concurrency: Annotated[int, Field(ge=1, le=256)] = 8
    """How many cameras are connected to at once: hundreds at once make half of them fail."""

    @field_validator("allow_networks")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ipaddress.ip_network(network)
        return networks
