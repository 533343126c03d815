"""Refusals do not grow the log without end: what is alike is recorded at once, then once a minute with a count."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.audit import repeats
from gateway.audit.events import Action, Actor, AuditEvent, Outcome
from gateway.audit.leaves import Entry
from gateway.audit.trail import Trail, open_trail
from gateway.db.audit import AuditFilter
from gateway.db.engine import Database, open_database, sqlite_url
from tests.fakes.clock import ManualClock
from tests.fakes.waiting import until

REFUSED = AuditEvent(
    action=Action.REFUSED,
    actor=Actor(id="u1", name="ann", address="192.0.2.1"),
    outcome=Outcome.REFUSED,
    subject="camera1",
    details={"permission": "view_live", "path": "/api/v1/cameras/{camera_id}"},
)


@dataclass(frozen=True, slots=True)
class Log:
    """A trail, and where it is kept."""

    trail: Trail
    database: Database
    clock: ManualClock

    async def entries(self) -> list[Entry]:
        """Return what was recorded, oldest first."""
        await self.trail.settled()
        return (await self.trail.entries(AuditFilter(), limit=1000))[::-1]

    async def minute(self) -> None:
        """Let the minute end."""
        await until(lambda: self.clock.sleepers, what="the minute to be waited for")
        await self.clock.turn(repeats.MINUTE_S)


@pytest_asyncio.fixture
async def log(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Log]:
    """Return an empty log."""
    async with open_database(sqlite_url(tmp_path / "a.db")) as database, open_trail(database, clock=clock) as trail:
        yield Log(trail, database, clock)


def times(entry: Entry) -> int | None:
    """Return how often an entry says that it happened."""
    found: int | None = json.loads(entry.details).get("times")
    return found


async def test_the_first_is_on_record_at_once(log: Log) -> None:
    """Nobody waits a minute for it."""
    log.trail.note_again(REFUSED, "u1")
    (entry,) = await log.entries()
    assert (entry.action, entry.subject, times(entry)) == ("access.refused", "camera1", None)


async def test_a_thousand_more_are_one_entry_when_the_minute_ends(log: Log) -> None:
    """It says how many, from when to when, and by whom."""
    for _ in range(1001):
        log.trail.note_again(REFUSED, "u1")
    began_ns = log.clock.wall_ns()
    log.clock.jump_wall(10)
    log.trail.note_again(REFUSED, "u1")
    await log.minute()
    first, count = await log.entries()
    assert (times(first), times(count)) == (None, 1001)
    assert (count.actor_id, count.actor, count.outcome) == ("u1", "ann", "refused")
    assert (count.from_ns, count.to_ns) == (began_ns, began_ns + 10_000_000_000)


async def test_once_is_one_entry(log: Log) -> None:
    """Where nothing was repeated there is nothing to count."""
    log.trail.note_again(REFUSED, "u1")
    await log.minute()
    assert len(await log.entries()) == 1


async def test_each_minute_has_its_own_count(log: Log) -> None:
    """What goes on is seen to go on."""
    for _ in range(2):
        for _ in range(3):
            log.trail.note_again(REFUSED, "u1")
        await log.minute()
    assert [times(entry) for entry in await log.entries()] == [None, 2, None, 2]


async def test_what_is_not_alike_is_recorded_by_itself(log: Log) -> None:
    """Another person, and another outcome."""
    log.trail.note_again(REFUSED, "u1")
    log.trail.note_again(replace(REFUSED, actor=Actor(id="u2", name="bob", address="")), "u2")
    log.trail.note_again(replace(REFUSED, outcome=Outcome.FAILED), "u1")
    assert [(entry.actor, entry.outcome) for entry in await log.entries()] == [
        ("ann", "refused"),
        ("bob", "refused"),
        ("ann", "failed"),
    ]


async def test_a_count_claims_nothing_that_is_not_true_of_all(log: Log) -> None:
    """Where cameras and addresses differ it names none; the route was the same."""
    log.trail.note_again(REFUSED, "u1")
    elsewhere = Actor(id="u1", name="ann", address="192.0.2.2")
    log.trail.note_again(replace(REFUSED, subject="camera2", actor=elsewhere), "u1")
    await log.minute()
    _, count = await log.entries()
    assert (count.actor_id, count.address, count.subject) == ("u1", "", "")
    assert json.loads(count.details) == dict(REFUSED.details) | {"times": 1}


async def test_a_flood_of_different_ones_is_bounded(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither memory nor the log grows with how many there are: beyond some they are counted together."""
    monkeypatch.setattr(repeats, "ALIKE_MAX", 3)
    for number in range(50):
        log.trail.note_again(replace(REFUSED, subject=f"camera{number}"), str(number))
    await log.minute()
    recorded = await log.entries()
    assert [(entry.subject, times(entry)) for entry in recorded] == [
        ("camera0", None),
        ("camera1", None),
        ("camera2", None),
        ("", 47),
    ]


async def test_the_end_of_the_service_ends_the_minute(tmp_path: Path, clock: ManualClock) -> None:
    """What was counted until then is on record."""
    async with open_database(sqlite_url(tmp_path / "b.db")) as database:
        async with open_trail(database, clock=clock) as trail:
            for _ in range(5):
                trail.note_again(REFUSED, "u1")
        newest = (await Trail(database, clock=clock).entries(AuditFilter(), limit=1))[0]
    assert times(newest) == 4
