"""Signing in with a provider of accounts over the API: the way there and back, and who one is afterwards."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import pytest_asyncio

from gateway.access.people import UserChange
from gateway.access.permissions import Role
from gateway.app import open_gateway
from kernel.clock import SystemClock
from tests.fakes.desk import Desk
from tests.fakes.host import FakeHost
from tests.fakes.oidc_desk import oidc_desk, provider_settings, refused, with_providers
from tests.fakes.signing_provider import SECRET, SigningProvider, come_back, sent, signing_provider, signs_in


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[SigningProvider]:
    """An honest provider."""
    async with signing_provider() as provider:
        yield provider


@pytest_asyncio.fixture
async def desk(tmp_path: Path, provider: SigningProvider) -> AsyncIterator[Desk]:
    """A gateway that trusts it."""
    async with oidc_desk(tmp_path, provider) as desk:
        yield desk


async def who(client: httpx.AsyncClient) -> dict[str, Any]:
    """Return who a browser is signed in as."""
    answer = await client.get("/api/v1/session")
    assert answer.status_code == 200, answer.text
    user: dict[str, Any] = answer.json()["user"]
    return user


async def user_id(desk: Desk, username: str) -> str:
    """Return a user's identifier."""
    return next(user.id for user in await desk.gateway.rooms.people.users() if user.username == username)


async def test_the_providers_are_named_to_everybody(desk: Desk) -> None:
    """By the words on their buttons, and with nothing else of the settings."""
    answer = await (await desk.anybody()).get("/api/v1/oidc/providers")
    assert answer.json() == [{"id": "borough", "name": "your borough account"}]


async def test_the_browser_is_sent_with_all_that_binds_the_answer(desk: Desk, provider: SigningProvider) -> None:
    """Authorization code with PKCE (S256), state and nonce, back to this provider's own address."""
    client = await desk.anybody()
    url = await sent(client)
    asked = dict(parse_qsl(urlsplit(url).query))
    assert url.startswith(f"{provider.issuer}/authorize?")
    assert asked["redirect_uri"] == f"{desk.url}/api/v1/oidc/borough/callback"
    said = {key: asked[key] for key in ("response_type", "response_mode", "client_id", "scope")}
    assert said == {
        "response_type": "code",
        "response_mode": "query",
        "client_id": "sightline",
        "scope": "openid profile",
    }
    assert asked["code_challenge_method"] == "S256"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert min(len(asked[key]) for key in ("state", "nonce", "code_challenge")) >= 43


async def test_the_cookie_of_a_visit_comes_back_from_another_site(desk: Desk) -> None:
    """SameSite=Lax, since the way back is a navigation begun elsewhere; out of reach of scripts; for ten minutes."""
    client = await desk.anybody()
    answer = await client.post("/api/v1/oidc/borough/start", json={})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("sightline-visit=")
    for part in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=600"):
        assert part in cookie


async def test_who_signs_in_there_is_signed_in_here(desk: Desk, provider: SigningProvider) -> None:
    """With the session's cookie as ever, the visit's taken back, and the code out of the address."""
    client = await desk.anybody()
    answer = await signs_in(client, provider)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    visit, session = sorted(answer.headers.get_list("set-cookie"))
    assert "HttpOnly" in session
    assert "SameSite=strict" in session
    assert visit.startswith('sightline-visit=""')
    user = await who(client)
    assert (user["username"], user["name"], user["role"]) == ("anne", "Anne A.", "operator")


async def test_signing_in_there_ends_the_browsers_earlier_session(desk: Desk, provider: SigningProvider) -> None:
    """Though its cookie, which is Strict, does not come along on the way back."""
    client = await desk.person("viewer", "vera")
    before = client.cookies["sightline"]
    sent_there = await sent(client)
    client.cookies.delete("sightline")
    await come_back(client, provider.approve(sent_there))
    assert (await who(client))["username"] == "anne"
    left = await desk.anybody()
    left.cookies.set("sightline", before)
    assert (await left.get("/api/v1/session")).status_code == 401
    (ended,) = await desk.audit("access.session-ended")
    assert ended.actor == "vera"


async def test_one_comes_back_to_where_one_was(desk: Desk, provider: SigningProvider) -> None:
    """To a page of the console that was named before."""
    client = await desk.anybody()
    answer = await come_back(client, provider.approve(await sent(client, return_to="/watch/north-side")))
    assert answer.headers["location"] == "/watch/north-side"


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "/a?b", "", "/../x"])
async def test_nobody_is_sent_elsewhere(desk: Desk, path: str) -> None:
    """A place to come back to that is no page of ours is refused (no open redirect)."""
    answer = await (await desk.anybody()).post("/api/v1/oidc/borough/start", json={"return_to": path})
    assert answer.status_code == 422


