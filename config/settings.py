"""All settings: one frozen model per concern, composed."""

from pydantic import BaseModel, ConfigDict

from config.access import AccessSettings
from config.cameras import CameraSettings
from config.hosts import HostSettings
from config.live import LiveSettings
from config.logs import LogSettings
from config.map import MapSettings
from config.recording import RecordingSettings
from config.server import ServerSettings
from config.steering import SteeringSettings


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
