"""Who saw this camera, what did this person see: asked in Debian's Chromium by filling in two short forms."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.e2e.faces import Open, opening
from tests.fakes.console_record import ERASED, GONE
from tests.fakes.console_state import FakeBorough
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(180)


@pytest_asyncio.fixture(loop_scope="session")
async def opened() -> AsyncIterator[Open]:
    """Give a function that opens the console with the gateway in a state; the page must raise nothing."""
    async with opening() as open_:
        yield open_


async def asking(opened: Open) -> tuple[Page, FakeBorough]:
    """Open the console's audit."""
    page, borough = await opened()
    await page.locator("#tab-audit").click()
    await expect(page.locator("#who-saw")).to_be_visible()
    return page, borough


async def test_who_saw_a_camera_is_asked_by_its_number(opened: Open) -> None:
    """Each answer says who, from when to when, by which rule and what for; the next page goes on from it."""
    page, borough = await asking(opened)
    await page.locator("#who-saw-number").fill("1")
    await page.locator("#who-saw-from").fill("2026-05-01T12:00")
    await page.locator("#who-saw-to").fill("2026-05-01T13:00")
    await page.locator("#who-saw .primary").click()
    found = page.locator("#seen li")
    await expect(found).to_have_count(1)
    for text in ("Mary Okafor", "watched", "still going on", "by role operator", "INC-2026-0007"):
        await expect(found).to_contain_text(text)
    await page.locator("#seen-earlier").click()
    await expect(found).to_have_count(2)
    for text in ("person abcdef", "by the share “Robbery, High Street”"):
        await expect(found.last).to_contain_text(text)
    await expect(page.locator("#seen-earlier")).to_have_count(0)
    asked, further = borough.audit_asked
    assert asked["camera"] == borough.cameras[0]["id"]
    assert further == asked | {"before": "1.2"}


async def test_what_a_person_saw_is_asked_by_choosing_them(opened: Open) -> None:
    """Everybody on record can be chosen, also whose name was erased; the times are there already."""
    page, borough = await asking(opened)
    await page.locator("#person-saw-person").select_option(label="person abcdef")
    await page.locator("#person-saw .primary").click()
    await expect(page.locator("#seen li")).to_have_count(1)
    await expect(page.locator("#seen-question")).to_contain_text("What person abcdef saw, ")
    (asked,) = borough.audit_asked
    assert asked["person"] == ERASED
    assert asked["start"] < asked["end"]
    # Another question takes the answer away; what is empty is said as it was asked.
    await page.locator("#person-saw-person").select_option(label="Mary Okafor")
    await page.locator("#person-saw .primary").click()
    await expect(page.get_by_text("Mary Okafor saw nothing in that time.")).to_be_visible()
    await expect(page.locator("#seen")).to_have_count(0)


async def test_a_camera_that_was_removed_is_asked_about(opened: Open) -> None:
    """By the number that it had, or by its identifier."""
    page, borough = await asking(opened)
    for given in ("77", GONE):
        await page.locator("#who-saw-number").fill(given)
        await page.locator("#who-saw .primary").click()
        await expect(page.locator("#seen-question")).to_contain_text("Who saw camera 77 Old Pier (removed), ")
        await expect(page.locator("#seen li")).to_contain_text("77 Old Pier (removed)")
    assert [asked["camera"] for asked in borough.audit_asked] == [GONE, GONE]


async def test_the_record_says_what_was_done_to_whom(opened: Open) -> None:
    """With its details in words, by which rule and for what; it is narrowed, and goes on to what was before."""
    page, borough = await asking(opened)
    rows = page.locator("#record > li")
    await expect(rows).to_have_count(24)
    for text in (
        "gave a right",
        "user person abcdef",
        "role Viewer",
        "reason Night shift",
        "by role operator",
        "for INC-2026",
    ):
        await expect(rows.nth(0)).to_contain_text(text)
    await expect(rows.nth(1)).to_contain_text("made a share “Robbery, High Street”")
    await expect(rows.nth(1)).to_contain_text("stills no")
    await expect(rows.nth(2)).to_contain_text("removed camera 77 Old Pier (removed)")
    await page.locator("#record-earlier").click()
    await expect(rows).to_have_count(25)
    await expect(page.locator("#record-earlier")).to_have_count(0)
    await page.locator("#audit-action").select_option("export.clip")
    await page.locator("#audit-person").select_option(label="Mary Okafor")
    # The kind alone leaves as many rows.
    narrowed = {"limit": "100", "action": "export.clip", "actor_id": "u1"}
    await until(lambda: borough.record_asked[-1] == narrowed, what="the question about both")
    await expect(rows).to_have_count(4)
    await page.locator("#audit-person").select_option(label="person abcdef")
    await expect(page.get_by_text("Nothing of the kind is on record.")).to_be_visible()


async def test_the_record_is_narrowed_to_a_time(opened: Open) -> None:
    """Who looks for what was done last Tuesday does not page there; it is asked for once, by the button."""
    page, borough = await asking(opened)
    rows = page.locator("#record li")
    await expect(rows).to_have_count(24)
    await page.get_by_label("When it was done").get_by_label("From").fill("2020-03-01T08:00")
    await page.get_by_label("When it was done").get_by_label("To").fill("2020-03-01T18:00")
    await page.get_by_role("button", name="Show that time").click()
    await expect(page.get_by_text("Nothing of the kind is on record.")).to_be_visible()
    # Not by how many were asked in all: the page asks for its other lists when it gets to it.
    (told,) = [one for one in borough.record_asked if "start" in one or "end" in one]
    local = "value => new Date(value).toISOString()"
    assert told["start"] == await page.evaluate(local, "2020-03-01T08:00")
    assert told["end"] == await page.evaluate(local, "2020-03-01T18:00")
    await page.get_by_label("When it was done").get_by_label("To").fill("")
    await page.get_by_role("button", name="Show that time").click()
    await expect(rows).to_have_count(24)
    assert "end" not in borough.record_asked[-1]


async def test_an_answer_is_saved_as_csv(opened: Open) -> None:
    """One button saves the whole answer."""
    page, borough = await asking(opened)
    await page.locator("#who-saw-number").fill("1")
    async with page.expect_download() as saving:
        await page.locator("#who-saw [data-csv]").click()
    download = await saving.value
    assert download.suggested_filename.startswith("seen-")
    assert download.suggested_filename.endswith(".csv")
    (asked,) = borough.audit_asked
    assert asked["camera"] == borough.cameras[0]["id"]


async def test_a_camera_that_is_none_is_said_to_be_none(opened: Open) -> None:
    """Nothing is asked."""
    page, borough = await asking(opened)
    await page.locator("#who-saw-number").fill("999")
    await page.locator("#who-saw .primary").click()
    await expect(page.get_by_role("alert")).to_contain_text("There is no camera 999.")
    assert borough.audit_asked == []
