"""Proving who we are to servers that change their minds."""

import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from pydantic import SecretStr

from drivers.errors import (
    CameraAnswerError,
    CameraAuthenticationError,
    CameraBusyError,
    CameraFaultError,
    CameraNotOnvifError,
)
from drivers.model import CameraTarget, Credentials
from drivers.onvif.catalogue import Service, catalogue
from drivers.onvif.quirks import Quirks
from drivers.onvif.session import open_session
from drivers.onvif.soap import Caller
from kernel.clock import SystemClock
from tests.fakes.onvif_camera import LOOPBACK, QUICK

WHO = Credentials(username="u", password=SecretStr("p"))
CLOCK = SystemClock()
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def envelope(content: str) -> str:
    """Return a SOAP answer."""
    return f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>{content}</s:Body></s:Envelope>'


STOPPED = envelope("<SystemRebootResponse><Message>bye</Message></SystemRebootResponse>")


@asynccontextmanager
async def caller(handler: Handler) -> AsyncIterator[tuple[Caller, str]]:
    """Serve ``handler`` and give a caller and the address."""
    server = web.Server(handler)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    target = CameraTarget(address="camera", credentials=WHO)
    try:
        async with open_session(target, clock=CLOCK, policy=LOOPBACK, limits=QUICK) as session:
            made = Caller(session, await catalogue(), WHO, quirks=Quirks(), clock=CLOCK)
            yield made, f"http://127.0.0.1:{port}/onvif"
    finally:
        await runner.cleanup()


async def reboot(made: Caller, url: str) -> str:
    """Call something that needs proof."""
    return (await made.call(url, Service.DEVICE, "SystemReboot")).text("Message")


class Digester:
    """A server of MD5 digest whose nonces last for ``lasts`` requests."""

    def __init__(self, lasts: int) -> None:
        self.lasts = lasts
        self.seen: list[str] = []
        self.nonce = 0
        self.left = 0

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        header = request.headers.get("Authorization", "")
        self.seen.append(header)
        found = dict(re.findall(r'(\w+)="?([^",]*)"?', header))
        first, second = (
            hashlib.md5(text.encode()).hexdigest()  # noqa: S324
            for text in (f"{found.get('username')}:r:p", f"POST:{request.path}")
        )
        expected = hashlib.md5(  # noqa: S324
            f"{first}:{self.nonce}:{found.get('nc')}:{found.get('cnonce')}:auth:{second}".encode()
        ).hexdigest()
        if found.get("response") == expected and self.left > 0:
            self.left -= 1
            return web.Response(text=STOPPED)
        self.nonce += 1
        self.left = self.lasts
        challenge = f'Digest realm="r", nonce="{self.nonce}", qop="auth,auth-int", algorithm=MD5'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})


async def test_proof_is_sent_ahead() -> None:
    """After the first challenge every request carries its proof, counted."""
    server = Digester(lasts=99)
    async with caller(server) as (made, url):
        for _ in range(3):
            assert await reboot(made, url) == "bye"
    assert len(server.seen) == 4
    assert "nc=00000003" in server.seen[3]


async def test_a_used_up_nonce_is_replaced_once() -> None:
    """A camera whose nonces serve once costs one more request each time, and no error."""
    server = Digester(lasts=1)
    async with caller(server) as (made, url):
        for _ in range(3):
            assert await reboot(made, url) == "bye"
    assert len(server.seen) == 6


async def test_a_password_changed_meanwhile_is_told_at_once() -> None:
    """Once proved, a refusal of a fresh proof is final: nothing else is tried, and the account is not locked."""
    server = Digester(lasts=99)
    async with caller(server) as (made, url):
        await reboot(made, url)
        server.lasts = server.left = 0
        with pytest.raises(CameraAuthenticationError):
            await reboot(made, url)
    assert len(server.seen) == 4


