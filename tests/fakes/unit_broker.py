"""Debian's mosquitto with the configuration that is shipped, on a free port; and units that come to it."""

import asyncio
import re
import shutil
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.units import Units
from gateway.units.authority import Issued
from tests.fakes.mosquitto import Mosquitto

DOCS = Path(__file__).parents[2] / "docs"
SHIPPED = "/var/lib/sightline-mqtt"


class UnitBroker(Mosquitto):
    """A broker that can be restarted, and told to read its files again."""

    def reload(self) -> None:
        """Have it read its list of revoked certificates again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    async def restart(self) -> None:
        """Stop it and start it again on its port."""
        await self.stop()
        await self.start()

    async def die(self) -> None:
        """Kill it: what it had not written down is gone."""
        assert self._process is not None
        self._process.kill()
        await self.stop()


@asynccontextmanager
async def unit_broker(
    folder: Path, units: Units, *, port: int | None = None, cameras_port: int | None = None, allowed: str = ""
) -> AsyncIterator[UnitBroker]:
    """Run it, for the units of a room, with its own files in ``folder``; ``allowed`` is added to its access list.

    With ``cameras_port`` what the shipped file has commented out for cameras is in force.
    """
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        pytest.fail("mosquitto is not here. Install it: apt-get install mosquitto (or: make test-parts)")
    broker = UnitBroker(program, folder)
    broker.port = port or broker.port
    broker.ca = units.credentials.ca_file
    await units.credentials.broker(["127.0.0.1", "localhost"])
    await asyncio.to_thread(_write, folder, units.credentials.ca_file.parent, broker.port, cameras_port, allowed)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


def _write(folder: Path, pki: Path, port: int, cameras_port: int | None, allowed: str) -> None:
    folder.mkdir(exist_ok=True)
    rights = (DOCS / "mosquitto.acl").read_text()
    if cameras_port is not None:
        rights = re.sub(r"(?m)^#(?=pattern )", "", rights)
    (folder / "sightline.acl").write_text(rights + allowed)
    text = (DOCS / "mosquitto.conf").read_text()
    if cameras_port is not None:
        assert text.count("#listener 8884") == 1
        text = re.sub(r"(?m)^#(?=[a-z])", "", text).replace("listener 8884", f"listener {cameras_port} 127.0.0.1")
    for shipped, here in (
        (SHIPPED, str(pki)),
        ("listener 8883", f"listener {port} 127.0.0.1"),
        ("/etc/mosquitto/sightline.acl", f"{folder}/sightline.acl"),
        ("/var/lib/mosquitto/", f"{folder}/"),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    # Started as root it would become another user, who may not read these folders.
    (folder / "mosquitto.conf").write_text(f"{text}\nuser root\n")


def unit_tls(folder: Path, units: Units, issued: Issued | None, name: str = "unit") -> ssl.SSLContext:
    """Return what a unit shows and trusts. ``None``: it shows nothing. Blocks."""
    context = ssl.create_default_context(cafile=units.credentials.ca_file)
    if issued is not None:
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.pem").write_text(issued.certificate)
        (folder / f"{name}.key").write_text(issued.key)
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def unit_client(port: int, tls: ssl.SSLContext, label: str, *, modern: bool = True, **options: Any) -> aiomqtt.Client:
    """Return a unit's client, with its last will."""
    properties = None
    if modern:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 3600
    options.setdefault("identifier", label)
    return aiomqtt.Client(
        "127.0.0.1",
        port,
        tls_context=tls,
        protocol=aiomqtt.ProtocolVersion.V5 if modern else aiomqtt.ProtocolVersion.V311,
        will=aiomqtt.Will(f"sightline/v1/units/{label}/online", '{"online": false}', qos=1, retain=True),
        properties=properties,
        clean_start=False if modern else MQTT_CLEAN_START_FIRST_ONLY,
        clean_session=None if modern else False,
        timeout=20,
        **options,
    )


async def shown_by(port: int, tls: ssl.SSLContext) -> bytes:
    """Return the certificate that a broker shows. DER."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=_trusting(tls))
    del reader
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()
    assert isinstance(shown, bytes)
    return shown


def _trusting(tls: ssl.SSLContext) -> ssl.SSLContext:
    """Have a context take a certificate of next year as well."""
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    return tls


async def let_in(port: int, tls: ssl.SSLContext, client_id: str, *, will: str = "") -> bool:
    """Return whether a broker accepts a client of MQTT 3.1.1: told by bytes, not by a library that keeps trying.

    ``will``: the topic of a last will that it leaves.
    """
    fields = [client_id, *([will, "{}"] if will else [])]
    texts = b"".join(len(text).to_bytes(2, "big") + text.encode() for text in fields)
    body = b"\x00\x04MQTT\x04" + bytes([0b110 if will else 0b10, 0, 30]) + texts
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        try:
            writer.write(b"\x10" + bytes([len(body)]) + body)
            await writer.drain()
            async with asyncio.timeout(20):
                answer = await reader.readexactly(4)
        finally:
            writer.close()
            with suppress(OSError, ssl.SSLError):
                await writer.wait_closed()
    except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
        return False
    return answer[0] == 0x20 and answer[3] == 0
