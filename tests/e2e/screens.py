"""Take a picture of every face of the console, at a desk's size and a phone's.

``python -m tests.e2e.screens [--out DIR] [NAME …]``

Each face is put up by the fake gateway, so that states a healthy one does not show can be looked at too.
"""

import argparse
import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from playwright.async_api import Browser, Page, async_playwright

from kernel.clock import SystemClock
from tests.fakes.console_api import application
from tests.fakes.console_state import FakeBorough

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
DESK = (1920, 1080)
PHONE = (390, 844)
PEER = Path(__file__).parents[1] / "fakes" / "console_peer.js"

Act = Callable[[Page], Awaitable[None]]


async def _live(page: Page) -> None:
    await page.wait_for_selector("article[data-state=live]", timeout=10_000)
    await page.wait_for_timeout(1500)


def _panel(name: str, then: Act | None = None) -> Act:
    async def act(page: Page) -> None:
        await _live(page)
        if await page.locator(f"#tab-{name}").is_visible():
            await page.click(f"#tab-{name}")
        else:
            await page.keyboard.press("?")
        await page.wait_for_timeout(400)
        if then is not None:
            await then(page)

    return act


async def _account(page: Page) -> None:
    await _live(page)
    await page.click("#account")
    await page.wait_for_selector("[data-session=here]")


async def _person(page: Page) -> None:
    await page.click("[data-person=bjones]")
    await page.wait_for_selector(".held")


def _section(name: str) -> Act:
    async def act(page: Page) -> None:
        await page.click(f"[data-section={name}]")
        await page.wait_for_timeout(300)

    return act


async def _probed(page: Page) -> None:
    await page.click("#discover")
    await page.wait_for_selector(".discover .camera-row")
    await page.fill("#enrol-address", "10.20.0.13")
    await page.fill("#enrol-username", "admin")
    await page.fill("#enrol-password", "right")
    await page.click(".enrol form .primary")
    await page.wait_for_selector("#enrol-number")


async def _asked(page: Page) -> None:
    await page.fill("#who-saw-number", "1")
    await page.click("#who-saw .primary")
    await page.wait_for_selector("#seen li")
    await page.locator("#seen").scroll_into_view_if_needed()


def _opened(title: str, then: str = "") -> Act:
    async def act(page: Page) -> None:
        await page.locator(f"#deployments-due >> text={title}").first.click()
        await page.wait_for_selector("#deployment-log li")
        if then:
            await page.locator(then).scroll_into_view_if_needed()
        await page.wait_for_timeout(500)

    return act


async def _footage(page: Page) -> None:
    await page.locator("#footage > summary").click()
    await page.locator("#footage-view").click()
    await page.locator("#footage-form .primary").click()
    await page.wait_for_selector("#footage-found li")
    await page.wait_for_timeout(300)


async def _refused(page: Page) -> None:
    await page.click("#discover")
    await page.wait_for_selector(".discover .camera-row")
    await page.fill("#enrol-address", "10.20.0.13")
    await page.fill("#enrol-password", "wrong")
    await page.click(".enrol form .primary")
    await page.wait_for_selector(".said.attention")


async def _typed(page: Page) -> None:
    await _live(page)
    await page.keyboard.press("1")
    await page.keyboard.press("2")


async def _nine(page: Page) -> None:
    await _live(page)
    await page.click("[data-layout='9']")
    await page.wait_for_timeout(2500)


async def _one(page: Page) -> None:
    await _live(page)
    await page.click("[data-layout='1']")
    await page.wait_for_timeout(2500)


async def _steering(page: Page) -> None:
    await _live(page)
    picture = page.locator("article[data-selected=true] .picture")
    box = await picture.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.move(*middle)
    await page.mouse.down()
    await page.mouse.move(middle[0] + 120, middle[1] - 40, steps=4)
    await page.wait_for_timeout(1200)


async def _stopped(page: Page) -> None:
    await _live(page)
    await page.evaluate("window.__peer.stop = true")
    await page.wait_for_timeout(3200)


async def _exporting(page: Page) -> None:
    await _live(page)
    await page.keyboard.press("e")
    track = await page.locator(".track").bounding_box()
    assert track is not None
    await page.mouse.click(track["x"] + track["width"] * 0.6, track["y"] + 20)
    await page.mouse.move(track["x"] + track["width"] * 0.75, track["y"] + 20)
    await page.wait_for_timeout(300)


