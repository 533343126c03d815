"""Nothing answers without a permission: walked over the OpenAPI document itself."""

from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from gateway.access.permissions import Permission, Role
from gateway.api.guard import PERMISSION_KEY, PUBLIC
from tests.fakes.desk import ROLES, Desk, filled

PUBLIC_ROUTES = {
    ("get", "/healthz"),
    ("get", "/api/v1/setup"),
    ("post", "/api/v1/setup"),
    ("post", "/api/v1/session"),
    ("post", "/api/v1/session/second"),
    ("post", "/api/v1/session/passkey"),
    ("post", "/api/v1/invitation"),
    ("post", "/api/v1/enrolment"),
    ("get", "/api/v1/oidc/providers"),
    ("post", "/api/v1/oidc/{provider}/start"),
    ("post", "/api/v1/oidc/{provider}/enrolment"),
    ("get", "/api/v1/oidc/{provider}/callback"),
    ("post", "/api/v1/oidc/{provider}/logout"),
}
FOR_PEOPLE_ALONE = {
    ("post", "/api/v1/approvals/{approval_id}/allowance"),
    ("post", "/api/v1/deployments/{deployment_id}/decision"),
    ("post", "/api/v1/deployments/{deployment_id}/extension"),
    ("post", "/api/v1/deployments/{deployment_id}/erasure"),
    ("post", "/api/v1/groups"),
    ("put", "/api/v1/groups/{group_id}"),
    ("delete", "/api/v1/groups/{group_id}"),
    ("post", "/api/v1/teams"),
    ("put", "/api/v1/teams/{team_id}"),
    ("delete", "/api/v1/teams/{team_id}"),
    ("post", "/api/v1/roles"),
    ("put", "/api/v1/roles/{role_id}"),
    ("delete", "/api/v1/roles/{role_id}"),
    ("post", "/api/v1/grants"),
    ("delete", "/api/v1/grants/{grant_id}"),
    ("post", "/api/v1/organisations"),
    ("put", "/api/v1/organisations/{organisation_id}"),
    ("delete", "/api/v1/organisations/{organisation_id}"),
    ("post", "/api/v1/organisations/{organisation_id}/invitations"),
    ("delete", "/api/v1/invitations/{invitation_id}"),
    ("delete", "/api/v1/recipients/{user_id}"),
    ("post", "/api/v1/users"),
    ("patch", "/api/v1/users/{user_id}"),
    ("delete", "/api/v1/users/{user_id}"),
    ("delete", "/api/v1/users/{user_id}/factors"),
    ("delete", "/api/v1/users/{user_id}/sessions"),
    ("post", "/api/v1/tokens"),
    ("delete", "/api/v1/tokens/{token_id}"),
    ("post", "/api/v1/users/{user_id}/accounts"),
    ("delete", "/api/v1/users/{user_id}/accounts/{account_id}"),
}
"""What no API token does, whatever its role: it changes who may do what, or answers for somebody else's act."""
SOCKETS = {
    "/api/v1/events": Permission.VIEW_LIVE,
    "/api/v1/cameras/{camera_id}/steer": Permission.STEER,
    "/api/v1/shares/events": Permission.SIGNED_IN,
}


async def operations(desk: Desk) -> list[tuple[str, str, str]]:
    """Return every operation of the API as method, path and permission."""
    document: dict[str, Any] = (await desk.admin.get("/api/v1/openapi.json")).json()
    return [
        (method, path, operation[PERMISSION_KEY])
        for path, known in document["paths"].items()
        for method, operation in known.items()
    ]


