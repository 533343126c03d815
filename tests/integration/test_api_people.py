"""Signing in and out over the API, users and tokens, the audit read and checked, headers, problems."""

import json
from pathlib import Path

import httpx
import pytest

from config.map import MapSettings
from tests.fakes.desk import PASSWORD, Desk, open_desk, settings_in

NEXT_PASSWORD = "another four unrelated words"


async def sign_in(
    desk: Desk, username: str = "root", password: str = PASSWORD
) -> tuple[httpx.AsyncClient, httpx.Response]:
    """Try to sign in with a fresh browser."""
    client = await desk.anybody()
    return client, await client.post("/api/v1/session", json={"username": username, "password": password})


async def test_the_cookie_is_out_of_reach_of_scripts_and_sites(desk: Desk) -> None:
    """HttpOnly, SameSite=Strict, for the whole path; on plain loopback HTTP without Secure."""
    _, answer = await sign_in(desk)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("sightline=")
    for part in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=604800"):
        assert part in cookie
    assert "Secure" not in cookie


async def test_setting_up_works_once(desk: Desk) -> None:
    """The code that made the administrator is used up, and told as such."""
    nobody = await desk.anybody()
    assert (await nobody.get("/api/v1/setup")).json() == {"needed": False}
    body = {"code": desk.gateway.setup_code, "username": "eve", "password": PASSWORD}
    assert (await nobody.post("/api/v1/setup", json=body)).status_code == 409
    (entry,) = [entry for entry in await desk.audit("access.set-up") if entry.outcome == "failed"]
    assert entry.actor == "eve"


async def test_who_is_signed_in_is_told(desk: Desk) -> None:
    """User, permissions, and the time here."""
    session = (await desk.admin.get("/api/v1/session")).json()
    assert session["user"]["username"] == "root"
    assert "administer" in session["user"]["permissions"]
    assert session["server_time"].endswith("Z")


async def test_signing_out_ends_the_session(desk: Desk) -> None:
    """The cookie is taken back, and opens nothing if it was kept."""
    client, _ = await sign_in(desk)
    kept = dict(client.cookies)
    assert (await client.delete("/api/v1/session")).status_code == 204
    assert "sightline" not in client.cookies
    client.cookies.update(kept)
    assert (await client.get("/api/v1/session")).status_code == 401
    assert [entry.action for entry in await desk.audit()][-2:] == ["access.sign-in", "access.sign-out"]


