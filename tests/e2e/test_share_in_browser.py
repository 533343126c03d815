"""Sharing, as the control room sees it: in Debian's Chromium before a real gateway, at a desk's size and a phone's."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Route, expect

from config.live import LiveSettings
from tests.fakes.browser import chromium
from tests.fakes.console_sharing import Room, console, sharing_room
from tests.fakes.outside import officer, organisation, share
from tests.fakes.whep_desk import whep_desk

pytestmark = pytest.mark.timeout(120)

LIVE = LiveSettings.model_validate({"loopback": True, "addresses": ["127.0.0.1"], "port": 0})
SMITH = "PC 1234 Smith"


@pytest_asyncio.fixture(loop_scope="session")
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Give a control room at a desk."""
    async with chromium() as browser, sharing_room(tmp_path, browser) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def phone(tmp_path: Path) -> AsyncIterator[Room]:
    """Give one at a phone."""
    async with chromium() as browser, sharing_room(tmp_path, browser, phone=True) as found:
        yield found


def notice(room: Room) -> Locator:
    """Return what the top of the page says."""
    return room.page.locator(".said-space .said-line")


# --- two keys


async def test_two_keys_and_a_partner_sees_the_picture(tmp_path: Path) -> None:
    """W and Enter share; the officer's browser decodes it, and the tile says who watches; Delete ends what they see."""
    async with whep_desk(tmp_path, LIVE) as at, chromium() as browser:
        pc = await officer(at.desk, name=SMITH)
        async with console(browser, at.desk, drawn=False) as page:
            tile = page.locator("article").first
            await expect(tile).to_have_attribute("data-state", "live")
            await page.keyboard.press("w")
            await expect(page.locator(".share-bar")).to_be_visible()
            await page.keyboard.press("Enter")
            await expect(tile.locator(".outside")).to_have_attribute("data-shared", "1")
            view = await at.page(browser, who=pc.browser)
            await view.evaluate("camera => view(`/whep/${camera}/main`)", at.camera)
            await view.wait_for_function("() => document.getElementById('video').videoWidth === 320")
            watcher = tile.locator(f"[data-watcher='{pc.id}']")
            await expect(watcher).to_contain_text(f"{SMITH}, Thames Valley Police")
            await expect(watcher).to_contain_text("0 % lost")
            await page.keyboard.press("w")
            await expect(page.locator(".share-bar [data-act=end]")).to_be_visible()
            await page.keyboard.press("Delete")
            await expect(tile.locator(".outside")).to_have_count(0)
            await view.wait_for_function("() => window.lost > 0")
            await view.context.close()


async def test_the_bar_shares_with_whom_and_as_long_as_the_keys_say(room: Room) -> None:
    """Another organisation by its digit, less time by an arrow, no stick by S, made by Enter, wherever the focus is."""
    await room.select(2)
    await room.page.locator("button[data-layout='4']").focus()
    await room.page.keyboard.press("w")
    await expect(room.bar.locator("[aria-pressed=true][data-minutes='60']")).to_be_visible()
    for key in ("2", "ArrowLeft", "s"):
        await room.page.keyboard.press(key)
    await expect(room.bar.locator("[aria-pressed=true][data-minutes='30']")).to_be_visible()
    await room.page.keyboard.press("Enter")
    await expect(room.tile(2).locator(".outside")).to_contain_text("British Transport Police")
    (made,) = await room.shares()
    assert (made["organisation_name"], made["may_ask_for_stick"], made["cameras"]) == (
        "British Transport Police",
        False,
        [room.cameras[1]],
    )


async def test_a_bar_opened_before_the_partners_are_known_shares_with_the_usual_one(room: Room) -> None:
    """W while the page still asks with whom one shares: the usual partner stands there as soon as it is told."""
    known = asyncio.Event()

    async def late(route: Route) -> None:
        await known.wait()
        await route.continue_()

    await room.page.route("**/api/v1/organisations", late)
    await room.page.reload()
    await room.select(1)
    await room.page.keyboard.press("w")
    await expect(room.bar.locator(".bar-said")).to_contain_text("Looking up the partners")
    known.set()
    await expect(room.bar.locator("#share-now")).to_be_enabled()
    await room.page.keyboard.press("Enter")
    await expect(room.tile(1).locator(".outside")).to_contain_text("Metropolitan Police")


