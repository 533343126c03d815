"""A page that slept while somebody else signed in beside it: what it asks for is done in nobody's name."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from gateway.audit.events import Action
from tests.fakes.deploying import REFERRAL
from tests.fakes.desk import Desk, open_desk

USER = "Sightline-User"


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway without cameras."""
    async with open_desk(tmp_path) as desk:
        yield desk


async def _id(client: httpx.AsyncClient) -> str:
    user: str = (await client.get("/api/v1/session")).json()["user"]["id"]
    return user


async def test_a_step_of_somebody_else_is_refused_and_nothing_is_signed(desk: Desk) -> None:
    """Its session is the other one's by then: 409, no deployment, no line in the audit."""
    anne, bob = await desk.person("operator", "anne"), await desk.person("operator", "bob")
    answer = await bob.post("/api/v1/deployments", json=REFERRAL, headers={USER: await _id(anne)})
    assert (answer.status_code, answer.json()["type"]) == (409, "api.another-user")
    assert "signs in" in answer.json()["detail"]
    assert (await anne.get("/api/v1/deployments")).json() == []
    assert not [one for one in await desk.audit() if one.action.startswith("deployment.")]


async def test_a_step_of_whoever_is_signed_in_is_taken(desk: Desk) -> None:
    """Saying whose it is changes nothing where it is theirs."""
    anne = await desk.person("operator", "anne")
    answer = await anne.post("/api/v1/deployments", json=REFERRAL, headers={USER: await _id(anne)})
    assert (answer.status_code, answer.json()["referred_by"]) == (201, REFERRAL["referred_by"])


@pytest.mark.parametrize("meant", ["", "anne", "nobody"])
async def test_a_name_that_is_nobodys_is_refused_too(desk: Desk, meant: str) -> None:
    """Only the user's own identifier is theirs: reading is refused like acting, and not as a lack of rights."""
    anne = await desk.person("operator", "anne")
    answer = await anne.get("/api/v1/deployments", headers={USER: meant})
    assert (answer.status_code, answer.json()["type"]) == (409, "api.another-user")
    assert not await desk.audit(Action.REFUSED)
