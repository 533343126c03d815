"""The demonstration's units are where people put them, and a restart leaves what people did."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.app import Gateway, open_gateway
from gateway.cli.borough import BoroughProcess, borough_process
from gateway.cli.demo import demo_settings, free_port
from gateway.cli.demo_places import Carrier
from gateway.cli.demo_units import NEWCOMER, TEAM, enrol_units
from gateway.deployments import steps
from gateway.deployments.deployment import Deployment, Stage
from gateway.worker import open_host
from kernel.clock import SystemClock
from kernel.geography import Place, distance_m
from tests.fakes.waiting import until

PATIENCE_S = 90.0
NEAR_M = 10.0
AWAY = 0.0004
"""Degrees of latitude: 44 m."""

SIGN = steps.Photo(
    kind=steps.PhotoKind.SIGN_UP,
    sha256="ab" * 32,
    media_type="image/jpeg",
    size_bytes=1,
    width=1,
    height=1,
    taken="",
    place=None,
    off_m=None,
    remarks=(),
)

pytestmark = [pytest.mark.xdist_group("borough"), pytest.mark.timeout(420)]


@asynccontextmanager
async def _demo(folder: Path) -> AsyncIterator[tuple[Gateway, BoroughProcess]]:
    """Give what `sightline demo` opens, but for its cameras."""
    arguments = ("--cameras", "1", "--units", "3", "--size", "320x180", "--sub-size", "none", "--own-passwords")
    settings = demo_settings(folder, port=0, units_port=free_port())
    async with (
        borough_process(*arguments) as borough,
        open_gateway(settings, clock=SystemClock(), open_host=open_host) as gateway,
    ):
        carrier = Carrier(gateway.rooms.deployments, borough, borough.units)
        await carrier.settle()
        await enrol_units(gateway, borough, told=lambda _: None)
        async with asyncio.TaskGroup() as tasks:
            carrying = tasks.create_task(carrier.run())
            yield gateway, borough
            carrying.cancel()


async def _of(gateway: Gateway, borough: BoroughProcess, label: str) -> list[Deployment]:
    urn = next(unit["urn"] for unit in borough.units if unit["label"] == label)
    return await gateway.rooms.deployments.of_devices([urn])


async def _says_that_it_is_at(gateway: Gateway, label: str, place: Place) -> None:
    """Wait until a unit itself says so, from now on."""
    units, now_ns = gateway.rooms.units, SystemClock().wall_ns()
    assert units is not None

    def there() -> bool:
        said: Any = units.register.states(label).get("state/position")
        if said is None or said.taken_ns < now_ns:
            return False
        here = Place(said.values["latitude"], said.values["longitude"])
        return distance_m(here, place) < NEAR_M

    await until(there, timeout_s=PATIENCE_S, what=f"{label} to say that it is there")


async def test_what_people_did_with_the_units_is_there_after_a_restart(tmp_path: Path) -> None:
    """One that was put up is at its place, before and after, with no alarm; one that was taken down stays down."""
    async with _demo(tmp_path) as (gateway, borough):
        deployments = gateway.rooms.deployments
        (planned,) = await _of(gateway, borough, NEWCOMER)
        (down,) = await _of(gateway, borough, "D001")
        assert (planned.stage, planned.mount[:3], down.stage) == (Stage.PLANNED, "LP ", Stage.DEPLOYED)
        place = Place(planned.place.latitude_deg + AWAY, planned.place.longitude_deg)
        await deployments.step(down.id, steps.Remove(reason="Its work is done."), by=TEAM)
        up = steps.Install(unit=NEWCOMER, place=place, street="", bearing_deg=200.0)
        for step in (SIGN, steps.SignsUp(text="On LP 13."), up):
            await deployments.step(planned.id, step, by=TEAM)
        await _says_that_it_is_at(gateway, NEWCOMER, place)
    async with _demo(tmp_path) as (gateway, borough):
        await _says_that_it_is_at(gateway, NEWCOMER, place)
        (standing,) = await _of(gateway, borough, NEWCOMER)
        (removed,) = await _of(gateway, borough, "D001")
        assert (standing.stage, standing.place, removed.stage) == (Stage.DEPLOYED, place, Stage.REMOVED)
        log = await gateway.rooms.deployments.log(standing.id)
        assert not [one.step for one in log if one.step == "alarm"]
