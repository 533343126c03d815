"""Groups, teams, roles, grants and the glass: kept over the API, and what they allow begins and ends with them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from gateway.access.permissions import Role
from gateway.api.lasting import Lasting, lasting
from gateway.db.engine import open_database, sqlite_url
from gateway.db.rights import RightsRows
from tests.fakes.desk import PASSWORD, Desk, open_desk
from tests.fakes.waiting import until

SQUARE = [[51.0, -1.0], [51.0, 0.0], [52.0, 0.0], [52.0, -1.0]]


@pytest_asyncio.fixture
async def unlooking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """Return a gateway that never looks by itself for rights that have ended: what ends is a call's doing."""
    monkeypatch.setattr("gateway.access.decision.LOOK_S", 86_400.0)
    monkeypatch.setattr("gateway.app.SWEEP_SESSIONS_S", 86_400.0)
    async with open_desk(tmp_path) as desk:
        yield desk


async def member(desk: Desk, username: str = "mia") -> tuple[httpx.AsyncClient, str]:
    """Return the browser of a member, who may do nothing yet, and who they are."""
    body = {"username": username, "role": "member", "password": PASSWORD, "name": username.title()}
    user: str = (await desk.admin.post("/api/v1/users", json=body)).json()["id"]
    client = await desk.anybody()
    assert (await client.post("/api/v1/session", json={"username": username, "password": PASSWORD})).status_code == 200
    return client, user


