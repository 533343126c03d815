"""Signing in and staying in, in Debian's Chromium before a real gateway: at a desk's size and at a phone's."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, CDPSession, Locator, Page, expect

from kernel.clock import SystemClock
from tests.e2e.screens import DESK, PEER, PHONE
from tests.fakes.browser import PATIENCE_MS, chromium
from tests.fakes.desk import PASSWORD, Desk, open_desk, settings_in

pytestmark = pytest.mark.timeout(120)

STEP_S = 30
NEXT_PASSWORD = "another four unrelated words"


@dataclass(frozen=True, slots=True)
class Room:
    """A gateway with a camera, and a browser at it."""

    desk: Desk
    page: Page
    context: BrowserContext
    phone: bool

    @property
    def url(self) -> str:
        """Return the console's address: a name, as passkeys want one."""
        return self.desk.url.replace("127.0.0.1", "localhost")

    async def sign_in(self, password: str = PASSWORD) -> None:
        """Type name and password."""
        await self.page.goto(self.url)
        await self.page.get_by_label("User name").fill("root")
        await self.page.get_by_label("Password", exact=True).fill(password)
        await self.page.get_by_role("button", name="Sign in", exact=True).click()

    async def sign_out(self) -> None:
        """Sign out, and be out."""
        await self.page.get_by_role("button", name="Sign out").click()
        await expect(self.page.get_by_role("heading", name="Sign in")).to_be_visible()

    async def account(self) -> None:
        """Open one's account."""
        await self.page.locator("#account").click()
        await expect(self.page.get_by_role("heading", name="Second factors")).to_be_visible()

    async def expect_inside(self) -> None:
        """Expect the room."""
        await expect(self.page.locator("article").first).to_be_visible()

    async def aged(self) -> None:
        """Let the last proof be long ago."""
        async with self.desk.gateway.database.write() as connection:
            await connection.exec_driver_sql("UPDATE sessions SET confirmed_ns = 0")


@pytest_asyncio.fixture(loop_scope="session", params=["desk", "phone"])
async def room(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Room]:
    """Give a gateway with a camera, and a browser of either size."""
    async with open_desk(tmp_path, settings=settings_in(tmp_path)) as desk, chromium() as browser:
        await desk.enrol(number=1, name="High Street")
        phone = request.param == "phone"
        size = PHONE if phone else DESK
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]}, has_touch=phone, is_mobile=phone
        )
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda said: broken.append(said.text) if "Content Security" in said.text else None)
        await page.add_init_script(path=PEER)
        yield Room(desk, page, context, phone)
        await context.close()
        assert not broken, broken


async def with_authenticator(page: Page) -> CDPSession:
    """Give the browser an authenticator with a finger on it."""
    session = await page.context.new_cdp_session(page)
    await session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


async def add_application(within: Page | Locator) -> tuple[pyotp.TOTP, list[str]]:
    """Add an authenticator app; return it and the recovery codes that are shown."""
    await within.locator("#add-totp").click()
    await expect(within.locator(".qr")).to_be_visible()
    application = pyotp.TOTP((await within.locator(".secret").inner_text()).replace(" ", ""))
    await within.get_by_label("The code that it shows now").fill(code_of(application))
    await within.get_by_role("button", name="Add the app").click()
    await expect(within.locator(".codes li")).to_have_count(10)
    return application, await within.locator(".codes code").all_inner_texts()


