"""Teams, camera groups, roles and rights at the console, in Debian's Chromium before a real gateway, at both sizes."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from kernel.clock import utc
from tests.e2e.people_room import Room, people_room
from tests.fakes.desk import PASSWORD

pytestmark = pytest.mark.timeout(180)

NAMELESS = """panel => [...panel.querySelectorAll("button, input:not([type=hidden]), select, summary")]
  .filter(one => one.checkVisibility() && !(one.ariaLabel || one.labels?.[0]?.textContent.trim()
    || (one.matches("button, summary") && one.textContent.trim())))
  .map(one => one.outerHTML)"""
"""What a screen reader could not name."""


@pytest_asyncio.fixture(loop_scope="session", params=["desk", "phone"])
async def room(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Room]:
    """Give an administrator at the console, at either size."""
    async with people_room(tmp_path, phone=request.param == "phone") as room:
        yield room


def later(room: Room, **by: float) -> str:
    """Return a time as the API takes it."""
    return (utc(room.desk.gateway.rooms.clock.wall_ns()) + timedelta(**by)).isoformat()


async def test_a_team_is_made_filled_and_removed(room: Room) -> None:
    """People are put in by user name; one that is nobody's is said to be at the field, and changes nothing."""
    _, mia = await room.member()
    await room.anew()
    await room.open("teams")
    await room.panel.locator("#add-team").click()
    await room.page.get_by_label("Name of the team").fill("Night shift")
    await room.page.keyboard.press("Enter")
    field = room.panel.get_by_label("Put somebody in")
    await field.fill("nobody")
    await room.panel.get_by_role("button", name="Put in").click()
    assert "nobody called nobody" in await field.evaluate("field => field.validationMessage")
    await field.fill("mia")
    await room.panel.get_by_role("button", name="Put in").click()
    await expect(room.panel.locator(".row-line")).to_have_count(1)
    ((team,),) = [await room.got("teams")]
    assert (team["name"], team["users"]) == ("Night shift", [mia])
    await room.panel.get_by_role("button", name="Take Mia out").click()
    await room.panel.get_by_role("button", name="Really", exact=True).click()
    await expect(room.panel).to_contain_text("Nobody yet")
    await room.panel.get_by_role("button", name="Remove this team").click()
    await expect(room.panel).to_contain_text("Nothing ends by it.")
    await room.panel.get_by_role("button", name="Really remove it").click()
    await expect(room.panel).to_contain_text("No teams yet.")


async def test_a_group_is_made_by_label_list_and_the_maps_view(room: Room) -> None:
    """A number that is no camera is said to be none; what is in the group now is shown, and where it stands."""
    await room.open("groups")
    await room.panel.locator("#add-group").click()
    await room.panel.get_by_label("Name", exact=True).fill("Town centre")
    await room.panel.get_by_label("Numbers of cameras").fill("12, 99")
    await room.panel.get_by_label("Numbers of cameras").press("Enter")
    await expect(room.alert).to_contain_text("There is no camera 99.")
    await expect(room.panel.get_by_role("button", name="Take camera 12 out")).to_be_visible()
    await room.panel.get_by_label("Every camera with the label").fill("Shops")
    await room.panel.locator("#take-view").click()
    await expect(room.panel.locator(".area")).to_contain_text("4 corners; 3 cameras inside now.")
    await expect(room.page.locator("path.outline")).to_have_count(1)
    await room.panel.get_by_role("button", name="No area").click()
    await room.panel.get_by_role("button", name="Make it").click()
    row = room.panel.locator("[data-group='Town centre']")
    await expect(row).to_contain_text("3 cameras")
    await row.get_by_role("button", name="Town centre").first.click()
    await expect(row.locator(".chips button")).to_have_text(["4", "8", "12"])
    await expect(room.page.locator("path.outline")).to_have_count(0)
    ((group,),) = [await room.got("groups")]
    assert (group["label"], group["cameras"], group["area"]) == ("Shops", [room.cameras[2]], [])


