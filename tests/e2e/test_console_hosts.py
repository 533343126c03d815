"""Camera hosts in the console: their panel in every state, and what becomes of the wall when one dies and is back."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.e2e.faces import Open, opening
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(180)


EVEN, ODD = [1, 3, 5], [2, 4, 12]
"""The cameras of the first host and of the second."""


@pytest_asyncio.fixture(loop_scope="session")
async def opened() -> AsyncIterator[Open]:
    """Give a function that opens the console with the gateway in a state; the page must raise nothing."""
    async with opening() as open_:
        yield open_


def _tile(page: Page, number: int) -> str:
    return f"article[data-camera-number='{number}']"


async def _hosts(page: Page) -> None:
    await page.get_by_role("tab", name="Hosts").click()
    await expect(page.get_by_role("heading", name="Camera hosts")).to_be_visible()


async def test_each_host_tells_its_figures(opened: Open) -> None:
    """Cameras, Mbit/s, pictures, CPU, memory, lag, lanes and drops, each with its name."""
    page, _ = await opened()
    await _hosts(page)
    card = page.locator(".host[data-host='0']")
    await expect(card).to_have_attribute("data-standing", "up")
    for words in (
        "3 cameras",
        "3 live",
        "3 recorded",
        "20,412/s",
        "2.1 GB",
        "31 ms",
        "48 MB, fullest 11 %",
        "12 pictures",
    ):
        await expect(card).to_contain_text(words)
    for words in ("Mbit/s", "CPU", "Lag", "0 recordings", "1 of 2", "24 viewers of 200 at most"):
        await expect(card).to_contain_text(words)
    await expect(page.locator(".hosts-total")).to_contain_text("2 hosts, all up")


async def test_trends_grow_while_one_looks(opened: Open) -> None:
    """The hosts are asked for again and again, and each answer lengthens the lines."""
    page, _ = await opened()
    await _hosts(page)
    line = page.locator(".host[data-host='0'] polyline").first
    await expect(line).to_be_attached()
    before = await line.get_attribute("points")
    await expect(line).not_to_have_attribute("points", before or "")


async def test_nobody_asks_when_nobody_looks(opened: Open) -> None:
    """Another panel ends the questions; what was seen is there when one comes back."""
    page, borough = await opened()
    await page.clock.install()
    await _hosts(page)
    await expect(page.locator(".host[data-host='0'] polyline").first).to_be_attached()
    asked = borough.hosts_asked
    await page.clock.run_for(4000)
    await until(lambda: borough.hosts_asked > asked, what="another question")
    await page.get_by_role("tab", name="Keys").click()
    await expect(page.locator("sl-hosts")).to_have_count(0)
    # A question that was on its way then has come before this one.
    await page.evaluate("fetch('/api/v1/cameras').then(() => true)")
    asked = borough.hosts_asked
    await page.clock.run_for(20_000)
    await page.evaluate("fetch('/api/v1/cameras').then(() => true)")
    assert borough.hosts_asked == asked
    await page.get_by_role("tab", name="Hosts").click()
    await expect(page.locator(".host[data-host='0'] polyline").first).to_be_attached()


async def test_what_wants_attention_is_said_in_words(opened: Open) -> None:
    """A busy host says what is scarce; a camera that is not recorded is an alarm, and a click calls it up."""
    page, _ = await opened("hosts-busy")
    await _hosts(page)
    card = page.locator(".host[data-host='0']")
    await expect(card).to_have_attribute("data-level", "alarm")
    await expect(card.locator(".host-concern").first).to_contain_text("1 camera is not being recorded.")
    for words in ("The disks fall behind", "little left", "comes late to its work", "further viewers are refused"):
        await expect(card).to_contain_text(words)
    await card.locator(".host-cameras button").click()
    await expect(page.locator("article[data-selected=true]")).to_have_attribute("data-camera-number", "3")


async def test_who_watches_is_shown_worst_first(opened: Open) -> None:
    """By keyboard: who, from where, what, and what is poor about it."""
    page, _ = await opened()
    await _hosts(page)
    await page.get_by_role("button", name="24 viewers of 200").first.focus()
    await page.keyboard.press("Enter")
    rows = page.locator(".viewers li")
    await expect(rows).to_have_count(6)
    await expect(rows.nth(0)).to_contain_text("PC Okafor")
    await expect(rows.nth(0)).to_contain_text("6.4 % lost")
    await expect(rows.nth(1)).to_contain_text("no connection")
    await expect(rows.nth(4)).to_contain_text("sub, converted")
    await expect(rows.nth(5)).to_contain_text("own system, over RTSPS")
    await expect(rows.nth(5)).not_to_contain_text("lost")
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(0)


async def test_a_host_nobody_watches_through_says_so(opened: Open) -> None:
    """An empty list has its own words."""
    page, _ = await opened()
    await _hosts(page)
    await page.locator(".host[data-host='1'] .viewers-open").click()
    await expect(page.locator(".host[data-host='1']")).to_contain_text("Nobody watches through this host now.")


async def test_a_host_that_is_down_comes_first_with_its_reason_and_cure(opened: Open) -> None:
    """In red, because footage is lost; what to do by hand stands beside it."""
    page, _ = await opened("host-down")
    await _hosts(page)
    first = page.locator(".host").first
    await expect(first).to_have_attribute("data-standing", "down")
    await expect(first).to_have_attribute("data-level", "alarm")
    for words in ("does not answer (ConnectError)", "look at its log", "systemctl restart sightline-host@1"):
        await expect(first).to_contain_text(words)
    await expect(first).to_contain_text("3 cameras are not being recorded.")
    await expect(page.locator(".hosts-total")).to_contain_text("1 of 2 not up")


@pytest.mark.parametrize("face", ["host-version", "host-silent"])
async def test_a_host_that_may_still_record_is_no_alarm(opened: Open, face: str) -> None:
    """Amber: whether footage is lost is not known, neither in the panel nor in the tile."""
    page, _ = await opened(face)
    await expect(page.locator(_tile(page, 2))).to_contain_text("recording not known")
    await expect(page.locator(_tile(page, 2)).locator(".lost")).to_have_count(0)
    await _hosts(page)
    await expect(page.locator(".host").first).to_have_attribute("data-level", "attention")
    await expect(page.locator(".host").first).to_contain_text("Whether its cameras are recorded is not known")


@pytest.mark.parametrize(
    ("face", "words"),
    [("hosts-failed", "Something went wrong inside Sightline."), ("hosts-forbidden", "Your role may not do that.")],
)
async def test_hosts_that_cannot_be_listed_say_why(opened: Open, face: str, words: str) -> None:
    """In the server's words, with a way to try again that works once it is over."""
    page, borough = await opened(face)
    await _hosts(page)
    await expect(page.locator("sl-hosts").get_by_role("alert")).to_contain_text(words)
    borough.face = "ready"
    await page.locator("sl-hosts").get_by_role("button", name="Try again").click()
    await expect(page.locator(".host")).to_have_count(2)


