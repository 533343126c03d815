"""What the API answers about camera hosts and who is watching through them."""

from typing import Literal

from pydantic import BaseModel

from gateway.api.models import Trouble
from gateway.fleet.load import HostLoad
from kernel.ids import StreamName


class HostCameras(BaseModel):
    """The cameras that are a host's, counted as their newest states say."""

    assigned: int
    live: int
    to_record: int
    """Those that are to be recorded."""
    recording: int | None
    """Those of ``to_record`` whose main stream reaches the disk; ``None`` where the host cannot be asked and may well
    be recording."""


class HostModel(BaseModel):
    """One camera host."""

    index: int
    name: str
    """As an operator of the system knows it: ``sightline-host@1``."""
    up: bool
    """It answers, has been told all its cameras, and tells their states."""
    problem: Trouble | None
    """Why it is not up, and what to do; ``None`` where it is, and at the start before it was reached."""
    restart: str
    """How it is started anew by hand."""
    version: str | None
    """Of the product, as it said when it last answered."""
    cameras: HostCameras
    load: HostLoad | None
    """Rates of the last five seconds, counts since the host's start; ``None`` while it is not up."""


class HostViewer(BaseModel):
    """One live view that a host serves: who watches what, and how well it gets there."""

    id: str
    camera: str
    number: int | None
    """The camera's; ``None`` where it was removed a moment ago."""
    stream: StreamName
    transcoded: bool
    """The picture is coded anew for this viewer."""
    kind: Literal["webrtc", "rtsp"]
    """``rtsp``: a partner's own system. TCP mends what its line loses, so neither loss nor round trip is known."""
    outlet: str
    """The outlet of a share that an ``rtsp`` view goes through."""
    who: str
    user_id: str
    address: str
    since: str
    connected: bool
    """Packets can reach the viewer."""
    loss_percent: float
    """Of the packets of the last report interval, as the viewer reports."""
    packets_lost: int
    retransmitted: int
    rtt_ms: float | None
    frames_sent: int
    frames_dropped: int
    """Pictures that the viewer's line could not take."""
    packets_sent: int
    bytes_sent: int
