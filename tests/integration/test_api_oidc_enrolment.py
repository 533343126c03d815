"""Coming in from outside with the account of one's own force: once with an invitation, then with the account alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.fakes.desk import Desk
from tests.fakes.oidc_desk import oidc_desk
from tests.fakes.outside import invited, officer, organisation
from tests.fakes.signing_provider import SigningProvider, come_back, signing_provider, signs_in


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[SigningProvider]:
    """A force's provider: nobody there is in a group that means anything here."""
    async with signing_provider() as provider:
        provider.account["groups"] = []
        yield provider


@pytest_asyncio.fixture
async def desk(tmp_path: Path, provider: SigningProvider) -> AsyncIterator[Desk]:
    """A gateway that knows it."""
    async with oidc_desk(tmp_path, provider) as desk:
        yield desk


async def enrols(client: httpx.AsyncClient, provider: SigningProvider, code: str) -> httpx.Response:
    """Use an invitation with the account, there and back."""
    answer = await client.post("/api/v1/oidc/borough/enrolment", json={"code": code})
    assert answer.status_code == 200, answer.text
    return await come_back(client, provider.approve(answer.json()["url"]))


async def usernames(desk: Desk) -> list[str]:
    """Return who there is."""
    return [user.username for user in await desk.gateway.rooms.people.users()]


async def test_an_invitation_and_ones_own_account(desk: Desk, provider: SigningProvider) -> None:
    """They are who was invited, with no password or factor here; the code is used up, and the account lets them in."""
    force = await organisation(desk)
    code = await invited(desk, force, name="PC 1234 Smith")
    client = await desk.anybody()
    answer = await enrols(client, provider, code)
    assert (answer.status_code, answer.headers["location"]) == (303, "/watch")
    user = (await client.get("/api/v1/session")).json()["user"]
    assert (user["username"], user["name"], user["role"]) == ("pc.1234", "PC 1234 Smith", "partner")
    (entry,) = await desk.audit("partner.enrolled")
    assert (entry.actor, entry.outcome) == ("pc.1234", "done")
    assert '"provider":"borough"' in entry.details
    used = await (await desk.anybody()).post("/api/v1/oidc/borough/enrolment", json={"code": code})
    assert (used.status_code, used.json()["type"]) == (401, "share.invitation")
    version = (await client.get("/api/v1/terms")).json()["version"]
    assert (await client.post("/api/v1/terms", json={"version": version})).status_code == 204
    again = await desk.anybody()
    assert (await signs_in(again, provider)).status_code == 303
    assert (await again.get("/api/v1/shares/mine")).json()["terms_due"] is False


async def test_whoever_was_signed_in_there_before_is_out(desk: Desk, provider: SigningProvider) -> None:
    """The browser's session of until now ends, as with any sign-in."""
    client = await desk.person("viewer", "vera")
    cookie = client.cookies["sightline"]
    assert (await enrols(client, provider, await invited(desk, await organisation(desk)))).status_code == 303
    other = await desk.anybody()
    other.cookies.set("sightline", cookie)
    assert (await other.get("/api/v1/session")).status_code == 401


async def test_groups_there_do_not_decide_on_who_is_of_us(desk: Desk, provider: SigningProvider) -> None:
    """A group that makes operators makes none of somebody outside; without any they come in all the same."""
    client = await desk.anybody()
    await enrols(client, provider, await invited(desk, await organisation(desk)))
    provider.account["groups"] = ["cctv-supervisors"]
    assert (await signs_in(client, provider)).status_code == 303
    assert (await client.get("/api/v1/session")).json()["user"]["role"] == "partner"


async def test_an_account_enrols_once(desk: Desk, provider: SigningProvider) -> None:
    """Who is somebody here already stays that: the second invitation is not used up, and nobody is made."""
    force = await organisation(desk)
    await enrols(await desk.anybody(), provider, await invited(desk, force))
    code = await invited(desk, force, "pc.99")
    answer = await enrols(await desk.anybody(), provider, code)
    assert answer.status_code == 409
    assert await usernames(desk) == ["pc.1234", "root"]
    assert (await (await desk.anybody()).post("/api/v1/invitation", json={"code": code})).status_code == 200


async def test_an_invitation_withdrawn_meanwhile(desk: Desk, provider: SigningProvider) -> None:
    """Whoever comes back from their provider too late is told on a page, and is nobody."""
    force = await organisation(desk)
    client, code = await desk.anybody(), await invited(desk, force)
    url = (await client.post("/api/v1/oidc/borough/enrolment", json={"code": code})).json()["url"]
    await invited(desk, force)  # a new one for the same name takes the place of the first
    answer = await come_back(client, provider.approve(url))
    assert (answer.status_code, answer.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert "share.invitation" in answer.text
    assert await usernames(desk) == ["root"]
    assert [entry.outcome for entry in await desk.audit("access.sign-in")][-1] == "failed"


async def test_a_name_taken_meanwhile(desk: Desk, provider: SigningProvider) -> None:
    """Two of one name are not made."""
    code = await invited(desk, await organisation(desk))
    await desk.person("viewer", "pc.1234")
    assert (await enrols(await desk.anybody(), provider, code)).status_code == 409
    assert (await (await desk.anybody()).get("/api/v1/session")).status_code == 401


async def test_one_factor_there_is_too_few(tmp_path: Path, provider: SigningProvider) -> None:
    """Where two are asked for, an invitation is no way around it."""
    async with oidc_desk(tmp_path, provider, require_two_factor=True) as desk:
        answer = await enrols(await desk.anybody(), provider, await invited(desk, await organisation(desk)))
        assert (answer.status_code, "access.not-admitted" in answer.text) == (403, True)
        assert await usernames(desk) == ["root"]


@pytest.mark.parametrize("code", ["ABCD-EFGH", "x"])
async def test_a_wrong_code_goes_nowhere(desk: Desk, code: str) -> None:
    """Nobody is sent to the provider."""
    answer = await (await desk.anybody()).post("/api/v1/oidc/borough/enrolment", json={"code": code})
    assert (answer.status_code, answer.json()["type"]) == (401, "share.invitation")


async def test_who_was_taken_out_does_not_come_back(desk: Desk, provider: SigningProvider) -> None:
    """Removed by the room, the account means nothing here."""
    force = await organisation(desk)
    client = await desk.anybody()
    await enrols(client, provider, await invited(desk, force))
    user_id = (await client.get("/api/v1/session")).json()["user"]["id"]
    assert (await desk.admin.delete(f"/api/v1/recipients/{user_id}")).status_code == 204
    assert (await client.get("/api/v1/session")).status_code == 401
    assert (await signs_in(client, provider)).status_code == 403


async def test_others_of_the_force_have_passwords_still(desk: Desk, provider: SigningProvider) -> None:
    """One organisation, two ways in."""
    force = await organisation(desk)
    await enrols(await desk.anybody(), provider, await invited(desk, force, "pc.1"))
    pc = await officer(desk, force, username="pc.2")
    assert (await pc.browser.get("/api/v1/shares/mine")).status_code == 200
