"""What can be wrong at the start: one plain sentence with its cure each, and TLS as it should be."""

import asyncio
import os
import socket
import ssl
import stat
from pathlib import Path

import httpx
import pytest

from config.server import ServerSettings
from config.settings import Settings
from gateway.access.errors import UserError
from gateway.app import open_gateway
from gateway.certificate import tls_files
from gateway.cli.failures import exit_code, expected
from gateway.db.errors import DatabaseUnusableError
from gateway.startup import CertificateError, DataDirError, PortError, StartError, listen, prepare_data_dir
from gateway.vault import KeyFileError
from kernel.clock import SystemClock
from kernel.errors import SightlineError
from tests.fakes.clock import ManualClock
from tests.fakes.desk import settings_in
from tests.fakes.host import FakeHost
from tests.fakes.ports import free_port

CLOCK = SystemClock()


async def refused(settings: Settings) -> SightlineError:
    """Return why a gateway does not start."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is looked at below
        async with open_gateway(settings, clock=CLOCK, open_host=FakeHost().open):
            pass
    known = expected(caught.value)
    assert known is not None, caught.value
    return known


async def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """The port is named, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = settings_in(tmp_path).server.model_copy(update={"port": port})
        error = await refused(settings_in(tmp_path).model_copy(update={"server": server}))
    assert isinstance(error, PortError)
    assert f"port {port} is taken by another program" in error.message
    assert exit_code(error) == 2


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours(host: str) -> None:
    """Told as such."""
    with pytest.raises(PortError, match=host):
        listen(ServerSettings(host=host, port=0))


async def test_a_data_directory_that_is_a_file(tmp_path: Path) -> None:
    """Told with its path."""
    path = tmp_path / "file"
    path.write_text("")
    error = await refused(settings_in(path))
    assert isinstance(error, DataDirError)
    assert str(path) in error.message


def test_a_full_disk_is_named() -> None:
    """/dev/full has no room, as a full disk has none."""
    with pytest.raises(DataDirError) as caught:
        prepare_data_dir(Path("/dev/full"))
    assert "cannot be used" in caught.value.message


