"""HTTP to one camera, against servers that misbehave on the wire."""

import asyncio
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from drivers.addresses import AddressPolicy
from drivers.errors import CameraAnswerError, CameraError, CameraRefusedAddressError, CameraUnreachableError
from drivers.model import CameraTarget, Credentials
from drivers.onvif.session import DEFAULT_LIMITS, HttpAnswer, HttpRequest, Limits, open_session
from kernel.clock import SystemClock, to_ns
from tests.fakes.clock import ManualClock
from tests.fakes.onvif_camera import LOOPBACK
from tests.fakes.waiting import PATIENCE_S, until

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve raw TCP and give the port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await handler(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def saying(answer: bytes) -> Handler:
    """Return a handler that gives the same answer to every request."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(answer)
            await writer.drain()

    return handler


def target(**fields: object) -> CameraTarget:
    """Return a target; sessions need its TLS settings only."""
    credentials = Credentials(username="u", password=SecretStr("p"))
    return CameraTarget.model_validate({"address": "camera", "credentials": credentials, **fields})


async def get(
    url: str,
    *,
    policy: AddressPolicy = LOOPBACK,
    limits: Limits = Limits(request_s=PATIENCE_S),  # noqa: B008 - frozen
    camera: CameraTarget | None = None,
    max_bytes: int = 1000,
) -> HttpAnswer:
    """GET once in a session of its own."""
    async with open_session(camera or target(), clock=SystemClock(), policy=policy, limits=limits) as session:
        return await session.request(
            HttpRequest(method="GET", url=url, headers={}, max_bytes=max_bytes, timeout_s=limits.request_s)
        )


async def test_a_plain_answer() -> None:
    """Status and body come through."""
    async with serving(saying(OK)) as port:
        answer = await get(f"http://127.0.0.1:{port}/")
    assert (answer.status, answer.body) == (200, b"ok")


async def test_bodies_are_capped() -> None:
    """One byte over the limit is too long; the limit itself is fine."""
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000
    async with serving(saying(body)) as port:
        assert len((await get(f"http://127.0.0.1:{port}/")).body) == 1000
        with pytest.raises(CameraAnswerError, match="longer than") as caught:
            await get(f"http://127.0.0.1:{port}/", max_bytes=999)
    assert caught.value.facts["cause"] == "too-long"


@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", 31), ("deflate", 15)])
async def test_compressed_bodies_are_capped_unpacked(encoding: str, wbits: int) -> None:
    """Small compressed bodies are unpacked, and what unpacks beyond the limit is dropped."""

    def answer(content: bytes) -> bytes:
        packer = zlib.compressobj(9, wbits=wbits)
        body = packer.compress(content) + packer.flush()
        return f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    async with serving(saying(answer(b"hello"))) as port:
        assert (await get(f"http://127.0.0.1:{port}/")).body == b"hello"
    async with serving(saying(answer(b"0" * 300_000))) as port:
        with pytest.raises(CameraAnswerError, match="unpacks to more") as caught:
            await get(f"http://127.0.0.1:{port}/")
    assert caught.value.facts["cause"] == "decompression-bomb"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"\x00\xff\x13garbage\r\n\r\n", "not HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope", "damaged"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nnope", "did not ask for"),
    ],
)
async def test_what_is_no_http(answer: bytes, said: str) -> None:
    """Garbage, another protocol and damaged bodies are one kind of error."""
    async with serving(saying(answer)) as port:
        with pytest.raises(CameraAnswerError, match=said):
            await get(f"http://127.0.0.1:{port}/")


async def test_a_body_that_never_ends() -> None:
    """A body that drips for ever is given up in time."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nx")
        await reader.read()

    async with serving(drip) as port:
        with pytest.raises(CameraAnswerError, match="did not come to an end") as caught:
            await get(f"http://127.0.0.1:{port}/", limits=Limits(request_s=2.0))
    assert caught.value.facts["cause"] == "endless"


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1:1/", "http://169.254.169.254/latest/", "//192.0.2.1/", "ftp://x/", "http://[bad"]
)
async def test_redirects_elsewhere_are_refused(location: str) -> None:
    """A redirect to another host or port is refused, loopback and metadata among them."""
    answer = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    async with serving(saying(answer)) as port:
        with pytest.raises(CameraError) as caught:
            await get(f"http://127.0.0.1:{port}/")
    assert isinstance(caught.value, CameraRefusedAddressError)


