"""A field team's phone puts a unit up: twelve taps, a thin link, photos of 3 MB, a cut, and a phone that dies."""

import asyncio

import numpy as np
import numpy.typing as npt
import pytest
from playwright.async_api import expect

from gateway.deployments.service import CLOCK
from tests.e2e.field_street import Street
from tests.fakes.field_phone import FACING_EAST
from tests.fakes.label_video import code_39, qr_code
from tests.fakes.waiting import told

pytestmark = pytest.mark.timeout(240)
TAPS_MAX = 12
MACHINE_S = 60
SENT_BYTES_MAX = 260_000
GROUND_KEPT = """() => new Promise((done) => {
  indexedDB.open('sightline-field').onsuccess = ({ target }) => {
    target.result.transaction('known').objectStore('known').get('ground').onsuccess = (found) => {
      target.result.close();
      done(found.target.result !== undefined);
    };
  };
})"""


async def test_a_unit_is_registered_with_twelve_taps_over_a_thin_link(street: Street) -> None:
    """From the list to the signed tick list over 3G: twelve taps, a minute of machine time, photos of 3 MB."""
    phone = await street.phone()
    phone.large_photos = True
    async with asyncio.timeout(MACHINE_S):
        await phone.tap("[data-deployment]")
        await phone.tap("[data-unit=D017]")
        await phone.shoot("#sign-photo")
        await phone.done("signs")
        await phone.stand_here()
        await phone.shoot("#unit-photo")
        await phone.done("photo")
        await expect(phone.page.locator(".field-view")).to_have_attribute("data-state", "live")
        await phone.tap("#fast")
        await phone.tap("#sign-off")
        await expect(phone.page.locator("[data-stage=deployed]")).to_be_visible()
        await phone.waits(0)
    assert phone.taps <= TAPS_MAX
    known = await street.known()
    assert (known["stage"], known["signed_off_by"]) == ("deployed", "some-operator")
    assert known["bearing_deg"] == 90
    assert known["place"]["latitude"] == pytest.approx(51.50002)
    assert sorted(one["kind"] for one in known["photos"]) == ["sign-up", "unit"]
    for said in [line["said"] for line in await street.log() if line["step"] == "photo"]:
        assert (said["width"], said["height"]) == (1600, 1200)
        assert said["size_bytes"] < SENT_BYTES_MAX
        assert said["off_m"] < 5
    assert phone.broken == []


async def test_nothing_is_lost_when_the_network_and_the_phone_go(street: Street) -> None:
    """Cut in the middle, dead, started again without a network: each step arrives once, in its order and of its time.

    It is signed off all the same, in no more taps.
    """
    phone = await street.phone()
    await phone.tap("[data-deployment]")
    await phone.tap("[data-unit=D017]")
    await phone.lose()
    await phone.shoot("#sign-photo")
    await phone.done("signs")
    await phone.stand_here()
    await phone.shoot("#unit-photo")
    await phone.done("photo")
    await phone.waits(5)
    assert (await street.known())["stage"] == "planned"
    await phone.die()
    await phone.start()
    await phone.waits(5)
    await phone.tap("[data-deployment]")
    for part in ("unit", "signs", "place", "photo"):
        await phone.done(part)
    found = street.now()
    await phone.find()
    await phone.waits(0)
    await expect(phone.page.locator(".field-view")).to_have_attribute("data-state", "live")
    await phone.tap("#fast")
    await phone.tap("#sign-off")
    await expect(phone.page.locator("[data-stage=deployed]")).to_be_visible()
    await phone.waits(0)
    assert phone.taps <= TAPS_MAX
    assert await street.steps() == ["photo", "signs-up", "installed", "note", "photo", "signed-off"]
    known = await street.known()
    assert known["signs_up"] < known["deployed"] < found < known["signed_off"]
    assert all(line["done"] < found < line["at"] for line in (await street.log())[:-1])
    assert phone.broken == []


@pytest.mark.parametrize("label", [qr_code("https://sightline.example/u/D017"), code_39("D017")], ids=["qr", "barcode"])
async def test_a_units_code_is_scanned_without_a_tap(street: Street, label: npt.NDArray[np.bool_]) -> None:
    """Where the page may use the camera, the right unit is known by holding it there: without a network too."""
    phone = await street.phone(label=label)
    await phone.lose()
    await phone.tap("[data-deployment]")
    await phone.done("unit")
    assert phone.taps == 1
    assert phone.broken == []


