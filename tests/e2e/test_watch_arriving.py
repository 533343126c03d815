"""How somebody outside comes to the partner's page, and who is sent away from it: Debian's Chromium, a real gateway."""

import re
from pathlib import Path

import pyotp
import pytest
from playwright.async_api import Page, expect

from tests.e2e.test_sign_in import add_application
from tests.fakes.desk import PASSWORD, settings_in
from tests.fakes.outside import invited, officer, organisation
from tests.fakes.watching import Room, watched_room

pytestmark = pytest.mark.timeout(120)


async def nothing_shows(page: Page) -> None:
    """Expect no trace of a picture."""
    await expect(page.locator("video")).to_have_count(0)
    await expect(page.locator("article")).to_have_count(0)


async def enrolled(room: Room, page: Page, code: str) -> pyotp.TOTP:
    """Use an invitation as a person does, up to the terms."""
    await page.goto(f"{room.desk.url}/watch#join={code}")
    await expect(page.get_by_role("heading", name="Welcome, PC.1234")).to_be_visible()
    await expect(page.locator(".gate-card")).to_contain_text("invited for Thames Valley Police")
    assert code not in page.url
    await expect(page.locator("#join-name")).to_have_text("PC.1234")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("Password again").fill(PASSWORD)
    await page.get_by_role("button", name="Enrol").click()
    await expect(page.get_by_role("heading", name="Add a second factor")).to_be_visible()
    await nothing_shows(page)
    application, _ = await add_application(page)
    await page.locator("#codes-kept").click()
    await expect(page.get_by_role("heading", name="Before you see anything")).to_be_visible()
    return application


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
async def test_from_an_invitation_to_a_picture(tmp_path: Path, phone: bool) -> None:  # noqa: FBT001 - a parameter
    """A code, a password, a second factor, the terms: nothing is seen before; then the picture is live."""
    settings = settings_in(tmp_path, second_factor="required")
    async with watched_room(tmp_path, settings=settings) as room:
        force = await organisation(room.desk)
        body = {"organisation": force, "cameras": room.cameras, "stream": "main"}
        assert (await room.desk.admin.post("/api/v1/shares", json=body)).status_code == 201
        page = await room.page(phone=phone)
        await enrolled(room, page, await invited(room.desk, force))
        await nothing_shows(page)
        await page.get_by_role("button", name="I accept these terms").click()
        await expect(page.locator("article.view")).to_have_attribute("data-state", "live")
        await expect(page.locator(".mark")).to_contain_text("PC.1234 · Thames Valley Police")
        assert await page.evaluate("document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames") > 0
        # The same browser goes on after a reload; another one has the link, and nothing with it.
        await page.reload()
        await expect(page.locator("article.view")).to_have_attribute("data-state", "live")
        other = await room.page(phone=phone)
        await expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
        await nothing_shows(other)


async def test_an_invitation_that_is_none(tmp_path: Path) -> None:
    """A used or wrong code says so, and whom to ask; typed by hand it is taken like that of a link."""
    async with watched_room(tmp_path, cameras=0) as room:
        page = await room.page()
        await page.get_by_role("button", name="I have an invitation").click()
        await page.get_by_label("Code").fill("ABCD-EFGH")
        await page.get_by_role("button", name="Continue").click()
        await expect(page.get_by_role("alert")).to_contain_text("Ask the control room for a new one.")
        await page.get_by_label("Code").fill((await invited(room.desk, await organisation(room.desk))).lower())
        await page.get_by_role("button", name="Continue").click()
        await expect(page.get_by_role("heading", name="Welcome, PC.1234")).to_be_visible()


async def test_each_is_sent_where_they_belong(tmp_path: Path) -> None:
    """A partner who opens the control room is taken to what is shared; one of the room is told where the room is."""
    async with watched_room(tmp_path, cameras=0) as room:
        pc = await officer(room.desk)
        page = await room.page(who=pc, path="/")
        await expect(page.get_by_role("heading", name="Nothing is shared with you now")).to_be_visible()
        assert page.url.endswith("/watch")
        page = await room.page()
        await page.get_by_label("User name").fill("root")
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page.get_by_role("heading", name="This page is for partners")).to_be_visible()
        await page.get_by_role("link", name="Go to the control room").click()
        await expect(page.locator(".room")).to_be_visible()


async def test_an_address_that_was_not_agreed_on(tmp_path: Path) -> None:
    """Whoever comes from elsewhere than their organisation's networks is told so, with the address that they have."""
    async with watched_room(tmp_path, cameras=0) as room:
        pc = await officer(room.desk)
        page = await room.page(who=pc)
        await expect(page.get_by_role("heading", name="Nothing is shared")).to_be_visible()
        row = room.desk.gateway.rooms.sharing.partners.organisation(pc.organisation)
        wish = {"name": row.name, "networks": ["192.0.2.0/24"]}
        answer = await room.desk.admin.put(f"/api/v1/organisations/{pc.organisation}", json=wish)
        assert answer.is_success, answer.text
        await expect(page.locator(".gate-card")).to_contain_text("You were signed out")
        context = page.context
        user = await room.desk.gateway.rooms.people.get(pc.id)
        _, secret = await room.desk.gateway.rooms.access.open_session(
            user, address="127.0.0.1", methods=("password", "totp"), browser="Chromium"
        )
        await context.add_cookies([{"name": "sightline", "value": secret, "url": room.desk.url}])
        await page.reload()
        await expect(page.locator(".gate-card")).to_contain_text(
            re.compile("its own networks only, and you are at 127.0.0.1")
        )
        await nothing_shows(page)
