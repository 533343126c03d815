"""What a field team does on the live picture: zones drawn by finger, the stick, presets that hold where the unit is."""

import asyncio
from itertools import count
from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.e2e.field_street import Street
from tests.fakes.waiting import told

pytestmark = pytest.mark.timeout(240)
STALL_MS = 4000
"""Ten times the deadman's time."""
STALL = "ms => { for (const end = performance.now() + ms; performance.now() < end; ); }"


async def _head(street: Street) -> dict[str, Any]:
    head: dict[str, Any] = (await street.desk.admin.get(f"/api/v1/cameras/{street.deploying.camera}")).json()["state"][
        "head"
    ]
    return head


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
    assert "bounds" in await street.steps()
    assert phone.broken == []


async def test_no_zone_is_taken_off_a_head_that_turned_meanwhile(sharp_street: Street) -> None:
    """Somebody else turns it while a finger draws: what was drawn is not where it would be looked for."""
    street = sharp_street
    await street.stand()
    phone = await street.phone()
    await phone.tap("[data-stage=deployed]")
    await phone.tap("#show-picture")
    await expect(phone.page.locator(".field-view")).to_have_attribute("data-state", "live")
    await phone.tap("#draw-zone")
    turns = count()

    async def turned(route: Route) -> None:
        answer = await route.fetch()
        known = await answer.json()
        known["state"]["head"]["pan_deg"] += 5 * next(turns)
        await route.fulfill(response=answer, json=known)

    await phone.page.route(f"**/api/v1/cameras/{street.deploying.camera}", turned)
    await phone.draw(".field-view", (0.6, 0.4, 0.9, 0.6))
    await expect(phone.page.locator(".notice")).to_contain_text("The head turned while you drew")
    await expect(phone.page.locator("#zone-name")).to_have_count(0)
    assert phone.broken == []


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