def test_no_room_has_its_own_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOSPC is told apart from a lack of rights."""

    def full(_handle: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataDirError) as caught:
        prepare_data_dir(tmp_path)
    assert "Make room" in caught.value.cure


async def test_a_key_that_others_can_read(tmp_path: Path) -> None:
    """The key of camera passwords must be private."""
    await refused_key(tmp_path, mode=0o644, said="can be read by others")


async def test_a_key_that_is_none(tmp_path: Path) -> None:
    """Rubbish in its place is not overwritten."""
    await refused_key(tmp_path, mode=0o600, said="is not a key")
    assert (tmp_path / "sightline.key").read_text() == "rubbish"


async def refused_key(tmp_path: Path, *, mode: int, said: str) -> None:
    """Start over a bad key."""
    (tmp_path / "sightline.key").write_text("rubbish")
    (tmp_path / "sightline.key").chmod(mode)
    error = await refused(settings_in(tmp_path))
    assert isinstance(error, KeyFileError)
    assert said in error.message


async def test_a_database_that_is_none(tmp_path: Path) -> None:
    """Something else in its place is left alone."""
    (tmp_path / "sightline.db").write_bytes(b"rubbish " * 1000)
    error = await refused(settings_in(tmp_path))
    assert isinstance(error, DatabaseUnusableError)
    assert exit_code(error) == 2


@pytest.mark.parametrize("missing", ["certificate", "key"])
def test_tls_files_that_are_missing(tmp_path: Path, missing: str) -> None:
    """The missing one is named; it is a matter of configuration."""
    made = tls_files(ServerSettings(data_dir=tmp_path), clock=CLOCK)
    paths = {"certificate": made.certificate, "key": made.key, missing: tmp_path / "none.pem"}
    settings = ServerSettings(data_dir=tmp_path, tls_certificate=paths["certificate"], tls_key=paths["key"])
    with pytest.raises(CertificateError, match=r"none\.pem cannot be read") as caught:
        tls_files(settings, clock=CLOCK)
    assert exit_code(caught.value) == 78


def test_a_key_of_another_certificate(tmp_path: Path) -> None:
    """A pair that does not fit is refused before anything listens."""
    one = tls_files(ServerSettings(data_dir=tmp_path / "one"), clock=CLOCK)
    other = tls_files(ServerSettings(data_dir=tmp_path / "other"), clock=CLOCK)
    settings = ServerSettings(tls_certificate=one.certificate, tls_key=other.key)
    with pytest.raises(CertificateError, match="does not fit"):
        tls_files(settings, clock=CLOCK)


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    """Not PEM."""
    made = tls_files(ServerSettings(data_dir=tmp_path), clock=CLOCK)
    (tmp_path / "x.pem").write_text("rubbish")
    with pytest.raises(CertificateError, match="not a certificate"):
        tls_files(ServerSettings(tls_certificate=tmp_path / "x.pem", tls_key=made.key), clock=CLOCK)


def test_an_expired_certificate_of_ones_own_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    """With the day it expired."""
    made = tls_files(ServerSettings(data_dir=tmp_path), clock=clock)
    clock.jump_wall(900 * 86_400)
    settings = ServerSettings(tls_certificate=made.certificate, tls_key=made.key)
    with pytest.raises(CertificateError, match="expired on"):
        tls_files(settings, clock=clock)


def test_the_made_certificate_is_kept_and_renewed(tmp_path: Path, clock: ManualClock) -> None:
    """Made once, private, the same at the next start, and made anew before it expires."""
    settings = ServerSettings(data_dir=tmp_path, public_urls=("https://cctv.example.org",))
    first = tls_files(settings, clock=clock)
    assert first.made
    assert stat.S_IMODE(first.key.stat().st_mode) == 0o600
    again = tls_files(settings, clock=clock)
    assert (again.made, again.fingerprint) == (False, first.fingerprint)
    clock.jump_wall(800 * 86_400)
    renewed = tls_files(settings, clock=clock)
    assert renewed.made
    assert renewed.fingerprint != first.fingerprint


async def test_tls_serves_and_binds_the_cookie(tmp_path: Path) -> None:
    """Over TLS the cookie is Secure and __Host-, and browsers are told to stay with TLS."""
    server = ServerSettings(host="127.0.0.1", port=0, data_dir=tmp_path, shutdown_s=1)
    async with open_gateway(Settings(server=server), clock=CLOCK, open_host=FakeHost().open) as gateway:
        assert gateway.tls is not None
        assert gateway.url.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context(cafile=str(gateway.tls.certificate))
        async with httpx.AsyncClient(base_url=gateway.url, verify=trust, headers={"Origin": gateway.url}) as client:
            body = {"code": gateway.setup_code, "username": "root", "password": "four unrelated words here"}
            answer = await client.post("/api/v1/setup", json=body)
            assert answer.status_code == 201
            assert answer.headers["set-cookie"].startswith("__Host-sightline=")
            assert "Secure" in answer.headers["set-cookie"]
            assert "max-age" in answer.headers["strict-transport-security"]
            assert (await client.get("/api/v1/session")).status_code == 200


async def test_a_proxys_tls_binds_the_cookie_as_well(tmp_path: Path) -> None:
    """Where a proxy on this machine ends TLS the cookie is Secure and __Host-, and browsers stay with TLS."""
    public, port = "https://cctv.example.org", free_port()
    server = ServerSettings(
        host="127.0.0.1", port=port, plain_http=True, public_urls=(public,), data_dir=tmp_path, shutdown_s=1
    )
    async with open_gateway(Settings(server=server), clock=CLOCK, open_host=FakeHost().open) as gateway:
        assert gateway.url == public
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"Origin": public}) as client:
            body = {"code": gateway.setup_code, "username": "root", "password": "four unrelated words here"}
            answer = await client.post("/api/v1/setup", json=body)
            assert answer.status_code == 201
            assert answer.headers["set-cookie"].startswith("__Host-sightline=")
            assert "Secure" in answer.headers["set-cookie"]
            assert "max-age" in answer.headers["strict-transport-security"]
            cookie = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
            assert (await client.get("/api/v1/session", headers=cookie)).status_code == 200


async def test_an_open_socket_does_not_keep_the_service_from_stopping(tmp_path: Path) -> None:
    """Leaving the gateway ends what is connected."""
    async with open_gateway(settings_in(tmp_path), clock=CLOCK, open_host=FakeHost().open) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    assert await reader.read() == b""
    writer.close()


def test_failures_in_groups_are_still_plain() -> None:
    """What task groups passed on is told as what it is; a bug among them is not hidden."""
    plain = UserError("No.", cure="Yes.")
    assert expected(ExceptionGroup("x", [ExceptionGroup("y", [plain])])) is plain
    assert expected(ExceptionGroup("x", [plain, ZeroDivisionError()])) is None
    assert exit_code(plain) == 1
    assert exit_code(StartError("x")) == 2
