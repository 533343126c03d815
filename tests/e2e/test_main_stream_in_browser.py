"""The main stream of a unit, asked for from the control room, in Debian's Chromium."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.deployments_room import DeploymentsRoom, deployments_room
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(120)


@pytest_asyncio.fixture(loop_scope="session")
async def room(tmp_path: Path) -> AsyncIterator[DeploymentsRoom]:
    """Give a control room with a unit."""
    async with deployments_room(tmp_path, phone=False) as found:
        yield found


async def test_an_operator_takes_the_main_stream_for_ten_minutes(room: DeploymentsRoom) -> None:
    """The panel says that sub stands for it; one click takes it, says for how long yet, and another ends it."""
    told, camera = room.desk.host.assignments, room.deploying.camera
    await room.team.tab("steer")
    row = room.team.page.locator("sl-main-stream")
    await expect(row).to_contain_text("not taken: it comes over a SIM, and sub stands for it")
    await row.get_by_role("button", name="Take it for 10 minutes").click()
    await expect(row).to_contain_text("yet")
    await until(lambda: not told[camera].small_only, what="both streams")
    await row.get_by_role("button", name="Enough").click()
    await expect(row).to_contain_text("not taken")
    await until(lambda: told[camera].small_only, what="sub alone")
