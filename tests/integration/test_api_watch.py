"""What the partner's page is told besides what is shared: whose invitation it is, who ended what, that it is locked."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gateway.api.times import iso
from gateway.fleet import rpc
from kernel.clock import NS_PER_S
from kernel.ids import CameraId
from kernel.media import TimeSource
from tests.fakes.descriptions import description
from tests.fakes.desk import PASSWORD, Desk, open_desk, settings_in
from tests.fakes.leaping import LeapingClock
from tests.fakes.outside import heard, invited, officer, organisation, share
from tests.fakes.waiting import until


async def test_a_code_tells_whom_it_enrols(desk: Desk) -> None:
    """Name and organisation, so that they see that it is theirs; telling does not use it up."""
    code = await invited(desk, await organisation(desk))
    browser = await desk.anybody()
    for _ in range(2):
        answer = await browser.post("/api/v1/invitation", json={"code": code.lower()})
        assert answer.status_code == 200
        told = answer.json()
        assert (told["username"], told["name"], told["organisation"]) == ("pc.1234", "PC.1234", "Thames Valley Police")
    used = await browser.post("/api/v1/enrolment", json={"code": code, "password": PASSWORD})
    assert used.status_code == 201
    assert (await browser.post("/api/v1/invitation", json={"code": code})).status_code == 401


async def test_asking_whose_a_code_is_guesses_no_more_than_using_it(tmp_path: Path) -> None:
    """Wrong codes count against the address, whichever route they are tried at."""
    async with open_desk(tmp_path, settings=settings_in(tmp_path, address_attempts=3)) as desk:
        browser = await desk.anybody()
        paths = ("invitation", "enrolment", "invitation", "invitation")
        body = {"code": "AAAA", "password": PASSWORD}
        seen = [
            (await browser.post(f"/api/v1/{path}", json=body if path == "enrolment" else {"code": "AAAA"})).status_code
            for path in paths
        ]
    assert seen == [401, 401, 401, 429]


async def test_an_end_names_who_ended_it(tmp_path: Path) -> None:
    """The operator's name where somebody ended it, nobody's where its time was up."""
    clock = LeapingClock()
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(open_desk(tmp_path, clock=clock))
        camera, pc = await desk.enrol(), await officer(desk)
        outside = await stack.enter_async_context(desk.socket(pc.browser, "/api/v1/shares/events"))
        identity = await share(desk, pc, camera, title="Fire")
        await desk.admin.delete(f"/api/v1/shares/{identity}")
        told = await heard(outside, "ended")
        assert (told["share"], told["title"], told["kind"], told["by"]) == (identity, "Fire", "incident", "Root")
        await share(desk, pc, camera, end=iso(clock.wall_ns() + 300 * NS_PER_S))
        clock.leap(300)
        assert (await heard(outside, "ended"))["by"] is None


async def test_a_share_without_a_title_is_called_after_what_it_shows(desk: Desk) -> None:
    """The cameras as they are by then, what is selected, or the reason that somebody typed; never the force itself."""
    high = await desk.enrol(number=12, name="High Street")
    desk.host.found = description("urn:uuid:2")
    mill = await desk.enrol(number=13, name="Mill Lane", address="192.0.2.2")
    pc = await officer(desk)

    async def titles() -> list[str]:
        return [one["title"] for one in (await pc.browser.get("/api/v1/shares/mine")).json()["shares"]]

    async with desk.socket(pc.browser, "/api/v1/shares/events") as outside:
        quick = {"camera": high, "organisation": pc.organisation}
        made = (await desk.admin.post("/api/v1/shares/quick", json=quick)).json()
        assert made["title"] == (await heard(outside, "began"))["title"] == "Camera 12, High Street"
    both = {"cameras": [high, mill]}
    assert (await desk.admin.patch(f"/api/v1/shares/{made['id']}", json=both)).status_code == 200
    assert await titles() == ["Camera 12, High Street, and 1 more"]
    await desk.admin.delete(f"/api/v1/shares/{made['id']}")
    await share(desk, pc, high, follow=True)
    await share(desk, pc, high, reason="Knife reported")
    assert sorted(await titles()) == ["Knife reported", "What the control room selects"]


@pytest.mark.parametrize(
    ("source", "off_s", "timed"),
    [
        (TimeSource.SENDER_REPORT, 0.2, True),
        (TimeSource.ARRIVAL, 0.2, False),
        (TimeSource.SENDER_REPORT, 8.0, False),
        (None, 0.2, None),
    ],
    ids=["told", "not-told", "clock-not-known", "no-picture-yet"],
)
async def test_it_is_told_whether_the_age_of_a_picture_is_known(
    desk: Desk, source: TimeSource | None, off_s: float, *, timed: bool | None
) -> None:
    """Where the camera tells no time, or one that may be seconds off, nobody is told an age; room and partner alike."""
    camera, pc = await desk.enrol(), await officer(desk)
    await share(desk, pc, camera)
    facts = rpc.StreamFacts(state=rpc.LiveState.LIVE, time_source=source)
    desk.host.state(desk.host.live(camera).model_copy(update={"main": facts, "sub": None, "clock_off_s": off_s}))
    fleet = desk.gateway.fleet
    await until(lambda: (known := fleet.state(CameraId(camera))) is not None and known.main == facts, what="the state")
    (shared,) = (await pc.browser.get("/api/v1/shares/mine")).json()["shares"][0]["cameras"]
    (own,) = (await desk.admin.get("/api/v1/cameras")).json()
    assert shared["timed"] == own["state"]["timed"] == {"main": timed, "sub": None}


async def test_partners_read_the_rooms_name(tmp_path: Path) -> None:
    """As the settings have it; who made a share stands beside it and not in its place."""
    base = settings_in(tmp_path)
    named = base.sharing.model_copy(update={"room_name": "Borough control room"})
    async with open_desk(tmp_path, settings=base.model_copy(update={"sharing": named})) as desk:
        camera, pc = await desk.enrol(), await officer(desk)
        await share(desk, pc, camera)
        mine = (await pc.browser.get("/api/v1/shares/mine")).json()
    assert (mine["room"], mine["shares"][0]["made_by"]) == ("Borough control room", "Root")


async def test_a_stick_that_comes_back_says_by_whom(desk: Desk) -> None:
    """Taken back by the operator, or given back by who had it."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await share(desk, pc, camera, may_ask_for_stick=True)
    async with desk.socket(pc.browser, "/api/v1/shares/events") as outside:
        for given in (False, True):
            body = {"camera": camera, "user": pc.id}
            assert (await desk.admin.post(f"/api/v1/shares/{identity}/lend", json=body)).status_code == 201
            if given:
                await pc.browser.delete(f"/api/v1/shares/{identity}/stick")
            else:
                await desk.admin.delete(f"/api/v1/shares/{identity}/lend")
            told = await heard(outside, "stick-back")
            assert (told["back_by"], told["given"]) == (("PC.1234", True) if given else ("Root", False))


async def test_a_wish_taken_back_is_told_to_who_wished(desk: Desk) -> None:
    """Their other page shows that they do not wait any more."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await share(desk, pc, camera, may_ask_for_stick=True)
    async with desk.socket(pc.browser, "/api/v1/shares/events") as outside:
        await pc.browser.post(f"/api/v1/shares/{identity}/stick-request", json={"camera": camera})
        while (await heard(outside, "mine"))["shares"][0]["asked"] != camera:
            pass
        await pc.browser.delete(f"/api/v1/shares/{identity}/stick")
        while (await heard(outside, "mine"))["shares"][0]["asked"] is not None:
            pass


async def test_a_page_hears_that_it_was_locked(desk: Desk) -> None:
    """It asks then what it may still do."""
    pc = await officer(desk)
    async with desk.socket(pc.browser, "/api/v1/shares/events") as outside:
        await heard(outside, "mine")
        assert (await pc.browser.put("/api/v1/session/state", json={"state": "locked"})).is_success
        await heard(outside, "session")
