"""Deployments at the console, in Debian's Chromium before a real gateway: a desk's size and a phone's."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from gateway.deployments.geofence import Case, Shock
from gateway.fleet import rpc
from kernel.head import Position
from tests.e2e.deployments_room import CRITERIA, DeploymentsRoom, deployments_room
from tests.fakes.deploying import DOCUMENT, REFERRAL
from tests.fakes.desk import PASSWORD

pytestmark = pytest.mark.timeout(420)
TITLE = REFERRAL["title"]
WORDS = ("title", "problem", "evidence", "alternatives", "purpose", "referred_by", "street")


@pytest_asyncio.fixture(loop_scope="session", params=["desk", "phone"])
async def room(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[DeploymentsRoom]:
    """Give an operator and a supervisor at their consoles, at either size."""
    async with deployments_room(tmp_path, phone=request.param == "phone") as room:
        yield room


@pytest_asyncio.fixture(loop_scope="session")
async def at_desks(tmp_path: Path) -> AsyncIterator[DeploymentsRoom]:
    """Give them at desks."""
    async with deployments_room(tmp_path, phone=False) as room:
        yield room


async def refer(room: DeploymentsRoom) -> None:
    """Refer a problem: what is typed, and a place that is typed too."""
    await room.team.section("refer")
    form = room.team.panel.locator("form#refer")
    for name in WORDS:
        await form.locator(f"[name={name}]").fill(REFERRAL[name])
    await form.get_by_label("Latitude").fill("51.5")
    await form.get_by_label("Longitude").fill("-0.1")
    await form.get_by_role("button", name="Refer it").click()
    await expect(room.team.panel.get_by_role("heading", name=TITLE)).to_be_visible()


async def ready(room: DeploymentsRoom) -> None:
    """Check the criteria and link the documents."""
    for index in range(len(CRITERIA)):
        await room.team.panel.locator(f"#criterion-{index}").fill("See the reports.")
        await (
            room.team.panel.locator(f"[data-criterion='{index}']").get_by_role("button", name="Met", exact=True).click()
        )
        await expect(room.team.panel.locator("#deployment-criteria [data-met=true]")).to_have_count(index + 1)
    for count, kind in enumerate(("dpia", "authority"), 1):
        form = await room.team.unfold("link-document")
        await form.locator("[name=kind]").select_option(kind)
        for name, value in DOCUMENT.items():
            await form.locator(f"[name={name}]").fill(value)
        await form.get_by_role("button", name="Link it").click()
        await expect(room.team.panel.locator("#deployment-documents li")).to_have_count(count)


async def test_a_deployment_lives_from_referral_to_evaluation(room: DeploymentsRoom) -> None:
    """Every step at the console by whoever may take it; the log tells each, with its digest."""
    await refer(room)
    await ready(room)
    await expect(room.team.panel).to_contain_text("a supervisor decides")
    await room.chief.open(TITLE)
    await room.chief.step("decision", "Approve", reason="Serious and lasting.", max_days="20")
    await expect(room.chief.panel.locator("[data-stage=granted]")).to_be_visible()
    await room.team.step("plan", "Plan it", responsible="K. Osei", mount="LP 14", review_days="7")
    await expect(room.team.panel.locator("[data-stage=planned]")).to_be_visible()
    await room.team.send_photo("Sign, put up", 40)
    await room.team.step("signs-up", "They are up", text="On LP 13.")
    await room.team.step("installation", "It is up", bearing="90")
    await expect(room.team.panel).to_contain_text("It records.")
    await expect(room.team.panel.locator("sl-confirmed-here")).to_contain_text("Bearing, 90°")
    await expect(room.team.panel.locator("#deployment-ticks [data-is=true]")).to_have_count(3)
    await room.team.step("review", "Not needed any more", found="No van for two weeks.")
    await expect(room.team.panel).to_contain_text("not needed any more")
    await room.team.step("removal", "It is down", text="Solved.")
    await room.team.send_photo("Place of the sign, taken down", 41)
    await room.team.step("signs-down", "They are down", text="From LP 13.")
    await room.team.step("evaluation", "Put it on file", found="None since.")
    await expect(room.team.panel.locator(".dep-stage")).to_have_text("Evaluated")
    known = await room.known()
    assert (known["stage"], known["responsible"], known["max_days"]) == ("evaluated", "K. Osei", 20)
    log = (await room.deploying.team.get(f"/api/v1/deployments/{known['id']}/log")).json()
    shown = room.team.panel.locator("#deployment-log li")
    await expect(shown).to_have_count(len(log))
    await expect(shown.first).to_contain_text(log[-1]["digest"][:16])


async def test_a_refusal_has_its_reason_and_name(room: DeploymentsRoom) -> None:
    """Whoever referred it sees who refused it and why; nothing more can be done with it but noted."""
    await refer(room)
    await room.chief.open(TITLE)
    await room.chief.step("decision", "Refuse", reason="Lighting will do.")
    await expect(room.team.panel.locator(".dep-stage")).to_have_text("Refused")
    await expect(room.team.panel.locator(".dep-facts")).to_contain_text("Refused by some-supervisor")
    await expect(room.team.panel.locator("#deployment-log")).to_contain_text("Lighting will do.")
    await expect(room.team.panel.locator(".dep-step")).to_have_count(1)


async def test_whoever_referred_it_is_told_that_another_decides(at_desks: DeploymentsRoom) -> None:
    """A supervisor who referred a problem is shown no form to decide on it."""
    title = "Moped thefts"
    answer = await at_desks.deploying.chief.post("/api/v1/deployments", json={**REFERRAL, "title": title})
    assert answer.status_code == 201
    await at_desks.chief.open(title)
    await expect(at_desks.chief.panel).to_contain_text("somebody else must decide")
    await expect(at_desks.chief.panel.locator("form#decision")).to_have_count(0)


async def test_a_referral_is_sent_once_though_its_answer_is_lost(at_desks: DeploymentsRoom) -> None:
    """The line breaks after it arrived, and the page is loaded anew: the words are there, and sent again it is one."""
    page = at_desks.team.page
    broken = False

    async def lose(route: object) -> None:
        nonlocal broken
        if broken:
            await route.continue_()  # type: ignore[attr-defined]
            return
        broken = True
        await route.fetch()  # type: ignore[attr-defined]
        await route.abort()  # type: ignore[attr-defined]

    await page.route(lambda url: url.endswith("/api/v1/deployments"), lose)
    await at_desks.team.section("refer")
    form = at_desks.team.panel.locator("form#refer")
    for name in WORDS:
        await form.locator(f"[name={name}]").fill(REFERRAL[name])
    await form.get_by_label("Latitude").fill("51.5")
    await form.get_by_label("Longitude").fill("-0.1")
    await form.get_by_role("button", name="Refer it").click()
    await expect(form.get_by_role("alert")).to_contain_text("does not answer")
    await page.reload()
    await at_desks.team.tab("deployments")
    await at_desks.team.section("refer")
    await expect(form.locator("[name=problem]")).to_have_value(REFERRAL["problem"])
    await form.get_by_role("button", name="Refer it").click()
    await expect(at_desks.team.panel.get_by_role("heading", name=TITLE)).to_be_visible()
    assert len((await at_desks.deploying.team.get("/api/v1/deployments")).json()) == 1


async def test_a_refusal_after_a_lost_approval_is_not_said_to_be_signed(at_desks: DeploymentsRoom) -> None:
    """The line breaks after "Approve" arrived; "Refuse", by the same form, is told that it stands approved."""
    await at_desks.deploying.ready()
    await at_desks.chief.open(TITLE)
    page, told = at_desks.chief.page, list[int]()

    async def lose(route: Route) -> None:
        if route.request.method == "GET":
            await route.abort()  # the page knows no better than its form
            return
        answer = await route.fetch()
        told.append(answer.status)
        await (route.abort() if len(told) == 1 else route.fulfill(response=answer))

    form = await at_desks.chief.fill("decision", reason="Serious and lasting.")
    await page.route(lambda url: "/api/v1/deployments" in url, lose)
    await form.get_by_role("button", name="Approve").click()
    await expect(form.get_by_role("alert")).to_contain_text("does not answer")
    await form.get_by_role("button", name="Refuse").click()
    await expect(form.get_by_role("alert")).to_contain_text("granted cannot be refused")
    assert told == [201, 409]
    assert (await at_desks.known())["stage"] == "granted"


async def test_a_referral_is_not_shown_to_who_comes_next(at_desks: DeploymentsRoom) -> None:
    """Half typed, and the desk goes to somebody else: they see an empty form, and nothing is left in the browser."""
    page = at_desks.team.page
    await at_desks.team.section("refer")
    await at_desks.team.panel.locator("form#refer [name=problem]").fill(REFERRAL["problem"])
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_label("User name").fill("some-supervisor")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await at_desks.team.tab("deployments")
    await at_desks.team.section("refer")
    await expect(at_desks.team.panel.locator("form#refer [name=problem]")).to_have_value("")
    assert await page.evaluate("Object.values(sessionStorage).join()") == ""


async def test_what_the_gateway_refuses_is_said_at_the_field(at_desks: DeploymentsRoom) -> None:
    """A unit put up far from where it was approved: the place is marked, and the words are the gateway's."""
    await at_desks.deploying.planned()
    await at_desks.team.open(TITLE)
    form = await at_desks.team.fill("installation", latitude="51.6")
    await form.get_by_role("button", name="It is up").click()
    await expect(form.get_by_role("alert")).to_contain_text("from the place that was granted")
    await expect(form.locator("[name=place]")).to_have_attribute("aria-invalid", "true")


