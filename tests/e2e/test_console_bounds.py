"""Limits and no-look zones in the console, at a desk and on a phone."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.e2e.faces import Open, opening
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(180)


sizes = pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])


@pytest_asyncio.fixture(loop_scope="session")
async def opened() -> AsyncIterator[Open]:
    """Give a function that opens the console with the gateway in a state; the page must raise nothing."""
    async with opening() as open_:
        yield open_


async def unfolded(page: Page, *, phone: bool) -> None:
    """Show the limits and zones of the selected camera."""
    if phone:
        await page.get_by_role("tab", name="Steer").click()
    await page.locator("#bounds summary").click()


@sizes
async def test_what_is_seen_becomes_a_zone_and_goes_again(opened: Open, *, phone: bool) -> None:
    """The zone is the picture with its margin; it is listed with whom it binds, and removed by two clicks."""
    page, borough = await opened(phone=phone)
    await unfolded(page, phone=phone)
    await page.get_by_role("button", name="Make what is seen now a no-look zone").click()
    await page.get_by_label("Name", exact=True).fill("Flats, east side")
    await page.locator("#zone-who").select_option("guests")
    await page.get_by_label("Only when narrower than").fill("12")
    await page.get_by_role("button", name="Keep this zone").click()
    row = page.locator("#bounds li")
    await expect(row).to_contain_text("Flats, east side")
    await expect(row).to_contain_text("for partners with the stick, when narrower than 12°")
    (zone,) = borough.bounds["zones"]
    hfov = borough.cameras[0]["state"]["head"]["hfov_deg"]
    assert zone["binds"] == "guests"
    assert zone["narrower_than_deg"] == 12
    assert zone["pan_from_deg"] < 10.0 - hfov / 2 - 1.9
    assert zone["pan_to_deg"] > 10.0 + hfov / 2 + 1.9
    assert zone["tilt_from_deg"] < -9.0 < zone["tilt_to_deg"]
    await page.get_by_role("button", name="Remove Flats, east side").click()
    assert borough.bounds["zones"]
    await page.get_by_role("button", name="Remove Flats, east side").click()
    await expect(page.locator("#bounds")).to_contain_text("This head may look wherever it turns.")
    assert borough.bounds["zones"] == []


@sizes
async def test_limits_are_set_where_the_camera_looks(opened: Open, *, phone: bool) -> None:
    """A limit for partners stands beside one for everybody; each is the present angle."""
    page, borough = await opened(phone=phone)
    await unfolded(page, phone=phone)
    await page.get_by_role("button", name="Set as left limit").click()
    await expect(page.locator("#bounds li")).to_contain_text("10°, for everybody")
    await page.locator("#limit-who").select_option("guests")
    await page.get_by_role("button", name="Set as upper limit").click()
    await expect(page.locator("#bounds li")).to_have_count(2)
    everybody, guests = borough.bounds["limits"]
    assert (everybody["binds"], everybody["left_deg"]) == ("everybody", 10.0)
    assert (guests["binds"], guests["upper_deg"]) == ("guests", -9.0)
    await page.get_by_role("button", name="Remove Left limit").click()
    await page.get_by_role("button", name="Remove Left limit").click()
    await expect(page.locator("#bounds li")).to_have_count(1)
    assert [one["binds"] for one in borough.bounds["limits"]] == ["guests"]


async def test_bounds_of_another_place_are_confirmed(opened: Open) -> None:
    """A camera that was moved says that nothing is kept, until somebody says that its bounds hold here too."""
    page, borough = await opened()
    borough.bounds = {
        "limits": [{"binds": "everybody", "upper_deg": 5.0}],
        "zones": [],
        "confirmed": False,
        "told": True,
    }
    await page.reload()
    await expect(page.locator("#bounds")).to_contain_text("The camera stands at another place now.")
    await page.get_by_role("button", name="They hold here too").click()
    await expect(page.locator("#confirm-bounds")).to_have_count(0)
    await until(lambda: borough.bounds["confirmed"], what="the confirmation")
    assert borough.bounds["limits"][0]["upper_deg"] == 5.0


async def test_who_may_not_change_cameras_sees_them(opened: Open) -> None:
    """A viewer is shown nothing to change; an operator's stick card says which bound holds the head."""
    page, borough = await opened("viewer")
    await expect(page.locator("#add-zone")).to_have_count(0)
    page, borough = await opened()
    await expect(page.locator("article[data-state=live]").first).to_be_visible()
    borough.cameras[0]["state"]["head"]["bound"] = {"kind": "zone", "name": "Flats", "does": "stopped"}
    await page.reload()
    await page.get_by_role("button", name="Take", exact=True).click()
    await expect(page.locator("[data-stick=mine]")).to_contain_text("No-look zone: Flats.")
