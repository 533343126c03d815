"""Saying in the console which incident or request one is at work on."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from tests.e2e.faces import Open, opening
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(180)


@pytest_asyncio.fixture(loop_scope="session")
async def opened() -> AsyncIterator[Open]:
    """Give a function that opens the console; the page must raise nothing."""
    async with opening() as open_:
        yield open_


async def _heard(page: Page, *, status: int = 204) -> list[str]:
    """Stand where the gateway takes it, and keep what is said."""
    said: list[str] = []

    async def answer(route: Route) -> None:
        said.append(json.loads(route.request.post_data or "{}")["reference"])
        body = json.dumps({"type": "x", "title": "It was not taken.", "detail": "Say it again.", "status": status})
        await route.fulfill(
            status=status, body=None if status == 204 else body, content_type="application/problem+json"
        )

    await page.route("**/api/v1/session/reference", answer)
    return said


async def test_one_key_and_a_line_say_it(opened: Open) -> None:
    """I, the reference, Enter: it is told, stands in the strip, and the hands are back on the wall."""
    page, _ = await opened()
    said = await _heard(page)
    await expect(page.locator("article[data-state=live]").first).to_be_visible()
    await page.keyboard.press("i")
    await page.keyboard.type("CAD 1234")
    await page.keyboard.press("Enter")
    await until(lambda: said == ["CAD 1234"], what="the reference")
    await expect(page.locator(".topbar .reference[data-set=true] input")).to_have_value("CAD 1234")
    await page.keyboard.press("2")
    await expect(page.locator(".callup-digits")).to_have_text("2")


async def test_what_is_not_taken_is_not_shown(opened: Open) -> None:
    """A refusal is said in its own words, and the line shows what holds."""
    page, _ = await opened()
    await _heard(page, status=503)
    await expect(page.locator("article[data-state=live]").first).to_be_visible()
    await page.keyboard.press("i")
    await page.keyboard.type("CAD 9")
    await page.keyboard.press("Enter")
    await expect(page.locator(".said-space")).to_contain_text("It was not taken.")
    await expect(page.locator(".topbar .reference input")).to_have_value("")


async def test_on_a_phone_it_is_in_the_account(opened: Open) -> None:
    """The strip has no room for it there."""
    page, _ = await opened(phone=True)
    said = await _heard(page)
    await page.locator("#account").click()
    field = page.get_by_label("For").locator("visible=true")
    await field.fill("CAD 5")
    await field.press("Enter")
    await until(lambda: said == ["CAD 5"], what="the reference")
