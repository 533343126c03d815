"""Breaking the glass and being told of it, in Debian's Chromium before a real gateway, at two sizes."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.e2e.acts_room import Room, acts_room, panel
from tests.fakes.read_out import read_out

pytestmark = pytest.mark.timeout(180)
REASON = "Stabbing at the station, nobody here who may"


@pytest_asyncio.fixture(loop_scope="session", params=["desk", "phone"])
async def room(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Room]:
    """Give a gateway with two cameras, and browsers of either size."""
    async with acts_room(tmp_path, phone=request.param == "phone") as room:
        yield room


async def on_duty(room: Room) -> str:
    """Add a member who sees both cameras and may break the glass; return the grant that shows the second one."""
    desk = room.desk
    client = await desk.person("member", "mo")
    me = (await client.get("/api/v1/session")).json()["user"]["id"]
    duty = await desk.admin.post("/api/v1/roles", json={"name": "Duty officer", "permissions": ["break_glass"]})
    await desk.admin.post("/api/v1/grants", json={"role": duty.json()["id"], "user": me})
    grants = []
    for number, camera in enumerate(room.cameras):
        group = await desk.admin.post("/api/v1/groups", json={"name": f"Group {number}", "cameras": [camera]})
        grant = await desk.admin.post(
            "/api/v1/grants", json={"role": "viewer", "user": me, "group": group.json()["id"]}
        )
        grants.append(grant.json()["id"])
    return str(grants[1])


async def test_the_glass_is_broken_from_a_refused_tile_and_ended_by_a_supervisor(room: Room) -> None:
    """A reason long enough, a banner with the time left, the picture; and supervisors hear of it until they say so."""
    grant = await on_duty(room)
    await room.desk.person("supervisor", "sue")
    page, watching = await room.open("mo"), await room.open("sue")
    await page.click("[data-layout='4']")
    station = page.locator(f"[data-camera-id='{room.cameras[1]}']")
    await expect(station).to_have_attribute("data-state", "live")
    assert (await room.desk.admin.delete(f"/api/v1/grants/{grant}")).status_code == 204
    refused = page.locator("article.refused")
    await expect(refused).to_contain_text("You may not see this camera.")
    await refused.get_by_role("button", name="Break the glass…").click()
    reason = page.get_by_label("What has happened, and why can it not wait?")
    await reason.fill("Stabbing")
    form = page.locator("#glass-form")
    await expect(form).to_contain_text("2 more characters.")
    await expect(form.get_by_role("button", name="Break the glass")).to_be_disabled()
    await reason.fill("Stabbing at the station, nobody here who may")
    await form.get_by_role("button", name="Break the glass").click()
    banner = page.locator("[data-glass=own]")
    await expect(banner).to_contain_text("Every camera is open to you until")
    await expect(banner.locator("time")).to_contain_text("14 min")
    await expect(station).to_have_attribute("data-state", "live")

    alarm = watching.locator("[data-glass=other]")
    await expect(alarm).to_contain_text("Mo broke the glass")
    await expect(alarm).to_contain_text("Stabbing at the station, nobody here who may")
    await watching.reload()
    await expect(alarm).to_be_visible()
    await alarm.get_by_role("button", name="I have seen it").click()
    await expect(alarm).to_have_count(0)
    await watching.reload()
    body = await panel(watching, "approvals")
    await expect(body).to_contain_text("every camera")
    await expect(alarm).to_have_count(0)
    (seen,) = await room.desk.audit("access.glass-acknowledged")
    assert seen.actor == "sue"
    await body.get_by_role("button", name="End it").click()
    await expect(banner).to_have_count(0)
    await expect(refused).to_be_visible()
    (closed,) = await room.desk.audit("access.glass-closed")
    assert closed.actor == "sue"


async def test_one_ends_ones_own_glass(room: Room) -> None:
    """From the banner, before its time is over; it is still there after a reload, and its seconds are not read out."""
    await on_duty(room)
    page = await room.open("mo")
    await page.keyboard.type("9")
    await page.keyboard.press("Enter")
    await expect(page.locator(".said-space")).to_have_text("There is no camera 9 among those that you may see.")
    await page.locator("#account").click()
    await page.get_by_label("What has happened, and why can it not wait?").fill("A test of the emergency button")
    await page.get_by_label("For how many minutes").fill("5")
    await page.locator("#glass-form").get_by_role("button").click()
    banner = page.locator("[data-glass=own]")
    await expect(banner.locator("time")).to_contain_text("4 min")
    await page.reload()
    await expect(banner).to_be_visible()
    assert await read_out(page, "sl-glass-notices") == []
    await banner.get_by_role("button", name="End it").click()
    await expect(banner).to_have_count(0)
    (broken,) = await room.desk.audit("access.glass-broken")
    assert json.loads(broken.details)["minutes"] == 5


async def broken(room: Room, page: Page) -> str:
    """Break the glass through the page of somebody on duty, and end it; return which it was."""
    await page.locator("#account").click()
    await page.get_by_label("What has happened, and why can it not wait?").fill(REASON)
    await page.locator("#glass-form").get_by_role("button").click()
    banner = page.locator("[data-glass=own]")
    await banner.get_by_role("button", name="End it").click()
    await expect(banner).to_have_count(0)
    (entry,) = await room.desk.audit("access.glass-closed")
    return entry.subject


async def test_who_supervises_later_is_told_of_glass_that_was_broken(room: Room) -> None:
    """Who, why, from when to when, over what; until one has seen it, at whatever console, which is on record."""
    await on_duty(room)
    for name in ("sue", "sid"):
        await room.desk.person("supervisor", name)
    glass = await broken(room, await room.open("mo"))
    page, other = await room.open("sue"), await room.open("sid")
    for told in (page, other):
        alarm = told.locator("[data-glass=other][data-over=true]")
        await expect(alarm.get_by_role("heading")).to_contain_text("Mo broke the glass")
        await expect(alarm.get_by_role("heading")).to_contain_text("it is over")
        await expect(alarm).to_contain_text(f"“{REASON}”")
        await expect(alarm).to_contain_text("Every camera was open to them")
        await expect(alarm.get_by_role("button")).to_have_text(["I have seen it"])
        await expect(alarm.get_by_role("button")).to_be_in_viewport()
    await page.locator("[data-glass=other]").get_by_role("button", name="I have seen it").click()
    for told in (page, other):
        await expect(told.locator("[data-glass=other]")).to_have_count(0)
    (seen,) = await room.desk.audit("access.glass-acknowledged")
    assert (seen.actor, seen.subject) == ("sue", glass)
    await other.reload()
    await expect(other.locator("article").first).to_be_visible()
    await expect(other.locator("[data-glass=other]")).to_have_count(0)


async def test_more_than_can_be_shown_is_counted(room: Room) -> None:
    """Three at once, one on a phone, and how many more there are; each that was seen makes room. One's own is not."""
    own = {"reason": "A test of the emergency button", "minutes": 5}
    assert (await room.desk.admin.post("/api/v1/glass", json=own)).status_code == 201
    ann = await room.desk.person("supervisor", "ann")
    for count in range(4):
        answer = await ann.post("/api/v1/glass", json={"reason": f"{REASON}, {count}", "minutes": 5})
        await ann.delete(f"/api/v1/glass/{answer.json()['id']}")
    page = await room.open("root")
    alarms = page.locator("[data-glass=other]")
    size = page.viewport_size
    assert size is not None
    shown = 3 if size["width"] >= 860 else 1
    await expect(alarms).to_have_count(shown)
    more = f"The glass was broken {'1 time' if shown == 3 else '3 times'} more."
    await expect(page.get_by_text(more)).to_be_in_viewport()
    await expect(page.locator("[data-glass=own]")).to_have_count(1)
    await alarms.first.get_by_role("button", name="I have seen it").dblclick()
    await expect(alarms.filter(has_text=f"{REASON}, 0")).to_have_count(0)
    await expect(alarms).to_have_count(shown)
    await expect(page.get_by_text(more)).to_have_count(0)
    for count in range(1, 4):
        one = alarms.filter(has_text=f"{REASON}, {count}")
        await one.get_by_role("button", name="I have seen it").click()
        await expect(one).to_have_count(0)
    await expect(alarms).to_have_count(0)
    assert len(await room.desk.audit("access.glass-acknowledged")) == 4