async def test_what_is_overdue_stands_out(room: DeploymentsRoom) -> None:
    """A review that is late is first in the list of what is due, said in words, and counted on the tab."""
    await room.deploying.deployed()
    await room.past("review_ns")
    await room.anew()
    first = room.team.panel.locator("#deployments-due li").first
    await expect(first).to_have_attribute("data-level", "overdue")
    await expect(first).to_contain_text("Review overdue")
    await expect(room.team.page.locator("#tab-deployments .badge")).to_be_visible()
    await room.team.open(TITLE)
    await expect(room.team.panel).to_contain_text("Its review is overdue")
    await room.team.step("review", "Still needed", found="Still tipped.")
    await expect(room.team.panel).to_contain_text("Stands until")


async def test_an_alarm_stays_with_its_picture_until_somebody_sees_to_it(room: DeploymentsRoom) -> None:
    """It comes above the pictures at every console, over a reload too; acknowledged at one it goes from all."""
    await room.deploying.deployed()
    await room.anew()
    await room.raised(Case(open=True), shade=60)
    for console in (room.team, room.chief):
        notice = console.page.locator(".dep-alarm")
        await expect(notice).to_contain_text("Unit D017 was opened")
        await expect(notice).to_contain_text("Camera 17 goes on recording.")
        await expect(console.page.locator("#unit-alarms")).to_have_attribute("data-count", "1")
        picture = notice.locator("img")
        await expect(picture).to_be_visible()
        assert await picture.evaluate("async image => { await image.decode(); return image.naturalWidth }") == 64
    await room.team.page.reload()
    await room.team.page.locator(".dep-alarm").get_by_role("button", name="I see to it").click()
    for console in (room.team, room.chief):
        await expect(console.page.locator(".dep-alarm")).to_have_count(0)
        await expect(console.page.locator("#unit-alarms")).to_have_count(0)
    await room.team.tab("deployments")
    await expect(room.team.panel.locator("#deployments-due li").first).to_contain_text("Alarm, acknowledged.")
    (entry,) = await room.desk.audit("deployment.acknowledged")
    assert entry.actor == "some-operator"


