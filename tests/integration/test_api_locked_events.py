"""At a console that is locked, or a wallboard, pictures go on and nothing else is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from tests.fakes.desk import PASSWORD, Desk, open_desk, settings_in
from tests.fakes.outside import Officer, officer, share

SHUT = ["locked", "wall"]
REASON = "Stabbing at the station, no operator here"


class Reader:
    """What a console's socket said."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def to(self, kind: str, **having: Any) -> list[dict[str, Any]]:
        """Return what is said up to a message of a kind, that one included."""
        said: list[dict[str, Any]] = []
        while True:
            message: dict[str, Any] = json.loads(await self._socket.recv())
            said.append(message)
            if message["t"] == kind and having.items() <= message.items():
                return said

    async def second(self) -> set[str]:
        """Return the kinds of what is said until the clock has been told twice: all that waited is out by then."""
        return {one["t"] for _ in range(2) for one in await self.to("time")}


async def turn(desk: Desk, state: str) -> None:
    """Lock the administrator's session, make it a wallboard, or open it."""
    if state == "open":
        answer = await desk.admin.post("/api/v1/session/confirm", json={"password": PASSWORD})
    else:
        answer = await desk.admin.put("/api/v1/session/state", json={"state": state})
    assert answer.status_code == 204, answer.text


async def things_happen(desk: Desk, pc: Officer, camera: str) -> None:
    """A note and a wish for the stick from outside, a share's end, and broken glass."""
    (first,) = await pc.mine()
    where = f"/api/v1/shares/{first['id']}"
    assert (await pc.browser.post(f"{where}/notes", json={"text": "He has a knife"})).status_code == 201
    wish = {"camera": camera, "note": "Following the van"}
    assert (await pc.browser.post(f"{where}/stick-request", json=wish)).status_code == 202
    breaker = await desk.person("supervisor", "sue")
    answer = await breaker.post("/api/v1/glass", json={"reason": REASON})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("state", SHUT)
async def test_nobody_reads_the_room_at_a_shut_console(desk: Desk, state: str) -> None:
    """Neither notes, wishes, who watches, nor why somebody broke the glass; the wall's pictures stay told of."""
    camera, pc = await desk.enrol(), await officer(desk)
    await share(desk, pc, camera, may_ask_for_stick=True)
    other = await desk.person("administrator", "ada")
    async with desk.socket(desk.admin, "/api/v1/events") as socket:
        reader = Reader(socket)
        await desk.watch(pc.browser, camera)
        assert (await reader.to("watching"))[-1]["cameras"].keys() == {camera}
        await turn(desk, state)
        await reader.to("session", state=state)
        assert (await reader.to("watching"))[-1]["cameras"] == {}
        desk.admin, root = other, desk.admin
        await things_happen(desk, pc, camera)
        assert await reader.second() <= {"time", "camera", "cameras", "event"}
        desk.admin = root
        assert (await desk.admin.get("/api/v1/cameras")).status_code == 200


async def test_all_is_told_to_who_unlocks_it(desk: Desk) -> None:
    """What was not told meanwhile is told or read anew, and from there everything as before."""
    camera, pc = await desk.enrol(), await officer(desk)
    await share(desk, pc, camera, may_ask_for_stick=True)
    other = await desk.person("administrator", "ada")
    await turn(desk, "locked")
    async with desk.socket(desk.admin, "/api/v1/events") as socket:
        reader = Reader(socket)
        desk.admin, root = other, desk.admin
        await things_happen(desk, pc, camera)
        assert await reader.second() <= {"time", "camera", "cameras", "event"}
        desk.admin = root
        await turn(desk, "open")
        said = await reader.to("session", state="open")
        assert {"rights", "approvals", "glass"} <= {one["t"] for one in said}
        (first,) = await pc.mine()
        await pc.browser.post(f"/api/v1/shares/{first['id']}/notes", json={"text": "He runs"})
        assert (await reader.to("note"))[-1]["text"] == "He runs"


async def test_an_answer_waits_for_who_asked(tmp_path: Path) -> None:
    """That somebody approved what one asked for is told after the lock, not before."""
    async with open_desk(tmp_path, settings=settings_in(tmp_path, two_people=("user.remove",))) as desk:
        other, _ = await desk.person("administrator", "ada"), await desk.person("viewer", "vera")
        vera = (await desk.gateway.rooms.people.named("vera")).id
        async with desk.socket(desk.admin, "/api/v1/events") as socket:
            reader = Reader(socket)
            asked = await desk.admin.delete(f"/api/v1/users/{vera}", headers={"Sightline-Reason": "Has left us"})
            await turn(desk, "locked")
            await reader.to("session", state="locked")
            allowed = await other.post(f"/api/v1/approvals/{asked.json()['approval']}/allowance")
            assert allowed.status_code == 204, allowed.text
            assert "approval" not in await reader.second()
            await turn(desk, "open")
            assert (await reader.to("approval"))[-1]["standing"] == "allowed"
