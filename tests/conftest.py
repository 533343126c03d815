"""Rules every test stands under: no blocked event loop, no leftover task, a clock that can be turned."""

import asyncio
import gc
import shutil
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from argon2.profiles import CHEAPEST
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import settings

from gateway.db import engine
from tests.fakes.clock import ManualClock

# A test never asserts a timing: on a busy machine hypothesis's own deadline would.
settings.register_profile("sightline", deadline=None)
settings.load_profile("sightline")

OUR_ROOMS = ["kernel", "config", "ptz", "recording", "drivers", "gateway"]


def pytest_collection_finish() -> None:
    """Have the collector of garbage leave alone what stays to the end: every module, and all tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_blocking() -> Iterator[BlockBuster]:
    """Fail a test in which our code blocks the event loop."""
    with blockbuster_ctx(scanned_modules=OUR_ROOMS) as blockbuster:
        yield blockbuster


@pytest_asyncio.fixture(autouse=True)
async def no_leftover_tasks() -> AsyncIterator[None]:
    """Fail a test that leaves a task running."""
    before = asyncio.all_tasks()
    yield
    left = {task for task in asyncio.all_tasks() - before if not task.done()} - {asyncio.current_task()}
    assert not left, f"left running: {left}"


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    """Hash passwords weakly in this process: most tests sign somebody in, and nobody guesses at theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.access.passwords.STRENGTH", CHEAPEST)
        yield


@pytest.fixture(autouse=True, scope="session")
def quick_tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Migrate one empty database in this process; every other new one is opened as a copy of it.

    Fifteen migrations take longer than most tests that need their tables. A database that is there is migrated as ever.
    """
    empty = tmp_path_factory.mktemp("tables") / "empty.db"
    migrate = engine.migrate
    migrate(engine.sqlite_url(empty))

    def copied(url: str) -> None:
        path = engine.sqlite_path(url)
        if url.startswith("sqlite") and path.parent.is_dir() and not path.exists():
            shutil.copyfile(empty, path)
        migrate(url)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "migrate", copied)
        yield


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that stands."""
    return ManualClock()
