"""Camera hosts: the processes that own the cameras (docs/design/live.md, *Camera host*)."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class HostSettings(BaseModel):
    """How many there are and where they listen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workers: Annotated[int, Field(ge=0, le=64)] = 0
    """Camera hosts beside the gateway; 0 runs one inside it."""
    socket_dir: Path = Path("/run/sightline")
    """Directory of the hosts' Unix sockets (``host-0.sock``, ...), mode 0700."""

    def socket(self, index: int) -> Path:
        """Return the socket of a host."""
        return self.socket_dir / f"host-{index}.sock"
