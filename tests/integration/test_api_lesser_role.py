"""A socket that is open goes by what its reader may do now, whatever they were when it was opened."""

import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from gateway.access.permissions import Role
from tests.fakes.desk import PASSWORD, Desk
from tests.fakes.outside import Officer, officer, share

REASON = "Stabbing at the station, no operator here"
ROOM = {"share", "note", "glass", "stick-asked"}


async def seconds(socket: ClientConnection, count: int) -> set[str]:
    """Return the kinds of what is said until the clock has been told so many times."""
    kinds: list[str] = []
    while kinds.count("time") < count:
        kinds.append(json.loads(await socket.recv())["t"])
    return set(kinds)


async def things_happen(desk: Desk, pc: Officer, camera: str) -> None:
    """A note and a wish for the stick from outside, and broken glass."""
    (first,) = await pc.mine()
    where = f"/api/v1/shares/{first['id']}"
    assert (await pc.browser.post(f"{where}/notes", json={"text": "He has a knife"})).status_code == 201
    assert (await pc.browser.post(f"{where}/stick-request", json={"camera": camera})).status_code == 202
    breaker = await desk.person("supervisor", "sue")
    assert (await breaker.post("/api/v1/glass", json={"reason": REASON})).status_code == 201


@pytest.mark.parametrize("by", ["token", "own session"])
async def test_a_role_that_was_lowered_counts_at_once(desk: Desk, by: str) -> None:
    """The program of somebody whose sessions ended, and whoever lowers their own, is told of nothing more than that."""
    camera, pc = await desk.enrol(), await officer(desk)
    await share(desk, pc, camera, may_ask_for_stick=True)
    ada = await desk.person("administrator", "ada")
    user = (await ada.get("/api/v1/session")).json()["user"]["id"]
    headers: dict[str, Any] = {}
    if by == "token":
        wish = {"name": "wall", "role": "supervisor", "days": 1, "user_id": user}
        made = await desk.admin.post("/api/v1/tokens", json=wish)
        headers = {"Authorization": f"Bearer {made.json()['token']}", "Cookie": ""}
    async with desk.socket(ada, "/api/v1/events", **headers) as socket:
        await seconds(socket, 1)
        who = desk.admin if by == "token" else ada
        lowered = await who.patch(f"/api/v1/users/{user}", json={"role": "viewer"})
        assert lowered.status_code == 200, lowered.text
        await things_happen(desk, pc, camera)
        assert not await seconds(socket, 2) & ROOM


async def test_all_of_it_is_told_to_who_may_know(desk: Desk) -> None:
    """Whose role was not lowered hears each of these."""
    camera, pc = await desk.enrol(), await officer(desk)
    await share(desk, pc, camera, may_ask_for_stick=True)
    async with desk.socket(desk.admin, "/api/v1/events") as socket:
        await seconds(socket, 1)
        await things_happen(desk, pc, camera)
        assert await seconds(socket, 2) & ROOM == ROOM - {"share"}


async def test_whoever_was_made_a_partner_is_told_nothing_of_the_room(desk: Desk) -> None:
    """A program of theirs that listened to the room is let go of."""
    await desk.enrol()
    ada = await desk.person("administrator", "ada")
    user = (await ada.get("/api/v1/session")).json()["user"]["id"]
    made = await desk.admin.post("/api/v1/tokens", json={"name": "wall", "role": "viewer", "days": 1, "user_id": user})
    headers = {"Authorization": f"Bearer {made.json()['token']}", "Cookie": ""}
    async with desk.socket(ada, "/api/v1/events", **headers) as socket:
        assert (await desk.admin.patch(f"/api/v1/users/{user}", json={"role": "partner"})).status_code == 200
        await socket.wait_closed()


async def test_whom_another_process_made_a_user_comes_in_at_once(desk: Desk) -> None:
    """Though the rights that everybody is judged by were read before."""
    people, rooms = desk.gateway.rooms.people, desk.gateway.rooms
    user = await people.add(username="ned", name="Ned", role=Role.OPERATOR, password=PASSWORD)
    assert user.id not in rooms.decider.tables().users
    ned = await desk.again("ned")
    assert "steer" in (await ned.get("/api/v1/session")).json()["user"]["permissions"]
