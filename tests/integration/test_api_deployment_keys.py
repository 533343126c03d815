"""What is sent twice under a key, by a phone or a page that lost the answer, is done once; what is other is refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.fakes.deploying import REFERRAL, Deploying
from tests.fakes.desk import open_desk


@pytest_asyncio.fixture
async def deploying(tmp_path: Path) -> AsyncIterator[Deploying]:
    """Return a deployable camera, and people who deploy it."""
    async with open_desk(tmp_path) as desk:
        yield await Deploying.at(desk)


async def test_what_is_sent_twice_is_done_once(deploying: Deploying) -> None:
    """A phone that lost the answer sends again under the same key."""
    wish = {**REFERRAL, "key": "phone-1-0001"}
    first = await deploying.team.post("/api/v1/deployments", json=wish)
    again = await deploying.team.post("/api/v1/deployments", json=wish)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    deploying.path = f"/api/v1/deployments/{first.json()['id']}"
    for status in (201, 200):
        answer = await deploying.ask("notes", text="Called back.", key="phone-1-0002")
        assert (answer.status_code, answer.json()["lines"]) == (status, 2)
    assert len(await deploying.desk.audit("deployment.note")) == 1


async def test_other_words_under_a_key_are_not_told_to_be_done(deploying: Deploying) -> None:
    """A lost approval, then a refusal under its key: it is said that it stands approved, and not that it is refused."""
    await deploying.ready()
    by, key = deploying.chief, "desk-1-0001"
    await deploying.step("decision", by=by, granted=True, reason="Serious.", max_days=10, key=key)
    said: list[dict[str, object]] = [
        {"granted": False, "reason": "Serious."},
        {"granted": True, "reason": "Serious.", "max_days": 20},
    ]
    for other in said:
        refused = await deploying.ask("decision", by=by, key=key, **other)
        assert (refused.status_code, refused.json()["type"]) == (409, "deployment.sent")
    another = await deploying.ask("notes", text="Serious.", key=key)
    assert (another.status_code, another.json()["type"]) == (409, "deployment.sent")
    again = await deploying.ask("decision", by=by, granted=True, reason="Serious.", max_days=10, key=key)
    assert (again.status_code, again.json()["stage"]) == (200, "granted")
    assert len(await deploying.desk.audit("deployment.granted")) == 1


async def test_another_referral_under_a_key_is_not_lost(deploying: Deploying) -> None:
    """Its answer was lost, and the words were changed: whoever typed them is told that the first ones stand."""
    wish = {**REFERRAL, "key": "desk-1-0001"}
    assert (await deploying.team.post("/api/v1/deployments", json=wish)).status_code == 201
    other = await deploying.team.post("/api/v1/deployments", json={**wish, "title": "Mopeds in Mill Lane"})
    assert (other.status_code, other.json()["type"]) == (409, "deployment.sent")


async def test_a_plan_sent_again_is_the_same_though_its_unit_was_labelled_anew(deploying: Deploying) -> None:
    """What the gateway finds of a step, and its sender does not say, makes no other step of it."""
    await deploying.planned(signs=False)
    wish: dict[str, Any] = {"camera": deploying.camera, "responsible": "K. Osei", "review_days": 7}
    wish["key"] = "phone-1-0001"
    await deploying.step("plan", **wish)
    mark = f"/api/v1/cameras/{deploying.camera}/deployable"
    assert (await deploying.desk.admin.put(mark, json={"unit": "D018"})).status_code == 200
    assert (await deploying.ask("plan", **wish)).status_code == 200
