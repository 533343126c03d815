"""What of units needs a person, whether they carry a camera or not, as the API tells it and has it wait."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from config.telemetry import TelemetrySettings
from gateway.db.units import UnitRow
from kernel.clock import NS_PER_S, SystemClock
from tests.fakes.deploying import Deploying
from tests.fakes.desk import Desk, open_desk, settings_in
from tests.fakes.ports import free_port

UNITS = "/api/v1/units"
HEALTH = "/api/v1/health"
PUT_OFF = f"{UNITS}/d017/needs/unit-link/put-off"
REASON = {"reason": "It is on the bench."}


@pytest_asyncio.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Return a gateway that is the broker of its units."""
    telemetry = TelemetrySettings(embedded=True, host="127.0.0.1", port=free_port())
    settings = settings_in(tmp_path).model_copy(update={"telemetry": telemetry})
    async with open_desk(tmp_path, settings=settings) as desk:
        yield desk


async def gone(desk: Desk, **given: str) -> UnitRow:
    """Return a unit that was heard and is gone, as the ward knows."""
    assert (await desk.admin.post(UNITS, json={"label": "D017", **given})).status_code == 201
    assert (await desk.admin.post(f"{UNITS}/D017/certificate")).status_code == 201
    units = desk.gateway.rooms.units
    assert units is not None
    row = await units.register.change("D017", heard_ns=SystemClock().wall_ns())
    await desk.gateway.rooms.ward.look()
    return row


async def needs(client: Any) -> list[dict[str, Any]]:
    """Return what units need, as it is told to somebody."""
    told = (await client.get(HEALTH)).json()["needs"]
    return [one for one in told if one["unit"] is not None and one["deployment"] is None]


async def test_a_unit_without_a_camera_is_told_of_to_who_enrols(desk: Desk) -> None:
    """By its label, at no camera; who sees cameras alone does not see it."""
    await gone(desk)
    (need,) = await needs(desk.admin)
    assert (need["unit"], need["kind"], need["camera"], need["number"], need["name"]) == (
        "D017",
        "unit-link",
        None,
        None,
        "",
    )
    assert await needs(await desk.person("operator")) == []


async def test_the_brokers_certificate_is_told_of_to_who_enrols(desk: Desk) -> None:
    """At no camera and no unit: who sees cameras alone can do nothing about it."""
    units = desk.gateway.rooms.units
    assert units is not None
    units.credentials.broker_shows(SystemClock().wall_ns() + 5 * 86_400 * NS_PER_S)
    await desk.gateway.rooms.ward.look()
    (need,) = [one for one in (await desk.admin.get(HEALTH)).json()["needs"] if one["camera"] is None]
    assert (need["unit"], need["kind"], need["urgency"]) == (None, "certificate", "today")
    assert (await (await desk.person("operator")).get(HEALTH)).json()["needs"] == []


async def test_a_unit_is_told_of_at_the_camera_that_it_carries(desk: Desk) -> None:
    """At its check-up as well, with what its deployment asks for."""
    there = await Deploying.at(desk)
    await gone(desk)
    # One in store is not missed: its battery is looked at all the same.
    assert await needs(desk.admin) == []
    await there.deployed()
    await desk.gateway.rooms.ward.look()
    camera, operator = there.camera, there.team
    (need,) = await needs(operator)
    assert (need["unit"], need["kind"], need["camera"], need["urgency"]) == ("D017", "unit-link", camera, "now")
    found = (await operator.get(f"/api/v1/cameras/{camera}/health")).json()
    assert (found["unit"]["label"], [one["kind"] for one in found["needs"]]) == ("D017", ["unit-link", "review"])


async def test_what_a_unit_needs_is_put_off_and_taken_up(desk: Desk) -> None:
    """By who may steer its camera, or where it has none by who enrols; with its reason in the audit."""
    await gone(desk)
    operator = await desk.person("operator", "another-operator")
    assert (await operator.put(PUT_OFF, json=REASON)).json()["type"] == "unit.unknown"
    (need,) = (await desk.admin.put(PUT_OFF, json=REASON)).json()
    assert (need["unit"], need["put_off"]["reason"]) == ("D017", REASON["reason"])
    there = await Deploying.at(desk)
    await there.deployed()
    await desk.gateway.rooms.ward.look()
    camera, operator = there.camera, there.team
    # With a camera it watches something: that is more urgent, and comes up again by itself.
    (need,) = await needs(operator)
    assert (need["camera"], need["put_off"]) == (camera, None)
    (need,) = (await operator.put(PUT_OFF, json=REASON)).json()
    assert need["put_off"]["by"] == "some-operator"
    (need,) = (await operator.delete(PUT_OFF)).json()
    assert need["put_off"] is None
    put, _, taken = [one for one in await desk.audit() if one.action.startswith("unit.need")]
    assert (put.action, taken.action, put.subject, taken.subject) == (
        "unit.need-put-off",
        "unit.need-taken-up",
        "D017",
        "D017",
    )
    assert json.loads(put.details)["reason"] == REASON["reason"]
    assert (await operator.delete(PUT_OFF)).status_code == 404


async def test_a_units_own_page_tells_what_health_tells(desk: Desk) -> None:
    """The same causes, as urgent, put off alike; once retired it needs nobody."""
    await gone(desk)

    async def both() -> tuple[list[Any], list[Any]]:
        told = ("kind", "urgency", "cause", "cure", "put_off")
        (unit,) = (await desk.admin.get(UNITS)).json()["units"]
        assert (await desk.admin.get(f"{UNITS}/D017")).json()["concerns"] == unit["concerns"]
        health = [[one[key] for key in told] for one in await needs(desk.admin)]
        return [[one[key] for key in told] for one in unit["concerns"]], health

    units, health = await both()
    assert units == health
    assert [one[0] for one in units] == ["unit-link"]
    assert (await desk.admin.put(PUT_OFF, json=REASON)).status_code == 200
    units, health = await both()
    assert units == health
    assert units[0][4]["reason"] == REASON["reason"]
    assert (await desk.admin.delete(f"{UNITS}/D017")).status_code == 204
    assert (await desk.admin.get(f"{UNITS}/D017")).json()["concerns"] == []
