"""What becomes due is told: on the socket, to who deploys and to who answers for it, and on their own page."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from websockets.asyncio.client import ClientConnection

from config.deployments import DeploymentSettings
from gateway.deployments.reminding import Reminding
from kernel.clock import SystemClock
from tests.fakes.deploying import Deploying
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.outside import heard as hear

OWN = "/api/v1/session/due"


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway that warns a month ahead: whatever stands is due for its review."""
    settings = settings_in(tmp_path).model_copy(update={"deployments": DeploymentSettings(warn_days=28)})
    async with open_desk(tmp_path, settings=settings) as desk:
        yield desk


async def _reminded(desk: Desk) -> None:
    await Reminding(desk.gateway.rooms.deployments, clock=SystemClock()).look()


async def _told(socket: ClientConnection) -> list[dict[str, Any]]:
    """Return the reminders that came before the clock was told twice."""
    found: list[dict[str, Any]] = []
    times = 0
    while times < 2:
        message: dict[str, Any] = json.loads(await socket.recv())
        times += message["t"] == "time"
        if message["t"] == "deployment-due":
            found.append(message)
    return found


async def test_who_deploys_is_told_once_what_became_due(desk: Desk) -> None:
    """A review and the end of the stay, each once; a viewer, who does not deploy, is told nothing; it is audited."""
    deploying = await Deploying.at(desk)
    await deploying.deployed()
    viewer = await desk.person("viewer")
    async with desk.socket(deploying.team, "/api/v1/events") as socket, desk.socket(viewer, "/api/v1/events") as other:
        await hear(socket, "time")
        await hear(other, "time")
        await _reminded(desk)
        await _reminded(desk)
        told = await _told(socket)
        assert await _told(other) == []
    assert sorted((one["why"], one["overdue"], one["unit"], one["yours"]) for one in told) == [
        ("review", False, "D017", False),
        ("stay", False, "D017", False),
    ]
    assert deploying.path.endswith(told[0]["deployment"])
    assert len(await desk.audit("deployment.due")) == 2


async def test_who_answers_for_it_is_told_what_is_due_to_them(desk: Desk) -> None:
    """By the name of their account, in capitals or not, though they may not deploy; and only they have it as theirs."""
    deploying = await Deploying.at(desk)
    responsible = await desk.person("viewer")
    (account,) = [one for one in (await desk.admin.get("/api/v1/users")).json() if one["username"] == "some-viewer"]
    named = await desk.admin.patch(f"/api/v1/users/{account['id']}", json={"name": "K.  OSEI"})
    assert named.status_code == 200, named.text
    await deploying.deployed()
    async with desk.socket(responsible, "/api/v1/events") as socket:
        await hear(socket, "time")
        await _reminded(desk)
        told = await _told(socket)
    assert sorted((one["why"], one["yours"]) for one in told) == [("review", True), ("stay", True)]
    own = (await responsible.get(OWN)).json()
    assert sorted(one["why"] for one in own) == ["review", "stay"]
    assert {one["title"] for one in own} == {told[0]["title"]}
    assert (await deploying.team.get(OWN)).json() == []
    assert [one["yours"] for one in (await deploying.team.get("/api/v1/deployments/due")).json()] == [False, False]
