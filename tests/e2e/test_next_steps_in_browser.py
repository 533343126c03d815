"""Deployments at the console: who is told that something comes first is led there, past what others wrote at length."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from tests.e2e.faces import Open, opening

pytestmark = pytest.mark.timeout(120)


@pytest_asyncio.fixture(loop_scope="session")
async def opened() -> AsyncIterator[Open]:
    """Give a function that opens the console; the page must raise nothing."""
    async with opening() as open_:
        yield open_


@pytest.mark.parametrize("phone", [False, True])
async def test_the_photo_that_comes_first_is_a_click_away(opened: Open, *, phone: bool) -> None:
    """Of a withdrawn deployment whose signs hang: the step is open, and leads to the photo of the place without one."""
    page, _ = await opened("deployments-withdrawn", phone=phone)
    await page.click("#tab-deployments")
    await page.locator("#deployments-due").get_by_text("Dumped scooters").click()
    await expect(page.locator("form#signs-down")).to_be_visible()
    await page.get_by_role("button", name="Send the photo").click()
    await expect(page.get_by_label("What it shows")).to_have_value("sign-down")
    await expect(page.get_by_label("JPEG or PNG, as it was made")).to_be_focused()
    await expect(page.get_by_label("JPEG or PNG, as it was made")).to_be_in_viewport()


async def test_what_is_written_at_length_does_not_push_the_rest_away(opened: Open) -> None:
    """A problem told in forty sentences shows its beginning, and all of it by a click."""
    page, _ = await opened("deployments-withdrawn")
    await page.click("#tab-deployments")
    await page.locator("#deployments-due").get_by_text("Dumped scooters").click()
    problem = page.locator(".dep-facts > div").filter(has_text="Problem")
    await expect(problem).to_contain_text("Scooters are left on the towpath.")
    await expect(problem).to_contain_text("…")
    shut = await problem.evaluate("one => one.offsetHeight")
    await problem.get_by_text("All of it").click()
    await expect(problem.get_by_text("Less of it")).to_be_visible()
    assert await problem.evaluate("one => one.offsetHeight") > 3 * shut


async def test_what_was_recorded_when_it_was_down_is_deleted_by_two_clicks(opened: Open) -> None:
    """How long that was is told; the first click asks, the second deletes, and what goes wrong is said there."""
    page, borough = await opened("deployments-withdrawn")
    answers = [(503, {"type": "footage.unreadable", "title": "A disk is away.", "cure": "See to it.", "status": 503})]
    asked: list[str] = []

    async def late(route: Route) -> None:
        known = await (await route.fetch()).json()
        known["recorded_when_down"] = [{"start": borough.iso(-7200), "end": borough.iso(-4500)}]
        await route.fulfill(json=known)

    async def erase(route: Route) -> None:
        asked.append(route.request.method)
        status, body = answers.pop(0)
        await route.fulfill(status=status, body=json.dumps(body), content_type="application/problem+json")

    await page.route("**/api/v1/deployments/d5", late)
    await page.route("**/api/v1/deployments/d5/erasure", erase)
    await page.click("#tab-deployments")
    await page.locator("#deployments-due").get_by_text("Dumped scooters").click()
    await expect(page.locator(".dep-facts")).to_contain_text("45 min from")
    delete = page.locator("[data-act=erasure]")
    await delete.click()
    await expect(delete).to_have_text("Really delete it")
    assert asked == []
    await delete.click()
    await expect(page.locator("#said-erasure")).to_contain_text("A disk is away.")
    assert asked == ["POST"]
