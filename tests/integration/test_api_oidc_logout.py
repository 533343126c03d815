"""Signed out at the provider: back-channel logout ends what its accounts opened here, and nothing else."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.fakes.desk import Desk, open_desk
from tests.fakes.oidc_desk import oidc_desk, provider_settings, with_providers
from tests.fakes.signing_provider import LOGOUT, SigningProvider, signing_provider, signs_in


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


async def logged_out(desk: Desk, token: str, provider: str = "borough") -> httpx.Response:
    """Say it as a provider does: no browser, no Origin, a form."""
    async with httpx.AsyncClient(base_url=desk.url) as client:
        return await client.post(f"/api/v1/oidc/{provider}/logout", data={"logout_token": token})


@pytest.mark.parametrize(
    "by", [{"sub": "anne-1"}, {"sub": None, "sid": "there-1"}, {"sub": "anne-1", "sid": "there-1"}]
)
async def test_signing_out_there_ends_it_here(desk: Desk, provider: SigningProvider, by: dict[str, Any]) -> None:
    """By person, by session, or by both; it is on record as the provider's doing."""
    client, other = await desk.anybody(), await desk.person("viewer")
    await signs_in(client, provider)
    answer = await logged_out(desk, provider.logout_token(_with(by)))
    assert answer.status_code == 200
    assert (await client.get("/api/v1/session")).status_code == 401
    assert (await other.get("/api/v1/session")).status_code == 200
    (entry,) = await desk.audit("access.session-ended")
    assert entry.actor == "your borough account"


@pytest.mark.parametrize("by", [{"sub": "bob-2"}, {"sub": None, "sid": "there-2"}, {"sub": "anne-1", "sid": "there-2"}])
async def test_others_sessions_go_on(desk: Desk, provider: SigningProvider, by: dict[str, Any]) -> None:
    """Another person's, or another session's, logout is none of theirs."""
    client = await desk.anybody()
    await signs_in(client, provider)
    assert (await logged_out(desk, provider.logout_token(_with(by)))).status_code == 200
    assert (await client.get("/api/v1/session")).status_code == 200


def _as_it_is(_said: dict[str, Any]) -> None:
    """Change nothing."""


LIES: dict[str, tuple[Callable[[dict[str, Any]], None], dict[str, Any]]] = {
    "for another": (lambda said: said.update(aud="somebody-else"), {}),
    "for us and another": (lambda said: said.update(aud=["sightline", "x"]), {}),
    "of another issuer": (lambda said: said.update(iss="https://other.example.org"), {}),
    "over": (lambda said: said.update(exp=said["exp"] - 900), {}),
    "without an end": (lambda said: said.pop("exp"), {}),
    "of the future": (lambda said: said.update(iat=said["iat"] + 900), {}),
    "without a name": (lambda said: said.pop("jti"), {}),
    "about nobody": (lambda said: said.pop("sub"), {}),
    "about no logout": (lambda said: said.update(events={}), {}),
    "about a logout that is none": (lambda said: said.update(events={LOGOUT: True}), {}),
    "about another event": (lambda said: said.update(events=[LOGOUT]), {}),
    "with a nonce": (lambda said: said.update(nonce="n"), {}),
    "of another kind": (_as_it_is, {"typ": "at+jwt"}),
    "by an unknown key": (_as_it_is, {"kid": "two"}),
    "by no key": (_as_it_is, {"alg": "none"}),
}


async def test_what_is_no_logout_token_ends_nothing(desk: Desk, provider: SigningProvider) -> None:
    """Each thing that Back-Channel Logout 2.6 asks for is asked; 400, and the session goes on."""
    client = await desk.anybody()
    await signs_in(client, provider)
    for name, (edit, header) in LIES.items():
        answer = await logged_out(desk, provider.logout_token(edit, **header))
        assert (name, answer.status_code) == (name, 400)
        assert answer.json()["type"] == "access.logout-token"
    for nonsense in ("", "x", "...", "A" * 200_000):
        assert (await logged_out(desk, nonsense)).status_code == 400
    assert (await client.get("/api/v1/session")).status_code == 200


async def test_an_id_token_is_no_logout_token(desk: Desk, provider: SigningProvider) -> None:
    """Who gets hold of one cannot put its owner out with it."""
    tokens: list[str] = []
    provider.resign = lambda token: tokens.append(token) or token  # type: ignore[func-returns-value]
    client = await desk.anybody()
    await signs_in(client, provider)
    assert (await logged_out(desk, tokens[0])).status_code == 400
    assert (await client.get("/api/v1/session")).status_code == 200


async def test_a_logout_said_twice_counts_once(desk: Desk, provider: SigningProvider) -> None:
    """Whoever has signed in again since is not put out by the echo."""
    client = await desk.anybody()
    await signs_in(client, provider)
    token = provider.logout_token()
    await logged_out(desk, token)
    assert (await client.get("/api/v1/session")).status_code == 401
    await signs_in(client, provider)
    assert (await logged_out(desk, token)).status_code == 200
    assert (await client.get("/api/v1/session")).status_code == 200


async def test_a_provider_ends_its_own_sessions_alone(tmp_path: Path, provider: SigningProvider) -> None:
    """The same subject at another provider is another person; nor does its token count at another's address."""
    async with signing_provider() as force:
        settings = with_providers(
            tmp_path,
            provider_settings(tmp_path, provider.issuer),
            provider_settings(tmp_path, force.issuer, id="force", name="the force"),
        )
        async with open_desk(tmp_path, settings=settings) as desk:
            client = await desk.anybody()
            await signs_in(client, provider)
            assert (await logged_out(desk, force.logout_token(), "force")).status_code == 200
            assert (await logged_out(desk, force.logout_token(), "borough")).status_code == 400
            assert (await client.get("/api/v1/session")).status_code == 200


@pytest.mark.parametrize("body", [b"a=1&" * 2000, b"\xff\xfe=%ff&logout_token=%ff", b"logout_token", b"&&==;"])
async def test_an_odd_form_is_no_logout_token(desk: Desk, body: bytes) -> None:
    """Many fields, no text, no value: 400."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await (await desk.anybody()).post("/api/v1/oidc/borough/logout", content=body, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "access.logout-token")


async def test_a_logout_token_comes_in_a_form(desk: Desk, provider: SigningProvider) -> None:
    """Anything else is 415."""
    client = await desk.anybody()
    answer = await client.post("/api/v1/oidc/borough/logout", json={"logout_token": provider.logout_token()})
    assert (answer.status_code, answer.json()["type"]) == (415, "api.media-type")


def _with(by: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    def edit(said: dict[str, Any]) -> None:
        said.update(by)
        if said["sub"] is None:
            del said["sub"]

    return edit