async def test_another_unit_than_the_planned_one_is_said(street: Street) -> None:
    """A code of another unit is no leave to go on."""
    phone = await street.phone(label=qr_code("D099"))
    await phone.tap("[data-deployment]")
    await expect(phone.page.get_by_text("This is D099; D017 is planned.")).to_be_visible()
    await expect(phone.page.locator('[data-part="unit"]')).to_have_attribute("data-done", "false")


async def test_the_page_can_be_installed(street: Street) -> None:
    """Chromium finds its manifest, icons and service worker good enough for the home screen."""
    phone = await street.phone()
    assert await phone.unfit() == []


async def test_a_unit_is_found_by_typing_its_label(street: Street) -> None:
    """Gloves, small letters and a space: it is the planned one. One that is not is said, and can be corrected."""
    phone = await street.phone()
    await phone.tap("[data-deployment]")
    await phone.page.fill("#unit-label", "d099")
    await phone.tap(".typed button")
    await expect(phone.page.get_by_text("This is D099; D017 is planned.")).to_be_visible()
    await phone.page.get_by_role("button", name="Look again").tap()
    await phone.page.fill("#unit-label", " d017 ")
    await phone.page.keyboard.press("Enter")
    await phone.done("unit")
    assert phone.broken == []


async def test_what_is_refused_is_said_and_holds_back_what_follows(street: Street) -> None:
    """Withdrawn while the phone had no network: it says so, and nothing that follows is sent until somebody decides."""
    phone = await street.phone()
    await phone.tap("[data-deployment]")
    await phone.tap("[data-unit=D017]")
    await phone.lose()
    await phone.shoot("#sign-photo")
    await phone.waits(2)
    await street.deploying.step("withdrawal", text="The problem is gone.")
    await phone.find()
    await expect(phone.page.locator("[data-refused=photos]")).to_be_visible()
    await phone.waits(2)
    assert (await street.steps())[-1] == "withdrawn"


async def test_a_photo_is_not_left_out_by_a_thumb_that_taps_twice(street: Street) -> None:
    """The card names the place; whether a photo is left out is asked apart from where it was tapped."""
    known = await street.known()
    phone = await street.phone()
    await phone.tap("[data-deployment]")
    await phone.tap("[data-unit=D017]")
    await phone.lose()
    await phone.shoot("#sign-photo")
    await phone.waits(2)
    await street.deploying.step("withdrawal", text="The problem is gone.")
    await phone.find()
    refused = phone.page.locator("[data-refused=photos]")
    await expect(refused).to_contain_text(known["street"] or known["title"])
    await phone.tap("[data-leave]")
    await phone.tap("[data-leave]")
    await expect(refused.get_by_role("button", name="Leave it out")).to_be_visible()
    await phone.waits(2)
    await phone.tap("[data-leave]")
    await expect(phone.page.locator("[data-really]")).to_be_enabled()
    await phone.tap("[data-really]")
    await expect(phone.page.locator("[data-refused=signs-up]")).to_be_visible()
    await phone.waits(1)
    assert phone.broken == []


async def _marked(street: Street, label: str) -> None:
    rooms = street.desk.gateway.rooms
    camera = rooms.fleet.camera(street.deploying.camera)
    await rooms.deployments.mark(camera.description.identity.urn, label, by=CLOCK)


async def _planned_as(street: Street, label: str) -> None:
    await _marked(street, label)
    camera = street.deploying.camera
    await street.deploying.step("plan", camera=camera, responsible="K. Osei", mount="LP 14", review_days=7)


async def test_how_another_unit_was_found_is_what_is_signed(street: Street) -> None:
    """Typed, and put up instead of the planned one: the record says typed, and the plan is as it was otherwise."""
    await _planned_as(street, "D018")
    await _marked(street, "D017")
    phone = await street.phone()
    await phone.tap("[data-deployment]")
    await phone.page.fill("#unit-label", "d017")
    await phone.page.keyboard.press("Enter")
    await phone.tap("#replan")
    await phone.done("unit")
    await phone.shoot("#sign-photo")
    await phone.done("signs")
    await phone.stand_here()
    await phone.shoot("#unit-photo")
    await phone.done("photo")
    await expect(phone.page.locator(".field-view")).to_have_attribute("data-state", "live")
    await phone.tap("#fast")
    await phone.tap("#sign-off")
    await expect(phone.page.locator("#sign-off")).to_have_count(0)
    await phone.waits(0)
    said = {line["step"]: line["said"] for line in await street.log()}
    assert (said["signed-off"]["unit"], said["signed-off"]["found"]) == ("D017", "typed")
    assert (said["planned"]["unit"], said["planned"]["review_days"], said["planned"]["mount"]) == ("D017", 7, "LP 14")
    assert phone.broken == []


