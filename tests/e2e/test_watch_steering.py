"""A lent stick moves a true head: a simulated camera, a real host, and an officer's browser."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from config.cameras import CameraSettings
from drivers.simulator.device import HeadModel, SimulatedDevice
from gateway.app import open_gateway
from gateway.worker import open_host
from kernel.clock import SystemClock
from kernel.head import Axis
from tests.fakes.browser import chromium
from tests.fakes.desk import Desk, settings_in, sign_up
from tests.fakes.host import FakeHost
from tests.fakes.onecamera import MovingEye, one_camera
from tests.fakes.outside import Officer, officer, share
from tests.fakes.waiting import until
from tests.fakes.watching import DESK, LIVE

pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True, slots=True)
class Street:
    """A camera that is shared with an officer who watches it."""

    desk: Desk
    device: SimulatedDevice
    camera: str
    pc: Officer
    page: Page

    @property
    def head(self) -> HeadModel:
        """Return the camera's own head."""
        assert self.device.head is not None
        return self.device.head

    @property
    def moving(self) -> bool:
        """Tell whether it turns now."""
        return self.head.moving(frozenset(Axis))


@pytest_asyncio.fixture(loop_scope="session")
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    """Give it: the gateway has its camera host inside."""
    clock = SystemClock()
    settings = settings_in(tmp_path).model_copy(
        update={"live": LIVE, "cameras": CameraSettings.model_validate({"allow_loopback": True})}
    )
    async with AsyncExitStack() as stack:
        device = await stack.enter_async_context(one_camera(clock, eye=MovingEye()))
        browser = await stack.enter_async_context(chromium())
        gateway = await stack.enter_async_context(open_gateway(settings, clock=clock, open_host=open_host))
        await until(lambda: gateway.fleet.up, what="the host to be linked")
        desk = Desk(gateway, FakeHost(), stack)
        await sign_up(desk)
        desk.admin.timeout = 60
        camera = await desk.enrol(
            address=f"{device.host}:{device.http_port}", username=device.username, password=device.password
        )
        pc = await officer(desk)
        context = await browser.new_context(viewport={"width": DESK[0], "height": DESK[1]})
        stack.push_async_callback(context.close)
        await context.add_cookies(
            [{"name": name, "value": value, "url": desk.url} for name, value in pc.browser.cookies.items()]
        )
        page = await context.new_page()
        await page.goto(f"{desk.url}/watch")
        yield Street(desk, device, camera, pc, page)


async def test_a_lent_stick_moves_the_head_until_it_is_taken_back(street: Street) -> None:
    """Asked for and lent it turns the head by the arrow keys; taken back with the key still down the head stops."""
    identity = await share(street.desk, street.pc, street.camera, may_ask_for_stick=True)
    await expect(street.page.locator("article.view")).to_have_attribute("data-state", "live")
    await street.page.keyboard.press("t")
    await street.page.get_by_label("What for?").fill("Follow the blue car")
    await street.page.keyboard.press("Enter")
    await expect(street.page.get_by_text("You asked for the stick.")).to_be_visible()
    before = street.head.aim().pan_deg
    assert (await street.desk.admin.post(f"/api/v1/shares/{identity}/lend", json={})).is_success
    # Said at once; the tile knows with the next state, and a key that is held repeats only under a hand.
    await expect(street.page.locator("article.view .stick")).to_have_text("your stick")
    await street.page.keyboard.down("ArrowRight")
    await until(lambda: street.moving and street.head.aim().pan_deg > before, what="the head to turn")
    assert (await street.desk.admin.delete(f"/api/v1/shares/{identity}/lend")).is_success
    await until(lambda: not street.moving, what="the head to stop")
    await expect(
        street.page.get_by_text("The control room (Root) took the stick back. The camera has stopped.")
    ).to_be_visible()
    rests = street.head.aim().pan_deg
    # The key is still down, and its hand holds nothing any more.
    await street.page.keyboard.up("ArrowRight")
    await street.page.keyboard.press("ArrowRight")
    assert street.head.aim().pan_deg == rests
