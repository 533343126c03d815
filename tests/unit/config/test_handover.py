"""Settings on their way to a child process."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from config.cameras import CameraSettings
from config.handover import from_line, to_line
from config.hosts import HostSettings
from config.live import IceServer, LiveSettings
from config.recording import DiskSettings, RecordingSettings
from config.server import ServerSettings
from config.settings import Settings

FULL = Settings(
    server=ServerSettings(data_dir=Path("/srv/a b/ü"), tls_certificate=Path("/c.pem"), tls_key=Path("/k.pem")),
    cameras=CameraSettings(allow_networks=("169.254.0.0/16", "fd00::/8")),
    live=LiveSettings.model_validate(
        {
            "addresses": ["192.0.2.1", "2001:db8::1"],
            "turn_urls": ["turn:turn.example.org"],
            "turn_secret": "the secret\n of coturn",
            "ice_servers": [IceServer(url="turn:a.example.org", username="u", credential=SecretStr("another secret"))],
        }
    ),
    recording=RecordingSettings(disks=(DiskSettings(path=Path("/srv/one"), quota_bytes=10**12),)),
    hosts=HostSettings(workers=4, socket_dir=Path("/run/sightline")),
)


@pytest.mark.parametrize("settings", [Settings(), FULL])
def test_what_is_handed_over_is_what_arrives(settings: Settings) -> None:
    """Settings of any kind come out of the line as they went in, secrets too."""
    assert from_line(to_line(settings)) == settings


def test_it_is_one_line() -> None:
    """A reader that reads one line has it all."""
    line = to_line(FULL)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


def test_secrets_are_in_it_in_the_clear() -> None:
    """It is for a pipe: what the child could not read would be of no use to it."""
    arrived = from_line(to_line(FULL))
    assert arrived.live.turn_secret is not None
    assert arrived.live.turn_secret.get_secret_value() == "the secret\n of coturn"
    assert arrived.live.ice_servers[0].credential is not None
    assert arrived.live.ice_servers[0].credential.get_secret_value() == "another secret"


def test_half_a_line_is_refused() -> None:
    """A gateway that died in mid-sentence gives its host no settings."""
    with pytest.raises(ValueError, match="JSON"):
        from_line(to_line(FULL)[:100])
