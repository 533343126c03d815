"""Every permission against every route, in and out of the group of cameras that it is held over: made from OpenAPI."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
import pytest_asyncio
from websockets.exceptions import InvalidStatus

from gateway.access.permissions import Permission
from gateway.api.guard import PERMISSION_KEY, PUBLIC, ROOM_KEY
from tests.fakes.desk import PASSWORD, Desk, filled, open_desk
from tests.fakes.outside import officer, share

SOCKETS = {
    "/api/v1/events": Permission.VIEW_LIVE,
    "/api/v1/cameras/{camera_id}/steer": Permission.STEER,
}
SIGNS_OUT = {("delete", "/api/v1/session")}
Where = Literal["in the group", "outside it", "everywhere"]


@dataclass(frozen=True)
class Room:
    """A gateway with two cameras, of which one is in a group, and every route of its document."""

    desk: Desk
    inside: str
    outside: str
    group: str
    operations: tuple[tuple[str, str, str], ...]
    of_the_room: frozenset[tuple[str, str]]
    """Those that answer nobody outside, whatever is shared with them."""

    async def holder(self, permission: Permission, *, group: bool) -> httpx.AsyncClient:
        """Return the browser of a member who holds this one permission, over the group or over everything."""
        admin = self.desk.admin
        name = f"{permission}-{'group' if group else 'all'}"
        role = await admin.post("/api/v1/roles", json={"name": name, "permissions": [permission]})
        body = {"username": name, "role": "member", "password": PASSWORD, "name": name}
        user = await admin.post("/api/v1/users", json=body)
        assert (role.status_code, user.status_code) == (201, 201), (role.text, user.text)
        wish = {"role": role.json()["id"], "user": user.json()["id"], "group": self.group if group else None}
        assert (await admin.post("/api/v1/grants", json=wish)).status_code == 201
        client = await self.desk.anybody()
        signed_in = await client.post("/api/v1/session", json={"username": name, "password": PASSWORD})
        assert signed_in.status_code == 200, signed_in.text
        return client


@pytest_asyncio.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Return a gateway with a camera in a group and another outside it."""
    async with open_desk(tmp_path) as desk:
        inside = await desk.enrol()
        desk.host.found = desk.host.found.model_copy(
            update={"identity": desk.host.found.identity.model_copy(update={"urn": "urn:uuid:another"})}
        )
        outside = await desk.enrol()
        group = await desk.admin.post("/api/v1/groups", json={"name": "High Street", "cameras": [inside]})
        document: dict[str, Any] = (await desk.admin.get("/api/v1/openapi.json")).json()
        operations = tuple(
            (method, path, operation[PERMISSION_KEY])
            for path, known in document["paths"].items()
            for method, operation in known.items()
            if operation[PERMISSION_KEY] != PUBLIC and (method, path) not in SIGNS_OUT
        )
        of_the_room = frozenset(
            (method, path)
            for path, known in document["paths"].items()
            for method, operation in known.items()
            if ROOM_KEY in operation
        )
        yield Room(desk, inside, outside, group.json()["id"], operations, of_the_room)


def allowed(held: Permission, needed: Permission, path: str, where: Where) -> bool:
    """Return what must come of it; the rules in one sentence each."""
    if needed is Permission.SIGNED_IN:
        return True  # every role may sign in
    if held is not needed:
        return False
    if where == "everywhere":
        return True
    if not needed.of_cameras:
        return False  # keeping users is not held over a group of cameras
    return "{camera_id}" not in path or where == "in the group"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("where", ["in the group", "outside it", "everywhere"])
async def test_a_permission_opens_its_routes_on_its_cameras(room: Room, where: Where) -> None:
    """403 wherever the permission or the camera is another, anything but 401 and 403 where both are right."""
    camera = room.outside if where == "outside it" else room.inside
    for held in Permission:
        client = await room.holder(held, group=where != "everywhere")
        asked = 0
        for method, path, needed in room.operations:
            answer = await client.request(method.upper(), filled(path, camera_id=camera, stream="main"))
            told = (held, where, method, path, answer.status_code, answer.text[:200])
            if allowed(held, Permission(needed), path, where):
                assert answer.status_code not in {401, 403}, told
            else:
                assert answer.status_code == 403, told
            asked += 1
        assert asked == len(room.operations) > 40


@pytest.mark.parametrize("where", ["in the group", "outside it", "everywhere"])
async def test_a_permission_opens_its_sockets_on_its_cameras(room: Room, where: Where) -> None:
    """A socket is refused with 403 before it is accepted, or opens."""
    camera = room.outside if where == "outside it" else room.inside
    for held in (Permission.VIEW_LIVE, Permission.STEER, Permission.EXPORT):
        client = await room.holder(held, group=where != "everywhere")
        for path, needed in SOCKETS.items():
            address = filled(path, camera_id=camera)
            if allowed(held, needed, path, where):
                async with room.desk.socket(client, address) as socket:
                    await socket.recv()
            else:
                with pytest.raises(InvalidStatus) as refused:
                    async with room.desk.socket(client, address):
                        pass
                assert refused.value.response.status_code == 403


async def test_every_permission_has_a_route(room: Room) -> None:
    """No permission is a word only: each opens something, or is what makes a person the second of two."""
    named = {Permission(needed) for _, _, needed in room.operations} | set(SOCKETS.values())
    assert named == set(Permission)


OUTSIDE = {Permission.SIGNED_IN, Permission.VIEW_LIVE, Permission.STILL}
"""What a share with stills gives, on its cameras; the stick is lent, not given."""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("where", ["shared", "not shared"])
async def test_somebody_outside_reaches_nothing_of_the_room(room: Room, where: str) -> None:
    """A partner is refused everywhere but at what is their own and, of cameras shared with them, live pictures."""
    pc = await officer(room.desk)
    await share(room.desk, pc, room.inside, stills=True)
    camera = room.inside if where == "shared" else room.outside
    reached = set()
    for method, path, needed in room.operations:
        answer = await pc.browser.request(method.upper(), filled(path, camera_id=camera, stream="main"))
        told = (where, method, path, answer.status_code, answer.text[:200])
        theirs = needed == Permission.SIGNED_IN or (Permission(needed) in OUTSIDE and where == "shared")
        if theirs and (method, path) not in room.of_the_room:
            assert answer.status_code not in {401, 403}, told
            reached.add(path)
        else:
            assert answer.status_code == 403, told
    assert {"/api/v1/shares/mine", "/api/v1/terms"} <= reached
    assert ("/whep/{camera_id}/{stream}" in reached) is (where == "shared")
    assert len(room.of_the_room) >= 8
    assert ("get", "/api/v1/cameras") in room.of_the_room


async def test_every_way_of_whep_asks_for_the_right_to_see(room: Room) -> None:
    """OPTIONS and HEAD too, and the methods that are no way: who may not see learns nothing of a camera."""
    client = await room.holder(Permission.STEER, group=False)
    for path in (f"/whep/{room.inside}/main", f"/whep/{room.inside}/main/x"):
        for method in ("OPTIONS", "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"):
            answer = await client.request(method, path)
            assert answer.status_code == 403, (method, path)
