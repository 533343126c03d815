"""Take a picture of every face of the console, at a desk's size and a phone's.

``python -m tests.e2e.screens [--out DIR] [--only SIZE] [NAME …]``

Each face is put up by the fake gateway, so that states a healthy one does not show can be looked at too.
"""

import argparse
import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from playwright.async_api import Browser, async_playwright

from kernel.clock import SystemClock
from tests.e2e import screen_acts as acts
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
LAPTOP = (1366, 768)
PHONE = (390, 844)
PEER = Path(__file__).parents[1] / "fakes" / "console_peer.js"

FACES: dict[str, tuple[str, acts.Act]] = {
    "setup": ("setup", acts.settled),
    "sign-in": ("signed-out", acts.settled),
    "sign-in-wrong": ("signed-out", acts.wrong),
    "empty": ("empty", acts.settled),
    "forbidden": ("forbidden", acts.settled),
    "failed": ("failed", acts.settled),
    "wall": ("ready", acts.live),
    "wall-1": ("ready", acts.one),
    "wall-9": ("ready", acts.nine),
    "call-up": ("ready", acts.typed),
    "steering": ("ready", acts.steering),
    "stick-taken": ("stick", acts.live),
    "viewer": ("viewer", acts.live),
    "still": ("ready", acts.stopped),
    "faults": ("faults", acts.live),
    "find": ("ready", acts.panel("find")),
    "enrol": ("ready", acts.panel("enrol")),
    "enrol-refused": ("ready", acts.panel("enrol", acts.refused)),
    "enrol-found": ("ready", acts.panel("enrol", acts.probed)),
    "hosts": ("ready", acts.panel("hosts", acts.trending)),
    "hosts-viewers": ("ready", acts.panel("hosts", acts.viewers)),
    "hosts-one": ("one-host", acts.panel("hosts", acts.trending)),
    "hosts-busy": ("hosts-busy", acts.panel("hosts", acts.trending)),
    "hosts-failed": ("hosts-failed", acts.panel("hosts")),
    "hosts-forbidden": ("hosts-forbidden", acts.panel("hosts")),
    "host-down": ("host-down", acts.panel("hosts")),
    "host-down-wall": ("host-down", acts.live),
    "host-version": ("host-version", acts.panel("hosts", acts.scrolled)),
    "health": ("health", acts.panel("health")),
    "health-none": ("health-none", acts.panel("health")),
    "health-failed": ("health-failed", acts.panel("health")),
    "health-deployments": ("health-deployments", acts.panel("health")),
    "health-host": ("health-host", acts.panel("health")),
    "health-put-off": ("health", acts.panel("health", acts.putting_off)),
    "health-broker": ("health-broker", acts.panel("health")),
    "health-reference": ("health", acts.panel("health", acts.reference)),
    "health-camera": ("health", acts.panel("health", acts.called_up(5))),
    "health-trends": ("health", acts.panel("health", acts.trends)),
    "health-days": ("health", acts.panel("health", acts.days)),
    "health-month": ("health", acts.panel("health", acts.month)),
    "health-printed": ("health", acts.panel("health", acts.printed)),
    "units": ("units", acts.panel("units")),
    "units-none": ("units-none", acts.panel("units")),
    "units-failed": ("units-failed", acts.panel("units")),
    "units-operator": ("units-operator", acts.panel("units", acts.unit)),
    "unit": ("units", acts.panel("units", acts.unit)),
    "unit-below": ("units", acts.panel("units", acts.unit_below)),
    "unit-new": ("units", acts.panel("units", acts.unit_new)),
    "unit-new-camera": ("units", acts.panel("units", acts.unit_new_camera)),
    "unit-forget": ("units", acts.panel("units", acts.unit_forget)),
    "unit-labels": ("units", acts.panel("units", acts.unit_labels)),
    "people": ("ready", acts.panel("people")),
    "people-one": ("ready", acts.panel("people", acts.person)),
    "people-groups": ("ready", acts.panel("people", acts.section("groups"))),
    "people-roles": ("ready", acts.panel("people", acts.section("roles"))),
    "people-rights": ("ready", acts.panel("people", acts.section("grants"))),
    "deployments": ("deployments", acts.panel("deployments")),
    "deployments-all": ("deployments", acts.panel("deployments", acts.section("all"))),
    "deployments-refer": ("deployments", acts.panel("deployments", acts.section("refer"))),
    "deployments-units": ("deployments", acts.panel("deployments", acts.section("units"))),
    "deployment-decision": ("deployments", acts.panel("deployments", acts.opened("Moped thefts"))),
    "deployment-criteria": (
        "deployments",
        acts.panel("deployments", acts.opened("Moped thefts", "#deployment-criteria")),
    ),
    "deployment-withdrawn": ("deployments-withdrawn", acts.panel("deployments", acts.withdrawn)),
    "deployment-alarm": ("deployments", acts.panel("deployments", acts.opened("Fly-tipping"))),
    "deployment-photos": ("deployments", acts.panel("deployments", acts.opened("Fly-tipping", ".dep-photos"))),
    "deployment-pictures": (
        "deployments",
        acts.panel("deployments", acts.opened("Fly-tipping", "#deployment-pictures")),
    ),
    "deployment-log": ("deployments", acts.panel("deployments", acts.opened("Fly-tipping", "#deployment-log"))),
    "find-footage": ("ready", acts.panel("find", acts.footage)),
    "account": ("ready", acts.account),
    "audit": ("ready", acts.panel("audit", acts.asked)),
    "keys": ("ready", acts.panel("keys")),
    "steer-panel": ("ready", acts.panel("steer")),
    "export": ("ready", acts.exporting),
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
    parser.add_argument("--only", choices=["desk", "laptop", "phone"])
    given = parser.parse_args()
    sizes = {"desk": [DESK], "laptop": [LAPTOP], "phone": [PHONE]}.get(given.only, [DESK, PHONE])
    asyncio.run(_all(given.out, given.names, sizes))


if __name__ == "__main__":
    main()
