"""How long "who saw this camera?" and "what did this person see?" take over a long audit.

    python benchmarks/audit.py [--entries N] [--keep-in DIRECTORY]

The promise is an answer within 1 s over 10 million entries: `--entries 10000000`, which takes some minutes and about
5 GB for a while. Entries to be asked over are made inside SQLite, two years of views by 200 people at 900 cameras:
their hashes are made up, which no question looks at. What is added is written by the product, and what is checked was.
"""

import argparse
import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from report import percentile, report

from gateway.audit.events import Action, Actor, AuditEvent
from gateway.audit.leaves import span_class
from gateway.audit.trail import Trail, open_trail
from gateway.db.engine import open_database, sqlite_url
from kernel.clock import NS_PER_S, SystemClock

CAMERAS, PEOPLE = 900, 200
YEARS_S = 2 * 365 * 86_400
BEGIN_NS = 1_700_000_000 * NS_PER_S
LENGTHS_S = (7, 45, 45, 300, 300, 1800, 1800, 28_800)
"""A glance, a look, an incident, and the wall of a whole shift."""
WINDOWS_S = (60, 3600, 86_400, 30 * 86_400)
ANSWER_S = 1.0
QUESTIONS = 200
WITHOUT = 3
APPENDED = 10_000
CHUNK = 500_000


