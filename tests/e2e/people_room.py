"""An administrator at the console, before a real gateway with three cameras: at a desk's size and at a phone's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Locator, Page, expect

from tests.e2e.screens import PEER, PHONE
from tests.fakes.browser import PATIENCE_MS, chromium
from tests.fakes.desk import PASSWORD, Desk, open_desk
from tests.fakes.oidc_desk import provider_settings, with_providers
from tests.fakes.waiting import until

DESK_SIZE = (1280, 800)
CAMERAS = (
    {"number": 4, "name": "High Street", "group": "Shops", "latitude": 51.5, "longitude": -0.1},
    {"number": 8, "name": "Station Road", "group": "Shops", "latitude": 51.502, "longitude": -0.102},
    {"number": 12, "name": "Park gate", "group": "Parks", "latitude": 51.505, "longitude": -0.095},
)


@dataclass(frozen=True, slots=True)
class Room:
    """A gateway, and its administrator's browser."""

    desk: Desk
    page: Page
    cameras: tuple[str, ...]

    @property
    def panel(self) -> Locator:
        """Return the panel about people."""
        return self.page.locator("sl-people")

    @property
    def alert(self) -> Locator:
        """Return what is said to be wrong in it."""
        return self.panel.get_by_role("alert").filter(has_text=".")

    async def made(self, what: str, **wish: Any) -> str:
        """Make something over the API and return its identifier."""
        answer = await self.desk.admin.post(f"/api/v1/{what}", json=wish)
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    async def got(self, path: str) -> Any:
        """Return what the gateway says."""
        answer = await self.desk.admin.get(f"/api/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def member(self, username: str = "mia") -> tuple[httpx.AsyncClient, str]:
        """Return the browser of a new member, and who they are."""
        client = await self.desk.person("member", username)
        return client, (await client.get("/api/v1/session")).json()["user"]["id"]

    async def sign_in(self) -> None:
        """Sign in and open the panel."""
        await self.page.goto(self.desk.url)
        await self.page.get_by_label("User name").fill("root")
        await self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await self.page.get_by_role("button", name="Sign in", exact=True).click()
        await self.page.locator("#tab-people").click()

    async def anew(self) -> None:
        """Load the page again, as who comes to what was made meanwhile."""
        await self.page.reload()
        await self.page.locator("#tab-people").click()

    async def open(self, section: str) -> None:
        """Open one of the pages."""
        await self.panel.locator(f"[data-section={section}]").click()

    async def person(self, username: str) -> None:
        """Open somebody."""
        await self.panel.locator(f"[data-person={username}]").click()
        await expect(self.panel.get_by_role("heading", name="May do now")).to_be_visible()

    async def unwatched(self, who: str) -> None:
        """Wait until the camera host shows somebody nothing any more."""
        viewers = self.desk.host.viewers
        await until(lambda: who not in {viewer.who for viewer in viewers.values()}, what=f"the end of {who}'s view")

    async def aged(self) -> None:
        """Let the last proof of who one is be long ago."""
        async with self.desk.gateway.database.write() as connection:
            await connection.exec_driver_sql("UPDATE sessions SET confirmed_ns = 0")

    async def confirm(self) -> None:
        """Prove it again."""
        dialog = self.page.get_by_role("dialog", name="Confirm that it is you")
        await dialog.get_by_label("Password", exact=True).fill(PASSWORD)
        await self.page.keyboard.press("Enter")
        await expect(dialog).to_have_count(0)


@asynccontextmanager
async def people_room(folder: Path, *, phone: bool) -> AsyncIterator[Room]:
    """Give the room; the page must raise nothing and break no policy."""
    settings = with_providers(folder, provider_settings(folder, "http://127.0.0.1:9/borough"))
    async with open_desk(folder, settings=settings) as desk, chromium() as browser:
        cameras = []
        for camera in CAMERAS:
            urn = f"urn:uuid:{camera['number']}"
            identity = desk.host.found.identity.model_copy(update={"urn": urn})
            desk.host.found = desk.host.found.model_copy(update={"identity": identity})
            cameras.append(await desk.enrol(**camera))
        size = PHONE if phone else DESK_SIZE
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]}, has_touch=phone, is_mobile=phone
        )
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda said: broken.append(said.text) if "Content Security" in said.text else None)
        await page.add_init_script(path=PEER)
        room = Room(desk, page, tuple(cameras))
        await room.sign_in()
        yield room
        await context.close()
        assert not broken, broken
