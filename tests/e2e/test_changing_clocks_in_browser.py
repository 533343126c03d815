"""Times typed about nights on which clocks change: of an hour that comes twice either can be meant, none is guessed."""

import re
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.e2e.faces import Open, opening
from tests.fakes.console_state import FakeBorough

pytestmark = pytest.mark.timeout(90)

# A busy machine is slow, and slowness is no fault here.


@pytest_asyncio.fixture(loop_scope="session")
async def opened() -> AsyncIterator[Open]:
    """Give a function that opens the console with the gateway in a state; the page must raise nothing."""
    async with opening() as open_:
        yield open_


async def in_london(opened: Open) -> tuple[Page, FakeBorough]:
    """Open the console where clocks go back on 25 October 2026, and forward on 29 March."""
    return await opened(timezone="Europe/London")


async def searching(opened: Open) -> tuple[Page, list[dict[str, list[str]]]]:
    """Open the search of recordings with an area, and return what will be asked."""
    page, _ = await in_london(opened)
    asked: list[dict[str, list[str]]] = []
    page.on(
        "request",
        lambda sent: asked.append(parse_qs(urlsplit(sent.url).query)) if "/api/v1/footage?" in sent.url else None,
    )
    await page.locator("#tab-find").click()
    await page.locator("#footage > summary").click()
    await page.locator("#footage-view").click()
    await expect(page.locator("#footage-form")).to_contain_text("The area is on the map.")
    return page, asked


async def search(page: Page, start: str, end: str) -> Locator:
    """Type two times, and press the button; return what is asked about them."""
    await page.locator("#footage-start").fill(start)
    await page.locator("#footage-end").fill(end)
    await page.locator("#footage-form .primary").click()
    return page.locator("#footage-form select")


async def test_either_of_an_hour_that_comes_twice_is_searched(opened: Open) -> None:
    """Half past one by summer time, to a quarter to two by winter time: an hour and a quarter. None is guessed."""
    page, asked = await searching(opened)
    which = await search(page, "2026-10-25T01:30", "2026-10-25T01:45")
    await expect(which).to_have_count(2)
    await page.get_by_label("Which one").first.select_option(label="01:30 BST, before the clocks go back")
    await page.locator("#footage-form .primary").click()
    assert asked == []
    await which.last.select_option(label="01:45 GMT, after the clocks go back")
    await page.locator("#footage-form .primary").click()
    await expect(page.locator("#footage-found, #footage [role=status]").last).to_be_visible()
    (query,) = asked
    assert (query["start"], query["end"]) == (["2026-10-25T00:30:00.000Z"], ["2026-10-25T01:45:00.000Z"])


async def test_nothing_is_asked_about_a_time_that_comes_once(opened: Open) -> None:
    """The last minute before that hour, and the first after it, of the same night."""
    page, asked = await searching(opened)
    async with page.expect_response("**/api/v1/footage?*"):
        which = await search(page, "2026-10-25T00:59", "2026-10-25T02:00")
    await expect(which).to_have_count(0)
    (query,) = asked
    assert (query["start"], query["end"]) == (["2026-10-24T23:59:00.000Z"], ["2026-10-25T02:00:00.000Z"])


async def test_an_hour_that_there_is_not_is_refused_in_words(opened: Open) -> None:
    """It is not taken for the one after it; another time is."""
    page, asked = await searching(opened)
    await search(page, "2026-03-29T01:30", "2026-03-29T03:00")
    refused = page.locator("#footage-form [role=alert]")
    await expect(refused).to_contain_text("There was no 01:30 on Sun 29 Mar: the clocks go forward over it.")
    assert asked == []
    async with page.expect_response("**/api/v1/footage?*"):
        await search(page, "2026-03-29T00:30", "2026-03-29T03:00")
    await expect(refused).to_have_count(0)
    assert asked[0]["start"] == ["2026-03-29T00:30:00.000Z"]


async def test_the_audit_asks_which_hour_too(opened: Open) -> None:
    """One field serves every form in which a time is typed."""
    page, borough = await in_london(opened)
    await page.locator("#tab-audit").click()
    await page.locator("#who-saw-number").fill("1")
    await page.locator("#who-saw-from").fill("2026-10-25T01:30")
    await page.locator("#who-saw-to").fill("2026-10-25T03:00")
    await page.locator("#who-saw-from-which").select_option(label="01:30 GMT, after the clocks go back")
    await page.locator("#who-saw .primary").click()
    await expect(page.locator("#seen li")).to_have_count(1)
    assert borough.audit_asked[0]["start"] == "2026-10-25T01:30:00.000Z"


NEW_FIELD = """async () => {
  await import("/static/app/parts/instant.js");
  const one = Object.assign(document.createElement("sl-instant"), { field: "one", name: "one", seconds: true });
  document.querySelector("main, body").append(one);
  window.one = one;
}"""


async def test_an_instant_that_is_put_there_is_shown_as_the_one_that_it_is(opened: Open) -> None:
    """Put there it is not asked about; what is put there after somebody typed is what counts."""
    page, _ = await in_london(opened)
    await page.evaluate(NEW_FIELD)
    field, which, said = page.locator("#one"), page.locator("#one-which"), page.locator("input[name=one]")
    summer, winter, later = ("2026-10-25T00:30:07Z", "2026-10-25T01:30:07Z", "2026-10-26T12:00:01Z")
    for iso, words in ((summer, "01:30 BST"), (winter, "01:30 GMT")):
        ms = await page.evaluate("(iso) => one.value = Date.parse(iso)", iso)
        await expect(which.locator("option:checked")).to_contain_text(words)
        await expect(field).to_have_value("2026-10-25T01:30:07")
        await expect(said).to_have_value(str(ms))
    await field.fill("2026-10-26T12:00:01")
    await expect(which).to_have_count(0)
    for iso in (later, winter):
        ms = await page.evaluate("(iso) => one.value = Date.parse(iso)", iso)
        await expect(said).to_have_value(str(ms))
    await expect(field).to_have_value("2026-10-25T01:30:07")


async def test_half_a_time_is_not_taken_away(opened: Open) -> None:
    """Who clears a part of it to type another finds the rest where it was."""
    page, _ = await in_london(opened)
    await page.evaluate(NEW_FIELD)
    field, said = page.locator("#one"), page.locator("input[name=one]")
    await field.fill("2026-11-11T14:03:27")
    await field.focus()
    await page.keyboard.press("Backspace")
    await expect(said).to_have_value("")
    await page.keyboard.type("12")
    # Month or day, by where the browser is at home.
    await expect(field).to_have_value(re.compile("^2026-(12-11|11-12)T14:03:27$"))
