"""Checkpoints reach a real broker over TLS, and nothing waits for it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import pytest_asyncio
from pydantic import SecretStr

from config.audit import AuditSettings
from gateway.audit import witness as witness_module
from gateway.audit.checkpoints import Signer
from gateway.audit.events import SYSTEM, Action, AuditEvent
from gateway.audit.keeping import open_keeping
from gateway.audit.trail import open_trail
from gateway.audit.witness import Witness, open_witness
from gateway.db.engine import open_database, sqlite_url
from kernel.clock import SystemClock
from tests.fakes.clock import ManualClock, passing
from tests.fakes.mosquitto import PASSWORD, USER, Mosquitto, mosquitto
from tests.fakes.waiting import PATIENCE_S, until

SEED = b"k" * 32
TOPIC = "borough/audit"


@pytest_asyncio.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    """Return a broker that keeps what it was told."""
    folder = tmp_path / "broker"
    await asyncio.to_thread(folder.mkdir)
    async with mosquitto(folder) as broker:
        yield broker


def settings(broker: Mosquitto, **changed: Any) -> AuditSettings:
    """Return settings with that broker as the witness."""
    values: dict[str, Any] = {
        "origin": "test/audit",
        "checkpoint_s": 1.0,
        "witness_mqtt_url": broker.url,
        "witness_topic": TOPIC,
        "witness_username": USER,
        "witness_password": SecretStr(PASSWORD),
        "witness_ca": broker.ca,
    }
    return AuditSettings(**values | changed)


async def heard(
    broker: Mosquitto, count: int = 1, messages: list[tuple[str, bool]] | None = None
) -> list[tuple[str, bool]]:
    """Return what a subscriber outside gets: messages, and whether they had been retained for it.

    ``messages``: where they are gathered, for who would look before all are there.
    """
    messages = [] if messages is None else messages
    context = await asyncio.to_thread(ssl.create_default_context, cafile=broker.ca)
    client = aiomqtt.Client("127.0.0.1", broker.port, username=USER, password=PASSWORD, tls_context=context, timeout=20)
    async with client, asyncio.timeout(PATIENCE_S):
        await client.subscribe(TOPIC, qos=1)
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            messages.append((message.payload.decode(), message.retain))
            if len(messages) == count:
                break
    return messages


async def test_a_checkpoint_reaches_the_witness(broker: Mosquitto, tmp_path: Path) -> None:
    """It is kept there for whoever asks later, signed, and it is the one in the file."""
    clock = SystemClock()
    async with open_database(sqlite_url(tmp_path / "a.db")) as database, open_trail(database, clock=clock) as trail:
        async with open_keeping(trail, settings(broker), seed=SEED, data_dir=tmp_path, clock=clock):
            await trail.append(AuditEvent(action=Action.SIGN_IN, actor=SYSTEM))
        ((note, retained),) = await heard(broker)
        checkpoint = Signer("test/audit", SEED).public.open(note)
        assert retained
        assert note.strip() in await asyncio.to_thread((tmp_path / "audit-checkpoints").read_text)
        assert (await trail.verify([checkpoint])).sound


async def test_what_the_witness_missed_is_told_when_it_is_back(broker: Mosquitto) -> None:
    """A broker that goes away and comes back hears everything in its order; telling never waits."""
    clock, messages = ManualClock(), list[tuple[str, bool]]()
    async with open_witness(settings(broker), clock=clock) as witness:
        assert witness is not None
        witness.tell("first")
        await witness.told()
        await broker.stop()
        witness.tell("second")
        witness.tell("third")
        await broker.start()
        listening = asyncio.create_task(heard(broker, 3, messages))
        # Who listens only when the others have been told is given the last alone: it is what the broker keeps.
        await until(lambda: messages or listening.done(), what="the subscriber to hear what was kept")
        async with passing(clock, 1.0), asyncio.timeout(60):
            await witness.told()
        assert [text for text, _ in await listening] == ["first", "second", "third"]


async def test_the_newest_is_kept_where_too_much_waits(broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    """A witness that is away for a month does not fill memory."""
    monkeypatch.setattr(witness_module, "WAITING_MAX", 2)
    witness = Witness(settings(broker), clock=SystemClock())
    for text in ("first", "second", "third"):
        witness.tell(text)
    running = asyncio.create_task(witness.run())
    async with asyncio.timeout(60):
        await witness.told()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [text for text, _ in await heard(broker)] == ["third"]


REFUSALS: list[tuple[Callable[[Mosquitto], dict[str, Any]], str]] = [
    (lambda _: {"witness_password": SecretStr("wrong")}, "not authorised"),
    (lambda _: {"witness_ca": None}, "OpenSSL Error"),
]


@pytest.mark.parametrize(("changed", "said"), REFUSALS)
async def test_a_witness_that_does_not_know_us_or_whom_we_do_not_trust_hears_nothing(
    broker: Mosquitto, changed: Callable[[Mosquitto], dict[str, Any]], said: str
) -> None:
    """A wrong password is refused there, a certificate of nobody we trust here; the service goes on and ends."""
    wrong = settings(broker, **changed(broker))
    async with open_witness(wrong, clock=SystemClock()) as witness:
        assert witness is not None
        witness.tell("secret")
        await until(lambda: said in broker.log, what=f"the broker to say {said!r}")
        assert not witness._told.is_set()
