"""All settings: one frozen model per concern, composed."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from config.access import AccessSettings
from config.audit import AuditSettings
from config.cameras import CameraSettings
from config.deployments import DeploymentSettings
from config.hosts import HostSettings
from config.live import LiveSettings
from config.logs import LogSettings
from config.map import MapSettings
from config.oidc import OidcSettings
from config.outgoing import OutgoingSettings
from config.outward import OutwardSettings
from config.recording import RecordingSettings
from config.server import ServerSettings
from config.sharing import SharingSettings
from config.steering import SteeringSettings
from config.telemetry import TelemetrySettings

MAX_PORT = 65_535


class Settings(BaseModel):
    """One section per concern, each in its own module."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: ServerSettings = ServerSettings()
    access: AccessSettings = AccessSettings()
    audit: AuditSettings = AuditSettings()
    cameras: CameraSettings = CameraSettings()
    recording: RecordingSettings = RecordingSettings()
    live: LiveSettings = LiveSettings()
    outgoing: OutgoingSettings = OutgoingSettings()
    steering: SteeringSettings = SteeringSettings()
    sharing: SharingSettings = SharingSettings()
    deployments: DeploymentSettings = DeploymentSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    outward: OutwardSettings = OutwardSettings()
    hosts: HostSettings = HostSettings()
    map: MapSettings = MapSettings()
    log: LogSettings = LogSettings()
    oidc: tuple[OidcSettings, ...] = ()

    @model_validator(mode="after")
    def _providers_differ(self) -> Self:
        for what in ("id", "issuer"):
            named = [getattr(provider, what) for provider in self.oidc]
            if len(set(named)) < len(named):
                # One issuer twice would leave open whose groups count.
                msg = f"two tables of [[oidc]] have the same {what}"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _somewhere_to_publish(self) -> Self:
        if self.outward.wanted and self.outward.url is None and not self.telemetry.wanted:
            msg = "outward publishes at the units' broker, and there is none: set outward.url, or one of [telemetry]"
            raise ValueError(msg)
        if self.outward.readers and not self.telemetry.wanted:
            msg = "outward.readers read at the units' broker, and there is none"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _ports_are_enough(self) -> Self:
        first, last = self.live.port, self.live.port + max(0, self.hosts.workers - 1)
        if first and last > MAX_PORT:
            msg = f"live.port {first} leaves too few ports for hosts.workers {self.hosts.workers}: each takes one"
            raise ValueError(msg)
        if first and self.live.tcp and first <= self.server.port <= last:
            msg = f"server.port {self.server.port} is among the ports {first} to {last} that viewers take (live.port)"
            raise ValueError(msg)
        self._rtsps_ports_are_free(first if self.live.tcp else 0, last)
        return self

    def _rtsps_ports_are_free(self, live_first: int, live_last: int) -> None:
        first, last = self.outgoing.port, self.outgoing.port + max(0, self.hosts.workers - 1)
        if not self.outgoing.rtsps or not first:
            return
        if last > MAX_PORT:
            msg = f"outgoing.port {first} leaves too few ports for hosts.workers {self.hosts.workers}: each takes one"
            raise ValueError(msg)
        if first <= self.server.port <= last:
            msg = f"server.port {self.server.port} is among the ports {first} to {last} of RTSPS (outgoing.port)"
            raise ValueError(msg)
        if live_first and first <= live_last and live_first <= last:
            msg = f"the ports {first} to {last} of RTSPS (outgoing.port) meet those of viewers (live.port)"
            raise ValueError(msg)

    def of_host(self, index: int) -> Self:
        """Return the settings of one camera host: its own recordings on every disk, its own ports."""
        if not self.hosts.workers:
            return self
        recording = self.recording.model_copy(update={"owner": self.owners[index]})
        live = self.live.model_copy(update={"port": self.live.port + index}) if self.live.port else self.live
        outgoing = self.outgoing
        if outgoing.port:
            outgoing = outgoing.model_copy(update={"port": outgoing.port + index})
        return self.model_copy(update={"recording": recording, "live": live, "outgoing": outgoing})

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
