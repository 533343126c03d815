"""The partner's page where names, titles and references are as long as real ones."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.fakes.outside import officer, organisation, share
from tests.fakes.watching import watched_room

pytestmark = pytest.mark.timeout(180)
expect.set_options(timeout=30_000)

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
