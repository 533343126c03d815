"""An operator and a supervisor, each at a console, before a real gateway with one unit that moves."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from config.deployments import DeploymentSettings
from gateway.deployments.geofence import Kind, Report
from gateway.deployments.steps import Picture
from tests.e2e.people_room import DESK_SIZE
from tests.e2e.screens import PEER, PHONE
from tests.fakes.browser import PATIENCE_MS, chromium
from tests.fakes.deploying import Deploying
from tests.fakes.desk import PASSWORD, Desk, open_desk, settings_in
from tests.fakes.photos import photo

CRITERIA = ("Calls for service are recorded", "Other measures were tried")
URN = "urn:uuid:1"


@dataclass(frozen=True, slots=True)
class Console:
    """Somebody's console, at the panel about deployments."""

    page: Page

    @property
    def panel(self) -> Locator:
        """Return the panel."""
        return self.page.locator("sl-deployments")

    async def tab(self, name: str) -> None:
        """Open a panel."""
        await self.page.locator(f"#tab-{name}").click()

    async def section(self, name: str) -> None:
        """Open one of the panel's lists."""
        await self.panel.locator(f"[data-section={name}]").click()

    async def open(self, title: str) -> None:
        """Open a deployment from the list of all."""
        await self.tab("deployments")
        back = self.panel.get_by_role("button", name="Back to the list")
        await expect(back.or_(self.panel.locator("[data-section=all]"))).to_be_visible()
        if await back.is_visible():
            await back.click()
        await self.section("all")
        await self.panel.locator("#deployments-all").get_by_role("button", name=title).click()
        await expect(self.panel.get_by_role("heading", name=title)).to_be_visible()

    async def fill(self, form: str, **values: str) -> Locator:
        """Fill the form of a step, opened where it is not, and return it."""
        found = self.panel.locator(f"form#{form}")
        # Open by itself or not: that may change while one looks, and a click would close it then.
        await self.panel.locator(f"[data-form={form}]").evaluate("one => { one.open = true }")
        for name, value in values.items():
            await found.locator(f"[name={name}]").fill(value)
        return found

    async def unfold(self, form: str) -> Locator:
        """Open what a form that is no step is folded away in, and return the form."""
        found = self.panel.locator(f"form#{form}")
        await found.evaluate("one => { one.closest('details').open = true }")
        return found

    async def step(self, form: str, button: str, **values: str) -> None:
        """Take a step."""
        await (await self.fill(form, **values)).get_by_role("button", name=button, exact=True).click()

    async def send_photo(self, shows: str, shade: int) -> None:
        """Send a photo from a file."""
        form = await self.unfold("send-photo")
        await form.get_by_label("What it shows").select_option(label=shows)
        await form.locator("[name=photo]").set_input_files(
            {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo(shade=shade)}
        )
        await form.get_by_role("button", name="Send it").click()
        await expect(self.panel.locator("figcaption").filter(has_text=shows)).to_be_visible()


@dataclass(frozen=True, slots=True)
class DeploymentsRoom:
    """The gateway, and both consoles."""

    deploying: Deploying
    team: Console
    chief: Console

    @property
    def desk(self) -> Desk:
        """Return the gateway's desk."""
        return self.deploying.desk

    async def anew(self) -> None:
        """Load both consoles again, as who comes to what was made meanwhile."""
        for console in (self.team, self.chief):
            await console.page.reload()
            await console.tab("deployments")

    async def known(self) -> dict[str, Any]:
        """Return the newest deployment as the gateway has it."""
        newest: dict[str, Any] = (await self.deploying.team.get("/api/v1/deployments")).json()[0]
        return newest

    async def raised(self, report: Report, *, shade: int) -> None:
        """Have the unit report something that is an alarm, of which its camera makes a picture."""
        deployments = self.desk.gateway.rooms.deployments
        (taken,) = await deployments.reported(URN, report)
        digest, _ = await asyncio.to_thread(self.desk.gateway.rooms.pictures.put, photo(shade=shade))
        kind = Kind(json.loads(taken.entry.said)["kind"])
        picture = Picture(kind=kind, sha256=digest, size_bytes=1, camera=self.deploying.camera, recorded_ns=None)
        await deployments.noted(taken.deployment.id, picture)

    async def past(self, *fields: str) -> None:
        """Let instants of the newest deployment be long ago."""
        known = await self.known()
        async with self.desk.gateway.database.write() as connection:
            for field in fields:
                await connection.exec_driver_sql(
                    "UPDATE deployments SET record = json_set(record, ?, 1790000000000000000) WHERE id = ?",
                    (f"$.{field}", known["id"]),
                )


async def _console(
    browser: Browser, desk: Desk, username: str, *, phone: bool, broken: list[str]
) -> tuple[BrowserContext, Console]:
    size = PHONE if phone else DESK_SIZE
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, has_touch=phone, is_mobile=phone
    )
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda said: broken.append(said.text) if "Content Security" in said.text else None)
    await page.add_init_script(path=PEER)
    await page.goto(desk.url)
    await page.get_by_label("User name").fill(username)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    console = Console(page)
    await console.tab("deployments")
    return context, console


@asynccontextmanager
async def deployments_room(folder: Path, *, phone: bool) -> AsyncIterator[DeploymentsRoom]:
    """Give the room; no page may raise anything or break its policy."""
    settings = settings_in(folder).model_copy(update={"deployments": DeploymentSettings(criteria=CRITERIA)})
    broken: list[str] = []
    async with open_desk(folder, settings=settings) as desk, chromium() as browser:
        deploying = await Deploying.at(desk, number=17, name="Unit D017")
        contexts = []
        consoles = []
        for username in ("some-operator", "some-supervisor"):
            context, console = await _console(browser, desk, username, phone=phone, broken=broken)
            contexts.append(context)
            consoles.append(console)
        yield DeploymentsRoom(deploying, *consoles)
        for context in contexts:
            await context.close()
        assert not broken, broken