async def test_a_knock_after_somebody_looked_is_there_again(at_desks: DeploymentsRoom) -> None:
    """Each is acknowledged for itself: what happens later comes above the pictures anew."""
    await at_desks.deploying.deployed()
    await at_desks.anew()
    await at_desks.raised(Shock(peak_g=6.0), shade=61)
    notice = at_desks.team.page.locator(".dep-alarm")
    await notice.get_by_role("button", name="I see to it").click()
    await expect(notice).to_have_count(0)
    await at_desks.raised(Case(open=True), shade=62)
    await expect(notice).to_contain_text("was opened")


async def test_a_deployed_unit_is_drawn_with_its_fence_and_a_planned_place(at_desks: DeploymentsRoom) -> None:
    """Units are square on the map, with the ring in which they are to stay; where one is to go is drawn as well."""
    await at_desks.deploying.deployed()
    await at_desks.deploying.planned(title="The next place", place={"latitude": 51.501, "longitude": -0.1})
    await at_desks.anew()
    page = at_desks.team.page
    await expect(page.locator(".camera-mark[data-camera='17']")).to_have_attribute("data-deployable", "true")
    await expect(page.locator("path.fence-valid")).to_have_count(1)
    await expect(page.locator(".unit-planned")).to_have_text("D017")
    await at_desks.raised(Case(open=True), shade=63)
    await expect(page.locator("path.fence-alarm")).to_have_count(1)