async def test_another_sites_page_cannot_begin_a_sign_in(desk: Desk) -> None:
    """Its Origin is not ours."""
    client = await desk.anybody(Origin="https://evil.example")
    answer = await client.post("/api/v1/oidc/borough/start", json={})
    assert (answer.status_code, answer.json()["type"]) == (403, "access.forgery")


async def test_a_new_person_and_their_sign_in_are_on_record(desk: Desk, provider: SigningProvider) -> None:
    """The provider, the role and the methods; not the token."""
    await signs_in(await desk.anybody(), provider)
    (added,), entry = await desk.audit("user.added"), (await desk.audit("access.sign-in"))[-1]
    assert json.loads(added.details) == {"username": "anne", "role": "operator", "provider": "borough"}
    assert (entry.actor, entry.outcome) == ("anne", "done")
    assert json.loads(entry.details) == {"how": "provider", "provider": "borough", "methods": "oidc"}


async def test_a_second_sign_in_is_the_same_person(desk: Desk, provider: SigningProvider) -> None:
    """By issuer and subject, though their names there have changed; the name shown follows, the user name stays."""
    await signs_in(await desk.anybody(), provider)
    provider.account |= {"preferred_username": "anne.smith", "name": "Anne Smith"}
    client = await desk.anybody()
    await signs_in(client, provider)
    user = await who(client)
    assert (user["username"], user["name"]) == ("anne", "Anne Smith")
    assert len(await desk.gateway.rooms.people.users()) == 2


@pytest.mark.parametrize("claims", [{"preferred_username": "olga"}, {"preferred_username": " OLGA "}])
async def test_a_local_user_of_the_same_name_is_not_taken_over(
    desk: Desk, provider: SigningProvider, claims: dict[str, str]
) -> None:
    """Whoever is called like a user here becomes another one."""
    olga = await desk.person("viewer", "olga")
    provider.account |= claims
    client = await desk.anybody()
    await signs_in(client, provider)
    assert (await who(client))["username"] == "olga@borough"
    assert (await who(olga))["username"] == "olga"


async def test_names_are_made_to_fit(desk: Desk, provider: SigningProvider) -> None:
    """What cannot stand in a user name is left out, and what is too long is cut."""
    provider.account |= {"preferred_username": "A <script> " + "x" * 300, "name": "A\u202e\nB" * 200}
    client = await desk.anybody()
    await signs_in(client, provider)
    user = await who(client)
    assert user["username"].startswith("a--script--")
    assert len(user["username"]) <= 64
    assert user["name"].isprintable()
    assert len(user["name"]) <= 120


async def test_two_strangers_of_one_name_are_two(desk: Desk, provider: SigningProvider) -> None:
    """Each further one has a number."""
    names = []
    for number in range(4):
        provider.sub = f"stranger-{number}"
        client = await desk.anybody()
        await signs_in(client, provider)
        names.append((await who(client))["username"])
    assert names == ["anne", "anne@borough", "anne-2@borough", "anne-3@borough"]


async def test_a_lesser_role_there_is_a_lesser_role_here(desk: Desk, provider: SigningProvider) -> None:
    """At the next sign-in; what was opened as more ends, and the change is on record."""
    first = await desk.anybody()
    await signs_in(first, provider)
    provider.account["groups"] = ["cctv-guests"]
    second = await desk.anybody()
    await signs_in(second, provider)
    assert (await who(second))["role"] == "viewer"
    assert (await first.get("/api/v1/session")).status_code == 401
    changed = json.loads((await desk.audit("user.changed"))[-1].details)
    assert (changed["was"], changed["role"]) == ("operator", "viewer")


