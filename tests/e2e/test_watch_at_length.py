"""The partner's page where names, titles and references are as long as real ones."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.fakes.outside import officer, organisation, share
from tests.fakes.watching import watched_room

pytestmark = pytest.mark.timeout(180)

TITLE = "Serious assault by a group of men outside the former library in Upper Clapton Road"
REFERENCE = "OPERATION-HEDGEROW-2026/004381"
ROOM = """one => {
  const space = one.getBoundingClientRect();
  const words = document.createRange();
  words.selectNodeContents(one);
  const box = words.getBoundingClientRect();
  return [box.width > 0, box.left >= space.left - 1, box.right <= space.right + 1, box.bottom <= space.bottom + 1];
}"""
"""Whether the words of an element lie in it."""
INSIDE = """one => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
  const [mark, picture] = [one.getBoundingClientRect(), one.parentElement.getBoundingClientRect()];
  done([mark.left >= picture.left - 1, mark.right <= picture.right + 1, mark.bottom <= picture.bottom + 1]);
})))"""
"""Whether an element lies in its parent, once that is drawn."""


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
async def test_what_happened_and_who_looks_are_read_whole(tmp_path: Path, *, phone: bool) -> None:
    """Beside a long title the strip still says what happened; force and reference stand on the picture, uncut."""
    async with watched_room(tmp_path) as room:
        force = await organisation(room.desk, "Bedfordshire, Cambridgeshire and Hertfordshire Major Crime Unit")
        who = await officer(room.desk, force, name="Detective Sergeant Oluwaseun Adebayo-Featherstonehaugh")
        page = await room.page(phone=phone, who=who)
        await expect(page.get_by_role("heading", name="Nothing is shared with you now")).to_be_visible()
        await share(room.desk, who, *room.cameras, stream="main", title=TITLE, reference=REFERENCE)
        # It is said for some seconds.
        await page.wait_for_selector(".said-space:has-text('is shared with you now')")
        said = await page.locator(".strip .said-space").evaluate(ROOM)
        marked = page.locator(".mark span")
        await expect(marked.nth(1)).to_contain_text(REFERENCE)
        lines = [await line.evaluate(ROOM) for line in await marked.all()]
    assert said == [True] * 4
    assert lines == [[True] * 4] * 2


async def test_a_picture_that_becomes_smaller_has_its_mark_at_once(tmp_path: Path) -> None:
    """A window is made small: who looks is on the picture in the next frame, not a second or two later."""
    async with watched_room(tmp_path) as room:
        who = await officer(room.desk)
        page = await room.page(who=who)
        await share(room.desk, who, *room.cameras, stream="main")
        await expect(page.locator(".mark")).to_be_visible()
        # However often: who drags a window's edge takes no mark away.
        for width in range(1270, 600, -50):
            await page.set_viewport_size({"width": width, "height": 420})
            assert await page.locator(".mark").count() == 1
        await page.set_viewport_size({"width": 600, "height": 420})
        inside = await page.locator(".mark").evaluate(INSIDE)
    assert inside == [True] * 3
