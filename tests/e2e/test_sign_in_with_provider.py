"""Signing in with a real OpenID provider, in Debian's Chromium, at a desk and on a phone.

The provider is at ``localhost`` and the gateway at ``127.0.0.1``, so that to the browser they are two sites.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from config.oidc import OidcSettings
from config.settings import Settings
from tests.e2e.screens import DESK, PHONE
from tests.fakes.browser import chromium
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.oidc_provider import SECRET, WORD, OidcProvider, oidc_provider
from tests.fakes.waiting import told

pytestmark = pytest.mark.timeout(120)

Open = Callable[..., Awaitable[Page]]
SIZES = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[OidcProvider]:
    """A provider with Anne, who is an operator by her group, and Bob, who is in none that counts."""
    async with oidc_provider() as provider:
        await provider.account("anne", "everybody", "cctv-operators", name="Anne Archer", amr=["pwd", "mfa"])
        await provider.account("bob", "everybody")
        yield provider


@pytest_asyncio.fixture(loop_scope="session")
async def desk(tmp_path: Path, provider: OidcProvider) -> AsyncIterator[Desk]:
    """A gateway to which that provider is the borough's."""
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    async with open_desk(tmp_path, settings=with_provider(settings_in(tmp_path), provider, secret)) as desk:
        await provider.client(desk.url)
        yield desk


def with_provider(settings: Settings, provider: OidcProvider, secret: Path, **more: Any) -> Settings:
    """Return settings with the provider among them."""
    borough = OidcSettings(
        id="borough",
        name="your borough account",
        issuer=provider.issuer,
        client_id="sightline",
        client_secret_file=secret,
        scopes=("openid", "profile", "groups"),
        groups={"cctv-supervisors": "administrator", "cctv-operators": "operator"},
        **more,
    )
    return settings.model_copy(update={"oidc": (borough,)})


@pytest_asyncio.fixture(loop_scope="session")
async def opened(desk: Desk) -> AsyncIterator[Open]:
    """Give a function that opens the console; the page must raise nothing and keep to its policy."""
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        raised: list[str] = []

        async def open_(size: tuple[int, int] = DESK) -> Page:
            phone = size == PHONE
            context = await browser.new_context(
                viewport={"width": size[0], "height": size[1]}, has_touch=phone, is_mobile=phone
            )
            stack.push_async_callback(context.close)
            page = await context.new_page()
            page.on("pageerror", lambda error: raised.append(str(error)))
            page.on("console", lambda said: raised.append(said.text) if "Content Security" in said.text else None)
            await page.goto(desk.url)
            return page

        yield open_
        assert raised == []


async def go(page: Page, sub: str) -> None:
    """Press the button, and sign in on the provider's own page."""
    await page.get_by_role("button", name="Sign in with your borough account").click()
    await page.get_by_label("Name at the borough").fill(sub)
    await page.get_by_label("Secret word").fill(WORD)
    await page.get_by_role("button", name="Continue").click()


async def signed_in(page: Page) -> None:
    """Return once the room is open."""
    await expect(page.locator(".room")).to_be_visible()


@SIZES
async def test_one_signs_in_with_ones_own_forces_account(
    opened: Open, desk: Desk, provider: OidcProvider, size: tuple[int, int]
) -> None:
    """From the button over the provider's own page into the room, as the operator that the group makes one."""
    page = await opened(size)
    await go(page, "anne")
    await signed_in(page)
    assert page.url == f"{desk.url}/"
    session = await page.evaluate("fetch('/api/v1/session').then((answer) => answer.json())")
    assert (session["user"]["username"], session["user"]["name"], session["user"]["role"]) == (
        "anne",
        "Anne Archer",
        "operator",
    )
    assert provider.said == []
    added, entry = (await desk.audit("user.added"))[-1], (await desk.audit("access.sign-in"))[-1]
    assert '"provider":"borough"' in added.details
    assert (entry.actor, entry.outcome) == ("anne", "done")
    assert '"methods":"oidc mfa"' in entry.details


@SIZES
async def test_who_is_in_no_group_is_told_so(opened: Open, desk: Desk, size: tuple[int, int]) -> None:
    """A plain sentence with a code and a way back, and no user is made."""
    page = await opened(size)
    await go(page, "bob")
    await expect(page.get_by_role("alert")).to_contain_text("none of your groups there may use Sightline")
    await expect(page.locator("code")).to_have_text("access.not-admitted")
    await page.get_by_role("link", name="Back to Sightline").click()
    await expect(page.get_by_role("button", name="Sign in with your borough account")).to_be_visible()
    assert [user.username for user in await desk.gateway.rooms.people.users()] == ["root"]


async def test_giving_up_there_is_said_here(opened: Open) -> None:
    """Cancel on the provider's page leads to a page that says so, not to a blank one."""
    page = await opened()
    await page.get_by_role("button", name="Sign in with your borough account").click()
    await page.get_by_role("link", name="Cancel").click()
    await expect(page.get_by_role("alert")).to_contain_text("You were not signed in at your borough account.")


async def test_a_provider_that_is_down_is_said_at_the_button(opened: Open, desk: Desk, provider: OidcProvider) -> None:
    """The form for a password of one's own stays, and works."""
    page = await opened()
    await provider.end()
    await page.get_by_role("button", name="Sign in with your borough account").click()
    await expect(page.get_by_role("alert")).to_contain_text("does not answer")
    await page.get_by_label("User name").fill("root")
    await page.get_by_label("Password").fill("four unrelated words here")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await signed_in(page)


@SIZES
async def test_signing_out_here_signs_out_there(
    opened: Open, desk: Desk, provider: OidcProvider, size: tuple[int, int]
) -> None:
    """The next person at the desk is asked for their own password, and is not let in as the last."""
    page = await opened(size)
    await go(page, "anne")
    await signed_in(page)
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name="Yes, sign me out").click()
    await page.wait_for_url(f"{desk.url}/")
    await page.get_by_role("button", name="Sign in with your borough account").click()
    await expect(page.get_by_label("Name at the borough")).to_be_visible()
    assert provider.said == []


async def test_signing_out_there_ends_the_session_here(opened: Open, desk: Desk, provider: OidcProvider) -> None:
    """The provider says so behind the browser's back (back-channel logout), and the room is closed."""
    page = await opened()
    await go(page, "anne")
    await signed_in(page)
    other = await page.context.new_page()
    await other.goto(f"{provider.issuer}/session/end")
    await other.get_by_role("button", name="Yes, sign me out").click()
    await told(lambda: desk.audit("access.session-ended"), bool, what="the end of the session")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert provider.said == []
    entry = (await desk.audit("access.session-ended"))[-1]
    assert entry.actor == "your borough account"


async def test_a_group_changed_there_is_a_role_changed_here(opened: Open, desk: Desk, provider: OidcProvider) -> None:
    """At the next sign-in; and with no group left, whatever was open is ended."""
    page = await opened()
    await go(page, "anne")
    await signed_in(page)
    await provider.account("anne", "cctv-supervisors", name="Anne Archer")
    again = await opened()
    await go(again, "anne")
    await signed_in(again)
    users = {user.username: user.role for user in await desk.gateway.rooms.people.users()}
    assert users["anne"] == "administrator"
    changed = (await desk.audit("user.changed"))[-1]
    assert '"was":"operator"' in changed.details
    await provider.account("anne", "everybody", name="Anne Archer")
    last = await opened()
    await go(last, "anne")
    await expect(last.locator("code")).to_have_text("access.not-admitted")
    for one in (page, again):
        status = await one.evaluate("fetch('/api/v1/session').then((answer) => answer.status)")
        assert status == 401
