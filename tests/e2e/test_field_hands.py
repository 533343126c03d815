"""One phone in several hands: whose steps they are, and what a lock and signing out leave to see."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.field_street import Street, open_street

pytestmark = pytest.mark.timeout(240)
expect.set_options(timeout=30_000)


@pytest_asyncio.fixture(loop_scope="session")
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    """Give a street whose unit is planned and calls in."""
    async with open_street(tmp_path) as street:
        yield street


def _cookies(somebody: httpx.AsyncClient, url: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value, "url": url} for name, value in somebody.cookies.items()]


async def test_steps_are_not_sent_in_the_name_of_who_signed_in_beside_them(street: Street) -> None:
    """Somebody else's tab has the cookie as the page wakes: nothing is sent, and it says whose steps wait. They go later."""
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
