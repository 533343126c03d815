"""Deployable units in the console: who needs somebody, what one said, what it is told, and a new one step by step."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from tests.e2e.faces import Open, opening
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(240)


@pytest_asyncio.fixture(loop_scope="session")
async def opened() -> AsyncIterator[Open]:
    """Give a function that opens the console with the gateway in a state; the page must raise nothing."""
    async with opening() as open_:
        yield open_


async def _units(page: Page) -> None:
    await page.click("#tab-units")
    await expect(page.get_by_role("heading", name="Units", exact=True)).to_be_visible()


async def _unit(page: Page, label: str) -> None:
    await _units(page)
    await page.locator(f"[data-unit={label}] .unit-open").click()
    await expect(page.locator("sl-unit h2")).to_contain_text(f"Unit {label}")


async def test_who_needs_somebody_stands_first(opened: Open) -> None:
    """Link, battery with its forecast, signal, data, place and age; the worst first, each with its reason in words."""
    page, _ = await opened("units")
    await _units(page)
    rows = page.locator(".unit-row")
    await expect(rows).to_have_count(4)
    assert [await one.get_attribute("data-unit") for one in await rows.all()] == ["D009", "D017", "D033", "D001"]
    worn = page.locator(".unit-row[data-unit=D017]")
    for words in (
        "online",
        "Mill Lane · camera 2",
        "battery 14 %, about 5 h left",
        "signal poor, \N{MINUS SIGN}112 dBm",
        "9.3 GB of 10.0 GB this month",
        "firmware 2.1.0",
        "Today: The battery of unit D017 lasts 5 h more.",
        "will have sent its month's data within 2 days",
    ):
        await expect(worn).to_contain_text(words)
    await expect(page.locator(".unit-row[data-unit=D009]")).to_contain_text("Now: Unit D009 is not heard.")
    await expect(page.locator(".units-total")).to_contain_text("2 units need somebody")
    await expect(page.locator(".unit-strangers")).to_contain_text("12 messages of no unit that is enrolled")


async def test_one_unit_tells_all_with_its_age(opened: Open) -> None:
    """Every state in words with how old it is, its trends drawn, its data and what was refused of it by cause."""
    page, _ = await opened("units")
    await _unit(page, "D017")
    for kind, words in (
        ("state/battery", "14 %, 12.4 V"),
        ("state/position", "51.58712"),
        ("state/case", "closed"),
        ("state/address", "10.9.0.17, HTTP 80, RTSP 554"),
    ):
        row = page.locator(f"[data-kind='{kind}']")
        await expect(row).to_contain_text(words)
        await expect(row).to_contain_text("s ago")
    await expect(page.locator("sl-trend polyline")).to_have_count(4)
    await expect(page.locator("[data-cause=replayed]")).to_contain_text("3 messages had come before")
    await expect(page.locator("[data-cause=wrong-unit]")).to_contain_text("spoke of another unit")


async def test_a_command_shows_the_units_own_answer(opened: Open) -> None:
    """Done, or why it will not; starting it anew asks once more; a budget that it takes is its budget."""
    page, borough = await opened("units")
    await _unit(page, "D017")
    await page.get_by_role("button", name="Where is it?").click()
    said = page.locator(".unit-commands [role=status]")
    await expect(said).to_contain_text("Told to say where it is: done.")
    await page.get_by_role("button", name="Full picture").click()
    await expect(said).to_contain_text("it will not: over its budget")
    await page.get_by_role("button", name="Start it anew").click()
    assert all(name != "reboot" for _, name, _ in borough.told_units)
    await page.get_by_role("button", name="Really start it anew").click()
    await expect(said).to_contain_text("Told to start anew: done.")
    await page.fill("#unit-budget", "20")
    await page.get_by_role("button", name="Set it").click()
    await expect(page.locator(".unit-data")).to_contain_text("9.3 GB of 20.0 GB this month")
    assert borough.told_units[-1] == ("D017", "data-budget", {"budget_bytes": 20_000_000_000})


async def test_a_new_unit_is_made_step_by_step(opened: Open, tmp_path: Path) -> None:
    """Label, certificate downloaded once with its key, the printed label, the camera's password; and there it is."""
    page, borough = await opened("units")
    await _units(page)
    await page.click("#unit-new")
    await page.fill("#new-label", "d017")
    await page.get_by_role("button", name="Make it known").click()
    await expect(page.locator("sl-units").get_by_role("alert")).to_contain_text("That label is another unit's.")
    await page.fill("#new-label", "D034")
    await page.select_option("#new-camera", label="4 Mill Lane car park")
    await page.get_by_role("button", name="Make it known").click()
    await page.click("#unit-certify")
    async with page.expect_download() as downloading:
        await page.click("#unit-bundle-save")
    file = await downloading.value
    assert file.suggested_filename == "D034.pem"
    await file.save_as(tmp_path / "bundle.pem")
    bundle = (tmp_path / "bundle.pem").read_text()
    assert bundle.index("unit\n") < bundle.index("secret\n") < bundle.index("authority\n")
    assert bundle.count("-----BEGIN") == 3
    await page.get_by_role("button", name="Done: forget it").click()
    await expect(page.locator("#unit-bundle")).to_have_count(0)
    await page.get_by_role("button", name="Go on: print its label").click()
    await expect(page.locator("#label-print")).to_have_attribute(
        "href", "/api/v1/unit-labels.pdf?label=D034&size=62x29&first=1"
    )
    await page.get_by_role("button", name="Go on: its camera").click()
    await page.get_by_role("button", name="Give it a random password").click()
    await page.get_by_role("button", name="Really change it").click()
    await expect(page.locator("#camera-password-left")).to_contain_text("service (Operator)")
    await expect(page.locator("#camera-password-left")).to_contain_text("plain HTTP")
    assert borough.camera_password is not None
    await page.click("#unit-done")
    await expect(page.locator("sl-unit h2")).to_contain_text("Unit D034")