async def test_redirects_within_the_camera_are_followed() -> None:
    """A redirect to another path of the camera is followed, and a circle of them is an error."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.readuntil(b"\r\n\r\n"):
            moved = b"HTTP/1.1 307 Moved\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n"
            writer.write(OK if request.startswith(b"GET /new") else moved)
            await writer.drain()

    async with serving(handler) as port:
        answer = await get(f"http://127.0.0.1:{port}/old")
        assert (answer.body, answer.url) == (b"ok", f"http://127.0.0.1:{port}/new")
    async with serving(saying(b"HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")) as port:
        with pytest.raises(CameraAnswerError, match="circles"):
            await get(f"http://127.0.0.1:{port}/")


async def test_refused_addresses_are_never_connected_to() -> None:
    """Numbers and names alike: the socket itself is checked with the address it goes to."""
    connections = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)

    async with serving(note) as port:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            with pytest.raises(CameraRefusedAddressError):
                await get(f"http://{host}:{port}/", policy=AddressPolicy())
    assert connections == []


async def test_a_name_that_changes_its_mind(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the address that was checked is the one connected to, whatever the name says next."""
    answers = iter([["127.0.0.1"], ["203.0.113.9"]])

    async def resolve(self: AddressPolicy, host: str, port: int) -> list[str]:
        found = next(answers)
        for ip in found:
            self.check_ip(ip)
        return found

    monkeypatch.setattr(AddressPolicy, "resolve", resolve)
    async with serving(saying(OK)) as port:
        assert (await get(f"http://camera.example:{port}/")).body == b"ok"


