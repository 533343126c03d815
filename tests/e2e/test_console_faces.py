"""The console in Debian's Chromium before a gateway whose state a test sets: what hands do and what eyes are told."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.e2e.faces import Open, opening
from tests.fakes.console_state import FakeBorough
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(180)


@pytest_asyncio.fixture(loop_scope="session")
async def opened() -> AsyncIterator[Open]:
    """Give a function that opens the console with the gateway in a state; the page must raise nothing."""
    async with opening() as open_:
        yield open_


def _kinds(borough: FakeBorough) -> list[str]:
    return [said["t"] for said in borough.commands]


async def _selected(page: Page, number: int) -> None:
    selected = page.locator("article[data-selected=true]")
    await expect(selected).to_have_attribute("data-camera-number", str(number))


async def test_first_run_takes_the_code_from_the_address(opened: Open) -> None:
    """The one-time code in the address is filled in, and the administrator lands on the wall."""
    page, _ = await opened("setup", path="/#setup=7GQ4-XM2P")
    await expect(page.get_by_label("One-time code")).to_have_value("7GQ4-XM2P")
    await page.get_by_label("User name").fill("mary")
    await page.get_by_label("Password", exact=True).fill("four words in a row")
    await page.get_by_label("Password again").fill("four words in a row")
    await page.get_by_role("button", name="Make administrator").click()
    await expect(page.locator("article[data-state=live]").first).to_be_visible()
    assert "#" not in page.url


async def test_a_wrong_password_is_said_in_a_sentence(opened: Open) -> None:
    """The server's own words stand above the form; to the public it speaks of no terminal."""
    page, _ = await opened("signed-out")
    await page.get_by_label("User name").fill("mary")
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("The user name or the password is wrong.")
    await expect(page.locator(".hint")).to_have_text("Forgotten it? Ask an administrator to set a new one.")


async def test_signing_in_and_out(opened: Open) -> None:
    """A sign-in shows the wall, a sign-out the form, and no picture stays behind."""
    page, _ = await opened("signed-out")
    await page.get_by_label("User name").fill("mary")
    await page.get_by_label("Password").fill("right")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("article")).to_have_count(9)
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await expect(page.locator("video")).to_have_count(0)


async def test_a_camera_is_called_up_by_its_number(opened: Open) -> None:
    """Digits and Enter put the camera into the selected tile; a number that is none is said to be none."""
    page, _ = await opened()
    await expect(page.locator("article[data-state=live]")).to_have_count(6)
    for key in ("1", "2", "Enter"):
        await page.keyboard.press(key)
    await _selected(page, 12)
    for key in ("9", "9", "Enter"):
        await page.keyboard.press(key)
    await expect(page.locator(".said-space")).to_have_text("There is no camera 99.")
    await _selected(page, 12)


async def test_the_selected_tile_takes_the_main_stream_and_the_others_the_sub_stream(opened: Open) -> None:
    """Selecting another tile changes both, and neither loses its picture."""
    page, _ = await opened()
    await expect(page.locator("article[data-stream=main][data-state=live]")).to_have_count(1)
    await expect(page.locator("article[data-stream=sub][data-state=live]")).to_have_count(5)
    await page.locator("article[data-camera-number='3'] .tile-head").click()
    await expect(page.locator("article[data-camera-number='3'][data-stream=main]")).to_have_count(1)
    await expect(page.locator("article[data-camera-number='1'][data-stream=sub]")).to_have_count(1)
    await expect(page.locator("article[data-state=live]")).to_have_count(6)


async def test_arrow_keys_take_the_stick_move_and_stop(opened: Open) -> None:
    """A held key moves with beats, also right after a click on a tab; letting go stops."""
    page, borough = await opened()
    await expect(page.locator("[data-stick=idle]")).to_be_visible()
    await page.locator("#tab-steer").click()
    await page.keyboard.down("ArrowRight")
    await until(lambda: _kinds(borough).count("beat") >= 2 or _kinds(borough).count("move") >= 8, what="moves")
    await page.keyboard.up("ArrowRight")
    await until(lambda: "stop" in _kinds(borough), what="a stop")
    assert _kinds(borough)[:2] == ["take", "move"]
    assert all(said["pan"] > 0 for said in borough.commands if said["t"] == "move")
    await expect(page.locator("[data-stick=mine]")).to_be_visible()


