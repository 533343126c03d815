"""Whether a thousand units that each say something every second are all heard, and how long after.

    python benchmarks/telemetry.py [--units N] [--seconds N]

Every unit is a TLS connection with its own certificate to Debian's mosquitto with docs/mosquitto.conf, QoS 1, from a
process of its own; what comes is judged and committed by the product. The lag of a message is from the unit's stamp on
it until listeners are told, which is after the commit. The promise is for `--seconds 60`: none lost, none over 1 s. For
comparison, a tenth of the units on the broker inside the gateway (amqtt), as it is meant for, in the same run.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from report import percentile, report

from gateway.db.engine import open_database, sqlite_url
from gateway.db.units import AuthorityRow, CertificateRow, UnitRow, UnitRows
from gateway.mqtt import BrokerAddress
from gateway.telemetry.broker import open_broker
from gateway.telemetry.service import door_to, open_telemetry
from gateway.units import Change, Said, Units, open_units
from gateway.units.authority import Authority
from gateway.units.credentials import CONTEXT
from gateway.vault import KeyFile, Vault
from kernel.clock import SystemClock

DOCS = Path(__file__).parents[1] / "docs"
LAG_MAX_MS = 1000.0
SETTLE_S = 20.0
EMBEDDED_UNITS, EMBEDDED_S = 100, 5
AT_ONCE = 20
"""So many TLS handshakes at a time: units in the field do not come all at once either."""


def main() -> None:
    """Run the room, the broker and the units, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--as-units", nargs=2, metavar=("FOLDER", "PORT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.as_units is not None:
        folder, port = given.as_units
        asyncio.run(speak(Path(folder), int(port), given.units, given.seconds))
        return
    with tempfile.TemporaryDirectory(prefix="telemetry-") as folder:
        asyncio.run(measure(Path(folder), given.units, given.seconds))


async def measure(folder: Path, units: int, seconds: int) -> None:
    """Take every figure."""
    (folder / "real").mkdir()
    (folder / "embedded").mkdir()
    real = await heard(folder / "real", units, seconds, embedded=False)
    small = await heard(folder / "embedded", min(units, EMBEDDED_UNITS), EMBEDDED_S, embedded=True)
    p99 = percentile(real["lags"], 0.99)
    small_p99 = percentile(small["lags"], 0.99)
    report(
        "telemetry",
        packages=["aiomqtt", "paho-mqtt", "amqtt", "pydantic", "sqlalchemy"],
        units=units,
        seconds=seconds,
        messages=real["sent"],
        messages_lost=real["sent"] - len(real["lags"]),
        refused=real["refused"],
        lag_ms_p50=percentile(real["lags"], 0.5),
        lag_ms_p99=p99,
        lag_ms_max=max(real["lags"]),
        cpu_ms_per_message=real["cpu_s"] * 1000 / max(1, len(real["lags"])),
        versus={
            f"embedded amqtt, {min(units, EMBEDDED_UNITS)} units, lag_ms_p99": {
                "value": round(small_p99, 2),
                "ratio": round(p99 / small_p99, 3),
                "messages_lost": small["sent"] - len(small["lags"]),
            }
        },
        mosquitto=mosquitto_version(),
    )
    if real["sent"] != len(real["lags"]) or max(real["lags"]) > LAG_MAX_MS:
        sys.exit(f"messages were lost, or came more than {LAG_MAX_MS:.0f} ms late")


