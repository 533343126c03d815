"""Signing in with a provider of accounts: whatever is not as it should be lets nobody in, and says why on a page."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import OctKey
from starlette.responses import JSONResponse

from kernel.clock import NS_PER_S, SystemClock
from tests.fakes.desk import Desk, open_desk
from tests.fakes.oidc_desk import oidc_desk, provider_settings, with_providers
from tests.fakes.signing_provider import (
    OTHER_KEY,
    SECRET,
    SigningProvider,
    come_back,
    sent,
    signing_provider,
    signs_in,
)

Knob = Callable[[SigningProvider], None]


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[SigningProvider]:
    """A provider that lies on demand."""
    async with signing_provider() as provider:
        yield provider


@pytest_asyncio.fixture
async def desk(tmp_path: Path, provider: SigningProvider) -> AsyncIterator[Desk]:
    """A gateway that trusts it."""
    async with oidc_desk(tmp_path, provider) as desk:
        yield desk


async def refused(desk: Desk, client: httpx.AsyncClient, answer: httpx.Response, status: int, code: str) -> None:
    """Check that nobody came in: a page says why, the visit is over, no user or session is there, it is on record."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), answer.text
    assert f"<code>{code}</code>" in answer.text
    assert "sightline" not in client.cookies
    assert "sightline-visit" not in client.cookies
    assert (await client.get("/api/v1/session")).status_code == 401
    assert [user.username for user in await desk.gateway.rooms.people.users()] == ["root"]
    failed = [entry for entry in await desk.audit("access.sign-in") if entry.outcome == "failed"]
    assert f'"error":"{code}"' in failed[-1].details
    assert '"provider":"borough"' in failed[-1].details


def claims(**changed: Any) -> Knob:
    """Return a knob that changes the ID token; ``None`` takes a claim out of it."""

    def turn(provider: SigningProvider) -> None:
        provider.edit = lambda said: said.update(changed)

    return turn