async def test_a_full_speed_key_beats_while_it_is_held(opened: Open) -> None:
    """A wish that does not change is kept alive by beats."""
    page, borough = await opened()
    await expect(page.locator("[data-stick=idle]")).to_be_visible()
    await page.keyboard.down("Shift")
    await page.keyboard.down("ArrowLeft")
    await until(lambda: _kinds(borough).count("beat") >= 3, what="beats")
    await page.keyboard.up("ArrowLeft")
    await until(lambda: "stop" in _kinds(borough), what="a stop")
    assert _kinds(borough).count("move") == 1


async def test_losing_the_focus_stops_the_head(opened: Open) -> None:
    """A key that is held while the window loses focus stops the head at once."""
    page, borough = await opened()
    await expect(page.locator("[data-stick=idle]")).to_be_visible()
    await page.keyboard.down("ArrowUp")
    await until(lambda: "move" in _kinds(borough), what="a move")
    await page.evaluate("window.dispatchEvent(new Event('blur'))")
    await until(lambda: "stop" in _kinds(borough), what="a stop")


async def test_escape_stops_even_when_nothing_moves(opened: Open) -> None:
    """Esc is a stop, always."""
    page, borough = await opened()
    await expect(page.locator("[data-stick=idle]")).to_be_visible()
    await page.keyboard.press("Escape")
    await until(lambda: _kinds(borough) == ["stop"], what="a stop")


async def test_the_pointer_steers_on_the_selected_picture(opened: Open) -> None:
    """A click centres, a drag turns and stops, Shift and a drag draw a box."""
    page, borough = await opened()
    await expect(page.locator("[data-stick=idle]")).to_be_visible()
    box = await page.locator("article[data-selected=true] .picture").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.click(x + 60, y)
    await until(lambda: "view" in _kinds(borough), what="a view move")
    view = next(said for said in borough.commands if said["t"] == "view")
    assert view["right"] > 0.1
    assert abs(view["up"]) < 0.02
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x - 90, y, steps=3)
    await until(lambda: any(said["t"] == "move" and said["pan"] < 0 for said in borough.commands), what="a turn left")
    await page.mouse.up()
    await until(lambda: _kinds(borough)[-1] == "stop", what="a stop")
    await page.keyboard.down("Shift")
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 80, y + 40, steps=3)
    await page.mouse.up()
    await page.keyboard.up("Shift")
    await until(lambda: "box" in _kinds(borough), what="a box")
    drawn: dict[str, Any] = next(said for said in borough.commands if said["t"] == "box")
    assert 0.45 < drawn["x0"] < drawn["x1"] < 1
    assert 0.45 < drawn["y0"] < drawn["y1"] < 1


async def test_a_preset_is_recalled_by_two_keys(opened: Open) -> None:
    """P and 2 go to the second preset, and the 2 begins no call-up."""
    page, borough = await opened()
    await expect(page.locator("[data-preset=p2]")).to_be_visible()
    await page.keyboard.press("p")
    await page.keyboard.press("2")
    await until(lambda: {"t": "preset", "token": "p2"} in borough.commands, what="the preset")
    await expect(page.locator(".callup")).to_have_attribute("data-typed", "")


async def test_presets_are_stored_and_removed(opened: Open) -> None:
    """Storing asks for a name, removing asks once more."""
    page, borough = await opened()
    await page.get_by_role("button", name="Store this view as a preset").click()
    await page.get_by_label("Name of the preset").fill("Fountain")
    await page.get_by_role("button", name="Store", exact=True).click()
    await expect(page.locator("[data-preset=p5]")).to_contain_text("Fountain")
    await page.get_by_role("button", name="Remove preset Taxi rank").click()
    assert any(preset["token"] == "p1" for preset in borough.presets)
    await page.get_by_role("button", name="Remove preset Taxi rank").click()
    await expect(page.locator("[data-preset=p1]")).to_have_count(0)


async def test_somebody_elses_stick_is_named(opened: Open) -> None:
    """Who holds it is said beside the picture and in the panel, and a refusal is said too."""
    page, _ = await opened("stick")
    await expect(page.locator("[data-stick=theirs]")).to_contain_text("B. Jones has the stick.")
    await expect(page.locator("article[data-camera-number='1'] .stick")).to_have_text("B. Jones")
    await page.get_by_role("button", name="Take", exact=True).click()
    await expect(page.locator("[data-stick=theirs]")).to_contain_text("Ask them to release it.")


