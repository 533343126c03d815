"""Live viewing over WebRTC (docs/design/live.md)."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, IPvAnyAddress, SecretStr, model_validator


class IceServer(BaseModel):
    """A STUN or TURN server named to browsers; the gateway itself needs none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern=r"^(stuns?|turns?):[^\s<>\"]+$")]
    """For instance ``turn:turn.example.org:3478?transport=tcp``."""
    username: str | None = None
    credential: SecretStr | None = None


class LiveSettings(BaseModel):
    """The viewers' side of the media plane."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    addresses: tuple[IPvAnyAddress, ...] = ()
    """Local addresses that viewers are served from; empty: every address of this machine but loopback."""
    loopback: bool = False
    """Also serve viewers on this machine itself, over 127.0.0.1. The demo does."""
    public_addresses: tuple[IPvAnyAddress, ...] = ()
    """Addresses by which a router forwards to this machine (1:1 NAT); named to viewers beside the local ones."""
    port_range: tuple[int, int] | None = None
    """UDP ports for viewers, first and last; empty: any."""
    ice_servers: tuple[IceServer, ...] = ()
    """Named to browsers; none by default, so that nothing outside is ever asked."""
    max_viewers: Annotated[int, Field(ge=1)] = 64
    """Viewers of one camera host; the next one is told that it is full."""
    gop_cache_bytes: Annotated[int, Field(ge=0)] = 8 * 1024 * 1024
    """Longest group of pictures kept for each watched or unwatched stream; a viewer of a longer one waits."""
    lane_pictures: Annotated[int, Field(ge=2)] = 50
    """Pictures that may wait for one slow viewer before everything up to the next keyframe is dropped."""
    connect_timeout_s: Annotated[float, Field(gt=0)] = 15.0
    """A viewer who has not connected by then is let go."""
    stall_timeout_s: Annotated[float, Field(gt=0)] = 20.0
    """A viewer who reports nothing new for this long while pictures are sent is let go."""

    @model_validator(mode="after")
    def _ports_in_order(self) -> Self:
        if self.port_range is not None:
            first, last = self.port_range
            if not 1024 <= first <= last <= 65535:
                msg = f"port_range {first}-{last} must rise and lie within 1024-65535"
                raise ValueError(msg)
        return self
