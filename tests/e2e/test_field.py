"""A field team's phone puts a unit up and takes it down: twelve taps, a thin link, a cut, and a phone that dies."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import pytest_asyncio
from playwright.async_api import expect

from drivers.simulator.device import Mount
from drivers.simulator.picture.painter import Painter
from drivers.simulator.town.town import Town
from kernel.clock import SystemClock
from tests.e2e.field_street import Street, open_street
from tests.fakes.field_phone import FACING_EAST, FieldPhone
from tests.fakes.label_video import code_39, qr_code
from tests.fakes.waiting import told

pytestmark = pytest.mark.timeout(240)
expect.set_options(timeout=30_000)
TAPS_MAX = 12
MACHINE_S = 60
SENT_BYTES_MAX = 260_000
STALL_MS = 4000
"""Ten times the deadman's time."""
STALL = "ms => { for (const end = performance.now() + ms; performance.now() < end; ); }"


@pytest_asyncio.fixture(loop_scope="session")
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    """Give a street whose unit is planned and calls in."""
    async with open_street(tmp_path) as street:
        yield street


@pytest_asyncio.fixture(loop_scope="session")
async def sharp_street(tmp_path: Path) -> AsyncIterator[Street]:
    """Give one whose unit sees a town: how wide its lens looks is measured in its pictures."""
    town = Town(seed=3, clock=SystemClock())
    site = town.sites(1)[0]
    eye = Painter(town, Mount(place=town.place(site), bearing_deg=site.bearing_deg))
    async with open_street(tmp_path, eye=eye) as street:
        yield street


async def place(phone: FieldPhone) -> None:
    """Say where it stands: the phone's place, and its compass."""
    await expect(phone.page.locator("[data-accuracy='6']")).to_be_visible()
    await phone.page.evaluate(FACING_EAST)
    await expect(phone.page.locator("#stands-here")).to_be_enabled()
    # Nobody looks for it: the whole step is on the screen by itself.
    await expect(phone.page.locator("#stands-here")).to_be_in_viewport(ratio=1)
    await phone.tap("#stands-here")
    await phone.done("place")


async def test_a_unit_is_registered_with_twelve_taps_over_a_thin_link(street: Street) -> None:
    """From the list to the signed tick list over 3G: twelve taps, a minute of machine time, photos of 3 MB."""
    phone = await street.phone()
    phone.large_photos = True
    async with asyncio.timeout(MACHINE_S):
        await phone.tap("[data-deployment]")
        await phone.tap("[data-unit=D017]")
        await phone.shoot("#sign-photo")
        await phone.done("signs")
        await place(phone)
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
    await place(phone)
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


async def test_a_finger_draws_what_is_not_looked_at(sharp_street: Street) -> None:
    """A team that may not enrol draws on the live picture: the head has the zone, and the log has it too."""
    street = sharp_street
    await street.stand()
    phone = await street.phone()
    await phone.tap("[data-stage=deployed]")
    await phone.tap("#show-picture")
    await expect(phone.page.locator(".field-view")).to_have_attribute("data-state", "live")
    await phone.tap("#draw-zone")
    await expect(phone.page.locator(".field-view")).to_have_attribute("data-drawing", "true")
    await phone.draw(".field-view", (0.6, 0.4, 0.9, 0.6))
    await phone.page.fill("#zone-name", "Windows of number 12")
    await phone.page.keyboard.press("Enter")
    await expect(phone.page.locator("[data-zone='Windows of number 12']")).to_be_visible()
    bounds = (await street.desk.admin.get(f"/api/v1/cameras/{street.deploying.camera}/bounds")).json()
    assert bounds["confirmed"]
    (zone,) = bounds["zones"]
    head = (await street.desk.admin.get(f"/api/v1/cameras/{street.deploying.camera}")).json()["state"]["head"]
    from_deg, to_deg = ((zone[side] - head["pan_deg"]) % 360 for side in ("pan_from_deg", "pan_to_deg"))
    assert 0 < from_deg < to_deg < head["hfov_deg"] / 2
    assert (await street.steps())[-1] == "bounds"
    assert phone.broken == []


async def _head(street: Street) -> dict[str, Any]:
    head: dict[str, Any] = (await street.desk.admin.get(f"/api/v1/cameras/{street.deploying.camera}")).json()["state"][
        "head"
    ]
    return head