async def test_a_picture_that_stands_still_says_so(opened: Open) -> None:
    """When frames cease to come no tile is called live, and each says how old its picture is."""
    page, _ = await opened()
    await expect(page.locator("article[data-state=live]")).to_have_count(6)
    await page.evaluate("window.__peer.stop = true")
    await expect(page.locator("article[data-state=still]")).to_have_count(6)
    await expect(page.locator("article[data-camera-number='2'] .flag")).to_contain_text("Still picture")


async def test_a_picture_that_never_changes_is_called_frozen(opened: Open) -> None:
    """Frames that come on time and show the same pixels are told apart from live ones."""
    page, _ = await opened()
    await page.evaluate("window.__peer.freeze = true")
    await expect(page.locator("article[data-state=frozen]").first).to_be_visible()


async def test_a_tile_says_what_is_shown_in_place_of_what_was_asked_for(opened: Open) -> None:
    """A converted picture is called one, another stream is named, and all others say neither."""
    page, borough = await opened()
    borough.shown = {
        1: {"Sightline-Stream": "main", "Sightline-Converted-From": "h265"},
        2: {"Sightline-Stream": "main"},
    }
    await page.reload()
    await expect(page.locator("article[data-state=live]")).to_have_count(6)
    await page.locator("article[data-camera-number='1']").click()
    converted = page.locator("article[data-camera-number='1'] .instead")
    await expect(converted).to_have_text("converted from H.265")
    await expect(converted.locator(".instead-from")).to_be_hidden()  # the camera's name needs the room on a small tile
    await page.get_by_role("button", name="1", exact=True).first.click()
    await expect(converted.locator(".instead-from")).to_be_visible()
    await page.get_by_role("button", name="9", exact=True).first.click()
    await expect(converted).to_have_attribute("title", re.compile("server converts it"))
    await expect(page.locator("article[data-camera-number='2'] .instead")).to_have_text("main stream")
    await expect(page.locator(".instead")).to_have_count(2)


async def test_faults_are_said_in_plain_words(opened: Open) -> None:
    """An unreachable camera, a refused password and a lost recording each stand in their tile."""
    page, _ = await opened("faults")
    await expect(page.locator("article[data-camera-number='2']")).to_contain_text("The camera does not answer.")
    await expect(page.locator("article[data-camera-number='3']")).to_contain_text("The camera refuses the password.")
    await expect(page.locator("article[data-camera-number='5'] .rec")).to_have_text("not recording")


@pytest.mark.parametrize(
    ("face", "words"),
    [
        ("empty", "No cameras yet"),
        ("forbidden", "You may not see cameras"),
        ("failed", "The camera host does not answer."),
    ],
)
async def test_a_wall_without_pictures_says_why(opened: Open, face: str, words: str) -> None:
    """Empty, forbidden and failed are each their own words."""
    page, _ = await opened(face)
    await expect(page.locator("[data-wall]")).to_contain_text(words)


async def test_what_one_may_not_do_is_not_offered(opened: Open) -> None:
    """A viewer has no pad, no enrolment and no list of people, and opens no steering socket."""
    page, borough = await opened("viewer")
    await expect(page.locator("article[data-state=live]").first).to_be_visible()
    for name in ("Enrol", "People", "Audit"):
        await expect(page.get_by_role("tab", name=name)).to_have_count(0)
    await expect(page.locator(".pad")).to_have_count(0)
    await page.keyboard.press("ArrowRight")
    assert borough.commands == []


async def test_enrolling_shows_the_device_before_it_is_stored(opened: Open) -> None:
    """A refused password is said with its cure; the right one shows what was found."""
    page, _ = await opened("empty")
    await page.get_by_role("button", name="Enrol a camera").click()
    await page.get_by_label("Address").fill("10.20.0.13")
    await page.locator("#enrol-password").fill("wrong")
    await page.get_by_role("button", name="Look at it").click()
    await expect(page.get_by_role("alert")).to_contain_text("Type the ones that were set on the camera for ONVIF.")
    await page.locator("#enrol-password").fill("right")
    await page.get_by_role("button", name="Look at it").click()
    await expect(page.get_by_alt_text("Picture from the camera, taken now")).to_be_visible()
    await expect(page.locator("sl-enrol")).to_contain_text("Simulated Dome")
    await expect(page.get_by_label("Number")).to_have_value("1")