async def test_a_group_stands_for_a_role_of_the_sites_own(tmp_path: Path, provider: SigningProvider) -> None:
    """From the first request on; another group, another role, and what was opened as the first ends."""
    groups = {"cctv-operators": "role:Night desk", "cctv-guests": "role:Day desk", "cctv-viewers": "viewer"}
    async with oidc_desk(tmp_path, provider, groups=groups) as desk:
        for name, permission in (("Night Desk", "export"), ("Day desk", "hold")):
            wish = {"name": name, "permissions": ["view_live", permission]}
            assert (await desk.admin.post("/api/v1/roles", json=wish)).status_code == 201
        first = await desk.anybody()
        await signs_in(first, provider)
        anne = await who(first)
        assert (anne["role"], set(anne["permissions"])) == ("member", {"signed_in", "view_live", "export"})
        await signs_in(first, provider)
        assert len((await desk.admin.get("/api/v1/grants")).json()) == 1
        provider.account["groups"] = ["cctv-guests"]
        second = await desk.anybody()
        await signs_in(second, provider)
        assert set((await who(second))["permissions"]) == {"signed_in", "view_live", "hold"}
        assert (await first.get("/api/v1/session")).status_code == 401
        changed = json.loads((await desk.audit("user.changed"))[-1].details)
        assert (changed["was"], changed["role"]) == ("Night Desk", "Day desk")
        provider.account["groups"] = ["cctv-viewers"]
        await signs_in(second, provider)
        assert ((await who(second))["role"], (await desk.admin.get("/api/v1/grants")).json()) == ("viewer", [])


async def test_a_role_that_is_gone_lets_nobody_in(tmp_path: Path, provider: SigningProvider) -> None:
    """A sentence says which, and no user is made."""
    async with oidc_desk(tmp_path, provider, groups={"cctv-operators": "role:Night desk"}) as desk:
        client = await desk.anybody()
        answer = await signs_in(client, provider)
        await refused(desk, client, answer, 403, "access.not-admitted")
        assert "the role Night desk, which is not there" in answer.text


async def test_a_provider_does_not_demote_the_last_administrator(desk: Desk, provider: SigningProvider) -> None:
    """They are refused with a sentence, what they had open ends, the row stays as it is, and it is on record."""
    provider.account["groups"] = ["cctv-supervisors"]
    first = await desk.anybody()
    await signs_in(first, provider)
    root = (await who(desk.admin))["id"]
    assert (await first.patch(f"/api/v1/users/{root}", json={"role": "operator"})).status_code == 200
    provider.account["groups"] = ["cctv-guests"]
    answer = await signs_in(await desk.anybody(), provider)
    assert (answer.status_code, "you are the only administrator here" in answer.text) == (403, True)
    assert (await first.get("/api/v1/session")).status_code == 401
    roles = {user.username: user.role for user in await desk.gateway.rooms.people.users()}
    assert roles == {"anne": "administrator", "root": "operator"}
    entry = (await desk.audit("user.changed"))[-1]
    assert (entry.outcome, json.loads(entry.details)["role"]) == ("refused", "viewer")
    await desk.gateway.rooms.people.change(root, UserChange(role=Role.ADMINISTRATOR))
    assert (await signs_in(await desk.anybody(), provider)).status_code == 303


async def test_the_first_line_that_fits_decides(desk: Desk, provider: SigningProvider) -> None:
    """Somebody in several groups is what the settings name first."""
    provider.account["groups"] = ["cctv-guests", "cctv-supervisors", "everybody"]
    client = await desk.anybody()
    await signs_in(client, provider)
    assert (await who(client))["role"] == "administrator"


async def test_groups_come_from_the_account_where_the_token_has_none(desk: Desk, provider: SigningProvider) -> None:
    """Many providers tell them at the userinfo endpoint alone."""
    told = {"sub": provider.sub, **provider.account}
    provider.account, provider.userinfo = {}, told
    client = await desk.anybody()
    await signs_in(client, provider)
    user = await who(client)
    assert (user["username"], user["role"]) == ("anne", "operator")


async def test_groups_may_lie_deeper(tmp_path: Path, provider: SigningProvider) -> None:
    """A dot in the claim's name leads into an object."""
    provider.account |= {"groups": None, "realm_access": {"roles": ["cctv-guests"]}}
    async with oidc_desk(tmp_path, provider, groups_claim="realm_access.roles") as desk:
        client = await desk.anybody()
        await signs_in(client, provider)
        assert (await who(client))["role"] == "viewer"


async def test_a_session_ends_when_the_providers_time_is_over(tmp_path: Path, provider: SigningProvider) -> None:
    """``max_session_s`` bounds how long a group that was taken away can count."""
    async with oidc_desk(tmp_path, provider, max_session_s=300) as desk:
        await signs_in(await desk.anybody(), provider)
        (session,) = await _spans(desk, "anne")
        assert 295 <= session <= 301
        (root,) = await _spans(desk, "root")
        assert root > 600_000