async def test_a_certificate_is_revoked_and_a_unit_retired(opened: Open) -> None:
    """Each asks once more; what is revoked says so, and a retired unit can be told nothing."""
    page, _ = await opened("units")
    await _unit(page, "D001")
    await page.get_by_role("button", name="Revoke the certificate").click()
    await page.get_by_role("button", name="Really revoke").click()
    await expect(page.locator("sl-unit-certificates")).to_contain_text("revoked")
    await expect(page.locator(".unit-concerns")).to_contain_text("no certificate that is good")
    await page.get_by_role("button", name="Retire unit D001").click()
    await page.get_by_role("button", name="Really retire it").click()
    await expect(page.locator("sl-unit h2")).to_contain_text("retired")
    await expect(page.locator(".unit-commands")).to_have_count(0)


async def test_which_camera_a_unit_has_is_forgotten(opened: Open) -> None:
    """It asks once more and says what comes of it; then what the unit had said is gone from its page."""
    page, _ = await opened("units")
    await _unit(page, "D001")
    await page.get_by_text("Model, camera and note").click()
    await expect(page.locator("#unit-learnt")).to_contain_text("It said that its camera is")
    await page.get_by_role("button", name="Forget which camera unit D001 has").click()
    await expect(page.locator("sl-unit details [role=status]")).to_contain_text("The camera that it names next")
    await page.get_by_role("button", name="Really forget it").click()
    await expect(page.locator("#unit-learnt")).to_have_count(0)


async def test_a_fixed_camera_is_given_a_password_too(opened: Open) -> None:
    """Beside what is known of the camera, for who enrols; nothing is asked for before somebody looks."""
    page, borough = await opened("units")
    await page.get_by_text("Its own password").click()
    await expect(page.locator("sl-unit-camera")).to_contain_text("typed when the camera was enrolled")
    await page.get_by_role("button", name="Give it a random password").click()
    await page.get_by_role("button", name="Really change it").click()
    await expect(page.locator("sl-unit-camera")).to_contain_text("A random one since")
    assert borough.camera_password is not None


async def test_several_labels_go_on_one_sheet(opened: Open) -> None:
    """Those that are chosen, on the paper that is chosen, from where the sheet was begun."""
    page, _ = await opened("units")
    await _units(page)
    await page.click("#unit-labels")
    await expect(page.locator("#labels-print")).to_have_count(0)
    await page.check("sl-unit-labels [value=D001]")
    await page.check("sl-unit-labels [value=D009]")
    await page.fill("#label-first", "7")
    await page.locator("#label-first").blur()
    await expect(page.locator("#labels-print")).to_have_attribute(
        "href", "/api/v1/unit-labels.pdf?label=D001&label=D009&size=a4-21&first=7"
    )


async def test_an_operator_tells_and_does_not_provision(opened: Open) -> None:
    """Who may not enrol sees no certificates, passwords or labels, and may ask where a unit is."""
    page, _ = await opened("units-operator")
    await _units(page)
    await expect(page.locator("#unit-new")).to_have_count(0)
    await page.locator("[data-unit=D017] .unit-open").click()
    await expect(page.get_by_role("button", name="Where is it?")).to_be_visible()
    for name in ("sl-unit-certificates", "sl-unit-camera", "#unit-budget", "[data-act=retire]"):
        await expect(page.locator(name)).to_have_count(0)


