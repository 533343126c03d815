"""What several integration tests stand on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.fakes.desk import Desk, open_desk


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway with its administrator signed in and no cameras yet."""
    async with open_desk(tmp_path) as desk:
        yield desk
