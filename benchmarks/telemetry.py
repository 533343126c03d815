"""Whether a thousand units that each say something every second are all heard, and how long after.

    python benchmarks/telemetry.py [--units N] [--seconds N]

The gateway runs whole in a process of its own, with a console open on its events. Every unit is a TLS connection with
its own certificate to Debian's mosquitto with docs/mosquitto.conf, QoS 1, from a third process (field.py). The lag of a
message is from when it was due, which is the unit's stamp on it, until the gateway's listeners are told, which is after
the commit: a unit that waits for the broker to take its last one is late with the next, and that counts. Where any was
sent more than 1 s after it was due, so many a second were never sent: it says so, and prints no figure. The promise is
for `--seconds 60`: none lost, none over 1 s. For comparison, a tenth of the units on the broker inside the gateway
(amqtt), as it is meant for, in the same run.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from field import speak
from report import percentile, report
from stage import PASSWORD, USER
from websockets.asyncio.client import connect

from config.logs import LogSettings
from config.recording import DiskSettings, RecordingSettings
from config.server import ServerSettings
from config.settings import Settings
from config.telemetry import TelemetrySettings
from gateway.app import database_url, key_file, open_gateway
from gateway.db.engine import open_database
from gateway.db.units import AuthorityRow, CertificateRow, UnitRow, UnitRows
from gateway.logs import configure
from gateway.loop import serve
from gateway.startup import prepare_data_dir
from gateway.units import Change, Said
from gateway.units.authority import Authority
from gateway.units.credentials import CONTEXT
from gateway.vault import Vault
from gateway.worker import open_host
from kernel.clock import SystemClock

DOCS = Path(__file__).parents[1] / "docs"
LAG_MAX_MS = 1000.0
LATE_MAX_MS = 1000.0
"""A message that is sent later than this after it was due belongs to another second."""
SETTLE_S = 20.0
EMBEDDED_UNITS, EMBEDDED_S = 100, 5
LINE_MAX_BYTES = 64 * 1024 * 1024


def main() -> None:
    """Run the gateway, the broker and the units, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=12)
    parser.add_argument("--as-gateway", metavar="FOLDER", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--as-units", metavar="FOLDER", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--broker", metavar="PORT", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--embedded", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.as_gateway is not None:
        settings = settings_in(given.as_gateway, given.broker, embedded=given.embedded)
        configure(settings.log)
        serve(hear(settings, given.units))
        return
    if given.as_units is not None:
        asyncio.run(speak(given.as_units, given.broker, given.units, given.seconds, go=told_to))
        return
    with tempfile.TemporaryDirectory(prefix="telemetry-") as folder:
        asyncio.run(measure(Path(folder), given.units, given.seconds))


async def measure(folder: Path, units: int, seconds: int) -> None:
    """Take every figure."""
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
        messages_per_s=real["sent_per_s"],
        sent_late_ms_p99=real["late_ms_p99"],
        sent_late_ms_max=real["late_ms_max"],
        messages_lost=real["sent"] - len(real["lags"]),
        refused=real["refused"],
        lag_ms_p50=percentile(real["lags"], 0.5),
        lag_ms_p99=p99,
        lag_ms_max=max(real["lags"]),
        cpu_ms_per_message=real["cpu_s"] * 1000 / max(1, len(real["lags"])),
        console_messages=real["console_messages"],
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
    """Return what was sent, the lag of each message that was taken, in ms, and the gateway's CPU time meanwhile."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    await asyncio.to_thread(folder.mkdir)
    settings = settings_in(folder, port, embedded=embedded)
    await enrolled(folder, settings, count)
    many = ("--units", str(count), "--broker", str(port))
    async with AsyncExitStack() as stack:
        own = ("--embedded",) if embedded else ()
        gateway = await stack.enter_async_context(process("--as-gateway", str(folder), *many, *own))
        begun = json.loads(await line_of(gateway))
        if not embedded:
            await stack.enter_async_context(mosquitto(folder, settings, port))
        told = await stack.enter_async_context(console(begun["url"], begun["code"]))
        units = await stack.enter_async_context(process("--as-units", str(folder), *many, "--seconds", str(seconds)))
        assert (await line_of(units)).strip() == b"up", "the units did not come"
        assert (await line_of(gateway)).strip() == b"up", "the gateway did not hear that all had come"
        before = told["messages"]
        say(units, "go")
        spoken = json.loads(await line_of(units))
        if spoken["late_ms_max"] > LATE_MAX_MS:
            late_s = spoken["late_ms_max"] / 1000
            sys.exit(
                f"{count} units were to send a message a second each; they sent {spoken['sent_per_s']:.0f} in each,"
                f" one of them {late_s:.1f} s after it was due: nothing was measured"
            )
        say(gateway, str(spoken["sent"]))
        heard_of = json.loads(await line_of(gateway))
        return {**spoken, **heard_of, "console_messages": told["messages"] - before}


def settings_in(folder: Path, port: int, *, embedded: bool) -> Settings:
    """Return the settings of a gateway whose units come to that port."""
    return Settings(
        server=ServerSettings(host="127.0.0.1", port=0, plain_http=True, data_dir=folder / "data", shutdown_s=1.0),
        recording=RecordingSettings(disks=(DiskSettings(path=folder / "recordings", quota_bytes=2_000_000_000),)),
        telemetry=TelemetrySettings(embedded=True, host="127.0.0.1", port=port)
        if embedded
        else TelemetrySettings(broker_url=f"mqtts://127.0.0.1:{port}"),
        log=LogSettings(level="error"),
    )


async def enrolled(folder: Path, settings: Settings, count: int) -> None:
    """Make so many units known to a gateway that has not begun; their certificates lie in ``folder``."""
    await asyncio.to_thread(prepare_data_dir, settings.server.data_dir)
    vault = await asyncio.to_thread(Vault.of, key_file(settings))
    authority = Authority.new(clock=SystemClock())
    issued = [(f"U{number}", authority.issue_client(f"U{number}")) for number in range(count)]
    for label, one in issued:
        (folder / f"{label}.pem").write_text(one.certificate + one.key)
    async with open_database(database_url(settings)) as database, database.write() as connection:
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


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[Process]:
    """Run a part of this benchmark beside it for the time of the block."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, __file__, *arguments, stdin=PIPE, stdout=PIPE, limit=LINE_MAX_BYTES
    )
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            started.terminate()
        await started.wait()