async def test_recordings_are_found_where_their_camera_stood_then(at_desks: DeploymentsRoom) -> None:
    """A rectangle is dragged on the map around a place that the unit has left; its stay there is found."""
    deploying = at_desks.deploying
    await deploying.deployed()
    await deploying.step("removal", text="Solved.")
    await deploying.deployed(place={"latitude": 51.503, "longitude": -0.1})
    await at_desks.anew()
    page = at_desks.team.page
    mark = page.locator(".camera-mark[data-camera='17']")
    await expect(mark).to_be_visible()
    await at_desks.team.tab("find")
    await page.get_by_text("Recordings by place and time").click()
    box = await page.locator("#map").bounding_box()
    assert box is not None
    await page.evaluate(
        "import('/static/app/map-view.js').then(({mapView}) => mapView.show([[51.4995, -0.1005], [51.5005, -0.0995]]))"
    )
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.move(middle[0] - 40, middle[1] - 40)
    await page.mouse.down()
    await page.mouse.move(middle[0] + 40, middle[1] + 40, steps=6)
    await page.mouse.up()
    await expect(page.locator("#footage-form")).to_contain_text("The area is on the map.")
    await page.get_by_role("button", name="Find recordings").click()
    found = page.locator("#footage-found li.footage-found")
    await expect(found).to_have_count(1)
    await expect(found).to_contain_text("Stood in Mill Lane")
    await expect(found).to_contain_text("It stands elsewhere now.")


async def test_a_preset_of_another_place_is_not_recalled(at_desks: DeploymentsRoom) -> None:
    """It is said not to be confirmed at this place; stored anew it is."""
    await at_desks.deploying.deployed()
    await at_desks.anew()
    page = at_desks.team.page
    await page.locator(".camera-mark[data-camera='17']").click()
    await at_desks.team.tab("steer")
    preset = page.locator("[data-preset]").first
    await expect(preset).to_contain_text("not confirmed at this place")
    await expect(preset.locator("button.preset")).to_be_disabled()
    await preset.get_by_role("button", name="Store here").click()
    await expect(preset.locator("button.preset")).to_be_enabled()


async def test_the_reference_view_of_a_camera_with_a_head_is_among_what_is_confirmed(room: DeploymentsRoom) -> None:
    """It has one where its head stood; none is asked of a head that does not say where it stands."""
    host, camera = room.desk.host, room.deploying.camera
    mute = rpc.HeadFacts(at_ns=1_790_000_000_000_000_000)
    host.state(host.live(camera))
    await room.deploying.deployed()
    row = room.team.panel.locator("sl-confirmed-here li").filter(has_text="Reference view")
    await room.team.open(TITLE)
    await expect(row).to_have_text("✕ Reference view, where its head stood not confirmed at this place")
    host.state(host.live(camera).model_copy(update={"head": mute}))
    await expect(row).to_contain_text("Reference view: none is held, as its head does not say where it stands")
    host.state(host.live(camera))
    host.seen_at = Position(0.25, -0.5, 0.125)
    answer = await room.deploying.team.put(f"{room.deploying.path}/reference-view")
    assert answer.status_code == 200, answer.text
    await room.team.page.reload()
    await room.team.open(TITLE)
    await expect(row).to_have_text("✓ Reference view, where its head stood")


async def test_who_may_not_deploy_sees_no_panel(at_desks: DeploymentsRoom) -> None:
    """A viewer has no such tab; an alarm of a unit that they see is said to them in words."""
    await at_desks.deploying.deployed()
    await at_desks.desk.person("viewer")
    page = at_desks.team.page
    await page.locator("#sign-out").click()
    await page.get_by_label("User name").fill("some-viewer")
    await page.get_by_label("Password", exact=True).fill("four unrelated words here")
    async with page.expect_websocket(lambda socket: socket.url.endswith("/events")) as opening:
        await page.get_by_role("button", name="Sign in", exact=True).click()
    await (await opening.value).wait_for_event("framereceived")
    await expect(page.locator("#tab-find")).to_be_visible()
    await expect(page.locator("#tab-deployments")).to_have_count(0)
    await at_desks.raised(Case(open=True), shade=64)
    await expect(page.locator(".said-line.alarm")).to_contain_text("Unit D017 was opened")
    await expect(page.locator(".dep-alarm")).to_have_count(0)