async def test_the_map_turns_with_the_head(opened: Open) -> None:
    """A camera's mark carries the bearing that its head tells, and a click calls it up."""
    page, _ = await opened()
    mark = page.locator(".camera-mark[data-camera='1']")
    await expect(mark).to_have_attribute("data-bearing", "205.0")
    await page.keyboard.down("ArrowRight")
    await expect(mark).not_to_have_attribute("data-bearing", "205.0")
    await page.keyboard.up("ArrowRight")
    await page.locator(".camera-mark[data-camera='4']").click()
    await expect(page.locator("article[data-selected=true]")).to_have_attribute("data-camera-number", "4")


async def test_search_finds_by_street_and_calls_up_with_enter(opened: Open) -> None:
    """The slash goes to the search; words match name, street and group."""
    page, _ = await opened()
    await expect(page.locator("article[data-state=live]").first).to_be_visible()
    await page.keyboard.press("/")
    await page.get_by_label("Find a camera").fill("canal park")
    await expect(page.locator(".camera-row")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.locator("article[data-selected=true]")).to_have_attribute("data-camera-number", "12")


async def test_the_wall_is_the_same_after_a_reload(opened: Open) -> None:
    """Layout and cameras are kept."""
    page, _ = await opened()
    await page.locator("[data-layout='4'][title]").click()
    await page.keyboard.press("5")
    await page.keyboard.press("Enter")
    await expect(page.locator("article[data-selected=true]")).to_have_attribute("data-camera-number", "5")
    await page.reload()
    await expect(page.locator("article")).to_have_count(4)
    await expect(page.locator("article[data-selected=true]")).to_have_attribute("data-camera-number", "5")


async def test_export_is_two_clicks_on_the_timeline(opened: Open) -> None:
    """E, a click and a click ask for the clip between them."""
    page, borough = await opened()
    await expect(page.locator(".track .span").first).to_be_attached()
    await page.keyboard.press("e")
    box = await page.locator(".track").bounding_box()
    assert box is not None
    async with page.expect_download() as coming:
        await page.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + 20)
        await page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + 20)
    clip = await coming.value
    start, end = borough.exports[0]
    assert start < end
    assert clip.suggested_filename.startswith("camera-1-")


async def test_a_gap_tells_its_cause(opened: Open) -> None:
    """Where nothing was recorded the timeline says why."""
    page, _ = await opened()
    title = await page.locator(".gap[data-cause=network]").get_attribute("title")
    assert title is not None
    assert "the network lost it" in title


async def test_the_phone_shows_one_picture_and_one_thing_below(opened: Open) -> None:
    """At 390 by 844 nothing runs off to the side, and the panel takes the place of the map."""
    page, _ = await opened(phone=True)
    await expect(page.locator("article[data-state=live]")).to_have_count(1)
    await expect(page.locator("#map")).to_be_visible()
    await page.get_by_role("tab", name="Cameras").click()
    await expect(page.locator("#map")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    tabs = page.locator("[role=tablist] > *")
    assert await tabs.evaluate_all("tabs => tabs.every((tab) => tab.getAttribute('role') === 'tab')")
    assert await tabs.evaluate_all("tabs => tabs.every((tab) => tab.getBoundingClientRect().right <= innerWidth)")
    await page.locator(".camera-row[data-camera-number='4']").click()
    await expect(page.locator("article[data-selected=true]")).to_have_attribute("data-camera-number", "4")
    await expect(page.locator("#map")).to_be_visible()


async def test_every_key_is_listed_under_the_question_mark(opened: Open) -> None:
    """? opens the keys beside the pictures and covers none."""
    page, _ = await opened()
    await expect(page.locator("article[data-state=live]").first).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.locator("sl-keys")).to_contain_text("back 30 seconds")
    picture = await page.locator("main.centre").bounding_box()
    panel = await page.locator("sl-keys").bounding_box()
    assert picture is not None
    assert panel is not None
    assert panel["x"] >= picture["x"] + picture["width"]
