"""Panels of the control room, which are loaded when somebody wants them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.faces import Open, opening

pytestmark = pytest.mark.timeout(180)


@pytest_asyncio.fixture(loop_scope="session")
async def opened() -> AsyncIterator[Open]:
    """Give a function that opens the console with the gateway in a state; the page must raise nothing."""
    async with opening() as open_:
        yield open_


async def test_a_panel_comes_when_it_is_wanted(opened: Open) -> None:
    """It does not stand before the pictures; one that the gateway did not give says so, and is tried again by a key."""
    page, _ = await opened()
    await expect(page.locator("article[data-state=live]")).to_have_count(6)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.route("**/parts/audit.js", lambda route: route.abort())
    await page.locator("#tab-audit").click()
    told = page.get_by_role("alert").filter(has_text="This panel did not load.")
    await expect(told).to_be_visible()
    await expect(page.locator("article[data-state=live]")).to_have_count(6)
    assert [url.rsplit("/", 1)[1] for url in asked if "/parts/" in url] == ["audit.js"]
    await page.unroute("**/parts/audit.js")
    await page.locator("#panel-again").click()
    await expect(page.locator("sl-audit")).to_contain_text("audit", ignore_case=True)
    await expect(told).to_have_count(0)
