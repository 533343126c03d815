"""The authority that issues units their certificates: X.509 (RFC 5280) on ECDSA P-256.

It is for units and for what talks with them, and for nothing else. Its key is sealed in the database.
"""

import datetime as dt
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kernel.clock import Clock, to_ns, utc

AUTHORITY_DAYS = 3_652
UNIT_DAYS = 397
"""A unit's certificate ends after thirteen months: it is at the depot once a year at least."""
UNIT_LIFE = dt.timedelta(days=UNIT_DAYS)
RENEW_DAYS = 60
"""So long before its end a certificate is due for renewal."""
CRL_DAYS = 90
"""A broker refuses everybody once its list of revoked certificates is older: longer than any outage of ours."""
EARLIER = dt.timedelta(hours=1)
"""Certificates begin this long ago: a clock in the field may be behind."""
PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate just made, with its key: nobody keeps the key here. PEM."""

    serial: str
    """In lower-case hex."""
    fingerprint: str
    """SHA-256, in lower-case hex."""
    certificate: str
    key: str
    issued_ns: int
    expires_ns: int


@dataclass(frozen=True, slots=True)
class Revoked:
    """A certificate that is good no more. ``serial`` in hex."""

    serial: str
    at_ns: int


class Authority:
    """Issues and revokes. Made by :meth:`new` or :meth:`of`."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, clock: Clock) -> None:
        self._certificate = certificate
        self._key = key
        self._clock = clock

    @classmethod
    def new(cls, *, clock: Clock) -> "Authority":
        """Make one."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sightline units")])
        now = utc(clock.wall_ns())
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - EARLIER)
            .not_valid_after(now + dt.timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return cls(builder.sign(key, hashes.SHA256()), key, clock)

    @classmethod
    def of(cls, certificate: str, key: str, *, clock: Clock) -> "Authority":
        """Return the one of a certificate and its key, both PEM."""
        loaded = serialization.load_pem_private_key(key.encode(), password=None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        return cls(x509.load_pem_x509_certificate(certificate.encode()), loaded, clock)

    @property
    def certificate(self) -> str:
        """Return its own certificate, by which a broker knows units and units know a broker that it issued to. PEM."""
        return self._certificate.public_bytes(PEM).decode()

    @property
    def key(self) -> str:
        """Return its key. PEM, to be sealed."""
        return _key_pem(self._key)

    def issue_client(self, name: str, *, life: dt.timedelta = UNIT_LIFE) -> Issued:
        """Make a certificate by which ``name`` shows who it is to a broker."""
        return self._issue(name, ExtendedKeyUsageOID.CLIENT_AUTH, [], life=life)

    def issue_server(self, hosts: Sequence[str]) -> Issued:
        """Make a certificate for a broker at these names and addresses."""
        return self._issue(hosts[0], ExtendedKeyUsageOID.SERVER_AUTH, [_general(host) for host in hosts])

    def crl(self, revoked: Iterable[Revoked]) -> str:
        """Return the list of revoked certificates (RFC 5280 section 5). PEM."""
        now = utc(self._clock.wall_ns())
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._certificate.subject)
            .last_update(now - EARLIER)
            .next_update(now + dt.timedelta(days=CRL_DAYS))
            .add_extension(x509.CRLNumber(self._clock.wall_ns()), critical=False)
            .add_extension(_identifier(self._certificate), critical=False)
        )
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(int(one.serial, 16)).revocation_date(utc(one.at_ns))
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(PEM).decode()

    def _issue(
        self,
        name: str,
        purpose: x509.ObjectIdentifier,
        alternatives: list[x509.GeneralName],
        *,
        life: dt.timedelta = UNIT_LIFE,
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        now = utc(self._clock.wall_ns()).replace(microsecond=0)
        ends = min(now + life, self._certificate.not_valid_after_utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - EARLIER)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(_identifier(self._certificate), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        made = builder.sign(self._key, hashes.SHA256())
        return Issued(
            serial=f"{made.serial_number:x}",
            fingerprint=made.fingerprint(hashes.SHA256()).hex(),
            certificate=made.public_bytes(PEM).decode(),
            key=_key_pem(key),
            issued_ns=to_ns(now),
            expires_ns=to_ns(made.not_valid_after_utc),
        )


def due(expires_ns: int, clock: Clock) -> bool:
    """Return whether a certificate is to be renewed."""
    return utc(clock.wall_ns()) >= utc(expires_ns) - dt.timedelta(days=RENEW_DAYS)


def ends(certificate: str) -> int:
    """Return when a certificate in PEM ends. Nanoseconds since 1970."""
    return to_ns(x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc)


def hosts_of(certificate: str) -> set[str]:
    """Return the names and addresses that a certificate in PEM is for."""
    extensions = x509.load_pem_x509_certificate(certificate.encode()).extensions
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {str(name.value) for name in names}


def _identifier(certificate: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    own = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(PEM, form, serialization.NoEncryption()).decode()
