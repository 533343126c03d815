"""Outlets: what a partner's own system (a police VMS, VLC, ffmpeg) may take over RTSPS, how long, and by what proof.

An outlet is a grant, not an account: a name in the address, one credential, cameras, an end. It travels to the hosts of
its cameras on the wire of ``gateway.fleet.rpc``. The password does not: a host is told HA1 (RFC 7616 section 3.4.2),
the hash of user name, realm and password. Digest cannot be checked against a slow salted hash such as Argon2, since the
client itself sends only a hash of HA1. HA1 opens this outlet and nothing else, because the realm names the outlet and
no other door takes it; and it cannot be turned back into the password, because that is 192 random bits which nobody
chose.
"""

import hashlib
import ipaddress
import secrets
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from gateway.fleet.rpc import Message
from kernel.ids import CameraId, StreamName

NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,63}$"
PASSWORD_BYTES = 24


def realm_of(name: str) -> str:
    """Return the realm of the outlet of that name, whether or not there is one: nobody can tell by asking."""
    return f"Sightline {name}"


class OutletCredential(Message):
    """What a password is checked against: HA1 in both of the hashes that clients know, lower-case hex."""

    sha256: SecretStr
    md5: SecretStr
    """Most of today's clients know no other; it is asked and answered inside TLS only."""


def credential_of(name: str, username: str, password: str) -> OutletCredential:
    """Return what the hosts of an outlet check a password against."""
    secret = f"{username}:{realm_of(name)}:{password}".encode()
    return OutletCredential(
        sha256=SecretStr(hashlib.sha256(secret).hexdigest()),
        md5=SecretStr(hashlib.md5(secret, usedforsecurity=False).hexdigest()),
    )


@dataclass(frozen=True, slots=True)
class IssuedCredential:
    """A credential just made. The password is shown to a person once and kept nowhere."""

    username: str
    password: str
    credential: OutletCredential


def issue_credential(name: str) -> IssuedCredential:
    """Make a credential for the outlet of that name. User name and password need no escaping in a URL."""
    username, password = secrets.token_hex(4), secrets.token_urlsafe(PASSWORD_BYTES)
    return IssuedCredential(username, password, credential_of(name, username, password))


class OutletCamera(Message):
    """A camera that an outlet shows; in its address it is named by either."""

    id: CameraId
    number: int


class Outlet(Message):
    """A grant to take cameras over RTSPS, read-only."""

    id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]
    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    """First segment of the address. Two outlets must not have one name."""
    username: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
    credential: OutletCredential
    cameras: tuple[OutletCamera, ...]
    best: StreamName = StreamName.MAIN
    """``sub``: the sub stream alone; ``main``: both."""
    networks: tuple[str, ...] = ()
    """Networks (CIDR) that its viewers must come from; empty: from anywhere."""
    viewers_max: Annotated[int, Field(ge=1, le=1000)] = 4
    """Views at one time, at each camera host."""
    full: bool = False
    """All places are taken, at other hosts and doors too: nobody else comes in for now; who watches goes on."""
    until_ns: int
    """When it ends by itself, in ns since 1970 UTC; hosts see to that without being told."""
    subject: Annotated[str, Field(max_length=200)] = ""
    """Who watches, in the words of the audit: ``Northshire Police control room, share 41``."""
    user: str = ""
    """Who that is in the audit, by identifier, as in ``ViewerState.user``."""
    access_session: str = ""
    """What allows it, in the words of the audit, as in ``ViewerState.access_session``: ``share:ID``."""

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_network(one, strict=False)) for one in networks)


class OutletList(Message):
    """Every outlet a host has: its identifier, and the digest of what the host was told of it."""

    outlets: dict[str, str]
    port: int | None = None
    """Where the host listens for RTSPS; ``None`` where it does not."""


class OutletEnds(Message):
    """How many views ended at a host because an outlet was changed or taken away."""

    ended: int = 0
    port: int | None = None
    """As in :class:`OutletList`."""