async def made(desk: Desk, what: str, **wish: Any) -> dict[str, Any]:
    """Return what the administrator made."""
    answer = await desk.admin.post(f"/api/v1/{what}", json=wish)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def hear(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next message of a kind."""
    while True:
        message: dict[str, Any] = json.loads(await socket.recv())
        if message["t"] == kind:
            return message


@asynccontextmanager
async def holding(desk: Desk, client: httpx.AsyncClient, camera: str) -> AsyncIterator[ClientConnection]:
    """Give a steering socket that holds the stick."""
    async with desk.socket(client, f"/api/v1/cameras/{camera}/steer") as socket:
        await socket.send(json.dumps({"t": "take"}))
        while not (await hear(socket, "stick"))["mine"]:
            pass
        yield socket


async def test_a_member_sees_the_cameras_of_their_group_alone(desk: Desk) -> None:
    """The list, the events and the map's middle know only what was granted."""
    here = await desk.enrol(group="High Street")
    client, user = await member(desk)
    assert (await client.get("/api/v1/cameras")).status_code == 403
    group = await made(desk, "groups", name="Shops", label="high street")
    await made(desk, "grants", role="viewer", user=user, group=group["id"])
    assert [(one["id"], one["may"]) for one in (await client.get("/api/v1/cameras")).json()] == [
        (here, ["still", "view_live", "view_recorded"])
    ]
    await desk.admin.patch(f"/api/v1/cameras/{here}", json={"group": "Elsewhere"})
    assert (await client.get("/api/v1/cameras")).json() == []
    assert (await client.get(f"/api/v1/cameras/{here}")).status_code == 403


async def test_a_group_follows_where_a_camera_stands(desk: Desk) -> None:
    """A camera that is put up inside an area is in its group from then on, and out of it once it has moved."""
    camera = await desk.enrol(latitude=53.0, longitude=-0.5)
    client, user = await member(desk)
    group = await made(desk, "groups", name="Borough", area=SQUARE)
    await made(desk, "grants", role="viewer", user=user, group=group["id"])
    assert (await client.get(f"/api/v1/cameras/{camera}")).status_code == 403
    await desk.admin.patch(f"/api/v1/cameras/{camera}", json={"place": {"latitude": 51.5, "longitude": -0.5}})
    assert (await client.get(f"/api/v1/cameras/{camera}")).status_code == 200
    assert (await desk.admin.get("/api/v1/groups")).json()[0]["holds"] == [camera]
    await desk.admin.patch(f"/api/v1/cameras/{camera}", json={"place": {"latitude": 53.0, "longitude": -0.5}})
    assert (await client.get(f"/api/v1/cameras/{camera}")).status_code == 403


async def test_groups_nest(desk: Desk) -> None:
    """Who holds a group holds those below it."""
    camera = await desk.enrol()
    client, user = await member(desk)
    top = await made(desk, "groups", name="Borough")
    middle = await made(desk, "groups", name="North", parent=top["id"])
    await made(desk, "groups", name="Park", parent=middle["id"], cameras=[camera])
    await made(desk, "grants", role="viewer", user=user, group=top["id"])
    assert (await client.get(f"/api/v1/cameras/{camera}")).status_code == 200
    below = {**middle, "parent": middle["id"]}
    wish = {key: below[key] for key in ("name", "parent", "label", "area", "cameras")}
    refused = await desk.admin.put(f"/api/v1/groups/{middle['id']}", json=wish)
    assert (refused.status_code, refused.json()["type"]) == (422, "access.rights")


async def test_a_team_is_granted_and_left(desk: Desk) -> None:
    """What is granted to a team is its members' for as long as they are in it."""
    camera = await desk.enrol()
    client, user = await member(desk)
    team = await made(desk, "teams", name="Night shift", users=[user])
    await made(desk, "grants", role="operator", team=team["id"])
    assert (await client.get(f"/api/v1/cameras/{camera}")).json()["may"] == [
        "export", "hold", "share", "steer", "still", "view_live", "view_recorded",
    ]  # fmt: skip
    await desk.admin.put(f"/api/v1/teams/{team['id']}", json={"name": "Night shift", "users": []})
    assert (await client.get(f"/api/v1/cameras/{camera}")).status_code == 403


async def test_a_right_taken_away_ends_views_at_their_host(unlooking: Desk) -> None:
    """The viewer is cut off with the call, not at the next sweep, and the old address answers no more."""
    desk = unlooking
    camera = await desk.enrol()
    client, user = await member(desk)
    grant = await made(desk, "grants", role="viewer", user=user)
    view = await desk.watch(client, camera)
    await desk.watch(desk.admin, camera)
    assert (await desk.admin.delete(f"/api/v1/grants/{grant['id']}")).status_code == 204
    await until(lambda: len(desk.host.viewers) == 1, what="the end of the view")
    assert [viewer.who for viewer in desk.host.viewers.values()] == ["root"]
    assert (await client.patch(view, content=b"")).status_code == 403


async def test_a_right_taken_away_takes_the_stick(unlooking: Desk) -> None:
    """The socket closes with 4403, and the host has the stick back."""
    desk = unlooking
    camera = await desk.enrol()
    client, user = await member(desk)
    grant = await made(desk, "grants", role="operator", user=user)
    async with holding(desk, client, camera) as socket:
        await desk.admin.delete(f"/api/v1/grants/{grant['id']}")
        with pytest.raises(ConnectionClosed):
            await hear(socket, "never")
        assert (socket.close_code, socket.close_reason) == (4403, "You may not steer this camera any more.")
    await until(lambda: len(desk.host.dropped) == 1, what="the stick")


async def test_a_right_taken_away_ends_playback(desk: Desk) -> None:
    """The next fragment is refused, and the playback is over in the audit."""
    camera = await desk.enrol()
    client, user = await member(desk)
    grant = await made(desk, "grants", role="viewer", user=user)
    span = {"start": "2026-09-01T12:00:00Z", "end": "2026-09-01T12:10:00Z"}
    where = f"/api/v1/cameras/{camera}/hls/main"
    assert (await client.get(f"{where}/index.m3u8", params=span)).status_code == 200
    await desk.admin.delete(f"/api/v1/grants/{grant['id']}")
    assert (await client.get(f"{where}/f-1.m4s")).status_code == 403
    (ended,) = await desk.audit("playback.ended")
    assert json.loads(ended.details)["reason"] == "right ended"


ENDINGS = {"right": "right ended", "session": "session ended", "lock": "locked"}


async def ended_by(desk: Desk, ends: str, client: httpx.AsyncClient, grant: str) -> None:
    """Have somebody's right or session end, or lock their session."""
    if ends == "right":
        answer = await desk.admin.delete(f"/api/v1/grants/{grant}")
    elif ends == "session":
        answer = await client.delete("/api/v1/session")
    else:
        answer = await client.put("/api/v1/session/state", json={"state": "locked"})
    assert answer.is_success, answer.text


@pytest.mark.parametrize("ends", ENDINGS)
async def test_an_export_is_broken_off(desk: Desk, ends: str) -> None:
    """What was not sent yet is not sent, the client sees that the clip is not whole, and the audit says why."""
    camera = await desk.enrol()
    client, user = await member(desk)
    grant = await made(desk, "grants", role="operator", user=user)
    desk.host.exporting.clear()
    span = {"start": "2026-09-01T12:00:00Z", "end": "2026-09-01T12:10:00Z"}
    async with client.stream("GET", f"/api/v1/cameras/{camera}/clip.mp4", params=span) as answer:
        pieces = answer.aiter_bytes()
        assert await anext(pieces) == b"ftyp"
        await ended_by(desk, ends, client, grant["id"])
        desk.host.exporting.set()
        with pytest.raises(httpx.RemoteProtocolError):
            await anext(pieces)
    _, broken = await desk.audit("export.clip")
    assert (broken.outcome, json.loads(broken.details)["error"]) == ("failed", ENDINGS[ends])


@pytest.mark.parametrize("ends", ENDINGS)
async def test_an_export_whose_right_ends_while_it_is_asked_for_never_begins(desk: Desk, ends: str) -> None:
    """Between the permission and the host's first word: refused, not one byte is sent, and the audit says why."""
    camera = await desk.enrol()
    client, user = await member(desk)
    grant = await made(desk, "grants", role="operator", user=user)
    desk.host.slow.clear()
    span = {"start": "2026-09-01T12:00:00Z", "end": "2026-09-01T12:10:00Z"}
    asking = asyncio.create_task(client.get(f"/api/v1/cameras/{camera}/clip.mp4", params=span))
    await until(lambda: f"GET /cameras/{camera}/export/main" in desk.host.asked, what="the host to be asked")
    await ended_by(desk, ends, client, grant["id"])
    desk.host.slow.set()
    answer = await asking
    assert (answer.status_code, b"ftyp" in answer.content) == (403, False)
    (refused,) = await desk.audit("export.clip")
    assert (refused.outcome, json.loads(refused.details)["error"]) == ("refused", ENDINGS[ends])


@pytest.mark.parametrize("ends", ENDINGS)
async def test_an_export_that_was_let_in_too_early_never_begins(
    desk: Desk, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ends after the guard has let the request in, and before anything listens, ends it as well."""
    camera = await desk.enrol()
    client, user = await member(desk)
    grant = await made(desk, "grants", role="operator", user=user)
    let_in, go_on = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def later(*args: Any) -> AsyncIterator[Lasting]:
        let_in.set()
        await go_on.wait()
        async with lasting(*args) as it:
            yield it

    monkeypatch.setattr("gateway.api.playback.lasting", later)
    span = {"start": "2026-09-01T12:00:00Z", "end": "2026-09-01T12:10:00Z"}
    asking = asyncio.create_task(client.get(f"/api/v1/cameras/{camera}/clip.mp4", params=span))
    await let_in.wait()
    await ended_by(desk, ends, client, grant["id"])
    go_on.set()
    assert (await asking).status_code == 403


async def test_an_open_console_is_told_of_its_rights(desk: Desk) -> None:
    """The events socket says that rights changed, tells the new cameras' states, and nothing of others."""
    camera = await desk.enrol()
    other, user = await member(desk)
    group = await made(desk, "groups", name="Park")
    await made(desk, "grants", role="viewer", user=user, group=group["id"])
    async with desk.socket(other, "/api/v1/events") as socket:
        assert json.loads(await socket.recv())["t"] == "time"
        await desk.admin.put(f"/api/v1/groups/{group['id']}", json={"name": "Park", "cameras": [camera]})
        await hear(socket, "rights")
        assert (await hear(socket, "camera"))["id"] == camera


async def test_another_process_is_noticed(desk: Desk, tmp_path: Path) -> None:
    """What `sightline` on the machine changes in the database holds in the running gateway."""
    camera = await desk.enrol()
    client, user = await member(desk)
    grant = await made(desk, "grants", role="viewer", user=user)
    await desk.watch(client, camera)
    async with open_database(sqlite_url(tmp_path / "sightline.db")) as database, database.write() as connection:
        await RightsRows(connection).remove_grant(grant["id"])
    await until(lambda: not desk.host.viewers, what="the end of the view")


async def test_breaking_the_glass_is_loud(unlooking: Desk) -> None:
    """A supervisor is told who, why and until when; the audit says so, and what is done by it names it."""
    desk = unlooking
    camera = await desk.enrol()
    client, user = await member(desk)
    emergency = await made(desk, "roles", name="Duty officer", permissions=["break_glass"])
    await made(desk, "grants", role=emergency["id"], user=user)
    supervisor = await desk.person("supervisor", "sue")
    async with desk.socket(supervisor, "/api/v1/events") as socket:
        answer = await client.post("/api/v1/glass", json={"reason": "Stabbing at the station, no operator here"})
        assert answer.status_code == 201, answer.text
        told = await hear(socket, "glass")
    assert (told["user_id"], told["reason"]) == (user, "Stabbing at the station, no operator here")
    assert [one["id"] for one in (await supervisor.get("/api/v1/glass")).json()] == [answer.json()["id"]]
    await desk.watch(client, camera)
    assert desk.gateway.rooms.ledger.going_on("view")[0].actor.rule == f"glass:{answer.json()['id']}"
    (broken,) = await desk.audit("access.glass-broken")
    assert "Stabbing" in broken.details
    assert json.loads(broken.details)["user"] == user
    assert (await supervisor.delete(f"/api/v1/glass/{answer.json()['id']}")).status_code == 204
    await until(lambda: not desk.host.viewers, what="the end of the view")


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"reason": "because"}, "too short"),
        ({"reason": "A long enough reason, surely", "minutes": 9999}, "1 to 60 minutes"),
    ],
)
async def test_the_glass_holds_without_a_reason_or_an_end(desk: Desk, wish: dict[str, Any], why: str) -> None:
    """A reason that says nothing, or a time without end, breaks nothing."""
    answer = await desk.admin.post("/api/v1/glass", json=wish)
    assert (answer.status_code, answer.json()["type"]) == (422, "access.rights")
    assert why in answer.json()["title"]


