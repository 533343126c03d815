"""Coming in from outside without a password, or without typing one: a real gateway and provider."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.test_sign_in import with_authenticator
from tests.e2e.test_sign_in_with_provider import with_provider
from tests.fakes.desk import PASSWORD, settings_in
from tests.fakes.oidc_provider import SECRET, WORD, oidc_provider
from tests.fakes.outside import invited, organisation
from tests.fakes.watching import watched_room

pytestmark = pytest.mark.timeout(120)

PHONES = pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])


@PHONES
async def test_with_the_account_of_ones_force(tmp_path: Path, *, phone: bool) -> None:
    """From the invitation over the force's own page to the terms and a live picture; no password, no factor here."""
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    async with (
        oidc_provider() as provider,
        watched_room(tmp_path, settings=with_provider(settings_in(tmp_path), provider, secret)) as room,
    ):
        await provider.account("smith", name="John Smith")
        await provider.client(room.desk.url)
        force = await organisation(room.desk)
        body = {"organisation": force, "cameras": room.cameras}
        assert (await room.desk.admin.post("/api/v1/shares", json=body)).status_code == 201
        code = await invited(room.desk, force, name="PC Smith 1234")
        page = await room.page(phone=phone, path=f"/watch#join={code}")
        await page.get_by_role("button", name="Use your borough account instead of a password").click()
        await page.get_by_label("Name at the borough").fill("smith")
        await page.get_by_label("Secret word").fill(WORD)
        await page.get_by_role("button", name="Continue").click()
        await page.get_by_role("button", name="I accept these terms").click()
        await expect(page.locator("article.view")).to_have_attribute("data-state", "live")
        await expect(page.locator(".mark")).to_contain_text("PC Smith 1234")


@PHONES
async def test_with_a_passkey(tmp_path: Path, *, phone: bool) -> None:
    """The second factor is a passkey; the next time it is the only thing that is needed."""
    async with watched_room(tmp_path, cameras=0) as room:
        code = await invited(room.desk, await organisation(room.desk))
        page = await room.page(phone=phone)
        await with_authenticator(page)
        # Passkeys belong to a name; an address has none.
        await page.goto(f"{room.desk.url.replace('127.0.0.1', 'localhost')}/watch#join={code}")
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_label("Password again").fill(PASSWORD)
        await page.get_by_role("button", name="Enrol", exact=True).click()
        await page.locator("#add-passkey").click()
        await page.get_by_role("button", name="Add the passkey").click()
        await page.locator("#codes-kept").click()
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("button", name="Sign in with a passkey").click()
        await page.get_by_role("button", name="I accept these terms").click()
        await expect(page.get_by_role("heading", name="Nothing is shared with you now")).to_be_visible()
