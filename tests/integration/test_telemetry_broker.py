"""Units and Debian's mosquitto with the configuration that is shipped: who gets in, what gets through, what is lost."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from gateway.db.errors import DatabaseUnusableError
from gateway.mqtt import BrokerAddress
from gateway.telemetry.eviction import open_eviction
from gateway.telemetry.service import door_to, open_telemetry
from gateway.units import Cause, Link, LinkChanged
from gateway.units.authority import Authority
from kernel.clock import SystemClock
from tests.fakes.clock import ManualClock, passing
from tests.fakes.hasty import HastyClock
from tests.fakes.unit_broker import UnitBroker, let_in, unit_broker, unit_tls
from tests.fakes.unit_field import Field, answer, cut, listen, say
from tests.fakes.unit_voice import unit_room
from tests.fakes.waiting import told, until

pytestmark = pytest.mark.timeout(240)
NOT_AUTHORIZED = 135
"""MQTT 5 section 3.4.2.1."""


class BrokerField(Field):
    """One whose broker can be restarted."""

    broker: UnitBroker


@pytest_asyncio.fixture
async def field(tmp_path: Path) -> AsyncIterator[BrokerField]:
    """Return a room that hears a broker."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        units = await stack.enter_async_context(unit_room(tmp_path, clock))
        broker = await stack.enter_async_context(unit_broker(tmp_path / "broker", units))
        door = door_to(units, BrokerAddress("127.0.0.1", broker.port, tls=True))
        telemetry = await stack.enter_async_context(open_telemetry(units, door, clock=clock))
        async with asyncio.timeout(40):
            await telemetry.client.up()
        field = BrokerField(units, broker.port, telemetry, tmp_path)
        field.broker = broker
        yield field


async def test_a_unit_that_speaks_mqtt_5_is_heard(field: BrokerField) -> None:
    """Birth, state and event; and its last will when its connection breaks."""
    voice = await field.enrol("D017")
    async with await field.client("D017") as client:
        await say(client, voice, "online", online=True, firmware="2.1.0")
        await say(client, voice, "state/supply", source="solar")
        await client.publish(voice.topic("event/tamper"), voice.payload(), qos=1)
        await until(lambda: len(field.states()) == 3, what="three messages")
        assert field.units.register.link("D017") is Link.ONLINE
        cut(client)
        await until(lambda: field.units.register.link("D017") is Link.GONE, what="the last will")
    assert field.units.refusals.all() == []


async def test_a_unit_that_speaks_mqtt_3_1_1_is_heard_and_told(field: BrokerField) -> None:
    """It says what it has to, and takes and answers a command."""
    voice = await field.enrol("D017")
    async with await field.client("D017", modern=False) as client:
        await say(client, voice, "online", online=True, firmware="1.0.0")
        await listen(client, voice)
        answering = asyncio.create_task(answer(client, voice, "locate"))
        await until(lambda: field.units.register.link("D017") is Link.ONLINE, what="its birth")
        assert (await field.telemetry.commands.send("D017", "locate")).ok
        await answering


async def test_a_command_goes_out_with_an_end_and_is_not_kept(field: BrokerField) -> None:
    """It bears its expiry for the broker and for the unit, and nobody who comes later finds it."""
    voice = await field.enrol("D017")
    async with await field.client("D017") as client:
        await say(client, voice, "online", online=True, firmware="2.1.0")
        await listen(client, voice)
        answering = asyncio.create_task(answer(client, voice, "stream"))
        await until(lambda: field.units.register.link("D017") is Link.ONLINE, what="its birth")
        await field.telemetry.commands.send("D017", "stream", stream="main")
        message = await answering
        assert isinstance(message.payload, bytes)
        told = json.loads(message.payload)
        assert told["stream"] == "main"
        assert told["expires"] > told["time"]
        assert not message.retain
        assert message.properties is not None
        assert 0 < vars(message.properties)["MessageExpiryInterval"] <= 30
        await client.unsubscribe(voice.topic("command/+"))
        await client.subscribe(voice.topic("command/+"), qos=1)
        await say(client, voice, "state/case", open=True)
        await until(lambda: "state/case" in field.states(), what="a message after it")
        assert len(client.messages) == 0


async def test_a_command_that_somebody_had_the_broker_keep_is_refused_and_removed(field: BrokerField) -> None:
    """It is counted, and no unit that comes later finds it. Only we could have written it at all."""
    voice = await field.enrol("D017")
    await field.telemetry.client._publish(voice.topic("command/reboot"), voice.payload().decode(), retain=True)
    await field.broker.restart()
    await until(lambda: field.units.refusals.total(Cause.RETAINED_COMMAND) == 1, what="the command to be seen")
    async with await field.client("D017") as client:
        await say(client, voice, "state/case", open=True)
        await until(lambda: "state/case" in field.states(), what="a message after it")
        await client.subscribe(voice.topic("command/+"), qos=1)
        await say(client, voice, "state/case", open=False)
        await until(lambda: field.telemetry.inbox.taken == 2, what="another")
        assert len(client.messages) == 0