async def _settled(page: Page) -> None:
    await page.wait_for_timeout(1200)


async def _trending(page: Page) -> None:
    await page.wait_for_selector(".host polyline", state="attached")
    await page.wait_for_timeout(9000)


async def _scrolled(page: Page) -> None:
    await page.locator(".host[data-host='1']").scroll_into_view_if_needed()
    await page.wait_for_timeout(300)


async def _viewers(page: Page) -> None:
    await page.locator(".host[data-host='0'] .viewers-open").click()
    await page.wait_for_selector(".viewers li")
    await page.locator(".viewers").scroll_into_view_if_needed()
    await page.wait_for_timeout(300)


def _called_up(number: int) -> Act:
    async def act(page: Page) -> None:
        await page.keyboard.press("Escape")
        for digit in str(number):
            await page.keyboard.press(digit)
        await page.keyboard.press("Enter")
        await page.click("#health-camera")
        await page.wait_for_selector(".checkup")
        await page.wait_for_timeout(500)

    return act


async def _trends(page: Page) -> None:
    await _called_up(12)(page)
    await page.wait_for_selector("sl-trend polyline", state="attached")
    await page.locator(".unit-trends").scroll_into_view_if_needed()
    await page.wait_for_timeout(300)


async def _putting_off(page: Page) -> None:
    await page.locator(".need-put-off").first.click()
    await page.wait_for_selector(".need-form")


async def _days(page: Page) -> None:
    """Show how a camera's last days went."""
    await page.click('[data-need="5 picture"] .need-check')
    await page.locator(".camera-days summary").click()
    await page.locator(".camera-days h3").evaluate("(heading) => heading.scrollIntoView()")


async def _month(page: Page) -> None:
    await page.click("#health-report")
    await page.wait_for_selector(".availability table")


async def _printed(page: Page) -> None:
    await _month(page)
    await page.emulate_media(media="print")


async def _unit(page: Page) -> None:
    await page.click("[data-unit=D017] .unit-open")
    await page.wait_for_selector("sl-trend svg")


async def _unit_below(page: Page) -> None:
    await _unit(page)
    await page.locator("sl-unit-certificates").scroll_into_view_if_needed()
    await page.wait_for_timeout(300)


async def _unit_new(page: Page) -> None:
    await page.click("#unit-new")
    await page.fill("#new-label", "D034")
    await page.click("sl-unit-new .primary")
    await page.click("#unit-certify")
    await page.wait_for_selector("#unit-bundle")


async def _unit_labels(page: Page) -> None:
    await page.click("#unit-labels")
    await page.check("sl-unit-labels [value=D001]")


async def _wrong(page: Page) -> None:
    await page.fill("#username", "mary")
    await page.fill("#password", "wrong")
    await page.click("button.primary")
    await page.wait_for_selector("#gate-problem")


