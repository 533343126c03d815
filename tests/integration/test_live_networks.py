"""The console's player on networks that change under it: from one to another, to none, and back."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page, Route

from config.live import LiveSettings
from tests.fakes.browser import chromium
from tests.fakes.live_page import only
from tests.fakes.udp_relay import UdpRelay
from tests.fakes.waiting import until, until_page
from tests.fakes.whep_desk import WhepDesk, whep_desk

LIVE = LiveSettings(loopback=True, port=0, addresses=("127.0.0.1",), tcp=False)
RECOVERED_MS = 3000
SAID_MS = 3000
GONE_S = 600.0

pytestmark = pytest.mark.timeout(120)


@dataclass
class Traveller:
    """A tile that plays through ``here``; ``there`` is the other network."""

    desk: WhepDesk
    page: Page
    here: UdpRelay
    there: UdpRelay

    @property
    def session(self) -> str:
        """Return the one session that the host knows."""
        (viewer,) = self.desk.hub.viewers()
        return viewer.session

    def move(self) -> None:
        """Go from the one network to the other: nothing comes or goes by the first any more."""
        self.desk.lead_through(self.there.address)
        self.here.cut(GONE_S)

    async def plays(self, more: int = 20) -> None:
        """Wait until so many pictures more are on the glass."""
        goal = len(await self.page.evaluate("shown")) + more
        await until_page(self.page, f"shown.length >= {goal}", what="pictures on the glass")

    async def longest_ms(self) -> float:
        """Return how long a picture stood at the longest."""
        times = await self.page.evaluate("shown")
        return float(max(after - before for before, after in itertools.pairwise(times)))


@asynccontextmanager
async def travelling(path: Path) -> AsyncIterator[Traveller]:
    """Give a tile that plays."""
    async with chromium() as browser, whep_desk(path, LIVE) as desk:
        host = ("127.0.0.1", desk.hub.port.number)
        with UdpRelay(host) as here, UdpRelay(host) as there:
            desk.lead_through(here.address)
            page = await desk.page(browser)
            await page.evaluate("(camera) => look(camera)", desk.camera)
            await until_page(page, "picture.video !== null", what="the first picture")
            await page.evaluate("note()")
            traveller = Traveller(desk, page, here, there)
            await traveller.plays()
            yield traveller
            await page.evaluate("picture.end()")
        await until(lambda: not desk.hub.viewers(), what="the end of the view")


async def test_from_one_network_to_another_the_picture_goes_on(tmp_path: Path) -> None:
    """No word but silence: the player restarts ICE by itself, and within 3 s the same session shows pictures again."""
    async with travelling(tmp_path) as traveller:
        session = traveller.session
        traveller.move()
        await traveller.plays(50)
        assert traveller.session == session
        assert traveller.there.viewers > 0
        assert await traveller.longest_ms() < RECOVERED_MS
        assert await traveller.page.evaluate("made.length") == 1


async def test_a_network_that_says_so_is_believed(tmp_path: Path) -> None:
    """When the browser says it is online again ICE is restarted at once, though pictures still come; none stands."""
    async with travelling(tmp_path) as traveller:
        session = traveller.session
        traveller.desk.lead_through(traveller.there.address)
        await traveller.page.evaluate("dispatchEvent(new Event('online'))")
        await until(lambda: traveller.there.viewers > 0, what="the new way")
        traveller.here.cut(GONE_S)
        await traveller.plays(50)
        assert traveller.session == session
        assert await traveller.longest_ms() < RECOVERED_MS


async def test_over_tcp_too_the_picture_goes_on(tmp_path: Path) -> None:
    """A viewer that has no UDP restarts ICE over a new connection, and the old one is closed."""
    live = LIVE.model_copy(update={"tcp": True})
    async with chromium() as browser, whep_desk(tmp_path, live) as desk:
        page = await desk.page(browser, before=only(" tcp "))
        await page.evaluate("(path) => view(path)", f"/whep/{desk.camera}/main")
        await until_page(page, "session.progress().then((now) => now.decoded > 10)", what="pictures")
        (before,) = desk.hub.viewers()
        first = desk.hub._session(before.session)._peer._session
        old = first.pairs.best.protocol.path
        await page.evaluate("session.recover()")
        await until(lambda: desk.hub._session(before.session)._peer._session is not first, what="the new way")
        seen = (await page.evaluate("session.progress()"))["decoded"]
        await until_page(page, f"session.progress().then((now) => now.decoded > {seen + 20})", what="pictures")
        assert old.tcp
        await until(old.gone.done, what="the end of the old connection")
        (after,) = desk.hub.viewers()
        await page.evaluate("session.close()")
        await until(lambda: not desk.hub.viewers(), what="the end of the view")
    assert after.session == before.session


async def test_a_lost_request_is_made_again(tmp_path: Path) -> None:
    """Where the first restart does not reach the server, the next one does, in the same session."""
    async with travelling(tmp_path) as traveller:
        session = traveller.session
        lost: list[Route] = []

        async def lose(route: Route) -> None:
            if route.request.method == "PATCH" and not lost:
                lost.append(route)
                await route.abort()
            else:
                await route.continue_()

        await traveller.page.route("**/whep/**", lose)
        traveller.move()
        await traveller.plays(50)
        assert lost
        assert traveller.session == session


async def test_where_the_server_will_not_a_new_session_shows_the_picture(tmp_path: Path) -> None:
    """A refused restart costs the session, not the picture."""
    async with travelling(tmp_path) as traveller:
        session = traveller.session

        async def refuse(route: Route) -> None:
            if route.request.method == "PATCH" and "If-Match".lower() in route.request.headers:
                await route.fulfill(status=422, content_type="application/problem+json", body="{}")
            else:
                await route.continue_()

        await traveller.page.route("**/whep/**", refuse)
        traveller.move()
        await until_page(traveller.page, "made.length > 1 && picture.video?.currentTime > 0.5", what="a new view")
        await until(lambda: session not in {one.session for one in traveller.desk.hub.viewers()}, what="the old end")


async def test_a_picture_that_stands_is_said_to_stand_while_the_line_is_good(tmp_path: Path) -> None:
    """The camera stops, ICE stays connected: within 3 s the tile says that the picture stands still."""
    async with travelling(tmp_path) as traveller:
        traveller.desk.street.held = True
        await until_page(traveller.page, "reports.at(-1).verdict.state === 'still'", what="the word for it")
        assert await traveller.page.evaluate("peer.connectionState") == "connected"
        said = "reports.find((one) => one.at > shown.at(-1) && one.verdict.state === 'still').at - shown.at(-1)"
        assert await traveller.page.evaluate(said) < SAID_MS
        assert await traveller.page.evaluate("made.length") == 1
