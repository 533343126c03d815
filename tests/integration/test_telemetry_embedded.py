"""The broker inside the gateway: the same units, the same rights, and what it refuses is seen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiomqtt
import pytest
import pytest_asyncio

from gateway.mqtt import BrokerAddress
from gateway.telemetry.broker import EVENT_TOPICS_MAX, open_broker
from gateway.telemetry.client import BrokerDoor
from gateway.telemetry.floods import Floods
from gateway.telemetry.service import door_to, open_telemetry
from gateway.units import Cause, Link, LinkChanged
from gateway.units.authority import Authority
from gateway.units.credentials import OURSELVES
from kernel.clock import SystemClock
from tests.fakes.ports import free_port
from tests.fakes.unit_broker import let_in, unit_tls
from tests.fakes.unit_field import Field, answer, cut, listen, say
from tests.fakes.unit_voice import Voice, unit_room
from tests.fakes.waiting import until


@pytest_asyncio.fixture
async def field(tmp_path: Path) -> AsyncIterator[Field]:
    """Return a room with its own broker."""
    clock, port = SystemClock(), free_port()
    async with AsyncExitStack() as stack:
        units = await stack.enter_async_context(unit_room(tmp_path, clock))
        pair = await units.credentials.broker(["127.0.0.1"])
        await stack.enter_async_context(open_broker(units, pair, host="127.0.0.1", port=port))
        door = door_to(units, BrokerAddress("127.0.0.1", port, tls=True), modern=False)
        telemetry = await stack.enter_async_context(open_telemetry(units, door, clock=clock))
        async with asyncio.timeout(40):
            await telemetry.client.up()
        yield Field(units, port, telemetry, tmp_path)


async def test_a_unit_is_heard_told_and_missed(field: Field) -> None:
    """Birth, state, a command with its answer, and the last will."""
    voice = await field.enrol("D017")
    async with await field.client("D017", modern=False) as client:
        await say(client, voice, "online", online=True, firmware="2.1.0")
        await listen(client, voice)
        answering = asyncio.create_task(answer(client, voice, "locate"))
        await until(lambda: field.units.register.link("D017") is Link.ONLINE, what="its birth")
        assert (await field.telemetry.commands.send("D017", "locate")).ok
        await answering
        cut(client)
        await until(lambda: field.units.register.link("D017") is Link.GONE, what="the last will")
    assert field.units.refusals.all() == []


async def test_the_client_falls_back_to_mqtt_3_1_1(field: Field) -> None:
    """A broker that does not speak MQTT 5 says so, and is spoken to in 3.1.1 from then on."""
    door = door_to(field.units, BrokerAddress("127.0.0.1", field.port, tls=True))
    async with open_telemetry(field.units, door, clock=SystemClock()) as again:
        await until(lambda: again.client.connected, what="the connection")
        assert not again.client.modern


async def test_a_unit_writes_and_reads_only_what_is_its_own(field: Field) -> None:
    """What it writes elsewhere is refused and counted as its own deed; what is others' does not reach it."""
    voice, other = await field.enrol("D017"), await field.enrol("D018")
    async with await field.client("D017", modern=False) as client:
        for topic in ("sightline/v1/units/#", "#", other.topic("command/+"), f"{voice.topic('command')}/#"):
            await client.subscribe(topic, qos=1)
        await client.publish(other.topic("state/battery"), voice.payload(percent=1, volts=1, charging=False), qos=1)
        await client.publish(voice.topic("command/reboot"), voice.payload(), qos=1)
        await say(client, voice, "state/case", open=True)
        await until(lambda: "state/case" in field.states(), what="a message after it")
        assert len(client.messages) == 0
    assert [(one.cause, one.label, one.count) for one in field.units.refusals.all()] == [(Cause.WRONG_UNIT, "D017", 2)]
    assert field.states("D018") == {}


async def test_what_is_kept_is_told_to_nobody_who_did_not_ask(field: Field) -> None:
    """A unit that calls in, for the first time and again, is not told what another one said."""
    voice, other = await field.enrol("D017"), await field.enrol("D018")
    async with await field.client("D018", modern=False) as theirs:
        await say(theirs, other, "online", online=True, firmware="2.1.0")
        await say(theirs, other, "state/position", latitude=51.5, longitude=-0.1, accuracy_m=4, satellites=9)
        await until(lambda: "state/position" in field.states("D018"), what="where the other one stands")
        for kind, said in (("case", {"open": True}), ("supply", {"source": "mains"})):
            async with await field.client("D017", modern=False) as client:
                await client.subscribe(voice.topic("command/+"), qos=1)
                await say(client, voice, f"state/{kind}", **said)
                await until(lambda kind=kind: f"state/{kind}" in field.states(), what="a message after it")  # type: ignore[misc]
                assert len(client.messages) == 0


