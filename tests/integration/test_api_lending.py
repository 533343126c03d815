"""The stick, asked for, lent and taken back; and tests of the link to a partner's room."""

import json

import pytest
from websockets.exceptions import InvalidStatus

from gateway.api.sockets import BARRED
from ptz import Priority
from tests.fakes.desk import Desk
from tests.fakes.outside import Officer, heard, officer, organisation, share
from tests.fakes.waiting import until

PRESET = {"name": "Gate"}


async def asked(desk: Desk, pc: Officer, camera: str) -> str:
    """Share a camera whose stick is asked for, and return the share."""
    identity = await share(desk, pc, camera, may_ask_for_stick=True)
    body = {"camera": camera, "note": "Following the van"}
    answer = await pc.browser.post(f"/api/v1/shares/{identity}/stick-request", json=body)
    assert answer.status_code == 202, answer.text
    return identity


async def test_a_stick_is_asked_for_lent_and_taken_back(desk: Desk) -> None:
    """The room hears the wish and lends; they steer as a guest; taken back, the head is let go of at once."""
    camera, pc = await desk.enrol(), await officer(desk)
    async with (
        desk.socket(desk.admin, "/api/v1/events") as inside,
        desk.socket(pc.browser, "/api/v1/shares/events") as outside,
    ):
        identity = await asked(desk, pc, camera)
        wish = await heard(inside, "stick-asked")
        assert (wish["name"], wish["note"], wish["camera"]) == ("PC.1234", "Following the van", camera)
        with pytest.raises(InvalidStatus):
            async with desk.socket(pc.browser, f"/api/v1/cameras/{camera}/steer"):
                pass
        lent = await desk.admin.post(f"/api/v1/shares/{identity}/lend", json={})
        assert (lent.status_code, lent.json()["name"], lent.json()["by"]) == (201, "PC.1234", "Root")
        assert (await heard(outside, "stick-lent"))["camera"] == camera
        while not (state := (await heard(inside, "camera"))["state"])["lent"]:
            pass
        assert (state["lent"]["name"], state["lent"]["until"]) == ("PC.1234", lent.json()["until"])
        (shown,) = (await desk.admin.get("/api/v1/cameras")).json()
        assert shown["state"]["lent"]["by"] == "Root"
        async with desk.socket(pc.browser, f"/api/v1/cameras/{camera}/steer") as steering:
            await steering.send(json.dumps({"t": "take"}))
            while not (await heard(steering, "stick"))["mine"]:
                pass
            assert desk.host.priorities[camera] is Priority.GUEST
            back = await desk.admin.delete(f"/api/v1/shares/{identity}/lend")
            assert [one["camera"] for one in back.json()] == [camera]
            await steering.wait_closed()
            assert steering.close_code == BARRED
        await until(lambda: not desk.host.sticks, what="the stick to be let go of")
        assert (await heard(outside, "stick-back"))["camera"] == camera
    for action in ("steer.asked", "steer.lent", "steer.taken-back"):
        (entry,) = await desk.audit(action)
        assert entry.subject == camera


async def test_a_request_that_is_taken_back_is_told_to_the_room(desk: Desk) -> None:
    """Who asked asks no more, and nobody is said to have refused."""
    camera, pc = await desk.enrol(), await officer(desk)
    async with desk.socket(desk.admin, "/api/v1/events") as inside:
        identity = await asked(desk, pc, camera)
        await heard(inside, "stick-asked")
        await pc.browser.delete(f"/api/v1/shares/{identity}/stick")
        told = await heard(inside, "stick-withdrawn")
    assert (told["share"], told["user_id"], told["camera"]) == (identity, pc.id, camera)
    assert await desk.audit("steer.refused") == []


async def test_the_room_takes_the_stick_from_a_guest(desk: Desk) -> None:
    """An operator steers at once; the guest does not get it back from them."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await asked(desk, pc, camera)
    await desk.admin.post(f"/api/v1/shares/{identity}/lend", json={})
    path = f"/api/v1/cameras/{camera}/steer"
    async with desk.socket(pc.browser, path) as guest, desk.socket(desk.admin, path) as operator:
        await guest.send(json.dumps({"t": "take"}))
        while not (await heard(guest, "stick"))["mine"]:
            pass
        await operator.send(json.dumps({"t": "take"}))
        while not (await heard(operator, "stick"))["mine"]:
            pass
        await guest.send(json.dumps({"t": "take", "n": 2}))
        assert (await heard(guest, "error"))["type"] == "steering.held"


async def test_who_lends_lets_go(desk: Desk) -> None:
    """The lender's own hold does not keep the guest from steering."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await asked(desk, pc, camera)
    async with desk.socket(desk.admin, f"/api/v1/cameras/{camera}/steer") as operator:
        await operator.send(json.dumps({"t": "take"}))
        while not (await heard(operator, "stick"))["mine"]:
            pass
        await desk.admin.post(f"/api/v1/shares/{identity}/lend", json={})
        await until(lambda: not desk.host.sticks, what="the lender to let go")


