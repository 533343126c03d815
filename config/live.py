"""Live viewing over WebRTC (docs/design/live.md)."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, IPvAnyAddress, SecretStr, field_validator, model_validator

from config.origins import origin


class IceServer(BaseModel):
    """A STUN or TURN server named to browsers; the gateway itself needs none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern=r"^(stuns?|turns?):[!#-;=?-~]+$")]
    """For instance ``turn:turn.example.org:3478?transport=tcp``."""
    username: str | None = None
    credential: SecretStr | None = None

    @model_validator(mode="after")
    def _turn_has_credentials(self) -> Self:
        # Browsers refuse a TURN server without them, and with it every connection.
        if self.url.startswith("turn") and (not self.username or self.credential is None):
            msg = "a TURN server needs username and credential, or turn_urls with turn_secret in place of this"
            raise ValueError(msg)
        # They are told in an HTTP header.
        told = (self.username or "") + (self.credential.get_secret_value() if self.credential else "")
        if not (told.isascii() and told.isprintable()):
            msg = "username and credential may have letters, digits, spaces and signs of ASCII alone"
            raise ValueError(msg)
        return self


TurnUrl = Annotated[str, Field(pattern=r"^turns?:[!#-;=?-~]+$")]


class LiveSettings(BaseModel):
    """The viewers' side of the media plane."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    addresses: tuple[IPvAnyAddress, ...] = ()
    """Local addresses that viewers are served from; empty: every address of this machine but loopback."""
    loopback: bool = False
    """Also serve viewers on this machine itself, over 127.0.0.1. The demo does."""
    public_addresses: tuple[IPvAnyAddress, ...] = ()
    """Addresses by which a router forwards to this machine (1:1 NAT); named to viewers beside the local ones."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8189
    """The one UDP port (and TCP port of the same number) of all viewers of a camera host; host N listens on the Nth
    port after it. 0: any free one."""
    tcp: bool = True
    """Also serve viewers over TCP (RFC 6544) on the same number, for networks that let no UDP through."""
    ice_servers: tuple[IceServer, ...] = ()
    """Named to browsers; none by default, so that nothing outside is ever asked."""
    turn_urls: tuple[TurnUrl, ...] = ()
    """TURN servers that viewers may relay through, with credentials made for each of them from ``turn_secret``."""
    turn_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    """coturn's ``static-auth-secret``: the key of time-limited credentials."""
    turn_ttl_s: Annotated[int, Field(ge=60, le=86_400)] = 3600
    """How long such a credential opens new relays; a running one goes on."""
    player_origins: tuple[str, ...] = ()
    """Other sites whose pages may play by WHEP, with a token, as in "https://wall.example.org"; none by default."""
    signalling_per_s: Annotated[float, Field(gt=0)] = 20.0
    """WHEP offers and changes (POST, PATCH) of one session or token that are taken for long; too many are told when to
    come again."""
    signalling_burst: Annotated[int, Field(ge=1)] = 400
    """And at once: a tile takes about four, so that a hundred may open together."""
    max_viewers: Annotated[int, Field(ge=1)] = 300
    """Viewers of one camera host; the next one is told that it is full."""
    max_packet_bytes: Annotated[int, Field(ge=576, le=1460)] = 1200
    """Largest RTP packet before encryption. The camera's own packets are passed on as they were cut where none is
    larger; 1200 fits every path, 1400 costs less where all viewers are on an undivided Ethernet."""
    pace_mbit_s: Annotated[float, Field(gt=0)] = 80.0
    """Fastest that a keyframe or a first group of pictures goes out to one viewer; slower where its line says so."""
    transcodes: Annotated[int, Field(ge=0, le=64)] = 2
    """H.265 streams of one camera host that are coded anew for browsers that play none; 0: never."""
    gop_cache_bytes: Annotated[int, Field(ge=0)] = 8 * 1024 * 1024
    """Longest group of pictures kept for each watched or unwatched stream; a viewer of a longer one waits."""
    lane_pictures: Annotated[int, Field(ge=2)] = 50
    """Pictures that may wait for one slow viewer before everything up to the next keyframe is dropped."""
    connect_timeout_s: Annotated[float, Field(gt=0)] = 15.0
    """A viewer who has not connected by then is let go."""
    stall_timeout_s: Annotated[float, Field(gt=0)] = 20.0
    """A viewer who reports nothing new for this long while pictures are sent is let go."""

    @field_validator("addresses", "public_addresses")
    @classmethod
    def _can_be_told(cls, addresses: tuple[IPvAnyAddress, ...]) -> tuple[IPvAnyAddress, ...]:
        for address in addresses:
            if address.is_unspecified or address.is_multicast or address.is_link_local:
                msg = f"viewers cannot come to {address}: name addresses of one machine, or none for all it has"
                raise ValueError(msg)
        return addresses

    @field_validator("player_origins")
    @classmethod
    def _are_origins(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(origin(url) for url in urls)

    @model_validator(mode="after")
    def _turn_is_whole(self) -> Self:
        if self.turn_urls and self.turn_secret is None:
            msg = "turn_urls needs turn_secret, the static-auth-secret of that coturn"
            raise ValueError(msg)
        return self