async def test_an_area_is_drawn_on_the_map_below_another_group(room: Room) -> None:
    """Clicks are its corners, one is taken back, and the map's middle is one for who has no mouse."""
    town = await room.made("groups", name="Town")
    await room.anew()
    await room.open("groups")
    await room.panel.locator("#add-group").click()
    await room.panel.get_by_label("Name", exact=True).fill("Parks")
    await room.panel.get_by_label("Below").select_option(label="Town")
    await room.panel.locator("#draw-area").click()
    await expect(room.panel.get_by_role("button", name="Make it")).to_be_disabled()
    box = await room.page.locator("#map").bounding_box()
    assert box is not None
    for x, y in ((0.3, 0.1), (0.7, 0.1), (0.7, 0.4), (0.5, 0.5)):
        await room.page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    await expect(room.panel.locator(".area")).to_contain_text("4 corners so far.")
    await room.panel.get_by_role("button", name="Back one").click()
    await expect(room.panel.locator(".area")).to_contain_text("3 corners so far.")
    await room.panel.get_by_role("button", name="Corner at the map's middle").click()
    await room.panel.get_by_role("button", name="Done").click()
    await room.panel.get_by_role("button", name="Make it").click()
    await expect(room.panel.locator("[data-group=Parks]")).to_have_attribute("data-depth", "1")
    parks = next(group for group in await room.got("groups") if group["name"] == "Parks")
    assert (parks["parent"], len(parks["area"])) == (town, 4)
    await room.panel.get_by_role("button", name="Change Town").click()
    await room.panel.get_by_role("button", name="Remove this group").click()
    await expect(room.panel).to_contain_text("The 1 group below go with it.")
    await room.panel.get_by_role("button", name="Really remove it").click()
    await expect(room.panel).to_contain_text("No groups yet.")


async def test_a_role_is_made_of_permissions_in_words(room: Room) -> None:
    """Those that come with Sightline are told in sentences; a name of theirs is refused in the form."""
    await room.open("roles")
    await expect(room.panel.locator("[data-role]")).to_have_count(6)
    viewer = room.panel.locator("[data-role=viewer]")
    await viewer.locator("summary").click()
    await expect(viewer).to_contain_text("Plays back what was recorded.")
    await room.panel.locator("#add-role").click()
    await room.panel.get_by_label("Name", exact=True).fill("Viewer")
    await room.panel.get_by_role("checkbox", name="Steer").check()
    await room.panel.get_by_role("checkbox", name="Live Sees").check()
    await room.panel.get_by_role("button", name="Make it").click()
    await expect(room.alert).to_contain_text("comes with Sightline")
    await room.panel.get_by_label("Name", exact=True).fill("Night steerer")
    await room.panel.get_by_role("button", name="Make it").click()
    await room.panel.get_by_role("button", name="Change Night steerer").click()
    await expect(room.panel.get_by_role("checkbox", name="Steer")).to_be_checked()
    await room.panel.get_by_role("checkbox", name="Steer").uncheck()
    await room.panel.get_by_role("button", name="Save").click()
    await expect(room.panel.locator(".card").filter(has_text="Night steerer")).to_contain_text("Live")
    own = [role for role in await room.got("roles") if not role["fixed"]]
    assert [(role["name"], role["permissions"]) for role in own] == [("Night steerer", ["signed_in", "view_live"])]


async def test_a_right_is_given_seen_by_its_rule_and_taken_away(room: Room) -> None:
    """Over a group until a time: the person's page says by which rule; taking it away says what ends, and ends it."""
    mia, _ = await room.member()
    await room.made("groups", name="Shops", label="Shops")
    await room.anew()
    await room.person("mia")
    await room.panel.locator("#grant-to").click()
    await expect(room.panel.get_by_label("To", exact=True)).to_have_value("mia")
    await room.panel.get_by_label("What").select_option("viewer")
    await room.panel.get_by_label("Over", exact=True).select_option(label="Shops (2)")
    await room.panel.get_by_label("Until").fill("2001-01-01T12:00")
    await room.panel.get_by_label("Until").evaluate("field => field.removeAttribute('min')")
    await room.panel.get_by_role("button", name="Give it").click()
    await expect(room.panel.get_by_role("form").get_by_role("alert")).to_contain_text("over before it begins")
    await room.panel.get_by_label("Until").fill("2051-01-01T12:00")
    await room.panel.get_by_label("Why").fill("Cover")
    await room.panel.get_by_role("button", name="Give it").click()
    grant = room.panel.locator(".grant").filter(has_text="Mia")
    await expect(grant).to_contain_text("Viewer over Shops")
    await expect(grant).to_contain_text("given by Root")

    await room.open("people")
    await room.person("mia")
    await expect(room.panel.locator(".held[data-rule=grant]")).to_contain_text("Shops, 2 cameras now")
    await room.panel.get_by_label("With camera").fill("4")
    await expect(room.panel.locator(".by-rule")).to_contain_text("Recordingsyes, granted to them")
    await room.panel.get_by_label("With camera").fill("12")
    await expect(room.panel.locator(".by-rule [data-may=true]")).to_have_count(0)

    await room.desk.watch(mia, room.cameras[0])
    await room.open("grants")
    await grant.get_by_role("button", name="Take away from Mia").click()
    await expect(grant.get_by_role("status")).to_contain_text("It ends 1 live view at once (mia at 4).")
    await grant.get_by_role("button", name="Really take it away").click()
    await expect(grant).to_have_count(0)
    await room.unwatched("mia")


