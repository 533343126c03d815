"""The audit: its checkpoints, their witness, and how long personal detail is kept (docs/design/audit.md)."""

import ipaddress
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class AuditSettings(BaseModel):
    """Checkpoints of the audit, the witness they are told to, and the erasure of personal detail."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: Annotated[str, Field(pattern=r"^[^\s+]{1,120}$")] = "sightline/audit"
    """Name of this log in its checkpoints and of the key that signs them; choose one that is this site's alone, as in
    "cctv.example.org/audit", before the first start."""
    checkpoint_s: Annotated[float, Field(ge=1, le=86_400)] = 600.0
    """A signed checkpoint is written this often where anything was recorded since the last one, and at the end."""
    checkpoint_file: Path | None = None
    """Checkpoints are appended to this file. None: ``audit-checkpoints`` under ``server.data_dir``."""
    witness_mqtt_url: str | None = None
    """MQTT broker outside this machine that is told every checkpoint, as in "mqtts://witness.example.org"."""
    witness_topic: Annotated[str, Field(pattern=r"^[^+#\x00]{1,200}$")] = "sightline/audit/checkpoint"
    """Topic of the checkpoints: retained, QoS 1."""
    witness_username: str | None = None
    """User name at the broker."""
    witness_password: SecretStr | None = None
    """Password at the broker."""
    witness_ca: Path | None = None
    """PEM file with the authority that the broker's certificate is from. None: those that this machine trusts."""
    personal_days: Annotated[float, Field(ge=1, le=36_500)] = 365.0
    """Names, addresses and what people typed are erased from entries older than this; the log still proves."""

    @field_validator("witness_mqtt_url")
    @classmethod
    def _is_a_broker(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path.strip("/") or parts.query:
            msg = f'{parts.scheme}://{parts.hostname} is not a broker such as "mqtts://witness.example.org:8883"'
            raise ValueError(msg)
        if parts.username is not None or parts.password is not None:
            msg = "give the broker's user and password as witness_username and witness_password"
            raise ValueError(msg)
        if parts.scheme == "mqtt" and not _loopback(parts.hostname):
            msg = "mqtt:// is for a broker on loopback only: use mqtts://"
            raise ValueError(msg)
        return url

    @model_validator(mode="after")
    def _password_has_a_user(self) -> Self:
        if self.witness_password is not None and self.witness_username is None:
            msg = "witness_password needs witness_username"
            raise ValueError(msg)
        return self


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
