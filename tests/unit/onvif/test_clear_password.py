"""The password goes in the clear only where a certificate proves that it is the camera's: never to who redirects."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from drivers.errors import CameraAuthenticationError, CameraError, CameraRefusedAddressError
from drivers.model import CameraTarget, Credentials
from drivers.onvif import meet
from drivers.onvif.catalogue import Service, catalogue
from drivers.onvif.quirks import Quirks
from drivers.onvif.session import open_session
from drivers.onvif.soap import Caller
from kernel.clock import SystemClock
from tests.fakes.camera_certificate import self_signed_in
from tests.fakes.onvif_camera import LOOPBACK, QUICK
from tests.unit.onvif.test_proof import envelope

CLOCK = SystemClock()
WHO = Credentials(username="root", password=SecretStr("the-camera-password"))
GUID = envelope("<GetEndpointReferenceResponse><GUID>urn:uuid:{}</GUID></GetEndpointReferenceResponse>")


class Wire:
    """A server that wants Basic alone; where ``leads`` is set it redirects there, where ``guid`` is it says so."""

    def __init__(self) -> None:
        self.leads = ""
        self.guid = ""
        self.proofs: list[str] = []
        """What of ours came: headers, and tokens in bodies."""
        self.asked = 0

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        self.asked += 1
        body = await request.text()
        if "Authorization" in request.headers:
            self.proofs.append(request.headers["Authorization"].split()[0])
        if "UsernameToken" in body:
            self.proofs.append("token")
        if self.leads:
            return web.Response(status=307, headers={"Location": self.leads})
        if self.guid and "GetEndpointReference" in body:
            return web.Response(text=GUID.format(self.guid))
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})


@asynccontextmanager
async def served(wire: Wire, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Give the address of its device service."""
    runner = web.ServerRunner(web.Server(wire))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://127.0.0.1:{runner.addresses[0][1]}/onvif/device_service"
    finally:
        await runner.cleanup()


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ssl.SSLContext, str]:
    """Return a certificate that a public authority gave, and its fingerprint."""
    made = self_signed_in(tmp_path)
    monkeypatch.setattr(
        "aiohttp.connector._SSL_CONTEXT_VERIFIED", ssl.create_default_context(cafile=tmp_path / "camera.pem")
    )
    return made.context, made.fingerprint


async def ask(target: CameraTarget, *, home: str, url: str) -> None:
    """Call something of a camera whose device service is at ``home``."""
    async with open_session(target, clock=CLOCK, policy=LOOPBACK, limits=QUICK) as session:
        caller = Caller(session, await catalogue(), WHO, quirks=Quirks(), clock=CLOCK)
        caller.home = home
        with pytest.raises(CameraAuthenticationError):
            await caller.call(url, Service.DEVICE, "GetDeviceInformation")


@pytest.mark.parametrize(
    ("given", "clear"),
    [
        ({}, ["Basic"]),
        ({"roams": True}, []),
        ({"tls_verify": False}, []),
        ({"roams": True, "tls_verify": False}, []),
    ],
)
async def test_basic_needs_a_certificate_that_proves_who_answers(
    trusted: tuple[ssl.SSLContext, str], given: dict[str, bool], clear: list[str]
) -> None:
    """Verified where people enrolled it; not where that was waived, nor where a unit says itself that it is."""
    wire = Wire()
    async with served(wire, trusted[0]) as url:
        await ask(CameraTarget(address=url, credentials=WHO, **given), home=url, url=url)
    assert [one for one in wire.proofs if one == "Basic"] == clear


async def test_basic_goes_to_a_pinned_certificate_wherever_it_is(trusted: tuple[ssl.SSLContext, str]) -> None:
    """Nobody else has its key."""
    wire = Wire()
    async with served(wire, trusted[0]) as url:
        target = CameraTarget(address=url, credentials=WHO, roams=True, tls_verify=False)
        await ask(target.model_copy(update={"tls_fingerprint_sha256": trusted[1]}), home=url, url=url)
    assert "Basic" in wire.proofs


async def test_basic_never_follows_a_redirect(trusted: tuple[ssl.SSLContext, str]) -> None:
    """One that answers at http, offers nothing but Basic behind its own https, and is told no password."""
    plain, wire = Wire(), Wire()
    async with served(wire, trusted[0]) as secure, served(plain) as url:
        plain.leads = secure
        await ask(CameraTarget(address=url, credentials=WHO), home=url, url=url)
    assert wire.asked
    assert "Basic" not in wire.proofs + plain.proofs


async def test_basic_is_not_for_an_https_that_plain_http_named(trusted: tuple[ssl.SSLContext, str]) -> None:
    """A camera that was enrolled at http may name any service at https: its certificate proves nothing."""
    wire = Wire()
    async with served(wire, trusted[0]) as url:
        await ask(CameraTarget(address=url, credentials=WHO), home=url.replace("https:", "http:"), url=url)
    assert "Basic" not in wire.proofs


async def test_one_that_says_where_it_is_leads_nowhere_else() -> None:
    """Whoever follows a unit asks there, and neither another path nor another port that it is sent to."""
    wire = Wire()
    async with served(wire) as url:
        target = CameraTarget(address=url, credentials=WHO, roams=True)
        for leads in (f"{url}/again", "https://127.0.0.1/onvif/device_service"):
            wire.leads = leads
            with pytest.raises(CameraRefusedAddressError, match="followed no further"):
                await meet(target, urn="urn:uuid:a", clock=CLOCK, policy=LOOPBACK)
    assert (wire.asked, wire.proofs) == (2, [])


async def test_a_stranger_is_shown_no_proof_of_ours() -> None:
    """It says who it is to anybody; where that is another one, neither digest nor token leaves us."""
    wire = Wire()
    wire.guid = "b"
    async with served(wire) as url:
        met = await meet(CameraTarget(address=url, credentials=WHO), urn="urn:uuid:a", clock=CLOCK, policy=LOOPBACK)
    assert (met.urn, met.serial) == ("urn:uuid:b", "")
    assert (wire.asked, wire.proofs) == (1, [])


async def test_one_that_says_who_it_is_is_asked_for_the_rest() -> None:
    """The right URN, or none without a password: then it is asked with one, as everywhere."""
    for guid in ("a", ""):
        wire = Wire()
        wire.guid = guid
        async with served(wire) as url:
            target = CameraTarget(address=url, credentials=WHO)
            with pytest.raises(CameraError):
                await meet(target, urn="urn:uuid:a", clock=CLOCK, policy=LOOPBACK)
        assert wire.asked > 1
