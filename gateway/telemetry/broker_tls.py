"""TLS of the embedded broker: whom it takes, and who a client is by the certificate that it shows."""

import ssl
from pathlib import Path

from amqtt.adapters import WriterAdapter

from gateway.units.authority import ends
from gateway.units.credentials import Pair


def name_of(writer: WriterAdapter) -> tuple[str, str]:
    """Return whom a certificate is for, and its serial number in hex."""
    shown = writer.get_ssl_info()
    certificate = shown.getpeercert() if shown is not None else None
    if not certificate:
        return "", ""
    subject = certificate.get("subject", ())
    names = [value for part in subject for key, value in part if key == "commonName"]
    return (names[0] if len(names) == 1 else ""), f"{int(str(certificate['serialNumber']), 16):x}"


def end_of(pair: Pair) -> int:
    """Return when a certificate ends. Blocks."""
    return ends(pair.certificate.read_text())


def server_tls(ca: Path, pair: Pair) -> ssl.SSLContext:
    """Return a context that takes nobody without a certificate of the units' authority. Blocks."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(pair.certificate, pair.key)
    return context
