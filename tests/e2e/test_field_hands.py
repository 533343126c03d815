"""One phone in several hands: whose steps they are, and what a lock and signing out leave to see."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.field_street import Street, open_street
from tests.fakes.desk import PASSWORD

KEPT_NAMES = """() => new Promise((resolve) => {
  const opening = indexedDB.open("sightline-field");
  opening.onsuccess = () => {
    const asked = opening.result.transaction("known").objectStore("known").getAllKeys();
    asked.onsuccess = () => { opening.result.close(); resolve(asked.result); };
  };
})"""

pytestmark = pytest.mark.timeout(240)


@pytest_asyncio.fixture(loop_scope="session")
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    """Give a street whose unit is planned and calls in."""
    async with open_street(tmp_path) as street:
        yield street


def _cookies(somebody: httpx.AsyncClient, url: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value, "url": url} for name, value in somebody.cookies.items()]


async def test_steps_are_not_sent_in_the_name_of_who_signed_in_beside_them(street: Street) -> None:
    """Somebody else's tab has the cookie as the page wakes: nothing is sent, and whose steps wait is said."""
    phone = await street.phone()
    await phone.tap("[data-deployment]")
    await phone.tap("[data-unit=D017]")
    await phone.lose()
    await phone.shoot("#sign-photo")
    await phone.waits(2)
    bob = await street.desk.person("operator", "bob")
    await phone.page.context.add_cookies(_cookies(bob, street.desk.url))  # type: ignore[arg-type]
    await phone.find()
    theirs = phone.page.locator("[data-theirs='2']")
    await expect(theirs).to_contain_text("2 steps of Some-Operator wait on this phone.")
    await expect(phone.page.get_by_text("Signed in as Bob.")).to_be_visible()
    assert await street.steps() == []
    await phone.page.context.add_cookies(_cookies(street.deploying.team, street.desk.url))  # type: ignore[arg-type]
    await phone.page.get_by_role("button", name="Send and read now").tap()
    await expect(phone.page.get_by_text("Signed in as Some-Operator.")).to_be_visible()
    await phone.waits(0)
    assert await street.steps() == ["photo", "signs-up"]
    lines = (await street.deploying.team.get(f"{street.deploying.path}/log")).json()
    assert {line["by"] for line in lines[-2:]} == {"some-operator"}
    assert phone.broken == []


async def test_a_locked_phone_stays_locked_without_a_network(street: Street) -> None:
    """Started again in flight mode it shows nothing. Opened by the gateway, it goes on where it was."""
    phone = await street.phone()
    await phone.tap("[data-deployment]")
    await phone.tap("[data-unit=D017]")
    await phone.done("unit")
    answer = await street.deploying.team.put("/api/v1/session/state", json={"state": "locked"})
    assert answer.is_success, answer.text
    await expect(phone.page.locator("#veil-title")).to_be_visible()
    await phone.lose()
    await phone.die()
    await phone.start(shown="#shut")
    await expect(phone.page.locator("#shut")).to_contain_text("Some-Operator is signed in on this phone.")
    assert "Mill Lane" not in await phone.page.content()
    assert await phone.page.locator("[data-deployment], .field-strip").count() == 0
    left = await phone.page.evaluate(KEPT_NAMES)
    assert left == ["lock"]
    await phone.find()
    await phone.page.fill(".veil-card input[type=password]", PASSWORD)
    await phone.page.keyboard.press("Enter")
    await phone.tap("[data-deployment]")
    await phone.done("unit")
    assert phone.broken == []


async def test_who_signs_out_without_a_network_is_out(street: Street) -> None:
    """It says that the gateway does not know yet, also after the phone died; with a network their session ends."""
    phone = await street.phone()
    await phone.lose()
    await phone.tap("#sign-out")
    left = phone.page.locator("#left")
    await expect(left).to_contain_text("it does not know yet")
    await phone.die()
    await phone.start(shown="#left")
    assert "Mill Lane" not in await phone.page.content()
    assert await phone.page.locator("[data-deployment], .field-strip").count() == 0
    assert await phone.page.evaluate(KEPT_NAMES) == []
    assert (await street.deploying.team.get("/api/v1/session")).status_code == 200
    await phone.find()
    await expect(phone.page.locator("#username")).to_be_visible()
    assert (await street.deploying.team.get("/api/v1/session")).status_code == 401
    assert phone.broken == []


async def test_who_signs_out_is_told_what_they_leave_and_finds_it_again(street: Street) -> None:
    """What was begun is named before, is shown to nobody else, and is there when they come back."""
    phone = await street.phone()
    await phone.tap("[data-deployment]")
    await phone.tap("[data-unit=D017]")
    await phone.done("unit")
    await phone.tap(".back")
    await phone.tap("#sign-out")
    await expect(phone.page.locator("#left-behind")).to_contain_text("Mill Lane")
    await phone.tap("#leave-it")
    await expect(phone.page.locator("#username")).to_be_visible()
    assert await phone.page.evaluate(KEPT_NAMES) == []
    bob = await street.desk.person("operator", "bob")
    back = await street.desk.again("some-operator")
    for somebody, name, begun in ((bob, "Bob", "false"), (back, "Some-Operator", "true")):
        await phone.page.context.add_cookies(_cookies(somebody, street.desk.url))  # type: ignore[arg-type]
        await phone.page.reload()
        await expect(phone.page.get_by_text(f"Signed in as {name}.")).to_be_visible()
        await phone.tap("[data-deployment]")
        await expect(phone.page.locator('[data-part="unit"]')).to_have_attribute("data-done", begun)
    assert phone.broken == []
