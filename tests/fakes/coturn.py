"""Debian's coturn as docs/turnserver.conf sets it up, on loopback, for the time of a test."""

import asyncio
import re
import shutil
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.fakes.ports import free_port

CONFIGURATION = Path(__file__).parents[2] / "docs" / "turnserver.conf"
SECRET = "0123456789abcdef0123456789abcdef"


class Coturn:
    """A TURN server. ``said`` is its log."""

    def __init__(self, port: int, tls_port: int) -> None:
        self.port = port
        self.tls_port = tls_port
        self.said: list[str] = []

    @property
    def udp(self) -> str:
        """Return its address for viewers."""
        return f"turn:127.0.0.1:{self.port}?transport=udp"

    @property
    def tcp(self) -> str:
        """Return its address for viewers who get no UDP out."""
        return f"turn:127.0.0.1:{self.port}?transport=tcp"

    @property
    def tls(self) -> str:
        """Return its address for viewers who get nothing but TLS out."""
        return f"turns:127.0.0.1:{self.tls_port}?transport=tcp"

    @property
    def log(self) -> str:
        """Return what it has said."""
        return "".join(self.said)


def configuration(port: int, folder: Path, tls: tuple[int, Path, Path] | None = None) -> str:
    """Return the documented configuration with its five values set, and what a private process on loopback needs.

    With ``tls`` (port, certificate, key) it is changed as it says for networks that let only TLS through, and listens
    to nothing else.
    """
    text = CONFIGURATION.read_text(encoding="utf-8")
    for key, value in {
        "listening-ip": "127.0.0.1",
        "relay-ip": "127.0.0.1",
        "static-auth-secret": SECRET,
        "realm": "test",
        "allowed-peer-ip": "127.0.0.1",
        "listening-port": str(port),
    }.items():
        text, count = re.subn(rf"(?m)^{key}=.*$", f"{key}={value}", text)
        assert count == 1, f"docs/turnserver.conf has {count} lines of {key}"
    if tls is not None:
        number, certificate, private = tls
        for line, instead in {
            "no-tls": "no-udp\nno-tcp",
            "#tls-listening-port=443": f"tls-listening-port={number}",
            "#cert=.*": f"cert={certificate}",
            "#pkey=.*": f"pkey={private}",
        }.items():
            text, count = re.subn(rf"(?m)^{line}$", instead, text)
            assert count == 1, f"docs/turnserver.conf has {count} lines of {line}"
    # Loopback peers are refused unless asked for, and then only with a password for the (switched off) console.
    own = [
        "allow-loopback-peers",
        "cli-password=none",
        f"userdb={folder}/users",
        f"pidfile={folder}/pid",
        "log-file=stdout",
    ]
    return text + "\n".join([*own, "simple-log", "verbose", ""])


@asynccontextmanager
async def coturn(folder: Path, *, tls: tuple[Path, Path] | None = None) -> AsyncIterator[Coturn]:
    """Run it; with ``tls`` (certificate, key) it takes TLS alone."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.fail("coturn is not here. Install it: apt-get install coturn (or: make test-parts)")
    server = Coturn(free_port(), free_port())
    file = folder / "turnserver.conf"
    await asyncio.to_thread(
        file.write_text, configuration(server.port, folder, None if tls is None else (server.tls_port, *tls))
    )
    process = await asyncio.create_subprocess_exec(program, "-c", str(file), stdout=PIPE, stderr=STDOUT, cwd=folder)
    assert process.stdout is not None
    output = process.stdout

    async def listen() -> None:
        while line := await output.readline():
            server.said.append(line.decode(errors="replace"))

    listening = asyncio.create_task(listen())
    try:
        await _answers(server, process, server.port if tls is None else server.tls_port)
        yield server
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        await listening


async def _answers(server: Coturn, process: asyncio.subprocess.Process, port: int) -> None:
    """Return once it takes connections: by then it takes datagrams too."""
    async with asyncio.timeout(20):
        while True:
            assert process.returncode is None, f"coturn ended with {process.returncode}:\n{server.log}"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            return