def code_of(application: pyotp.TOTP, steps: int = 0) -> str:
    """Return what the app shows, so many steps from now.

    A code opens once, so the next one comes from a clock that is a step fast. None comes from a slow clock: the step
    may end between here and the gateway, and then its code is two steps old.
    """
    return application.at(SystemClock().wall_ns() // 10**9 + steps * STEP_S)


async def test_a_password_can_be_looked_at(room: Room) -> None:
    """Show and hide; what was typed stays."""
    await room.page.goto(room.url)
    field = room.page.locator("#password")
    await field.fill("four words")
    await room.page.get_by_role("button", name="Show").click()
    await expect(field).to_have_attribute("type", "text")
    await room.page.get_by_role("button", name="Hide").click()
    await expect(field).to_have_attribute("type", "password")
    await expect(field).to_have_value("four words")


async def test_an_app_from_enrolment_to_signing_in_with_it(room: Room) -> None:
    """The QR code, the first code, the recovery codes; then password and code, and a wrong one first."""
    await room.sign_in()
    await room.expect_inside()
    await room.account()
    await room.page.locator("#add-totp").click()
    await expect(room.page.locator(".qr")).to_be_visible()
    await room.page.get_by_role("button", name="Not now").click()
    application, _ = await add_application(room.page)
    await room.page.locator("#codes-kept").click()
    await expect(room.page.locator(".factors")).to_contain_text("10 left")
    await room.sign_out()

    await room.sign_in()
    code = room.page.get_by_label("Code from your authenticator app")
    await expect(code).to_be_focused()
    await code.fill("000000")
    await code.press("Enter")
    await expect(room.page.get_by_role("alert")).to_contain_text("That was not right")
    await code.fill(code_of(application, 1))
    await code.press("Enter")
    await room.expect_inside()


async def test_a_recovery_code_lets_in(room: Room) -> None:
    """From the same step, by the other way."""
    await room.sign_in()
    await room.account()
    _, codes = await add_application(room.page)
    await room.page.locator("#codes-kept").click()
    await room.sign_out()
    await room.sign_in()
    await room.page.get_by_role("button", name="Use a recovery code").click()
    await room.page.get_by_label("Recovery code").fill(codes[3].lower())
    await room.page.get_by_role("button", name="Sign in", exact=True).click()
    await room.expect_inside()
    await room.account()
    await expect(room.page.locator(".factors")).to_contain_text("9 left")


async def test_a_passkey_from_enrolment_to_signing_in_with_it_alone(room: Room) -> None:
    """Made and named in the account, used without a name or password, removed with two clicks."""
    await with_authenticator(room.page)
    await room.sign_in()
    await room.account()
    await room.page.locator("#add-passkey").click()
    await room.page.get_by_label("What to call it").fill("Desk 4")
    await room.page.get_by_role("button", name="Add the passkey").click()
    await expect(room.page.locator(".codes li")).to_have_count(10)
    await room.page.locator("#codes-kept").click()
    await expect(room.page.locator(".factors")).to_contain_text("Desk 4")
    await room.sign_out()

    await room.page.get_by_role("button", name="Sign in with a passkey").click()
    await room.expect_inside()
    await room.account()
    await expect(room.page.locator("[data-session=here]")).to_contain_text("passkey")
    await room.page.get_by_role("button", name="Remove Desk 4").click()
    await room.page.get_by_role("button", name="Really remove Desk 4").click()
    await expect(room.page.locator("sl-factors")).not_to_contain_text("Desk 4")


async def test_a_passkey_completes_a_sign_in(room: Room) -> None:
    """After the password the browser is asked for it."""
    await with_authenticator(room.page)
    await room.sign_in()
    await room.account()
    await room.page.locator("#add-passkey").click()
    await room.page.get_by_role("button", name="Add the passkey").click()
    await room.page.locator("#codes-kept").click()
    await room.sign_out()
    await room.sign_in()
    await expect(room.page.get_by_role("heading", name="One more step")).to_be_visible()
    await room.page.get_by_role("button", name="Use passkey").click()
    await room.expect_inside()


async def test_a_passkey_that_is_not_used_is_said_in_words(room: Room) -> None:
    """The device has none of ours, or somebody turned away: they are where they were, and read why."""
    await with_authenticator(room.page)
    await room.page.goto(room.url)
    await room.page.get_by_role("button", name="Sign in with a passkey").click()
    await expect(room.page.get_by_role("alert")).to_contain_text("No passkey was used")


async def test_a_sharp_act_asks_and_then_goes_on_by_itself(room: Room) -> None:
    """Making a user when the last proof is old: the password, and the user is made, without a second click."""
    await room.sign_in()
    await room.expect_inside()
    await room.aged()
    await room.page.locator("#tab-people").click()
    await room.page.locator("#add-person").click()
    await room.page.get_by_label("User name").fill("olga")
    await room.page.get_by_label("First password").fill(NEXT_PASSWORD)
    await room.page.get_by_role("button", name="Add", exact=True).click()
    dialog = room.page.get_by_role("dialog", name="Confirm that it is you")
    await expect(dialog.get_by_label("Password", exact=True)).to_be_focused()
    await dialog.get_by_label("Password", exact=True).fill("wrong")
    await room.page.keyboard.press("Enter")
    await expect(dialog.get_by_role("alert")).to_contain_text("The password is wrong")
    await dialog.get_by_label("Password", exact=True).fill(PASSWORD)
    await room.page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(room.page.locator("sl-people .rows")).to_contain_text("olga")


async def test_a_sharp_act_can_be_left(room: Room) -> None:
    """Escape: nothing was done, and it says why."""
    await room.sign_in()
    await room.expect_inside()
    await room.aged()
    await room.account()
    await room.page.locator("#add-totp").click()
    await expect(room.page.get_by_role("dialog")).to_be_visible()
    await room.page.keyboard.press("Escape")
    await expect(room.page.get_by_role("dialog")).to_have_count(0)
    await expect(room.page.locator("sl-factors").get_by_role("alert")).to_contain_text("confirm that it is you")


async def test_a_locked_console_shows_pictures_and_nothing_else(room: Room) -> None:
    """The pictures stay, keys and panels are away; the password gives everything back where it was."""
    await room.sign_in()
    await room.expect_inside()
    await room.account()
    await room.page.locator("#lock-now").click()
    card = room.page.get_by_role("region", name="Locked")
    await expect(card.get_by_label("Password", exact=True)).to_be_focused()
    await expect(room.page.locator("article").first).to_be_visible()
    await expect(room.page.locator(".side")).to_be_hidden()
    await expect(room.page.locator("sl-timeline")).to_be_hidden()
    await card.get_by_label("Password", exact=True).fill("wrong")
    await room.page.keyboard.press("Enter")
    await expect(card.get_by_role("alert")).to_contain_text("The password is wrong")
    await card.get_by_label("Password", exact=True).fill(PASSWORD)
    await room.page.keyboard.press("Enter")
    await expect(card).to_have_count(0)
    await expect(room.page.locator(".side")).to_be_visible()
    await room.expect_inside()


async def test_a_console_that_the_gateway_locks_draws_the_veil(room: Room) -> None:
    """Nobody clicked anything: the sweep found that no hand had moved."""
    await room.sign_in()
    await room.expect_inside()
    await expect(room.page.locator("sl-veil section")).to_have_count(0)
    async with room.desk.gateway.database.write() as connection:
        await connection.exec_driver_sql("UPDATE sessions SET active_ns = 1")
    await room.desk.gateway.rooms.access.end_expired()
    await expect(room.page.get_by_role("region", name="Locked")).to_be_visible()


async def test_a_hand_is_told_to_the_gateway(room: Room) -> None:
    """A moved mouse, or a finger, is a sign of activity, and not every one of them is sent."""
    told: list[str] = []
    room.page.on("request", lambda request: told.append(request.url) if request.url.endswith("/active") else None)
    await room.sign_in()
    await room.expect_inside()
    async with room.page.expect_response(re.compile("/session/active")) as answered:
        await room.page.keyboard.press("Shift")
    assert (await answered.value).status == 204
    for _ in range(5):
        await room.page.keyboard.press("Shift")
    await room.page.evaluate("() => fetch('/healthz')")
    assert len(told) == 1


async def test_a_wallboard_stays_one_until_it_is_unlocked(room: Room) -> None:
    """Pictures over the whole page, also after it is loaded anew; a proof makes it a console again."""
    await room.sign_in()
    await room.expect_inside()
    await room.account()
    await room.page.locator("#make-wall").click()
    await expect(room.page.locator("#unlock")).to_be_visible()
    await room.page.reload()
    await room.expect_inside()
    await expect(room.page.locator(".side")).to_be_hidden()
    await room.page.locator("#unlock").click()
    card = room.page.get_by_role("region", name="Wallboard")
    await card.get_by_label("Password", exact=True).fill(PASSWORD)
    await room.page.keyboard.press("Enter")
    await expect(room.page.locator(".side")).to_be_visible()


async def test_another_session_is_ended_from_the_list(room: Room) -> None:
    """It is named by browser and address; ended, it opens nothing."""
    elsewhere = await room.desk.anybody(User_Agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0")
    await elsewhere.post("/api/v1/session", json={"username": "root", "password": PASSWORD})
    await room.sign_in()
    await room.account()
    await room.page.get_by_role("button", name="End the session of Firefox 140 on Linux").click()
    await expect(room.page.get_by_role("button", name="End the session of Firefox 140 on Linux")).to_have_count(0)
    assert (await elsewhere.get("/api/v1/session")).status_code == 401


async def test_ones_password_is_changed(room: Room) -> None:
    """A wrong one now is said and signs nobody out; then the new one signs in."""
    await room.sign_in()
    await room.account()
    await room.page.locator("#change-password").click()
    await room.page.get_by_label("Password now").fill("wrong")
    await room.page.get_by_label("New password").fill(NEXT_PASSWORD)
    await room.page.get_by_role("button", name="Change it").click()
    await expect(room.page.locator("sl-account > [role=alert]")).to_contain_text("The password is wrong")
    await room.page.get_by_label("Password now").fill(PASSWORD)
    await room.page.get_by_role("button", name="Change it").click()
    await expect(room.page.locator("#change-password")).to_be_visible()
    await room.sign_out()
    await room.sign_in(NEXT_PASSWORD)
    await room.expect_inside()


async def test_a_required_factor_comes_first(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of the room one sees how to add a factor; with it, the room."""
    required = room.desk.gateway.rooms.settings.access.model_copy(update={"second_factor": "required"})
    monkeypatch.setattr(room.desk.gateway.rooms.access._ageing, "_settings", required)
    await room.sign_in()
    await expect(room.page.get_by_role("heading", name="Add a second factor")).to_be_visible()
    await add_application(room.page)
    await room.page.locator("#codes-kept").click()
    await room.expect_inside()
