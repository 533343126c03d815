"""The partner's page in Debian's Chromium before a real gateway with real views, at a desk's size and at a phone's."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, WebSocketRoute, expect

from tests.e2e.conftest import seen
from tests.fakes.outside import Officer, officer, share
from tests.fakes.waiting import told, until
from tests.fakes.watching import Room, watched_room

pytestmark = pytest.mark.timeout(120)

LIVE = re.compile("^live$")


@dataclass(frozen=True, slots=True)
class Stage:
    """A room with three cameras, and an officer who is signed in at the partner's page."""

    room: Room
    pc: Officer
    page: Page
    phone: bool

    @property
    def camera(self) -> str:
        """Return the first camera."""
        return self.room.cameras[0]

    async def share(self, *cameras: str, **facts: Any) -> str:
        """Share cameras, the first one without any."""
        facts = {"stream": "main", "title": "Assault in High Street", "reference": "TVP 4381", **facts}
        return await share(self.room.desk, self.pc, *(cameras or (self.camera,)), **facts)

    async def shared(self, *cameras: str, **facts: Any) -> str:
        """Share cameras and see the first one live."""
        identity = await self.share(*cameras, **facts)
        await self.live(*cameras[:1])
        return identity

    async def live(self, camera: str = "") -> None:
        """Expect a live picture."""
        await expect(self.tile(camera)).to_have_attribute("data-state", "live")

    def tile(self, camera: str = "") -> Any:
        """Return a camera's picture."""
        return self.page.locator(f'article[data-camera-id="{camera or self.camera}"]')

    async def panel(self) -> None:
        """Have the notes in sight."""
        if not self.phone:
            await self.page.locator("#panel").click()
        await expect(self.page.locator("watch-dock")).to_be_visible()

    async def ask(self, method: str, path: str, **facts: Any) -> Any:
        """Let the room do something."""
        answer = await self.room.desk.admin.request(method, f"/api/v1{path}", **facts)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@pytest_asyncio.fixture(loop_scope="session", params=["desk", "phone"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """Give it, with the page of either size open and nothing shared."""
    async with watched_room(tmp_path, cameras=2) as room:
        pc = await officer(room.desk)
        page = await room.page(phone=request.param == "phone", who=pc)
        await expect(page.get_by_role("heading", name="Nothing is shared with you now")).to_be_visible()
        yield Stage(room, pc, page, request.param == "phone")


async def test_a_share_begins_without_a_reload(stage: Stage) -> None:
    """Picture, camera, reference and the time that is left come by themselves; so does the warning of the end."""
    identity = await stage.shared()
    strip = stage.page.locator(".strip")
    await expect(strip).to_contain_text("Assault in High Street")
    await expect(strip).to_contain_text(re.compile(r"until \d\d:\d\d\s+59:\d\d"))
    await expect(stage.tile()).to_contain_text("High Street at the bank")
    await stage.ask("PATCH", f"/shares/{identity}", json={"minutes": 4})
    await expect(strip.locator("[data-soon=true]")).to_contain_text(re.compile(r"ends soon \d\d:\d\d\s+3:\d\d"))


async def test_who_looks_is_drawn_over_the_picture(stage: Stage) -> None:
    """Name, force, time and share; taken out it is back, and written over it is as it was."""
    await stage.shared()
    mark = stage.tile().locator(".picture > .mark")
    said = re.compile(r"PC\.1234 · Thames Valley Police.*\d\d:\d\d:\d\d · TVP 4381")
    await expect(mark).to_have_text(said)
    await mark.evaluate("(node) => node.remove()")
    await expect(mark).to_have_text(said)
    await mark.evaluate("(node) => { node.firstChild.textContent = ''; node.style.display = 'none'; }")
    await expect(mark).to_have_text(said)
    await expect(mark).to_be_visible()


async def test_a_picture_without_its_mark_is_none(stage: Stage) -> None:
    """A style sheet that hides who looks takes the picture with it, and words say why."""
    await stage.shared()
    hidden = "(() => { const s = new CSSStyleSheet(); s.replaceSync('.mark { opacity: 0 !important }'); "
    await stage.page.evaluate(hidden + "document.adoptedStyleSheets = [s]; })()")
    await expect(stage.tile()).to_have_attribute("data-state", "tampered")
    await expect(stage.tile().locator("video")).to_have_count(0)
    await expect(stage.tile()).to_contain_text("Your name must stand over the picture.")


async def test_nothing_offers_to_keep_the_picture(stage: Stage) -> None:
    """The video has no controls, no picture in picture, no other screen, and no menu of the browser's."""
    await stage.shared()
    facts = await stage.tile().evaluate(
        "(tile) => { const v = tile.querySelector('video'); const menu = new MouseEvent('contextmenu', "
        "{bubbles: true, cancelable: true}); v.dispatchEvent(menu); "
        "return [v.controls, v.disablePictureInPicture, v.disableRemotePlayback, menu.defaultPrevented]; }"
    )
    assert facts == [False, True, True, True]


async def test_an_end_takes_the_picture_and_says_whose_it_was(stage: Stage) -> None:
    """Who ended it is said; no picture, no camera and no note of it stays; reload and going back bring nothing back."""
    identity = await stage.shared()
    await stage.ask("DELETE", f"/shares/{identity}")
    said = stage.page.get_by_text("The control room (Root) ended “Assault in High Street”")
    await expect(said.first).to_be_visible()
    await expect(stage.page.locator("video")).to_have_count(0)
    await expect(stage.page.locator("body")).not_to_contain_text("TVP 4381")
    await stage.page.reload()
    await expect(stage.page.get_by_role("heading", name="Nothing is shared")).to_be_visible()
    await stage.page.goto("about:blank")
    await stage.page.go_back()
    await expect(stage.page.get_by_role("heading", name="Nothing is shared")).to_be_visible()
    await expect(stage.page.locator("video")).to_have_count(0)
    assert stage.room.hub.viewers() == []


async def test_a_share_that_follows_changes_the_picture(stage: Stage) -> None:
    """What the operator selects is what is seen, without a hand; nothing selected is said."""
    identity = await stage.share(stage.camera, follow=True)
    await stage.live()
    await stage.page.evaluate("window.__sameDocument = true")
    other = stage.room.cameras[1]
    await stage.ask("PUT", f"/shares/{identity}/selected", json={"camera": other})
    await stage.live(other)
    await expect(stage.tile()).to_have_count(0)
    await stage.ask("PUT", f"/shares/{identity}/selected", json={"camera": None})
    await expect(stage.page.get_by_role("heading", name="shows nothing at the moment")).to_be_visible()
    assert await stage.page.evaluate("window.__sameDocument")


async def test_notes_go_both_ways(stage: Stage) -> None:
    """The room's note is read here and ours there; one that nobody looked at is counted at its button."""
    identity = await stage.shared()
    await stage.ask("POST", f"/shares/{identity}/notes", json={"text": "Blue jacket, towards the bank"})
    if not stage.phone:
        await expect(stage.page.locator("#panel")).to_contain_text("1 new")
        await expect(stage.page.get_by_role("status").first).to_contain_text(
            "The control room (Root): “Blue jacket, towards the bank”"
        )
    await stage.panel()
    await expect(stage.page.get_by_role("log")).to_contain_text("The control room (Root)")
    await expect(stage.page.get_by_role("log")).to_contain_text("Blue jacket, towards the bank")
    field = stage.page.get_by_label("Note to the control room")
    await field.fill("A unit is two minutes away")
    await field.press("Enter")
    await expect(stage.page.get_by_role("log")).to_contain_text("A unit is two minutes away")
    await expect(field).to_have_value("")
    notes = await stage.ask("GET", f"/shares/{identity}/notes")
    assert [(note["outside"], note["text"]) for note in notes] == [
        (False, "Blue jacket, towards the bank"),
        (True, "A unit is two minutes away"),
    ]


async def test_a_note_that_was_written_while_the_line_was_away_is_read_once_it_is_back(stage: Stage) -> None:
    """Nothing tells it to a page without a line: it asks once more for what was written, and says so as of any note."""
    identity = await stage.shared()
    cut, lines = asyncio.Event(), list[WebSocketRoute]()

    async def line(route: WebSocketRoute) -> None:
        if cut.is_set():
            await route.close()
            return
        route.connect_to_server()
        lines.append(route)

    await stage.page.route_web_socket(re.compile(r"/shares/events$"), line)
    await stage.page.reload()
    await stage.live()
    await stage.ask("POST", f"/shares/{identity}/notes", json={"text": "Blue jacket"})
    await stage.panel()
    await expect(stage.page.get_by_role("log")).to_contain_text("Blue jacket")
    if not stage.phone:
        await stage.page.locator("#panel").click()
    cut.set()
    await lines[-1].close()
    await expect(stage.page.get_by_text("No word from the control room")).to_be_visible()
    await stage.ask("POST", f"/shares/{identity}/notes", json={"text": "He has a knife"})
    cut.clear()
    if not stage.phone:
        await expect(stage.page.locator("#panel")).to_contain_text("1 new")
        await stage.panel()
    await expect(stage.page.get_by_role("log")).to_contain_text("He has a knife")


async def test_the_stick_is_asked_for_lent_used_and_taken_back(stage: Stage) -> None:
    """Asked with a note, waited for, lent until a time, steered by the pad, gone at once and in words."""
    identity = await stage.shared(may_ask_for_stick=True)
    await stage.panel()
    await stage.page.get_by_role("button", name="Ask for the stick of camera 1").click()
    await stage.page.get_by_label("What for?").fill("Follow the blue car")
    await stage.page.get_by_role("button", name="Ask", exact=True).click()
    await expect(stage.page.get_by_text("You asked for the stick.")).to_be_visible()
    (asked,) = (await stage.ask("GET", f"/shares/{identity}"))["requests"]
    assert asked["note"] == "Follow the blue car"
    await stage.ask("POST", f"/shares/{identity}/lend", json={})
    await expect(
        stage.page.get_by_role("region", name="The stick").get_by_text(
            re.compile(r"The control room \(Root\) lends you the stick until \d\d:\d\d")
        )
    ).to_be_visible()
    # Seconds that run down are seen, and not read out each time.
    await expect(stage.page.locator("[data-stick] [role=timer]")).to_have_text(re.compile(r"\d+:\d\d"))
    await expect(stage.page.locator("[role=status] [role=timer]")).to_have_count(0)
    right = stage.page.get_by_role("button", name="Right", exact=True)
    await right.hover()
    await stage.page.mouse.down()
    wishes = stage.room.host.wishes
    await until(lambda: any(wish.t == "move" and wish.pan > 0 for wish in wishes), what="a move")
    await stage.ask("DELETE", f"/shares/{identity}/lend")
    await until(lambda: not stage.room.host.sticks, what="the stick to be let go of")
    await expect(
        stage.page.get_by_text("The control room (Root) took the stick back. The camera has stopped.")
    ).to_be_visible()
    await expect(stage.page.locator(".pad")).to_have_count(0)


async def test_a_wish_for_the_stick_is_withdrawn_or_refused(stage: Stage) -> None:
    """Withdrawn the room sees it no more; refused it is said here."""
    identity = await stage.shared(may_ask_for_stick=True)
    await stage.panel()
    for ends in ("withdrawn", "refused"):
        await stage.page.get_by_role("button", name="Ask for the stick of camera 1").click()
        await stage.page.get_by_role("button", name="Ask", exact=True).click()
        await expect(stage.page.locator("#withdraw")).to_be_visible()
        if ends == "withdrawn":
            await stage.page.locator("#withdraw").click()
            await told(
                lambda: stage.ask("GET", f"/shares/{identity}"), lambda row: not row["requests"], what="no request"
            )
        else:
            await stage.ask("DELETE", f"/shares/{identity}/stick-request")
            await expect(stage.page.get_by_text("does not lend the stick now")).to_be_visible()
        await expect(stage.page.locator("#withdraw")).to_have_count(0)


async def test_a_still_only_by_right(stage: Stage) -> None:
    """Without the right there is no button; with it the picture is saved under camera, time, share and name."""
    identity = await stage.shared()
    await expect(stage.page.locator("#still")).to_have_count(0)
    await stage.ask("PATCH", f"/shares/{identity}", json={"stills": True})
    async with stage.page.expect_download() as saving:
        await stage.page.locator("#still").click()
    saved = await saving.value
    assert re.fullmatch(
        r"camera-1-High-Street_\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ_TVP-4381_pc\.1234\.jpg", saved.suggested_filename
    )
    picture = await stage.page.evaluate(
        """async (bytes) => { const made = await createImageBitmap(new Blob([Uint8Array.from(bytes)]));
        const canvas = new OffscreenCanvas(made.width, made.height), context = canvas.getContext('2d');
        context.drawImage(made, 0, 0); const {data} = context.getImageData(0, 0, made.width, made.height);
        return {width: made.width, bright: data.filter((value, at) => at % 4 === 0 && value > 200).length}; }""",
        list(Path(await saved.path()).read_bytes()),
    )
    # The camera's own picture is one even grey: what is bright is the name that was drawn into it.
    assert picture["width"] == 320
    assert picture["bright"] > 200


async def test_a_picture_that_stands_still_is_said_to(stage: Stage) -> None:
    """Within 3 s of the last frame it is dimmed and called still, though the connection is there; then it goes on."""
    await stage.shared()
    await stage.page.evaluate(
        """() => { const tile = document.querySelector('article.view'), video = tile.querySelector('video');
        const note = (now) => { window.shownAt = now; video.requestVideoFrameCallback(note); };
        video.requestVideoFrameCallback(note);
        new MutationObserver(() => {
          if (tile.dataset.state === 'still') window.saidAfterMs ??= performance.now() - shownAt;
        }).observe(tile, {attributes: true, attributeFilter: ['data-state']}); }"""
    )
    await seen(stage.page, "() => window.shownAt > 0")
    stage.room.streets[0].held = True
    await expect(stage.tile()).to_have_attribute("data-state", "still")
    await expect(stage.tile()).to_contain_text(re.compile(r"This picture stands still: it is at least [\d.]+ s old"))
    assert await stage.page.evaluate("window.saidAfterMs") <= 3000
    dimmed = await stage.tile().locator("video").first.evaluate("(video) => getComputedStyle(video).filter")
    assert "grayscale" in dimmed
    stage.room.streets[0].held = False
    await expect(stage.tile()).not_to_contain_text("stands still")


async def test_the_link_is_tested(stage: Stage) -> None:
    """The page shows the test picture, reports what it decoded, and says that the test passed; so does the room."""
    path = f"/organisations/{stage.pc.organisation}/room-test"
    test = await stage.ask("POST", path, json={"camera": stage.camera})
    await stage.live()
    await expect(
        stage.page.get_by_text(re.compile(r"Link test with the control room: passed \d\d:\d\d"))
    ).to_be_visible()
    (row,) = await stage.ask("GET", f"{path}s")
    assert (row["id"], row["result"], row["seen_by"]) == (test["id"], "passed", "PC.1234")
    assert (row["frames"] >= 25, row["width"], row["height"]) == (True, 320, 180)
    await stage.ask("DELETE", f"/shares/{test['id']}")
    await expect(stage.page.get_by_role("heading", name="Nothing is shared")).to_be_visible()
    await expect(stage.page.get_by_text(re.compile("Link test with the control room: passed"))).to_be_visible()


async def test_a_locked_page_only_shows(stage: Stage) -> None:
    """Locked, the pictures stay and nothing can be done; a proof gives the rest back."""
    await stage.shared(may_ask_for_stick=True, stills=True)
    await expect(stage.page.locator("#still")).to_be_visible()
    answer = await stage.pc.browser.put("/api/v1/session/state", json={"state": "locked"})
    assert answer.is_success, answer.text
    await expect(stage.page.get_by_role("heading", name="Locked")).to_be_visible()
    await expect(stage.page.locator("#still")).to_be_hidden()
    await expect(stage.page.locator(".dock")).to_be_hidden()
    await stage.live()


async def test_several_pictures(stage: Stage) -> None:
    """All are seen; a digit chooses one, and once more it fills the page; nothing is wider than the page."""
    first, second = stage.room.cameras
    await stage.shared(first, second)
    await stage.live(second)
    await stage.page.keyboard.press("2")
    await expect(stage.tile(second)).to_have_attribute("data-selected", "true")
    await stage.page.keyboard.press("2")
    await expect(stage.tile(first)).to_have_count(0)
    await stage.live(second)
    await stage.page.keyboard.press("Enter")
    await expect(stage.tile(first)).to_be_visible()
    await stage.page.keyboard.press("Enter")
    await expect(stage.tile(first)).to_have_count(0)
    await stage.page.keyboard.press("s")
    await expect(stage.page.get_by_text(re.compile(r"Stills of camera \d+ are not allowed"))).to_be_visible()
    await stage.page.keyboard.press("]")
    await stage.live(first)
    await expect(stage.tile(second)).to_have_count(0)
    await stage.page.get_by_role("button", name="4", exact=True).click()
    await expect(stage.tile(second)).to_be_visible()
    wide, sight = await stage.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= sight
