"""A certificate that a camera has made itself, as most do."""

import hashlib
import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kernel.clock import SystemClock, to_ns, utc


@dataclass(frozen=True)
class SelfSigned:
    """A camera's own certificate."""

    context: ssl.SSLContext
    fingerprint: str
    ends_ns: int


def self_signed_in(folder: Path, *, days: int = 1) -> SelfSigned:
    """Make one for 127.0.0.1 that lasts so many days; its files go into ``folder``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    now = utc(SystemClock().wall_ns()).astimezone(UTC)
    assert isinstance(now, datetime)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "camera.pem", folder / "camera.key"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    der = certificate.public_bytes(serialization.Encoding.DER)
    return SelfSigned(context, hashlib.sha256(der).hexdigest(), to_ns(certificate.not_valid_after_utc))