async def test_the_head_keeps_out_of_what_a_finger_drew(sharp_street: Street) -> None:
    """Turned away by the phone's stick and back again, it stands before the zone, and the zone is named."""
    street = sharp_street
    await street.stand()
    phone = await street.phone()
    await phone.tap("[data-stage=deployed]")
    await phone.tap("#show-picture")
    await expect(phone.page.locator(".field-view")).to_have_attribute("data-state", "live")
    await phone.tap("#draw-zone")
    await phone.draw(".field-view", (0.6, 0.4, 0.9, 0.6))
    await phone.page.fill("#zone-name", "Windows of number 12")
    await phone.page.keyboard.press("Enter")
    await expect(phone.page.locator("[data-zone='Windows of number 12']")).to_be_visible()
    (zone,) = (await street.desk.admin.get(f"/api/v1/cameras/{street.deploying.camera}/bounds")).json()["zones"]

    def free_deg(head: dict[str, Any]) -> float:
        edge = head["pan_deg"] + head["hfov_deg"] / 2
        return float((zone["pan_from_deg"] - edge + 180) % 360 - 180)

    async with phone.hold("[aria-label=Left]"):
        await told(lambda: _head(street), lambda head: free_deg(head) > 15, what="the head to turn away")
    async with phone.hold("[aria-label=Right]"):
        await told(lambda: _head(street), lambda head: head["bound"] is not None, what="the head to be held back")
        stood = await told(lambda: _head(street), lambda head: not head["moving"], what="the head to stand")
    assert stood["bound"]["name"] == "Windows of number 12"
    assert free_deg(stood) >= 0


async def test_a_kept_zone_is_drawn_on_the_picture(sharp_street: Street) -> None:
    """Where the finger drew it, under its name, as long as the head stands so."""
    street = sharp_street
    await street.stand()
    phone = await street.phone()
    await phone.tap("[data-stage=deployed]")
    await phone.tap("#show-picture")
    view = phone.page.locator(".field-view")
    await expect(view).to_have_attribute("data-state", "live")
    await phone.tap("#draw-zone")
    await phone.draw(".field-view", (0.6, 0.4, 0.9, 0.6))
    await phone.page.fill("#zone-name", "Windows of number 12")
    await phone.page.keyboard.press("Enter")
    kept = phone.page.locator("[data-kept-zone='Windows of number 12']")
    await expect(kept.locator("text")).to_have_text("Windows of number 12")
    room, lies = await view.bounding_box(), await kept.locator(".zone-fill").bounding_box()
    assert room is not None
    assert lies is not None
    left, right = ((lies["x"] - room["x"] + part * lies["width"]) / room["width"] for part in (0, 1))
    assert 0.5 < left < 0.6
    assert 0.9 < right < 1.0
    async with phone.hold("[aria-label=Left]"):
        await expect(kept).to_have_count(0)


async def test_stick_and_presets_are_used_from_the_phone(street: Street) -> None:
    """What it sees is kept as a preset; turned away by the pad, the head comes back to it."""
    await street.stand()
    phone = await street.phone()
    await phone.tap("[data-stage=deployed]")
    await phone.tap("#show-picture")
    await expect(phone.page.locator(".field-view")).to_have_attribute("data-state", "live")
    began = await told(lambda: _head(street), lambda head: not head["moving"], what="the head to stand")
    await phone.page.fill("#preset-name", "The bins")
    await phone.page.keyboard.press("Enter")
    preset = phone.page.locator("[data-preset]").filter(has_text="The bins")
    await expect(preset).to_have_attribute("data-confirmed", "true")

    def turned(head: dict[str, Any]) -> float:
        return abs(float((head["pan_deg"] - began["pan_deg"] + 180) % 360 - 180))

    async with phone.hold("[aria-label=Right]"):
        await told(lambda: _head(street), lambda head: turned(head) > 10, what="the head to turn")
    await told(lambda: _head(street), lambda head: not head["moving"], what="the head to stand when it is let go of")
    await preset.get_by_role("button", name="Show").tap()
    await told(lambda: _head(street), lambda head: turned(head) < 1 and not head["moving"], what="the head to be back")
    assert phone.broken == []


async def test_a_thumb_that_stays_on_the_pad_turns_the_head_after_a_stall(street: Street) -> None:
    """Its beats do not come for a while, so the head stands; when they come again it turns, until it is lifted."""
    await street.stand()
    phone = await street.phone()
    await phone.tap("[data-stage=deployed]")
    await phone.tap("#show-picture")
    await expect(phone.page.locator(".field-view")).to_have_attribute("data-state", "live")
    async with phone.hold("[aria-label=Right]"):
        await told(lambda: _head(street), lambda head: head["moving"], what="the head to turn")
        stalled = asyncio.create_task(phone.page.evaluate(STALL, STALL_MS))
        await told(lambda: _head(street), lambda head: not head["moving"], what="the head to stand without beats")
        await stalled
        await told(lambda: _head(street), lambda head: head["moving"], what="the head to turn again")
    await told(lambda: _head(street), lambda head: not head["moving"], what="the head to stand when it is let go of")
    assert phone.broken == []


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


