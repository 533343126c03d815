"""All settings: one frozen model per concern, composed."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from config.access import AccessSettings
from config.cameras import CameraSettings
from config.hosts import HostSettings
from config.live import LiveSettings
from config.logs import LogSettings
from config.map import MapSettings
from config.recording import RecordingSettings
from config.server import ServerSettings
from config.steering import SteeringSettings

MAX_PORT = 65_535


class Settings(BaseModel):
    """One section per concern, each in its own module."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: ServerSettings = ServerSettings()
    access: AccessSettings = AccessSettings()
    cameras: CameraSettings = CameraSettings()
    recording: RecordingSettings = RecordingSettings()
    live: LiveSettings = LiveSettings()
    steering: SteeringSettings = SteeringSettings()
    hosts: HostSettings = HostSettings()
    map: MapSettings = MapSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _every_host_has_a_port(self) -> Self:
        last = self.live.port + max(0, self.hosts.workers - 1)
        if self.live.port and last > MAX_PORT:
            msg = f"live.port {self.live.port} leaves no number for the last of {self.hosts.workers} hosts: {last}"
            raise ValueError(msg)
        return self

    def of_host(self, index: int) -> Self:
        """Return the settings of one camera host: its own recordings on every disk, its own port for viewers."""
        if not self.hosts.workers:
            return self
        recording = self.recording.model_copy(update={"owner": self.owners[index]})
        live = self.live.model_copy(update={"port": self.live.port + index}) if self.live.port else self.live
        return self.model_copy(update={"recording": recording, "live": live})

    @property
    def owners(self) -> tuple[str, ...]:
        """Return the owner (``recording.owner``) of every camera host that there is to be, the first host's first."""
        workers = self.hosts.workers
        return tuple(f"host-{index}" for index in range(workers)) if workers else (self.recording.owner,)

    def host_socket(self, index: int) -> Path:
        """Return where a camera host answers."""
        folder = self.hosts.socket_dir or self.server.data_dir / "run"
        return folder.absolute() / (f"host-{index}.sock" if self.hosts.workers else "host.sock")

    @property
    def site(self) -> str:
        """Return what gateway and camera hosts know each other by: they share one data directory."""
        return str(self.server.data_dir.absolute())
