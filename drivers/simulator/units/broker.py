"""Where units call in, and by which certificates."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

TLS_PORT = 8883


class Broker(BaseModel):
    """One MQTT broker. Frozen; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    """``mqtts://host:port``; units speak over TLS only."""
    certificates: Path
    """A folder with ``ca.pem``, by which the broker is known, and of each unit ``D001.pem`` and ``D001.key``.

    They are read anew with each connection: a unit whose certificate is not there yet calls in once it is.
    """
    protocol: Literal["5", "3.1.1"] = "5"
    keepalive_s: int = Field(default=30, ge=1, le=3600)

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme != "mqtts" or not parts.hostname:
            msg = f"{self.url!r} is no broker that units call. Write mqtts://host:port."
            raise ValueError(msg)
        return self

    @property
    def host(self) -> str:
        """Return its name, which its certificate must bear."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Return its port, 8883 where the address names none."""
        return urlsplit(self.url).port or TLS_PORT
