"""A control room in a browser, with cameras in its tiles and partners whom it may share them with."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from config.outgoing import OutgoingSettings
from config.sharing import SharingSettings
from tests.fakes.browser import PATIENCE_MS
from tests.fakes.descriptions import description
from tests.fakes.desk import PASSWORD, Desk, open_desk, settings_in
from tests.fakes.outside import Officer, officer, organisation

DESK, PHONE = (1280, 800), (390, 844)
PEER = Path(__file__).parent / "console_peer.js"
SHARING = SharingSettings(organisation="Metropolitan Police", test_camera=1)
STREETS = ("High Street", "Market Place", "Station Approach", "Canal Bridge")


@dataclass(frozen=True, slots=True)
class Room:
    """A gateway with cameras, an operator's browser at it, and an officer outside."""

    desk: Desk
    page: Page
    cameras: list[str]
    pc: Officer
    phone: bool

    def tile(self, number: int) -> Locator:
        """Return the tile of a camera."""
        return self.page.locator(f"article[data-camera-number='{number}']")

    @property
    def bar(self) -> Locator:
        """Return the share bar."""
        return self.page.locator(".share-bar")

    async def select(self, number: int) -> None:
        """Select the tile of a camera."""
        await self.tile(number).locator(".tile-head .name").click()
        await expect(self.tile(number)).to_have_attribute("data-selected", "true")

    async def panel(self, section: str | None = None) -> Locator:
        """Open Sharing in the panel, at one of its sections; return the panel."""
        await self.page.locator("#tab-sharing").click()
        if section is not None:
            await self.page.locator(f"[data-section={section}]").click()
        return self.page.locator("sl-shares")

    async def shares(self) -> list[dict[str, Any]]:
        """Return what is shared, as the gateway has it."""
        found: list[dict[str, Any]] = (await self.desk.admin.get("/api/v1/shares")).json()
        return found

    async def ask(self, share: str, camera: str, note: str = "follow the blue car") -> None:
        """Let the officer ask for a stick."""
        body = {"camera": camera, "note": note}
        answer = await self.pc.browser.post(f"/api/v1/shares/{share}/stick-request", json=body)
        assert answer.status_code == 202, answer.text


async def sign_in(page: Page, desk: Desk) -> None:
    """Sign the administrator in, and wait for the pictures."""
    await page.goto(desk.url)
    await page.get_by_label("User name").fill("root")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.locator("article").first).to_be_visible()


@asynccontextmanager
async def console(browser: Browser, desk: Desk, *, phone: bool = False, drawn: bool = True) -> AsyncIterator[Page]:
    """Give the console, signed in, at either size; what it complains of fails. ``drawn`` pictures need no media."""
    width, height = PHONE if phone else DESK
    context: BrowserContext = await browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=phone,
        is_mobile=phone,
        timezone_id="Europe/London",
    )
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda said: broken.append(said.text) if "Content Security" in said.text else None)
    if drawn:
        await page.add_init_script(path=PEER)
    await sign_in(page, desk)
    yield page
    await context.close()
    assert not broken, broken


@asynccontextmanager
async def sharing_room(path: Path, browser: Browser, *, phone: bool = False, cameras: int = 4) -> AsyncIterator[Room]:
    """Give a room with cameras and a usual partner, of whom PC 1234 Smith has enrolled."""
    settings = settings_in(path).model_copy(update={"sharing": SHARING, "outgoing": OutgoingSettings(rtsps=True)})
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(open_desk(path, settings=settings))
        known = []
        for number, street in enumerate(STREETS[:cameras], start=1):
            desk.host.found = description(f"urn:uuid:{number}")
            known.append(await desk.enrol(number=number, name=street, address=f"192.0.2.{number}"))
        await organisation(desk, "British Transport Police")
        pc = await officer(desk, await organisation(desk, "Metropolitan Police"), name="PC 1234 Smith")
        page = await stack.enter_async_context(console(browser, desk, phone=phone))
        yield Room(desk, page, known, pc, phone)