async def test_nobody_there() -> None:
    """A closed port, a silent host and a hung-up call are told apart."""
    with socket.socket() as nobodys:
        nobodys.bind(("127.0.0.1", 0))  # and not listened on: nobody else can be there in the meantime
        with pytest.raises(CameraUnreachableError) as caught:
            await get(f"http://127.0.0.1:{nobodys.getsockname()[1]}/")
    assert caught.value.facts["cause"] == "refused"

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(silent) as port:
        with pytest.raises(CameraUnreachableError, match="in time"):
            await get(f"http://127.0.0.1:{port}/", limits=Limits(request_s=2.0))

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with serving(hang_up) as port:
        with pytest.raises(CameraUnreachableError, match="failed"):
            await get(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(("repeatable", "calls"), [(True, 2), (False, 1)])
async def test_only_repeatable_requests_are_repeated(*, repeatable: bool, calls: int) -> None:
    """A question is asked again, once, when the connection was dead; a move never is."""
    seen = []

    async def hang_up_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        seen.append(1)
        if len(seen) == 2:
            writer.write(OK)
            await writer.drain()

    limits = Limits(request_s=PATIENCE_S)
    async with (
        serving(hang_up_once) as port,
        open_session(target(), clock=SystemClock(), policy=LOOPBACK, limits=limits) as session,
    ):
        url = f"http://127.0.0.1:{port}/"
        request = HttpRequest(
            method="POST", url=url, headers={}, body=b"", max_bytes=99, timeout_s=PATIENCE_S, repeatable=repeatable
        )
        with suppress(CameraUnreachableError):
            await session.request(request)
    assert len(seen) == calls


async def test_requests_are_paced() -> None:
    """The eleventh request within a second waits for the second to be over."""
    clock = ManualClock()
    limits = Limits(per_second=3)
    async with (
        serving(saying(OK)) as port,
        open_session(target(), clock=clock, policy=LOOPBACK, limits=limits) as session,
    ):
        request = HttpRequest(
            method="GET", url=f"http://127.0.0.1:{port}/", headers={}, max_bytes=99, timeout_s=PATIENCE_S
        )
        for _ in range(3):
            await session.request(request)
        fourth = asyncio.create_task(session.request(request))
        await until(lambda: clock.sleepers, what="the fourth to wait")
        assert not fourth.done()
        await clock.turn(1.0)
        assert (await fourth).status == 200


async def test_urgent_requests_go_at_once() -> None:
    """A stop neither waits for the pace nor behind what is under way; it counts for those that come after."""
    clock = ManualClock()
    limits = Limits(per_second=1, concurrent=1)
    async with (
        serving(saying(OK)) as port,
        open_session(target(), clock=clock, policy=LOOPBACK, limits=limits) as session,
    ):
        url = f"http://127.0.0.1:{port}/"
        usual = HttpRequest(method="GET", url=url, headers={}, max_bytes=99, timeout_s=PATIENCE_S)
        await session.request(usual)
        waiting = asyncio.create_task(session.request(usual))
        await until(lambda: clock.sleepers, what="the second to wait")
        assert (await session.request(replace(usual, urgent=True))).status == 200
        assert not waiting.done()
        await clock.turn(1.0)
        assert (await waiting).status == 200


def certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """Return a server context with a certificate of its own making, and the fingerprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "camera")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=9999))
        .sign(key, hashes.SHA256())
    )
    (folder / "c.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "k.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "c.pem", folder / "k.pem")
    return context, made.fingerprint(hashes.SHA256()).hex()


async def test_tls_is_verified_unless_pinned_or_waived(tmp_path: Path) -> None:
    """A self-signed camera is refused, taken with its pin or a waiver, and refused with another's pin."""
    context, fingerprint = certificate(tmp_path)
    async with serving(saying(OK), tls=context) as port:
        url = f"https://127.0.0.1:{port}/"
        for camera in (target(), target(tls_fingerprint_sha256="00" * 32)):
            with pytest.raises(CameraUnreachableError, match="certificate is not trusted"):
                await get(url, camera=camera)
        pinned = target(tls_fingerprint_sha256=":".join(fingerprint[i : i + 2] for i in range(0, 64, 2)))
        assert (await get(url, camera=pinned)).status == 200
        assert (await get(url, camera=target(tls_verify=False))).status == 200


@pytest.mark.parametrize("how", ["pinned", "waived"])
async def test_until_when_its_certificate_lasts_is_known(tmp_path: Path, how: str) -> None:
    """However the camera is trusted; as soon as it has answered, and not of a camera without TLS."""
    context, fingerprint = certificate(tmp_path)
    ways: dict[str, dict[str, object]] = {
        "pinned": {"tls_fingerprint_sha256": fingerprint},
        "waived": {"tls_verify": False},
    }
    async with serving(saying(OK), tls=context) as secure, serving(saying(OK)) as plain:
        known = []
        for url in (f"https://127.0.0.1:{secure}/", f"http://127.0.0.1:{plain}/"):
            opened = open_session(target(**ways[how]), clock=SystemClock(), policy=LOOPBACK, limits=DEFAULT_LIMITS)
            async with opened as session:
                before = session.certificate_ends_ns
                await session.request(
                    HttpRequest(method="GET", url=url, headers={}, max_bytes=1000, timeout_s=PATIENCE_S)
                )
                known.append((before, session.certificate_ends_ns))
    ends = to_ns(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=9999))
    assert known == [(None, ends), (None, None)]


async def test_plain_http_where_tls_was_expected() -> None:
    """A port that does not speak TLS is told as that."""
    async with serving(saying(OK)) as port:
        with pytest.raises(CameraUnreachableError):
            await get(f"https://127.0.0.1:{port}/")
