"""What a camera host is told over its socket of the ends of views, and what it tells of those that nobody heard."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.fleet import rpc
from gateway.fleet.hosts import HostClient, HostError
from kernel.clock import NS_PER_S, SystemClock
from kernel.ids import StreamName
from tests.fakes.onecamera import one_camera
from tests.fakes.waiting import until
from tests.integration.test_worker_host import Site, site_of
from tests.unit.live.test_offer import CHROMIUM

pytestmark = pytest.mark.timeout(60)
CLOCK = SystemClock()
HOUR_NS = 3600 * NS_PER_S


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Give a host whose camera is live."""
    async with one_camera(CLOCK) as device, site_of(tmp_path, device) as site:
        await site.client.assign(site.assignment(recording=False))
        await until(lambda: site.state(lambda s: s.main.frames > 0), what="pictures")
        yield site


async def watch(site: Site, *, outside: bool = False, until_ns: int | None = None) -> str:
    """Open a view and return its session."""
    offer = CHROMIUM.encode()
    answer = await site.client.live_offer(
        site.id, StreamName.MAIN, offer, who="pc", address="10.0.0.9", outside=outside, until_ns=until_ns
    )
    return answer.session


async def test_the_end_and_the_side_come_with_the_offer(site: Site) -> None:
    """Both reach the view, and the end is told back."""
    until_ns = CLOCK.wall_ns() + HOUR_NS
    await watch(site, outside=True, until_ns=until_ns)
    (viewer,) = await site.client.viewers()
    (view,) = site.host.hub._views.values()
    assert (viewer.until_ns, view.viewer.until_ns, view.viewer.outside) == (until_ns, until_ns, True)


async def test_an_end_that_is_no_instant_is_refused(site: Site) -> None:
    """It does not become a view without end."""
    params = {"who": "pc", "until_ns": "soon"}
    path = f"/cameras/{site.id}/live/main"
    with pytest.raises(HostError) as error:
        await site.client.wire.ask(
            "POST", path, content=CHROMIUM.encode(), media_type=rpc.SDP_MEDIA_TYPE, params=params
        )
    assert (error.value.status, site.host.hub.viewers()) == (400, [])


async def test_ends_are_changed_by_one_call(site: Site) -> None:
    """A later one is kept, one that is past ends the view."""
    kept, over = [await watch(site, until_ns=CLOCK.wall_ns() + HOUR_NS) for _ in range(2)]
    later_ns = CLOCK.wall_ns() + 2 * HOUR_NS
    await site.client.limit_viewers({kept: later_ns, over: CLOCK.wall_ns(), "gone": None})
    await until(lambda: len(site.host.hub.viewers()) == 1, what="the end of the view")
    (viewer,) = await site.client.viewers()
    assert (viewer.session, viewer.until_ns) == (kept, later_ns)


async def test_a_question_who_watches_is_a_gateways_word(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It renews the lease; a command that asks how a host fares, or whose it is, does not."""
    heard: list[str] = []
    monkeypatch.setattr(site.host.hub.endings, "heard", lambda: heard.append("heard"))
    await site.client.health()
    await site.client.version()
    assert heard == []
    await site.client.viewers()
    assert heard == ["heard"]


async def test_an_end_that_nobody_heard_is_told_to_the_next_who_listens(tmp_path: Path) -> None:
    """With its time and reason; while somebody listens the view is simply gone."""
    async with one_camera(CLOCK) as device, site_of(tmp_path, device) as site:
        await site.client.assign(site.assignment(recording=False))
        await until(lambda: site.state(lambda s: s.main.frames > 0), what="pictures")
        heard, unheard = await watch(site), await watch(site)
        await site.client.limit_viewers({heard: CLOCK.wall_ns()})
        await until(lambda: len(site.host.hub.viewers()) == 1, what="the end of the first")
        listeners = site.host.broadcast._listeners
        (listener,) = listeners
        listeners.clear()
        await site.client.limit_viewers({unheard: CLOCK.wall_ns()})
        await until(lambda: not site.host.hub.viewers(), what="the end of the other")
        listeners.add(listener)
        async with asyncio.timeout(20), HostClient(site.client.socket) as another, aclosing(another.states()) as lines:
            went = await anext(line async for line in lines if isinstance(line, rpc.ViewerWent))
        assert (went.viewer.session, went.reason) == (unheard, "its time is over")
        assert not [line for line in site.lines if isinstance(line, rpc.ViewerWent)]
