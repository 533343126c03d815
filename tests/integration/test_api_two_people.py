"""Acts that take two people, and holds, whose release is one of them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from websockets.asyncio.client import ClientConnection

from tests.fakes.desk import PASSWORD, Desk, open_desk, settings_in

RANGE = {"start": "2026-09-01T12:00:00Z", "end": "2026-09-01T13:00:00Z"}
HOLD = {**RANGE, "reason": "Robbery at the kiosk", "reference": "CAD 4711"}
APPROVAL = "Sightline-Approval"


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
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["type"]) == (403, "access.second-person"), answer.text
    number: str = answer.json()["approval"]
    return number


async def test_a_hold_is_placed_listed_and_released(desk: Desk) -> None:
    """It reaches the camera's host with its reason, and the audit says who placed and who released it."""
    camera, where = await held(desk)
    (listed,) = (await desk.admin.get(f"/api/v1/cameras/{camera}/holds")).json()
    assert (listed["start"], listed["reason"]) == ("2026-09-01T12:00:00.000Z", "CAD 4711: Robbery at the kiosk")
    assert (await desk.admin.delete(where)).status_code == 204
    assert desk.host.holds == {}
    (placed,) = await desk.audit("hold.placed")
    assert "CAD 4711" in placed.details
    assert len(await desk.audit("hold.released")) == 1


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
    assert (await program.post(f"/api/v1/approvals/{number}")).status_code == 403


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
    assert (await supervisor.post(f"/api/v1/approvals/{number}")).status_code == 204
    assert (await careful.admin.delete(where, headers={APPROVAL: number})).status_code == 204
    assert careful.host.holds == {}
    assert (await careful.admin.delete(where, headers={APPROVAL: number})).status_code == 403
    (given,) = await careful.audit("approval.given")
    assert (given.actor, json.loads(given.details)["asked_by"]) == ("sue", "root")


async def test_nobody_is_their_own_second_person(careful: Desk) -> None:
    """However many ways in they have."""
    _, where = await held(careful)
    number = await asked(careful.admin, "DELETE", where)
    program = await careful.token("administrator")
    for client, code in ((careful.admin, "access.second-person"), (program, "access.forbidden")):
        answer = await client.post(f"/api/v1/approvals/{number}")
        assert (answer.status_code, answer.json()["type"]) == (403, code)


async def test_an_approval_is_for_one_act_of_one_person(careful: Desk) -> None:
    """It opens no other range, and nothing for somebody else."""
    camera = await careful.enrol()
    clip = f"/api/v1/cameras/{camera}/clip.mp4"
    first = str(httpx.URL(clip, params=RANGE))
    number = await asked(careful.admin, "GET", first)
    supervisor = await careful.person("supervisor", "sue")
    await supervisor.post(f"/api/v1/approvals/{number}")
    longer = str(httpx.URL(clip, params={**RANGE, "end": "2026-09-01T23:00:00Z"}))
    assert (await careful.admin.get(longer, headers={APPROVAL: number})).status_code == 403
    other = await careful.person("operator", "olaf")
    assert (await other.get(first, headers={APPROVAL: number})).status_code == 403
    assert (await careful.admin.get(first, headers={APPROVAL: number})).status_code == 200


async def test_a_denied_act_stays_undone(careful: Desk) -> None:
    """The number opens nothing, and the audit says who denied it."""
    _, where = await held(careful)
    number = await asked(careful.admin, "DELETE", where)
    supervisor = await careful.person("supervisor", "sue")
    assert (await supervisor.delete(f"/api/v1/approvals/{number}")).status_code == 204
    assert (await careful.admin.delete(where, headers={APPROVAL: number})).status_code == 403
    assert (await supervisor.get("/api/v1/approvals")).json() == []
    assert (await supervisor.post(f"/api/v1/approvals/{number}")).status_code == 404
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
        await supervisor.post(f"/api/v1/approvals/{number}")
        assert await hear(asking, "approval") == {"t": "approval", "id": number, "allowed": True}


async def test_what_is_not_set_takes_one(careful: Desk) -> None:
    """Only the acts that the settings name take two people."""
    user = await careful.person("viewer", "vera")
    me = (await user.get("/api/v1/session")).json()["user"]["id"]
    assert (await careful.admin.patch(f"/api/v1/users/{me}", json={"name": "Vera"})).status_code == 200
    await asked(careful.admin, "DELETE", f"/api/v1/users/{me}")
