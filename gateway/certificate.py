"""The gateway's TLS certificate: its owner's, or a self-signed one made at the first run."""

import datetime as dt
import ipaddress
import os
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from config.server import ServerSettings
from gateway.startup import CertificateError
from kernel.clock import Clock, utc

VALID_DAYS = 825
RENEW_DAYS = 30
_ANY = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not bound


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """A certificate and its key on disk; ``fingerprint`` is SHA-256 as browsers show it. ``made`` just now."""

    certificate: Path
    key: Path
    fingerprint: str
    made: bool


def tls_files(settings: ServerSettings, *, clock: Clock) -> TlsFiles:
    """Return the files to serve with. A self-signed pair is made where there is none, or where it soon expires. Blocks.

    Raises:
        CertificateError: the files are missing, do not fit or have expired.
    """
    if settings.tls_certificate is not None and settings.tls_key is not None:
        return check_files(settings.tls_certificate, settings.tls_key, clock=clock)
    certificate, key = made_files(settings)
    made = False
    if not key.exists() or not certificate.exists() or _days_left(_load(certificate), clock) < RENEW_DAYS:
        _make(certificate, key, names=_names(settings), clock=clock)
        made = True
    found = check_files(certificate, key, clock=clock)
    return TlsFiles(certificate=certificate, key=key, fingerprint=found.fingerprint, made=made)


def tls_paths(settings: ServerSettings) -> tuple[Path, Path]:
    """Return where the certificate and its key are, or will be once the gateway has made them."""
    if settings.tls_certificate is not None and settings.tls_key is not None:
        return settings.tls_certificate, settings.tls_key
    return made_files(settings)


def made_files(settings: ServerSettings) -> tuple[Path, Path]:
    """Return where the self-signed certificate and its key lie, or will."""
    return settings.data_dir / "tls" / "certificate.pem", settings.data_dir / "tls" / "key.pem"


def check_files(certificate: Path, key: Path, *, clock: Clock) -> TlsFiles:
    """Return the files, once they are known to fit and not to have expired. Blocks.

    Raises:
        CertificateError: they are missing, do not fit or have expired.
    """
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            raise CertificateError(
                f"The TLS file {path} cannot be read: {error.strerror}.",
                cure="Correct server.tls_certificate and server.tls_key, or leave both out for a self-signed one.",
            ) from None
    loaded = _load(certificate)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as error:
        raise CertificateError(
            f"The key {key} does not fit the certificate {certificate} ({error.reason or error}).",
            cure="Give the PEM files that belong together; the key without a passphrase.",
        ) from None
    if _days_left(loaded, clock) < 0:
        raise CertificateError(
            f"The certificate {certificate} expired on {loaded.not_valid_after_utc:%d %B %Y}.", cure="Renew it."
        )
    fingerprint = loaded.fingerprint(hashes.SHA256()).hex(":").upper()
    return TlsFiles(certificate=certificate, key=key, fingerprint=fingerprint, made=False)


def _load(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError:
        raise CertificateError(f"{path} is not a certificate in PEM form.", cure="Give the PEM file.") from None


def _days_left(certificate: x509.Certificate, clock: Clock) -> int:
    return (certificate.not_valid_after_utc - utc(clock.wall_ns())).days


def _names(settings: ServerSettings) -> list[x509.GeneralName]:
    """Return by what names this machine may be called: its own, its addresses, and what is configured."""
    host = socket.gethostname()
    said = {"localhost", host, socket.getfqdn(), "127.0.0.1", "::1"}
    said |= {urlsplit(url).hostname or "" for url in settings.public_urls}
    said.add(settings.host)
    with suppress(OSError):  # a machine that cannot look up its own name has the others
        said |= {str(found[4][0]).partition("%")[0] for found in socket.getaddrinfo(host, None)}
    said.add(_outward_address())
    names: list[x509.GeneralName] = []
    for name in sorted(said - _ANY):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            names.append(x509.DNSName(name))
    return names


def _outward_address() -> str:
    """Return the address that this machine uses towards its network; nothing is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1: never a real host
            return str(probe.getsockname()[0])
        except OSError:
            return ""


def _make(certificate: Path, key: Path, *, names: list[x509.GeneralName], clock: Clock) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    now = utc(clock.wall_ns())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Sightline on {socket.gethostname()}"[:64])])
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key.unlink(missing_ok=True)
    handle = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
