"""A unit that says far more than units do is counted and seen out, and nobody else is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.telemetry.floods import Floods
from gateway.telemetry.inbox import Inbox
from gateway.telemetry.onvif_inbox import EventInbox
from gateway.telemetry.topics import may_write
from gateway.units import Cause, Units
from tests.fakes.clock import ManualClock
from tests.fakes.unit_voice import Voice, enrolled, unit_room


@pytest_asyncio.fixture
async def units(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Units]:
    """Return a room."""
    async with unit_room(tmp_path, clock) as units:
        yield units


async def test_a_flood_is_counted_and_seen_out_once_a_minute(units: Units, clock: ManualClock) -> None:
    """As many as may come pass; the one beyond has the unit seen out, and those after it until the minute is over."""
    flooding, quiet, seen_out = await enrolled(units, "D017"), await enrolled(units, "D018"), list[str]()
    floods = Floods(units, seen_out.append, per_minute=60, clock=clock)
    inbox = Inbox(units.register, units.refusals, EventInbox(units.refusals, clock=clock), floods)
    await inbox.take([flooding.state() for _ in range(60)])
    await inbox.take([quiet.state() for _ in range(10)])
    assert seen_out == []
    await inbox.take([flooding.state() for _ in range(30)])
    assert seen_out == ["D017"]
    assert [(one.label, one.count) for one in units.refusals.all() if one.cause is Cause.FLOODING] == [("D017", 1)]
    await clock.turn(60)
    await inbox.take([flooding.state() for _ in range(61)])
    assert seen_out == ["D017", "D017"]


async def test_what_the_broker_had_kept_and_what_strangers_say_is_no_flood(units: Units, clock: ManualClock) -> None:
    """The one comes all at once after a start; the others write under no certificate of ours."""
    voice, seen_out = await enrolled(units), list[str]()
    floods = Floods(units, seen_out.append, per_minute=60, clock=clock)
    floods.came([Voice("D999").state() for _ in range(100)])
    kept = voice.state()
    floods.came([type(kept)(kept.topic, kept.payload, stored=True) for _ in range(100)])
    assert seen_out == []


@pytest.mark.parametrize(
    ("rest", "may"),
    [
        ("online", [True]),
        ("state/battery", [True]),
        ("event/shock", [True]),
        ("answer/locate", [True]),
        ("state/k1", [False]),
        ("event/k1", [False]),
        ("answer/k1", [False]),
        ("state/battery/x", [False]),
        ("command/locate", [False]),
        ("", [False]),
    ],
)
def test_a_unit_writes_what_there_is_and_nothing_else(rest: str, may: list[bool]) -> None:
    """On its own topics, word for word; on another's nothing."""
    assert [may_write("D017", f"sightline/v1/units/D017/{rest}")] == may
    assert not may_write("D018", f"sightline/v1/units/D017/{rest}")