@pytest.mark.parametrize(
    ("face", "words"),
    [
        ("units-none", "No unit is enrolled that you may see."),
        ("units-failed", "Units are not heard here."),
        ("units-forbidden", "You may not do this."),
    ],
)
async def test_it_says_why_there_are_none(opened: Open, face: str, words: str) -> None:
    """Empty, failed and forbidden, in plain words."""
    page, _ = await opened(face)
    await _units(page)
    await expect(page.locator("sl-units")).to_contain_text(words)


async def test_it_works_by_keys_and_on_a_phone(opened: Open) -> None:
    """Enter opens a unit and the head of its page has the hand; nothing is wider than the phone."""
    page, _ = await opened("units", phone=True)
    await _units(page)
    await page.locator("[data-unit=D009] .unit-open").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("sl-unit h2")).to_be_focused()
    back = page.get_by_role("button", name="Back to all units")
    await back.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Units", exact=True)).to_be_focused()
    await page.locator("[data-unit=D017] .unit-open").click()
    await expect(page.locator("sl-trend svg").first).to_be_visible()
    body = page.locator("#panel-body")
    await until_fits(page)
    assert await body.evaluate("one => one.scrollWidth <= one.clientWidth")


async def until_fits(page: Page) -> None:
    """Wait for the last of the page's parts."""
    await expect(page.locator("sl-unit-camera")).to_contain_text("typed when the camera was enrolled")


async def test_labels_are_asked_for_as_they_were_chosen(opened: Open) -> None:
    """The link opens the PDF that the gateway makes."""
    page, borough = await opened("units")
    await _units(page)
    await page.click("#unit-labels")
    await page.check("sl-unit-labels [value=D033]")
    await page.select_option("#label-size", "62x29")
    await page.click("#labels-print")
    await until(lambda: len(borough.labels_printed) == 1, what="the question for the PDF")
    assert borough.labels_printed == [[("label", "D033"), ("size", "62x29"), ("first", "1")]]


@pytest.mark.parametrize("phone", [False, True])
async def test_a_camera_is_told_to_tell_its_events(opened: Open, *, phone: bool) -> None:
    """Asked only when somebody looks; told to, told no more after a second question; other brokers are named."""
    page, borough = await opened("units", phone=phone)
    await page.click("#tab-steer")
    await page.locator("summary", has_text="Events over MQTT").click()
    events = page.locator("sl-camera-events")
    await expect(events).to_contain_text("tells nobody by itself")
    await expect(events).to_contain_text("It also tells mqtt://nvr.example:1883. That was set on the camera, not here.")
    await events.get_by_role("button", name="Tell events over MQTT").click()
    await expect(events).to_contain_text("It tells them at our broker and is connected")
    assert len(borough.event_brokers) == 1
    assert await page.locator("#panel-body").evaluate("one => one.scrollWidth <= one.clientWidth")
    await events.get_by_role("button", name="Tell no more events over MQTT").click()
    assert len(borough.event_brokers) == 1
    await events.get_by_role("button", name="Really tell no more").click()
    await expect(events).to_contain_text("tells nobody by itself")
    assert borough.event_brokers == []


async def test_a_camera_that_cannot_is_not_told(opened: Open) -> None:
    """It refused the question: that is said, and there is no button."""
    page, _ = await opened("units")
    await expect(page.locator("article[data-state=live]").first).to_be_visible()
    await page.keyboard.press("5")
    await page.keyboard.press("Enter")
    await expect(page.locator("sl-steer .panel-camera .number")).to_have_text("5")
    await page.locator("summary", has_text="Events over MQTT").click()
    events = page.locator("sl-camera-events")
    await expect(events).to_contain_text("This camera cannot tell its events over MQTT.")
    await expect(events.get_by_role("button")).to_have_count(0)


async def test_a_camera_that_does_not_answer_is_not_waited_for_when_another_is_shown(opened: Open) -> None:
    """What the one in sight says is shown, and a late answer of the former is nobody's."""
    page, _ = await opened("units")
    held: asyncio.Future[Route] = asyncio.get_running_loop().create_future()

    async def hold(route: Route) -> None:
        if held.done():
            await route.continue_()
        else:
            held.set_result(route)

    await page.route("**/event-brokers", hold)
    await page.click("#tab-steer")
    await page.locator("summary", has_text="Events over MQTT").click()
    events = page.locator("sl-camera-events")
    await expect(events).to_contain_text("Asking the camera")
    late = await held
    await page.keyboard.press("5")
    await page.keyboard.press("Enter")
    await expect(page.locator("sl-steer .panel-camera .number")).to_have_text("5")
    await late.continue_()
    await expect(events).to_contain_text("This camera cannot tell its events over MQTT.")


