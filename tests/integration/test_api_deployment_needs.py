"""What deployments ask for stands with all else that needs a person (docs/design/health.md)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from gateway.api.times import iso
from gateway.deployments.geofence import Shock
from gateway.health.need import DAY_NS
from kernel.clock import SystemClock
from tests.fakes.deploying import Deploying
from tests.fakes.desk import Desk, open_desk
from tests.fakes.waiting import told

HEALTH = "/api/v1/health"


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway without cameras."""
    async with open_desk(tmp_path) as desk:
        yield desk


async def needs(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Return what needs a person, but for pictures that do not come: this desk's cameras are none."""
    return [one for one in (await client.get(HEALTH)).json()["needs"] if one["kind"] not in {"no-picture", "clock"}]


async def test_a_unit_in_alarm_is_told_of_at_once(desk: Desk) -> None:
    """The first of all, with the deployment to go to; acknowledged, it is gone. Nobody waits for the next look."""
    there = await Deploying.at(desk)
    await there.deployed()
    urn = desk.gateway.fleet.camera(there.camera).description.identity.urn

    async def alarms() -> list[dict[str, Any]]:
        return [one for one in await needs(there.team) if one["kind"] == "alarm"]

    assert await alarms() == []
    await desk.gateway.rooms.deployments.reported(urn, Shock(peak_g=9.0))
    (need,) = await told(alarms, bool)
    assert (await there.team.get(HEALTH)).json()["needs"][0] == need
    assert (need["urgency"], need["cause"], need["camera"]) == ("now", "Unit D017 was knocked.", there.camera)
    assert need["deployment"] == {"id": there.path.rpartition("/")[2], "title": "Fly-tipping in Mill Lane"}
    (unseen,) = (await there.team.get(there.path)).json()["unseen"]
    await there.step("acknowledgements", kind="knocked", line=unseen["line"])
    await told(alarms, lambda left: not left)


async def test_an_alarm_is_told_to_who_sees_the_units_camera(desk: Desk) -> None:
    """Of the deployment itself they are told nothing, nor of what else is due there."""
    there = await Deploying.at(desk)
    await there.deployed()
    await there.step("reviews", found="Nothing since.", needed=False, next=iso(SystemClock().wall_ns() + DAY_NS))
    urn = desk.gateway.fleet.camera(there.camera).description.identity.urn
    await desk.gateway.rooms.deployments.reported(urn, Shock(peak_g=9.0))
    await desk.gateway.rooms.ward.look()
    assert [one["kind"] for one in await needs(there.team)] == ["alarm", "unneeded"]
    viewer = await desk.person("viewer")
    (need,) = await needs(viewer)
    assert (need["kind"], need["deployment"]) == ("alarm", None)


async def test_a_referral_waits_for_a_decision(desk: Desk) -> None:
    """At no camera; whom deployments do not concern is not told, and it is not put off as a camera's need."""
    there = await Deploying.at(desk)
    await there.refer()
    await desk.gateway.rooms.ward.look()
    (need,) = await needs(there.team)
    assert (need["kind"], need["urgency"], need["camera"], need["unit"]) == ("decision", "soon", None, None)
    assert await needs(await desk.person("viewer")) == []
    path = f"/api/v1/cameras/{there.camera}/needs/decision/put-off"
    assert (await desk.admin.put(path, json={"reason": "Not today."})).status_code == 404