async def test_only_one_s_own_glass_is_closed(desk: Desk) -> None:
    """Who does not supervise closes nobody else's."""
    mine = await desk.admin.post("/api/v1/glass", json={"reason": "A test of the emergency button"})
    client = await desk.person("operator", "ann")
    assert (await client.delete(f"/api/v1/glass/{mine.json()['id']}")).status_code == 404


REFUSED = [
    ("groups", {"name": "x", "area": [[1, 1], [2, 2]]}, 422, "access.rights"),
    ("groups", {"name": "x", "parent": "none"}, 404, "access.unknown"),
    ("groups", {"name": "x", "cameras": ["none"]}, 409, "database.conflict"),
    ("teams", {"name": "x", "users": ["none"]}, 409, "database.conflict"),
    ("roles", {"name": "Operator", "permissions": ["steer"]}, 422, "access.rights"),
    ("roles", {"name": "x", "permissions": ["fly"]}, 422, "api.request"),
    ("grants", {"role": "viewer"}, 422, "access.rights"),
    ("grants", {"role": "viewer", "user": "a", "team": "b"}, 422, "access.rights"),
    ("grants", {"role": "none", "user": "a"}, 404, "access.unknown"),
    ("grants", {"role": "viewer", "user": "none"}, 409, "database.conflict"),
    ("grants", {"role": "viewer", "team": "none"}, 404, "access.unknown"),
    ("grants", {"role": "viewer", "user": "a", "group": "none"}, 404, "access.unknown"),
    ("grants", {"role": "viewer", "user": "a", "end": "2020-01-01T00:00:00Z"}, 422, "access.rights"),
]


