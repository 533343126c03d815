"""RTSPS: verified, pinned or waived."""

import hashlib
import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from drivers.errors import CameraFaultError
from drivers.rtsp import RtspStream
from drivers.rtsp.errors import UnsupportedTransportError
from kernel.clock import SystemClock, utc
from tests.fakes.media_sink import KeepingSink
from tests.fakes.rtsp import pulling, reel_camera, source
from tests.fakes.waiting import until


@dataclass(frozen=True)
class SelfSigned:
    """A camera's own certificate."""

    context: ssl.SSLContext
    fingerprint: str


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> SelfSigned:
    """Make one for 127.0.0.1."""
    folder: Path = tmp_path_factory.mktemp("tls")
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
        .not_valid_after(now + timedelta(days=1))
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
    return SelfSigned(context, hashlib.sha256(der).hexdigest())


@pytest.mark.parametrize("how", ["pinned", "pinned with colons", "waived"])
async def test_pictures_come_through_tls(self_signed: SelfSigned, how: str) -> None:
    """With the certificate pinned, or its verification waived, the stream is as any other."""
    pin = self_signed.fingerprint
    ways: dict[str, dict[str, object]] = {
        "pinned": {"tls_fingerprint_sha256": pin},
        "pinned with colons": {"tls_fingerprint_sha256": ":".join(pin[at : at + 2] for at in range(0, 64, 2)).upper()},
        "waived": {"tls_verify": False},
    }
    settings = ways[how]
    async with reel_camera(tls=self_signed.context) as camera:
        async with pulling(source(camera.url(), **settings)) as (stream, sink):
            await until(lambda: len(sink.units) > 15 and sink.sounds, what="pictures and sound")
        sent = {unit.nals for unit in camera.main.sent}
    assert camera.scheme == "rtsps"
    assert sink.descriptions[0].transport == "tls"
    assert all(unit.nals in sent for unit in sink.units)
    assert stream.stats.lost == 0


async def test_a_certificate_nobody_vouches_for_is_refused(self_signed: SelfSigned) -> None:
    """Verification is the default, and its failure says what to do."""
    async with reel_camera(tls=self_signed.context) as camera:
        with pytest.raises(CameraFaultError, match=r"not acceptable .* Pin") as caught:
            await RtspStream(source(camera.url()), KeepingSink(), clock=SystemClock()).run_once()
    assert caught.value.facts["fault"] == "tls"


async def test_another_certificate_than_the_pinned_one_is_refused(self_signed: SelfSigned) -> None:
    """A wrong pin ends the connection before anything is asked, and names what was found."""
    async with reel_camera(tls=self_signed.context) as camera:
        wanted = source(camera.url(), tls_fingerprint_sha256="00" * 32)
        with pytest.raises(CameraFaultError, match=f"pin {self_signed.fingerprint}"):
            await RtspStream(wanted, KeepingSink(), clock=SystemClock()).run_once()


async def test_tls_to_a_port_that_speaks_none_is_refused() -> None:
    """A plain camera at an rtsps address is told as a failure of TLS."""
    async with reel_camera() as camera:
        url = camera.url().replace("rtsp:", "rtsps:")
        with pytest.raises(CameraFaultError, match="TLS"):
            await RtspStream(source(url), KeepingSink(), clock=SystemClock()).run_once()


async def test_udp_never_leaves_tls_quietly(self_signed: SelfSigned) -> None:
    """A camera that is asked over TLS and sends by UDP only is refused: its pictures would cross in the clear."""
    async with reel_camera(tls=self_signed.context) as camera:
        wanted = source(camera.url(), tls_verify=False, transport="udp")
        with pytest.raises(UnsupportedTransportError, match="leave the protection of TLS"):
            await RtspStream(wanted, KeepingSink(), clock=SystemClock()).run_once()