async def test_a_unit_writes_and_reads_only_what_is_its_own(field: BrokerField) -> None:
    """What it writes elsewhere the broker stops, and its numbers tell us how much; others' commands do not reach it."""
    voice, other = await field.enrol("D017"), await field.enrol("D018")
    async with await field.client("D018") as theirs, await field.client("D017") as client:
        await say(theirs, other, "online", online=True, firmware="2.1.0")
        await say(client, voice, "online", online=True, firmware="2.1.0")
        await client.subscribe([(other.topic("command/+"), 1), ("sightline/v1/units/#", 1), ("#", 1)])
        await client.publish(other.topic("state/battery"), voice.payload(percent=1, volts=1, charging=False), qos=1)
        await client.publish(voice.topic("command/reboot"), voice.payload(), qos=1)
        await listen(theirs, other)
        answering = asyncio.create_task(answer(theirs, other, "locate"))
        await until(lambda: field.units.register.link("D018") is Link.ONLINE, what="its birth")
        await field.telemetry.commands.send("D018", "locate")
        await answering
        await say(client, voice, "state/case", open=True)
        await until(lambda: "state/case" in field.states(), what="a message after it")
        assert set(field.states("D018")) == {"online"}
        assert len(client.messages) == 0
    assert [(one.cause, one.label, one.count) for one in field.units.refusals.all()] == [(Cause.MISSING, "D017", 2)]


async def test_a_unit_makes_up_no_topics(field: BrokerField) -> None:
    """What the broker would keep for ever, topic by topic, it stops: no unit fills its memory."""
    voice = await field.enrol("D017")
    async with await field.client("D017") as client:
        told = list[int]()
        client._client.on_publish = lambda *said: told.append(said[3].value)
        for rest in ("state/k1", "event/k1", "answer/k1", "onvif-ej/Any/k1", "state/case"):
            client._client.publish(voice.topic(rest), voice.payload(open=True), 1, retain=True)
        await until(lambda: len(told) == 5, what="the answers")
    assert told == [NOT_AUTHORIZED] * 4 + [0]


async def test_a_unit_that_is_told_no_knows_it(field: BrokerField) -> None:
    """In MQTT 5 the broker tells whoever writes where it may not: a unit that is set up wrongly can say so itself."""
    voice, other = await field.enrol("D017"), await field.enrol("D018")
    async with await field.client("D017") as client:
        told = list[int]()
        client._client.on_publish = lambda *said: told.append(said[3].value)
        client._client.publish(other.topic("state/case"), voice.payload(open=True), 1)
        await until(lambda: told, what="an answer")
    assert told == [NOT_AUTHORIZED]


async def test_a_unit_whose_every_word_is_stopped_falls_silent_and_is_seen(tmp_path: Path) -> None:
    """It is connected and speaks all the time, in another one's name: the room is told that nothing is heard of it."""
    clock = SystemClock()
    async with (
        unit_room(tmp_path, clock, silence_s=1.0) as units,
        unit_broker(tmp_path / "broker", units) as broker,
        open_telemetry(units, door_to(units, BrokerAddress("127.0.0.1", broker.port, tls=True)), clock=clock) as heard,
    ):
        async with asyncio.timeout(40):
            await heard.client.up()
        field = Field(units, broker.port, heard, tmp_path)
        voice, other = await field.enrol("D017"), await field.enrol("D018")
        told = list[Any]()
        units.register.listen(told.append)
        async with await field.client("D017") as client:
            await say(client, voice, "online", online=True, firmware="2.1.0")
            await until(lambda: LinkChanged("D017", Link.ONLINE) in told, what="its birth")
            while LinkChanged("D017", Link.SILENT) not in told:
                await say(client, other, "state/case", open=True)
        assert "state/case" not in units.register.states("D018")


async def test_nobody_takes_over_the_session_of_another(field: BrokerField) -> None:
    """Whatever a unit calls itself, the broker calls it by its certificate."""
    voice, other = await field.enrol("D017"), await field.enrol("D018")
    async with await field.client("D018") as theirs:
        await say(theirs, other, "online", online=True, firmware="2.1.0")
        await until(lambda: field.units.register.link("D018") is Link.ONLINE, what="its birth")
        async with await field.client("D017", topics_of="D018") as client:
            await say(client, voice, "state/case", open=True)
            await until(lambda: "state/case" in field.states(), what="its message")
            await say(theirs, other, "state/case", open=False)
            await until(lambda: "state/case" in field.states("D018"), what="the other's message")
    assert field.units.register.link("D018") is not Link.NEVER


