"""What a field team sends: steps that were done without a network, and its signature under how a unit was left."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.deployments.geofence import Position
from kernel.clock import utc
from kernel.geography import Place
from tests.fakes.deploying import Deploying
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.leaping import LeapingClock

MILL = {"latitude": 51.5, "longitude": -0.1, "height_m": 0.0}
ROUND_MILL = "51.499,-0.101;51.501,-0.101;51.501,-0.099;51.499,-0.099"
HOUR_S = 3600.0
ZONES: dict[str, Any] = {
    "zones": [
        {
            "name": "Windows",
            "binds": "everybody",
            "pan_from_deg": 10.0,
            "pan_to_deg": 20.0,
            "tilt_from_deg": -10.0,
            "tilt_to_deg": 5.0,
        }
    ]
}


@pytest.fixture
def clock() -> LeapingClock:
    """Return the gateway's clock."""
    return LeapingClock()


@pytest_asyncio.fixture
async def desk(tmp_path: Path, clock: LeapingClock) -> AsyncIterator[Desk]:
    """Return a gateway without cameras, whose people stay signed in, and whose heads know no presets."""
    week = settings_in(tmp_path, session_idle_s=604_800, lock_after_s=0)
    async with open_desk(tmp_path, clock=clock, settings=week) as desk:
        desk.host.presets.clear()
        yield desk


def hours_ago(clock: LeapingClock, hours: float, *, phone_ahead_s: float = 0.0) -> dict[str, Any]:
    """Return what a phone says of a step that was done so long ago and is sent now."""
    sent = utc(clock.wall_ns()) + timedelta(seconds=phone_ahead_s)
    return {"done_at": (sent - timedelta(hours=hours)).isoformat(), "sent_at": sent.isoformat()}


async def test_a_camera_left_its_street_when_it_was_taken_down_not_when_that_was_told(
    desk: Desk, clock: LeapingClock
) -> None:
    """What its camera recorded in the van is no footage of the street, and that it left is no alarm for anybody."""
    deploying = await Deploying.at(desk)
    await deploying.deployed(place=MILL)
    stood_ns = clock.wall_ns()
    clock.leap(3 * HOUR_S)
    for _ in range(4):
        await desk.gateway.rooms.deployments.reported("urn:uuid:1", Position(Place(51.51, -0.1), 5.0))
        clock.leap(10)
    assert (await deploying.team.get("/api/v1/deployments/due")).json()[0]["why"] == "alarm"
    removed = await deploying.step("removal", text="Solved.", **hours_ago(clock, 1, phone_ahead_s=600))
    assert (removed["alarms"], removed["unseen"]) == ([], [])
    day = {
        "start": utc(stood_ns - 10**9).isoformat(),
        "end": (utc(clock.wall_ns()) + timedelta(seconds=1)).isoformat(),
    }
    (found,) = (await deploying.team.get("/api/v1/footage", params={"area": ROUND_MILL, **day})).json()["found"]
    assert found["end"] == found["stood"]["end"] == removed["removed"]
    line = (await deploying.team.get(f"{deploying.path}/log")).json()[-1]
    assert line["done"] == removed["removed"] < line["at"]
    assert (line["clock_offset_s"], line["doubt"]) == (pytest.approx(600, abs=30), "")


async def test_signs_and_unit_are_not_of_one_moment_because_they_were_sent_in_one(
    desk: Desk, clock: LeapingClock
) -> None:
    """Signs up before the unit is what the file has to show."""
    deploying = await Deploying.at(desk)
    await deploying.planned(signs=False, place=MILL)
    clock.leap(5 * HOUR_S)
    assert (await deploying.photo("sign-up", **hours_ago(clock, 4.1))).status_code == 201
    await deploying.step("signs-up", text="As in the photo.", **hours_ago(clock, 4))
    known = await deploying.step("installation", place=MILL, bearing_deg=90.0, accuracy_m=6, **hours_ago(clock, 3))
    lines = (await deploying.team.get(f"{deploying.path}/log")).json()[-3:]
    assert [line["step"] for line in lines] == ["photo", "signs-up", "installed"]
    assert lines[0]["done"] < lines[1]["done"] < lines[2]["done"] < lines[0]["at"]
    assert (known["signs_up"], known["deployed"]) == (lines[1]["done"], lines[2]["done"])
    assert lines[2]["said"]["accuracy_m"] == 6


