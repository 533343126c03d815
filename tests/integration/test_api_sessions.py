"""Sessions over the API: locked when nobody touches them, wallboards, listed and ended."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from gateway.access.identity import SessionState
from gateway.access.service import SESSIONS_MAX
from gateway.api.ledger import Ledger
from tests.fakes.desk import PASSWORD, Desk, open_desk, settings_in
from tests.fakes.outside import officer
from tests.fakes.waiting import until

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway that locks nothing by itself: each test does."""
    async with open_desk(tmp_path, settings=settings_in(tmp_path, lock_after_s=0)) as opened:
        yield opened


async def lock(client: httpx.AsyncClient, state: str = "locked") -> None:
    """Lock the session of a browser."""
    answer = await client.put("/api/v1/session/state", json={"state": state})
    assert answer.status_code == 204, answer.text


async def ended(socket: ClientConnection) -> int | None:
    """Read until a socket is closed; return with which code."""
    with suppress(ConnectionClosed):
        async for _ in socket:
            pass
    return socket.close_code


async def told(socket: ClientConnection, kind: str) -> dict[str, object]:
    """Read until a message of a kind comes."""
    while True:
        message: dict[str, object] = json.loads(await socket.recv())
        if message["t"] == kind:
            return message


@pytest.mark.parametrize("state", ["locked", "wall"])
async def test_a_locked_session_only_views(desk: Desk, state: str) -> None:
    """The list and the live pictures answer; recordings, people and the account say that it is locked."""
    camera = await desk.enrol()
    await lock(desk.admin, state)
    session = (await desk.admin.get("/api/v1/session")).json()
    assert (session["state"], session["user"]["permissions"]) == (state, ["signed_in", "view_live"])
    assert (await desk.admin.get("/api/v1/cameras")).status_code == 200
    await desk.watch(desk.admin, camera)
    window = "start=2026-01-01T00:00:00Z&end=2026-01-01T00:00:01Z"
    for method, path in (
        ("get", f"/api/v1/cameras/{camera}/timeline?{window}"),
        ("get", "/api/v1/users"),
        ("get", "/api/v1/audit"),
        ("get", "/api/v1/session/factors"),
        ("post", "/api/v1/session/factors/totp"),
        ("get", "/api/v1/sessions"),
        ("delete", "/api/v1/sessions"),
        ("post", "/api/v1/session/active"),
        ("put", "/api/v1/session/password"),
    ):
        body = {"current": PASSWORD, "new": "another four unrelated words"} if method == "put" else None
        answer = await desk.admin.request(method.upper(), path, json=body)
        # What needs a proof says so first; that the session is locked is said by all others.
        assert answer.status_code == 403, (path, answer.text)
        assert answer.json()["type"] in {"access.locked", "access.confirm"}, path


async def test_unlocking_gives_everything_back(desk: Desk) -> None:
    """With the password; a wrong one leaves it locked. Both are on record."""
    await lock(desk.admin)
    assert (await desk.admin.post("/api/v1/session/confirm", json={"password": "wrong"})).status_code == 401
    assert (await desk.admin.get("/api/v1/users")).status_code == 403
    assert (await desk.admin.post("/api/v1/session/confirm", json={"password": PASSWORD})).status_code == 204
    assert (await desk.admin.get("/api/v1/users")).status_code == 200
    (locked,) = await desk.audit("access.locked")
    assert json.loads(locked.details) == {"state": "locked"}
    assert [entry.outcome for entry in await desk.audit("access.unlocked")] == ["failed", "done"]


async def test_locking_lets_go_of_the_stick(desk: Desk) -> None:
    """The socket closes with a code of its own, and the stick's end is on record."""
    camera = await desk.enrol()
    async with desk.socket(desk.admin, f"/api/v1/cameras/{camera}/steer") as socket:
        await socket.send(json.dumps({"t": "take", "n": 1}))
        await told(socket, "stick")
        await lock(desk.admin)
        assert await ended(socket) == 4403
    (left,) = await desk.audit("steer.ended")
    assert json.loads(left.details)["reason"] in {"locked", "socket closed"}


