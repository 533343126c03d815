"""RTSPS: verified, pinned or waived."""

import pytest

from drivers.errors import CameraFaultError
from drivers.rtsp import RtspStream
from drivers.rtsp.errors import UnsupportedTransportError
from kernel.clock import SystemClock
from tests.fakes.camera_certificate import SelfSigned, self_signed_in
from tests.fakes.media_sink import KeepingSink
from tests.fakes.rtsp import pulling, reel_camera, source
from tests.fakes.waiting import until


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> SelfSigned:
    """Make one for 127.0.0.1."""
    return self_signed_in(tmp_path_factory.mktemp("tls"))


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
    assert stream.certificate_ends_ns == self_signed.ends_ns
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