async def test_who_may_not_enrol_is_not_offered_events(opened: Open) -> None:
    """An operator sees neither its password nor its brokers."""
    page, _ = await opened("units-operator")
    await expect(page.locator("sl-steer .facts-list")).to_be_visible()
    await expect(page.get_by_text("Events over MQTT")).to_have_count(0)


async def _look_at_a_camera(page: Page) -> None:
    await page.click("#tab-enrol")
    await page.get_by_label("Address").fill("10.20.0.13")
    await page.locator("#enrol-password").fill("right")
    await page.get_by_role("button", name="Look at it").click()
    await expect(page.get_by_alt_text("Picture from the camera, taken now")).to_be_visible()
    await page.fill("#enrol-name", "Mill Lane 14")


@pytest.mark.parametrize("phone", [False, True])
async def test_a_units_camera_is_enrolled_as_such(opened: Open, *, phone: bool) -> None:
    """Chosen among those that are known, those without a camera first; what follows for recording is said."""
    page, borough = await opened("units", phone=phone)
    await _look_at_a_camera(page)
    units = page.locator("#enrol-units option")
    # The units are asked for once the camera has been looked at.
    await expect(units).to_have_count(4)
    assert await units.evaluate_all("all => all.map((one) => one.value)") == ["D033", "D001", "D009", "D017"]
    await expect(page.get_by_role("button", name="Enrol and record")).to_be_visible()
    await page.get_by_label("Belongs to a unit").fill("d033")
    await page.get_by_role("button", name="Enrol for D033").click()
    await until(lambda: len(borough.enrolled) == 1, what="the camera to be enrolled")
    assert borough.enrolled[0]["unit"] == "D033"
    await expect(page.locator(".said-space")).to_contain_text("It records once that is deployed.")


async def test_a_fixed_camera_is_nobodys(opened: Open) -> None:
    """Left empty, no unit is named; who sees no units is not asked."""
    page, borough = await opened("units")
    await _look_at_a_camera(page)
    await page.get_by_role("button", name="Enrol and record").click()
    await until(lambda: len(borough.enrolled) == 1, what="the camera to be enrolled")
    assert "unit" not in borough.enrolled[0]
    page, _ = await opened("ready")
    await _look_at_a_camera(page)
    await expect(page.get_by_label("Belongs to a unit")).to_have_count(0)


@pytest.mark.parametrize("phone", [False, True])
async def test_a_need_leads_to_its_unit(opened: Open, *, phone: bool) -> None:
    """From health to the unit's own page; who does not deploy has no such way."""
    page, _ = await opened("health-team", phone=phone)
    await page.click("#tab-health")
    await page.locator('[data-need="12 battery"] [data-to-unit=D017]').click()
    await expect(page.locator("sl-unit h2")).to_contain_text("Unit D017")
    await expect(page.locator("#tab-units")).to_have_attribute("aria-selected", "true")
    await page.get_by_role("button", name="Back to all units").click()
    await expect(page.locator(".unit-row")).to_have_count(4)
    page, _ = await opened("health", phone=phone)
    await page.click("#tab-health")
    await expect(page.locator('[data-need="12 battery"]')).to_be_visible()
    await expect(page.locator("[data-to-unit]")).to_have_count(0)


@pytest.mark.parametrize("phone", [False, True])
async def test_alarms_are_counted_whatever_is_open(opened: Open, *, phone: bool) -> None:
    """In the top strip, over no picture; a click shows them where they are listed."""
    page, _ = await opened("deployments", phone=phone)
    counted = page.locator("#unit-alarms")
    for tab in ("steer", "find", "health", "holds"):
        await page.click(f"#tab-{tab}")
        await expect(counted).to_be_visible()
        await expect(counted).to_have_attribute("data-count", "1")
    assert await page.evaluate(
        """() => {
          const one = document.querySelector("#unit-alarms").getBoundingClientRect();
          return [...document.querySelectorAll("sl-wall .picture")].every((picture) => {
            const { left, right, top, bottom } = picture.getBoundingClientRect();
            return one.right <= left || one.left >= right || one.bottom <= top || one.top >= bottom;
          }) && one.left >= 0 && one.right <= innerWidth && document.documentElement.scrollWidth <= innerWidth;
        }"""
    )
    await counted.click()
    await expect(page.locator("#tab-deployments")).to_have_attribute("aria-selected", "true")
    await expect(page.locator("#deployments-due")).to_be_visible()