async def test_locking_leaves_the_pictures(desk: Desk) -> None:
    """What is watched live goes on; the console is told to draw the veil, and to lift it."""
    camera = await desk.enrol()
    await desk.watch(desk.admin, camera)
    async with desk.socket(desk.admin, "/api/v1/events") as socket:
        await lock(desk.admin)
        assert await told(socket, "session") == {"t": "session", "state": "locked"}
        await desk.admin.post("/api/v1/session/confirm", json={"password": PASSWORD})
        assert await told(socket, "session") == {"t": "session", "state": "open"}
    ledger: Ledger = desk.gateway.rooms.ledger
    assert [span.camera for span in ledger.going_on("view")] == [camera]


async def test_a_locked_console_does_not_become_a_wallboard(desk: Desk) -> None:
    """That would keep it from ending; a wallboard may be locked."""
    await lock(desk.admin)
    answer = await desk.admin.put("/api/v1/session/state", json={"state": "wall"})
    assert (answer.status_code, answer.json()["type"]) == (403, "access.locked")
    assert (await desk.admin.put("/api/v1/session/state", json={"state": "open"})).status_code == 422


async def test_an_idle_console_locks_by_itself(tmp_path: Path) -> None:
    """After its time without a hand; asking for things does not keep it open, a hand does."""
    async with open_desk(tmp_path, settings=settings_in(tmp_path, lock_after_s=3600)) as desk:
        async with desk.gateway.database.write() as connection:
            await connection.exec_driver_sql("UPDATE sessions SET active_ns = active_ns - 3500000000000")
        assert (await desk.admin.post("/api/v1/session/active")).status_code == 204
        assert (await desk.admin.get("/api/v1/session")).json()["state"] == SessionState.OPEN
        async with desk.gateway.database.write() as connection:
            await connection.exec_driver_sql("UPDATE sessions SET active_ns = active_ns - 3700000000000")
        answers = [await desk.admin.get("/api/v1/session") for _ in range(2)]
        assert [answer.json()["state"] for answer in answers] == [SessionState.LOCKED] * 2
        (locked,) = await desk.audit("access.locked")
        assert (locked.actor, json.loads(locked.details)) == ("root", {"state": "locked", "how": "idle"})


async def test_ones_own_sessions_are_listed(desk: Desk) -> None:
    """Since when, from where, by which browser, how; and which is this one."""
    browser = await desk.anybody(User_Agent=FIREFOX)
    await browser.post("/api/v1/session", json={"username": "root", "password": PASSWORD})
    here, other = (await browser.get("/api/v1/sessions")).json()
    assert (here["current"], other["current"]) == (True, False)
    assert (here["browser"], here["address"]) == ("Firefox 140 on Windows", "127.0.0.1")
    assert (here["methods"], here["state"], here["username"]) == (["password"], "open", "root")


async def test_a_session_is_ended_from_another(desk: Desk) -> None:
    """It is over at once, with what goes on through it, and on record."""
    lost = await desk.anybody()
    await lost.post("/api/v1/session", json={"username": "root", "password": PASSWORD})
    (entry,) = [one for one in (await desk.admin.get("/api/v1/sessions")).json() if not one["current"]]
    async with desk.socket(lost, "/api/v1/events") as socket:
        assert (await desk.admin.delete(f"/api/v1/sessions/{entry['id']}")).status_code == 204
        assert await ended(socket) == 4401
    assert (await lost.get("/api/v1/session")).status_code == 401
    (recorded,) = await desk.audit("access.session-ended")
    assert json.loads(recorded.details) == {"session": entry["id"]}


async def test_all_others_are_ended_at_once(desk: Desk) -> None:
    """This one stays."""
    others = [await desk.anybody() for _ in range(2)]
    for other in others:
        await other.post("/api/v1/session", json={"username": "root", "password": PASSWORD})
    assert (await desk.admin.delete("/api/v1/sessions")).status_code == 204
    assert [(await other.get("/api/v1/session")).status_code for other in others] == [401, 401]
    assert (await desk.admin.get("/api/v1/session")).status_code == 200


