"""Proving again who one is, tying and untying, with a real OpenID provider in Debian's Chromium, at two sizes."""

from playwright.async_api import Page, expect

from tests.e2e.test_acts_in_browser import export
from tests.e2e.test_sign_in_with_provider import SIZES, Open, desk, go, opened, provider, signed_in
from tests.fakes.desk import PASSWORD, Desk
from tests.fakes.oidc_provider import WORD, OidcProvider

__all__ = ["desk", "opened", "provider"]


async def aged(desk: Desk) -> None:
    """Let everybody's last proof be long ago."""
    async with desk.gateway.database.write() as connection:
        await connection.exec_driver_sql("UPDATE sessions SET confirmed_ns = 0")


async def fill_in(page: Page, sub: str) -> None:
    """Sign in on the provider's own page."""
    await page.get_by_label("Name at the borough").fill(sub)
    await page.get_by_label("Secret word").fill(WORD)
    await page.get_by_role("button", name="Continue").click()


@SIZES
async def test_whom_a_provider_keeps_confirms_there(
    opened: Open, desk: Desk, provider: OidcProvider, size: tuple[int, int]
) -> None:
    """A window of its own asks for the word again, though one is signed in there; the act then goes on by itself."""
    await desk.enrol(number=1, name="High Street")
    page = await opened(size)
    await go(page, "anne")
    await signed_in(page)
    await aged(desk)
    await export(page)
    dialog = page.get_by_role("dialog")
    await expect(dialog.locator("input")).to_have_count(0)
    async with page.expect_download() as download:
        async with page.context.expect_page() as window:
            await dialog.get_by_role("button", name="Confirm with your borough account").click()
        await fill_in(await window.value, "anne")
    assert (await download.value).suggested_filename.startswith("camera-")
    await expect(dialog).to_have_count(0)
    (confirmed,) = await desk.audit("access.confirmed")
    assert confirmed.actor == "anne"
    assert provider.said == []


async def test_a_locked_console_is_opened_at_the_provider(opened: Open, desk: Desk) -> None:
    """Who has no password here is not locked out of their own desk."""
    await desk.enrol(number=1, name="High Street")
    page = await opened()
    await go(page, "anne")
    await signed_in(page)
    await page.locator("#account").click()
    await page.locator("#lock-now").click()
    async with page.context.expect_page() as window:
        await page.get_by_role("button", name="Confirm with your borough account").click()
    await fill_in(await window.value, "anne")
    await expect(page.locator(".side")).to_be_visible()


@SIZES
async def test_an_account_is_tied_to_oneself_and_untied(
    opened: Open, desk: Desk, provider: OidcProvider, size: tuple[int, int]
) -> None:
    """From "Your account" to the provider and back, with a proof first; it signs the same user in until untied."""
    page = await opened(size)
    await page.get_by_label("User name").fill("root")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await signed_in(page)
    await aged(desk)
    await page.locator("#account").click()
    await page.get_by_role("button", name="Tie your borough account to you").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await fill_in(page, "anne")
    await expect(page.locator(".said-line")).to_contain_text("You can sign in with your borough account from now on.")
    await expect(page.locator("[data-account=borough]")).to_be_visible()

    other = await opened(size)
    await go(other, "anne")
    await signed_in(other)
    session = await other.evaluate("fetch('/api/v1/session').then((answer) => answer.json())")
    assert session["user"]["username"] == "root"

    await page.get_by_role("button", name="Untie your borough account").click()
    await page.get_by_role("button", name="Untie your borough account").click()
    await expect(page.locator("[data-account=borough]")).to_have_count(0)
    await expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    assert [entry.action for entry in await desk.audit() if entry.action.startswith("account.")] == [
        "account.tied",
        "account.untied",
    ]