async def heard(folder: Path, count: int, seconds: int, *, embedded: bool) -> dict[str, Any]:
    """Return what was sent, the lag of each message that was taken, in ms, and the CPU time of hearing them."""
    clock = SystemClock()
    lags: list[float] = []
    more = asyncio.Event()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with AsyncExitStack() as stack:
        units = await stack.enter_async_context(room(folder, count))
        pair = await units.credentials.broker(["127.0.0.1"])
        if embedded:
            await stack.enter_async_context(open_broker(units, pair, host="127.0.0.1", port=port))
        else:
            await stack.enter_async_context(mosquitto(folder, port))
        door = door_to(units, BrokerAddress("127.0.0.1", port, tls=True), modern=not embedded)
        telemetry = await stack.enter_async_context(open_telemetry(units, door, clock=clock))
        await telemetry.client.up()

        def said(change: Change) -> None:
            if isinstance(change, Said):
                lags.append((clock.wall_ns() - change.now.unit_ns) / 1e6)
                more.set()

        units.register.listen(said)
        process = await asyncio.create_subprocess_exec(
            sys.executable, __file__, "--as-units", str(folder), str(port), "--units", str(count),
            "--seconds", str(seconds), stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert (await process.stdout.readline()).strip() == b"up", "the units did not come"
        began = cpu_s()
        told = await process.stdout.read()
        await process.wait()
        sent = json.loads(told)["sent"]
        with suppress(TimeoutError):  # what has not come by then is lost
            async with asyncio.timeout(SETTLE_S):
                while len(lags) < sent:
                    more.clear()
                    await more.wait()
        return {"sent": sent, "lags": lags, "cpu_s": cpu_s() - began, "refused": len(units.refusals.all())}


@asynccontextmanager
async def room(folder: Path, count: int) -> AsyncIterator[Units]:
    """Give a room in which so many units are enrolled; their certificates lie in ``folder``."""
    clock = SystemClock()
    vault = await asyncio.to_thread(Vault.of, KeyFile(folder, credentials=None))
    authority = Authority.new(clock=clock)
    issued = [(f"U{number}", authority.issue_client(f"U{number}")) for number in range(count)]
    for label, one in issued:
        (folder / f"{label}.pem").write_text(one.certificate + one.key)
    async with open_database(sqlite_url(folder / "units.db")) as database:
        async with database.write() as connection:
            rows = UnitRows(connection)
            sealed = (await vault.sealer(connection)).seal(authority.key, context=f"{CONTEXT}bench")
            await rows.add_authority(
                AuthorityRow(id="bench", certificate=authority.certificate, key_sealed=sealed, created_ns=1)
            )
            for label, one in issued:
                await rows.add(UnitRow(label=label, enrolled_ns=1))
                await rows.add_certificate(
                    CertificateRow(
                        serial=one.serial,
                        label=label,
                        fingerprint=one.fingerprint,
                        issued_ns=one.issued_ns,
                        expires_ns=one.expires_ns,
                    )
                )
        async with open_units(database, vault, folder=folder / "pki", silence_s=300, clock=clock) as units:
            yield units


@asynccontextmanager
async def mosquitto(folder: Path, port: int) -> AsyncIterator[None]:
    """Run Debian's, as it is shipped."""
    text = (DOCS / "mosquitto.conf").read_text()
    for shipped, here in (
        ("/var/lib/sightline-mqtt", f"{folder}/pki"),
        ("listener 8883", f"listener {port} 127.0.0.1"),
        ("/etc/mosquitto/sightline.acl", str(DOCS / "mosquitto.acl")),
        ("/var/lib/mosquitto/", f"{folder}/"),
        ("log_dest stderr\n", ""),
    ):
        text = text.replace(shipped, here)
    (folder / "mosquitto.conf").write_text(f"{text}\nuser root\n")
    process = await asyncio.create_subprocess_exec(program(), "-c", str(folder / "mosquitto.conf"))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def program() -> str:
    """Return where mosquitto is."""
    found = shutil.which("mosquitto", path=f"/usr/sbin:{os.environ.get('PATH', '')}")
    if found is None:
        sys.exit("mosquitto is not here: apt-get install mosquitto")
    return found


def mosquitto_version() -> str:
    """Return its version."""
    said = subprocess.run([program(), "-h"], check=False, capture_output=True, text=True).stdout
    return said.split()[2]


def cpu_s() -> float:
    """Return the CPU time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


# --- the units' side


async def speak(folder: Path, port: int, count: int, seconds: int) -> None:
    """Be so many units for so long, and print how many messages the broker has acknowledged."""
    gate = asyncio.Semaphore(AT_ONCE)
    ca = ssl.create_default_context(cafile=folder / "pki" / "units-ca.pem").get_ca_certs(binary_form=True)[0]
    units = [OneUnit(f"U{number}", number / count) for number in range(count)]
    await asyncio.gather(*(unit.come(folder, port, ca, gate) for unit in units))
    print("up", flush=True)
    begin = time.monotonic() + 1
    await asyncio.gather(*(unit.speak(begin, seconds) for unit in units))
    print(json.dumps({"sent": sum(unit.sent for unit in units)}))


class OneUnit:
    """A unit in as few bytes as MQTT 3.1.1 takes: a library's client would cost more than what is measured."""

    def __init__(self, label: str, offset_s: float) -> None:
        self.label = label
        self.offset_s = offset_s
        self.sent = 0
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def come(self, folder: Path, port: int, ca: bytes, gate: asyncio.Semaphore) -> None:
        """Connect."""
        async with gate:
            tls = ssl.create_default_context(cadata=ca)
            tls.load_cert_chain(folder / f"{self.label}.pem")
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
            name = self.label.encode()
            self._write(0x10, b"\x00\x04MQTT\x04\x02\x00\x78" + len(name).to_bytes(2, "big") + name)
            assert await self.reader.readexactly(4) == b"\x20\x02\x00\x00"

    async def speak(self, begin: float, seconds: int) -> None:
        """Say its battery every second, and count what was acknowledged."""
        topic = f"sightline/v1/units/{self.label}/state/battery".encode()
        for number in range(seconds):
            await asyncio.sleep(max(0.0, begin + self.offset_s + number - time.monotonic()))
            said = {"seq": number, "boot": "bench", "percent": 80, "volts": 12.4, "charging": False}
            payload = json.dumps({**said, "time": datetime.now(UTC).isoformat()}).encode()
            mid = (number + 1).to_bytes(2, "big")
            self._write(0x33, len(topic).to_bytes(2, "big") + topic + mid + payload)
            assert await self.reader.readexactly(4) == b"\x40\x02" + mid
            self.sent += 1
        self._write(0xE0, b"")
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()

    def _write(self, kind: int, body: bytes) -> None:
        length = bytes([len(body)]) if len(body) < 128 else bytes([len(body) & 127 | 128, len(body) >> 7])
        self.writer.write(bytes([kind]) + length + body)


if __name__ == "__main__":
    main()
