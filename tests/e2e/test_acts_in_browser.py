"""Acts that take two people, the broken glass and holds, in Debian's Chromium before a real gateway, at two sizes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, Route, expect

from kernel.clock import SystemClock
from tests.e2e.acts_room import Room, acts_room, panel
from tests.fakes.desk import PASSWORD
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(180)

RANGE = {"start": "2026-09-01T12:00:00Z", "end": "2026-09-01T13:00:00Z"}


@pytest_asyncio.fixture(loop_scope="session", params=["desk", "phone"])
async def room(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Room]:
    """Give a gateway at which two acts take two people, and browsers of either size."""
    async with acts_room(tmp_path, phone=request.param == "phone") as room:
        yield room


async def placed(room: Room) -> None:
    """Have a hold on the first camera."""
    wish = {**RANGE, "reason": "Robbery at the kiosk", "authority": "DC Ames", "reference": "CAD 4711"}
    answer = await room.desk.admin.post(f"/api/v1/cameras/{room.cameras[0]}/holds", json=wish)
    assert answer.status_code == 201, answer.text


async def asked(page: Page, reason: str = "The case is closed") -> Locator:
    """Release the only hold, as far as the second person; return the card that waits."""
    body = await panel(page, "holds")
    await body.get_by_role("button", name="Release").click()
    await body.get_by_role("button", name="Really release?").click()
    card = page.locator("[data-asking=reason]")
    await expect(card).to_contain_text("High Street")
    await card.get_by_label("Why is it to be done?").fill(reason)
    await card.get_by_role("button", name="Ask").click()
    waiting = page.locator("[data-asking=waiting]")
    await expect(waiting).to_contain_text("A second person must agree.")
    return waiting


async def export(page: Page) -> None:
    """Mark a range on the timeline, with two clicks."""
    await expect(page.locator("article[data-camera-number='1']")).to_be_visible()
    await page.keyboard.press("e")
    await expect(page.locator(".timeline")).to_have_attribute("data-exporting", "true")
    for x in (100, 200):
        await page.locator(".track").click(position={"x": x, "y": 20})


async def test_a_stretch_is_held_from_the_timeline(room: Room) -> None:
    """H, a reason, by whose word: it is kept, marked on the timeline, listed, and on record.

    The hands are on the reason once the panel has come, however slowly it is loaded.
    """
    page = await room.open("root")
    may_come = asyncio.Event()

    async def slowly(route: Route) -> None:
        await may_come.wait()
        await route.continue_()

    await page.route("**/parts/holds.js", slowly)
    await page.keyboard.press("h")
    await expect(page.locator("#panel-body")).to_contain_text("Loading")
    may_come.set()
    await expect(page.locator("#hold-reason")).to_be_focused()
    await expect(page.locator(".range.holding")).to_be_visible()
    await page.get_by_label("Why it must be kept").fill("Robbery at the kiosk")
    await page.get_by_label("On whose authority").fill("DC Ames, Met")
    await page.get_by_label("Incident or request").fill("CAD 4711")
    await page.get_by_role("button", name="Hold it").click()
    await expect(page.locator(".lane .held")).to_have_attribute("title", "Held: CAD 4711: Robbery at the kiosk")
    await expect(page.locator("[data-hold]")).to_contain_text("On the authority of DC Ames, Met. Held by Root")
    await expect(page.locator(".range.holding")).to_have_count(0)
    (held,) = room.desk.host.holds.values()
    assert (held.camera, held.authority) == (room.cameras[0], "DC Ames, Met")
    assert held.end_ns - held.start_ns > 10 * 60 * 10**9


async def test_a_hold_that_is_half_filled_stays_what_it_was(room: Room) -> None:
    """Esc stops, and closes an empty form only; another tile or panel takes neither its words nor its camera."""
    page = await room.open("root")
    await page.keyboard.type("9")
    await page.keyboard.press("Enter")
    await expect(page.locator(".said-space")).to_have_text("There is no camera 9.")
    await page.click("[data-layout='4']")
    first, second = (page.locator(f"article[data-camera-number='{number}']") for number in (1, 2))
    await first.locator(".tile-head .name").click()
    form, reason = page.locator("#hold-form"), page.get_by_label("Why it must be kept")
    await page.keyboard.press("h")
    await expect(reason).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(form).to_have_count(0)
    await page.keyboard.press("h")
    await reason.fill("Robbery at the kiosk")
    await page.keyboard.press("Escape")
    await expect(reason).to_have_value("Robbery at the kiosk")
    await second.locator(".tile-head .name").click()
    await expect(second).to_have_attribute("data-selected", "true")
    await expect(page.locator(".range.holding")).to_have_count(0)
    await panel(page, "find")
    await page.keyboard.press("h")
    await expect(page.locator(".said-space")).to_contain_text("The hold of camera 1 is not placed yet.")
    await expect(page.locator("#panel-body h3").first).to_contain_text("Hold of 1 High Street")
    await expect(reason).to_have_value("Robbery at the kiosk")
    await page.get_by_role("button", name="Hold it").click()
    await until(lambda: bool(room.desk.host.holds), what="the hold")
    (held,) = room.desk.host.holds.values()
    assert (held.camera, held.reason) == (room.cameras[0], "Robbery at the kiosk")


async def test_a_hold_that_is_due_is_counted_and_kept(room: Room) -> None:
    """The tab says how many; one press puts the review off by a month."""
    await placed(room)
    (held,) = room.desk.host.holds.values()
    room.desk.host.holds[held.id] = held.model_copy(update={"review_ns": 1})
    page = await room.open("root")
    await expect(page.locator("#tab-holds .badge")).to_have_text("1")
    body = await panel(page, "holds")
    await expect(body.locator("[data-due=true]")).to_contain_text("Review due since")
    await body.get_by_role("button", name="Still needed").click()
    await expect(body.locator("[data-due=true]")).to_have_count(0)
    await expect(page.locator("#tab-holds .badge")).to_have_count(0)


async def test_two_people_release_a_hold(room: Room) -> None:
    """The first is asked why and waits; the second reads what, where and why, and agrees; it is done by itself."""
    await placed(room)
    await room.desk.person("supervisor", "sue")
    first, second = await room.open("root"), await room.open("sue")
    await asked(first)
    await expect(first.locator("[data-asking]")).to_contain_text("Sue may agree, and is signed in now.")
    await expect(second.locator("#tab-approvals .badge")).to_have_text("1")
    body = await panel(second, "approvals")
    for words in (
        "Release a hold",
        "root asks",
        "1 High Street",
        "CAD 4711: Robbery at the kiosk",
        "The case is closed",
    ):
        await expect(body).to_contain_text(words)
    await body.get_by_role("button", name="Agree").click()
    await until(lambda: not room.desk.host.holds, what="the release")
    await expect(first.locator("[data-asking]")).to_have_count(0)
    await expect((await panel(first, "holds")).get_by_text("Nothing is held")).to_be_visible()
    await expect(body).to_contain_text("Nothing is waiting.")
    (given,) = await room.desk.audit("approval.given")
    assert given.actor == "sue"


async def test_a_refusal_is_said_with_its_reason(room: Room) -> None:
    """The card stays until it is put away, and nothing was done."""
    await placed(room)
    await room.desk.person("supervisor", "sue")
    first, second = await room.open("root"), await room.open("sue")
    await asked(first)
    body = await panel(second, "approvals")
    await body.get_by_role("button", name="Refuse…").click()
    await body.get_by_label("Why not?").fill("The appeal is open")
    await body.get_by_role("button", name="Refuse", exact=True).click()
    card = first.locator("[data-asking=over]")
    await expect(card).to_contain_text("sue refused: The appeal is open")
    await card.get_by_role("button", name="Dismiss").click()
    await expect(card).to_have_count(0)
    assert len(room.desk.host.holds) == 1


async def test_what_was_asked_for_is_withdrawn_and_never_approved_by_oneself(room: Room) -> None:
    """One's own request is in the list with a sentence in place of the buttons."""
    await placed(room)
    page = await room.open("root")
    waiting = await asked(page)
    await expect(waiting).to_contain_text("Nobody else here may agree to it.")
    body = await panel(page, "approvals")
    await expect(body).to_contain_text("You asked for this yourself.")
    await expect(body.get_by_role("button", name="Agree")).to_have_count(0)
    await waiting.get_by_role("button", name="Withdraw").click()
    await expect(page.locator("[data-asking]")).to_have_count(0)
    await expect(body).to_contain_text("Nothing is waiting.")
    assert len(await room.desk.audit("approval.withdrawn")) == 1
    assert len(room.desk.host.holds) == 1