async def test_rights_are_told_apart_by_their_time(room: Room) -> None:
    """Those in force, those that end within a week, those to come; a team's is its members'."""
    _, mia = await room.member()
    team = await room.made("teams", name="Night shift", users=[mia])
    await room.made("grants", role="viewer", user=mia, start=later(room, days=2))
    await room.made("grants", role="viewer", user=mia, end=later(room, days=2))
    await room.made("grants", role="operator", team=team, end=later(room, days=20))
    await room.anew()
    await room.open("grants")
    rows = room.panel.locator(".grant")
    await expect(rows).to_have_count(2)
    for name, held in (("Ends soon", "Viewer"), ("To come", "from")):
        await room.panel.get_by_role("button", name=name).click()
        await expect(rows).to_have_count(1)
        await expect(rows).to_contain_text(held)
    await room.panel.get_by_role("button", name="Over", exact=False).click()
    await expect(room.panel).to_contain_text("None is over.")
    await room.open("people")
    await room.person("mia")
    await expect(room.panel.locator("sl-person-rights")).to_contain_text("through Night shift")
    await expect(room.panel.locator("sl-person-rights")).to_contain_text("1 right to come.")


async def test_broken_glass_stands_on_top_and_is_ended(room: Room) -> None:
    """Who broke it, why, until when; two clicks end it."""
    olga = await room.desk.person("operator", "olga")
    broken = await olga.post("/api/v1/glass", json={"reason": "A child is missing at the station", "minutes": 15})
    assert broken.status_code == 201, broken.text
    await room.anew()
    await room.open("grants")
    glass = room.panel.get_by_role("region", name="Where the glass is broken")
    for text in ("Olga", "A child is missing at the station", "until"):
        await expect(glass).to_contain_text(text)
    await glass.get_by_role("button", name="End the glass of Olga").click()
    await glass.get_by_role("button", name="Really end it").click()
    await expect(glass).to_have_count(0)
    assert await room.got("glass") == []


async def test_everything_has_a_name_and_is_reached_by_keys(room: Room) -> None:
    """No control of any page is nameless; the pages are opened by Tab and Enter, and none is wider than the panel."""
    client, mia = await room.member()
    await client.post("/api/v1/session", json={"username": "mia", "password": PASSWORD})
    group = await room.made("groups", name="Shops", label="Shops", area=[[51, -1], [52, 0], [51, 1]])
    await room.made("teams", name="Night shift", users=[mia])
    await room.made("grants", role="viewer", user=mia, group=group)
    await room.anew()
    await expect(room.panel.locator("[data-person=mia]")).to_be_visible()
    for section, act in (
        ("people", "[data-person=mia]"),
        ("teams", ".rows .row:has-text('Night shift')"),
        ("groups", "[aria-label='Change Shops']"),
        ("roles", "#add-role"),
        ("grants", "#add-grant"),
    ):
        await room.panel.locator(f"[data-section={section}]").focus()
        await room.page.keyboard.press("Enter")
        await expect(room.panel.locator(f"[data-section={section}]")).to_have_attribute("aria-current", "page")
        await room.panel.locator(act).first.focus()
        await room.page.keyboard.press("Enter")
        await expect(room.panel.locator(act)).to_have_count(0)
        assert await room.panel.evaluate(NAMELESS) == [], section
        wide = await room.panel.evaluate("panel => panel.parentElement.scrollWidth - panel.parentElement.clientWidth")
        assert wide <= 0, section
