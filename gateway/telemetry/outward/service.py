"""The part, joined: what is to be told, the broker that is told, and what it keeps of before."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from config.errors import BadValueError
from config.outward import OutwardSettings
from gateway.mqtt import BrokerAddress, client_tls
from gateway.telemetry.outward.client import OutwardClient, OutwardDoor
from gateway.telemetry.outward.memory import Memory
from gateway.telemetry.outward.outbox import Outbox
from gateway.units.credentials import OUTWARD, Credentials
from kernel.clock import Clock

log = structlog.get_logger()

KEEPALIVE_S = 20
IDENTIFIER = "sightline.outward"
Door = Callable[[], Awaitable[OutwardDoor]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outward:
    """What is told, and whoever tells it."""

    outbox: Outbox
    client: OutwardClient


def door_to_units(credentials: Credentials, address: BrokerAddress, *, ca: Path | None, keepalive_s: int) -> Door:
    """Return how to come to the units' broker, under a name of our own that may write what is told and nothing else."""

    async def door() -> OutwardDoor:
        pair = await credentials.client(OUTWARD)
        tls = await asyncio.to_thread(client_tls, ca or credentials.ca_file, certificate=pair.certificate, key=pair.key)
        return OutwardDoor(host=address.host, port=address.port, identifier=OUTWARD, tls=tls, keepalive_s=keepalive_s)

    return door


def door_elsewhere(settings: OutwardSettings) -> Door:
    """Return how to come to another broker. Password and certificates are read at each connection."""
    address = BrokerAddress.of(settings.url or "")

    async def door() -> OutwardDoor:
        tls = await asyncio.to_thread(client_tls, settings.ca, certificate=settings.certificate, key=settings.key)
        return OutwardDoor(
            host=address.host,
            port=address.port,
            identifier=IDENTIFIER,
            tls=tls,
            keepalive_s=KEEPALIVE_S,
            username=settings.username,
            password=await asyncio.to_thread(password_of, settings.password_file),
        )

    return door


def password_of(file: Path | None) -> str | None:
    """Return what is in a file. Blocks.

    Raises:
        BadValueError: it cannot be read, is empty, or everybody may read it.
    """
    if file is None:
        return None
    try:
        password = file.read_text(encoding="utf-8").strip()
        open_to_all = bool(file.stat().st_mode & 0o007)
    except (OSError, UnicodeDecodeError):
        password, open_to_all = "", False
    if not password:
        raise BadValueError(
            f"outward.password_file cannot be read, or is empty: {file}.",
            cure="Let the user who runs Sightline read it.",
            key="outward.password_file",
        )
    if open_to_all:
        raise BadValueError(
            f"outward.password_file can be read by everybody: {file}.",
            cure=f"chmod o= {file}",
            key="outward.password_file",
        )
    return password


@asynccontextmanager
async def open_outward(
    settings: OutwardSettings, door: Door, *, broker: str, file: Path, clock: Clock
) -> AsyncIterator[Outward | None]:
    """Tell other systems for the time of the block; ``None`` where nothing is to be told, and nothing removed.

    ``broker`` names the broker; ``file`` remembers what it keeps.

    Raises:
        BadValueError: the password for the broker cannot be read.
    """
    await asyncio.to_thread(password_of, settings.password_file)  # a wrong setting is told at the start
    memory = Memory(file)
    before = await asyncio.to_thread(memory.read)
    topics, standing = before.topics, before.standing
    if before.broker not in {None, broker}:
        if topics:
            log.warning("outward.left_behind", broker=before.broker, topics=len(topics))
        topics, standing = frozenset(), ()
    if not settings.wanted and not topics:
        yield None
        return
    outbox = Outbox(settings.topics, clock=clock, waiting_max=settings.waiting_max, standing=standing)
    for topic in sorted(topics):
        # Whoever tells puts there again what is still so, before we are connected.
        outbox.drop(topic)
    client = OutwardClient(door, outbox, memory, broker=broker, clock=clock)
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(client.run(), name="outward broker")
        try:
            yield Outward(outbox=outbox, client=client)
        finally:
            telling.cancel()
