"""A room of units for a test, and what one unit would say, number by number."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.db.engine import open_database, sqlite_url
from gateway.telemetry.arrived import Arrived
from gateway.units import Group, Report, Units, open_units
from gateway.vault import Key, Vault
from kernel.clock import NS_PER_S, Clock, utc
from tests.fakes.keys import Memory

SILENCE_S = 120.0
VALUES: dict[str, dict[str, Any]] = {
    "battery": {"percent": 80, "volts": 12.4, "charging": False},
    "supply": {"source": "battery"},
    "signal": {"rsrp_dbm": -95.5, "rsrq_db": -11, "operator": "EE", "cell": "234-30-1-2", "technology": "LTE"},
    "position": {"latitude": 51.5, "longitude": -0.12, "accuracy_m": 4, "satellites": 9},
    "heading": {"bearing_deg": 270.5},
    "tilt": {"pitch_deg": -12, "roll_deg": 0.5},
    "temperature": {"celsius": 21},
    "case": {"open": False},
    "address": {"host": "10.9.0.17", "http_port": 80, "rtsp_port": 554, "urn": "urn:uuid:d017", "serial": "SN-17"},
    "firmware": {"version": "2.1.0"},
    "disk": {"free_bytes": 10, "size_bytes": 20, "fault": False},
    "data": {"sent_bytes": 1000, "since": "2026-09-01T00:00:00Z"},
}
"""Of every state, something that a unit may say."""


@asynccontextmanager
async def unit_room(
    folder: Path, clock: Clock, *, keys: Memory | None = None, silence_s: float = SILENCE_S
) -> AsyncIterator[Units]:
    """Give the room over a database and files in ``folder``; give ``keys`` to open it once more."""
    vault = Vault.of(keys or Memory(Key.new()))
    async with (
        open_database(sqlite_url(folder / "units.db")) as database,
        open_units(database, vault, folder=folder / "pki", silence_s=silence_s, clock=clock) as units,
    ):
        yield units


async def enrolled(units: Units, label: str = "D017", **given: Any) -> "Voice":
    """Enrol a unit with a certificate; return its voice."""
    await units.register.enrol(label, **given)
    await units.credentials.issue(label)
    return Voice(label)


class Voice:
    """What a unit says. Its numbers rise by themselves; ``boot`` and ``offset_s`` of its clock can be set."""

    def __init__(self, label: str = "D017", *, boot: str = "boot-1", wall_ns: int = 1_790_000_000 * NS_PER_S) -> None:
        self.label = label
        self.boot = boot
        self.seq = 0
        self.wall_ns = wall_ns
        self.offset_s = 0.0

    def _envelope(self) -> dict[str, Any]:
        self.seq += 1
        return {"seq": self.seq, "boot": self.boot, "time": utc(self._unit_ns).isoformat()}

    @property
    def _unit_ns(self) -> int:
        return self.wall_ns + round(self.offset_s * NS_PER_S)

    def report(
        self, kind: str = "battery", *, group: Group = Group.STATE, stored: bool = False, **values: Any
    ) -> Report:
        """Return its next report, as the inbox would make it."""
        self.seq += 1
        said = values or ({"firmware": "2.1.0", "online": True} if group is Group.ONLINE else VALUES.get(kind, {}))
        return Report(
            group=group,
            kind="" if group is Group.ONLINE else kind,
            boot=self.boot,
            seq=self.seq,
            unit_ns=self._unit_ns,
            values=said,
            stored=stored,
        )

    def topic(self, rest: str) -> str:
        """Return one of its topics."""
        return f"sightline/v1/units/{self.label}/{rest}"

    def payload(self, **values: Any) -> bytes:
        """Return its next message; a value given for seq, boot or time takes the place of its own."""
        return json.dumps({**self._envelope(), **values}).encode()

    def state(self, kind: str = "battery", **values: Any) -> Arrived:
        """Return its next state as it arrives; values are those of ``VALUES`` with changes."""
        return Arrived(self.topic(f"state/{kind}"), self.payload(**{**VALUES[kind], **values}))

    def event(self, kind: str, **values: Any) -> Arrived:
        """Return its next event as it arrives."""
        return Arrived(self.topic(f"event/{kind}"), self.payload(**values))

    def birth(self) -> Arrived:
        """Return what it says first."""
        return Arrived(self.topic("online"), self.payload(online=True, firmware="2.1.0"))

    def will(self) -> Arrived:
        """Return what the broker says when it is gone."""
        return Arrived(self.topic("online"), b'{"online": false}')
