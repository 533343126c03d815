"""Who saw what, when: answered as going through every entry would."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.audit.events import Action, Actor, AuditEvent, Outcome
from gateway.audit.trail import Trail, open_trail
from gateway.db.engine import Database, open_database, sqlite_url
from kernel.clock import NS_PER_S
from tests.fakes.clock import ManualClock

NOON_NS = 1_790_000_000 * NS_PER_S


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """Return an empty database."""
    async with open_database(sqlite_url(tmp_path / "a.db")) as database:
        yield database


@pytest_asyncio.fixture
async def trail(database: Database, clock: ManualClock) -> AsyncIterator[Trail]:
    """Return an empty trail."""
    async with open_trail(database, clock=clock) as trail:
        yield trail


def at_ns(after_noon_s: float) -> int:
    """Return an instant."""
    return NOON_NS + round(after_noon_s * NS_PER_S)


def view(person: str, camera: str, span: str, start_s: float, end_s: float | None = None) -> AuditEvent:
    """Return the beginning of a view, or its end where that is given."""
    return AuditEvent(
        action=Action.VIEW_STARTED if end_s is None else Action.VIEW_ENDED,
        actor=Actor(id=person, name=person.title(), address="192.0.2.1"),
        subject=camera,
        span=span,
        from_ns=at_ns(start_s),
        to_ns=None if end_s is None else at_ns(end_s),
    )


async def spans(trail: Trail, start_s: float, end_s: float, **asked: str) -> list[str]:
    """Return the spans that overlap a time, the latest begun first."""
    await trail.settled()
    found = await trail.seen(
        camera=asked.get("camera"),
        person=asked.get("person"),
        start_ns=at_ns(start_s),
        end_ns=at_ns(end_s),
        limit=100,
    )
    return [entry.span for entry in found]


async def test_what_overlaps_counts_and_what_only_touches_does_not(trail: Trail) -> None:
    """A time reaches from its start to before its end, and so does what is asked about."""
    trail.note(view("ann", "c1", "a", 0))
    trail.note(view("ann", "c1", "a", 0, 10))
    assert await spans(trail, 9, 20, camera="c1") == ["a"]
    assert await spans(trail, -5, 0.5, camera="c1") == ["a"]
    assert await spans(trail, 3, 4, camera="c1") == ["a"]
    assert await spans(trail, 10, 20, camera="c1") == []
    assert await spans(trail, -5, 0, camera="c1") == []
    assert await spans(trail, 3, 4, camera="c2") == []
    assert await spans(trail, 3, 4, camera="c1", person="bob") == []


async def test_what_has_not_ended_goes_on(trail: Trail) -> None:
    """A view that began before the time and has not ended overlaps it, however long ago that was."""
    trail.note(view("ann", "c1", "a", 0))
    trail.note(view("bob", "c1", "b", 5))
    trail.note(view("bob", "c1", "b", 5, 6))
    assert await spans(trail, 1000, 1001, camera="c1") == ["a"]
    assert await spans(trail, 1000, 1001, person="ann") == ["a"]
    assert await spans(trail, -2, -1, camera="c1") == []
    (entry,) = await trail.seen(camera="c1", person=None, start_ns=NOON_NS + 1000, end_ns=NOON_NS + 1001, limit=10)
    assert (entry.from_ns, entry.to_ns) == (NOON_NS, None)


async def test_a_still_counts_at_its_instant(trail: Trail, clock: ManualClock) -> None:
    """Stills, snapshots and exports took no time; one that was refused showed nothing."""
    actor = Actor(id="ann", name="Ann", address="")
    trail.note(AuditEvent(action=Action.STILL, actor=actor, subject="c1"))
    trail.note(AuditEvent(action=Action.EXPORTED, actor=actor, subject="c1", outcome=Outcome.REFUSED))
    trail.note(AuditEvent(action=Action.CHANGED, actor=actor, subject="c1"))
    await trail.settled()
    now_ns = clock.wall_ns()
    for start_ns, end_ns, expected in ((now_ns, now_ns + 1, 1), (now_ns - 1, now_ns, 0), (now_ns + 1, now_ns + 2, 0)):
        found = await trail.seen(camera="c1", person=None, start_ns=start_ns, end_ns=end_ns, limit=10)
        assert len(found) == expected


async def test_everybody_on_record_is_named(trail: Trail) -> None:
    """By their newest name, sorted by it; nobody unknown is among them."""
    trail.note(view("u2", "c1", "a", 0))
    trail.note(view("u1", "c1", "b", 0))
    trail.note(AuditEvent(action=Action.SIGN_IN, actor=Actor(id="u1", name="Zoe", address="")))
    trail.note(AuditEvent(action=Action.SIGN_IN, actor=Actor(id="", name="stranger", address="")))
    await trail.settled()
    assert await trail.people() == [("u2", "U2"), ("u1", "Zoe")]


@dataclass(frozen=True)
class Lasting:
    """A span of a made-up log, in seconds."""

    person: str
    camera: str
    start_s: float
    length_s: float | None


WHOLE = st.integers(-100, 100).map(float)
LENGTHS = st.one_of(st.integers(0, 70).map(float), st.floats(0, 40), st.sampled_from([2.0**n for n in range(24)]))
LOGS = st.lists(
    st.builds(
        Lasting,
        person=st.sampled_from(["ann", "bob"]),
        camera=st.sampled_from(["c1", "c2"]),
        start_s=st.one_of(WHOLE, st.floats(-(10**7), 10**3)),
        length_s=st.one_of(st.none(), LENGTHS),
    ),
    max_size=25,
)


@given(
    log=LOGS,
    asked_s=st.tuples(WHOLE, LENGTHS.filter(bool)),
    camera=st.sampled_from(["c1", None]),
    limit=st.integers(1, 7),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_the_index_answers_as_going_through_everything_does(
    log: list[Lasting],
    asked_s: tuple[float, float],
    camera: str | None,
    limit: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Page by page, whatever lasted how long, began when, and has or has not ended."""
    person = None if camera else "ann"
    path = tmp_path_factory.mktemp("seen") / "a.db"
    start_ns, end_ns = at_ns(asked_s[0]), at_ns(sum(asked_s))
    expected = []
    for number, one in enumerate(log):
        from_ns = at_ns(one.start_s)
        to_ns = at_ns(one.start_s + one.length_s) if one.length_s is not None else None
        if (camera or one.camera) != one.camera or (person or one.person) != one.person or from_ns >= end_ns:
            continue
        if to_ns is None or to_ns > start_ns or from_ns >= start_ns:
            expected.append((from_ns, str(number)))

    async def asked() -> list[tuple[int | None, str]]:
        clock = ManualClock()
        async with open_database(sqlite_url(path)) as database, open_trail(database, clock=clock) as trail:
            for number, one in enumerate(log):
                trail.note(view(one.person, one.camera, str(number), one.start_s))
                if one.length_s is not None:
                    end_s = one.start_s + one.length_s
                    trail.note(view(one.person, one.camera, str(number), one.start_s, end_s))
            await trail.settled()
            found: list[tuple[int | None, str]] = []
            before = None
            while True:
                page = await trail.seen(
                    camera=camera, person=person, start_ns=start_ns, end_ns=end_ns, before=before, limit=limit
                )
                found += [(entry.from_ns, entry.span) for entry in page]
                if len(page) < limit:
                    return found
                before = (page[-1].from_ns or 0, page[-1].seq)

    found = asyncio.run(asked())
    assert sorted(found) == sorted(expected)
    assert [from_ns for from_ns, _ in found] == sorted((from_ns for from_ns, _ in expected), reverse=True)
