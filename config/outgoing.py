"""Live pictures to partners' own systems over RTSPS (docs/design/rtsp-out.md)."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class OutgoingSettings(BaseModel):
    """The RTSPS door for partners' own systems: police VMS, VLC, ffmpeg. What is shown, and to whom, is a share's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rtsps: bool = False
    """Whether camera hosts listen for RTSPS at all."""
    host: str = "0.0.0.0"  # noqa: S104 - partners come over a network; the firewall says which
    """Address to listen on; "::" is IPv6 and IPv4."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8322
    """TCP port of the first camera host; host N listens on the Nth port after it. 0: any free one."""
    name: Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9.:-]*$")] = ""
    """Name or address by which partners reach the door, for the addresses that they are given; without it that of the
    console."""
    tls_certificate: Path | None = None
    """PEM file with the certificate chain of this door. Without it that of the gateway ([server]) is used, which each
    camera host must be able to read."""
    tls_key: Path | None = None
    """PEM file with that certificate's private key."""
    max_connections: Annotated[int, Field(ge=1)] = 200
    """Connections of one camera host, those included that have not said who they are; more are closed at once."""
    max_connections_per_address: Annotated[int, Field(ge=1)] = 32
    """Of these, from one address; a partner's control room may come from one."""
    connect_timeout_s: Annotated[float, Field(gt=0)] = 15.0
    """A connection on which nothing is played by then is closed; the TLS handshake has as long."""
    session_timeout_s: Annotated[float, Field(ge=10)] = 60.0
    """Told to clients, who keep a session alive by requests or RTCP; one that is silent for a quarter longer ends."""
    stall_timeout_s: Annotated[float, Field(gt=0)] = 20.0
    """A viewer who takes nothing in for this long is let go."""

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            msg = "tls_certificate and tls_key belong together: give both or neither"
            raise ValueError(msg)
        return self