async def test_a_bar_opened_before_the_shares_are_known_shows_how_it_is_shared(room: Room) -> None:
    """W then does not offer to share once more what is shared already."""
    await share(room.desk, room.pc, room.cameras[0])
    known = asyncio.Event()

    async def late(route: Route) -> None:
        await known.wait()
        await route.continue_()

    await room.page.route("**/api/v1/organisations", late)
    await room.page.reload()
    await room.select(1)
    await room.page.keyboard.press("w")
    await expect(room.bar.locator(".bar-said")).to_contain_text("Looking up the partners")
    known.set()
    await expect(room.bar).to_have_attribute("data-mode", "shown")


async def test_the_bar_covers_no_picture_and_moves_none(room: Room) -> None:
    """It stands where the timeline stood; the tiles are where they were."""
    await room.select(1)
    before = await room.page.locator(".wall").bounding_box()
    await room.page.keyboard.press("w")
    await expect(room.bar).to_be_visible()
    await expect(room.page.locator(".timeline")).to_be_hidden()
    assert await room.page.locator(".wall").bounding_box() == before
    await room.page.keyboard.press("Escape")
    await expect(room.bar).to_have_count(0)
    await expect(room.page.locator(".timeline")).to_be_visible()


async def test_an_export_and_a_hold_have_the_timeline_back(room: Room) -> None:
    """E and H are about what the bar stands over: they close it; W gives up an export that was begun."""
    await room.select(1)
    await room.page.keyboard.press("w")
    await expect(room.bar).to_be_visible()
    await room.page.keyboard.press("e")
    await expect(room.bar).to_have_count(0)
    await expect(room.page.locator(".timeline")).to_have_attribute("data-exporting", "true")
    await room.page.keyboard.press("w")
    await expect(notice(room)).to_have_text("The export is cancelled.")
    await room.page.keyboard.press("h")
    await expect(room.bar).to_have_count(0)
    await expect(room.page.locator(".timeline")).to_have_attribute("data-exporting", "false")
    await expect(room.page.locator(".range.holding")).to_be_visible()


async def test_what_the_gateway_refuses_is_said_in_the_bar(room: Room) -> None:
    """With an organisation that was removed meanwhile nothing is shared, and the bar says why and stays."""
    await room.select(1)
    await room.page.keyboard.press("w")
    await expect(room.bar.locator("#share-now")).to_be_enabled()
    await room.desk.admin.delete(f"/api/v1/organisations/{room.pc.organisation}")
    await room.page.keyboard.press("Enter")
    await expect(room.bar.get_by_role("alert")).to_contain_text("There is no such organisation.")


async def test_another_tile_closes_the_bar(room: Room) -> None:
    """What was said of one camera is not shared of another by Enter; what was chosen is not lost without a word."""
    await room.select(1)
    await room.page.keyboard.press("w")
    await expect(room.bar).to_be_visible()
    await room.page.keyboard.press("Escape")
    await room.page.keyboard.press("w")
    await room.select(2)
    await expect(room.bar).to_have_count(0)
    await room.page.keyboard.press("w")
    await room.page.keyboard.press("f")
    await room.select(3)
    await expect(room.bar).to_have_count(0)
    await expect(notice(room)).to_have_text("Camera 2 was not shared: another picture was selected.")


async def test_a_share_is_extended_narrowed_and_ended_by_keys(room: Room) -> None:
    """X adds half an hour, C takes the camera out and leaves the other, Delete ends what is left."""
    await share(room.desk, room.pc, *room.cameras[:2], minutes=60)
    (before,) = await room.shares()
    await room.select(1)
    await expect(room.tile(1).locator(".outside")).to_be_visible()
    await room.page.keyboard.press("w")
    await expect(room.bar).to_have_attribute("data-mode", "shown")
    await room.page.keyboard.press("x")
    await expect(room.bar.locator(".bar-left")).to_contain_text("1 h 29 min left")
    await expect(notice(room)).to_contain_text("The share “Camera 1, High Street, and 1 more” now runs until ")
    (after,) = await room.shares()
    assert after["end"] > before["end"]
    await room.page.keyboard.press("c")
    await expect(notice(room)).to_contain_text("To show it again, share it again with W.")
    await expect(room.tile(1).locator(".outside")).to_have_count(0)
    await expect(room.tile(2).locator(".outside")).to_be_visible()
    await room.select(2)
    await room.page.keyboard.press("w")
    await room.page.keyboard.press("Delete")
    await expect(room.tile(2).locator(".outside")).to_have_count(0)
    assert await room.shares() == []


