"""Acts that take two people, and holds, whose release is one of them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection

from gateway.api.times import iso
from gateway.fleet import rpc
from kernel.clock import NS_PER_S, SystemClock
from tests.fakes.desk import PASSWORD, Desk, open_desk, settings_in
from tests.fakes.outside import officer

RANGE = {"start": "2026-09-01T12:00:00Z", "end": "2026-09-01T13:00:00Z"}
HOLD = {**RANGE, "reason": "Robbery at the kiosk", "reference": "CAD 4711", "authority": "DC Ames, Met"}
APPROVAL, REASON = "Sightline-Approval", "Sightline-Reason"


@pytest_asyncio.fixture
async def careful(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway at which releasing a hold, exporting and removing a user take two people."""
    two = ("hold.release", "export.clip", "user.remove")
    async with open_desk(tmp_path, settings=settings_in(tmp_path, two_people=two)) as desk:
        yield desk


async def held(desk: Desk) -> tuple[str, str]:
    """Return a camera and the address of a hold on it."""
    camera = await desk.enrol()
    answer = await desk.admin.post(f"/api/v1/cameras/{camera}/holds", json=HOLD)
    assert answer.status_code == 201, answer.text
    return camera, f"/api/v1/cameras/{camera}/holds/{answer.json()['id']}"


