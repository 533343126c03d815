"""Units that nothing says why they stand there: not recorded, not shared, and not made so by the way."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from config.telemetry import TelemetrySettings
from tests.fakes.deploying import PLACE, Deploying
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.outside import officer, share
from tests.fakes.ports import free_port
from tests.fakes.waiting import until


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway that is the broker of its units."""
    telemetry = TelemetrySettings(embedded=True, host="127.0.0.1", port=free_port())
    settings = settings_in(tmp_path).model_copy(update={"telemetry": telemetry})
    async with open_desk(tmp_path, settings=settings) as desk:
        yield desk


def is_another(desk: Desk, urn: str) -> None:
    """Have the next camera be another device than those before it."""
    identity = desk.host.found.identity.model_copy(update={"urn": urn, "serial": urn[-3:]})
    desk.host.found = desk.host.found.model_copy(update={"identity": identity})


async def test_a_unit_without_a_deployment_is_not_shared(desk: Desk) -> None:
    """Neither by itself nor among others; and it says why."""
    camera = await desk.enrol(unit="D017")
    partner = await officer(desk)
    wish = {"organisation": partner.organisation, "recipients": [partner.id], "cameras": [camera]}
    answer = await desk.admin.post("/api/v1/shares", json=wish)
    assert (answer.status_code, "no valid deployment" in answer.text) == (403, True)


async def test_a_share_ends_with_the_deployment(desk: Desk) -> None:
    """What a partner sees of a unit is over once it is taken down; the room goes on seeing it."""
    deploying = await Deploying.at(desk)
    await deploying.deployed()
    partner = await officer(desk)
    await share(desk, partner, deploying.camera)
    await desk.watch(partner.browser, deploying.camera)
    await deploying.step("removal", text="Done.")
    assert await partner.mine() == []
    refused = await partner.browser.post(
        f"/whep/{deploying.camera}/main", content=b"v=0", headers={"Content-Type": "application/sdp"}
    )
    assert refused.status_code == 403
    await until(lambda: not desk.host.viewers, what="the end of the partner's view")
    await desk.watch(deploying.team, deploying.camera)


async def test_a_units_camera_is_one_that_moves(desk: Desk) -> None:
    """Named on a new unit or a known one it records nothing from then on, and the audit has it."""
    camera = await desk.enrol()
    path = f"/api/v1/cameras/{camera}/deployable"
    assert (await desk.admin.get(path)).json()["records"]
    assert (await desk.admin.post("/api/v1/units", json={"label": "D017", "camera": camera})).status_code == 201
    assert (await desk.admin.get(path)).json()["unit"] == "D017"
    assert not (await desk.admin.get(path)).json()["records"]
    assert desk.host.assignments[camera].withheld
    assert [one.subject for one in await desk.audit("deployable.marked")] == [camera]


async def test_a_unit_that_is_refused_marks_nothing(desk: Desk) -> None:
    """Its label is taken: the camera that was named is fixed as before."""
    camera = await desk.enrol()
    assert (await desk.admin.post("/api/v1/units", json={"label": "D017"})).status_code == 201
    assert (await desk.admin.post("/api/v1/units", json={"label": "D017", "camera": camera})).status_code == 409
    assert (await desk.admin.get(f"/api/v1/cameras/{camera}/deployable")).json()["records"]
    assert await desk.audit("deployable.marked") == []


async def test_a_units_camera_is_not_made_fixed(desk: Desk) -> None:
    """It would record wherever it is; first it is taken off the unit."""
    camera = await desk.enrol()
    path = f"/api/v1/cameras/{camera}/deployable"
    assert (await desk.admin.post("/api/v1/units", json={"label": "D017", "camera": camera})).status_code == 201
    refused = await desk.admin.delete(path)
    assert (refused.status_code, "D017" in refused.text) == (409, True)
    assert (await desk.admin.put("/api/v1/units/D017", json={"camera": None})).status_code == 200
    assert (await desk.admin.delete(path)).status_code == 204


async def test_enrolling_does_not_end_a_fixed_cameras_recording(desk: Desk) -> None:
    """Whoever enrols a known fixed camera anew as a unit's is refused, whatever else would have been wrong."""
    camera = await desk.enrol(number=5)
    wish = {"address": "192.0.2.1", "username": "root", "password": "x", "number": 5, "unit": "ZZ"}
    answer = await desk.admin.post("/api/v1/cameras", json=wish)
    assert (answer.status_code, "unit's" in answer.text) == (409, True)
    assert not desk.host.assignments[camera].withheld


async def test_a_mark_of_a_camera_that_is_not_enrolled_is_taken_back(desk: Desk) -> None:
    """Its number is taken: nothing of it stays."""
    await desk.enrol(number=5)
    is_another(desk, "urn:uuid:fixed-002")
    wish = {"address": "192.0.2.2", "username": "root", "password": "x", "number": 5, "unit": "ZZ"}
    assert (await desk.admin.post("/api/v1/cameras", json=wish)).status_code == 409
    assert (await desk.admin.get("/api/v1/deployments/units")).json() == []


async def test_a_deployed_camera_is_not_walked_away_by_corrections(desk: Desk) -> None:
    """Each measured from where it was put up: four metres are a correction, and eight are none."""
    deploying = await Deploying.at(desk)
    await deploying.deployed()
    path, place = f"/api/v1/cameras/{deploying.camera}", {**PLACE}
    place["latitude"] += 4 / 111_000
    assert (await desk.admin.patch(path, json={"place": place})).status_code == 200
    place["latitude"] += 4 / 111_000
    assert (await desk.admin.patch(path, json={"place": place})).status_code == 409
