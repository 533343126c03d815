"""Units that call in over MQTT: the broker between us and them, when they are silent (docs/design/telemetry.md)."""

import ipaddress
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
LOOPBACK = ("127.0.0.0/8", "::1/128")


class ReachRule(BaseModel):
    """How units are reached that cannot be where they say: behind forwarded ports, or over a VPN."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    units: tuple[Annotated[str, Field(min_length=1, max_length=32)], ...] = ()
    """Labels of the units that it is for. Empty: any."""
    network: str | None = None
    """For those that say an address in this network, as in "10.64.0.0/16". None: any address."""
    via: str | None = None
    """Address or name that reaches them, as in "203.0.113.7"; or a network as large as ``network``, in which each has
    the same place, as in "10.8.0.0/16". None: where they say."""
    ports: dict[int, Annotated[int, Field(ge=1, le=65_535)]] = {}
    """Port that a unit names -> port that reaches it. One that is not here is reached as it is named."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        told = ipaddress.ip_network(self.network) if self.network is not None else None
        if self.via is not None and "/" in self.via:
            there = ipaddress.ip_network(self.via)
            if told is None or (told.version, told.prefixlen) != (there.version, there.prefixlen):
                msg = f"via {self.via} is a network: network must be one as large"
                raise ValueError(msg)
        if self.via is None and not self.ports:
            msg = "a rule of telemetry.reach says via, or ports, or both"
            raise ValueError(msg)
        if self.ports and not self.units:
            msg = "ports are forwarded to one unit each: name it in units"
            raise ValueError(msg)
        return self

    def is_for(self, label: str, host: str) -> bool:
        """Return whether it is for a unit that says it is at ``host``."""
        if self.units and label not in self.units:
            return False
        if self.network is None:
            return True
        try:
            return ipaddress.ip_address(host) in ipaddress.ip_network(self.network)
        except ValueError:
            return False

    def host_for(self, host: str) -> str:
        """Return where a unit is reached that says it is at ``host``."""
        if self.via is None or "/" not in self.via:
            return self.via or host
        assert self.network is not None
        place = int(ipaddress.ip_address(host)) - int(ipaddress.ip_network(self.network).network_address)
        return str(ipaddress.ip_network(self.via).network_address + place)


class TelemetrySettings(BaseModel):
    """Units in the field that call in over MQTT. Without a broker, neither address nor embedded, there are none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    broker_url: str | None = None
    """MQTT broker that units come to, as in "mqtts://localhost:8883": Mosquitto with docs/mosquitto.conf. It is trusted
    by the units' own authority, and so are we by it."""
    broker_ca: Path | None = None
    """PEM file with the authority that the broker's certificate is from, where it is not the one that we made it."""
    embedded: bool = False
    """Be the broker ourselves: for a demo or a small site. It speaks MQTT 3.1.1 and keeps nothing over a restart."""
    host: str = "0.0.0.0"  # noqa: S104 - units come from outside
    """Address that the embedded broker listens on."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 8883
    """Port that the embedded broker listens on."""
    broker_names: tuple[Annotated[str, Field(min_length=1, max_length=253)], ...] = ("localhost", "127.0.0.1")
    """Names and addresses by which units reach the broker: they stand in the certificate that we make it, as broker.pem
    and broker.key in pki_dir."""
    pki_dir: Path | None = None
    """Folder of the broker's files: units-ca.pem, units.crl, broker.pem and broker.key. None: ``telemetry`` under
    ``server.data_dir``."""
    cameras_url: str | None = None
    """Broker that cameras are told to publish their events at (ONVIF Profile M), as in
    "mqtts://broker.example.org:8884": the second listener of docs/mosquitto.conf, which takes user names and passwords.
    It must be the same broker as broker_url. None: cameras are told of none."""
    keepalive_s: Annotated[int, Field(ge=5, le=300)] = 20
    """A broker that says nothing for half as long again is taken for gone."""
    silence_s: Annotated[float, Field(ge=5, le=86_400)] = 300.0
    """A unit whose connection stands and that says nothing for this long counts as silent."""

    flood_per_minute: Annotated[int, Field(ge=60, le=1_000_000)] = 1200
    """A unit that says more than this in a minute is counted as flooding and its connection ended. A unit that was away
    may have some hundred events to tell at once."""

    reach: tuple[ReachRule, ...] = ()
    """How units are reached that cannot be where they say: behind forwarded ports, as in [{ units = ["D017"],
    via = "203.0.113.7", ports = { 80 = 8017, 554 = 5517 } }], or over a VPN, as in [{ network = "10.64.0.0/16",
    via = "10.8.0.0/16" }]. The first rule that is for a unit holds; without one it is reached where it says."""

    networks: tuple[str, ...] = ()
    """Networks in which units' cameras may be, as in "10.64.0.0/16": an address outside them is refused and counted,
    unless a rule of reach leads elsewhere (via). Empty: the networks of those rules; where there are none, private ones
    (RFC 1918, RFC 6598 and unique local IPv6)."""

    label_owner: Annotated[str, Field(max_length=60)] = ""
    """Who stands on a unit's printed label as its owner, as in "London Borough of Haringey"; empty: nobody."""
    label_telephone: Annotated[str, Field(max_length=30)] = ""
    """Number on a unit's printed label, for whoever finds it; empty: none."""

    @field_validator("broker_url", "cameras_url")
    @classmethod
    def _is_a_broker(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme != "mqtts" or not parts.hostname or parts.path.strip("/") or parts.query or "@" in parts.netloc:
            msg = f'{info.field_name} is of the form "mqtts://broker.example.org:8883": TLS, and no password in it'
            raise ValueError(msg)
        return url

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ipaddress.ip_network(network)
        return networks

    def unit_networks(self, *, loopback: bool) -> tuple[Network, ...]:
        """Return the networks in which units' cameras may be; this machine's own too, where ``loopback`` says so."""
        ruled = tuple(dict.fromkeys(rule.network for rule in self.reach if rule.network is not None))
        named = self.networks or ruled or PRIVATE
        return tuple(ipaddress.ip_network(one) for one in (*named, *(LOOPBACK if loopback else ())))

    @field_validator("host")
    @classmethod
    def _is_an_address(cls, host: str) -> str:
        ipaddress.ip_address(host)
        return host

    @model_validator(mode="after")
    def _one_broker(self) -> Self:
        if self.cameras_url is not None and self.broker_url is None:
            msg = "cameras come to the broker of broker_url: the embedded one takes units alone"
            raise ValueError(msg)
        if self.embedded and self.broker_url is not None:
            msg = "give broker_url or embedded, not both"
            raise ValueError(msg)
        return self

    @property
    def wanted(self) -> bool:
        """Return whether units are heard at all."""
        return self.embedded or self.broker_url is not None

    @property
    def url(self) -> str:
        """Return the broker's address as we reach it."""
        if self.broker_url is not None:
            return self.broker_url
        address = ipaddress.ip_address(self.host)
        if address.is_unspecified:
            address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")
        return f"mqtts://[{address}]:{self.port}" if address.version == 6 else f"mqtts://{address}:{self.port}"
