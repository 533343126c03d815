"""Signing in with a provider of accounts: whatever is not as it should be lets nobody in, and says why on a page."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import OctKey

from kernel.clock import NS_PER_S, SystemClock
from tests.fakes.desk import Desk, open_desk
from tests.fakes.oidc_desk import oidc_desk, provider_settings, refused, with_providers
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
    "about nobody who can be written": claims(sub="a\ud800\x00"),
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
            # Neither names itself in its answers: the address alone tells them apart.
            for one in (provider, force):
                one.discovery = {"authorization_response_iss_parameter_supported": False}
            client = await desk.anybody()
            back = force.approve(await sent(client, "force"), iss=None)
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


async def test_made_up_states_do_not_grow_the_audit(desk: Desk) -> None:
    """Anybody may call the way back: what was never begun is recorded once and counted, and soon not looked at."""
    browser = await desk.anybody()
    path = "/api/v1/oidc/borough/callback?code=c&state=made-up"
    statuses = [(await come_back(browser, path)).status_code for _ in range(40)]
    assert statuses[-1] == 429
    desk.gateway.trail.repeats.tell()
    failed = [entry for entry in await desk.audit("access.sign-in") if entry.outcome == "failed"]
    assert len(failed) == 4
    assert sum(json.loads(entry.details).get("times", 1) for entry in failed) == 40
