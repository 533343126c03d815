"""A share given to a partner's own system in the console, in Debian's Chromium at a desk's size and a phone's."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.fakes.browser import chromium
from tests.fakes.console_sharing import sharing_room
from tests.fakes.outside import share
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
async def test_a_system_is_given_a_share_and_has_it_taken_away(tmp_path: Path, *, phone: bool) -> None:
    """The password is shown once; the address stays; taking it away is one click, and the hosts know it."""
    async with chromium() as browser, sharing_room(tmp_path, browser, phone=phone) as room:
        await share(room.desk, room.pc, room.cameras[0])
        panel = await room.panel()
        await panel.locator("[data-act=more]").click()
        await panel.get_by_placeholder("Which system").fill("VMS 2, north wall")
        await panel.locator("[data-act=make-outlet]").click()
        password = panel.locator("[data-secret=password]")
        await expect(password).not_to_be_empty()
        assert len(await password.inner_text()) >= 32
        (outlet,) = room.desk.host.outlets.values()
        await expect(panel.locator("[data-secret=username]")).to_have_text(outlet.username)
        listed = panel.locator(f"[data-outlet='{outlet.id}']")
        await expect(listed).to_contain_text("VMS 2, north wall")
        await panel.get_by_role("button", name="I have handed it over").click()
        await expect(password).to_have_count(0)
        await expect(listed).to_be_visible()
        wide = await room.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
        await listed.locator("[data-act=remove-outlet]").click()
        await expect(listed).to_have_count(0)
        await until(lambda: not room.desk.host.outlets, what="the host to know")
