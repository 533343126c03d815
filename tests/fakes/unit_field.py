"""Units in the field with certificates, and the room that hears them over a broker."""

import asyncio
import json
import socket
import ssl
from pathlib import Path

import aiomqtt

from gateway.telemetry.service import Telemetry
from gateway.units import Cause, Change, Said, Stored, Units
from kernel.clock import SystemClock
from tests.fakes.unit_broker import unit_client, unit_tls
from tests.fakes.unit_voice import Voice

AT_ONCE = 10
"""So many messages of a unit are on their way at once."""
ANSWER_S = 3.0
"""A broker that has not acknowledged within this is called anew."""


class Field:
    """Units, the port of their broker and the room that hears them."""

    def __init__(self, units: Units, port: int, telemetry: Telemetry, folder: Path) -> None:
        self.units = units
        self.port = port
        self.telemetry = telemetry
        self.folder = folder
        self.heard: list[tuple[str, int]] = []
        """Label and number of each knock that was taken, in their order."""
        units.register.listen(self._hear)

    def _hear(self, change: Change) -> None:
        if isinstance(change, Said) and change.now.name == "event/shock":
            self.heard.append((change.label, change.now.seq))

    async def enrol(self, label: str) -> Voice:
        """Enrol a unit with a certificate."""
        await self.units.register.enrol(label)
        issued = await self.units.credentials.issue(label)
        await asyncio.to_thread(unit_tls, self.folder, self.units, issued, label)
        return Voice(label, wall_ns=SystemClock().wall_ns())

    async def client(self, label: str, *, modern: bool = True, topics_of: str | None = None) -> aiomqtt.Client:
        """Return a client with a unit's certificate."""
        tls = await asyncio.to_thread(self.tls, label)
        return unit_client(self.port, tls, topics_of or label, modern=modern)

    def tls(self, label: str) -> ssl.SSLContext:
        """Return what a unit shows. Blocks."""
        context = unit_tls(self.folder, self.units, None)
        context.load_cert_chain(self.folder / f"{label}.pem", self.folder / f"{label}.key")
        return context

    async def knocks(self, voice: Voice, count: int, *, modern: bool = True) -> None:
        """Have a unit tell of so many knocks, as firmware does: each until the broker has it, however often it goes."""
        waiting = [voice.payload(peak_g=1.0) for _ in range(count)]
        while waiting:
            try:
                async with await self.client(voice.label, modern=modern) as client:
                    while waiting:
                        topic = voice.topic("event/shock")
                        sent = [client.publish(topic, one, qos=1, timeout=ANSWER_S) for one in waiting[:AT_ONCE]]
                        done = await asyncio.gather(*sent, return_exceptions=True)
                        del waiting[: next((n for n, one in enumerate(done) if one is not None), len(done))]
                        for error in done:
                            if error is not None:
                                raise error
            except aiomqtt.MqttError:
                await asyncio.sleep(0.05)  # it calls in again

    def counted(self, cause: Cause) -> int:
        """Return how many were refused, or are missing."""
        return self.units.refusals.total(cause)

    def states(self, label: str = "D017") -> dict[str, Stored]:
        """Return what the register holds of a unit."""
        return dict(self.units.register.states(label))


def cut(client: aiomqtt.Client) -> None:
    """Break a client's connection without a word."""
    sock = client._client.socket()
    assert isinstance(sock, socket.socket)
    sock.shutdown(socket.SHUT_RDWR)


async def say(client: aiomqtt.Client, voice: Voice, rest: str, **values: object) -> None:
    """Publish a unit's next state or birth, as a unit does: kept by the broker."""
    await client.publish(voice.topic(rest), voice.payload(**values), qos=1, retain=True)


async def listen(client: aiomqtt.Client, voice: Voice) -> None:
    """Subscribe to a unit's commands: what is sent to who has not is kept for nobody."""
    await client.subscribe(voice.topic("command/+"), qos=1)


async def answer(client: aiomqtt.Client, voice: Voice, name: str) -> aiomqtt.Message:
    """Take one command, answer it, and return it; the unit listens already."""
    async for message in client.messages:
        assert message.topic.value == voice.topic(f"command/{name}")
        assert isinstance(message.payload, bytes)
        told = json.loads(message.payload)
        await client.publish(voice.topic(f"answer/{name}"), voice.payload(id=told["id"], ok=True), qos=1)
        return message
    raise AssertionError("the connection ended")