async def ask(client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    """Ask for a route as its permission is checked before all else: with nothing that it needs."""
    return await client.request(method.upper(), filled(path, stream="main"))


async def test_few_routes_are_public(desk: Desk) -> None:
    """What answers everybody is health, setting up, signing in, invitations, and what providers say; nothing else."""
    found = {(method, path) for method, path, permission in await operations(desk) if permission == PUBLIC}
    assert found == PUBLIC_ROUTES


async def test_nothing_else_answers_somebody_unknown(desk: Desk) -> None:
    """Every route refuses who is not signed in with 401 and a problem."""
    nobody = await desk.anybody()
    guarded = [one for one in await operations(desk) if one[2] != PUBLIC]
    assert len(guarded) > 30
    for method, path, _ in guarded:
        answer = await ask(nobody, method, path)
        assert answer.status_code == 401, (method, path)
        if method != "head":
            assert answer.json()["type"] == "access.sign-in", (method, path)


async def test_a_made_up_cookie_or_token_is_nobody(desk: Desk) -> None:
    """Neither opens anything."""
    stranger = await desk.anybody()
    stranger.cookies.set("sightline", "made-up")
    program = await desk.anybody(Authorization="Bearer sightline_made-up")
    for method, path, permission in await operations(desk):
        if permission != PUBLIC:
            for client in (stranger, program):
                assert (await ask(client, method, path)).status_code == 401, (method, path)


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_reaches_what_it_may_and_no_more(desk: Desk, role: str) -> None:
    """403 where the role lacks the permission, and anything but 401 and 403 where it has it."""
    program = await desk.token(role)
    person = await desk.person(role)
    for method, path, permission in await operations(desk):
        if permission == PUBLIC or (method, path) == ("delete", "/api/v1/session"):
            continue
        for client in (person, program):
            answer = await ask(client, method, path)
            if client is program and (method, path) in FOR_PEOPLE_ALONE:
                assert answer.status_code == 403, (method, path)
            elif Permission(permission) in Role(role).permissions:
                assert answer.status_code not in {401, 403}, (method, path, answer.text)
            else:
                assert answer.status_code == 403, (method, path)
                assert method == "head" or answer.json()["type"] == "access.forbidden"


async def test_a_refusal_is_recorded(desk: Desk) -> None:
    """Who tried what is in the audit."""
    viewer = await desk.person("viewer", "vera")
    await viewer.get("/api/v1/users")
    (entry,) = await desk.audit("access.refused")
    assert (entry.actor, entry.outcome) == ("vera", "refused")
    assert '"path":"/api/v1/users"' in entry.details


async def test_every_unsafe_route_refuses_another_sites_page(desk: Desk) -> None:
    """A request with the cookie but from elsewhere, or without our header, is refused."""
    cookie = dict(desk.admin.cookies)
    elsewhere = await desk.anybody(Origin="https://evil.example")
    nowhere = await desk.anybody(Origin="")
    bare = await desk.anybody(X_Sightline="")
    for client in (elsewhere, nowhere, bare):
        client.cookies.update(cookie)
    for method, path, permission in await operations(desk):
        if permission == PUBLIC or method in {"get", "head", "options"}:
            continue
        for client in (elsewhere, nowhere, bare):
            answer = await ask(client, method, path)
            assert answer.status_code == 403, (method, path)
            assert answer.json()["type"] == "access.forgery"


@pytest.mark.parametrize("path", ["session", "setup", "session/second", "session/passkey"])
async def test_another_site_cannot_sign_a_browser_in(desk: Desk, path: str) -> None:
    """Login CSRF is refused."""
    elsewhere = await desk.anybody(Origin="https://evil.example")
    answer = await elsewhere.post(f"/api/v1/{path}", json={"username": "root", "password": "x", "code": "x"})
    assert (answer.status_code, answer.json()["type"]) == (403, "access.forgery")


@pytest.mark.parametrize("path", SOCKETS)
async def test_a_socket_refuses_who_is_not_signed_in(desk: Desk, path: str) -> None:
    """401, before the WebSocket is accepted."""
    camera = await desk.enrol()
    with pytest.raises(InvalidStatus) as caught:
        await _open(desk, await desk.anybody(), filled(path, camera_id=camera))
    assert caught.value.response.status_code == 401


@pytest.mark.parametrize("origin", ["https://evil.example", ""])
@pytest.mark.parametrize("path", SOCKETS)
async def test_a_socket_refuses_another_sites_page(desk: Desk, path: str, origin: str) -> None:
    """Browsers send cookies with WebSockets from anywhere; the Origin tells."""
    camera = await desk.enrol()
    with pytest.raises(InvalidStatus) as caught:
        await _open(desk, desk.admin, filled(path, camera_id=camera), Origin=origin)
    assert caught.value.response.status_code == 403


async def test_steering_refuses_who_may_not_steer(desk: Desk) -> None:
    """A viewer has no stick."""
    camera = await desk.enrol()
    with pytest.raises(InvalidStatus) as caught:
        await _open(desk, await desk.person("viewer"), f"/api/v1/cameras/{camera}/steer")
    assert caught.value.response.status_code == 403


async def test_a_program_opens_a_socket_with_its_token(desk: Desk) -> None:
    """A token needs no Origin."""
    program = await desk.token("viewer")
    bearer = program.headers["authorization"]
    async with desk.socket(program, "/api/v1/events", Origin="", Cookie="", Authorization=bearer) as socket:
        assert '"time"' in await socket.recv()


async def _open(desk: Desk, client: httpx.AsyncClient, path: str, **headers: str) -> None:
    async with desk.socket(client, path, **headers):
        pass