async def test_hosts_are_not_offered_to_who_may_not_see_them(opened: Open) -> None:
    """A viewer has no such panel."""
    page, _ = await opened("viewer")
    await expect(page.locator("article[data-state=live]").first).to_be_visible()
    await expect(page.get_by_role("tab", name="Hosts")).to_have_count(0)


async def test_the_phone_has_room_for_a_host(opened: Open) -> None:
    """At 390 by 844 nothing runs off to the side."""
    page, _ = await opened("host-down", phone=True)
    await _hosts(page)
    await expect(page.locator(".host").first).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    overflow = (
        "[...document.querySelectorAll('sl-hosts *')].filter((each) => each.getBoundingClientRect().right > 390).length"
    )
    assert await page.evaluate(overflow) == 0


async def test_the_tiles_of_a_dead_host_say_so_and_its_neighbours_go_on(opened: Open) -> None:
    """Plain words in its tiles, one line at the top that leads to the hosts; the other host's pictures stay live."""
    page, borough = await opened()
    await expect(page.locator("article[data-state=live]")).to_have_count(6)
    await page.evaluate("numbers => window.__peer.cut(numbers)", ODD)
    borough.down(1)
    for number in ODD:
        tile = page.locator(_tile(page, number))
        await expect(tile).to_have_attribute("data-state", "offline")
        await expect(tile).to_contain_text("Its camera host is being restarted.")
        await expect(tile).to_contain_text("comes back by itself")
        await expect(tile.locator(".rec")).to_have_text("not recording")
    for number in EVEN:
        await expect(page.locator(_tile(page, number))).to_have_attribute("data-state", "live")
    line = page.get_by_role("button", name="A camera host is down: 3 cameras are not being recorded.")
    await line.click()
    await expect(page.get_by_role("heading", name="Camera hosts")).to_be_visible()


async def test_tiles_come_back_by_themselves_with_their_host(opened: Open) -> None:
    """Once the host is back its pictures are live again without a hand; the line at the top is gone."""
    page, borough = await opened()
    await expect(page.locator("article[data-state=live]")).to_have_count(6)
    await page.evaluate("numbers => window.__peer.cut(numbers)", ODD)
    borough.down(1)
    await expect(page.locator("article[data-state=offline]")).to_have_count(3)
    # Long enough for every tile to have given its old session up and to be waiting for a later try.
    await until(lambda: borough.refused_offers >= 6, what="offers to the dead host", timeout_s=40)
    borough.back(1)
    await expect(page.locator("article[data-state=live]")).to_have_count(6)
    await expect(page.locator(".hosts-down")).to_have_count(0)


async def test_a_host_that_is_back_within_moments_is_joined_again_at_once(opened: Open) -> None:
    """A view that went with its host is not given the time of a stall: the new one is asked for before it is let go."""
    page, borough = await opened()
    await expect(page.locator("article[data-state=live]")).to_have_count(6)
    await page.evaluate("numbers => window.__peer.cut(numbers)", ODD)
    borough.down(1)
    await expect(page.locator("article[data-state=offline]")).to_have_count(3)
    borough.views.clear()
    borough.back(1)
    await expect(page.locator("article[data-state=live]")).to_have_count(6)
    odd = [camera["id"] for camera in borough.cameras if camera["number"] in ODD]
    first = {camera: next(method for method, of in borough.views if of == camera) for camera in odd}
    assert first == dict.fromkeys(odd, "POST")


async def test_a_host_that_stays_away_is_not_said_to_be_restarting(opened: Open) -> None:
    """After a while the tile says that it has not come back, and whom to tell."""
    page, borough = await opened()
    await expect(page.locator("article[data-state=live]")).to_have_count(6)
    await page.evaluate("numbers => window.__peer.cut(numbers)", ODD)
    borough.down(1)
    tile = page.locator(_tile(page, 2))
    await expect(tile).to_contain_text("Its camera host is being restarted.")
    await expect(tile).to_contain_text("has not come back yet")
    await expect(tile).to_contain_text("Tell whoever looks after the system")


async def test_a_list_of_cameras_tells_which_are_away_with_their_host(opened: Open) -> None:
    """Not switched off, and not at fault themselves."""
    page, _ = await opened("host-down")
    await page.get_by_role("tab", name="Cameras").click()
    await expect(page.locator(".camera-row[data-camera-number='2']")).to_contain_text("host down")
    await expect(page.locator(".camera-row[data-camera-number='1']")).not_to_contain_text("host down")
