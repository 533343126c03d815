"""What a gateway and a camera host tell each other before anything else: which version, whose, and who is known.

The number changes with every change of ``gateway.fleet.rpc`` that the other side could not read; the product's version
does not matter, so a gateway of the next release speaks to hosts of the last one where the wire is the same.
"""

import hashlib

from pydantic import BaseModel, ConfigDict

from gateway.fleet import rpc

RPC_VERSION = 10


class HostVersion(BaseModel):
    """Who answers on a host's socket. Unknown keys are left alone: this message must be readable for ever."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rpc: int = 0
    """0: a host from before there was a number."""
    version: str = "0.1"
    """Of the product."""
    pid: int = 0
    owner: str = ""
    """``recording.owner``: whose recordings it keeps."""
    site: str = ""
    """The data directory of the gateway it belongs to."""


def digest(assignment: rpc.Message) -> str:
    """Return what two assignments, of a camera or an outlet, share only when they say the same, secrets included."""
    return hashlib.sha256(rpc.wire(assignment)).hexdigest()
