"""Commands: sent to a unit that is there, answered by number, and given up in time."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import AwareDatetime, TypeAdapter

from gateway.telemetry.commands import EXPIRY_S, WAITING_MAX, Commands
from gateway.telemetry.errors import BrokerAwayError, TooManyCommandsError, UnansweredError, UnitAwayError
from gateway.telemetry.messages import Answer
from gateway.units import Group, Lost, Units
from gateway.units.errors import RetiredUnitError, UnknownUnitError
from kernel.clock import NS_PER_S, to_ns, utc
from tests.fakes.clock import ManualClock, settle
from tests.fakes.unit_voice import enrolled, unit_room


class Wire:
    """Where commands go. ``away``: there is no broker."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, object], int]] = []
        self.away = False

    async def send(self, topic: str, payload: str, *, expiry_s: int) -> None:
        """Take one."""
        if self.away:
            raise BrokerAwayError("There is no broker.")
        self.sent.append((topic, json.loads(payload), expiry_s))

    def answer(self, number: int = -1, *, ok: bool = True) -> Answer:
        """Return what answers one of those sent."""
        return Answer(seq=1, boot="boot-1", time=utc(0), id=str(self.sent[number][1]["id"]), ok=ok)


@pytest_asyncio.fixture
async def units(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Units]:
    """Return a room with a unit that is online."""
    async with unit_room(tmp_path, clock) as units:
        voice = await enrolled(units)
        await units.register.take("D017", voice.report(group=Group.ONLINE))
        yield units


@pytest.fixture
def wire() -> Wire:
    """Return the wire."""
    return Wire()


@pytest.fixture
def commands(units: Units, wire: Wire, clock: ManualClock) -> Commands:
    """Return the commands."""
    return Commands(units.register, wire.send, clock=clock)


async def test_a_command_is_answered_by_its_number(commands: Commands, wire: Wire) -> None:
    """Of two alike, each gets its own answer; numbers rise."""
    first = asyncio.create_task(commands.send("D017", "stream", stream="main"))
    second = asyncio.create_task(commands.send("D017", "stream", stream="sub"))
    await settle()
    commands.answered("D017", "stream", wire.answer(1, ok=False))
    commands.answered("D017", "stream", wire.answer(0))
    assert ((await first).ok, (await second).ok) == (True, False)
    assert [topic for topic, _, _ in wire.sent] == ["sightline/v1/units/D017/command/stream"] * 2
    assert [said["stream"] for _, said, _ in wire.sent] == ["main", "sub"]
    assert [said["seq"] for _, said, _ in wire.sent] == [1, 2]


async def test_an_answer_of_another_unit_or_kind_is_none(commands: Commands, wire: Wire, clock: ManualClock) -> None:
    """Nor is one to a number that nobody sent; and then it is said that no answer came."""
    sent = asyncio.create_task(commands.send("D017", "locate"))
    await settle()
    assert not commands.answered("D018", "locate", wire.answer())
    assert not commands.answered("D017", "reboot", wire.answer())
    assert not commands.answered("D017", "locate", wire.answer().model_copy(update={"id": "0" * 32}))
    await clock.turn(EXPIRY_S)
    with pytest.raises(UnansweredError):
        await sent
    assert not commands.answered("D017", "locate", wire.answer())


async def test_the_first_answer_counts(commands: Commands, wire: Wire) -> None:
    """Another one to the same number is one that nobody waits for, also before the first was seen to."""
    sent = asyncio.create_task(commands.send("D017", "locate"))
    await settle()
    assert commands.answered("D017", "locate", wire.answer(ok=False))
    assert not commands.answered("D017", "locate", wire.answer(ok=True))
    assert not (await sent).ok
    assert not commands.answered("D017", "locate", wire.answer(ok=True))


async def test_nothing_is_sent_to_a_unit_whose_certificates_are_revoked(
    commands: Commands, units: Units, wire: Wire
) -> None:
    """It is connected for a moment yet: what it answers would not be taken."""
    await units.credentials.revoke("D017")
    with pytest.raises(UnitAwayError, match="no certificate"):
        await commands.send("D017", "locate")
    assert wire.sent == []


async def test_a_command_says_until_when_it_is_good(commands: Commands, wire: Wire, clock: ManualClock) -> None:
    """To the broker and to the unit, which may hear it late over a broker of 3.1.1."""
    sent = asyncio.create_task(commands.send("D017", "locate"))
    await settle()
    commands.answered("D017", "locate", wire.answer())
    await sent
    _, said, expiry_s = wire.sent[0]
    assert expiry_s == EXPIRY_S
    ends = TypeAdapter(AwareDatetime).validate_python(said["expires"])
    assert to_ns(ends) == clock.wall_ns() + EXPIRY_S * NS_PER_S


async def test_nothing_is_sent_to_a_unit_that_is_not_there(commands: Commands, units: Units, wire: Wire) -> None:
    """It is gone, is retired, or never was."""
    await units.register.take("D017", Lost())
    with pytest.raises(UnitAwayError):
        await commands.send("D017", "locate")
    await units.register.retire("D017")
    with pytest.raises(RetiredUnitError):
        await commands.send("D017", "locate")
    with pytest.raises(UnknownUnitError):
        await commands.send("D999", "locate")
    assert wire.sent == []


async def test_without_a_broker_it_is_said_at_once(commands: Commands, wire: Wire) -> None:
    """Nothing is kept for later: a command that comes late does harm."""
    wire.away = True
    with pytest.raises(BrokerAwayError):
        await commands.send("D017", "locate")
    assert commands._waiting == {}


async def test_so_many_wait_and_no_more(commands: Commands, wire: Wire, clock: ManualClock) -> None:
    """A room that hammers units that do not answer is told so."""
    waiting = [asyncio.create_task(commands.send("D017", "locate")) for _ in range(WAITING_MAX)]
    await settle()
    with pytest.raises(TooManyCommandsError):
        await commands.send("D017", "locate")
    await clock.turn(EXPIRY_S)
    assert all(isinstance(one, UnansweredError) for one in await asyncio.gather(*waiting, return_exceptions=True))
    assert commands._waiting == {}