async def test_failed_sign_ins_are_recorded_and_limited(desk: Desk) -> None:
    """Each is on record with the name that was tried; after some, 429 says how long to wait."""
    await desk.person("operator", "olga")
    statuses = [(await sign_in(desk, "olga", "wrong"))[1].status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    _, answer = await sign_in(desk, "olga")
    assert (answer.status_code, answer.json()["type"]) == (429, "access.too-many-attempts")
    assert int(answer.headers["retry-after"]) > 0
    failed = [entry for entry in await desk.audit("access.sign-in") if entry.outcome == "failed"]
    assert {entry.actor for entry in failed} == {"olga"}
    assert "wrong" not in str(failed)


@pytest.mark.parametrize("body", [{}, {"username": "root"}, {"code": "AAAA"}, {"username": "", "password": ""}])
async def test_half_a_sign_in_is_a_failed_one(desk: Desk, body: dict[str, str]) -> None:
    """401, whatever is missing."""
    assert (await (await desk.anybody()).post("/api/v1/session", json=body)).status_code == 401


async def test_a_one_time_code_signs_in(desk: Desk) -> None:
    """As the demo prints it."""
    (user,) = await desk.gateway.rooms.people.users()
    code = await desk.gateway.rooms.access.new_sign_in_code(user.id)
    answer = await (await desk.anybody()).post("/api/v1/session", json={"code": code})
    assert answer.json()["user"]["username"] == "root"
    assert json.loads((await desk.audit("access.sign-in"))[-1].details) == {"how": "code"}


async def test_one_changes_ones_own_password(desk: Desk) -> None:
    """With the current one; this session stays, others end."""
    other, _ = await sign_in(desk)
    wrong = {"current": "wrong", "new": NEXT_PASSWORD}
    assert (await desk.admin.put("/api/v1/session/password", json=wrong)).status_code == 401
    right = {"current": PASSWORD, "new": NEXT_PASSWORD}
    assert (await desk.admin.put("/api/v1/session/password", json=right)).status_code == 204
    assert (await desk.admin.get("/api/v1/session")).status_code == 200
    assert (await other.get("/api/v1/session")).status_code == 401
    assert (await sign_in(desk, password=NEXT_PASSWORD))[1].status_code == 200


async def test_a_token_is_no_session(desk: Desk) -> None:
    """It neither signs out nor changes passwords."""
    program = await desk.token("administrator")
    assert (await program.delete("/api/v1/session")).status_code == 422
    right = {"current": PASSWORD, "new": NEXT_PASSWORD}
    assert (await program.put("/api/v1/session/password", json=right)).status_code == 422


async def test_users_are_kept(desk: Desk) -> None:
    """Added, listed, changed, removed; each on record, no password anywhere."""
    await desk.person("operator", "olga")
    users = (await desk.admin.get("/api/v1/users")).json()
    assert [(user["username"], user["role"]) for user in users] == [("olga", "operator"), ("root", "administrator")]
    olga = users[0]["id"]
    body = {"role": "viewer", "name": "Olga P.", "password": NEXT_PASSWORD}
    changed = (await desk.admin.patch(f"/api/v1/users/{olga}", json=body)).json()
    assert (changed["role"], changed["name"]) == ("viewer", "Olga P.")
    assert (await sign_in(desk, "olga", NEXT_PASSWORD))[1].status_code == 200
    assert (await desk.admin.delete(f"/api/v1/users/{olga}")).status_code == 204
    assert (await desk.admin.delete(f"/api/v1/users/{olga}")).status_code == 404
    entries = await desk.audit()
    assert {"user.added", "user.changed", "user.removed"} <= {entry.action for entry in entries}
    assert NEXT_PASSWORD not in str(entries)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "root", "role": "viewer", "password": PASSWORD}, 409),
        ({"username": "vera", "role": "viewer", "password": "tiny"}, 422),
        ({"username": "vera", "role": "king", "password": PASSWORD}, 422),
        ({"username": "a b", "role": "viewer", "password": PASSWORD}, 409),
    ],
)
async def test_a_user_that_cannot_be_is_a_problem(desk: Desk, body: dict[str, str], status: int) -> None:
    """Taken names, weak passwords, unknown roles."""
    answer = await desk.admin.post("/api/v1/users", json=body)
    assert answer.status_code == status
    assert answer.json()["title"]
    assert body["password"] not in answer.text


async def test_a_token_is_shown_once(desk: Desk) -> None:
    """Then it is known by its name alone, until it is revoked."""
    body = {"name": "wall", "role": "viewer", "days": 30}
    made = (await desk.admin.post("/api/v1/tokens", json=body)).json()
    listed = await desk.admin.get("/api/v1/tokens")
    assert made["token"] not in listed.text
    assert [token["name"] for token in listed.json()] == ["wall"]
    program = await desk.anybody(Authorization=f"Bearer {made['token']}")
    assert (await program.get("/api/v1/cameras")).status_code == 200
    assert (await desk.admin.delete(f"/api/v1/tokens/{made['id']}")).status_code == 204
    assert (await program.get("/api/v1/cameras")).status_code == 401