@pytest.mark.parametrize(("what", "wish", "status", "kind"), REFUSED)
async def test_what_cannot_be_is_refused(desk: Desk, what: str, wish: dict[str, Any], status: int, kind: str) -> None:
    """Each with its reason, and nothing is stored."""
    before = (await desk.admin.get(f"/api/v1/{what}")).json()
    answer = await desk.admin.post(f"/api/v1/{what}", json=wish)
    assert (answer.status_code, answer.json()["type"]) == (status, kind), answer.text
    assert (await desk.admin.get(f"/api/v1/{what}")).json() == before


@pytest.mark.parametrize("what", ["groups", "teams", "roles"])
async def test_a_name_is_taken_once(desk: Desk, what: str) -> None:
    """Two of one kind with one name would be mistaken for one another."""
    wish = {"name": "North", **({"permissions": []} if what == "roles" else {})}
    await made(desk, what, **wish)
    answer = await desk.admin.post(f"/api/v1/{what}", json=wish)
    assert answer.status_code == 409


@pytest.mark.parametrize("what", ["groups", "teams", "roles", "grants"])
async def test_what_is_not_there_cannot_be_removed(desk: Desk, what: str) -> None:
    """404, with where to look."""
    assert (await desk.admin.delete(f"/api/v1/{what}/none")).status_code == 404