async def test_somebody_is_taken_out_of_a_share(room: Room) -> None:
    """The others keep it; who was taken out has nothing any more."""
    other = await officer(room.desk, room.pc.organisation, username="ps.77", name="PS 77 Adeyemi")
    await share(room.desk, room.pc, room.cameras[0])
    await room.select(1)
    await room.page.keyboard.press("w")
    await room.bar.locator(f"[data-person='{room.pc.id}'] [data-act=remove-person]").click()
    await expect(room.bar.locator("[data-person]")).to_have_count(1)
    await expect(notice(room)).to_contain_text(
        f"{SMITH} no longer sees this share. To let them see it again, make a new"
    )
    assert await room.pc.mine() == []
    await room.bar.locator("[data-act=soon]").click()
    await expect(notice(room)).to_contain_text("now runs until ")
    assert len(await other.mine()) == 1


async def test_follow_me_shows_what_is_selected(room: Room) -> None:
    """The share shows the selected camera, its tile says so, and another one when that is selected."""
    await room.select(1)
    await room.page.keyboard.press("w")
    await room.page.keyboard.press("f")
    await expect(room.bar.locator("[data-act=follow]")).to_have_attribute("aria-pressed", "true")
    await room.page.keyboard.press("Enter")
    await expect(room.tile(1).locator(".following")).to_have_text("Shared: follow-me")
    await room.select(3)
    await expect(room.tile(3).locator(".following")).to_have_text("Shared: follow-me")
    await expect(room.tile(1).locator(".outside")).to_have_count(0)
    (shown,) = await room.pc.mine()
    assert [camera["number"] for camera in shown["cameras"]] == [3]
    await room.page.keyboard.press("w")
    await room.page.keyboard.press("c")
    await expect(notice(room)).to_contain_text("no camera is taken out of it")
    assert len(await room.shares()) == 1
    await room.page.keyboard.press("Delete")
    await expect(room.tile(3).locator(".outside")).to_have_count(0)
    await room.select(4)
    assert await room.shares() == []


async def test_a_selection_that_could_not_be_told_is_told_again(room: Room) -> None:
    """The gateway refuses it once: a moment later it is shown all the same, without anybody's doing."""
    await room.select(1)
    for key in ("w", "f", "Enter"):
        await room.page.keyboard.press(key)
    await expect(room.tile(1).locator(".following")).to_be_visible()
    await room.page.route("**/selected", lambda route: route.fulfill(status=409, json={"title": "Gone."}), times=1)
    await room.select(3)
    await expect(room.tile(3).locator(".following")).to_have_text("Shared: follow-me")
    assert (await room.pc.mine())[0]["cameras"][0]["number"] == 3


# --- tests of links, ends


async def test_the_link_to_a_partners_room_is_tested(room: Room) -> None:
    """The test runs, is shown as running, and as passed once their page has reported the picture."""
    panel = await room.panel()
    row = panel.locator(f".link-test[data-organisation='{room.pc.organisation}']")
    await expect(row).to_contain_text("Not tested in the last 12 hours.")
    await row.locator("[data-act=test]").click()
    await expect(row.locator("[data-result=running]")).to_be_visible()
    (test,) = (await room.desk.admin.get(f"/api/v1/organisations/{room.pc.organisation}/room-tests")).json()
    await room.desk.watch(room.pc.browser, test["camera"])
    seen = {"frames": 30, "width": 640, "height": 360}
    await room.pc.browser.post(f"/api/v1/shares/{test['id']}/seen", json=seen)
    await expect(row.locator("[data-result=passed]")).to_contain_text(f"seen by {SMITH}, 30 pictures of 640")


async def test_every_share_is_ended_at_once(room: Room) -> None:
    """Two clicks on one button end all, and they stand among those that ended."""
    for camera in room.cameras[:3]:
        await share(room.desk, room.pc, camera)
    panel = await room.panel()
    await expect(panel.locator(".share-card")).to_have_count(3)
    await panel.locator("#end-all").click()
    await expect(panel.locator("#end-all")).to_have_text("Really end all 3?")
    await panel.locator("#end-all").click()
    await expect(panel.locator(".share-card")).to_have_count(0)
    assert await room.shares() == []
    await room.panel("over")
    await expect(panel.locator(".share-over li")).to_have_count(3)


