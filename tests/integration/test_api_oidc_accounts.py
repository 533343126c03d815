"""Accounts of providers and users here: tied, governed, confirmed with."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from gateway.app import open_gateway
from kernel.clock import NS_PER_S, SystemClock
from tests.fakes.desk import PASSWORD, Desk, open_desk
from tests.fakes.host import FakeHost
from tests.fakes.oidc_desk import oidc_desk, provider_settings, with_providers
from tests.fakes.signing_provider import SigningProvider, come_back, sent, signing_provider, signs_in

ACCOUNTS = "/api/v1/session/accounts"


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[SigningProvider]:
    """A provider."""
    async with signing_provider() as provider:
        yield provider


@pytest_asyncio.fixture
async def desk(tmp_path: Path, provider: SigningProvider) -> AsyncIterator[Desk]:
    """A gateway that trusts it."""
    async with oidc_desk(tmp_path, provider) as desk:
        yield desk


async def user_id(desk: Desk, username: str) -> str:
    """Return a user's identifier."""
    return next(user.id for user in await desk.gateway.rooms.people.users() if user.username == username)


async def username(client: httpx.AsyncClient) -> str:
    """Return who a browser is signed in as."""
    name: str = (await client.get("/api/v1/session")).json()["user"]["username"]
    return name


async def tied(client: httpx.AsyncClient, provider: SigningProvider) -> httpx.Response:
    """Tie the provider's account to whoever is signed in, there and back."""
    answer = await client.post(f"{ACCOUNTS}/borough")
    assert answer.status_code == 200, answer.text
    return await come_back(client, provider.approve(answer.json()["url"]))


# --- tied


async def test_one_ties_an_account_to_oneself(desk: Desk, provider: SigningProvider) -> None:
    """Afterwards it signs in the same user, with the role that they have here, whatever the groups say."""
    olga = await desk.person("viewer", "olga")
    assert (await tied(olga, provider)).status_code == 303
    (account,) = (await olga.get(ACCOUNTS)).json()
    assert (account["provider"], account["subject"], account["governs"]) == ("borough", "anne-1", False)
    client = await desk.anybody()
    await signs_in(client, provider)
    session = (await client.get("/api/v1/session")).json()["user"]
    assert (session["username"], session["role"], session["name"]) == ("olga", "viewer", "Olga")
    (entry,) = await desk.audit("account.tied")
    assert (entry.actor, entry.subject) == ("olga", await user_id(desk, "olga"))


async def aged(desk: Desk) -> None:
    """Let everybody's last proof be long ago."""
    async with desk.gateway.database.write() as connection:
        await connection.exec_driver_sql("UPDATE sessions SET confirmed_ns = 0")


async def test_tying_and_untying_want_a_fresh_proof(desk: Desk, provider: SigningProvider) -> None:
    """A browser that was left open does not let somebody add a way in, or take one; once confirmed, both go on."""
    olga = await desk.person("viewer", "olga")
    await aged(desk)
    answer = await olga.post(f"{ACCOUNTS}/borough")
    assert (answer.json()["type"], answer.json()["methods"]) == ("access.confirm", ["password"])
    confirm = {"password": PASSWORD}
    assert (await olga.post("/api/v1/session/confirm", json=confirm)).status_code == 204
    assert (await tied(olga, provider)).status_code == 303
    (account,) = (await olga.get(ACCOUNTS)).json()
    await aged(desk)
    answer = await olga.delete(f"{ACCOUNTS}/{account['id']}")
    assert (answer.json()["type"], answer.json()["methods"]) == ("access.confirm", ["password", "oidc"])
    assert (await olga.post("/api/v1/session/confirm", json=confirm)).status_code == 204
    assert (await olga.delete(f"{ACCOUNTS}/{account['id']}")).status_code == 204
    assert (await olga.get(ACCOUNTS)).json() == []
    assert len(await desk.audit("account.untied")) == 1


async def test_the_only_way_in_is_not_untied(desk: Desk, provider: SigningProvider) -> None:
    """Who has no password and no passkey, and one account, keeps it; nor does anybody untie another's."""
    olga = await desk.person("viewer", "olga")
    await tied(olga, provider)
    (account,) = (await olga.get(ACCOUNTS)).json()
    other = await desk.person("viewer", "vera")
    assert (await other.delete(f"{ACCOUNTS}/{account['id']}")).status_code == 404
    async with desk.gateway.database.write() as connection:
        await connection.exec_driver_sql("UPDATE users SET password_hash = '!' WHERE username = 'olga'")
    answer = await olga.delete(f"{ACCOUNTS}/{account['id']}")
    assert (answer.status_code, answer.json()["type"]) == (409, "access.user")
    assert "only way" in answer.json()["title"]


async def test_tying_wants_a_fresh_sign_in_there(desk: Desk, provider: SigningProvider) -> None:
    """Else the account of whoever sat there before, whom the provider still remembers, would be tied."""
    olga = await desk.person("viewer", "olga")
    provider.account["auth_time"] = SystemClock().wall_ns() // NS_PER_S - 600
    assert (await tied(olga, provider)).status_code == 502
    provider.account["auth_time"] = None
    assert (await tied(olga, provider)).status_code == 502
    assert (await olga.get(ACCOUNTS)).json() == []


