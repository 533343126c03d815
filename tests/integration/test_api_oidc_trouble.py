"""Providers of accounts that change their keys, lead elsewhere, fail or say nothing: what the gateway does then."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from starlette.responses import JSONResponse

from tests.fakes.desk import Desk, open_desk
from tests.fakes.oidc_desk import oidc_desk, provider_settings, refused, with_providers
from tests.fakes.signing_provider import OTHER_KEY, SigningProvider, come_back, sent, signing_provider, signs_in


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[SigningProvider]:
    """A provider that can fail."""
    async with signing_provider() as provider:
        yield provider


@pytest_asyncio.fixture
async def desk(tmp_path: Path, provider: SigningProvider) -> AsyncIterator[Desk]:
    """A gateway that trusts it."""
    async with oidc_desk(tmp_path, provider) as desk:
        yield desk


async def test_a_new_key_is_asked_for_once(desk: Desk, provider: SigningProvider) -> None:
    """A provider changes its keys: a token by one that is not known yet has them asked for again."""
    await signs_in(await desk.anybody(), provider)
    assert provider.asked.count("/keys") == 1
    desk.gateway.rooms.oidc.get("borough")._keys._at_ns -= 31 * 10**9
    provider.keys, provider.key = [OTHER_KEY], OTHER_KEY
    provider.header["kid"] = "two"
    assert (await signs_in(await desk.anybody(), provider)).status_code == 303
    assert provider.asked.count("/keys") == 2


async def test_made_up_keys_do_not_have_the_provider_asked_again_and_again(
    desk: Desk, provider: SigningProvider
) -> None:
    """Tokens that name unknown keys, one after another, cost one question."""
    for number in range(5):
        token = provider.logout_token(kid=f"made-up-{number}")
        answer = await (await desk.anybody()).post("/api/v1/oidc/borough/logout", data={"logout_token": token})
        assert answer.status_code == 400
    assert provider.asked.count("/keys") == 1


@pytest.mark.parametrize("path", ["/keys", "/token", "/me"])
async def test_an_odd_answer_lets_nobody_in(desk: Desk, provider: SigningProvider, path: str) -> None:
    """Whatever is asked in the course of a sign-in, nonsense ends in a plain page."""
    provider.account = {} if path == "/me" else provider.account
    provider.answers[path] = JSONResponse(["nonsense"])
    client = await desk.anybody()
    await refused(desk, client, await signs_in(client, provider), 502, "access.provider-answer")


async def test_a_host_that_the_settings_name_may_be_asked(tmp_path: Path, provider: SigningProvider) -> None:
    """Some providers keep their keys on another host."""
    async with signing_provider() as other:
        provider.discovery = {"jwks_uri": f"{other.issuer}/keys"}
        host = other.issuer.removeprefix("http://")
        async with oidc_desk(tmp_path, provider, hosts=(host,)) as desk:
            assert (await signs_in(await desk.anybody(), provider)).status_code == 303
            assert other.asked == ["/keys"]


async def test_a_wrong_client_secret_is_said_to_those_who_can_mend_it(
    tmp_path: Path, provider: SigningProvider
) -> None:
    """The page names what an administrator should look at."""
    secret = tmp_path / "wrong"
    secret.write_text("wrong")
    secret.chmod(0o600)
    async with oidc_desk(tmp_path, provider, client_secret_file=secret) as desk:
        client = await desk.anybody()
        answer = await signs_in(client, provider)
        await refused(desk, client, answer, 403, "access.provider-refused")
        assert "client_id and its secret" in answer.text


async def test_a_provider_that_is_down_disturbs_nobody_else(tmp_path: Path) -> None:
    """The gateway starts without it, says so plainly at the button, and others sign in."""
    settings = with_providers(tmp_path, provider_settings(tmp_path, "http://127.0.0.1:9"))
    async with open_desk(tmp_path, settings=settings) as desk:
        answer = await (await desk.anybody()).post("/api/v1/oidc/borough/start", json={})
        assert (answer.status_code, answer.json()["type"]) == (503, "access.provider-unreachable")
        assert "does not answer" in answer.json()["title"]
        await desk.person("viewer")


async def test_a_provider_that_goes_down_meanwhile_is_said_on_the_page(desk: Desk, provider: SigningProvider) -> None:
    """A failing token endpoint."""
    client = await desk.anybody()
    url = await sent(client)
    provider.answers["/token"] = JSONResponse({"error": "x"}, status_code=503)
    answer = await come_back(client, provider.approve(url))
    await refused(desk, client, answer, 503, "access.provider-unreachable")


async def test_a_provider_that_says_nothing_is_waited_for_so_long(tmp_path: Path, provider: SigningProvider) -> None:
    """``timeout_s`` bounds it, everybody else is served meanwhile, and a crowd waits once."""
    provider.hang = asyncio.Event()
    async with oidc_desk(tmp_path, provider, timeout_s=2.0) as desk:
        client = await desk.anybody()
        crowd = [asyncio.ensure_future(client.post("/api/v1/oidc/borough/start", json={})) for _ in range(5)]
        assert (await desk.admin.get("/api/v1/session")).status_code == 200
        for answer in await asyncio.gather(*crowd):
            assert (answer.status_code, answer.json()["type"]) == (503, "access.provider-unreachable")
        assert provider.asked == ["/.well-known/openid-configuration"]


async def test_who_is_sent_and_never_comes_back_has_to_wait(desk: Desk, provider: SigningProvider) -> None:
    """A flood from one address ends in 429; who comes back is not counted."""
    for _ in range(40):
        await signs_in(await desk.anybody(), provider)
    client = await desk.anybody()
    statuses = [(await client.post("/api/v1/oidc/borough/start", json={})).status_code for _ in range(31)]
    assert statuses == [200] * 30 + [429]


@pytest.mark.parametrize("path", ["start", "logout"])
async def test_a_provider_that_there_is_not_is_said_so(desk: Desk, path: str) -> None:
    """404, as a problem."""
    client = await desk.anybody()
    body: dict[str, Any] = {"json": {}} if path == "start" else {"data": {"logout_token": "x"}}
    answer = await client.post(f"/api/v1/oidc/nobody/{path}", **body)
    assert (answer.status_code, answer.json()["type"]) == (404, "access.provider-unknown")
    assert (await client.get("/api/v1/oidc/nobody/callback")).status_code == 404
