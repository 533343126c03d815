"""What may wait in the embedded broker is bounded: whoever does not read, says too much or never comes back."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest_asyncio

from config.outward import OutwardSettings, OutwardTopic
from gateway.mqtt import BrokerAddress
from gateway.telemetry.bounded import COMING_MAX, READER, SUBSCRIPTIONS_MAX, UNIT
from gateway.telemetry.broker import EVENT_TOPICS_MAX, EmbeddedBroker, open_broker
from gateway.telemetry.outward.rights import rights
from gateway.telemetry.service import door_to, open_telemetry
from gateway.units.credentials import OUTWARD, reader
from kernel.clock import SystemClock
from tests.fakes.clock import settle
from tests.fakes.ports import free_port
from tests.fakes.raw_mqtt import PUBLISH, RawClient, packet, published, raw_client, text
from tests.fakes.reading import reading, shows
from tests.fakes.unit_field import Field, answer, listen, say
from tests.fakes.unit_voice import Voice, unit_room
from tests.fakes.waiting import until

SLOW, QUICK = reader("slow"), reader("quick")
EVENTS, TOPIC = "sightline/v1/cameras/#", "sightline/v1/cameras/3/alarms"
LONG_BYTES = 4_000


class Site(Field):
    """Units, and systems that read what is told."""

    broker: EmbeddedBroker

    @asynccontextmanager
    async def raw(self, name: str) -> AsyncIterator[RawClient]:
        """Come as somebody, byte by byte."""
        pki = self.units.credentials.ca_file.parent
        own = pki if (pki / f"{name}.pem").exists() else self.folder
        tls = (
            await asyncio.to_thread(self.tls, name) if own is self.folder else await asyncio.to_thread(shows, pki, name)
        )
        async with raw_client(self.port, tls) as client:
            yield client

    async def tell(self, payloads: list[bytes]) -> None:
        """Tell other systems, in order; return once the broker has it all."""
        tls = await asyncio.to_thread(shows, self.units.credentials.ca_file.parent, OUTWARD)
        version = aiomqtt.ProtocolVersion.V311
        async with aiomqtt.Client("127.0.0.1", self.port, identifier=OUTWARD, tls_context=tls, protocol=version) as out:
            for start in range(0, len(payloads), 10):
                await asyncio.gather(*(out.publish(TOPIC, one, qos=1) for one in payloads[start : start + 10]))


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Return a room with its own broker, two who read there, and one who tells."""
    clock, port = SystemClock(), free_port()
    settings = OutwardSettings(topics=tuple(OutwardTopic), readers=("slow", "quick"))
    async with AsyncExitStack() as stack:
        units = await stack.enter_async_context(unit_room(tmp_path, clock))
        for name in (SLOW, QUICK, OUTWARD):
            await units.credentials.client(name)
        pair = await units.credentials.broker(["127.0.0.1"])
        broker = await stack.enter_async_context(
            open_broker(units, pair, host="127.0.0.1", port=port, others=rights(settings))
        )
        door = door_to(units, BrokerAddress("127.0.0.1", port, tls=True), modern=False)
        telemetry = await stack.enter_async_context(open_telemetry(units, door, clock=clock))
        async with asyncio.timeout(40):
            await telemetry.client.up()
        site = Site(units, port, telemetry, tmp_path)
        site.broker = broker
        yield site


def numbered(count: int, *, size_bytes: int = 20) -> list[bytes]:
    """Return messages with a number each."""
    return [json.dumps({"n": n}).encode().ljust(size_bytes) for n in range(count)]


async def test_whoever_stops_reading_is_sent_away_and_the_others_hear_everything(site: Site) -> None:
    """Its connection ends once its room is full, by bytes here; another reader and the units notice nothing."""
    voice = await site.enrol("D017")
    pki = site.units.credentials.ca_file.parent
    enough = READER.size_bytes // 2 // LONG_BYTES + 300
    async with site.raw(SLOW) as slow, reading(site.port, pki, EVENTS, name=QUICK) as quick:
        await slow.connect(SLOW)
        assert await slow.subscribe(EVENTS) == [1]
        await site.tell(numbered(enough, size_bytes=LONG_BYTES))
        await until(lambda: site.broker.waiting_of(SLOW)[0] == 0, what="what it does not read to be forgotten")
        assert await slow.ended() < enough * LONG_BYTES
        await until(lambda: len(quick.heard) == enough, what="everything at the other one")
        assert [json.loads(one)["n"] for _, one, _ in quick.heard] == list(range(enough))
        async with await site.client("D017", modern=False) as client:
            await say(client, voice, "state/case", open=True)
            await until(lambda: "state/case" in site.states(), what="a unit's message")


async def test_what_waits_for_one_who_reads_nothing_is_bounded_by_number(site: Site) -> None:
    """Small messages fill it too: as many as may be on their way are, and with one more it is sent away."""
    most = READER.messages // 2
    async with site.raw(SLOW) as slow:
        await slow.connect(SLOW)
        await slow.subscribe(EVENTS)
        await site.tell(numbered(most))
        await until(lambda: site.broker.waiting_of(SLOW) == (most, 0), what="its room to be full")
        await site.tell(numbered(1))
        await slow.ended()
        await until(lambda: site.broker.waiting_of(SLOW) == (0, 0), what="it to be forgotten")


