"""Debian's mosquitto as units meet it: TLS, a certificate and topics for each; and one who watches."""

import asyncio
import json
import shutil
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from cryptography.hazmat.primitives import serialization

from tests.fakes.mosquitto import Mosquitto, _certificate

WATCHER = "watcher"
PREFIX = "sightline/v1/units"


@dataclass(frozen=True, slots=True)
class Heard:
    """One message that the watcher got. ``topic`` lacks the prefix: ``D003/state/battery``."""

    topic: str
    payload: bytes
    retain: bool

    @property
    def body(self) -> dict[str, Any]:
        """Return the payload as JSON."""
        whole: dict[str, Any] = json.loads(self.payload)
        return whole


class Watcher:
    """Hears all that units say, and commands them."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.heard: list[Heard] = []
        self._client = client

    def of(self, topic: str) -> list[Heard]:
        """Return what came on a topic."""
        return [one for one in self.heard if one.topic == topic]

    def last(self, topic: str) -> dict[str, Any]:
        """Return the newest body of a topic; empty where there is none."""
        return next((one.body for one in reversed(self.heard) if one.topic == topic), {})

    async def command(self, label: str, name: str, *, retain: bool = False, **body: Any) -> None:
        """Tell a unit to do something."""
        await self._client.publish(f"{PREFIX}/{label}/command/{name}", json.dumps(body), qos=1, retain=retain)

    async def listen(self) -> None:
        """Hear, for ever."""
        async for message in self._client.messages:
            assert isinstance(message.payload, bytes)
            topic = str(message.topic).removeprefix(f"{PREFIX}/")
            self.heard.append(Heard(topic, message.payload, message.retain))


@asynccontextmanager
async def units_broker(folder: Path, *labels: str) -> AsyncIterator[Mosquitto]:
    """Run it; ``folder`` then holds ``ca.pem`` and the certificates of the units and of the watcher."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        pytest.fail("mosquitto is not here. Install it: apt-get install mosquitto (or: make test-parts)")
    broker = Mosquitto(program, folder)
    await asyncio.to_thread(_prepare, folder, broker.port, labels)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


def _prepare(folder: Path, port: int, labels: tuple[str, ...]) -> None:
    authority = _certificate("Test authority", None)
    (folder / "ca.pem").write_bytes(authority[1].public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for name in ("127.0.0.1", WATCHER, *labels):
        key, own = _certificate(name, authority)
        (folder / f"{name}.pem").write_bytes(own.public_bytes(serialization.Encoding.PEM))
        (folder / f"{name}.key").write_bytes(key.private_bytes(*form))
    (folder / "acl").write_text(f"pattern readwrite {PREFIX}/%u/#\nuser {WATCHER}\ntopic readwrite {PREFIX}/#\n")
    (folder / "acl").chmod(0o600)
    lines = [
        f"listener {port} 127.0.0.1",
        f"cafile {folder}/ca.pem",
        f"certfile {folder}/127.0.0.1.pem",
        f"keyfile {folder}/127.0.0.1.key",
        "require_certificate true",
        "use_identity_as_username true",
        f"acl_file {folder}/acl",
        "persistence true",
        f"persistence_location {folder}/",
        "user root",
    ]
    (folder / "mosquitto.conf").write_text("\n".join([*lines, ""]))


@asynccontextmanager
async def watching(broker: Mosquitto, folder: Path) -> AsyncIterator[Watcher]:
    """Watch all units for the time of the block."""
    context = await asyncio.to_thread(_context, folder)
    async with aiomqtt.Client(
        "127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5, tls_context=context, identifier=WATCHER
    ) as client:
        watcher = Watcher(client)
        await client.subscribe(f"{PREFIX}/#", qos=1)
        listening = asyncio.create_task(watcher.listen(), name="watcher")
        try:
            yield watcher
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.load_cert_chain(folder / f"{WATCHER}.pem", folder / f"{WATCHER}.key")
    return context


async def until_passing(condition: Callable[[], object], pass_a_second: Callable[[], Any], *, what: str) -> None:
    """Let seconds of a turned clock pass, and real moments between them, until ``condition()`` is true.

    Raises:
        AssertionError: it was not within a real time that is far beyond what it takes.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 60.0
    while not condition():
        assert loop.time() < deadline, f"waited for {what}"
        await pass_a_second()
        await asyncio.sleep(0.02)