async def test_who_asks_again_after_a_reload_goes_on(room: Room) -> None:
    """What was approved while the page was away is used as soon as the same is asked for."""
    await placed(room)
    sue = await room.desk.person("supervisor", "sue")
    page = await room.open("root")
    await asked(page)
    await page.reload()
    (one,) = (await sue.get("/api/v1/approvals")).json()
    assert (await sue.post(f"/api/v1/approvals/{one['id']}/allowance")).status_code == 204
    body = await panel(page, "holds")
    await body.get_by_role("button", name="Release").click()
    await body.get_by_role("button", name="Really release?").click()
    await until(lambda: not room.desk.host.holds, what="the release")


async def test_who_agrees_proves_who_they_are(room: Room) -> None:
    """The password is asked for at the moment it is needed, and the agreement then goes through by itself."""
    await placed(room)
    await room.desk.person("supervisor", "sue")
    first, second = await room.open("root"), await room.open("sue")
    await asked(first)
    body = await panel(second, "approvals")
    async with room.desk.gateway.database.write() as connection:
        await connection.exec_driver_sql(
            "UPDATE sessions SET confirmed_ns = 0 WHERE user_id = (SELECT id FROM users WHERE username = 'sue')"
        )
    await body.get_by_role("button", name="Agree").click()
    dialog = second.get_by_role("dialog")
    await dialog.get_by_label("Password", exact=True).fill(PASSWORD)
    await second.keyboard.press("Enter")
    await until(lambda: not room.desk.host.holds, what="the release")