async def test_the_roles_that_come_with_it_are_listed_and_stay(desk: Desk) -> None:
    """They are in the list, fixed, and cannot be changed or removed."""
    listed = (await desk.admin.get("/api/v1/roles")).json()
    assert [one["id"] for one in listed if one["fixed"]] == [role.value for role in Role]
    assert (await desk.admin.delete("/api/v1/roles/operator")).status_code == 404
    wish = {"name": "x", "permissions": ["steer"]}
    assert (await desk.admin.put("/api/v1/roles/operator", json=wish)).status_code == 404


async def test_removing_a_group_ends_what_was_granted_over_it(desk: Desk) -> None:
    """And a role that is removed takes its grants with it."""
    camera = await desk.enrol()
    client, user = await member(desk)
    group = await made(desk, "groups", name="Park", cameras=[camera])
    role = await made(desk, "roles", name="Looker", permissions=["view_live"])
    await made(desk, "grants", role="viewer", user=user, group=group["id"])
    await made(desk, "grants", role=role["id"], user=user)
    await desk.admin.delete(f"/api/v1/groups/{group['id']}")
    assert (await client.get(f"/api/v1/cameras/{camera}")).json()["may"] == ["view_live"]
    await desk.admin.delete(f"/api/v1/roles/{role['id']}")
    assert (await client.get(f"/api/v1/cameras/{camera}")).status_code == 403
    assert (await desk.admin.get("/api/v1/grants")).json() == []


async def test_every_change_is_recorded(desk: Desk) -> None:
    """Who changed which group, team, role or grant."""
    user = (await desk.admin.get("/api/v1/users")).json()[0]["id"]
    for what, wish in (
        ("groups", {"name": "a"}),
        ("teams", {"name": "a", "users": [user]}),
        ("roles", {"name": "a", "permissions": ["steer"]}),
        ("grants", {"role": "viewer", "user": user, "reason": "Holiday cover"}),
    ):
        one = await made(desk, what, **wish)
        assert (await desk.admin.delete(f"/api/v1/{what}/{one['id']}")).status_code == 204
    recorded = [entry.action for entry in await desk.audit()]
    assert recorded[-8:] == [
        "group.added", "group.removed", "team.added", "team.removed",
        "role.added", "role.removed", "grant.added", "grant.removed",
    ]  # fmt: skip
    (granted,) = await desk.audit("grant.added")
    assert "Holiday cover" in granted.details