async def test_a_decision_is_signed_when_it_is_signed(desk: Desk, clock: LeapingClock) -> None:
    """Nobody says that they had granted it before."""
    deploying = await Deploying.at(desk)
    await deploying.ready()
    wish = {"granted": True, "reason": "Serious.", **hours_ago(clock, 1)}
    assert (await deploying.ask("decision", by=deploying.chief, **wish)).status_code == 422


async def test_a_unit_is_signed_off_by_who_put_it_up(desk: Desk, clock: LeapingClock) -> None:
    """Who, when and what was ticked are on file and in the audit; until then it is due."""
    deploying = await Deploying.at(desk)
    await deploying.deployed(place=MILL)
    early = await deploying.signed_off()
    assert (early.status_code, early.json()["type"]) == (409, "deployment.step")
    clock.leap(1.1 * HOUR_S)
    due = (await deploying.team.get("/api/v1/deployments/due")).json()
    assert (due[0]["why"], due[0]["overdue"]) == ("sign-off", True)
    assert (await deploying.photo("unit")).status_code == 201
    half = await deploying.signed_off(ticks=["unit", "signs"])
    assert (half.status_code, "place" in half.json()["title"]) == (409, True)
    signed = await deploying.signed_off()
    assert (signed.status_code, signed.json()["signed_off_by"]) == (201, "some-operator")
    due = (await deploying.team.get("/api/v1/deployments/due")).json()
    assert "sign-off" not in [one["why"] for one in due]
    line = (await deploying.team.get(f"{deploying.path}/log")).json()[-1]
    assert (line["step"], line["said"]["found"], "presets" in line["said"]["ticks"]) == ("signed-off", "scanned", True)
    (entry,) = await desk.audit("deployment.signed-off")
    assert json.loads(entry.details)["digest"] == line["digest"]


async def test_a_phone_three_days_ahead_signs_off_and_reviews_as_any_other(desk: Desk, clock: LeapingClock) -> None:
    """When it saw the picture is put on record by our clock; the next review is as many days later as was planned."""
    deploying = await Deploying.at(desk)
    await deploying.deployed(place=MILL)
    await deploying.photo("unit")
    clock.leap(600)
    says = hours_ago(clock, 0.01, phone_ahead_s=3 * 86_400)
    live = datetime.fromisoformat(says["sent_at"]) - timedelta(seconds=120)
    now_ns = clock.wall_ns()
    signed = await deploying.signed_off(live=live.isoformat(), **says)
    assert signed.status_code == 201, signed.text
    line = (await deploying.team.get(f"{deploying.path}/log")).json()[-1]
    assert line["said"]["live_ns"] == pytest.approx(now_ns - 120 * 10**9, abs=30 * 10**9)
    reviewed = await deploying.step("reviews", found="Quiet since.", needed=True, **says)
    (line,) = [one for one in (await deploying.team.get(f"{deploying.path}/log")).json() if one["step"] == "reviewed"]
    due = datetime.fromisoformat(reviewed["review"])
    assert (due - datetime.fromisoformat(line["done"])).days == reviewed["review_days"] == 7


async def test_a_unit_with_zones_of_another_place_is_not_signed_off(desk: Desk) -> None:
    """Whatever was ticked: they are confirmed here first."""
    deploying = await Deploying.at(desk)
    bounds = f"/api/v1/cameras/{deploying.camera}/bounds"
    assert (await desk.admin.put(bounds, json={"limits": [], **ZONES})).status_code == 200
    await deploying.deployed(place=MILL)
    await deploying.photo("unit")
    refused = await deploying.signed_off()
    assert (refused.status_code, "no-look zones" in refused.json()["title"]) == (409, True)
    wish = {"camera": deploying.camera, "limits": [], **ZONES}
    assert (await deploying.team.put(f"{deploying.path}/bounds", json=wish)).status_code == 200
    assert (await deploying.signed_off()).status_code == 201


async def test_a_unit_with_presets_of_another_place_is_not_signed_off(desk: Desk) -> None:
    """Stored anew, or removed, they are of this one."""
    deploying = await Deploying.at(desk)
    presets = f"/api/v1/cameras/{deploying.camera}/presets"
    stored = (await desk.admin.post(presets, json={"name": "The bins"})).json()
    await deploying.deployed(place=MILL)
    await deploying.photo("unit")
    refused = await deploying.signed_off()
    assert (refused.status_code, "presets" in refused.json()["title"]) == (409, True)
    anew = await deploying.team.post(presets, json={"name": "The bins", "token": stored["token"]})
    assert anew.status_code == 201
    assert (await deploying.signed_off()).status_code == 201
