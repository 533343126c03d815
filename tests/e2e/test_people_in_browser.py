"""Keeping people at the console, in Debian's Chromium before a real gateway: at a desk's size and at a phone's."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from kernel.clock import SystemClock
from tests.e2e.people_room import Room, people_room
from tests.fakes.desk import PASSWORD

pytestmark = pytest.mark.timeout(180)


@pytest_asyncio.fixture(loop_scope="session", params=["desk", "phone"])
async def room(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Room]:
    """Give an administrator at the console, at either size."""
    async with people_room(tmp_path, phone=request.param == "phone") as room:
        yield room


async def test_somebody_is_added_found_and_changed(room: Room) -> None:
    """A weak password is said to be one at its field, and nothing typed is lost; then name and role are changed."""
    await room.panel.locator("#add-person").click()
    await expect(room.page.get_by_label("User name")).to_be_focused()
    await room.page.keyboard.type("olga")
    await room.page.get_by_label("First password").fill("password1234")
    await room.panel.get_by_role("button", name="Add", exact=True).click()
    await expect(room.panel.get_by_role("form", name="Add somebody").get_by_role("alert")).to_contain_text("password")
    await expect(room.page.get_by_label("First password")).to_be_focused()
    await expect(room.page.get_by_label("First password")).to_have_attribute("aria-invalid", "true")
    await expect(room.page.get_by_label("User name")).to_have_value("olga")
    await room.page.get_by_label("First password").fill(PASSWORD)
    await room.panel.get_by_role("button", name="Add", exact=True).click()
    await expect(room.panel.locator("#add-person")).to_be_focused()

    await room.page.get_by_label("Find somebody").fill("member olg")
    await expect(room.panel.locator(".rows li")).to_have_count(1)
    await room.page.keyboard.press("Enter")
    await expect(room.panel.get_by_role("heading", name="olga")).to_be_focused()
    await room.panel.get_by_label("Name", exact=True).fill("Olga Ivanova")
    await room.panel.get_by_label("Role, on every camera").select_option("operator")
    await room.panel.get_by_role("button", name="Save").click()
    await expect(room.panel.get_by_role("heading", name="Olga Ivanova")).to_be_visible()
    await expect(room.panel.locator(".held")).to_contain_text("Operator everywhere")
    (olga,) = [user for user in await room.got("users") if user["username"] == "olga"]
    assert (olga["name"], olga["role"]) == ("Olga Ivanova", "operator")


async def test_somebody_is_disabled_let_in_again_and_removed(room: Room) -> None:
    """What ends is said before the second click: a view; it does end. Then they may come back, then they are gone."""
    vera = await room.desk.person("viewer", "vera")
    await room.desk.watch(vera, room.cameras[0])
    await room.anew()
    await room.person("vera")
    await room.panel.locator("[data-act=disable]").click()
    await expect(room.panel.get_by_role("status").filter(has_text="signed out")).to_contain_text("Ends 1 live view.")
    await room.panel.get_by_role("button", name="Really disable").click()
    await expect(room.panel.get_by_role("button", name="Let them sign in again")).to_be_visible()
    await room.unwatched("vera")
    assert (await vera.get("/api/v1/session")).status_code == 401
    await expect(room.panel).to_contain_text("Nothing, while they are disabled.")
    await room.panel.get_by_role("button", name="Let them sign in again").click()
    await expect(room.panel.locator(".held")).to_contain_text("Viewer everywhere")

    await room.panel.locator("[data-act=remove]").click()
    await room.panel.get_by_role("button", name="Leave it").click()
    await room.panel.locator("[data-act=remove]").click()
    await room.panel.get_by_role("button", name="Really remove").click()
    await expect(room.panel.locator("#add-person")).to_be_visible()
    await expect(room.panel.locator("[data-person]")).to_have_count(1)


async def test_a_lost_phone_is_taken_away_once_it_is_known_who_asks(room: Room) -> None:
    """Which factors there are is shown; removing them all asks the administrator who they are, and ends sessions."""
    olga = await room.desk.person("operator", "olga")
    offer = (await olga.post("/api/v1/session/factors/totp")).json()
    code = pyotp.TOTP(offer["secret"]).at(SystemClock().wall_ns() // 10**9)
    taken = await olga.put("/api/v1/session/factors/totp", json={"ticket": offer["ticket"], "code": code})
    assert taken.status_code == 200, taken.text
    await room.anew()
    await room.person("olga")
    await expect(room.panel).to_contain_text("Authenticator app, since")
    await expect(room.panel).to_contain_text("10 recovery codes left")
    await room.aged()
    await room.panel.get_by_role("button", name="Remove all second factors").click()
    await room.panel.get_by_role("button", name="Really remove them all").click()
    await room.confirm()
    await expect(room.panel).to_contain_text("No second factor")
    await expect(room.panel.locator("sl-sessions")).to_contain_text("Nowhere now.")
    assert (await olga.get("/api/v1/session")).status_code == 401


async def test_somebodys_sessions_are_seen_and_ended(room: Room) -> None:
    """One, or all at once; a new password ends them too."""
    await room.desk.person("operator", "olga")
    browsers = [await room.desk.anybody() for _ in range(2)]
    for browser in browsers:
        await browser.post("/api/v1/session", json={"username": "olga", "password": PASSWORD})
    await browsers[0].put("/api/v1/session/state", json={"state": "wall"})
    await room.anew()
    await room.person("olga")
    sessions = room.panel.locator("[data-session=elsewhere]")
    await expect(sessions).to_have_count(3)
    await expect(sessions.filter(has_text="wallboard")).to_have_count(1)
    await sessions.filter(has_text="wallboard").get_by_role("button", name="End the session").click()
    await expect(sessions).to_have_count(2)
    await room.panel.get_by_role("button", name="End all").click()
    await expect(sessions).to_have_count(0)
    for browser in browsers:
        assert (await browser.get("/api/v1/session")).status_code == 401

    await room.panel.get_by_text("Set a new password").click()
    await room.panel.get_by_label("New password").fill("another four unrelated words")
    await room.panel.get_by_role("button", name="Set it").click()
    await expect(room.panel.get_by_label("New password")).to_have_value("")
    words = {"username": "olga", "password": "another four unrelated words"}
    assert (await browsers[0].post("/api/v1/session", json=words)).status_code == 200


async def test_a_providers_account_is_tied_and_untied(room: Room) -> None:
    """By the provider's own name for the person; a name that is taken is said to be."""
    await room.desk.person("operator", "olga")
    await room.anew()
    await room.person("olga")
    await room.panel.get_by_text("Tie an account").click()
    await room.panel.get_by_label("The provider's own name for them").fill("olga-7")
    await room.panel.get_by_role("button", name="Tie it").click()
    await expect(room.panel.locator(".rows").filter(has_text="olga-7")).to_contain_text("your borough account")
    await room.panel.get_by_label("The provider's own name for them").fill("olga-7")
    await room.panel.get_by_role("button", name="Tie it").click()
    await expect(room.alert).to_contain_text("That account belongs to a user already.")
    await room.panel.get_by_role("button", name="Untie your borough account").click()
    await room.panel.get_by_role("button", name="Really untie").click()
    await expect(room.panel).to_contain_text("None: they sign in with what they have here.")