@pytest.mark.parametrize(
    ("said", "methods"),
    [({}, "oidc"), ({"amr": ["pwd", "mfa"]}, "oidc mfa"), ({"acr": "gold"}, "oidc mfa"), ({"acr": "tin"}, "oidc")],
)
async def test_two_factors_there_are_two_factors_here(
    tmp_path: Path, provider: SigningProvider, said: dict[str, object], methods: str
) -> None:
    """By ``amr``, or by the ``acr`` that the settings name."""
    provider.account |= said
    async with oidc_desk(tmp_path, provider, two_factor_acr=("gold",), acr_values=("gold",)) as desk:
        client = await desk.anybody()
        url = await sent(client)
        assert "acr_values=gold" in url
        await come_back(client, provider.approve(url))
        assert json.loads((await desk.audit("access.sign-in"))[-1].details)["methods"] == methods


async def test_signing_out_leads_to_the_providers_own_sign_out(desk: Desk, provider: SigningProvider) -> None:
    """With the ID token as a hint, and back to the console; a session with a password leads nowhere."""
    client = await desk.anybody()
    await signs_in(client, provider)
    answer = await client.delete("/api/v1/session")
    assert answer.status_code == 200
    url = urlsplit(answer.json()["continue_at"])
    asked = dict(parse_qsl(url.query))
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{provider.issuer}/end"
    assert asked["post_logout_redirect_uri"] == f"{desk.url}/"
    assert asked["client_id"] == "sightline"
    assert asked["id_token_hint"].count(".") == 2
    assert (await client.get("/api/v1/session")).status_code == 401
    assert (await (await desk.person("viewer")).delete("/api/v1/session")).status_code == 204


@pytest.mark.parametrize("changed", [{"sign_out_there": False}, {}])
async def test_signing_out_needs_no_provider(
    tmp_path: Path, provider: SigningProvider, changed: dict[str, Any]
) -> None:
    """Where it is not wanted, or the provider has no such place, one is signed out here."""
    provider.discovery = {} if changed else {"end_session_endpoint": None}
    async with oidc_desk(tmp_path, provider, **changed) as desk:
        client = await desk.anybody()
        await signs_in(client, provider)
        assert (await client.delete("/api/v1/session")).status_code == 204
        assert (await client.get("/api/v1/session")).status_code == 401


async def test_a_provider_taken_out_of_the_settings_keeps_nobody_in(tmp_path: Path, provider: SigningProvider) -> None:
    """At the next start its sessions have ended; others go on."""
    async with oidc_desk(tmp_path, provider) as desk:
        client = await desk.anybody()
        await signs_in(client, provider)
        kept, root = dict(client.cookies), dict(desk.admin.cookies)
    other = provider_settings(tmp_path, "https://login.example.org", id="other")
    host = FakeHost()
    async with (
        open_gateway(with_providers(tmp_path, other), clock=SystemClock(), open_host=host.open) as gateway,
        httpx.AsyncClient(base_url=gateway.url, cookies=kept) as anne,
        httpx.AsyncClient(base_url=gateway.url, cookies=root) as admin,
    ):
        assert (await anne.get("/api/v1/session")).status_code == 401
        assert (await admin.get("/api/v1/session")).status_code == 200


async def test_nothing_that_opens_anything_is_kept_or_told(
    desk: Desk, provider: SigningProvider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the client's secret nor state, nonce, verifier or code is in the database or the log."""
    client = await desk.anybody()
    url = await sent(client)
    asked = dict(parse_qsl(urlsplit(url).query))
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("sightline.db*"))
    back = provider.approve(url)
    await come_back(client, back)
    (form,) = provider.redeemed
    said = capsys.readouterr()
    for secret in (SECRET, asked["state"], asked["nonce"], form["code_verifier"], client.cookies["sightline"]):
        assert secret.encode() not in stored
        assert secret not in said.out + said.err
    assert form["code"] not in said.out + said.err
    assert "secret" not in (await (await desk.anybody()).get("/api/v1/oidc/providers")).text


async def _spans(desk: Desk, username: str) -> list[int]:
    """Return how many seconds each session of a user may last."""
    owner = await user_id(desk, username)
    async with desk.gateway.database.read() as connection:
        rows = await connection.exec_driver_sql(
            "SELECT (expires_ns - created_ns) / 1000000000 FROM sessions WHERE user_id = ?", (owner,)
        )
        return [row[0] for row in rows]
