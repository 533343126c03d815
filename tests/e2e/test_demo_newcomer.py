"""A newcomer puts the demo's third unit up, in a narrow window of the machine that the demo runs on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from kernel.geography import Place, distance_m
from tests.e2e.conftest import PASSWORD, USER, Running, demonstrated
from tests.fakes.photos import photo
from tests.fakes.waiting import told
from tests.fakes.watching import PHONE

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("demo")]
SAID_S = 60
KNOWN = """async () => {
  const deployments = await (await fetch('/api/v1/deployments')).json();
  const {units} = await (await fetch('/api/v1/units')).json();
  const of = (label, from, key) => from.find((one) => one[key] === label);
  const position = of('D003', units, 'label').states.find(({kind}) => kind === 'state/position');
  return {deployment: of('D003', deployments, 'unit'), said: position?.values ?? null};
}"""


@pytest.fixture
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a demo with one camera, and the units that it has by default."""
    with demonstrated(tmp_path_factory.mktemp("demo"), "--cameras", "1") as running:
        yield running


async def _part(page: Page, part: str) -> None:
    await expect(page.locator(f'[data-part="{part}"]')).to_have_attribute("data-done", "true")


async def test_a_newcomer_puts_a_unit_up_by_what_the_readme_says(
    chromium: Browser, started: Running, tmp_path: Path
) -> None:
    """With no place, no compass and any photo. The unit is where it was put: it says so, and nothing is an alarm."""
    context = await chromium.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
    page = await context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    await page.goto(f"{started.url}/field")
    await page.fill("#username", USER)
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.locator("[data-deployment][data-stage=planned]").click()
    await page.fill("#unit-label", "D003")
    await page.press("#unit-label", "Enter")
    await _part(page, "unit")
    pictures = [tmp_path / name for name in ("sign.jpg", "unit.jpg")]
    for shade, picture in enumerate(pictures):
        picture.write_bytes(photo(shade=shade))
    await page.set_input_files("#sign-photo", pictures[0])
    await _part(page, "signs")
    room = await page.locator("#field-map").bounding_box()
    assert room is not None
    # Some twenty metres from where it hung.
    await page.locator("#field-map").click(position={"x": room["width"] / 2 + 60, "y": room["height"] / 2 + 40})
    await page.fill("#bearing", "200")
    await page.click("#stands-here")
    await _part(page, "place")
    await page.set_input_files("#unit-photo", pictures[1])
    await _part(page, "photo")
    await expect(page.locator(".field-view")).to_have_attribute("data-state", "live")
    await page.check("#fast")
    await page.click("#sign-off")
    await expect(page.locator("[data-deployment]").filter(has_text="D003")).to_have_attribute("data-stage", "deployed")
    put = (await page.evaluate(KNOWN))["deployment"]

    def off_m(known: dict[str, Any]) -> float:
        said, place = known["said"], put["place"]
        here = Place(place["latitude"], place["longitude"])
        return distance_m(Place(said["latitude"], said["longitude"]), here)

    known = await told(
        lambda: page.evaluate(KNOWN), lambda known: off_m(known) < 10, timeout_s=SAID_S, what="the unit to be there"
    )
    assert (known["deployment"]["alarms"], known["deployment"]["bearing_deg"]) == ([], 200)
    assert put["mount"].startswith("LP ")
    await context.close()
    assert broken == []