async def test_one_does_not_shut_oneself_out(room: Room) -> None:
    """One's own role, disabling and removing are somebody else's to change, and it says so."""
    await room.person("root")
    await expect(room.panel.get_by_label("Role, on every camera")).to_be_disabled()
    await expect(room.panel).to_contain_text("You cannot disable or remove yourself.")
    await expect(room.panel.locator("[data-act=disable]")).to_have_count(0)


async def test_a_thousand_people_are_drawn_by_the_page(room: Room) -> None:
    """Fifty at first, fifty more by a click; a word narrows them to the one."""
    many = [
        {
            "id": f"u{n}",
            "username": f"person-{n}",
            "name": f"Person {n}",
            "role": "viewer",
            "disabled": False,
            "created": "2026-01-01T00:00:00Z",
            "signed_in": None,
        }
        for n in range(1000)
    ]

    async def answer(route: Route) -> None:
        await route.fulfill(body=json.dumps(many), content_type="application/json")

    await room.page.route("**/api/v1/users", answer)
    await room.anew()
    rows = room.panel.locator(".rows li")
    await expect(rows).to_have_count(50)
    await room.panel.get_by_role("button", name="Show 50 more of 950").click()
    await expect(rows).to_have_count(100)
    await room.page.get_by_label("Find somebody").fill("person 777")
    await expect(rows).to_have_count(1)
    await room.page.get_by_label("Find somebody").fill("zzz")
    await expect(room.panel.get_by_role("status")).to_contain_text("Nobody matches.")


async def test_what_cannot_be_read_is_said_and_asked_for_again(room: Room) -> None:
    """The gateway's own words; one click tries again."""
    refusal = {"type": "access.forbidden", "title": "Your role may not do that.", "detail": "Ask.", "status": 403}

    async def refuse(route: Route) -> None:
        await route.fulfill(status=403, body=json.dumps(refusal), content_type="application/problem+json")

    await room.page.route("**/api/v1/grants", refuse)
    await room.anew()
    await expect(room.alert).to_contain_text("Your role may not do that.")
    await room.page.unroute("**/api/v1/grants", refuse)
    await room.panel.get_by_role("button", name="Try again").click()
    await expect(room.panel.locator("[data-person=root]")).to_be_visible()