async def test_a_lent_stick_does_nothing_but_steer(desk: Desk) -> None:
    """Presets are neither seen, stored nor removed by it, and no other camera is steered."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await asked(desk, pc, camera)
    await desk.admin.post(f"/api/v1/shares/{identity}/lend", json={})
    presets = f"/api/v1/cameras/{camera}/presets"
    assert (await pc.browser.get(presets)).status_code == 403
    assert (await pc.browser.post(presets, json=PRESET)).status_code == 403
    assert (await pc.browser.delete(f"{presets}/1")).status_code == 403
    assert "1" in desk.host.presets
    with pytest.raises(InvalidStatus):
        async with desk.socket(pc.browser, f"/api/v1/cameras/{'f' * 32}/steer"):
            pass


async def test_a_stick_is_given_back(desk: Desk) -> None:
    """By the one who has it; a request is taken back the same way."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await asked(desk, pc, camera)
    stick = f"/api/v1/shares/{identity}/stick"
    assert (await pc.browser.delete(stick)).status_code == 204
    assert (await desk.admin.post(f"/api/v1/shares/{identity}/lend", json={})).status_code == 404
    named = {"camera": camera, "user": pc.id, "minutes": 1}
    assert (await desk.admin.post(f"/api/v1/shares/{identity}/lend", json=named)).status_code == 201
    assert (await pc.browser.delete(stick)).status_code == 204
    assert (await desk.admin.get(f"/api/v1/shares/{identity}")).json()["lent"] == []
    assert (await desk.admin.delete(f"/api/v1/shares/{identity}/lend")).status_code == 404


async def test_a_wish_is_refused(desk: Desk) -> None:
    """They are told, and nothing is lent."""
    camera, pc = await desk.enrol(), await officer(desk)
    async with desk.socket(pc.browser, "/api/v1/shares/events") as outside:
        identity = await asked(desk, pc, camera)
        path = f"/api/v1/shares/{identity}/stick-request"
        assert (await desk.admin.delete(path)).status_code == 204
        assert (await heard(outside, "stick-refused"))["camera"] == camera
        assert (await desk.admin.delete(path)).status_code == 404


async def test_a_stick_is_not_asked_for_where_it_is_not_offered(desk: Desk) -> None:
    """A share says whether one may; of another's share or camera nothing is asked."""
    camera, pc = await desk.enrol(), await officer(desk)
    stranger = await officer(desk, await organisation(desk, "BTP"), username="pc.9")
    plain = await share(desk, pc, camera)
    open_one = await share(desk, pc, camera, may_ask_for_stick=True)
    body = {"camera": camera}
    for who, identity, status in ((pc, plain, 422), (stranger, open_one, 404)):
        answer = await who.browser.post(f"/api/v1/shares/{identity}/stick-request", json=body)
        assert answer.status_code == status
    absent = await pc.browser.post(f"/api/v1/shares/{open_one}/stick-request", json={"camera": "f" * 32})
    assert absent.status_code == 404


async def test_only_who_steers_lends(desk: Desk) -> None:
    """A viewer does not, nor a partner; too long a loan is refused."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await asked(desk, pc, camera)
    for browser in (await desk.person("viewer"), pc.browser):
        assert (await browser.post(f"/api/v1/shares/{identity}/lend", json={})).status_code == 403
    too_long = await desk.admin.post(f"/api/v1/shares/{identity}/lend", json={"minutes": 61})
    assert (too_long.status_code, too_long.json()["type"]) == (422, "share.refused")


async def test_a_loan_ends_with_its_share(desk: Desk) -> None:
    """Nothing is steered by it any more, and it is recorded as over."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await asked(desk, pc, camera)
    await desk.admin.post(f"/api/v1/shares/{identity}/lend", json={})
    await desk.admin.delete(f"/api/v1/shares/{identity}")
    assert (await desk.admin.get("/api/v1/cameras")).json()[0]["state"]["lent"] is None
    with pytest.raises(InvalidStatus):
        async with desk.socket(pc.browser, f"/api/v1/cameras/{camera}/steer"):
            pass
    (entry,) = await desk.audit("steer.taken-back")
    assert entry.actor == "Sightline"


