"""No-look zones that a field team says for where its unit stands: who may, of which camera, and what is on file."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.fakes.deploying import PLACE, Deploying
from tests.fakes.descriptions import description, view
from tests.fakes.desk import PASSWORD, Desk, open_desk
from tests.integration.test_api_bounds import FLATS, KNOWN
from tests.integration.test_api_factors import aged


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway whose cameras have heads."""
    async with open_desk(tmp_path) as desk:
        desk.host.found = description(views=(view(head=KNOWN),))
        desk.host.presets.clear()
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


WHOLE: dict[str, Any] = {**FLATS, "binds": "everybody", "narrower_than_deg": None}


async def drawn(deploying: Deploying, by: httpx.AsyncClient, *zones: dict[str, Any]) -> httpx.Response:
    """Say exactly these zones through the deployment."""
    return await put(deploying, by, zones=list(zones))


async def names(deploying: Deploying) -> list[str]:
    """Return the names of the zones that hold at the camera's host."""
    return [zone.name for zone in deploying.desk.host.assignments[deploying.camera].bounds.zones]


async def test_whom_a_zone_binds_does_not_take_it_away(deploying: Deploying) -> None:
    """What an enroller said for this place stays, or lies in something wider: to the team less is refused."""
    desk = deploying.desk
    await deploying.deployed()
    set_ = await desk.admin.put(f"/api/v1/cameras/{deploying.camera}/bounds", json={"zones": [FLATS]})
    kept = set_.json()["zones"][0]
    for less in ([], [{**kept, "pan_to_deg": 175.0}], [{**kept, "narrower_than_deg": 10.0}]):
        answer = await drawn(deploying, deploying.team, *less)
        assert (answer.status_code, answer.json()["type"]) == (403, "access.forbidden")
        assert await names(deploying) == ["Flats, east side"]
    wider = {**WHOLE, "name": "All of it", "tilt_from_deg": -30.0}
    assert (await drawn(deploying, deploying.team, kept, {**WHOLE, "name": "School"})).status_code == 200
    assert (await drawn(deploying, deploying.team, wider)).status_code == 200
    assert (await drawn(deploying, deploying.team)).status_code == 403
    assert await names(deploying) == ["All of it"]


async def test_what_the_team_drew_is_its_own_until_it_signs_off(deploying: Deploying) -> None:
    """A zone drawn amiss is drawn anew; once the unit is signed off, it stands for the team as for everybody."""
    await deploying.deployed()
    assert (await drawn(deploying, deploying.team, WHOLE)).status_code == 200
    assert (await drawn(deploying, deploying.team)).status_code == 200
    assert (await drawn(deploying, deploying.team, WHOLE)).status_code == 200
    assert (await deploying.photo("unit")).status_code == 201
    assert (await deploying.signed_off()).status_code == 201
    assert (await drawn(deploying, deploying.team)).status_code == 403
    assert await names(deploying) == ["Flats, east side"]


async def test_less_takes_one_who_enrols_and_proves_who_they_are(deploying: Deploying) -> None:
    """Through the deployment as on the camera's own route: without a late proof nothing is loosened, with it all is."""
    desk = deploying.desk
    await deploying.deployed()
    path = f"/api/v1/cameras/{deploying.camera}/bounds"
    await desk.admin.put(path, json={"zones": [WHOLE]})
    await aged(desk)
    for answer in (await drawn(deploying, desk.admin), await desk.admin.put(path, json={"zones": []})):
        assert (answer.status_code, answer.json()["type"]) == (403, "access.confirm")
    assert (await desk.admin.put(path, json={"zones": [{**WHOLE, "name": "More"}, WHOLE]})).status_code == 200
    assert (await desk.admin.post("/api/v1/session/confirm", json={"password": PASSWORD})).status_code == 204
    assert (await drawn(deploying, desk.admin)).status_code == 200
    assert await names(deploying) == []


async def test_no_program_says_where_a_camera_may_look(deploying: Deploying) -> None:
    """Neither less nor more: a field team is people."""
    await deploying.deployed()
    program = await deploying.desk.token("operator")
    answer = await drawn(deploying, program, WHOLE)
    assert (answer.status_code, answer.json()["type"]) == (403, "access.forbidden")
    assert await names(deploying) == []


async def test_taking_it_down_and_up_again_loosens_nothing(deploying: Deploying) -> None:
    """What stood before a removal that was taken back binds the team as before, though it is to be confirmed."""
    await deploying.deployed()
    assert (await drawn(deploying, deploying.team, WHOLE)).status_code == 200
    await deploying.step("removal", text="Pressed by mistake.")
    await deploying.step("installation", place=PLACE, bearing_deg=90.0)
    assert (await drawn(deploying, deploying.team)).status_code == 403
    assert (await drawn(deploying, deploying.team, WHOLE)).json()["confirmed"]
