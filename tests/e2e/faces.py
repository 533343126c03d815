"""The console in Debian's Chromium before the fake gateway in one of its states."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from playwright.async_api import Page

from kernel.clock import SystemClock
from tests.e2e.screens import PEER, PHONE, serving
from tests.fakes.browser import chromium
from tests.fakes.console_state import FakeBorough

Open = Callable[..., Awaitable[tuple[Page, FakeBorough]]]


@asynccontextmanager
async def opening() -> AsyncIterator[Open]:
    """Give a function that opens the console with the gateway in a state; the page must raise nothing."""
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        raised: list[str] = []

        async def open_(
            face: str = "ready", *, path: str = "/", phone: bool = False, timezone: str | None = None
        ) -> tuple[Page, FakeBorough]:
            borough = FakeBorough(SystemClock(), face)
            address = await stack.enter_async_context(serving(borough))
            size = PHONE if phone else (1600, 900)
            context = await browser.new_context(
                viewport={"width": size[0], "height": size[1]},
                has_touch=phone,
                is_mobile=phone,
                timezone_id=timezone,
            )
            stack.push_async_callback(context.close)
            page = await context.new_page()
            page.on("pageerror", lambda error: raised.append(str(error)))
            page.on(
                "console",
                lambda said: raised.append(said.text) if "Content Security Policy" in said.text else None,
            )
            await page.add_init_script(path=PEER)
            await page.goto(address + path)
            return page, borough

        yield open_
        assert raised == [], raised