async def test_anothers_sessions_are_an_administrators_business(desk: Desk) -> None:
    """An operator neither sees nor ends them; an administrator does both."""
    olga = await desk.person("operator", "olga")
    (hers,) = (await olga.get("/api/v1/sessions")).json()
    (roots,) = (await desk.admin.get("/api/v1/sessions")).json()
    assert (await olga.get(f"/api/v1/sessions?user_id={roots['user_id']}")).status_code == 403
    assert (await olga.get("/api/v1/sessions?user_id=*")).status_code == 403
    assert (await olga.delete(f"/api/v1/sessions/{roots['id']}")).status_code == 404
    everybody = (await desk.admin.get("/api/v1/sessions?user_id=*")).json()
    assert {one["username"] for one in everybody} == {"root", "olga"}
    assert [one["id"] for one in (await desk.admin.get(f"/api/v1/sessions?user_id={hers['user_id']}")).json()] == [
        hers["id"]
    ]
    assert (await desk.admin.delete(f"/api/v1/sessions/{hers['id']}")).status_code == 204
    assert (await olga.get("/api/v1/session")).status_code == 401


async def test_signing_in_anew_ends_the_browsers_earlier_session(desk: Desk) -> None:
    """Whoever sits down next leaves nobody else's session open behind theirs, and the record says so."""
    await desk.person("operator", "olga")
    browser = await desk.person("viewer", "vera")
    before = browser.cookies["sightline"]
    camera = await desk.enrol()
    await desk.watch(browser, camera)
    signed = await browser.post("/api/v1/session", json={"username": "olga", "password": PASSWORD})
    assert signed.json()["user"]["username"] == "olga"
    await until(lambda: not desk.host.viewers, what="the end of the earlier session's view")
    left = await desk.anybody()
    left.cookies.set("sightline", before)
    assert (await left.get("/api/v1/session")).status_code == 401
    (ended,) = await desk.audit("access.session-ended")
    assert (ended.actor, '"reason":"signed in anew"' in ended.details) == ("vera", True)


async def test_signing_out_has_the_browser_forget(desk: Desk) -> None:
    """What it kept of pages; not all cookies, which would be those of the borough's other sites as well."""
    answer = await (await desk.person("viewer")).delete("/api/v1/session")
    assert answer.headers["clear-site-data"] == '"cache"'
    pc = await officer(desk)
    assert (await pc.browser.delete("/api/v1/session")).headers["clear-site-data"] == '"cache", "storage"'


async def test_only_who_enrols_sees_where_cameras_are_on_the_network(desk: Desk) -> None:
    """An address is a door to the camera network; operators need none to see, steer and share."""
    camera = await desk.enrol()
    for role, address in (("administrator", "192.0.2.1"), ("supervisor", None), ("operator", None), ("viewer", None)):
        person = await desk.person(role, f"one-{role}")
        shown = await person.get(f"/api/v1/cameras/{camera}")
        assert shown.json()["address"] == address
        assert ("192.0.2.1" in (await person.get("/api/v1/cameras")).text) is (address is not None)


async def test_no_program_breaks_the_glass(desk: Desk) -> None:
    """The reason is somebody's own."""
    wish = {"reason": "A fire in the arcade"}
    assert (await (await desk.token("operator")).post("/api/v1/glass", json=wish)).status_code == 403
    assert (await (await desk.person("operator")).post("/api/v1/glass", json=wish)).status_code == 201


async def test_a_session_too_many_is_on_record_as_ended(desk: Desk) -> None:
    """The one used longest ago: here the browser that was there first."""
    (root,) = await desk.gateway.rooms.people.users()
    for _ in range(SESSIONS_MAX):
        await desk.gateway.rooms.access.open_session(root, address="192.0.2.7", methods=("password",))
    assert (await desk.admin.get("/api/v1/session")).status_code == 401
    (ended,) = await desk.audit("access.session-ended")
    assert (ended.actor, json.loads(ended.details)["reason"]) == ("root", "too many sessions of one person")