async def test_a_unit_that_is_planned_no_more_is_not_said_to_stand(street: Street) -> None:
    """Planned anew while the phone had no network: the unit on the post is not taken for the one that is planned."""
    phone = await street.phone()
    await phone.tap("[data-deployment]")
    await phone.tap("[data-unit=D017]")
    await phone.lose()
    await phone.shoot("#sign-photo")
    await phone.done("signs")
    await phone.stand_here()
    await _planned_as(street, "D018")
    await phone.find()
    refused = phone.page.locator("[data-refused=installation]")
    await expect(refused).to_contain_text("D017 was put up, and D018 is planned.")
    assert (await street.known())["stage"] == "planned"
    assert phone.broken == []


async def test_a_photo_from_elsewhere_is_remarked_on_the_spot(street: Street) -> None:
    """What the gateway finds odd about a photo is said while whoever took it can take another."""
    phone = await street.phone()
    await phone.tap("[data-deployment]")
    await phone.tap("[data-unit=D017]")
    await phone.shoot("#sign-photo", place=(51.6, -0.1))
    await expect(phone.page.locator(".notice")).to_contain_text("m from the place")


async def test_a_slip_of_the_thumb_is_taken_back(street: Street) -> None:
    """Who did not mean to take it down goes on where they were, also after the phone died."""
    phone = await street.phone()
    await phone.tap("[data-deployment]")
    await phone.tap("[data-unit=D017]")
    await phone.shoot("#sign-photo")
    await phone.done("signs")
    await phone.stand_here()
    await phone.tap("#down-instead")
    await expect(phone.page.locator("#go-on")).to_be_visible()
    await phone.waits(0)
    await phone.die()
    await phone.start()
    await phone.tap("[data-deployment]")
    await phone.tap("#go-on")
    for part in ("unit", "signs", "place"):
        await phone.done(part)
    assert phone.broken == []


async def test_a_pin_on_an_empty_map_is_no_surer_than_the_phone(street: Street) -> None:
    """Nothing is drawn that it could be set by: the page says so, and a unit is not put up by it."""
    phone = await street.phone()
    await phone.is_sure_within(40)
    await phone.tap("[data-deployment]")
    await phone.tap("[data-unit=D017]")
    await phone.shoot("#sign-photo")
    await expect(phone.page.locator("#no-ground")).to_be_visible()
    await expect(phone.page.locator("[data-accuracy='40']")).to_be_visible()
    await phone.page.evaluate(FACING_EAST)
    await phone.page.locator("#field-map").tap(position={"x": 220, "y": 60})
    await expect(phone.page.locator("[data-accuracy='40'][data-moved=true]")).to_be_visible()
    await expect(phone.page.locator("#stands-here")).to_be_disabled()
    assert phone.broken == []


async def test_a_phone_that_is_not_sure_needs_a_pin(mapped_street: Street) -> None:
    """Between houses it may be 40 m off. A pin on the map, which is there without a network, is as sure as a finger."""
    street = mapped_street
    phone = await street.phone()
    await phone.is_sure_within(40)
    await phone.tap("[data-deployment]")
    await phone.tap("[data-unit=D017]")
    await told(lambda: phone.page.evaluate(GROUND_KEPT), bool, what="the ground to be on the phone")
    await phone.lose()
    await phone.shoot("#sign-photo")
    await expect(phone.page.locator("[data-accuracy='40']")).to_be_visible()
    await phone.page.evaluate(FACING_EAST)
    await expect(phone.page.get_by_text("The phone is not sure")).to_be_visible()
    await expect(phone.page.locator("#stands-here")).to_be_disabled()
    await phone.page.locator("#field-map").tap(position={"x": 220, "y": 60})
    await expect(phone.page.locator("[data-accuracy='10'][data-moved=true]")).to_be_visible()
    await phone.tap("#stands-here")
    await phone.find()
    await phone.waits(0)
    (said,) = [line["said"] for line in await street.log() if line["step"] == "installed"]
    assert said["accuracy_m"] == 10
    assert phone.broken == []