async def test_a_photo_from_elsewhere_is_remarked_on_the_spot(street: Street) -> None:
    """What the gateway finds odd about a photo is said while whoever took it can take another."""
    phone = await street.phone()
    await phone.tap("[data-deployment]")
    await phone.tap("[data-unit=D017]")
    await phone.shoot("#sign-photo", place=(51.6, -0.1))
    await expect(phone.page.locator(".notice")).to_contain_text("m from the place")


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


async def test_a_slip_of_the_thumb_is_taken_back(street: Street) -> None:
    """Who did not mean to take it down goes on where they were, also after the phone died."""
    phone = await street.phone()
    await phone.tap("[data-deployment]")
    await phone.tap("[data-unit=D017]")
    await phone.shoot("#sign-photo")
    await phone.done("signs")
    await place(phone)
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


async def test_a_phone_that_is_not_sure_needs_a_pin(street: Street) -> None:
    """Between houses it may be 40 m off: nobody looks for a unit that far. A pin on the map is as sure as a finger."""
    phone = await street.phone()
    await phone.is_sure_within(40)
    await phone.tap("[data-deployment]")
    await phone.tap("[data-unit=D017]")
    await phone.shoot("#sign-photo")
    await expect(phone.page.locator("[data-accuracy='40']")).to_be_visible()
    await phone.page.evaluate(FACING_EAST)
    await expect(phone.page.get_by_text("The phone is not sure")).to_be_visible()
    await expect(phone.page.locator("#stands-here")).to_be_disabled()
    await phone.page.locator("#field-map").tap(position={"x": 220, "y": 60})
    await expect(phone.page.locator("[data-accuracy='10'][data-moved=true]")).to_be_visible()
    await phone.tap("#stands-here")
    await phone.waits(0)
    (said,) = [line["said"] for line in await street.log() if line["step"] == "installed"]
    assert said["accuracy_m"] == 10
    assert phone.broken == []


async def test_a_unit_is_not_signed_off_with_presets_of_another_place(street: Street) -> None:
    """What it brought is confirmed here, or removed; until then the tick is open. Any phone goes on with it."""
    camera = f"/api/v1/cameras/{street.deploying.camera}"
    for name in ("The bins", "The gate"):
        stored = await street.desk.admin.post(f"{camera}/presets", json={"name": name})
        assert stored.status_code == 201, stored.text
    await street.stand()
    assert (await street.deploying.photo("unit")).status_code == 201
    phone = await street.phone()
    await expect(phone.page.locator("[data-unsigned]")).to_be_visible()
    await phone.tap("[data-stage=deployed]")
    await phone.tap("#go-on")
    await phone.tap("[data-unit=D017]")
    await expect(phone.page.locator(".field-view")).to_have_attribute("data-state", "live")
    bins = phone.page.locator("[data-preset]").filter(has_text="The bins")
    await bins.get_by_role("button", name="Is what I see now").tap()
    await expect(bins).to_have_attribute("data-confirmed", "true")
    await expect(phone.page.locator("[data-part=picture]")).to_have_attribute("data-done", "false")
    gate = phone.page.locator("[data-preset]").filter(has_text="The gate")
    await gate.get_by_role("button", name="Remove").tap()
    await gate.get_by_role("button", name="Really?").tap()
    await phone.done("picture")
    await expect(phone.page.locator("[data-tick=presets]")).to_have_attribute("data-is", "true")
    await phone.tap("#fast")
    await phone.tap("#sign-off")
    await expect(phone.page.locator("[data-stage=deployed]")).to_be_visible()
    await phone.waits(0)
    await expect(phone.page.locator("[data-unsigned]")).to_have_count(0)
    assert (await street.known())["signed_off_by"] == "some-operator"
    assert phone.broken == []


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
    found = street.now()
    assert (await street.known())["stage"] == "deployed"
    await phone.find()
    await phone.waits(0)
    known = await street.known()
    assert known["removed"] < found
    stays = (await street.desk.admin.get(f"/api/v1/cameras/{street.deploying.camera}/places")).json()
    assert known["removed"] in [one["end"] for one in stays]


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
