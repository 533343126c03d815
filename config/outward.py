"""What other systems are told over MQTT: nothing, unless it is named here (docs/integrate.md)."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class OutwardTopic(StrEnum):
    """A kind of thing that other systems may be told."""

    CAMERAS = "cameras"
    ALARMS = "alarms"
    SHARES = "shares"
    HOLDS = "holds"
    INCIDENTS = "incidents"
    DEPLOYMENTS = "deployments"


class OutwardSettings(BaseModel):
    """What other systems are told over MQTT, without personal detail. Nothing is published that is not named here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topics: tuple[OutwardTopic, ...] = ()
    """Which of "cameras" (the state of each), "alarms", "shares", "holds", "incidents" and "deployments" (what of them
    becomes due) are published."""
    incident_form: str = r"(CAD|CRN|INC|REF|URN)[ /-]?[0-9][0-9/-]{2,9}"
    """Regular expression of an incident's number: what people typed as a reference is told only if it is of this form
    whole. Keep it so narrow that no name of a person fits, and none of their numbers: telephone, birth, health."""
    home_assistant: bool = False
    """Have Home Assistant (2024.11 or later), as a reader of the units' broker, find the units by itself."""
    home_assistant_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")] = "homeassistant"
    """Home Assistant's own prefix of discovery topics."""
    readers: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,30}$")], ...] = ()
    """Systems that read at the units' broker, as in ["dispatch"]: each gets a certificate for "reader.dispatch", as
    reader.dispatch.pem and .key in telemetry.pki_dir. The embedded broker lets them read; Mosquitto's access list
    names them."""

    url: str | None = None
    """Another broker to publish at, as in "mqtts://bus.example.org:8883". None: the units' broker."""
    ca: Path | None = None
    """PEM file with the authority that its certificate is from. None: those that this machine trusts."""
    username: str | None = None
    """User name there."""
    password_file: Path | None = None
    """File with the password there; nobody else may read it."""
    certificate: Path | None = None
    """PEM file with our certificate there, where it wants one."""
    key: Path | None = None
    """PEM file with the key of that certificate."""
    waiting_max: Annotated[int, Field(ge=100, le=100_000)] = 2_000
    """So many events wait for a broker that is away; of more the oldest are lost, counted and told. States are not
    lost: the newest of each waits."""

    @field_validator("url")
    @classmethod
    def _is_a_broker(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme != "mqtts" or not parts.hostname or parts.path.strip("/") or parts.query or "@" in parts.netloc:
            msg = 'outward.url is of the form "mqtts://bus.example.org:8883"; user and password have keys of their own'
            raise ValueError(msg)
        return url

    @field_validator("incident_form")
    @classmethod
    def _is_an_expression(cls, form: str) -> str:
        try:
            re.compile(form)
        except re.error as error:
            msg = f"incident_form is no regular expression: {error}"
            raise ValueError(msg) from None
        return form

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        others = ("ca", "username", "password_file", "certificate", "key")
        if self.url is None and any(getattr(self, name) is not None for name in others):
            msg = "ca, username, password_file, certificate and key of [outward] are for another broker: give url"
            raise ValueError(msg)
        if (self.username is None) != (self.password_file is None):
            msg = "outward.username and outward.password_file go together"
            raise ValueError(msg)
        if (self.certificate is None) != (self.key is None):
            msg = "outward.certificate and outward.key go together"
            raise ValueError(msg)
        if self.home_assistant and self.url is not None:
            msg = "outward.home_assistant points to the units' own topics, at their broker: leave outward.url out"
            raise ValueError(msg)
        return self

    @property
    def wanted(self) -> bool:
        """Return whether anything is published."""
        return bool(self.topics) or self.home_assistant
