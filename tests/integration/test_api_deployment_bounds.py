"""No-look zones that a field team says for where its unit stands: who may, of which camera, and what is on file."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.fakes.deploying import Deploying
from tests.fakes.descriptions import description, view
from tests.fakes.desk import PASSWORD, Desk, open_desk
from tests.integration.test_api_bounds import FLATS, KNOWN


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway whose cameras have heads."""
    async with open_desk(tmp_path) as desk:
        desk.host.found = description(views=(view(head=KNOWN),))
        yield desk


@pytest_asyncio.fixture
async def deploying(desk: Desk) -> Deploying:
    """Return a deployable unit, and people who deploy it."""
    return await Deploying.at(desk)


def wish(deploying: Deploying, **more: object) -> dict[str, Any]:
    """Return one zone for the unit's camera."""
    return {"camera": deploying.camera, "zones": [FLATS], **more}


async def put(deploying: Deploying, by: httpx.AsyncClient | None = None, **more: object) -> httpx.Response:
    """Say it."""
    return await (by or deploying.team).put(f"{deploying.path}/bounds", json=wish(deploying, **more))


async def member(desk: Desk, name: str, *permissions: str, cameras: tuple[str, ...] = ()) -> httpx.AsyncClient:
    """Return the browser of a member with permissions; ``view_live`` over ``cameras`` alone where some are named."""
    admin = desk.admin
    user = await admin.post("/api/v1/users", json={"username": name, "role": "member", "password": PASSWORD})
    for permission in permissions:
        role = await admin.post("/api/v1/roles", json={"name": f"{name}-{permission}", "permissions": [permission]})
        group = None
        if permission == "view_live" and cameras:
            made = await admin.post("/api/v1/groups", json={"name": name, "cameras": list(cameras)})
            group = made.json()["id"]
        grant = {"role": role.json()["id"], "user": user.json()["id"], "group": group}
        assert (await admin.post("/api/v1/grants", json=grant)).status_code == 201
    client = await desk.anybody()
    assert (await client.post("/api/v1/session", json={"username": name, "password": PASSWORD})).status_code == 200
    return client


async def test_who_deploys_says_what_is_not_looked_into(deploying: Deploying) -> None:
    """The zone holds at the camera's host; it is in the deployment's log and, before and after, in the audit."""
    await deploying.deployed()
    answer = await put(deploying)
    assert answer.status_code == 200, answer.text
    assert answer.json()["confirmed"]
    (zone,) = deploying.desk.host.assignments[deploying.camera].bounds.zones
    assert zone.name == "Flats, east side"
    line = (await deploying.team.get(f"{deploying.path}/log")).json()[-1]
    assert (line["step"], line["by"]) == ("bounds", "some-operator")
    assert line["said"]["bounds"]["zones"][0]["name"] == "Flats, east side"
    (changed,) = await deploying.desk.audit("camera.bounds")
    assert json.loads(json.loads(changed.details)["before"])["zones"] == []
    (step,) = await deploying.desk.audit("deployment.bounds")
    assert line["digest"] in step.details


async def test_zones_of_another_place_are_confirmed_by_the_team(deploying: Deploying) -> None:
    """Unconfirmed since the unit stands elsewhere, they hold again once whoever put it up says so."""
    path = f"/api/v1/cameras/{deploying.camera}"
    await deploying.desk.admin.patch(path, json={"place": {"latitude": 51.6, "longitude": -0.1}})
    await deploying.desk.admin.put(f"{path}/bounds", json={"zones": [FLATS]})
    await deploying.deployed()
    known = (await deploying.team.get(f"{path}/bounds")).json()
    assert not known["confirmed"]
    answer = await put(deploying, zones=known["zones"])
    assert answer.json() == {**known, "confirmed": True}


@pytest.mark.parametrize("stage", ["planned", "removed"])
async def test_it_takes_a_unit_that_stands(deploying: Deploying, stage: str) -> None:
    """Before it is up, and after it is down, nobody who only deploys says where its head may look."""
    await deploying.planned()
    if stage == "removed":
        await deploying.step("installation", place={"latitude": 51.5, "longitude": -0.1}, bearing_deg=90.0)
        await deploying.step("removal", text="Solved.")
    answer = await put(deploying)
    assert (answer.status_code, answer.json()["type"]) == (409, "deployment.step")
    assert deploying.desk.host.assignments[deploying.camera].bounds.empty


async def test_a_deployment_is_no_key_to_other_cameras(deploying: Deploying) -> None:
    """A camera that is not the unit's stays with who enrols."""
    desk = deploying.desk
    await deploying.deployed()
    identity = desk.host.found.identity.model_copy(update={"urn": "urn:uuid:another"})
    desk.host.found = desk.host.found.model_copy(update={"identity": identity})
    other = await desk.enrol()
    answer = await put(deploying, camera=other)
    assert answer.json()["type"] == "deployment.refused"
    assert desk.host.assignments[other].bounds.empty
    assert (await deploying.team.put(f"/api/v1/cameras/{other}/bounds", json={"zones": []})).status_code == 403


async def test_the_rights_that_it_takes(deploying: Deploying) -> None:
    """*Deploy* and sight of the camera together; neither alone, nor sight of another camera, nor *Enrol*."""
    desk = deploying.desk
    await deploying.deployed()
    identity = desk.host.found.identity.model_copy(update={"urn": "urn:uuid:another"})
    desk.host.found = desk.host.found.model_copy(update={"identity": identity})
    other = await desk.enrol()
    refused = [
        await member(desk, "deploys", "deploy"),
        await member(desk, "sees", "view_live"),
        await member(desk, "enrols", "enrol", "view_live"),
        await member(desk, "sees-another", "deploy", "view_live", cameras=(other,)),
    ]
    for somebody in refused:
        assert (await put(deploying, somebody)).status_code == 403
    assert desk.host.assignments[deploying.camera].bounds.empty
    team = await member(desk, "team", "deploy", "view_live", cameras=(deploying.camera,))
    assert (await put(deploying, team)).status_code == 200
