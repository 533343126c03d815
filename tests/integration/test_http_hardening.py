"""What a browser or a stranger may try on the web server itself: framing, methods, paths, headers, TLS, log lines."""

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import structlog

from config.logs import LogSettings
from config.server import ServerSettings
from config.settings import Settings
from gateway.app import Gateway, open_gateway
from gateway.logs import configure
from kernel.clock import SystemClock
from tests.fakes.desk import PASSWORD, Desk
from tests.fakes.host import FakeHost


async def raw(desk: Desk, text: str) -> bytes:
    """Send bytes as they are, and return the whole answer."""
    host, port = desk.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(text.encode())
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Content-Length: -1\r\n\r\n",
        "X: a\x00b\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["both lengths", "two lengths", "an odd coding", "a negative length", "a NUL"],
)
async def test_a_message_of_two_lengths_is_refused(desk: Desk, head: str) -> None:
    """What a proxy in front could read in another way is answered once, with 400, and nothing behind it is read."""
    answer = await raw(desk, f"POST /api/v1/session HTTP/1.1\r\nHost: x\r\n{head}")
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "DELETE", "MADEUP"])
@pytest.mark.parametrize("path", ["/", "/healthz", "/static/app/main.js"])
async def test_other_methods_do_nothing(desk: Desk, method: str, path: str) -> None:
    """TRACE, and every method that an address does not have."""
    answer = await raw(desk, f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Told: hush\r\n\r\n")
    assert answer.split()[1] in {b"400", b"405"}
    assert b"hush" not in answer


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/routes.py",
        "/static/..%2f..%2froutes.py",
        "/static//etc/passwd",
        "/static/",
        "/.git/config",
        "/static/app",
        "/static/app/main.js%00.css",
    ],
)
async def test_nothing_beside_the_console_is_served(desk: Desk, path: str) -> None:
    """No way out of the console's files, no listing, no file of another kind."""
    answer = await raw(desk, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.split()[1] == b"404"


async def test_every_kind_of_answer_is_dressed(desk: Desk) -> None:
    """Page, file, data, refusal, nothing there: policy, nosniff, no framing, no referrer, and data is never stored."""
    nobody = await desk.anybody()
    for client, path in (
        (nobody, "/"),
        (nobody, "/static/app/main.js"),
        (nobody, "/nowhere"),
        (nobody, "/api/v1/cameras"),
        (desk.admin, "/api/v1/cameras"),
        (desk.admin, "/api/v1/openapi.json"),
    ):
        answer = await client.get(path)
        policy = answer.headers["content-security-policy"]
        for part in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert part in policy, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
        stored = "no-cache" if path in {"/", "/static/app/main.js"} else "no-store"
        assert answer.headers["cache-control"] == stored, path


async def test_texts_name_their_coding(desk: Desk) -> None:
    """A page or script is UTF-8 and says so."""
    for path in ("/", "/static/app/main.js", "/static/none"):
        assert (await desk.admin.get(path)).headers["content-type"].endswith("charset=utf-8")


async def test_a_proxys_word_is_not_taken_from_strangers(desk: Desk) -> None:
    """Without a proxy in the configuration nobody can say where they come from."""
    nobody = await desk.anybody(X_Forwarded_For="203.0.113.9", Forwarded="for=203.0.113.9")
    await nobody.post("/api/v1/session", json={"username": "eve", "password": "x"})
    assert (await desk.audit("access.sign-in"))[-1].address == "127.0.0.1"


@pytest.mark.parametrize("password", [f" {PASSWORD}", f"{PASSWORD} ", PASSWORD.upper()])
async def test_a_password_is_taken_as_it_was_typed(desk: Desk, password: str) -> None:
    """Not trimmed, not folded."""
    nobody = await desk.anybody()
    assert (await nobody.post("/api/v1/session", json={"username": "root", "password": password})).status_code == 401


@pytest.mark.parametrize("address", ["http://root:hush@192.0.2.1/", "root:hush@192.0.2.1"])
@pytest.mark.parametrize("path", ["/api/v1/cameras", "/api/v1/cameras/probe"])
async def test_a_password_in_an_address_goes_no_further(desk: Desk, path: str, address: str) -> None:
    """It is refused before it is recorded or shown, and the refusal does not repeat it."""
    answer = await desk.admin.post(path, json={"address": address})
    assert answer.status_code == 422
    assert "hush" not in answer.text + str(await desk.audit())


async def test_a_password_in_a_place_to_discover_goes_no_further(desk: Desk) -> None:
    """Neither there."""
    answer = await desk.admin.post("/api/v1/discovery", json={"addresses": ["root:hush@192.0.2.1"]})
    assert answer.status_code == 422
    assert "hush" not in answer.text + str(await desk.audit())


@pytest.mark.parametrize("name", ["two\nlines", "a\x1b[31mred", "\u2028", "\x85", "\x00"])
async def test_names_are_one_line(desk: Desk, name: str) -> None:
    """What goes into labels, lists and titles has no control characters."""
    camera = await desk.enrol()
    answer = await desk.admin.patch(f"/api/v1/cameras/{camera}", json={"street": f"x{name}y"})
    assert answer.status_code == 422


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Put logging back as it was."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("style", ["json", "console"])
def test_nobody_writes_log_lines_of_their_own(
    own_logging: None, capsys: pytest.CaptureFixture[str], style: str
) -> None:
    """A line break or an escape sequence in a value stays inside its line."""
    configure(LogSettings.model_validate({"format": style}))
    structlog.get_logger().info("http.request", path="/a\r\n{}", user="eve\n\x1b[2J", address="\x07")
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "\r" not in line
    assert "\x1b[2J" not in line
    if style == "json":
        assert json.loads(line)["user"] == "eve\n\x1b[2J"


@pytest_asyncio.fixture
async def over_tls(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Return a gateway that serves HTTPS."""
    server = ServerSettings(host="127.0.0.1", port=0, data_dir=tmp_path, shutdown_s=1)
    async with open_gateway(Settings(server=server), clock=SystemClock(), open_host=FakeHost().open) as gateway:
        yield gateway


def trusting(gateway: Gateway) -> ssl.SSLContext:
    """Return a client's side that knows the certificate."""
    assert gateway.tls is not None
    return ssl.create_default_context(cafile=str(gateway.tls.certificate))


async def handshake(gateway: Gateway, context: ssl.SSLContext) -> ssl.SSLObject:
    """Return what client and gateway agreed on."""
    port = int(gateway.url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    agreed: ssl.SSLObject = writer.get_extra_info("ssl_object")
    writer.transport.abort()
    return agreed


async def test_tls_is_new_and_authenticated(over_tls: Gateway) -> None:
    """TLS 1.3 is taken where both can; with TLS 1.2 the cipher is authenticated and forward secret."""
    assert (await handshake(over_tls, trusting(over_tls))).version() == "TLSv1.3"
    older = trusting(over_tls)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    cipher = (await handshake(over_tls, older)).cipher()
    assert cipher is not None
    assert cipher[0].startswith("ECDHE-")
    assert "GCM" in cipher[0] or "CHACHA20" in cipher[0]


@pytest.mark.parametrize("ciphers", ["AES256-SHA256:AES128-SHA", "ECDHE+AES:!AESGCM", "AESGCM:!ECDHE:!DHE"])
async def test_weaker_ciphers_are_refused(over_tls: Gateway, ciphers: str) -> None:
    """Not CBC, not RSA key exchange."""
    weak = trusting(over_tls)
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers(ciphers)
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        await handshake(over_tls, weak)


async def test_older_tls_is_refused(over_tls: Gateway) -> None:
    """TLS 1.1 and before."""
    old = trusting(over_tls)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        await handshake(over_tls, old)


async def test_browsers_are_kept_to_tls(over_tls: Gateway) -> None:
    """For a year, and at every name below this one."""
    async with httpx.AsyncClient(base_url=over_tls.url, verify=trusting(over_tls)) as client:
        for path in ("/", "/healthz", "/api/v1/cameras", "/nowhere"):
            said = (await client.get(path)).headers["strict-transport-security"]
            assert said == "max-age=31536000; includeSubDomains"
