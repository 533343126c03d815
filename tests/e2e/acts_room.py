"""A gateway at which two acts take two people, and consoles before it at a desk's size or a phone's."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from tests.e2e.screens import PEER, PHONE
from tests.fakes.browser import PATIENCE_MS, chromium
from tests.fakes.descriptions import description
from tests.fakes.desk import PASSWORD, Desk, open_desk, settings_in

SMALL_DESK = (1280, 800)
TWO_PEOPLE = ("hold.release", "export.clip")


@dataclass(frozen=True, slots=True)
class Room:
    """A gateway with two cameras, and browsers at it."""

    desk: Desk
    open: Callable[[str], Awaitable[Page]]
    """Return the console of somebody who signed in."""
    cameras: tuple[str, str]

    async def aged(self) -> None:
        """Let everybody's last proof be long ago."""
        async with self.desk.gateway.database.write() as connection:
            await connection.exec_driver_sql("UPDATE sessions SET confirmed_ns = 0")


@asynccontextmanager
async def acts_room(tmp_path: Path, *, phone: bool) -> AsyncIterator[Room]:
    """Give the room, with browsers of either size; no page may raise anything or break its policy."""
    size = PHONE if phone else SMALL_DESK
    settings = settings_in(tmp_path, two_people=TWO_PEOPLE)
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(open_desk(tmp_path, settings=settings))
        first = await desk.enrol(number=1, name="High Street")
        desk.host.found = description("urn:uuid:2")
        cameras = (first, await desk.enrol(number=2, name="Station", address="192.0.2.2"))
        for camera in cameras:
            desk.host.state(desk.host.live(camera))
        browser = await stack.enter_async_context(chromium())
        broken: list[str] = []

        async def open_(username: str) -> Page:
            context = await browser.new_context(
                viewport={"width": size[0], "height": size[1]}, has_touch=phone, is_mobile=phone
            )
            stack.push_async_callback(context.close)
            page = await context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.on("pageerror", lambda error: broken.append(str(error)))
            page.on("console", lambda said: broken.append(said.text) if "Content Security" in said.text else None)
            await page.add_init_script(path=PEER)
            await page.goto(desk.url)
            await page.get_by_label("User name").fill(username)
            await page.get_by_label("Password", exact=True).fill(PASSWORD)
            await page.get_by_role("button", name="Sign in", exact=True).click()
            await expect(page.locator("article").first).to_be_visible()
            return page

        yield Room(desk, open_, cameras)
        assert not broken, broken


async def panel(page: Page, name: str) -> Locator:
    """Open a panel."""
    await page.locator(f"#tab-{name}").click()
    return page.locator("#panel-body")
