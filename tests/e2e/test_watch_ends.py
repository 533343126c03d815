"""The end of a share at the viewer: how soon the last picture is gone, and what a page does that is told nothing."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, WebSocketRoute, expect

from kernel.clock import NS_PER_MS, SystemClock
from tests.e2e.conftest import seen
from tests.fakes.live_page import only
from tests.fakes.outside import Officer, officer, share
from tests.fakes.watching import Room, watched_room

pytestmark = pytest.mark.timeout(120)

END_MS = 1000
"""From the room's key to the last picture at the viewer, at most (docs/design/sharing.md)."""

# Every picture that is presented, on the wall clock that the test reads too: one machine, one clock.
PRESENTED = """(() => { const real = HTMLVideoElement.prototype.requestVideoFrameCallback; window.presentedMs = [];
HTMLVideoElement.prototype.requestVideoFrameCallback = function (call) {
  const noted = (now, facts) => { presentedMs.push(performance.timeOrigin + now); call(now, facts); };
  return real.call(this, noted); }; })()"""
PEERS = """(() => { const Real = RTCPeerConnection; window.peers = [];
window.RTCPeerConnection = class extends Real { constructor(given) { super(given); peers.push(this); } }; })()"""


@pytest_asyncio.fixture(loop_scope="session")
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Give a room with a camera that plays."""
    async with watched_room(tmp_path) as room:
        yield room


async def watching(room: Room, pc: Officer, *scripts: str, deaf: bool = False) -> Page:
    """Open the page, with more scripts in it; ``deaf`` hears of a share's beginning and of nothing after that."""
    page = await room.page(who=pc, path="/healthz")
    for script in scripts:
        await page.add_init_script(script)
    if deaf:

        def quietly(route: WebSocketRoute) -> None:
            server = route.connect_to_server()

            def pass_on(message: str | bytes) -> None:
                if '"ended"' not in str(message) and '"shares":[]' not in str(message).replace(" ", ""):
                    route.send(message)

            server.on_message(pass_on)

        await page.route_web_socket(re.compile(r"/shares/events$"), quietly)
    await page.goto(f"{room.desk.url}/watch")
    return page


@pytest.mark.parametrize("deaf", [False, True], ids=["told", "deaf"])
async def test_the_last_picture_after_the_key(room: Room, deaf: bool) -> None:  # noqa: FBT001 - a parameter
    """From the call that ends it to the last picture presented at most a second goes by, told of the end or not."""
    pc = await officer(room.desk)
    identity = await share(room.desk, pc, room.cameras[0], stream="main")
    page = await watching(room, pc, PRESENTED, PEERS, deaf=deaf)
    await expect(page.locator("article.view")).to_have_attribute("data-state", "live")
    await seen(page, "() => window.presentedMs.length > 20")
    key_ms = SystemClock().wall_ns() / NS_PER_MS
    assert (await room.desk.admin.delete(f"/api/v1/shares/{identity}")).is_success
    # A page that hears of it shows nothing at once; one that does not asks anew, and is refused.
    await expect(page.locator("video")).to_have_count(0)
    await expect(page.locator("article.view[data-state=live]")).to_have_count(0)
    presented = await page.evaluate("window.presentedMs")
    after_ms = presented[-1] - key_ms
    print(f"last picture {after_ms:.0f} ms after the key, {sum(at > key_ms for at in presented)} of {len(presented)}")  # noqa: T201 - the figure
    assert after_ms <= END_MS
    if not deaf:
        # One that was just being made for a view that is over is closed as soon as it is refused.
        await seen(page, "() => peers.every((peer) => peer.connectionState === 'closed')")


async def test_a_page_that_hears_nothing_finds_out(room: Room) -> None:
    """Told nothing, it asks when its picture is refused; then it has neither picture nor share, and says so."""
    pc = await officer(room.desk)
    identity = await share(room.desk, pc, room.cameras[0], stream="main", title="Match day")
    page = await watching(room, pc, deaf=True)
    await expect(page.locator("article.view")).to_have_attribute("data-state", "live")
    await room.desk.admin.delete(f"/api/v1/shares/{identity}")
    await expect(page.get_by_text("“Match day” is not shared with you any more.").first).to_be_visible()
    await expect(page.locator("article")).to_have_count(0)


async def test_a_network_that_lets_nothing_through(room: Room) -> None:
    """Where no way leads to the host the page says that no picture gets through, what was tried, and whom to ask."""
    pc = await officer(room.desk)
    await share(room.desk, pc, room.cameras[0], stream="main")
    page = await watching(room, pc, only("no candidate at all"))
    await expect(page.locator("article.view")).to_contain_text("No picture gets through.")
    await expect(page.locator("article.view")).to_contain_text("Ask the control room's administrator")