async def test_the_audit_is_read_page_by_page(desk: Desk) -> None:
    """Newest first, filtered, and its reading is itself on record."""
    for number in range(3):
        await desk.person("viewer", f"viewer{number}")
    await desk.gateway.trail.settled()
    first = (await desk.admin.get("/api/v1/audit", params={"action": "user.added", "limit": 2})).json()
    assert [entry["details"]["username"] for entry in first["entries"]] == ["viewer2", "viewer1"]
    rest = (await desk.admin.get("/api/v1/audit", params={"action": "user.added", "before": first["before"]})).json()
    assert [entry["details"]["username"] for entry in rest["entries"]] == ["viewer0"]
    assert rest["before"] is None
    nothing = await desk.admin.get(
        "/api/v1/audit", params={"end": "2020-01-01T00:00:00Z", "start": "2019-01-01T00:00:00Z"}
    )
    assert nothing.json()["entries"] == []
    assert len(await desk.audit("audit.read")) == 3


async def test_the_audit_is_checked(desk: Desk) -> None:
    """Sound, with the hash its chain ends in."""
    report = (await desk.admin.post("/api/v1/audit/verify")).json()
    assert (report["sound"], report["problems"]) == (True, [])
    assert len(report["head"]) == 64


async def test_every_answer_carries_its_headers(desk: Desk) -> None:
    """Pages, data and refusals: nothing is framed, sniffed, or kept by caches."""
    nobody = await desk.anybody()
    for path in ("/", "/healthz", "/api/v1/cameras", "/nothing", "/static/css/base.css"):
        headers = (await nobody.get(path)).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "script-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] in {"no-store", "no-cache"}
    assert (await desk.admin.get("/api/v1/cameras")).headers["cache-control"] == "no-store"


async def test_the_console_is_served_without_data(desk: Desk) -> None:
    """The page and its files are public; what is unchanged is not sent again; nothing else is reachable."""
    nobody = await desk.anybody()
    page = await nobody.get("/")
    assert page.headers["content-type"].startswith("text/html")
    again = await nobody.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await nobody.get("/static/app/main.js")).headers["content-type"].startswith("text/javascript")
    for path in ("/static/none.js", "/static/../policy.py", "/static/%2e%2e/policy.py"):
        assert (await nobody.get(path)).status_code == 404


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("PUT", "/healthz", 405)])
async def test_what_is_not_there_is_a_problem(desk: Desk, method: str, path: str, status: int) -> None:
    """Even the framework's own refusals are problem details."""
    answer = await desk.admin.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status


async def test_json_that_is_none_is_a_problem(desk: Desk) -> None:
    """A body that cannot be parsed is told as such."""
    answer = await desk.admin.post("/api/v1/users", content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (422, "api.request")


async def test_the_map_knows_its_ground_and_centre(tmp_path: Path) -> None:
    """The configured ground is served; without a configured centre it is the middle of the cameras."""
    ground = tmp_path / "ground.geojson"
    ground.write_text('{"type":"FeatureCollection","features":[]}')
    settings = settings_in(tmp_path).model_copy(update={"map": MapSettings(ground_file=ground, attribution="Us")})
    async with open_desk(tmp_path, settings=settings) as desk:
        assert (await desk.admin.get("/api/v1/map")).json()["centre"] is None
        await desk.enrol(latitude=51.0, longitude=-1.0)
        shown = (await desk.admin.get("/api/v1/map")).json()
        assert shown == {"tiles_url": None, "attribution": "Us", "centre": {"latitude": 51.0, "longitude": -1.0}}
        answer = await desk.admin.get("/api/v1/map/ground")
        assert (answer.headers["content-type"], answer.json()["features"]) == ("application/geo+json", [])
        ground.unlink()
        assert (await desk.admin.get("/api/v1/map/ground")).json()["type"] == "api.not-here"


async def test_a_map_without_ground_says_so(desk: Desk) -> None:
    """404 with the cure."""
    answer = await desk.admin.get("/api/v1/map/ground")
    assert (answer.status_code, answer.json()["title"]) == (404, "No ground is configured.")
