"""Another system, as it reads at the units' broker what Sightline tells."""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt

from tests.fakes.unit_broker import DOCS
from tests.fakes.waiting import until


class Reader:
    """What it heard, in order: topic, payload, and whether the broker had kept it."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.heard: list[tuple[str, bytes, bool]] = []

    def of(self, topic: str) -> list[dict[str, Any]]:
        """Return what came on a topic, as JSON; what was made empty is left out."""
        return [json.loads(payload) for at, payload, _ in self.heard if at == topic and payload]

    async def next(self, topic: str, **values: Any) -> dict[str, Any]:
        """Return the first message on a topic with these values, once there is one."""

        def found() -> list[dict[str, Any]]:
            return [one for one in self.of(topic) if values.items() <= one.items()]

        await until(found, what=f"{values} on {topic}; there were {self.of(topic)}")
        return found()[0]

    async def cleared(self, topic: str) -> None:
        """Return once a topic was made empty."""
        await until(lambda: any(at == topic and not payload for at, payload, _ in self.heard), what=f"{topic} to go")

    async def listen(self) -> None:
        """Hear, for ever."""
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            self.heard.append((message.topic.value, message.payload, message.retain))


def shows(pki: Path, name: str) -> ssl.SSLContext:
    """Return what somebody shows whose certificate lies there, and whom they trust. Blocks."""
    context = ssl.create_default_context(cafile=pki / "units-ca.pem")
    context.load_cert_chain(pki / f"{name}.pem", pki / f"{name}.key")
    return context


@asynccontextmanager
async def reading(
    port: int, pki: Path, *topics: str, name: str = "reader.dispatch", lasting: bool = False
) -> AsyncIterator[Reader]:
    """Read for the time of the block. ``lasting``: the broker keeps what comes in between for the next time."""
    tls = await asyncio.to_thread(shows, pki, name)
    async with aiomqtt.Client(
        "127.0.0.1",
        port,
        identifier=name,
        tls_context=tls,
        protocol=aiomqtt.ProtocolVersion.V311,
        clean_session=not lasting,
        timeout=20,
    ) as client:
        reader = Reader(client)
        await client.subscribe([(topic, 1) for topic in topics])
        listening = asyncio.create_task(reader.listen(), name=name)
        try:
            yield reader
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


def shipped_readers() -> str:
    """Return the readers of the shipped access list, which are commented out there, as somebody would let them in."""
    lines = (DOCS / "mosquitto.acl").read_text(encoding="utf-8").splitlines()
    found = [line.removeprefix("#") for line in lines if re.match(r"#(user|topic) ", line)]
    assert len(found) >= 10
    return "\n".join(["", *found, ""])