async def test_an_account_belongs_to_one_user(desk: Desk, provider: SigningProvider) -> None:
    """It is not taken from another, neither by oneself nor by an administrator."""
    await signs_in(await desk.anybody(), provider)
    olga = await desk.person("viewer", "olga")
    answer = await tied(olga, provider)
    assert (answer.status_code, "belongs to a user already" in answer.text) == (409, True)
    body = {"provider": "borough", "subject": "anne-1"}
    wanted = f"/api/v1/users/{await user_id(desk, 'olga')}/accounts"
    assert (await desk.admin.post(wanted, json=body)).status_code == 409


async def test_a_tie_that_was_begun_ends_with_its_session(desk: Desk, provider: SigningProvider) -> None:
    """Who signed out meanwhile ties nothing."""
    olga = await desk.person("viewer", "olga")
    url = (await olga.post(f"{ACCOUNTS}/borough")).json()["url"]
    await olga.delete("/api/v1/session")
    assert (await come_back(olga, provider.approve(url))).status_code == 400


async def test_a_tie_does_not_sign_in_and_a_sign_in_does_not_tie(desk: Desk, provider: SigningProvider) -> None:
    """What one was sent for is kept here, not in the address."""
    olga = await desk.person("viewer", "olga")
    before = dict(olga.cookies)
    await tied(olga, provider)
    assert olga.cookies["sightline"] == before["sightline"]
    other = await desk.person("viewer", "vera")
    await come_back(other, provider.approve(await sent(other)))
    assert (await username(other)) == "olga"


async def test_administrators_tie_and_untie(desk: Desk, provider: SigningProvider) -> None:
    """By the provider's own name for the person; what was opened with it ends when it is taken away."""
    await desk.person("operator", "olga")
    accounts = f"/api/v1/users/{await user_id(desk, 'olga')}/accounts"
    made = await desk.admin.post(accounts, json={"provider": "borough", "subject": "anne-1"})
    assert made.status_code == 201
    client = await desk.anybody()
    await signs_in(client, provider)
    assert await username(client) == "olga"
    (listed,) = (await desk.admin.get(accounts)).json()
    assert listed["signed_in"] is not None
    assert (await desk.admin.delete(f"{accounts}/{made.json()['id']}")).status_code == 204
    assert (await client.get("/api/v1/session")).status_code == 401
    assert [entry.action for entry in await desk.audit() if entry.action.startswith("account")] == [
        "account.tied",
        "account.untied",
    ]


async def test_what_cannot_be_tied_or_untied_is_said(desk: Desk, provider: SigningProvider) -> None:
    """No such user, provider or account; and what made a user is not taken from them."""
    await signs_in(await desk.anybody(), provider)
    anne = f"/api/v1/users/{await user_id(desk, 'anne')}/accounts"
    (account,) = (await desk.admin.get(anne)).json()
    body = {"provider": "borough", "subject": "x"}
    assert (await desk.admin.post("/api/v1/users/nobody/accounts", json=body)).status_code == 404
    assert (await desk.admin.post(anne, json=body | {"provider": "nobody"})).status_code == 404
    assert (await desk.admin.delete(f"{anne}/nothing")).status_code == 404
    assert (await desk.admin.delete(f"/api/v1/users/nobody/accounts/{account['id']}")).status_code == 404
    assert (await desk.admin.delete(f"{anne}/{account['id']}")).status_code == 409


async def test_a_program_ties_nothing_to_itself(desk: Desk) -> None:
    """A token has no accounts."""
    program = await desk.token("administrator")
    assert (await program.post(f"{ACCOUNTS}/borough")).status_code == 422
    assert (await program.delete(f"{ACCOUNTS}/x")).status_code == 422


# --- confirmed


async def confirms(client: httpx.AsyncClient, provider: SigningProvider) -> httpx.Response:
    """Prove again at the provider that it is whoever is signed in."""
    answer = await client.post("/api/v1/oidc/borough/confirm")
    assert answer.status_code == 200, answer.text
    assert "prompt=login" in answer.json()["url"]
    return await come_back(client, provider.approve(answer.json()["url"]))


async def test_one_proves_again_who_one_is_at_the_provider(desk: Desk, provider: SigningProvider) -> None:
    """In a window of its own, which says that it can be closed; the session is the same, and it is on record."""
    client = await desk.anybody()
    await signs_in(client, provider)
    before = client.cookies["sightline"]
    answer = await confirms(client, provider)
    assert (answer.status_code, "Close this window" in answer.text) == (200, True)
    assert client.cookies["sightline"] == before
    (entry,) = await desk.audit("access.confirmed")
    assert (entry.actor, entry.subject) == ("anne", await user_id(desk, "anne"))


