"""Broken glass waits until one who supervises says that they have seen it, however long after its end they come."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection

from gateway.app import open_gateway
from kernel.clock import SystemClock
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.host import FakeHost
from tests.fakes.leaping import LeapingClock

REASON = "Stabbing at the station, nobody here who may"


async def duty_officer(desk: Desk, username: str = "mo") -> tuple[httpx.AsyncClient, str]:
    """Return the browser of somebody who may break the glass, and who they are."""
    client = await desk.person("member", username)
    user = str((await client.get("/api/v1/session")).json()["user"]["id"])
    role = await desk.admin.post("/api/v1/roles", json={"name": f"Duty of {username}", "permissions": ["break_glass"]})
    granted = await desk.admin.post("/api/v1/grants", json={"role": role.json()["id"], "user": user})
    assert granted.status_code == 201, granted.text
    return client, user


async def broken(client: httpx.AsyncClient, minutes: int = 15) -> str:
    """Break the glass, and return which it is."""
    answer = await client.post("/api/v1/glass", json={"reason": REASON, "minutes": minutes})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def waiting(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Return what nobody has acknowledged, as who supervises is told it."""
    answer = await client.get("/api/v1/glass/unacknowledged")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def seen(client: httpx.AsyncClient, glass: str) -> int:
    """Say that one has seen it; return the status."""
    return (await client.post(f"/api/v1/glass/{glass}/acknowledgement")).status_code


@asynccontextmanager
async def started_again(path: Path) -> AsyncIterator[Desk]:
    """Give another gateway over the same data; nobody is signed in."""
    host = FakeHost()
    async with (
        open_gateway(settings_in(path), clock=SystemClock(), open_host=host.open) as gateway,
        AsyncExitStack() as stack,
    ):
        yield Desk(gateway, host, stack)


async def test_who_supervises_later_is_told_of_what_is_over(tmp_path: Path) -> None:
    """Also after a restart: who, why, from when to when; until one has said that they know, and that is on record."""
    async with open_desk(tmp_path) as desk:
        client, user = await duty_officer(desk)
        glass = await broken(client)
        assert (await client.delete(f"/api/v1/glass/{glass}")).status_code == 204
        await desk.person("supervisor", "sue")
        await desk.person("supervisor", "sid")
    async with started_again(tmp_path) as desk:
        sue, sid = await desk.again("sue"), await desk.again("sid")
        (told,) = await waiting(sue)
        assert {key: told[key] for key in ("id", "user", "name", "reason")} == {
            "id": glass, "user": user, "name": "Mo", "reason": REASON,
        }  # fmt: skip
        assert told["start"] < told["end"]
        assert await waiting(sid) == [told]
        async with desk.socket(sid, "/api/v1/events") as socket:
            said = await heard(socket)
            assert (said["id"], said["over"], said["reason"], said["until"]) == (glass, True, REASON, told["end"])
            assert await seen(sue, glass) == 204
            assert await heard(socket) == {"t": "glass", "id": glass, "over": True, "acknowledged": True}
        assert await waiting(sid) == []
        (recorded,) = await desk.audit("access.glass-acknowledged")
        assert (recorded.actor, recorded.subject, json.loads(recorded.details)["user"]) == ("sue", glass, user)
        assert await seen(sid, glass) == 404
    async with started_again(tmp_path) as desk:
        assert await waiting(await desk.again("sid")) == []


async def heard(socket: ClientConnection) -> dict[str, Any]:
    """Return the next that is said of the glass."""
    while True:
        message: dict[str, Any] = json.loads(await socket.recv())
        if message["t"] == "glass":
            return message


async def test_what_ran_out_by_itself_waits_too(tmp_path: Path) -> None:
    """It is told as over, with the end that it had; the oldest is told first."""
    clock = LeapingClock()
    async with open_desk(tmp_path, clock=clock) as desk:
        client, _ = await duty_officer(desk)
        first = await broken(client, minutes=5)
        clock.leap(600)
        second = await broken(client, minutes=5)
        assert [one["id"] for one in (await desk.admin.get("/api/v1/glass")).json()] == [second]
        one, other = await waiting(desk.admin)
        assert [one["id"], other["id"]] == [first, second]
        assert (datetime.fromisoformat(one["end"]) - datetime.fromisoformat(one["start"])).total_seconds() == 300


async def test_nobody_acknowledges_their_own(desk: Desk) -> None:
    """Nor does a program, whoever's; nor who does not supervise. It waits for somebody else."""
    glass = await broken(desk.admin)
    assert await seen(desk.admin, glass) == 403
    assert await seen(await desk.token("supervisor"), glass) == 403
    assert await seen(await desk.person("operator", "ann"), glass) == 403
    assert [one["id"] for one in await waiting(desk.admin)] == [glass]
    assert await desk.audit("access.glass-acknowledged") == []
    assert await seen(await desk.person("supervisor", "sue"), glass) == 204
    assert [one["id"] for one in (await desk.admin.get("/api/v1/glass")).json()] == [glass]
    assert await waiting(desk.admin) == []


async def test_who_broke_it_may_be_removed_and_it_is_told_of_still(desk: Desk) -> None:
    """With the name that they had, and the end that their removal put to it."""
    client, user = await duty_officer(desk)
    glass = await broken(client, minutes=60)
    assert (await desk.admin.delete(f"/api/v1/users/{user}")).status_code == 204
    assert (await desk.admin.get("/api/v1/glass")).json() == []
    (told,) = await waiting(desk.admin)
    assert (told["id"], told["name"], told["reason"]) == (glass, "Mo", REASON)
    assert datetime.fromisoformat(told["end"]) - datetime.fromisoformat(told["start"]) < timedelta(minutes=59)
    assert await seen(desk.admin, glass) == 204


async def test_a_grant_that_is_taken_away_ends_it_then(desk: Desk) -> None:
    """Under Rights an administrator ends it by its grant: what waits says when that was."""
    client, _ = await duty_officer(desk)
    glass = await broken(client, minutes=60)
    assert (await desk.admin.delete(f"/api/v1/grants/{glass}")).status_code == 204
    (told,) = await waiting(desk.admin)
    assert datetime.fromisoformat(told["end"]) - datetime.fromisoformat(told["start"]) < timedelta(minutes=59)


async def test_only_who_supervises_is_told(desk: Desk) -> None:
    """By its route and by the events alike, and for as long as they do."""
    client, _ = await duty_officer(desk)
    glass = await broken(client)
    assert (await client.delete(f"/api/v1/glass/{glass}")).status_code == 204
    ann = await desk.person("operator", "ann")
    user = (await ann.get("/api/v1/session")).json()["user"]["id"]
    role = await desk.admin.post("/api/v1/roles", json={"name": "Shift lead", "permissions": ["supervise"]})
    assert (await ann.get("/api/v1/glass/unacknowledged")).status_code == 403
    async with desk.socket(ann, "/api/v1/events") as socket:
        grant = await desk.admin.post("/api/v1/grants", json={"role": role.json()["id"], "user": user})
        assert (await heard(socket))["id"] == glass
        assert (await desk.admin.delete(f"/api/v1/grants/{grant.json()['id']}")).status_code == 204
        assert (await ann.get("/api/v1/glass/unacknowledged")).status_code == 403
        assert await seen(desk.admin, glass) == 204
        said: list[str] = []
        while said.count("time") < 2:
            said.append(json.loads(await socket.recv())["t"])
        assert "glass" not in said
