"""Where the gateway listens and keeps its own data (docs/administer.md)."""

import ipaddress
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from config.origins import origin


class ServerSettings(BaseModel):
    """The HTTPS side of the gateway and its data directory."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "0.0.0.0"  # noqa: S104 - a gateway serves its network; the demo binds loopback
    """Address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8443
    """TCP port to listen on; 0 takes any free one."""
    plain_http: bool = False
    """Serve without TLS. Only where host is a loopback address."""
    tls_certificate: Path | None = None
    """PEM file with the certificate chain. Without it a self-signed one is made in data_dir at the first run."""
    tls_key: Path | None = None
    """PEM file with the certificate's private key."""
    public_urls: tuple[str, ...] = ()
    """Addresses at which browsers reach the gateway where a proxy stands in front, as in "https://cctv.example.org"."""
    data_dir: Path = Path("/var/lib/sightline")
    """Database, keys and certificates of the gateway."""
    database_url: str | None = None
    """SQLite database in place of data_dir's own, as in "sqlite+aiosqlite:////srv/sightline/sightline.db"."""
    max_body_bytes: Annotated[int, Field(ge=4096, le=64 * 1024 * 1024)] = 262_144
    """Requests with a larger body are refused."""
    shutdown_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    """How long open requests may take to end when the service stops."""

    @field_validator("database_url")
    @classmethod
    def _sqlite_only(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith("sqlite+aiosqlite://"):
            msg = 'this version keeps its data in SQLite only: use "sqlite+aiosqlite:////path/to/file", or leave it out'
            raise ValueError(msg)
        return url

    @field_validator("public_urls")
    @classmethod
    def _origins(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(origin(url) for url in urls)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            msg = "tls_certificate and tls_key belong together: give both or neither"
            raise ValueError(msg)
        if self.plain_http and not self.loopback:
            msg = f"plain_http is for loopback only, and host is {self.host!r}: set host to 127.0.0.1 or use TLS"
            raise ValueError(msg)
        return self

    @property
    def behind_tls(self) -> bool:
        """Return whether browsers reach the gateway by HTTPS: its own, or that of the proxy in front."""
        return not self.plain_http or any(url.startswith("https://") for url in self.public_urls)

    @property
    def loopback(self) -> bool:
        """Return whether only this machine can reach the gateway."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
