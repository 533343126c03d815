"""What every MQTT client of the gateway needs: the broker's address, and TLS."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from drivers.mqtt import TlsSocket

PORTS = {"mqtt": 1883, "mqtts": 8883}
DEVICES = "sightline/v1/devices"
"""What topics of cameras begin with that tell their events here, before the identifier of the device."""
ANSWER_S = 10.0
"""How long a broker may take to answer anything."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker is, and whether it speaks TLS."""

    host: str
    port: int
    tls: bool

    @classmethod
    def of(cls, url: str) -> "BrokerAddress":
        """Return that of a URL such as "mqtts://broker.example.org:8883", which the settings have checked."""
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or PORTS[parts.scheme], parts.scheme == "mqtts")


def client_tls(ca: Path | None, *, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Return the context of a client that trusts ``ca`` (``None``: whom this machine trusts). Blocks.

    Raises:
        OSError: a file cannot be read, or key and certificate do not fit.
    """
    context = ssl.create_default_context(cafile=ca)
    context.sslsocket_class = TlsSocket
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context