async def test_whom_a_provider_keeps_is_told_to_confirm_there(desk: Desk, provider: SigningProvider) -> None:
    """Its button alone, even where an administrator set a password; and then the act goes through."""
    client = await desk.anybody()
    await signs_in(client, provider)
    anne = await user_id(desk, "anne")
    await desk.admin.patch(f"/api/v1/users/{anne}", json={"name": "Anne A.", "password": PASSWORD})
    await signs_in(client, provider)
    await aged(desk)
    camera = await desk.enrol()
    clip = f"/api/v1/cameras/{camera}/clip.mp4?start=2026-09-01T12:00:00Z&end=2026-09-01T13:00:00Z"
    answer = await client.get(clip)
    assert (answer.json()["type"], answer.json()["methods"]) == ("access.confirm", ["oidc"])
    assert (await client.get("/api/v1/session/confirm/methods")).json() == ["oidc"]
    await confirms(client, provider)
    assert (await client.get(clip)).status_code == 200


async def test_a_provider_that_is_set_no_more_confirms_nobody(tmp_path: Path, provider: SigningProvider) -> None:
    """Its button is not named: there is nothing behind it."""
    settings = with_providers(tmp_path, provider_settings(tmp_path, provider.issuer))
    async with open_desk(tmp_path, settings=settings) as desk:
        olga = await desk.person("viewer", "olga")
        await tied(olga, provider)
        cookies = dict(olga.cookies)
    async with (
        open_gateway(with_providers(tmp_path), clock=SystemClock(), open_host=FakeHost().open) as gateway,
        httpx.AsyncClient(base_url=gateway.url, cookies=cookies) as client,
    ):
        assert (await client.get("/api/v1/session/confirm/methods")).json() == ["password"]


async def test_another_persons_account_confirms_nothing(desk: Desk, provider: SigningProvider) -> None:
    """Neither a stranger's, of whom no user is made, nor another user's."""
    client = await desk.anybody()
    await signs_in(client, provider)
    provider.sub = "bob-2"
    for _ in range(2):
        answer = await confirms(client, provider)
        assert (answer.status_code, "another account" in answer.text) == (403, True)
    assert len(await desk.gateway.rooms.people.users()) == 2
    await signs_in(await desk.anybody(), provider)
    assert (await confirms(client, provider)).status_code == 403
    assert await desk.audit("access.confirmed") == []


async def test_an_old_sign_in_there_confirms_nothing(desk: Desk, provider: SigningProvider) -> None:
    """The provider must have asked the person now."""
    client = await desk.anybody()
    await signs_in(client, provider)
    provider.account["auth_time"] = SystemClock().wall_ns() // NS_PER_S - 600
    assert (await confirms(client, provider)).status_code == 502


async def test_who_has_lost_their_group_confirms_nothing(desk: Desk, provider: SigningProvider) -> None:
    """They are out."""
    client = await desk.anybody()
    await signs_in(client, provider)
    provider.account["groups"] = []
    assert (await confirms(client, provider)).status_code == 403
    assert (await client.get("/api/v1/session")).status_code == 401


# --- governed


async def test_whom_a_provider_keeps_has_no_other_way_in(desk: Desk, provider: SigningProvider) -> None:
    """No password that an administrator sets and no one-time code: a group taken away there would not count."""
    await signs_in(await desk.anybody(), provider)
    anne = await user_id(desk, "anne")
    assert (await desk.admin.patch(f"/api/v1/users/{anne}", json={"password": PASSWORD})).status_code == 200
    code = await desk.gateway.rooms.access.new_sign_in_code(anne)
    for body in ({"username": "anne", "password": PASSWORD}, {"code": code}):
        answer = await (await desk.anybody()).post("/api/v1/session", json=body)
        assert (answer.status_code, answer.json()["type"]) == (403, "access.kept-elsewhere")
    assert (await signs_in(await desk.anybody(), provider)).status_code == 303


@pytest.mark.parametrize("password", ["", "!", "no one's password", PASSWORD])
async def test_whom_a_provider_keeps_has_no_password(desk: Desk, provider: SigningProvider, password: str) -> None:
    """Nothing that one types is the right one, and the answer is that to any wrong one."""
    await signs_in(await desk.anybody(), provider)
    answer = await (await desk.anybody()).post("/api/v1/session", json={"username": "anne", "password": password})
    assert (answer.status_code, answer.json()["type"]) == (401, "access.credentials")


async def test_whom_a_provider_keeps_gets_no_token(desk: Desk, provider: SigningProvider) -> None:
    """A token would outlive the group that its user is here by."""
    await signs_in(await desk.anybody(), provider)
    body = {"name": "x", "role": "operator", "days": 1, "user_id": await user_id(desk, "anne")}
    answer = await desk.admin.post("/api/v1/tokens", json=body)
    assert (answer.status_code, answer.json()["type"]) == (409, "access.user")


async def test_who_was_removed_comes_back_as_somebody_new(desk: Desk, provider: SigningProvider) -> None:
    """The account is still in its group; to keep them out they are disabled."""
    client = await desk.anybody()
    await signs_in(client, provider)
    before = await user_id(desk, "anne")
    assert (await desk.admin.delete(f"/api/v1/users/{before}")).status_code == 204
    assert (await client.get("/api/v1/session")).status_code == 401
    await signs_in(client, provider)
    assert await user_id(desk, "anne") != before