async def line_of(process: Process) -> bytes:
    """Return the next line that it says."""
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("a process of the benchmark ended too soon; its message stands above")
    return line


def say(process: Process, line: str) -> None:
    """Say a line to it."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n".encode())


@asynccontextmanager
async def console(url: str, code: str) -> AsyncIterator[dict[str, int]]:
    """Hear the events that a console hears, as the administrator; give the count of them."""
    told = {"messages": 0}
    async with httpx.AsyncClient(base_url=url, headers={"X-Sightline": "1", "Origin": url}, timeout=60) as api:
        made = await api.post("/api/v1/setup", json={"code": code, "username": USER, "password": PASSWORD})
        made.raise_for_status()
        (await api.post("/api/v1/session", json={"username": USER, "password": PASSWORD})).raise_for_status()
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in api.cookies.jar)
        headers = {"Origin": url, "Cookie": cookies}
        async with connect(
            f"{url.replace('http', 'ws', 1)}/api/v1/events", additional_headers=headers, max_size=None
        ) as events:

            async def listen() -> None:
                async for _ in events:
                    told["messages"] += 1

            listening = asyncio.create_task(listen())
            try:
                yield told
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)


@asynccontextmanager
async def mosquitto(folder: Path, settings: Settings, port: int) -> AsyncIterator[None]:
    """Run Debian's, as it is shipped."""
    text = (DOCS / "mosquitto.conf").read_text()
    for shipped, here in (
        ("/var/lib/sightline-mqtt", str(settings.server.data_dir / "telemetry")),
        ("listener 8883", f"listener {port} 127.0.0.1"),
        ("/etc/mosquitto/sightline.acl", str(DOCS / "mosquitto.acl")),
        ("/var/lib/mosquitto/", f"{folder}/"),
        ("log_dest stderr\n", ""),
    ):
        text = text.replace(shipped, here)
    (folder / "mosquitto.conf").write_text(f"{text}\nuser root\n")
    broker = await asyncio.create_subprocess_exec(program(), "-c", str(folder / "mosquitto.conf"))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            broker.terminate()
        await broker.wait()


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


# --- the gateway's side


async def hear(settings: Settings, count: int) -> None:
    """Be the gateway; print where, then "up" when so many units have come, then how late their messages were."""
    clock = SystemClock()
    lags: list[float] = []
    come: set[str] = set()
    more = asyncio.Event()
    reader = await standard_input()
    async with open_gateway(settings, clock=clock, open_host=open_host) as gateway:
        units = gateway.rooms.units
        assert units is not None

        def said(change: Change) -> None:
            if isinstance(change, Said):
                if change.now.name == "online":
                    come.add(change.label)
                else:
                    lags.append((clock.wall_ns() - change.now.unit_ns) / 1e6)
                more.set()

        units.register.listen(said)
        print(json.dumps({"url": gateway.url, "code": gateway.setup_code}), flush=True)
        while len(come) < count:
            more.clear()
            await more.wait()
        began = cpu_s()
        print("up", flush=True)
        sent = int(await reader.readline())
        with suppress(TimeoutError):  # what has not come by then is lost
            async with asyncio.timeout(SETTLE_S):
                while len(lags) < sent:
                    more.clear()
                    await more.wait()
        found = {"lags": lags, "cpu_s": cpu_s() - began, "refused": len(units.refusals.all())}
        print(json.dumps(found), flush=True)


async def told_to() -> bytes:
    """Return the next line that is said to this process."""
    return await (await standard_input()).readline()


async def standard_input() -> asyncio.StreamReader:
    """Return what is said to this process."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


if __name__ == "__main__":
    main()
