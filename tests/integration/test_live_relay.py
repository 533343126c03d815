"""Debian's coturn between Chromium and us: the last way to a viewer whose network lets nothing else through."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aioice import stun, turn
from playwright.async_api import Browser

from config.live import LiveSettings
from config.server import ServerSettings
from gateway.api.turn import relay_credential
from gateway.certificate import tls_files
from kernel.clock import NS_PER_S, SystemClock
from tests.fakes.browser import chromium
from tests.fakes.coturn import SECRET, Coturn, coturn
from tests.fakes.waiting import until, until_page
from tests.fakes.whep_desk import whep_desk

UNAUTHORISED = 401
pytestmark = pytest.mark.timeout(120)


@pytest_asyncio.fixture
async def relay(tmp_path: Path) -> AsyncIterator[Coturn]:
    """Give Debian's coturn, set up as docs/turnserver.conf says."""
    folder = tmp_path / "coturn"
    folder.mkdir()
    async with coturn(folder) as relay:
        yield relay


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """Give Debian's Chromium."""
    async with chromium() as browser:
        yield browser


@pytest.mark.parametrize("by", ["udp", "tcp"])
async def test_a_viewer_that_may_only_relay_sees_its_picture(
    relay: Coturn, browser: Browser, tmp_path: Path, by: str
) -> None:
    """With the credentials that our API hands out, over either transport, and by nothing but the relay."""
    live = LiveSettings.model_validate(
        {
            "addresses": ["127.0.0.1"], "port": 0,
            "turn_urls": [relay.udp if by == "udp" else relay.tcp], "turn_secret": SECRET,
        }
    )  # fmt: skip
    async with whep_desk(tmp_path, live) as desk:
        page = await desk.page(browser, policy="relay")
        await page.evaluate("(path) => view(path)", f"/whep/{desk.camera}/main")
        await until_page(page, "session.progress().then((now) => now.decoded > 20)", what="decoded pictures")
        ways = await page.evaluate("ways()")
        (viewer,) = desk.hub.viewers()
        await page.evaluate("session.close()")
        await until(lambda: not desk.hub.viewers(), what="the end of the view")
    assert [(way["local"], way["by"]) for way in ways] == [("relay", by)]
    assert viewer.frames_sent > 20
    assert "session" in relay.log


async def test_where_only_tls_gets_out_a_viewer_sees_its_picture(tmp_path: Path) -> None:
    """The relay answers TLS alone, the host no TCP: the picture comes by TURN over TLS, after an ICE restart too."""
    folder = tmp_path / "coturn"
    folder.mkdir()
    server = ServerSettings(host="127.0.0.1", data_dir=folder)
    files = await asyncio.to_thread(tls_files, server, clock=SystemClock())
    async with (
        coturn(folder, tls=(files.certificate, files.key)) as relay,
        chromium("--ignore-certificate-errors") as browser,
    ):
        live = LiveSettings.model_validate(
            {
                "addresses": ["127.0.0.1"], "port": 0, "tcp": False,
                "turn_urls": [relay.udp, relay.tcp, relay.tls], "turn_secret": SECRET,
            }
        )  # fmt: skip
        async with whep_desk(tmp_path, live) as desk:
            page = await desk.page(browser, policy="relay")
            await page.evaluate("(path) => view(path)", f"/whep/{desk.camera}/main")
            await until_page(page, "session.progress().then((now) => now.decoded > 20)", what="decoded pictures")
            assert [(way["local"], way["by"]) for way in await page.evaluate("ways()")] == [("relay", "tls")]
            (before,) = desk.hub.viewers()
            first = desk.hub._session(before.session)._peer._session
            await page.evaluate("session.recover()")
            await until(lambda: desk.hub._session(before.session)._peer._session is not first, what="the change")
            seen = (await page.evaluate("session.progress()"))["decoded"]
            await until_page(page, f"session.progress().then((now) => now.decoded > {seen + 20})", what="pictures")
            (after,) = desk.hub.viewers()
            await page.evaluate("session.close()")
            await until(lambda: not desk.hub.viewers(), what="the end of the view")
    assert after.session == before.session


async def test_without_its_credentials_nobody_relays(relay: Coturn) -> None:
    """Coturn takes a credential of ours, and refuses one that is over, one of another key, and one that was bent."""
    now_s = SystemClock().wall_ns() // NS_PER_S
    good = relay_credential(SECRET, until_s=now_s + 60, name="viewer")
    later = good[0].replace(str(now_s + 60), str(now_s + 6000)), good[1]
    over = relay_credential(SECRET, until_s=now_s - 1, name="viewer")
    other = relay_credential(SECRET[::-1], until_s=now_s + 60, name="viewer")
    assert await _allocates(relay, *good)
    for refused in (over, other, later, (good[0], "")):
        assert not await _allocates(relay, *refused)


async def test_it_relays_to_nobody_but_us(relay: Coturn) -> None:
    """Whoever may watch a camera reaches no other machine by the relay."""
    username, password = relay_credential(SECRET, until_s=SystemClock().wall_ns() // NS_PER_S + 60, name="viewer")
    transport = await _allocate(relay, username, password)
    client: Any = transport._TurnTransport__inner_protocol  # type: ignore[attr-defined]
    await client.channel_bind(0x4000, ("127.0.0.1", 8189))
    for channel, host in enumerate(("127.0.0.2", "192.0.2.1", "10.0.0.1", "169.254.169.254"), 0x4001):
        with pytest.raises(stun.TransactionFailed) as error:
            await client.channel_bind(channel, (host, 8189))
        assert error.value.response.error_code == 403
    await _close(transport)


async def _allocate(relay: Coturn, username: str, password: str) -> turn.TurnTransport:
    transport, _ = await turn.create_turn_endpoint(
        asyncio.DatagramProtocol,
        server_addr=("127.0.0.1", relay.port),
        username=username,
        password=password,
        transport="tcp",
    )
    return transport


async def _close(transport: turn.TurnTransport) -> None:
    """Give the relay up; aioice does so in a task of its own."""
    before = asyncio.all_tasks()
    transport.close()
    await asyncio.wait(asyncio.all_tasks() - before)


async def _allocates(relay: Coturn, username: str, password: str) -> bool:
    """Return whether the relay gives a TURN client (aioice's) an address."""
    try:
        transport = await _allocate(relay, username, password)
    except stun.TransactionFailed as error:
        return error.response.error_code != UNAUTHORISED
    await _close(transport)
    return True