def main() -> None:
    """Make the log, ask, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=300_000, help="length of the log that is asked over")
    parser.add_argument("--keep-in", type=Path, default=None, help="directory for it; default: a temporary one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.keep_in, prefix="audit-") as folder:
        asyncio.run(measure(Path(folder), given.entries))


async def measure(folder: Path, entries: int) -> None:
    """Take every figure."""
    path, clock = folder / "long.db", SystemClock()
    async with open_database(sqlite_url(path)):
        pass
    began = time.monotonic()
    await asyncio.to_thread(fill, path, entries)
    print(f"{entries} entries made in {time.monotonic() - began:.0f} s, {path.stat().st_size / 1e9:.2f} GB")
    chance = random.Random(7)  # noqa: S311 - the same questions each time
    async with open_database(sqlite_url(path)) as database, open_trail(database, clock=clock) as trail:
        who = await asked(trail, chance, lambda: {"camera": f"camera{camera_of(chance)}", "person": None})
        person = await asked(trail, chance, lambda: {"camera": None, "person": f"person{chance.randrange(PEOPLE)}"})
        append_s = await seconds(lambda: append(trail, APPENDED))
    plain = await asyncio.to_thread(without_index, path, chance)
    async with (
        open_database(sqlite_url(folder / "own.db")) as database,
        open_trail(database, clock=clock) as trail,
    ):
        await append(trail, 2 * APPENDED)
        verify_s = await seconds(lambda: verified(trail))
    who_ms = percentile(who, 0.95)
    report(
        "audit",
        packages=["sqlalchemy", "aiosqlite"],
        entries=entries,
        who_saw_ms_p95=who_ms,
        who_saw_ms_max=max(who),
        person_saw_ms_p95=percentile(person, 0.95),
        person_saw_ms_max=max(person),
        append_per_s=round(APPENDED / append_s),
        verify_entries_per_s=round(2 * APPENDED / verify_s),
        versus={"without the index (median)": {"value": round(plain, 2), "ratio": round(who_ms / plain, 6)}},
        sqlite=sqlite3.sqlite_version,
    )
    if max(*who, *person) > ANSWER_S * 1000:
        sys.exit(f"an answer took longer than {ANSWER_S} s")


def camera_of(chance: random.Random) -> int:
    """Return a camera to ask about: every fifth question is about the busiest."""
    return 0 if chance.random() < 0.2 else chance.randrange(CAMERAS)


async def asked(trail: Trail, chance: random.Random, about: Callable[[], dict[str, str | None]]) -> list[float]:
    """Return how many milliseconds each question took, its answer read and put together."""
    took = []
    found = 0
    for number in range(QUESTIONS):
        window_s = WINDOWS_S[number % len(WINDOWS_S)]
        start_ns = BEGIN_NS + chance.randrange(YEARS_S - window_s) * NS_PER_S
        who = about()
        began = time.perf_counter()
        page = await trail.seen(
            camera=who["camera"],
            person=who["person"],
            start_ns=start_ns,
            end_ns=start_ns + window_s * NS_PER_S,
            limit=100,
        )
        took.append((time.perf_counter() - began) * 1000)
        found += len(page)
    if not found:
        sys.exit("no question found anything: nothing was measured")
    return took


def without_index(path: Path, chance: random.Random) -> float:
    """Return the median time in ms of "who saw this camera in this hour?" as a scan of the entries."""
    connection = sqlite3.connect(path)
    took = []
    for _ in range(WITHOUT):
        start_ns = BEGIN_NS + chance.randrange(YEARS_S - 3600) * NS_PER_S
        began = time.perf_counter()
        connection.execute(
            "SELECT * FROM audit_entries NOT INDEXED WHERE subject = ? AND from_ns < ? AND to_ns > ? "
            "ORDER BY from_ns DESC, seq DESC LIMIT 100",
            (f"camera{camera_of(chance)}", start_ns + 3600 * NS_PER_S, start_ns),
        ).fetchall()
        took.append((time.perf_counter() - began) * 1000)
    connection.close()
    return percentile(took, 0.5)


async def seconds(work: Callable[[], Awaitable[None]]) -> float:
    """Return how long it takes."""
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def append(trail: Trail, count: int) -> None:
    """Record views through the product, and return once they are on disk."""
    actor = Actor(id="person1", name="Ann Jones", address="10.0.4.17")
    for number in range(count):
        camera = f"camera{number % CAMERAS}"
        trail.note(AuditEvent(action=Action.STILL, actor=actor, subject=camera, details={"stream": "main"}))
    await trail.settled()


async def verified(trail: Trail) -> None:
    """Check the log."""
    found = await trail.verify()
    if not found.sound:
        sys.exit(f"the log is not sound: {found.problems[0]}")


def fill(path: Path, entries: int) -> None:
    """Make a log of so many entries: each view is a beginning and an end."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -262144", "temp_store = FILE"):
        connection.execute(f"PRAGMA {pragma}")
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name LIKE 'audit%' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    views = entries // 2
    lengths = " ".join(f"WHEN {n} THEN {length_s}" for n, length_s in enumerate(LENGTHS_S))
    classes = " ".join(
        f"WHEN {n} THEN {span_class('view.ended', 'done', 0, length_s * NS_PER_S)}"
        for n, length_s in enumerate(LENGTHS_S)
    )
    connection.execute("BEGIN")
    for first in range(0, views, CHUNK):
        connection.execute(
            f"""
            INSERT INTO audit_entries
            WITH RECURSIVE number(i) AS (
                SELECT {first} UNION ALL SELECT i + 1 FROM number WHERE i + 1 < {min(first + CHUNK, views)}
            ), view AS (
                SELECT i, (i * 2654435761) % 4294967296 AS h, {BEGIN_NS} + i * {YEARS_S * NS_PER_S // views} AS at
                FROM number
            ), whose AS (
                SELECT i, at, iif(h % 20 = 0, 0, (h / 32) % {CAMERAS}) AS camera, (h / 1024) % {PEOPLE} AS person,
                CASE (h / 7) % {len(LENGTHS_S)} {lengths} END * {NS_PER_S} AS length,
                CASE (h / 7) % {len(LENGTHS_S)} {classes} END AS class FROM view
            )
            SELECT 2 * i + 1 + side, at + side * length, iif(side, 'view.ended', 'view.started'), 'done',
                'person' || person, 'camera' || camera, 'role:operator', 'span' || i, at, iif(side, at + length, NULL),
                iif(side, class, NULL), '{{"stream":"main"}}', randomblob(32), randomblob(32)
            FROM whose, (SELECT 0 AS side UNION ALL SELECT 1) ORDER BY i, side
            """  # noqa: S608 - ours
        )
    connection.execute(
        "INSERT INTO audit_personal SELECT seq, at_ns, randomblob(16), "
        """'{"actor":"Ann Jones","address":"10.0.4.17","details":"{}","reference":""}' FROM audit_entries"""
    )
    size = 2 * views
    connection.execute("UPDATE audit_tree SET size = ?, edge = ?", (size, b"x" * 32 * size.bit_count()))
    connection.execute("COMMIT")
    for _, statement in indexes:
        connection.execute(statement)
    connection.close()


if __name__ == "__main__":
    main()
