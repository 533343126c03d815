"""Partners, as the control room keeps them: organisations, invitations, who was removed, in Debian's Chromium."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.fakes.browser import chromium
from tests.fakes.console_sharing import Room, sharing_room

pytestmark = pytest.mark.timeout(120)


@pytest_asyncio.fixture(loop_scope="session")
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Give a control room at a desk."""
    async with chromium() as browser, sharing_room(tmp_path, browser) as found:
        yield found


async def test_an_organisation_and_an_invitation_that_is_shown_once(room: Room) -> None:
    """It is added with its network; somebody is invited by link and picture; the code enrols them."""
    panel = await room.panel("partners")
    await panel.locator("#add-organisation").click()
    await panel.get_by_label("Name", exact=True).fill("City of London Police")
    await panel.get_by_label("Networks that they come from").fill("127.0.0.0/8")
    await panel.get_by_role("button", name="Add", exact=True).click()
    await panel.get_by_label("Rank, number and name").fill("DC 9 Jones")
    await panel.get_by_label("User name").fill("dc.9")
    await panel.get_by_role("button", name="Invite", exact=True).click()
    code = await panel.locator("#invitation-code").inner_text()
    assert (await panel.locator("#invitation-link").inner_text()).endswith(f"/watch#join={code}")
    await expect(panel.locator(".invitation .qr")).to_be_visible()
    await panel.locator("#invitation-given").click()
    await expect(panel.locator("#invitation-code")).to_have_count(0)
    await expect(panel.locator("[data-invited='dc.9']")).to_be_visible()
    browser = await room.desk.anybody()
    answer = await browser.post("/api/v1/enrolment", json={"code": code, "password": "four unrelated words here"})
    assert answer.status_code == 201, answer.text


async def test_an_organisation_is_disabled_and_somebody_removed(room: Room) -> None:
    """Disabled, its people are out at once; removed, one of them is no user any more."""
    panel = await room.panel("partners")
    await panel.locator(f"[data-organisation='{room.pc.organisation}'] > button").click()
    await panel.get_by_label("Disabled: they see nothing and cannot sign in").check()
    await panel.get_by_role("button", name="Change it").click()
    await expect(panel.locator(f"[data-organisation='{room.pc.organisation}']")).to_contain_text("disabled")
    assert (await room.pc.browser.get("/api/v1/shares/mine")).status_code == 401
    remove = panel.locator(f"[data-person='{room.pc.id}'] .remove")
    await remove.click()
    await expect(remove).to_have_text("Really?")
    await remove.click()
    await expect(panel.locator(f"[data-person='{room.pc.id}']")).to_have_count(0)
