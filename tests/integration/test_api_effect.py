"""What rights come to: by which rule somebody may do what, what goes on by it, and what they have to sign in with."""

from gateway.access.permissions import Role
from tests.fakes.desk import Desk
from tests.integration.test_api_rights import holding, made, member


async def test_what_somebody_may_do_is_told_by_rule(desk: Desk) -> None:
    """Their role, and each grant with its group, team, end and the cameras that it comes to."""
    camera = await desk.enrol(group="Shops")
    _, user = await member(desk)
    team = await made(desk, "teams", name="Night shift", users=[user])
    group = await made(desk, "groups", name="Shops", label="shops")
    grant = await made(desk, "grants", role="viewer", team=team["id"], group=group["id"], end="2031-01-01T00:00:00Z")
    own, granted = (await desk.admin.get(f"/api/v1/users/{user}/rights")).json()
    assert (own["rule"], own["role"], own["permissions"], own["cameras"]) == (
        "role:member",
        "member",
        ["signed_in"],
        None,
    )
    assert granted == {
        "rule": f"grant:{grant['id']}",
        "permissions": sorted(Role.VIEWER.permissions),
        "cameras": [camera],
        "role": "viewer",
        "team": team["id"],
        "group": group["id"],
        "end": "2031-01-01T00:00:00.000Z",
    }


async def test_who_is_disabled_may_do_nothing(desk: Desk) -> None:
    """Their grants stay, and come to nothing."""
    _, user = await member(desk)
    await made(desk, "grants", role="viewer", user=user)
    assert (await desk.admin.patch(f"/api/v1/users/{user}", json={"disabled": True})).status_code == 200
    assert (await desk.admin.get(f"/api/v1/users/{user}/rights")).json() == []


async def test_what_goes_on_by_a_grant_alone_is_told(desk: Desk) -> None:
    """A view and a stick, as long as no other rule would let them go on."""
    camera = await desk.enrol()
    client, user = await member(desk)
    grant = await made(desk, "grants", role="operator", user=user)
    where = f"/api/v1/grants/{grant['id']}/going-on"
    await desk.watch(client, camera)
    await desk.watch(desk.admin, camera)
    async with holding(desk, client, camera):
        told = (await desk.admin.get(where)).json()
        assert sorted((one["what"], one["who"], one["camera"], one["user"]) for one in told) == [
            ("stick", "mia", camera, user),
            ("view", "mia", camera, user),
        ]
        assert (await desk.admin.get(f"/api/v1/users/{user}/going-on")).json() == told
        await made(desk, "grants", role="viewer", user=user)
        assert [one["what"] for one in (await desk.admin.get(where)).json()] == ["stick"]


async def test_what_is_not_there_is_said(desk: Desk) -> None:
    """404 for a user and a grant that are none."""
    for path in ("users/x/rights", "users/x/going-on", "users/x/factors", "grants/x/going-on"):
        answer = await desk.admin.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, "access.unknown"), path
    assert (await desk.admin.delete("/api/v1/users/x/sessions")).status_code == 404


async def test_what_somebody_signs_in_with_is_told(desk: Desk) -> None:
    """A password, and no second factor yet."""
    _, user = await member(desk)
    told = (await desk.admin.get(f"/api/v1/users/{user}/factors")).json()
    assert (told["password"], told["totp"], told["passkeys"], told["recovery_left"]) == (True, None, [], 0)


async def test_every_session_of_somebody_is_ended_at_once(desk: Desk) -> None:
    """What they watched ends with it, the audit has it; of oneself all but the one that asks."""
    camera = await desk.enrol()
    olga = await desk.person("operator", "olga")
    await desk.watch(olga, camera)
    (session,) = (await olga.get("/api/v1/sessions")).json()
    assert (await olga.delete(f"/api/v1/users/{session['user_id']}/sessions")).status_code == 403
    assert (await desk.admin.delete(f"/api/v1/users/{session['user_id']}/sessions")).status_code == 204
    assert (await olga.get("/api/v1/session")).status_code == 401
    (ended,) = await desk.audit("access.session-ended")
    assert (ended.subject, '"count":1' in ended.details) == (session["user_id"], True)
    root = (await desk.admin.get("/api/v1/session")).json()["user"]["id"]
    assert (await desk.admin.delete(f"/api/v1/users/{root}/sessions")).status_code == 204
    assert (await desk.admin.get("/api/v1/session")).status_code == 200