async def test_a_unit_makes_up_no_topics(field: Field) -> None:
    """A broker keeps the last on each: of states there are those that there are, of its camera's events some dozens."""
    voice = await field.enrol("D017")
    async with await field.client("D017", modern=False) as client:
        for count in range(20):
            await client.publish(voice.topic(f"state/k{count}"), voice.payload(), qos=1, retain=True)
        for count in range(EVENT_TOPICS_MAX + 10):
            await client.publish(voice.topic(f"onvif-ej/Any/{count}"), b"{}", qos=1, retain=True)
        await client.publish(voice.topic("onvif-ej/Any/1"), b"{}", qos=1, retain=True)
        await say(client, voice, "state/case", open=True)
        await until(lambda: "state/case" in field.states(), what="a message after it")
    refused = {one.cause: one.count for one in field.units.refusals.all()}
    assert refused[Cause.UNKNOWN_KIND] == 20 + 10


async def test_a_unit_that_floods_is_seen_out(tmp_path: Path) -> None:
    """Its connection ends, and it may come again."""
    async with AsyncExitStack() as stack:
        units = await stack.enter_async_context(unit_room(tmp_path, SystemClock()))
        pair, port = await units.credentials.broker(["127.0.0.1"]), free_port()
        broker = await stack.enter_async_context(open_broker(units, pair, host="127.0.0.1", port=port))
        floods = Floods(units, broker.turn_out, per_minute=60, clock=SystemClock())
        door = door_to(units, BrokerAddress("127.0.0.1", port, tls=True), modern=False)
        telemetry = await stack.enter_async_context(open_telemetry(units, door, floods=floods, clock=SystemClock()))
        async with asyncio.timeout(40):
            await telemetry.client.up()
        flooding = Field(units, port, telemetry, tmp_path)
        voice = await flooding.enrol("D017")
        with pytest.raises(aiomqtt.MqttError):
            await _flood(flooding, voice)
        async with await flooding.client("D017", modern=False) as client:
            await say(client, voice, "state/tilt", pitch_deg=0, roll_deg=0)
            await until(lambda: "state/tilt" in flooding.states(), what="what it says then")
        assert units.refusals.total(Cause.FLOODING) == 1


async def _flood(field: Field, voice: Voice) -> None:
    async with await field.client("D017", modern=False) as client:
        for _ in range(500):
            await say(client, voice, "state/case", open=True)


@pytest.mark.parametrize("called", ["D018", OURSELVES, "somebody"])
async def test_nobody_comes_under_another_name(field: Field, called: str) -> None:
    """A certificate lets in whom it names: not as another unit, nor as ourselves; their sessions stand."""
    other = await field.enrol("D018")
    await field.enrol("D017")
    async with await field.client("D018", modern=False) as theirs:
        await say(theirs, other, "online", online=True, firmware="2.1.0")
        assert not await let_in(field.port, await asyncio.to_thread(field.tls, "D017"), called)
        await say(theirs, other, "state/case", open=True)
        await until(lambda: "state/case" in field.states("D018"), what="their message")
    assert field.telemetry.client.connected
    assert await let_in(field.port, await asyncio.to_thread(field.tls, "D017"), "D017")


async def test_a_last_will_is_for_ones_own_topic(field: Field) -> None:
    """A unit cannot leave word that another one is gone."""
    await field.enrol("D017")
    tls = await asyncio.to_thread(field.tls, "D017")
    assert await let_in(field.port, tls, "D017", will="sightline/v1/units/D017/online")
    assert not await let_in(field.port, tls, "D017", will="sightline/v1/units/D018/online")
    assert field.units.refusals.total(Cause.WRONG_UNIT) == 1


async def test_whoever_shows_no_good_certificate_is_turned_away(field: Field) -> None:
    """None, one of another authority, and at once one that is revoked: that one is counted."""
    await field.enrol("D017")
    assert not await let_in(field.port, await asyncio.to_thread(unit_tls, field.folder, field.units, None), "D017")
    stranger = Authority.new(clock=SystemClock()).issue_client("D017")
    wrong = await asyncio.to_thread(unit_tls, field.folder, field.units, stranger, "stranger")
    assert not await let_in(field.port, wrong, "D017")
    await field.units.credentials.revoke("D017")
    assert not await let_in(field.port, await asyncio.to_thread(field.tls, "D017"), "D017")
    assert [(one.cause, one.label) for one in field.units.refusals.all()] == [(Cause.NO_CERTIFICATE, "D017")]


