"""The units of telemetry.py: each a TLS connection with its own certificate that says its battery every second."""

import asyncio
import json
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from report import percentile

AT_ONCE = 20
"""So many TLS handshakes at a time: units in the field do not come all at once either."""


async def speak(folder: Path, port: int, count: int, seconds: int, go: Callable[[], Awaitable[object]]) -> None:
    """Be so many units for so long, once ``go`` has returned; print what the broker acknowledged, and how late."""
    gate = asyncio.Semaphore(AT_ONCE)
    trusted = folder / "data" / "telemetry" / "units-ca.pem"
    ca = ssl.create_default_context(cafile=trusted).get_ca_certs(binary_form=True)[0]
    units = [OneUnit(f"U{number}", number / count) for number in range(count)]
    await asyncio.gather(*(unit.come(folder, port, ca, gate) for unit in units))
    print("up", flush=True)
    await go()
    begin, begin_wall = time.monotonic() + 1, time.time() + 1
    await asyncio.gather(*(unit.speak(begin, begin_wall, seconds) for unit in units))
    late = [late_s * 1000 for unit in units for late_s in unit.late_s]
    took_s = max(unit.last_s for unit in units) - begin
    found = {
        "sent": len(late),
        # From the first to the last there is one message fewer.
        "sent_per_s": (len(late) - 1) / took_s,
        "late_ms_p99": percentile(late, 0.99),
        "late_ms_max": max(late),
    }
    print(json.dumps(found), flush=True)


class OneUnit:
    """A unit in as few bytes as MQTT 3.1.1 takes: a library's client would cost more than what is measured."""

    def __init__(self, label: str, offset_s: float) -> None:
        self.label = label
        self.offset_s = offset_s
        self.late_s: list[float] = []
        """Of each message that was acknowledged, how long after it was due it was sent."""
        self.last_s = 0.0
        """When the last was sent, monotonic."""
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def come(self, folder: Path, port: int, ca: bytes, gate: asyncio.Semaphore) -> None:
        """Connect, and say so as units do."""
        async with gate:
            tls = ssl.create_default_context(cadata=ca)
            tls.load_cert_chain(folder / f"{self.label}.pem")
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
            name = self.label.encode()
            self._write(0x10, b"\x00\x04MQTT\x04\x02\x00\x78" + len(name).to_bytes(2, "big") + name)
            assert await self.reader.readexactly(4) == b"\x20\x02\x00\x00"
            await self._tell("online", 0, time.time(), {"online": True, "firmware": "1.0"})

    async def speak(self, begin: float, begin_wall: float, seconds: int) -> None:
        """Say its battery every second, and keep of what was acknowledged how late it was sent."""
        for number in range(seconds):
            due_s = self.offset_s + number
            await asyncio.sleep(max(0.0, begin + due_s - time.monotonic()))
            self.last_s = time.monotonic()
            battery = {"percent": 80, "volts": 12.4, "charging": False}
            await self._tell("state/battery", number + 1, begin_wall + due_s, battery)
            self.late_s.append(self.last_s - begin - due_s)
        self._write(0xE0, b"")
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()

    async def _tell(self, name: str, number: int, due_wall: float, said: dict[str, Any]) -> None:
        """Say one thing, retained, with the instant at which it was due; return once it was acknowledged."""
        topic = f"sightline/v1/units/{self.label}/{name}".encode()
        stamped = {"seq": number, "boot": "bench", "time": datetime.fromtimestamp(due_wall, UTC).isoformat(), **said}
        mid = (number + 1).to_bytes(2, "big")
        self._write(0x33, len(topic).to_bytes(2, "big") + topic + mid + json.dumps(stamped).encode())
        assert await self.reader.readexactly(4) == b"\x40\x02" + mid

    def _write(self, kind: int, body: bytes) -> None:
        length = bytes([len(body)]) if len(body) < 128 else bytes([len(body) & 127 | 128, len(body) >> 7])
        self.writer.write(bytes([kind]) + length + body)