async def test_what_was_on_its_way_waits_for_who_comes_back(site: Site) -> None:
    """What was sent and not acknowledged comes again, in its order, before what is told later."""
    async with site.raw(SLOW) as slow:
        assert not await slow.connect(SLOW, clean=False)
        await slow.subscribe(EVENTS)
        await site.tell(numbered(40))
        assert json.loads(await slow.message(acknowledge=True))["n"] == 0
        assert json.loads(await slow.message(acknowledge=False))["n"] == 1
        await until(lambda: site.broker.waiting_of(SLOW)[0] == 39, what="the acknowledgement")
    await until(lambda: site.broker.waiting_of(SLOW) == (0, 39), what="the rest to wait for it")
    await site.tell(numbered(50)[40:])
    async with site.raw(SLOW) as slow:
        assert await slow.connect(SLOW, clean=False)
        assert [json.loads(await slow.message())["n"] for _ in range(49)] == list(range(1, 50))


async def test_a_session_that_is_full_ends_and_its_client_is_told(site: Site) -> None:
    """Nobody comes back to a gap that is not seen: the broker says that it has no session."""
    async with site.raw(SLOW) as slow:
        await slow.connect(SLOW, clean=False)
        await slow.subscribe(EVENTS)
    await site.tell(numbered(READER.messages))
    await until(lambda: site.broker.waiting_of(SLOW) == (0, READER.messages), what="everything to wait for it")
    await site.tell(numbered(1))
    await until(lambda: site.broker.waiting_of(SLOW) == (0, 0), what="its session to end")
    async with site.raw(SLOW) as slow:
        assert not await slow.connect(SLOW, clean=False)


async def test_a_unit_that_floods_and_reads_no_answer_is_held_back(site: Site) -> None:
    """Nothing more is read of it: what it says waits in its own socket, and not here."""
    await site.enrol("D017")
    before = len(asyncio.all_tasks())
    async with site.raw("D017") as unit:
        await unit.connect("D017")
        for served, (name, _) in site.broker._inside.items():
            if name == "D017":
                served.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        unit.writer.write(packet(0xC0, b"") * 100_000)
        most = 0
        while site.broker.coming_of("D017") < COMING_MAX:
            await settle(1)
            most = max(most, len(asyncio.all_tasks()) - before)
        await settle(1_000)
        assert site.broker.coming_of("D017") <= COMING_MAX + 1
        assert most < 2 * COMING_MAX


async def test_what_a_unit_has_kept_is_bounded(site: Site) -> None:
    """On so many topics the broker keeps something of it; another unit's are its own."""
    voice = await site.enrol("D017")
    other = await site.enrol("D018")
    async with site.raw("D017") as unit:
        await unit.connect("D017")
        for number in range(1, EVENT_TOPICS_MAX + 51):
            topic = voice.topic(f"onvif-ej/Any/{number}")
            unit.writer.write(published(topic, b"{}", number=number, retain=True))
            await unit.read()
        async with await site.client("D018", modern=False) as client:
            await say(client, other, "state/case", open=True)
            await until(lambda: "state/case" in site.states("D018"), what="its message")
    assert site.broker.kept_of("D017") == EVENT_TOPICS_MAX < UNIT.topics
    assert site.broker.kept_of("D018") == 1


async def test_so_many_topics_are_subscribed_to_and_no_more(site: Site) -> None:
    """Whoever wants another one is refused that, and has the others; what is unsubscribed leaves nothing behind."""
    voice = await site.enrol("D017")
    topics = [voice.topic(f"command/x{n}") for n in range(SUBSCRIPTIONS_MAX + 1)]
    async with site.raw("D017") as unit:
        await unit.connect("D017")
        codes = [code for topic in topics for code in await unit.subscribe(topic)]
        assert codes == [1] * SUBSCRIPTIONS_MAX + [0x80]
        held = len(site.broker._subscriptions)
        unit.writer.write(packet(0xA2, b"\x01\x00" + text(topics[0])))
        await unit.read()
        assert len(site.broker._subscriptions) == held - 1


async def test_a_unit_that_comes_again_before_it_is_missed_is_told_what_it_is_told(site: Site) -> None:
    """Its new connection takes the session over: a command reaches it there."""
    voice: Voice = await site.enrol("D017")
    async with site.raw("D017") as old:
        await old.connect("D017", clean=False)
        async with await site.client("D017", modern=False) as client:
            await old.ended()
            await say(client, voice, "online", online=True, firmware="2.1.0")
            await say(client, voice, "state/case", open=True)
            await until(lambda: "state/case" in site.states(), what="its message")
            await listen(client, voice)
            answering = asyncio.create_task(answer(client, voice, "locate"))
            assert (await site.telemetry.commands.send("D017", "locate")).ok
            await answering


def test_the_numbers_of_packets_are_those_of_the_standard() -> None:
    """MQTT 3.1.1 section 2.2: a message of 200 bytes has a length of two bytes."""
    assert published("a", b"x" * 195, number=1)[:3] == bytes([PUBLISH | 0b10, 0xC8, 0x01])
