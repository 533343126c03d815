"""Health in the console: what needs somebody, how a camera is, and a month's availability."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.e2e.faces import Open, opening
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(120)


@pytest_asyncio.fixture(loop_scope="session")
async def opened() -> AsyncIterator[Open]:
    """Give a function that opens the console; the page must raise nothing."""
    async with opening() as open_:
        yield open_


async def _health(page: Page) -> None:
    """Open the panel."""
    await expect(page.locator("article[data-state=live]").first).to_be_visible()
    await page.click("#tab-health")


async def _call_up(page: Page, number: int) -> None:
    """Call a camera up by its number."""
    await page.keyboard.press("Escape")
    for digit in str(number):
        await page.keyboard.press(digit)
    await page.keyboard.press("Enter")


@pytest.mark.parametrize("phone", [False, True])
async def test_what_needs_somebody_is_counted_and_stands_by_urgency(opened: Open, *, phone: bool) -> None:
    """What, where, since when, why, and what to do; the tab counts what is due today."""
    page, _ = await opened("health", phone=phone)
    await _health(page)
    await expect(page.locator("#tab-health .badge")).to_have_text("6")
    groups = page.locator(".needs")
    await expect(groups).to_have_count(3)
    assert await groups.evaluate_all("all => all.map((one) => one.dataset.group)") == ["now", "today", "soon"]
    need = page.locator('[data-need="5 picture"]')
    for words in ("Bus interchange", "It looks another way than it should.", "2 h 6 min", "confirm its new view"):
        await expect(need).to_contain_text(words)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_click_leads_to_the_camera(opened: Open) -> None:
    """Its picture is in the selected tile, and the map shows it."""
    page, _ = await opened("health")
    await _health(page)
    await page.click('[data-need="5 picture"] .need-camera')
    await expect(page.locator("article[data-selected=true] .number").first).to_have_text("5")


async def test_on_a_phone_a_click_leads_to_the_camera_and_the_map(opened: Open) -> None:
    """The panel makes room for the map."""
    page, _ = await opened("health", phone=True)
    await _health(page)
    await page.click('[data-need="5 picture"] .need-camera')
    await expect(page.locator("article[data-selected=true] .number").first).to_have_text("5")
    await expect(page.locator("sl-map")).to_be_visible()


async def test_what_is_put_off_stays_with_its_reason(opened: Open) -> None:
    """By keys alone: it is no longer counted, says who and why, and can be taken up again."""
    page, borough = await opened("health")
    await _health(page)
    need = page.locator('[data-need="5 picture"]')
    await need.locator(".need-put-off").focus()
    await page.keyboard.press("Enter")
    await expect(need.locator("select")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.type("Van ordered, job 4711")
    await page.keyboard.press("Enter")
    await expect(page.locator("#tab-health .badge")).to_have_text("5")
    waiting = page.locator('.needs[data-group="put-off"] [data-need="5 picture"]')
    await expect(waiting).to_contain_text("Put off by mary")
    await expect(waiting).to_contain_text("Van ordered, job 4711")
    assert [one["reason"] for one in borough.put_off.values()] == ["Van ordered, job 4711"]
    await waiting.get_by_role("button", name="Take it up again").click()
    await expect(page.locator("#tab-health .badge")).to_have_text("6")
    assert borough.put_off == {}


async def test_a_unit_without_a_camera_is_seen_to_as_well(opened: Open) -> None:
    """By its label, which leads nobody who may not deploy to a page that is not theirs; it is put off as such."""
    page, borough = await opened("health")
    await _health(page)
    need = page.locator('[data-need="D033 certificate"]')
    for words in ("D033", "Unit without a camera", "The certificate of unit D033 ends in 5 days."):
        await expect(need).to_contain_text(words)
    await expect(need.locator(".need-check")).to_have_count(0)
    await need.locator(".need-put-off").click()
    await need.locator("input").fill("On the bench")
    await page.keyboard.press("Enter")
    await expect(page.locator('.needs[data-group="put-off"] .need')).to_contain_text("On the bench")
    assert list(borough.put_off) == ["D033 certificate"]
    await expect(page.locator('[data-need="D033 certificate"] button.need-camera')).to_have_count(0)


async def test_when_a_cameras_own_certificate_ends_is_told(opened: Open) -> None:
    """At its check-up, as something that is wrong."""
    page, _ = await opened("health")
    await _health(page)
    await page.click('[data-need="5 certificate"] .need-check')
    await expect(page.locator(".checkup [data-wrong=true]", has_text="Own certificate")).to_contain_text("ends ")


async def test_a_camera_that_is_away_is_not_said_to_be_well(opened: Open) -> None:
    """It is not recorded, there is no picture to look at, and its clock is wrong whatever we make of its times."""
    page, _ = await opened("health")
    await _health(page)
    await page.click('[data-need="3 no-picture"] .need-check')
    facts = page.locator(".checkup")
    await expect(facts.locator("[data-wrong=true]", has_text="Recording")).to_contain_text(
        "not now: no pictures come from the camera"
    )
    await expect(facts).to_contain_text("none to look at")
    await expect(facts.locator("[data-wrong=true]", has_text="Clock")).to_contain_text(
        "1 min 14 s ahead; the times that we keep are right to half a second"
    )


async def test_cameras_that_need_the_same_are_one_line(opened: Open) -> None:
    """A camera host that is down is one trouble; each of its cameras can be called up."""
    page, _ = await opened("health-host")
    await _health(page)
    await expect(page.locator('.needs[data-group="now"] .need')).to_have_count(1)
    await expect(page.locator('.needs[data-group="now"] .need')).to_contain_text("6 cameras")
    await page.locator(".need-cameras .number", has_text="12").click()
    await expect(page.locator("article[data-selected=true] .number").first).to_have_text("12")


async def test_what_deployments_ask_for_leads_to_them(opened: Open) -> None:
    """An alarm of a unit stands first, with what is overdue below; it is seen to there, hence not put off here."""
    page, _ = await opened("health-deployments")
    await _health(page)
    alarm = page.locator(".needs[data-group=now] .need").first
    await expect(alarm).to_contain_text("Unit D017 has left its place.")
    await expect(alarm).to_contain_text("Fly-tipping in Mill Lane")
    await expect(alarm.locator(".need-put-off")).to_have_count(0)
    await expect(page.locator('.needs[data-group=today] [data-need="d2 review"]')).to_contain_text("overdue")
    await alarm.locator(".to-deployment").click()
    await expect(page.locator("#tab-deployments")).to_have_attribute("aria-selected", "true")
    await expect(page.locator("sl-deployment")).to_be_visible()


async def test_nothing_to_see_to_is_said(opened: Open) -> None:
    """No badge, and a plain sentence."""
    page, _ = await opened("health-none")
    await _health(page)
    await expect(page.locator(".health-body")).to_contain_text("Nothing needs anybody.")
    await expect(page.locator("#tab-health .badge")).to_have_count(0)


async def test_a_gateway_that_fails_is_said(opened: Open) -> None:
    """In its own words, with a way to ask again."""
    page, borough = await opened("health-failed")
    await _health(page)
    await expect(page.locator(".health-body [role=alert]")).to_contain_text("The gateway is being restarted.")
    borough.face = "health"
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".need").first).to_be_visible()


async def test_who_only_watches_puts_nothing_off(opened: Open) -> None:
    """They see what needs somebody, and how a camera should look; no buttons that would be refused."""
    page, borough = await opened("viewer")
    borough.face = "health-viewer"
    await _health(page)
    await expect(page.locator(".need").first).to_be_visible()
    await expect(page.locator(".need-put-off")).to_have_count(0)
    await _call_up(page, 5)
    await page.click("#health-camera")
    await expect(page.locator(".reference-view h3")).to_be_visible()
    await expect(page.locator("#reference-take")).to_have_count(0)


@pytest.mark.parametrize("phone", [False, True])
async def test_a_units_trends_can_be_read(opened: Open, *, phone: bool) -> None:
    """Four values with their axes; the arrow keys go back in time and say what was then; a week is drawn as well."""
    page, _ = await opened("health", phone=phone)
    await _health(page)
    await page.click('[data-need="12 battery"] .need-check')
    plots = page.locator("sl-unit-trends sl-trend svg")
    await expect(plots).to_have_count(4)
    await expect(page.locator(".checkup")).to_contain_text("lasts 9 h as it goes now")
    battery = plots.first
    await expect(battery).to_have_attribute("aria-label", re.compile("^Battery: 12 % last, lowest 12 % at "))
    await battery.focus()
    await page.keyboard.press("Home")
    await expect(page.locator("sl-unit-trends sl-trend output b").first).to_have_text("62 %")
    await page.keyboard.press("ArrowRight")
    await expect(battery).not_to_have_attribute("aria-valuenow", "0")
    await page.get_by_role("button", name="7 days").click()
    await expect(page.locator("sl-unit-trends sl-trend").first.locator(".plot-time")).to_have_count(7)
    await expect(page.locator("sl-unit-trends sl-trend polyline").first).to_be_attached()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_how_a_camera_should_look_is_said_and_forgotten(opened: Open) -> None:
    """What it shows now is kept and shown; forgetting it takes a second click."""
    page, borough = await opened("health-none")
    await expect(page.locator("article[data-state=live]").first).to_be_visible()
    await _call_up(page, 5)
    await page.click("#tab-steer")
    view = page.locator(".reference-view")
    await expect(view).to_contain_text("Nobody has said so yet")
    await page.click("#reference-take")
    await expect(view.locator("img")).to_be_visible()
    await until(lambda: len(borough.references) == 1, what="the reference view")
    assert await view.locator("img").evaluate("one => one.decode().then(() => one.naturalWidth)") == 160
    await page.click("#reference-forget")
    await expect(page.locator("#reference-forget")).to_have_text("Really forget it")
    await expect(view.locator("[role=status]")).to_contain_text("if this camera is turned, nobody is told")
    # The hand lies on it: it looks sharp all the same.
    colours = "one => [getComputedStyle(one).backgroundColor, one.matches(':hover')]"
    assert await page.locator("#reference-forget").evaluate(colours) == ["rgb(85, 35, 30)", True]
    await page.click("#reference-forget")
    await expect(view).to_contain_text("Nobody has said so yet")
    assert borough.references == {}


async def test_a_camera_with_a_head_is_compared_where_its_head_stands(opened: Open) -> None:
    """It says so, before and after somebody has said how it should look."""
    page, _ = await opened("health")
    await _health(page)
    await _call_up(page, 1)
    await page.click("#health-camera")
    await expect(page.locator(".reference-view")).to_contain_text("Steer it to where it stands most of the time")
    await page.click("#reference-take")
    await expect(page.locator(".reference-view figcaption")).to_contain_text("While its head stands as it stood then")


@pytest.mark.parametrize("phone", [False, True])
async def test_any_cameras_last_days_are_drawn(opened: Open, *, phone: bool) -> None:
    """What was recorded, what was lost, its clock: each value by the arrow keys, and all of them as a table."""
    page, _ = await opened("health", phone=phone)
    await _health(page)
    await page.click('[data-need="5 picture"] .need-check')
    days = page.locator(".camera-days")
    await expect(days.locator("sl-trend svg")).to_have_count(3)
    clock = days.locator('[data-plot="clock"]')
    await clock.locator("svg").focus()
    await page.keyboard.press("Home")
    await expect(clock.locator("output")).to_contain_text("\N{MINUS SIGN}0.4 s")
    await days.locator("summary").click()
    rows = days.locator("tbody tr")
    await expect(rows).to_have_count(86)
    await expect(rows.nth(1)).to_contain_text("Recording was off: 2 h.")
    await expect(rows.nth(9)).to_contain_text("the camera host was down")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_camera_whose_days_are_not_over_says_when_they_are(opened: Open) -> None:
    """No empty plots."""
    page, borough = await opened("health")
    borough.face = "health-new"
    await _health(page)
    await page.click('[data-need="5 picture"] .need-check')
    await expect(page.locator(".camera-days")).to_contain_text("No day of this camera is over yet.")
    await expect(page.locator(".camera-days sl-trend")).to_have_count(0)


@pytest.mark.parametrize("phone", [False, True])
async def test_a_month_is_a_report(opened: Open, *, phone: bool) -> None:
    """The worst first, what it lost and to what, those that nobody tells of; as CSV for the month that is shown."""
    page, _ = await opened("health", phone=phone)
    await _health(page)
    await page.click("#health-report")
    rows = page.locator(".availability tbody tr")
    await expect(rows).to_have_count(6)
    await expect(rows.first).to_contain_text("Station approach")
    await expect(rows.first).to_contain_text("99.15 %")
    await expect(rows.first).to_contain_text("Lost 6 h 5 min: the camera sent nothing, 5 h 50 min")
    await expect(page.locator(".availability [role=alert]")).to_contain_text("12")
    await expect(rows.nth(1)).to_contain_text("Removed on")
    # Its number is read, and is no button that does nothing.
    await expect(rows.nth(1).locator(".number")).to_have_text("214")
    await expect(rows.nth(1).locator("button")).to_have_count(0)
    await expect(rows.filter(has_text="Bus interchange")).to_contain_text("Recording was off: 1 h 30 min.")
    month = await page.locator("#availability-month option").nth(1).get_attribute("value")
    assert month is not None
    await page.select_option("#availability-month", month)
    async with page.expect_download() as started:
        await page.click("#availability-csv")
    assert (await started.value).suggested_filename == f"availability-{month}.csv"
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_on_paper_the_report_stands_alone(opened: Open) -> None:
    """No wall, no map, no buttons, and not cut at the height of the screen."""
    page, _ = await opened("health")
    await _health(page)
    await page.click("#health-report")
    await expect(page.locator(".availability tbody tr")).to_have_count(6)
    await page.emulate_media(media="print")
    for gone in ("sl-wall", "sl-map", ".topbar", ".tabs", ".availability-acts"):
        await expect(page.locator(gone).first).to_be_hidden()
    await expect(page.locator(".availability tbody tr").last).to_be_in_viewport()
    background = await page.evaluate("getComputedStyle(document.querySelector('.panel-body')).backgroundColor")
    assert background == "rgb(255, 255, 255)"
