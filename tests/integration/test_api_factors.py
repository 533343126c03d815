"""Second factors over the API: signing in with them, adding, removing, proving again who one is, and the record."""

import json
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from kernel.clock import SystemClock
from tests.fakes.authenticator import Authenticator
from tests.fakes.desk import PASSWORD, Desk, open_desk, settings_in

STEP_S = 30


async def at_name(desk: Desk, *, sign_in: bool = True) -> httpx.AsyncClient:
    """Return a browser at the gateway's name: at an IP address there are no passkeys."""
    url = desk.url.replace("127.0.0.1", "localhost")
    client = await desk.anybody(Origin=url)
    client.base_url = httpx.URL(url)
    if sign_in:
        answer = await client.post("/api/v1/session", json={"username": "root", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
    return client


async def add_passkey(client: httpx.AsyncClient, name: str) -> tuple[Authenticator, httpx.Response]:
    """Add a passkey; return it and the answer."""
    key = Authenticator(origin=client.headers["origin"])
    begun = (await client.post("/api/v1/session/factors/passkeys/options")).json()
    assert begun["options"]["rp"] == {"id": "localhost", "name": "Sightline"}
    body = {"ticket": begun["ticket"], "name": name, "credential": key.create(begun["options"])}
    answer = await client.post("/api/v1/session/factors/passkeys", json=body)
    assert (await client.post("/api/v1/session/factors/passkeys", json=body)).status_code == 401
    return key, answer


async def add_totp(client: httpx.AsyncClient) -> tuple[pyotp.TOTP, list[str]]:
    """Add an authenticator application; return it and the recovery codes."""
    offer = (await client.post("/api/v1/session/factors/totp")).json()
    application = pyotp.TOTP(offer["secret"])
    assert offer["picture"].startswith("data:image/svg+xml")
    assert f"secret={offer['secret']}&issuer=Sightline" in offer["uri"]
    body = {"ticket": offer["ticket"], "code": _code(application)}
    answer = await client.put("/api/v1/session/factors/totp", json=body)
    assert answer.status_code == 200, answer.text
    return application, answer.json()["recovery_codes"]


def _code(application: pyotp.TOTP, steps: int = 0) -> str:
    return application.at(SystemClock().wall_ns() // 10**9 + steps * STEP_S)


async def password_of(client: httpx.AsyncClient, username: str = "olga") -> httpx.Response:
    """Give a user name and the password."""
    return await client.post("/api/v1/session", json={"username": username, "password": PASSWORD})


async def test_a_code_completes_a_sign_in(desk: Desk) -> None:
    """202 with a ticket and no cookie; then the code, the cookie, and a record of how."""
    olga = await desk.person("operator", "olga")
    application, codes = await add_totp(olga)
    assert len(codes) == 10
    browser = await desk.anybody()
    due = await password_of(browser)
    assert (due.status_code, due.json()["methods"], due.json()["passkey"]) == (202, ["totp", "recovery"], None)
    assert "set-cookie" not in due.headers
    assert (await browser.get("/api/v1/session")).status_code == 401
    body = {"ticket": due.json()["ticket"], "totp": _code(application, 1)}
    assert (await browser.post("/api/v1/session/second", json=body)).status_code == 200
    assert (await browser.get("/api/v1/session")).json()["user"]["username"] == "olga"
    assert json.loads((await desk.audit("access.sign-in"))[-1].details) == {"how": "password+totp"}


async def test_a_wrong_code_is_recorded_without_saying_what_was_wrong(desk: Desk) -> None:
    """The entry of a wrong password and of a wrong code read the same, under the account that was tried."""
    olga = await desk.person("operator", "olga")
    await add_totp(olga)
    browser = await desk.anybody()
    await browser.post("/api/v1/session", json={"username": "olga", "password": "wrong"})
    ticket = (await password_of(browser)).json()["ticket"]
    answer = await browser.post("/api/v1/session/second", json={"ticket": ticket, "totp": "000"})
    assert (answer.status_code, answer.json()["type"]) == (401, "access.credentials")
    failed = [entry for entry in await desk.audit("access.sign-in") if entry.outcome == "failed"]
    assert [(entry.actor, json.loads(entry.details)) for entry in failed] == [
        ("olga", {"error": "access.credentials"})
    ] * 2


@pytest.mark.parametrize(
    "body", [{"ticket": "x"}, {"ticket": "x", "totp": "1", "recovery": "2"}, {"totp": "123456"}, {"ticket": "x" * 65}]
)
async def test_a_second_step_is_exactly_one_proof(desk: Desk, body: dict[str, str]) -> None:
    """Anything else is not understood."""
    answer = await (await desk.anybody()).post("/api/v1/session/second", json=body)
    assert (answer.status_code, answer.json()["type"]) == (422, "api.request")


async def test_a_made_up_ticket_completes_nothing(desk: Desk) -> None:
    """401, and a record."""
    answer = await (await desk.anybody()).post("/api/v1/session/second", json={"ticket": "made up", "totp": "123456"})
    assert answer.status_code == 401
    assert (await desk.audit("access.sign-in"))[-1].outcome == "failed"


async def test_recovery_codes_are_shown_once(desk: Desk) -> None:
    """The list says how many are left, and another factor does not show them again."""
    olga = await desk.person("operator", "olga")
    _, codes = await add_totp(olga)
    factors = (await olga.get("/api/v1/session/factors")).json()
    assert (factors["recovery_left"], factors["password"], factors["passkeys"]) == (10, True, [])
    _, again = await add_totp(olga)
    assert again == []
    fresh = (await olga.post("/api/v1/session/factors/recovery")).json()["recovery_codes"]
    assert not set(fresh) & set(codes)


async def test_factors_are_added_and_removed_on_record(desk: Desk) -> None:
    """Each with what it was."""
    olga = await desk.person("operator", "olga")
    await add_totp(olga)
    assert (await olga.delete("/api/v1/session/factors/totp")).status_code == 204
    assert (await olga.delete("/api/v1/session/factors/totp")).status_code == 404
    (added,) = await desk.audit("factor.added")
    (removed,) = await desk.audit("factor.removed")
    assert json.loads(added.details) == json.loads(removed.details) == {"factor": "totp"}


async def test_a_passkey_from_enrolment_to_signing_in_with_it_alone(desk: Desk) -> None:
    """Made, named, listed, used without a name or password, renamed, removed."""
    root = await at_name(desk)
    key, made = await add_passkey(root, "Desk key")
    assert (made.status_code, len(made.json()["recovery_codes"])) == (201, 10)

    browser = await at_name(desk, sign_in=False)
    challenge = (await browser.post("/api/v1/session/passkey")).json()
    assert challenge["options"].get("allowCredentials", []) == []
    body = {"ticket": challenge["ticket"], "passkey": key.get(challenge["options"])}
    answer = await browser.post("/api/v1/session", json=body)
    assert (answer.status_code, answer.json()["user"]["username"]) == (200, "root")
    assert json.loads((await desk.audit("access.sign-in"))[-1].details) == {"how": "passkey"}

    (entry,) = (await root.get("/api/v1/session/factors")).json()["passkeys"]
    assert (entry["name"], entry["here"]) == ("Desk key", True)
    assert entry["used"] is not None
    path = f"/api/v1/session/factors/passkeys/{entry['id']}"
    assert (await root.patch(path, json={"name": "Red key"})).status_code == 204
    assert (await root.get("/api/v1/session/factors")).json()["passkeys"][0]["name"] == "Red key"
    assert (await root.delete(path)).status_code == 204
    assert (await root.delete(path)).status_code == 404


async def test_a_passkey_completes_a_sign_in(desk: Desk) -> None:
    """The 202 says what to ask the browser."""
    root = await at_name(desk)
    key, _ = await add_passkey(root, "Desk key")
    browser = await at_name(desk, sign_in=False)
    due = (await password_of(browser, "root")).json()
    body = {"ticket": due["ticket"], "passkey": key.get(due["passkey"])}
    assert (await browser.post("/api/v1/session/second", json=body)).status_code == 200


async def test_passkeys_are_not_offered_at_an_ip_address(desk: Desk) -> None:
    """It is said that, and why."""
    assert (await desk.admin.get("/api/v1/session/factors")).json()["passkeys_usable"] is False
    for path in ("session/factors/passkeys/options", "session/confirm/passkey", "session/passkey"):
        answer = await desk.admin.post(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["type"]) == (409, "access.no-passkeys"), path


# --- proving again who one is


async def aged(desk: Desk) -> None:
    """Let every session's last proof be long ago."""
    async with desk.gateway.database.write() as connection:
        await connection.exec_driver_sql("UPDATE sessions SET confirmed_ns = 0")


SHARP: list[tuple[str, str, dict[str, Any] | None]] = [
    ("post", "/api/v1/users", {"username": "eve", "role": "viewer", "password": PASSWORD}),
    ("patch", "/api/v1/users/x", {"name": "X"}),
    ("delete", "/api/v1/users/x", None),
    ("delete", "/api/v1/users/x/factors", None),
    ("post", "/api/v1/groups", {"name": "Sharp"}),
    ("put", "/api/v1/groups/x", {"name": "Sharp"}),
    ("delete", "/api/v1/groups/x", None),
    ("post", "/api/v1/teams", {"name": "Sharp"}),
    ("put", "/api/v1/teams/x", {"name": "Sharp"}),
    ("delete", "/api/v1/teams/x", None),
    ("post", "/api/v1/roles", {"name": "Sharp", "permissions": []}),
    ("put", "/api/v1/roles/x", {"name": "Sharp", "permissions": []}),
    ("delete", "/api/v1/roles/x", None),
    ("post", "/api/v1/grants", {"role": "viewer", "user": "x"}),
    ("delete", "/api/v1/grants/x", None),
    ("delete", "/api/v1/cameras/x/holds/x", None),
    ("post", "/api/v1/organisations", {"name": "Sharp"}),
    ("put", "/api/v1/organisations/x", {"name": "Sharp"}),
    ("delete", "/api/v1/organisations/x", None),
    ("post", "/api/v1/organisations/x/invitations", {"username": "x", "name": "X"}),
    ("delete", "/api/v1/invitations/x", None),
    ("delete", "/api/v1/recipients/x", None),
    ("post", "/api/v1/shares/x/reviewed", {"review": "2190-01-01T00:00:00Z"}),
    ("post", "/api/v1/approvals/x/allowance", None),
    ("post", "/api/v1/tokens", {"name": "x", "role": "viewer"}),
    ("delete", "/api/v1/tokens/x", None),
    ("get", "/api/v1/cameras/x/clip.mp4?start=2026-01-01T00:00:00Z&end=2026-01-01T00:00:01Z", None),
    ("post", "/api/v1/session/factors/totp", None),
    ("post", "/api/v1/session/factors/passkeys/options", None),
    ("post", "/api/v1/session/factors/recovery", None),
    ("delete", "/api/v1/session/factors/totp", None),
    ("post", "/api/v1/shares/x/outlets", {"name": "VMS"}),
    ("get", "/api/v1/session/confirm", None),
]


@pytest.mark.parametrize(("method", "path", "body"), SHARP)
async def test_sharp_acts_ask_who_is_there(desk: Desk, method: str, path: str, body: dict[str, Any] | None) -> None:
    """When the last proof is old: 403 with the ways that this person has. After one, it is let through."""
    await aged(desk)
    answer = await desk.admin.request(method.upper(), path, json=body)
    assert answer.status_code == 403, answer.text
    assert (answer.json()["type"], answer.json()["methods"]) == ("access.confirm", ["password"])
    assert (await desk.admin.post("/api/v1/session/confirm", json={"password": PASSWORD})).status_code == 204
    assert (await desk.admin.request(method.upper(), path, json=body)).status_code != 403


@pytest.mark.parametrize(
    ("group", "change"),
    [
        ({"label": "Square"}, {"group": "Square"}),
        ({"area": [[51, -1], [52, -1], [52, 0], [51, 0]]}, {"place": {"latitude": 51.5, "longitude": -0.5}}),
    ],
)
async def test_bringing_a_camera_to_others_is_sharp(desk: Desk, group: dict[str, Any], change: dict[str, Any]) -> None:
    """Where somebody has a grant over the group that it comes into; a group that nobody was granted gives nothing."""
    camera = await desk.enrol()
    viewer = await desk.person("member", "mo")
    user = (await viewer.get("/api/v1/session")).json()["user"]["id"]
    made = (await desk.admin.post("/api/v1/groups", json={"name": "Square", **group})).json()["id"]
    await aged(desk)
    path = f"/api/v1/cameras/{camera}"
    assert (await desk.admin.patch(path, json=change)).status_code == 200
    await desk.admin.patch(path, json={"group": "", "place": None})
    assert (await desk.admin.post("/api/v1/session/confirm", json={"password": PASSWORD})).status_code == 204
    wish = {"role": "viewer", "user": user, "group": made}
    assert (await desk.admin.post("/api/v1/grants", json=wish)).status_code == 201
    await aged(desk)
    refused = await desk.admin.patch(path, json=change)
    assert (refused.status_code, refused.json()["type"]) == (403, "access.confirm")
    assert (await viewer.get(path)).status_code == 403
    assert (await desk.admin.patch(path, json={"name": "Gate"})).status_code == 200
    assert (await desk.admin.post("/api/v1/session/confirm", json={"password": PASSWORD})).status_code == 204
    assert (await desk.admin.patch(path, json=change)).status_code == 200
    assert (await viewer.get(path)).status_code == 200
    await aged(desk)
    assert (await desk.admin.patch(path, json={**change, "street": "High Street"})).status_code == 200
    assert (await desk.admin.patch(path, json={"group": "", "place": None})).status_code == 200


async def test_a_code_confirms_too(desk: Desk) -> None:
    """Who has an application may use it, and both outcomes are on record."""
    olga = await desk.person("operator", "olga")
    application, _ = await add_totp(olga)
    await aged(desk)
    refused = await olga.get("/api/v1/session/confirm")
    assert refused.json()["methods"] == ["totp", "password"]
    assert (await olga.post("/api/v1/session/confirm", json={"totp": "000"})).status_code == 401
    assert (await olga.post("/api/v1/session/confirm", json={"totp": _code(application, 1)})).status_code == 204
    assert (await olga.get("/api/v1/session/confirm")).status_code == 204
    assert [entry.outcome for entry in await desk.audit("access.confirmed")] == ["failed", "done"]


async def test_a_wrong_password_does_not_confirm(desk: Desk) -> None:
    """And one cannot go on guessing."""
    await aged(desk)
    statuses = [
        (await desk.admin.post("/api/v1/session/confirm", json={"password": f"wrong {n}"})).status_code
        for n in range(11)
    ]
    assert statuses == [401] * 10 + [429]
    assert (await desk.admin.get("/api/v1/session/confirm")).status_code == 403


@pytest.mark.parametrize("body", [{}, {"password": "a", "totp": "1"}, {"recovery": "AAAA"}])
async def test_a_confirmation_is_exactly_one_proof(desk: Desk, body: dict[str, str]) -> None:
    """Recovery codes are for signing in."""
    assert (await desk.admin.post("/api/v1/session/confirm", json=body)).status_code == 422


async def test_a_program_needs_no_confirmation_but_changes_no_people(desk: Desk) -> None:
    """A token of an administrator reads people, and is refused at each act that changes who may do what."""
    program = await desk.token("administrator")
    assert (await program.get("/api/v1/users")).status_code == 200
    assert (await program.get("/api/v1/session/confirm")).status_code == 204
    for method, path, body in SHARP[:6]:
        answer = await program.request(method.upper(), path, json=body)
        assert answer.status_code == 403, (method, path)
        assert "program may not change people" in answer.json()["title"]


async def test_a_program_has_no_account(desk: Desk) -> None:
    """No factors, sessions, locks or confirmations of a token's."""
    program = await desk.token("operator")
    asked = [
        await program.get("/api/v1/session/factors"),
        await program.get("/api/v1/sessions"),
        await program.post("/api/v1/session/confirm", json={"password": PASSWORD}),
        await program.post("/api/v1/session/active"),
        await program.put("/api/v1/session/state", json={"state": "wall"}),
    ]
    assert [answer.status_code for answer in asked] == [422] * 5


# --- an administrator and another's factors


async def test_an_administrator_removes_lost_factors(desk: Desk) -> None:
    """The password is enough again, their sessions are over, and it is on record."""
    olga = await desk.person("operator", "olga")
    await add_totp(olga)
    (user,) = [one for one in (await desk.admin.get("/api/v1/users")).json() if one["username"] == "olga"]
    assert (await desk.admin.delete(f"/api/v1/users/{user['id']}/factors")).status_code == 204
    assert (await olga.get("/api/v1/session")).status_code == 401
    assert (await password_of(await desk.anybody())).status_code == 200
    (entry,) = await desk.audit("factor.removed")
    assert (entry.actor, entry.subject) == ("root", user["id"])


async def test_required_means_enrolling_first(tmp_path: Path) -> None:
    """Nothing else answers until a factor is there; what is refused is said to be refused for that."""
    async with open_desk(tmp_path, settings=settings_in(tmp_path, second_factor="required")) as desk:
        assert (await desk.admin.get("/api/v1/session")).json()["enrol_due"] is True
        refused = await desk.admin.get("/api/v1/cameras")
        assert (refused.status_code, refused.json()["type"]) == (403, "access.enrol")
        await add_totp(desk.admin)
        assert (await desk.admin.get("/api/v1/session")).json()["enrol_due"] is False
        assert (await desk.admin.get("/api/v1/cameras")).status_code == 200
        last = await desk.admin.delete("/api/v1/session/factors/totp")
        assert (last.status_code, last.json()["type"]) == (409, "access.factor")


async def test_a_browser_is_known_by_a_cookie_of_its_own(desk: Desk) -> None:
    """It outlives the sign-out, and scripts cannot read it."""
    browser = await desk.anybody()
    answer = await password_of(browser, "root")
    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith("sightline-device=")]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    await browser.delete("/api/v1/session")
    assert "sightline-device" in browser.cookies