def saying(text: str | bytes, status: int = 200, **headers: str) -> Handler:
    """Return a handler with one answer."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        body = text if isinstance(text, bytes) else text.encode()
        return web.Response(status=status, body=body, headers=headers)

    return handler


async def test_basic_over_plain_http_is_refused() -> None:
    """A page that wants the password in the clear does not get it, and the quirk is noted."""
    async with caller(saying("no", 401, **{"WWW-Authenticate": 'Basic realm="x"'})) as (made, url):
        with pytest.raises(CameraAuthenticationError, match="in the clear") as caught:
            await made.fetch(url, max_bytes=99)
        assert "basic-only" in made.quirks
    assert caught.value.facts["cause"] == "basic"


@pytest.mark.parametrize(
    ("content", "status", "error", "said"),
    [
        (("<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:InvalidArgVal</s:Value><s:Subcode>"
         "<s:Value>ter:NoProfile</s:Value></s:Subcode></s:Subcode></s:Code><s:Reason><s:Text>No such thing.</s:Text>"
         "</s:Reason></s:Fault>"), 400, CameraFaultError, "refuses SystemReboot: No such thing"),
        ("<s:Fault><faultcode>s:Client.Odd</faultcode><faultstring>Old style</faultstring></s:Fault>", 500,
         CameraFaultError, "Old style"),
        ("<s:Fault/>", 500, CameraFaultError, "no reason given"),
        (("<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text>Too many users</s:Text></s:Reason>"
         "</s:Fault>"), 500, CameraBusyError, "no room for this"),
        ("<GetProfilesResponse/>", 200, CameraAnswerError, "answers SystemReboot with GetProfilesResponse"),
    ],
)  # fmt: skip
async def test_faults_are_understood(content: str, status: int, error: type[Exception], said: str) -> None:
    """Faults of both SOAP versions, bare ones, full cameras and wrong answers each get their sentence."""
    async with caller(saying(envelope(content), status)) as (made, url):
        with pytest.raises(error, match=said):
            await reboot(made, url)


@pytest.mark.parametrize(
    ("text", "status", "error"),
    [
        ("<html><body>Welcome</body></html>", 200, CameraNotOnvifError),
        ("<html><br></body>", 200, CameraNotOnvifError),
        ("Not Found", 404, CameraNotOnvifError),
        ("<other/>", 200, CameraNotOnvifError),
        ("busy", 503, CameraBusyError),
        ("slow down", 429, CameraBusyError),
        ("", 500, CameraFaultError),
        ("nonsense", 200, CameraAnswerError),
    ],
)
async def test_other_answers_are_told_apart(text: str, status: int, error: type[Exception]) -> None:
    """Web pages, missing pages, busy cameras, silence and nonsense are different errors."""
    async with caller(saying(text, status)) as (made, url):
        with pytest.raises(error):
            await reboot(made, url)


@pytest.mark.parametrize("text", ["", envelope("")])
async def test_an_empty_answer_is_no_answer_to_a_question(text: str) -> None:
    """A command may be answered with nothing; a question may not."""
    async with caller(saying(text)) as (made, url):
        assert await reboot(made, url) == ""
        with pytest.raises(CameraAnswerError, match="answers GetUsers with nothing"):
            await made.call(url, Service.DEVICE, "GetUsers")


async def test_the_date_header_helps_a_token() -> None:
    """Where the camera refuses a token for its time, the time of its HTTP answers is tried, once."""
    tokens: list[str] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        body = (await request.read()).decode()
        created = re.search(r"Created>([^<]*)<", body)
        tokens.append(created.group(1) if created else "")
        if created and created.group(1).startswith("2031-"):
            return web.Response(text=STOPPED)
        return web.Response(status=400, text=envelope(
            "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode>"
            "</s:Code></s:Fault>"), headers={"Date": "Wed, 01 Jan 2031 00:00:01 GMT"})  # fmt: skip

    async with caller(handler) as (made, url):
        assert await reboot(made, url) == "bye"
        assert made.offset.seconds > 86400
    assert [token[:4] for token in tokens] == ["", tokens[1][:4], "2031"]