async def test_a_whole_share_is_made_in_the_panel(room: Room) -> None:
    """Two cameras to one named person for an incident, in the small stream, by the form."""
    panel = await room.panel("new")
    await panel.get_by_label("Only named people of theirs").check()
    await panel.get_by_label(SMITH).check()
    await panel.get_by_label("Cameras, by number").fill("1, 3")
    await panel.get_by_label("Reference of the incident").fill("CAD 1234/26")
    await panel.get_by_label("Minutes").fill("90")
    await panel.get_by_label("Stream").select_option("sub")
    await panel.get_by_role("button", name="Share", exact=True).click()
    await expect(panel.locator(".share-card")).to_contain_text("CAD 1234/26")
    (made,) = await room.shares()
    assert (made["recipients"], made["cameras"], made["stream"], made["reference"]) == (
        [room.pc.id],
        [room.cameras[0], room.cameras[2]],
        "sub",
        "CAD 1234/26",
    )
    await panel.locator("[data-act=more]").click()
    ends = panel.get_by_label("Ends")
    sooner = datetime.fromisoformat(await ends.input_value()) - timedelta(minutes=10)
    await ends.fill(sooner.isoformat(timespec="minutes"))
    await panel.get_by_role("button", name="Change it").click()
    await expect(notice(room)).to_contain_text("is changed.")
    (changed,) = await room.shares()
    # The field has no seconds.
    moved = datetime.fromisoformat(made["end"]) - datetime.fromisoformat(changed["end"])
    assert timedelta(minutes=10) <= moved < timedelta(minutes=11)


async def test_a_standing_share_says_when_its_review_is_due(room: Room) -> None:
    """Once the date has come it stands on top, and goes on when somebody has reviewed it; minutes do not extend it."""
    panel = await room.panel("new")
    await panel.get_by_label("By", exact=True).select_option("standing")
    await panel.get_by_label("Reference of the agreement").fill("MoU 7")
    await panel.get_by_role("button", name="Share", exact=True).click()
    await expect(panel.locator(".share-card")).to_contain_text("standing, agreement MoU 7")
    (made,) = await room.shares()
    assert (made["kind"], made["review"] is not None) == ("standing", True)
    await room.select(1)
    await room.page.keyboard.press("w")
    await expect(room.bar).to_have_attribute("data-mode", "shown")
    await expect(room.bar.locator("[data-act=extend]")).to_have_count(0)
    await room.page.keyboard.press("x")
    await expect(notice(room)).to_contain_text("A standing share runs until its review")
    shares = room.desk.gateway.rooms.sharing.shares
    row = shares.get(made["id"])
    shares._open[made["id"]] = replace(row, review_ns=row.created_ns)
    await panel.locator("[data-section=over]").click()
    await room.page.reload()
    panel = await room.panel()
    await expect(panel.locator("[data-due]")).to_contain_text("is due")
    await panel.get_by_role("button", name="Reviewed: it continues").click()
    await expect(panel.locator("[data-due]")).to_have_count(0)


async def test_who_may_not_share_sees_nothing_of_it(room: Room) -> None:
    """A viewer has no Sharing tab, no button and no bar, and is told so when they press the key."""
    await room.desk.person("viewer", "viv")
    await room.page.get_by_role("button", name="Sign out").click()
    await room.page.get_by_label("User name").fill("viv")
    await room.page.get_by_label("Password", exact=True).fill("four unrelated words here")
    await room.page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(room.page.locator("article").first).to_be_visible()
    await expect(room.page.locator("#tab-sharing")).to_have_count(0)
    await room.select(1)
    await room.page.keyboard.press("w")
    await expect(room.page.locator(".said-line")).to_contain_text("You may not share camera 1.")
    await expect(room.bar).to_have_count(0)


# --- a hand


async def test_a_phone_shares_lends_and_ends(phone: Room) -> None:
    """Without a keyboard: a button shares, the tile's line says who watches and opens the bar, and that ends it."""
    page = phone.page
    await page.locator("[data-act=share]").click()
    await page.locator("#share-now").click()
    await expect(phone.tile(1).locator(".outside")).to_be_visible()
    (made,) = await phone.shares()
    await phone.ask(made["id"], phone.cameras[0])
    await page.locator("[data-act=lend]").click()
    await expect(phone.tile(1).locator(".lent")).to_contain_text(SMITH)
    await phone.tile(1).locator(".take-back").click()
    await expect(phone.tile(1).locator(".lent")).to_have_count(0)
    await phone.tile(1).locator(".outside-who").click()
    await page.locator(".bar-share [data-act=end]").click()
    await expect(phone.tile(1).locator(".outside")).to_have_count(0)
    assert await phone.shares() == []


async def test_a_phone_is_as_wide_as_its_page(phone: Room) -> None:
    """Nothing of sharing makes a page that has to be pushed sideways."""
    await share(phone.desk, phone.pc, *phone.cameras, title="Op Larch", may_ask_for_stick=True)
    await organisation(phone.desk, "A partner with quite a long name, Counter Terrorism Command")
    for section in ("now", "new", "over", "partners"):
        panel = await phone.panel(section)
        await expect(panel).to_be_visible()
        assert await phone.page.evaluate("document.documentElement.scrollWidth") == 390
        assert await phone.page.evaluate("(b => b.scrollWidth <= b.clientWidth)(document.querySelector('.panel-body'))")