async def test_whoever_shows_no_good_certificate_is_turned_away_and_seen(field: BrokerField) -> None:
    """None, one of another authority, a revoked one: the last as soon as the broker has read its list again."""
    await field.enrol("D017")
    assert await let_in(field.port, field.tls("D017"), "D017")
    assert not await let_in(field.port, await asyncio.to_thread(unit_tls, field.folder, field.units, None), "x")
    stranger = Authority.new(clock=SystemClock()).issue_client("D017")
    wrong = await asyncio.to_thread(unit_tls, field.folder, field.units, stranger, "stranger")
    assert not await let_in(field.port, wrong, "D017")
    await until(lambda: field.units.refusals.total(Cause.NO_CERTIFICATE) == 2, what="both to be seen")
    await field.units.credentials.revoke("D017")
    field.broker.reload()
    await until_turned_away(field)
    await until(lambda: field.units.refusals.total(Cause.NO_CERTIFICATE) >= 3, what="the revoked one to be seen")


async def test_a_revoked_unit_whose_connection_stands_is_refused_by_us(field: BrokerField) -> None:
    """Until the broker knows, and for a connection that it had let in before."""
    voice = await field.enrol("D017")
    async with await field.client("D017") as client:
        await field.units.credentials.revoke("D017")
        await say(client, voice, "state/case", open=True)
        await until(lambda: field.units.refusals.total(Cause.REVOKED) == 1, what="its refusal")
    assert field.states() == {}


async def test_a_revoked_unit_is_seen_out_of_the_broker(field: BrokerField) -> None:
    """Its connection ends though the broker had let it in; with the list read again it does not come back."""
    voice = await field.enrol("D017")
    address = BrokerAddress("127.0.0.1", field.port, tls=True)
    async with open_eviction(field.units, address, clock=HastyClock()):
        async with await field.client("D017") as client:
            await say(client, voice, "online", online=True, firmware="2.1.0")
            await until(lambda: field.units.register.link("D017") is Link.ONLINE, what="its birth")
            await field.units.credentials.revoke("D017")
            field.broker.reload()
            with pytest.raises(aiomqtt.MqttError):
                async for _ in client.messages:
                    pass
        await until_turned_away(field)
    folder = field.units.credentials.ca_file.parent

    async def left() -> list[Path]:
        return await asyncio.to_thread(lambda: list(folder.glob(".stand-in*")))

    await told(left, lambda files: not files, what="the stand-in's key to be deleted")


async def test_a_message_that_is_too_long_is_refused_and_seen(field: BrokerField) -> None:
    """A little too long: by us. More than the broker takes: by the broker, which tells whose it was."""
    voice = await field.enrol("D017")
    async with await field.client("D017", modern=False) as client:
        await client.publish(voice.topic("state/case"), b" " * 4097, qos=1)
        await until(lambda: field.units.refusals.total(Cause.OVERSIZED) == 1, what="the first")
        client._client.publish(voice.topic("state/case"), b" " * 10_000, 1)
        await until(lambda: field.units.refusals.total(Cause.OVERSIZED) == 2, what="the second")
    assert [one.label for one in field.units.refusals.all()] == ["D017"]


async def test_a_broker_that_restarts_loses_nothing(field: BrokerField) -> None:
    """What units said while we were away, and what nobody had acknowledged, is there once everybody is back."""
    voice = await field.enrol("D017")
    sent = []
    for round_ in range(3):
        async with await field.client("D017") as client:
            for _ in range(20):
                await say(client, voice, "state/case", open=bool(round_ % 2))
                sent.append(voice.seq)
        await field.broker.restart()
    await until(lambda: field.telemetry.inbox.taken == len(sent), what="everything")
    assert field.units.refusals.total(Cause.OUT_OF_ORDER) == 0


async def test_nothing_is_lost_while_units_speak_over_restarts(field: BrokerField) -> None:
    """The broker stops and comes back twice in the middle of what two units say: all of it is taken, once, in order."""
    voices = [await field.enrol("D017"), await field.enrol("D018")]
    speaking = asyncio.gather(*(field.knocks(voice, 150) for voice in voices))
    for heard in (50, 150):
        await until(lambda heard=heard: len(field.heard) >= heard, what="some of it")  # type: ignore[misc]
        await field.broker.restart()
    await speaking
    await until(lambda: len(field.heard) == 300, what="everything")
    for label in ("D017", "D018"):
        assert [seq for of, seq in field.heard if of == label] == list(range(1, 151))
    assert (field.counted(Cause.MISSING), field.counted(Cause.OUT_OF_ORDER)) == (0, 0)