async def test_the_connection_of_a_unit_that_is_revoked_ends(field: Field) -> None:
    """At once, and its last will is told; another unit's goes on. It is not let in again."""
    voice, other = await field.enrol("D017"), await field.enrol("D018")
    async with await field.client("D018", modern=False) as theirs:
        async with await field.client("D017", modern=False) as client:
            await say(client, voice, "online", online=True, firmware="2.1.0")
            await until(lambda: field.units.register.link("D017") is Link.ONLINE, what="its birth")
            await field.units.credentials.revoke("D017")
            with pytest.raises(aiomqtt.MqttError):
                async for _ in client.messages:
                    pass
        await say(theirs, other, "state/case", open=True)
        await until(lambda: "state/case" in field.states("D018"), what="the other's message")
    assert not await let_in(field.port, await asyncio.to_thread(field.tls, "D017"), "D017")


async def test_only_the_connection_by_the_revoked_certificate_ends(field: Field) -> None:
    """A unit that has taken its new certificate stays when the old one is revoked."""
    voice = await field.enrol("D017")
    (old,) = field.units.credentials.of("D017")
    issued = await field.units.credentials.issue("D017")
    await asyncio.to_thread(unit_tls, field.folder, field.units, issued, "D017")
    async with await field.client("D017", modern=False) as client:
        await say(client, voice, "online", online=True, firmware="2.1.0")
        await field.units.credentials.revoke("D017", [old.serial])
        await say(client, voice, "state/case", open=True)
        await until(lambda: "state/case" in field.states(), what="its message")
    assert field.units.register.link("D017") is not Link.NEVER


async def test_a_message_that_is_too_long_is_refused_and_seen(field: Field) -> None:
    """Nobody reads a packet longer than any message: its sender is sent away."""
    voice = await field.enrol("D017")
    async with await field.client("D017", modern=False) as client:
        await say(client, voice, "state/case", open=True)
        client._client.publish(voice.topic("state/case"), b" " * 10_000, 1)
        await until(lambda: field.units.refusals.total(Cause.OVERSIZED) == 1, what="the refusal")
    assert [one.label for one in field.units.refusals.all()] == ["D017"]


async def test_a_port_that_is_taken_is_told(field: Field) -> None:
    """Plainly, when it starts."""
    pair = await field.units.credentials.broker(["127.0.0.1"])
    with pytest.raises(OSError, match="cannot listen"):
        async with open_broker(field.units, pair, host="127.0.0.1", port=field.port):
            pass


async def test_units_wait_until_we_hear_them(tmp_path: Path) -> None:
    """A unit that is there first is let in once we have subscribed: what it says reaches us, and not nobody."""
    clock, port, open_now = SystemClock(), free_port(), asyncio.Event()
    async with unit_room(tmp_path, clock) as units:
        pair = await units.credentials.broker(["127.0.0.1"])
        door = door_to(units, BrokerAddress("127.0.0.1", port, tls=True), modern=False)

        async def later() -> BrokerDoor:
            await open_now.wait()
            return await door()

        async with (
            open_broker(units, pair, host="127.0.0.1", port=port),
            open_telemetry(units, later, clock=clock) as telemetry,
        ):
            field = Field(units, port, telemetry, tmp_path)
            voice = await field.enrol("D017")
            speaking = asyncio.create_task(field.knocks(voice, 5, modern=False))
            done, _ = await asyncio.wait([speaking], timeout=2.0)
            assert not done
            open_now.set()
            await speaking
            await until(lambda: len(field.heard) == 5, what="everything")
        assert units.refusals.all() == []


async def test_a_unit_whose_link_is_lost_is_missed(field: Field) -> None:
    """Nothing comes any more and nobody says so: once its keepalive has run out the last will is told."""
    voice = await field.enrol("D017")
    tls = await asyncio.to_thread(field.tls, "D017")
    reader, writer = await asyncio.open_connection("127.0.0.1", field.port, ssl=tls)
    try:
        texts = (b"D017", voice.topic("online").encode(), b'{"online": false}')
        told = list[object]()
        field.units.register.listen(told.append)
        body = b"\x00\x04MQTT\x04" + bytes([0b101110, 0, 1]) + b"".join(len(t).to_bytes(2, "big") + t for t in texts)
        birth = voice.payload(online=True, firmware="2.1.0")
        said = len(texts[1]).to_bytes(2, "big") + texts[1] + b"\x00\x01" + birth
        writer.write(b"\x10" + bytes([len(body)]) + body + b"\x33" + _length(len(said)) + said)
        await until(lambda: LinkChanged("D017", Link.GONE) in told, what="the last will")
        assert LinkChanged("D017", Link.ONLINE) in told
        async with asyncio.timeout(20):
            assert (await reader.read())[:4] == b"\x20\x02\x00\x00"
    finally:
        writer.close()


def _length(size: int) -> bytes:
    """Return a remaining length of two bytes (MQTT 3.1.1 section 2.2.3)."""
    return bytes([size % 128 | 128, size // 128])