async def test_a_stick_that_is_lent_on_is_recorded_as_back(desk: Desk) -> None:
    """By whoever lent it on, from where, and by which right."""
    camera, pc = await desk.enrol(), await officer(desk)
    other = await officer(desk, pc.organisation, username="pc.9")
    identity = await share(desk, pc, camera)
    for one in (pc, other):
        body = {"camera": camera, "user": one.id}
        assert (await desk.admin.post(f"/api/v1/shares/{identity}/lend", json=body)).status_code == 201
    (back,) = await desk.audit("steer.taken-back")
    assert (back.actor, back.address, back.rule) == ("root", "127.0.0.1", "role:administrator")
    assert json.loads(back.details)["to"] == "PC.1234"
    assert [one.subject for one in await desk.audit("steer.lent")] == [camera, camera]


async def test_a_stick_that_is_given_back_is_recorded(desk: Desk) -> None:
    """As an act of whoever had it."""
    camera, pc = await desk.enrol(), await officer(desk)
    identity = await asked(desk, pc, camera)
    await desk.admin.post(f"/api/v1/shares/{identity}/lend", json={})
    assert (await pc.browser.delete(f"/api/v1/shares/{identity}/stick")).status_code == 204
    (back,) = await desk.audit("steer.taken-back")
    assert (back.actor, json.loads(back.details)["reason"]) == ("pc.1234", "given back")


async def test_a_link_is_tested(desk: Desk) -> None:
    """The far end's page opens the test picture and says what it decoded: passed, by name, for the log of the shift."""
    camera, pc = await desk.enrol(number=9), await officer(desk)
    path = f"/api/v1/organisations/{pc.organisation}"
    unset = await desk.admin.post(f"{path}/room-test", json={})
    assert (unset.status_code, unset.json()["type"]) == (422, "share.refused")
    started = await desk.admin.post(f"{path}/room-test", json={"camera": camera})
    assert (started.status_code, started.json()["result"]) == (201, "running")
    again = await desk.admin.post(f"{path}/room-test", json={"camera": camera})
    assert again.status_code == 422
    (mine,) = await pc.mine()
    assert mine["kind"] == "test"
    seen = {"frames": 50, "width": 1920, "height": 1080}
    unwatched = await pc.browser.post(f"/api/v1/shares/{mine['id']}/seen", json=seen)
    assert unwatched.json()["result"] == "running"  # who has no view open has seen nothing
    await desk.watch(pc.browser, camera)
    few = await pc.browser.post(f"/api/v1/shares/{mine['id']}/seen", json={**seen, "frames": 3})
    assert few.json()["result"] == "running"
    passed = await pc.browser.post(f"/api/v1/shares/{mine['id']}/seen", json=seen)
    assert (passed.json()["result"], passed.json()["seen_by"]) == ("passed", "PC.1234")
    (last,) = (await desk.admin.get(f"{path}/room-tests")).json()
    assert (last["operator"], last["result"], last["frames"], last["width"]) == ("Root", "passed", 50, 1920)
    (entry,) = await desk.audit("share.room-test")
    assert (entry.actor, entry.outcome) == ("Root", "done")
    assert (await pc.browser.post(f"/api/v1/shares/{mine['id']}/seen", json=seen)).status_code == 404


async def test_a_test_without_a_picture_fails(desk: Desk) -> None:
    """When its share is over and nobody has reported a picture, that is the result."""
    camera, pc = await desk.enrol(), await officer(desk)
    path = f"/api/v1/organisations/{pc.organisation}"
    await desk.admin.post(f"{path}/room-test", json={"camera": camera})
    await desk.admin.delete("/api/v1/shares")
    await until(lambda: not desk.gateway.rooms.sharing.tests._running, what="the test to end")
    (last,) = (await desk.admin.get(f"{path}/room-tests")).json()
    assert last["result"] == "failed"
    (entry,) = await desk.audit("share.room-test")
    assert entry.outcome == "failed"