async def test_what_a_killed_broker_loses_is_counted(field: BrokerField) -> None:
    """Killed in the middle it may lose what it had acknowledged and not handed on: each of these is seen as missing."""
    voice = await field.enrol("D017")
    speaking = asyncio.create_task(field.knocks(voice, 200))
    await until(lambda: len(field.heard) >= 50, what="some of it")
    await field.broker.die()
    await field.broker.start()
    await speaking
    await until(lambda: field.telemetry.client.connected, what="the connection")
    await field.knocks(voice, 1)
    await until(lambda: ("D017", 201) in field.heard, what="the last")
    assert field.heard == sorted(set(field.heard))
    assert len(field.heard) + field.counted(Cause.MISSING) == 201
    assert field.counted(Cause.OUT_OF_ORDER) == 0


async def test_a_broker_that_is_away_is_asked_ever_less_often(tmp_path: Path, clock: ManualClock) -> None:
    """It is called again with pauses that may double up to half a minute, and heard as soon as it is there again."""
    async with unit_room(tmp_path, clock) as units, unit_broker(tmp_path / "broker", units) as broker:
        await broker.stop()
        door = door_to(units, BrokerAddress("127.0.0.1", broker.port, tls=True))
        with capture_logs() as logs:
            async with open_telemetry(units, door, clock=clock) as telemetry:

                def pauses() -> list[float]:
                    return [line["retry_s"] for line in logs if line["event"] == "telemetry.down"]

                # It says that it failed and then begins its pause: time that goes by in between is none of that.
                async with passing(clock, 30.1):
                    await until(lambda: len(pauses()) >= 10, what="ten calls")
                assert all(pause <= min(30.0, 0.5 * 2**n) + 0.05 for n, pause in enumerate(pauses(), 1))
                await broker.start()
                async with passing(clock, 30.1):
                    await until(lambda: telemetry.client.connected, what="the connection")


async def test_what_the_database_did_not_take_comes_again(field: BrokerField, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is acknowledged before it is kept: with a disk that fails for a moment, nothing is lost either."""
    voice = await field.enrol("D017")
    take_all, failed = field.units.register.take_all, list[Any]()

    async def failing(reports: Any) -> Any:
        if not failed:
            failed.append(reports)
            raise DatabaseUnusableError("The disk is full.")
        return await take_all(reports)

    monkeypatch.setattr(field.units.register, "take_all", failing)
    async with await field.client("D017") as client:
        await client.publish(voice.topic("event/shock"), voice.payload(peak_g=2.5), qos=1)
        await until(lambda: "event/shock" in field.states(), what="the event")
    assert failed
    assert field.units.refusals.all() == []


async def test_a_flood_is_held_back_and_none_of_it_lost(field: BrokerField, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than may wait here waits at the broker and in TCP: it is read on as there is room, all of it, in order."""
    batches = field.telemetry.client._batches
    assert batches is not None
    batches._waiting_max = 4
    closed = list[bool]()
    tap = batches.tap
    assert tap is not None
    close = tap.close

    def seen() -> None:
        closed.append(True)
        close()

    monkeypatch.setattr(tap, "close", seen)
    voice = await field.enrol("D017")
    async with await field.client("D017") as client:
        for _ in range(10):
            said = [voice.payload(peak_g=1.0) for _ in range(20)]
            await asyncio.gather(*(client.publish(voice.topic("event/shock"), one, qos=1) for one in said))
        await until(lambda: field.telemetry.inbox.taken == 200, what="everything")
    assert closed
    assert field.telemetry.client.connected
    assert field.units.refusals.all() == []


async def test_what_comes_while_we_are_away_waits_for_us(tmp_path: Path) -> None:
    """The broker keeps it in our session, over a restart of its own as well."""
    clock = SystemClock()
    async with unit_room(tmp_path, clock) as units, unit_broker(tmp_path / "broker", units) as broker:
        door = door_to(units, BrokerAddress("127.0.0.1", broker.port, tls=True))
        async with open_telemetry(units, door, clock=clock) as telemetry, asyncio.timeout(40):
            await telemetry.client.up()
            field = Field(units, broker.port, telemetry, tmp_path)
            voice = await field.enrol("D017")
        async with await field.client("D017") as client:
            for _ in range(50):
                await client.publish(voice.topic("event/shock"), voice.payload(peak_g=2.5), qos=1)
        await broker.restart()
        async with open_telemetry(units, door, clock=clock) as telemetry:
            await until(lambda: telemetry.inbox.taken == 50, what="everything")
        assert units.refusals.all() == []


async def until_turned_away(field: BrokerField) -> None:
    """Return once the broker turns a unit away."""
    async with asyncio.timeout(40):
        while await let_in(field.port, field.tls("D017"), "D017"):
            pass
