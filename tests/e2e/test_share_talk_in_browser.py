"""What is said between the room and a partner about a share, the stick and notes, in Debian's Chromium."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import WebSocketRoute, expect

from tests.fakes.browser import chromium
from tests.fakes.console_sharing import Room, sharing_room
from tests.fakes.outside import share
from tests.fakes.read_out import read_out

pytestmark = pytest.mark.timeout(120)

SMITH = "PC 1234 Smith"


@pytest_asyncio.fixture(loop_scope="session")
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Give a control room at a desk."""
    async with chromium() as browser, sharing_room(tmp_path, browser) as found:
        yield found


async def test_a_stick_is_lent_and_taken_back_by_one_key_each(room: Room) -> None:
    """G lends to who asks for the selected camera; the tile says to whom and how long; B takes it back."""
    identity = await share(room.desk, room.pc, room.cameras[0], may_ask_for_stick=True)
    await room.select(1)
    await room.ask(identity, room.cameras[0])
    line = room.page.locator(".ask-line")
    await expect(line).to_contain_text(f"{SMITH} (Metropolitan Police) asks for the stick of 1 High Street")
    await expect(line.locator("q")).to_have_text("follow the blue car")
    await room.page.keyboard.press("g")
    lent = room.tile(1).locator(".lent")
    await expect(lent).to_contain_text(f"lent to {SMITH}")
    await expect(lent).to_contain_text("left")
    await expect(line).to_have_count(0)
    await room.page.keyboard.press("b")
    await expect(lent).to_have_count(0)
    for action in ("steer.lent", "steer.taken-back"):
        (entry,) = await room.desk.audit(action)
        assert entry.subject == room.cameras[0]


async def test_a_request_stays_until_it_is_answered(room: Room) -> None:
    """A page loaded anew shows it still, and does not read out its seconds; N says no, and they may ask again."""
    identity = await share(room.desk, room.pc, room.cameras[0], may_ask_for_stick=True)
    await room.ask(identity, room.cameras[0])
    await expect(room.page.locator(".ask-line")).to_be_visible()
    await room.page.reload()
    await expect(room.page.locator(".ask-line")).to_be_visible()
    assert await read_out(room.page, "sl-share-asks") == []
    await room.select(1)
    await room.page.keyboard.press("n")
    await expect(room.page.locator(".ask-line")).to_have_count(0)
    (entry,) = await room.desk.audit("steer.refused")
    assert entry.subject == room.cameras[0]


async def test_a_request_that_is_withdrawn_is_gone(room: Room) -> None:
    """Who asked takes it back, and nobody here lends to somebody who does not want it."""
    identity = await share(room.desk, room.pc, room.cameras[0], may_ask_for_stick=True)
    await room.ask(identity, room.cameras[0])
    await expect(room.page.locator(".ask-line")).to_be_visible()
    await room.pc.browser.delete(f"/api/v1/shares/{identity}/stick")
    await expect(room.page.locator(".ask-line")).to_have_count(0)


async def test_what_is_written_before_the_page_hears_is_there_once_it_does(room: Room) -> None:
    """Between its first look and its open socket nobody tells it: it looks once more then."""
    identity = await share(room.desk, room.pc, room.cameras[0])
    hears = asyncio.Event()

    async def later(socket: WebSocketRoute) -> None:
        await hears.wait()
        socket.connect_to_server()

    await room.page.route_web_socket(re.compile("/api/v1/events$"), later)
    async with room.page.expect_response(re.compile(f"/shares/{identity}/notes$")):
        await room.page.reload()
    await room.pc.browser.post(f"/api/v1/shares/{identity}/notes", json={"text": "Red hatchback"})
    hears.set()
    await expect(room.page.locator(".note-line")).to_contain_text("Red hatchback")


async def test_notes_go_both_ways(room: Room) -> None:
    """What the officer writes stands until it is answered, also on a page loaded anew; *Answer* leads to the field."""
    identity = await share(room.desk, room.pc, room.cameras[0])
    notes = f"/api/v1/shares/{identity}/notes"
    line = room.page.locator(".note-line")
    await room.pc.browser.post(notes, json={"text": "Red hatchback, heading south"})
    await expect(line).to_contain_text("Red hatchback, heading south")
    panel = await room.panel("partners")
    await line.locator("[data-act=answer]").click()
    field = panel.get_by_label("A line to Metropolitan Police")
    await expect(field).to_be_focused()
    await room.page.reload()
    await expect(line).to_contain_text("Red hatchback, heading south")
    await line.locator("[data-act=answer]").click()
    await expect(field).to_be_focused()
    await field.fill("Seen. Camera 2 has it.")
    await expect(line).to_be_visible()
    await field.press("Enter")
    await expect(line).to_have_count(0)
    await expect(panel.locator(".notes li")).to_have_count(2)
    written = (await room.pc.browser.get(notes)).json()
    assert [(note["text"], note["outside"]) for note in written][-1] == ("Seen. Camera 2 has it.", False)
    await room.pc.browser.post(notes, json={"text": "Thank you"})
    await line.locator("[data-act=seen]").click()
    await expect(line).to_have_count(0)
    await room.page.reload()
    await room.panel()
    await expect(panel.locator(".notes li")).to_have_count(3)
    await expect(line).to_have_count(0)