FACES: dict[str, tuple[str, Act]] = {
    "setup": ("setup", _settled),
    "sign-in": ("signed-out", _settled),
    "sign-in-wrong": ("signed-out", _wrong),
    "empty": ("empty", _settled),
    "forbidden": ("forbidden", _settled),
    "failed": ("failed", _settled),
    "wall": ("ready", _live),
    "wall-1": ("ready", _one),
    "wall-9": ("ready", _nine),
    "call-up": ("ready", _typed),
    "steering": ("ready", _steering),
    "stick-taken": ("stick", _live),
    "viewer": ("viewer", _live),
    "still": ("ready", _stopped),
    "faults": ("faults", _live),
    "find": ("ready", _panel("find")),
    "enrol": ("ready", _panel("enrol")),
    "enrol-refused": ("ready", _panel("enrol", _refused)),
    "enrol-found": ("ready", _panel("enrol", _probed)),
    "hosts": ("ready", _panel("hosts", _trending)),
    "hosts-viewers": ("ready", _panel("hosts", _viewers)),
    "hosts-one": ("one-host", _panel("hosts", _trending)),
    "hosts-busy": ("hosts-busy", _panel("hosts", _trending)),
    "hosts-failed": ("hosts-failed", _panel("hosts")),
    "hosts-forbidden": ("hosts-forbidden", _panel("hosts")),
    "host-down": ("host-down", _panel("hosts")),
    "host-down-wall": ("host-down", _live),
    "host-version": ("host-version", _panel("hosts", _scrolled)),
    "health": ("health", _panel("health")),
    "health-none": ("health-none", _panel("health")),
    "health-failed": ("health-failed", _panel("health")),
    "health-deployments": ("health-deployments", _panel("health")),
    "health-host": ("health-host", _panel("health")),
    "health-put-off": ("health", _panel("health", _putting_off)),
    "health-camera": ("health", _panel("health", _called_up(5))),
    "health-trends": ("health", _panel("health", _trends)),
    "health-days": ("health", _panel("health", _days)),
    "health-month": ("health", _panel("health", _month)),
    "health-printed": ("health", _panel("health", _printed)),
    "units": ("units", _panel("units")),
    "units-none": ("units-none", _panel("units")),
    "units-failed": ("units-failed", _panel("units")),
    "units-operator": ("units-operator", _panel("units", _unit)),
    "unit": ("units", _panel("units", _unit)),
    "unit-below": ("units", _panel("units", _unit_below)),
    "unit-new": ("units", _panel("units", _unit_new)),
    "unit-labels": ("units", _panel("units", _unit_labels)),
    "people": ("ready", _panel("people")),
    "people-one": ("ready", _panel("people", _person)),
    "people-groups": ("ready", _panel("people", _section("groups"))),
    "people-roles": ("ready", _panel("people", _section("roles"))),
    "people-rights": ("ready", _panel("people", _section("grants"))),
    "deployments": ("deployments", _panel("deployments")),
    "deployments-all": ("deployments", _panel("deployments", _section("all"))),
    "deployments-refer": ("deployments", _panel("deployments", _section("refer"))),
    "deployments-units": ("deployments", _panel("deployments", _section("units"))),
    "deployment-decision": ("deployments", _panel("deployments", _opened("Moped thefts"))),
    "deployment-criteria": ("deployments", _panel("deployments", _opened("Moped thefts", "#deployment-criteria"))),
    "deployment-alarm": ("deployments", _panel("deployments", _opened("Fly-tipping"))),
    "deployment-photos": ("deployments", _panel("deployments", _opened("Fly-tipping", ".dep-photos"))),
    "deployment-pictures": ("deployments", _panel("deployments", _opened("Fly-tipping", "#deployment-pictures"))),
    "deployment-log": ("deployments", _panel("deployments", _opened("Fly-tipping", "#deployment-log"))),
    "find-footage": ("ready", _panel("find", _footage)),
    "account": ("ready", _account),
    "audit": ("ready", _panel("audit", _asked)),
    "keys": ("ready", _panel("keys")),
    "steer-panel": ("ready", _panel("steer")),
    "export": ("ready", _exporting),
}


@asynccontextmanager
async def serving(borough: FakeBorough) -> AsyncIterator[str]:
    """Serve the fake gateway on a free port while the context lasts; give its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application(borough), log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    running = asyncio.create_task(server.serve([listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


async def picture(browser: Browser, name: str, size: tuple[int, int], out: Path) -> None:
    """Put one face up and take its picture; say what the page complained of."""
    face, act = FACES[name]
    async with serving(FakeBorough(SystemClock(), face)) as url:
        phone = size == PHONE
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            has_touch=phone,
            is_mobile=phone,
            timezone_id="Europe/London",
        )
        page = await context.new_page()
        page.on("console", lambda said: print(f"{name}: {said.type}: {said.text}") if said.type == "error" else None)  # noqa: T201
        page.on("pageerror", lambda error: print(f"{name}: {error}"))  # noqa: T201
        await page.add_init_script(path=PEER)
        await page.goto(url + ("/#setup=7GQ4-XM2P" if face == "setup" else "/"))
        try:
            await act(page)
        except Exception as error:  # noqa: BLE001 - the picture shows what went wrong
            print(f"{name} at {size[0]}: {error}")  # noqa: T201
        await page.screenshot(path=out / f"{name}-{size[0]}.png")
        await context.close()


async def _all(out: Path, names: list[str], sizes: list[tuple[int, int]]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name in names or FACES:
            for size in sizes:
                await picture(browser, name, size, out)
        await browser.close()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("screenshots"))
    parser.add_argument("names", nargs="*", help=", ".join(FACES))
    parser.add_argument("--only", choices=["desk", "phone"])
    given = parser.parse_args()
    sizes = {"desk": [DESK], "phone": [PHONE]}.get(given.only, [DESK, PHONE])
    asyncio.run(_all(given.out, given.names, sizes))


if __name__ == "__main__":
    main()
