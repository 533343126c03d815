"""Camera hosts: the processes that own the cameras (docs/design/architecture.md, *Processes*)."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class HostSettings(BaseModel):
    """How many there are, who starts them, and where they listen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workers: Annotated[int, Field(ge=0, le=64)] = 0
    """Camera hosts beside the gateway; 0 runs one inside it. About one for each core."""
    supervisor: Literal["gateway", "systemd"] = "gateway"
    """Who starts the camera hosts and starts them again when they die: the gateway itself, whose end is then theirs
    too, or systemd (sightline-host@0, ...), where recording goes on without the gateway. The shipped unit of the
    gateway says systemd (in its environment), so this is left alone on a server."""
    socket_dir: Path | None = None
    """Directory of the hosts' Unix sockets (``host-0.sock``, ...), mode 0700. None: ``run`` under
    ``server.data_dir``."""
