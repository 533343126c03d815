"""Debian's mosquitto over TLS on loopback, with a certificate of its own authority and one user, for a test."""

import asyncio
import datetime as dt
import ipaddress
import shutil
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.fakes.ports import free_port
from tests.fakes.waiting import PATIENCE_S

USER = "sightline"
PASSWORD = "the broker's password"


class Mosquitto:
    """A broker that can be stopped and started again on its port. ``ca`` is what it is trusted by."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._process: Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self.said: list[str] = []
        self.ca = folder / "ca.pem"
        self.port = free_port()

    @property
    def url(self) -> str:
        """Return its address."""
        return f"mqtts://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Return what it has said."""
        return "".join(self.said)

    async def start(self) -> None:
        """Return once it takes connections. What it kept before is there again."""
        file = self._folder / "mosquitto.conf"
        process = await asyncio.create_subprocess_exec(self._program, "-c", str(file), stdout=PIPE, stderr=STDOUT)
        assert process.stdout is not None
        output = process.stdout

        async def listen() -> None:
            while line := await output.readline():
                self.said.append(line.decode(errors="replace"))

        self._process, self._listening = process, asyncio.create_task(listen())
        async with asyncio.timeout(PATIENCE_S):
            while True:
                assert process.returncode is None, f"mosquitto ended with {process.returncode}:\n{self.log}"
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                    continue
                writer.close()
                await writer.wait_closed()
                return

    async def stop(self) -> None:
        """End it; it writes down what it keeps."""
        if self._process is not None and self._listening is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()
            await self._listening
            self._process = None


@asynccontextmanager
async def mosquitto(folder: Path) -> AsyncIterator[Mosquitto]:
    """Run it."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        pytest.fail("mosquitto is not here. Install it: apt-get install mosquitto (or: make test-parts)")
    broker = Mosquitto(program, folder)
    await asyncio.to_thread(_prepare, folder, broker.port)
    await _passwords(folder)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


def _prepare(folder: Path, port: int) -> None:
    ca_key, ca = _certificate("Test witness authority", None)
    key, own = _certificate("127.0.0.1", (ca_key, ca))
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / "server.pem").write_bytes(own.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.key").write_bytes(key.private_bytes(*form))
    lines = [
        f"listener {port} 127.0.0.1",
        f"certfile {folder}/server.pem",
        f"keyfile {folder}/server.key",
        "allow_anonymous false",
        f"password_file {folder}/passwords",
        "persistence true",
        f"persistence_location {folder}/",
        # Started as root it would become another user, who may not read this folder.
        "user root",
    ]
    (folder / "mosquitto.conf").write_text("\n".join([*lines, ""]))


async def _passwords(folder: Path) -> None:
    program = shutil.which("mosquitto_passwd")
    assert program is not None, "mosquitto_passwd is part of Debian's mosquitto"
    file = str(folder / "passwords")
    process = await asyncio.create_subprocess_exec(
        program, "-b", "-c", file, USER, PASSWORD, stdout=PIPE, stderr=STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


def _certificate(
    name: str, issuer: tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[1].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return key, builder.sign(issuer[0] if issuer else key, hashes.SHA256())