def later(name: str, by_s: int) -> Knob:
    """Return a knob that moves a time in the ID token."""

    def turn(provider: SigningProvider) -> None:
        provider.edit = lambda said: said.update({name: SystemClock().wall_ns() // NS_PER_S + by_s})

    return turn


def header(**changed: Any) -> Knob:
    """Return a knob that changes the ID token's header."""
    return lambda provider: provider.header.update(changed)


def signed_by_another(provider: SigningProvider) -> None:
    """Sign with a key that is not listed, under the name of one that is."""
    provider.key = OTHER_KEY


def unsigned(provider: SigningProvider) -> None:
    """Say that no signature is needed (``alg`` none)."""
    provider.resign = lambda token: "eyJhbGciOiJub25lIn0." + token.split(".")[1] + "."


def signed_with_the_secret(provider: SigningProvider) -> None:
    """Sign with what the client knows (HS256), as anybody could who knows it."""

    def resign(token: str) -> str:
        said = jwt.decode(token, provider.key, algorithms=["RS256"]).claims
        return jwt.encode({"alg": "HS256"}, said, OctKey.import_key(SECRET))

    provider.resign = resign


LIES: dict[str, Knob] = {
    "another nonce": claims(nonce="another"),
    "no nonce": claims(nonce=None),
    "a nonce that is no text": claims(nonce=["x"]),
    "for another": claims(aud="somebody-else"),
    "for us and another": claims(aud=["sightline", "somebody-else"], azp="sightline"),
    "for nobody": claims(aud=None),
    "for another party": claims(azp="somebody-else"),
    "of another issuer": claims(iss="https://other.example.org"),
    "of no issuer": claims(iss=None),
    "over": later("exp", -90),
    "without an end": claims(exp=None),
    "with an end that is none": claims(exp="never"),
    "of the future": later("iat", 90),
    "older than the question": later("iat", -90),
    "without its time": claims(iat=None),
    "not yet": later("nbf", 90),
    "about nobody": claims(sub=None),
    "about nobody nameable": claims(sub="x" * 256),
    "about a number": claims(sub=7),
    "with another's access token": claims(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "by an unknown key": header(kid="three"),
    "by another key": signed_by_another,
    "unsigned": unsigned,
    "signed with the secret": signed_with_the_secret,
    "nonsense": lambda provider: setattr(provider, "resign", lambda _: "nonsense"),
    "nothing": lambda provider: setattr(provider, "resign", lambda _: ""),
    "three points": lambda provider: setattr(provider, "resign", lambda _: "..."),
    "endless": lambda provider: setattr(provider, "resign", lambda token: token + "A" * 200_000),
    "with a header that must be understood": header(crit=["x"], x=1),
}


async def test_an_id_token_that_is_not_for_us_now_lets_nobody_in(tmp_path: Path, provider: SigningProvider) -> None:
    """Signature, issuer, audience, times, nonce: each is asked (OpenID Connect Core 3.1.3.7)."""
    honest = dict(vars(provider))
    async with oidc_desk(tmp_path, provider, access={"address_attempts": len(LIES)}) as desk:
        for name, tell in LIES.items():
            vars(provider).update(honest, header=dict(honest["header"]))
            tell(provider)
            client = await desk.anybody()
            answer = await signs_in(client, provider)
            assert answer.status_code == 502, name
            await refused(desk, client, answer, 502, "access.provider-answer")


@pytest.mark.parametrize("truth", [later("exp", -30), later("iat", 30), claims(aud=["sightline"]), header(x=1)])
async def test_clocks_may_differ_a_little(desk: Desk, provider: SigningProvider, truth: Knob) -> None:
    """By ``clock_skew_s``; and an audience may be a list of one, a header have more in it."""
    truth(provider)
    assert (await signs_in(await desk.anybody(), provider)).status_code == 303


async def test_a_state_of_nobody_is_refused(desk: Desk, provider: SigningProvider) -> None:
    """A made-up state, or none, is no visit; the code with it is not shown to anybody."""
    for state in ("made-up", None):
        client = await desk.anybody()
        back = provider.approve(await sent(client), state=state)
        await refused(desk, client, await come_back(client, back), 400, "access.provider-visit")
    assert provider.redeemed == []


async def test_another_browsers_answer_is_refused(desk: Desk, provider: SigningProvider) -> None:
    """Somebody who is led to follow another person's way back does not become that person (login CSRF)."""
    attacker, victim = await desk.anybody(), await desk.anybody()
    back = provider.approve(await sent(attacker))
    await refused(desk, victim, await come_back(victim, back), 400, "access.provider-visit")
    await sent(victim)
    again = provider.approve(await sent(attacker))
    await refused(desk, victim, await come_back(victim, again), 400, "access.provider-visit")
    assert provider.redeemed == []


async def test_one_comes_back_once(desk: Desk, provider: SigningProvider) -> None:
    """The same answer again, with the cookie that it had, opens nothing; nor is the code sent again."""
    client = await desk.anybody()
    back = provider.approve(await sent(client))
    kept = client.cookies["sightline-visit"]
    assert (await come_back(client, back)).status_code == 303
    thief = await desk.anybody()
    thief.cookies.set("sightline-visit", kept)
    assert (await come_back(thief, back)).status_code == 400
    assert len(provider.redeemed) == 1


async def test_a_code_that_was_used_is_refused_there(desk: Desk, provider: SigningProvider) -> None:
    """A code of another sign-in, put into one's own, fails at the provider: the verifier is another."""
    client, other = await desk.anybody(), await desk.anybody()
    stolen = provider.approve(await sent(other))
    code = httpx.URL(stolen).params["code"]
    back = provider.approve(await sent(client), code=code)
    await refused(desk, client, await come_back(client, back), 403, "access.provider-refused")


@pytest.mark.parametrize("iss", ["https://other.example.org", "", None])
async def test_an_answer_of_another_provider_is_refused(desk: Desk, provider: SigningProvider, iss: str | None) -> None:
    """RFC 9207: with a wrong ``iss``, or none where it was announced, the code is not shown to anybody (mix-up)."""
    client = await desk.anybody()
    back = provider.approve(await sent(client), iss=iss)
    await refused(desk, client, await come_back(client, back), 400, "access.provider-visit")
    assert provider.redeemed == []


async def test_a_provider_need_not_name_itself(desk: Desk, provider: SigningProvider) -> None:
    """One that does not announce ``iss`` is believed without it, and not with a wrong one."""
    provider.discovery = {"authorization_response_iss_parameter_supported": False}
    client = await desk.anybody()
    wrong = provider.approve(await sent(client), iss="https://other.example.org")
    assert (await come_back(client, wrong)).status_code == 400
    right = provider.approve(await sent(client), iss=None)
    assert (await come_back(client, right)).status_code == 303


async def test_an_answer_at_another_providers_address_is_refused(tmp_path: Path, provider: SigningProvider) -> None:
    """Each provider has an address of its own to send people back to (RFC 9700, 4.4)."""
    async with signing_provider() as force:
        settings = with_providers(
            tmp_path,
            provider_settings(tmp_path, provider.issuer),
            provider_settings(tmp_path, force.issuer, id="force", name="the force"),
        )
        async with open_desk(tmp_path, settings=settings) as desk:
            client = await desk.anybody()
            back = force.approve(await sent(client, "force"))
            crossed = back.replace("/oidc/force/", "/oidc/borough/")
            await refused(desk, client, await come_back(client, crossed), 400, "access.provider-visit")
            assert (provider.redeemed, force.redeemed) == ([], [])
            assert (await signs_in_at(client, force, "force")).status_code == 303


async def signs_in_at(client: httpx.AsyncClient, provider: SigningProvider, name: str) -> httpx.Response:
    """Sign Anne in at a provider of that name."""
    return await come_back(client, provider.approve(await sent(client, name)))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("access_denied", "access.provider-refused"),
        ("server_error", "access.provider-refused"),
        ("unmet_authentication_requirements", "access.not-admitted"),
    ],
)
async def test_what_the_provider_refuses_is_said(desk: Desk, provider: SigningProvider, error: str, code: str) -> None:
    """In words of ours; what came in the address is not shown."""
    client = await desk.anybody()
    back = provider.approve(await sent(client), code=None, error=error, error_description="<b>call 555</b>")
    answer = await come_back(client, back)
    await refused(desk, client, answer, 403, code)
    assert "555" not in answer.text


@pytest.mark.parametrize("groups", [[], ["everybody"], None, "everybody", {"cctv-operators": True}, [7]])
async def test_who_is_in_no_group_that_counts_stays_out(desk: Desk, provider: SigningProvider, groups: object) -> None:
    """Whatever the claim looks like, and where there is none."""
    provider.account["groups"] = groups
    client = await desk.anybody()
    answer = await signs_in(client, provider)
    await refused(desk, client, answer, 403, "access.not-admitted")
    assert "none of your groups there" in answer.text


async def test_groups_that_were_left_out_are_said_to_be(desk: Desk, provider: SigningProvider) -> None:
    """A provider that names too many groups to list them tells another address; the sentence says what to do."""
    provider.account |= {"groups": None, "_claim_names": {"groups": "src1"}}
    client = await desk.anybody()
    assert "too many of them" in (await signs_in(client, provider)).text


async def test_whose_last_group_went_is_out_at_once(desk: Desk, provider: SigningProvider) -> None:
    """A sign-in that is refused for it ends what was open, too."""
    client = await desk.anybody()
    await signs_in(client, provider)
    provider.account["groups"] = []
    assert (await signs_in(await desk.anybody(), provider)).status_code == 403
    assert (await client.get("/api/v1/session")).status_code == 401


async def test_who_is_disabled_here_stays_out(desk: Desk, provider: SigningProvider) -> None:
    """Whatever the provider says; and comes in again when they are enabled."""
    await signs_in(await desk.anybody(), provider)
    users = await desk.gateway.rooms.people.users()
    anne = next(user.id for user in users if user.username == "anne")
    await desk.admin.patch(f"/api/v1/users/{anne}", json={"disabled": True})
    answer = await signs_in(await desk.anybody(), provider)
    assert answer.status_code == 403
    assert "Your account here is disabled." in answer.text
    await desk.admin.patch(f"/api/v1/users/{anne}", json={"disabled": False})
    assert (await signs_in(await desk.anybody(), provider)).status_code == 303


async def test_a_second_factor_can_be_asked_of_the_provider(tmp_path: Path, provider: SigningProvider) -> None:
    """Without its word that there were two, nobody comes in."""
    async with oidc_desk(tmp_path, provider, require_two_factor=True) as desk:
        client = await desk.anybody()
        await refused(desk, client, await signs_in(client, provider), 403, "access.not-admitted")
        provider.account["amr"] = ["pwd", "mfa"]
        assert (await signs_in(client, provider)).status_code == 303


async def test_an_account_of_somebody_else_is_refused(desk: Desk, provider: SigningProvider) -> None:
    """What the userinfo endpoint tells must be about the subject of the ID token (Core 5.3.2)."""
    provider.userinfo = {"sub": "bob-2", **provider.account}
    provider.account = {}
    client = await desk.anybody()
    await refused(desk, client, await signs_in(client, provider), 502, "access.provider-answer")


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
    async with oidc_desk(tmp_path, provider, timeout_s=0.5) as desk:
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