async def test_two_people_export_a_clip(room: Room) -> None:
    """Two clicks on the timeline, a reason, an agreement: the download begins by itself."""
    sue = await room.desk.person("supervisor", "sue")
    page = await room.open("root")
    await export(page)
    card = page.locator("[data-asking=reason]")
    await card.get_by_label("Why is it to be done?").fill("Request 7 of the Met")
    async with page.expect_download() as download:
        await card.get_by_role("button", name="Ask").click()
        await expect(page.locator("[data-asking=waiting]")).to_be_visible()
        (one,) = (await sue.get("/api/v1/approvals")).json()
        assert (one["act"], one["reason"]) == ("export.clip", "Request 7 of the Met")
        assert (await sue.post(f"/api/v1/approvals/{one['id']}/allowance")).status_code == 204
    assert (await download.value).suggested_filename.startswith("camera-")
    (exported,) = await room.desk.audit("export.clip")
    assert "approved:" in exported.rule


async def test_a_wallboard_only_views(room: Room) -> None:
    """No key does anything but show: nothing is steered, held, exported, played back or opened; the API says locked."""
    page = await room.open("root")
    await page.locator("#account").click()
    await page.locator("#make-wall").click()
    await expect(page.locator("#unlock")).to_be_visible()
    # What the page had asked before has come before this.
    await page.evaluate("fetch('/api/v1/session').then((answer) => answer.text())")
    asked = len(room.desk.host.asked)
    for key in ("e", "h", "r", "s", "w", "t", "p", "1", "Enter", "ArrowLeft", "+", "Home", "?", "/", "["):
        await page.keyboard.press(key)
    await expect(page.locator(".side")).to_be_hidden()
    await expect(page.locator("sl-timeline")).to_be_hidden()
    await expect(page.locator(".notice")).to_have_count(0)
    await expect(page.locator("article[data-state=replay]")).to_have_count(0)
    beyond = [one for one in room.desk.host.asked[asked:] if "/live" not in one and not one.endswith("/presets")]
    assert beyond == []
    timeline = f"cameras/{room.cameras[0]}/timeline?start={SystemClock().wall_ns()}"
    paths = ("holds", "approvals", "users", "audit", timeline)
    for path in paths:
        status = await page.evaluate("(path) => fetch(`/api/v1/${path}`).then((answer) => answer.status)", path)
        assert (path, status) == (path, 403)
