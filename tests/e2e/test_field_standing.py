"""A unit that stands: how it is on the phone, its review, and taking it down or on to another place."""

from datetime import datetime

import pytest
from playwright.async_api import expect

from kernel.clock import utc
from tests.e2e.field_street import Street

pytestmark = pytest.mark.timeout(240)
DRAFTS = """() => new Promise((resolve) => {
  const opening = indexedDB.open("sightline-field");
  opening.onsuccess = () => {
    const asked = opening.result.transaction("drafts").objectStore("drafts").count();
    asked.onsuccess = () => { opening.result.close(); resolve(asked.result); };
  };
})"""


async def test_how_a_unit_is_and_its_review_are_on_the_page(street: Street) -> None:
    """Battery and signal stand in the list; a review is written on the spot, without a network, and sent later."""
    await street.stand()
    await street.says("state/battery", percent=17.0, volts=11.6, charging=False)
    await street.says("state/signal", rsrp_dbm=-101, rsrq_db=-12, operator="EE", cell="1", technology="LTE")
    phone = await street.phone()
    await expect(phone.page.locator("[data-health=D017]")).to_have_text(
        "! online · battery low, 17 % · signal weak (\N{MINUS SIGN}101 dBm, EE)"
    )
    await phone.lose()
    await phone.tap("[data-stage=deployed]")
    await phone.tap("#show-review")
    await phone.page.fill("#review-found", "Nothing was tipped since.")
    await phone.tap("[name=needed][value=no]")
    await phone.tap("#review")
    await phone.waits(1)
    await phone.find()
    await phone.waits(0)
    known = await street.known()
    assert (known["stage"], known["needed"]) == ("deployed", False)


async def test_a_unit_taken_down_without_a_network_was_down_then(street: Street) -> None:
    """Sent later, its stay ended when it was taken down: what it saw in the van is not the street's."""
    await street.stand()
    phone = await street.phone()
    await phone.tap("[data-stage=deployed]")
    await phone.tap("[data-unit=D017]")
    await phone.lose()
    await phone.tap("#is-down")
    await phone.done("removal")
    await phone.waits(1)
    assert (await street.known())["stage"] == "deployed"
    await phone.find()
    await phone.waits(0)
    known = await street.known()
    line = (await street.log())[-1]
    # Its way here counts as being done later: how long that took is the machine's affair.
    assert known["removed"] == line["done"] < line["at"]
    stays = (await street.desk.admin.get(f"/api/v1/cameras/{street.deploying.camera}/places")).json()
    assert known["removed"] in [one["end"] for one in stays]


async def test_what_was_ticked_before_a_unit_was_taken_down_is_not_ticked_again(street: Street) -> None:
    """Down and up again by others since: whoever signs it off finds the unit and sees its picture anew."""
    await street.stand()
    assert (await street.deploying.photo("unit")).status_code == 201
    phone = await street.phone()
    await phone.tap("[data-stage=deployed]")
    await phone.tap("#go-on")
    await phone.tap("[data-unit=D017]")
    await phone.done("picture")
    await phone.tap("#fast")
    await phone.tap(".back")
    await street.deploying.step("removal", text="It hung askew.")
    await street.deploying.step("installation", place=street.place, bearing_deg=90.0)
    await phone.page.get_by_role("button", name="Send and read now").tap()
    await phone.tap("[data-stage=deployed]")
    await phone.tap("#go-on")
    await expect(phone.page.locator('[data-part="unit"]')).to_have_attribute("data-done", "false")
    await phone.tap("[data-unit=D017]")
    await phone.done("picture")
    await expect(phone.page.locator("#fast")).not_to_be_checked()
    await phone.tap("#fast")
    await phone.tap("#sign-off")
    await expect(phone.page.locator("#sign-off")).to_have_count(0)
    await phone.waits(0)
    known = await street.known()
    (said,) = [line["said"] for line in await street.log() if line["step"] == "signed-off"]
    assert utc(said["live_ns"]) > datetime.fromisoformat(known["again"])
    assert await phone.page.evaluate(DRAFTS) == 0
    assert phone.broken == []


async def test_a_unit_goes_on_to_its_next_place(street: Street) -> None:
    """Down here, it is known in the hand: the next deployment takes it without a scan."""
    await street.stand()
    here = street.deploying.path
    await street.deploying.planned(signs=False, street="Hope Street")
    there, street.deploying.path = street.deploying.path, here
    phone = await street.phone()
    await phone.tap("[data-stage=deployed]")
    await phone.tap("[data-unit=D017]")
    await phone.tap("#is-down")
    await phone.done("removal")
    await phone.tap("#onward [data-onward]")
    await phone.done("unit")
    await phone.waits(0)
    assert (await street.known())["stage"] == "removed"
    assert (await street.deploying.team.get(there)).json()["stage"] == "planned"


async def test_a_unit_is_taken_down_from_the_phone(street: Street) -> None:
    """The unit typed, down, its signs photographed gone: it stands nowhere, and the list has nothing of it."""
    await street.stand()
    phone = await street.phone()
    await phone.tap("[data-stage=deployed]")
    await phone.page.fill("#unit-label", "d017")
    await phone.tap(".typed button")
    await phone.tap("#is-down")
    await phone.done("removal")
    await phone.shoot("#sign-photo")
    await phone.done("signs-down")
    await phone.waits(0)
    known = await street.known()
    assert known["stage"] == "removed"
    assert known["signs_down"] is not None
    assert phone.broken == []