async def hear(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next message of a kind."""
    while True:
        message: dict[str, Any] = json.loads(await socket.recv())
        if message["t"] == kind:
            return message


async def asked(client: httpx.AsyncClient, method: str, path: str) -> str:
    """Ask for an act and return the number of the approval that it needs."""
    answer = await client.request(method, path, headers={REASON: quote("The caf\u00e9 case is closed")})
    assert (answer.status_code, answer.json()["type"]) == (403, "access.second-person"), answer.text
    number: str = answer.json()["approval"]
    return number


async def allowed(client: httpx.AsyncClient, number: str) -> None:
    """Be the second person."""
    answer = await client.post(f"/api/v1/approvals/{number}/allowance")
    assert answer.status_code == 204, answer.text


async def test_a_hold_is_placed_listed_and_released(desk: Desk) -> None:
    """It reaches the camera's host with all that it says, and the audit says who placed and who released it."""
    camera, where = await held(desk)
    (listed,) = (await desk.admin.get(f"/api/v1/cameras/{camera}/holds")).json()
    assert (listed["start"], listed["reason"]) == ("2026-09-01T12:00:00.000Z", "CAD 4711: Robbery at the kiosk")
    assert (listed["authority"], listed["placed_by"], listed["due"]) == ("DC Ames, Met", "Root", False)
    assert (await desk.admin.delete(where)).status_code == 204
    assert desk.host.holds == {}
    (placed,) = await desk.audit("hold.placed")
    assert "CAD 4711" in placed.details
    assert len(await desk.audit("hold.released")) == 1


async def test_a_camera_whose_footage_is_held_stays(desk: Desk) -> None:
    """Without it nobody could let go of the hold, and it would keep footage for ever."""
    camera, where = await held(desk)
    refused = await desk.admin.delete(f"/api/v1/cameras/{camera}")
    assert (refused.status_code, refused.json()["type"]) == (409, "fleet.held")
    assert desk.host.assignments.keys() == {camera}
    assert (await desk.admin.delete(where)).status_code == 204
    assert (await desk.admin.delete(f"/api/v1/cameras/{camera}")).status_code == 204
    assert desk.host.assignments == {}


async def test_a_hold_is_looked_at_again(desk: Desk) -> None:
    """It is due once its day has come, until somebody says that it is still needed; nothing is let go of by itself."""
    _, where = await held(desk)
    (held_,) = desk.host.holds.values()
    desk.host.holds[held_.id] = held_.model_copy(update={"review_ns": 1})
    (due,) = (await desk.admin.get("/api/v1/holds", params={"due": "true"})).json()["holds"]
    assert (due["id"], due["due"]) == (held_.id, True)
    later = iso(SystemClock().wall_ns() + 40 * 86_400 * NS_PER_S)
    answer = await desk.admin.patch(where, json={"review": later})
    assert (answer.status_code, answer.json()["review"], answer.json()["due"]) == (200, later, False)
    assert (await desk.admin.get("/api/v1/holds", params={"due": "true"})).json() == {"holds": [], "away": 0}
    assert len((await desk.admin.get("/api/v1/holds")).json()["holds"]) == 1
    assert len(await desk.audit("hold.changed")) == 1


@pytest.mark.parametrize("review", ["2020-01-01T00:00:00Z", "2150-01-01T00:00:00Z"])
async def test_a_hold_is_looked_at_again_within_a_year(desk: Desk, review: str) -> None:
    """Neither in the past nor never."""
    camera = await desk.enrol()
    answer = await desk.admin.post(f"/api/v1/cameras/{camera}/holds", json={**HOLD, "review": review})
    assert (answer.status_code, answer.json()["type"]) == (422, "api.request")


async def test_only_holds_of_ones_cameras_are_listed(desk: Desk) -> None:
    """Somebody with one group of cameras is not told what is held of others; a host that is away is counted."""
    await held(desk)
    group = await desk.admin.post("/api/v1/groups", json={"name": "Elsewhere"})
    client = await desk.person("member", "mo")
    me = (await client.get("/api/v1/session")).json()["user"]["id"]
    wish = {"role": "viewer", "user": me, "group": group.json()["id"]}
    assert (await desk.admin.post("/api/v1/grants", json=wish)).status_code == 201
    assert (await client.get("/api/v1/holds")).json() == {"holds": [], "away": 0}
    desk.host.refuse["holds"] = rpc.Problem(type="host.unreachable", title="It is away.", status=503)
    assert (await desk.admin.get("/api/v1/holds")).json() == {"holds": [], "away": 1}


async def test_who_releases_a_hold_proves_who_they_are(desk: Desk) -> None:
    """What was kept for a court is not let go of at a desk that was left open."""
    _, where = await held(desk)
    async with desk.gateway.database.write() as connection:
        await connection.exec_driver_sql("UPDATE sessions SET confirmed_ns = 0")
    assert (await desk.admin.delete(where)).json()["type"] == "access.confirm"


async def test_an_operator_holds_and_a_viewer_does_not(desk: Desk) -> None:
    """Looking does not allow keeping."""
    camera = await desk.enrol()
    for role, status in (("operator", 201), ("viewer", 403)):
        answer = await (await desk.person(role)).post(f"/api/v1/cameras/{camera}/holds", json=HOLD)
        assert answer.status_code == status


async def test_nobody_makes_their_own_second_person(tmp_path: Path) -> None:
    """Where adding users and granting take two, so does all that would give somebody more by another way."""
    settings = settings_in(tmp_path, two_people=("user.add", "user.change", "grant.add"))
    async with open_desk(tmp_path, settings=settings) as desk:
        eve = {"username": "eve", "role": "supervisor", "password": PASSWORD}
        ways = [
            ("POST", "users", eve),
            ("POST", "users/x/accounts", {"provider": "x", "subject": "me"}),
            ("DELETE", "users/x/factors", None),
            ("POST", "tokens", {"name": "them", "role": "viewer", "user_id": "x"}),
            ("POST", "roles", {"name": "more", "permissions": ["approve"]}),
            ("PUT", "roles/x", {"name": "more", "permissions": ["approve"]}),
            ("PUT", "teams/x", {"name": "more", "users": []}),
            ("PUT", "groups/x", {"name": "more"}),
            ("POST", "grants", {"role": "supervisor", "user": "x"}),
        ]
        for method, path, body in ways:
            answer = await desk.admin.request(method, f"/api/v1/{path}", json=body)
            assert (answer.status_code, answer.json()["type"]) == (403, "access.second-person"), path


async def test_a_program_is_not_one_of_two(careful: Desk) -> None:
    """Who makes a token for somebody else would be two people; and a token approves nothing."""
    _, where = await held(careful)
    program = await careful.token("administrator")
    refused = await program.delete(where)
    assert (refused.status_code, refused.json()["type"]) == (403, "access.forbidden")
    number = await asked(await careful.person("operator"), "DELETE", where)
    assert (await program.post(f"/api/v1/approvals/{number}/allowance")).status_code == 403


async def test_one_person_alone_is_refused(careful: Desk) -> None:
    """The act is not done, and asking again gives the same number."""
    _, where = await held(careful)
    number = await asked(careful.admin, "DELETE", where)
    assert await asked(careful.admin, "DELETE", where) == number
    assert len(careful.host.holds) == 1
    assert len(await careful.audit("approval.asked")) == 1


async def test_a_second_person_allows_it_once(careful: Desk) -> None:
    """The first then does it with the number; a second time it is asked for anew; the audit names both."""
    camera, where = await held(careful)
    number = await asked(careful.admin, "DELETE", where)
    supervisor = await careful.person("supervisor", "sue")
    (waiting,) = (await supervisor.get("/api/v1/approvals")).json()
    assert (waiting["id"], waiting["act"], waiting["subject"]) == (number, "hold.release", camera)
    assert (waiting["asked_by"], waiting["mine"]) == ("root", False)
    assert waiting["reason"] == "The caf\u00e9 case is closed"
    facts = {fact["name"]: fact["value"] for fact in waiting["facts"]}
    assert (facts["camera"], facts["held for"]) == (camera, "CAD 4711: Robbery at the kiosk")
    await allowed(supervisor, number)
    assert (await careful.admin.delete(where, headers={APPROVAL: number})).status_code == 204
    assert careful.host.holds == {}
    assert (await careful.admin.delete(where, headers={APPROVAL: number})).status_code == 403
    (given,) = await careful.audit("approval.given")
    assert (given.actor, json.loads(given.details)["asked_by"]) == ("sue", "root")


async def test_nobody_is_their_own_second_person(careful: Desk) -> None:
    """However many ways in they have; and a program is nobody's."""
    _, where = await held(careful)
    number = await asked(careful.admin, "DELETE", where)
    answer = await careful.admin.post(f"/api/v1/approvals/{number}/allowance")
    assert (answer.status_code, answer.json()["type"]) == (403, "access.second-person")
    program = await careful.token("administrator")
    answer = await program.post(f"/api/v1/approvals/{number}/allowance")
    assert (answer.status_code, answer.json()["type"]) == (403, "access.forbidden")


async def test_a_second_person_proves_who_they_are(careful: Desk) -> None:
    """A supervisor's desk that was left open approves nothing."""
    _, where = await held(careful)
    number = await asked(careful.admin, "DELETE", where)
    supervisor = await careful.person("supervisor", "sue")
    async with careful.gateway.database.write() as connection:
        await connection.exec_driver_sql("UPDATE sessions SET confirmed_ns = 0")
    answer = await supervisor.post(f"/api/v1/approvals/{number}/allowance")
    assert (answer.status_code, answer.json()["type"]) == (403, "access.confirm")


async def test_nothing_is_asked_for_without_a_reason(careful: Desk) -> None:
    """It is said who may approve, and nothing waits."""
    _, where = await held(careful)
    await careful.person("supervisor", "sue")
    await careful.person("operator", "olaf")
    for headers in ({}, {REASON: "%20x%0a"}):
        answer = await careful.admin.delete(where, headers=headers)
        told = answer.json()
        assert (told["type"], told["approval"]) == ("access.second-person", None)
        assert told["approvers"] == [{"name": "Sue", "here": True}]
    assert (await careful.admin.get("/api/v1/approvals")).json() == []


async def test_what_one_asked_for_is_withdrawn(careful: Desk) -> None:
    """Nobody is asked any more; somebody else withdraws nothing; the audit says so."""
    _, where = await held(careful)
    number = await asked(careful.admin, "DELETE", where)
    supervisor = await careful.person("supervisor", "sue")
    assert (await supervisor.delete(f"/api/v1/approvals/{number}")).status_code == 404
    assert (await careful.admin.get(f"/api/v1/approvals/{number}")).json()["standing"] == "waiting"
    assert (await careful.admin.delete(f"/api/v1/approvals/{number}")).status_code == 204
    assert (await supervisor.get("/api/v1/approvals")).json() == []
    assert (await supervisor.post(f"/api/v1/approvals/{number}/allowance")).status_code == 404
    assert len(await careful.audit("approval.withdrawn")) == 1


async def test_a_download_brings_its_approval_in_its_address(careful: Desk) -> None:
    """Last in the query, where it is no part of what was approved; anywhere else it is part of the request."""
    camera = await careful.enrol()
    clip = str(httpx.URL(f"/api/v1/cameras/{camera}/clip.mp4", params=RANGE))
    number = await asked(careful.admin, "GET", clip)
    await allowed(await careful.person("supervisor", "sue"), number)
    assert (await careful.admin.get(f"{clip}&approval={number}&stream=sub")).status_code == 403
    assert (await careful.admin.get(f"{clip}&approval={number}")).status_code == 200
    assert (await careful.admin.get(f"{clip}&approval={number}")).status_code == 403


async def test_a_second_person_sees_the_range_as_it_will_be_taken(careful: Desk) -> None:
    """However it was written: seconds since 1970 are told as the instant that they are; what is no time, as none."""
    camera = await careful.enrol()
    for start, told in (("1788264000", "2026-09-01T12:00:00.000Z"), ("soon", "no time")):
        clip = httpx.URL(f"/api/v1/cameras/{camera}/clip.mp4", params={**RANGE, "start": start})
        await asked(careful.admin, "GET", str(clip))
        facts = (await careful.admin.get("/api/v1/approvals")).json()[-1]["facts"]
        assert {"name": "start", "value": told} in facts


async def test_a_second_person_sees_what_changes_of_a_user(tmp_path: Path) -> None:
    """Role before and after; that there is a new password, and not which."""
    async with open_desk(tmp_path, settings=settings_in(tmp_path, two_people=("user.change", "grant.add"))) as desk:
        client = await desk.person("viewer", "vera")
        user = (await client.get("/api/v1/session")).json()["user"]["id"]
        body = {"role": "operator", "password": "nobody reads this one"}
        why = {REASON: "New contract"}
        await desk.admin.patch(f"/api/v1/users/{user}", json=body, headers=why)
        await desk.admin.post("/api/v1/grants", json={"role": "operator", "user": user}, headers=why)
        changed, granted = (await desk.admin.get("/api/v1/approvals")).json()
        assert {fact["name"]: fact["value"] for fact in changed["facts"]} == {
            "user": "Vera (vera)",
            "role": "viewer",
            "new role": "operator",
            "password": "a new one",
        }
        assert {fact["name"]: fact["value"] for fact in granted["facts"]} == {
            "role": "operator",
            "user": "Vera (vera)",
            "over": "all cameras",
        }
        assert "nobody reads" not in "".join(entry.details for entry in await desk.audit())


async def test_an_approval_is_for_one_act_of_one_person(careful: Desk) -> None:
    """It opens no other range, and nothing for somebody else."""
    camera = await careful.enrol()
    clip = f"/api/v1/cameras/{camera}/clip.mp4"
    first = str(httpx.URL(clip, params=RANGE))
    number = await asked(careful.admin, "GET", first)
    supervisor = await careful.person("supervisor", "sue")
    await allowed(supervisor, number)
    longer = str(httpx.URL(clip, params={**RANGE, "end": "2026-09-01T23:00:00Z"}))
    assert (await careful.admin.get(longer, headers={APPROVAL: number})).status_code == 403
    other = await careful.person("operator", "olaf")
    assert (await other.get(first, headers={APPROVAL: number})).status_code == 403
    assert (await careful.admin.get(first, headers={APPROVAL: number})).status_code == 200


async def test_a_denied_act_stays_undone(careful: Desk) -> None:
    """The number opens nothing, the first person is told why, and the audit says who refused it."""
    _, where = await held(careful)
    number = await asked(careful.admin, "DELETE", where)
    supervisor = await careful.person("supervisor", "sue")
    refusal = f"/api/v1/approvals/{number}/refusal"
    assert (await supervisor.post(refusal, json={"reason": "  "})).status_code == 422
    assert (await supervisor.post(refusal, json={"reason": "The appeal is open"})).status_code == 204
    assert (await careful.admin.delete(where, headers={APPROVAL: number})).status_code == 403
    own = (await careful.admin.get(f"/api/v1/approvals/{number}")).json()
    assert (own["standing"], own["by"], own["answer"]) == ("refused", "sue", "The appeal is open")
    assert (await supervisor.get("/api/v1/approvals")).json() == []
    assert (await supervisor.post(f"/api/v1/approvals/{number}/allowance")).status_code == 404
    assert len(await careful.audit("approval.refused")) == 1


async def test_both_are_told(careful: Desk) -> None:
    """Who may approve hears that something waits; who asked hears that it was allowed."""
    _, where = await held(careful)
    supervisor = await careful.person("supervisor", "sue")
    async with (
        careful.socket(careful.admin, "/api/v1/events") as asking,
        careful.socket(supervisor, "/api/v1/events") as approving,
    ):
        number = await asked(careful.admin, "DELETE", where)
        assert await hear(approving, "approvals") == {"t": "approvals"}
        await allowed(supervisor, number)
        told = await hear(asking, "approval")
        assert (told["id"], told["standing"], told["by"]) == (number, "allowed", "sue")


async def test_what_is_not_set_takes_one(careful: Desk) -> None:
    """Only the acts that the settings name take two people."""
    user = await careful.person("viewer", "vera")
    me = (await user.get("/api/v1/session")).json()["user"]["id"]
    assert (await careful.admin.patch(f"/api/v1/users/{me}", json={"name": "Vera"})).status_code == 200
    await asked(careful.admin, "DELETE", f"/api/v1/users/{me}")


@pytest.mark.parametrize("path", ["users/{}", "recipients/{}", "organisations/{at}"])
async def test_a_user_is_removed_by_no_other_way(careful: Desk, path: str) -> None:
    """By whatever route somebody stops being a user: it takes two people, and the second sees whom it is about."""
    pc = await officer(careful)
    where = f"/api/v1/{path.format(pc.id, at=pc.organisation)}"
    number = await asked(careful.admin, "DELETE", where)
    assert {user.username for user in await careful.gateway.rooms.people.users()} >= {"pc.1234"}
    (waiting,) = (await careful.admin.get("/api/v1/approvals")).json()
    assert "PC.1234" in " ".join(fact["value"] for fact in waiting["facts"])
    await allowed(await careful.person("supervisor", "sue"), number)
    assert (await careful.admin.delete(where, headers={APPROVAL: number})).status_code == 204
    assert {user.username for user in await careful.gateway.rooms.people.users()} == {"root", "sue"}


async def test_ones_own_token_takes_one_person(tmp_path: Path) -> None:
    """It is nobody's second person; one for somebody else would be."""
    async with open_desk(tmp_path, settings=settings_in(tmp_path, two_people=("user.change",))) as desk:
        wish = {"name": "mine", "role": "viewer"}
        assert (await desk.admin.post("/api/v1/tokens", json=wish)).status_code == 201
        client = await desk.person("viewer", "vera")
        vera = (await client.get("/api/v1/session")).json()["user"]["id"]
        refused = await desk.admin.post("/api/v1/tokens", json={**wish, "user_id": vera}, headers={REASON: "Her wall"})
        assert (refused.status_code, refused.json()["type"]) == (403, "access.second-person")
        facts = (await desk.admin.get("/api/v1/approvals")).json()[0]["facts"]
        assert facts[0] == {"name": "token for", "value": "Vera (vera)"}
