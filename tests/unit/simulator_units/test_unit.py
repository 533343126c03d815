"""What happens to a unit, and what is then true of it."""

import asyncio
import itertools
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.simulator.units.faults import UnitFaults
from drivers.simulator.units.movement import Post, kerbside, post_at
from drivers.simulator.units.radio import Air
from drivers.simulator.units.readings import states
from drivers.simulator.units.unit import BOOT_S, CAPACITY_WH, Power, Unit
from kernel.geography import distance_m
from tests.fakes.clock import ManualClock
from tests.unit.simulator_units.conftest import DARK_POST, POST, MakeUnit, pass_time


def _kinds(unit: Unit) -> list[str]:
    return [event.kind for event in unit.events]


async def test_a_unit_that_stands(make_unit: MakeUnit, clock: ManualClock) -> None:
    """On its post, on mains, it says all twelve states, and they are those of its post."""
    unit = make_unit()
    await pass_time(unit, clock, 60)
    said = states(unit)
    assert set(said) == {
        "battery", "supply", "signal", "position", "heading", "tilt", "temperature", "case", "address", "firmware",
        "disk", "data",
    }  # fmt: skip
    assert said["supply"] == {"source": "mains"}
    assert said["case"] == {"open": False}
    assert said["address"]["urn"] == unit.urn
    assert abs(said["heading"]["bearing_deg"] - unit.post.bearing_deg) < 2.0
    assert not unit.events


async def test_two_of_a_seed_are_alike(make_unit: MakeUnit, clock: ManualClock) -> None:
    """Units of the same seed and number do the same; of another number, not."""
    one, same, other = make_unit(), make_unit(), make_unit(number=4)
    for unit in (one, same, other):
        await pass_time(unit, clock, 0)
        unit.step()
    assert states(one) == states(same)
    assert one.boot == same.boot != other.boot
    assert len({one.urn, other.urn}) == len({one.serial, other.serial}) == 2


async def test_a_unit_that_is_made_anew_boots_anew(make_unit: MakeUnit, clock: ManualClock) -> None:
    """A simulation that is started again says nothing that a gateway would take for a replay of the last one."""
    before = make_unit()
    await pass_time(before, clock, 1)
    assert make_unit().boot != before.boot


async def test_off_mains_the_battery_falls(make_unit: MakeUnit, clock: ManualClock) -> None:
    """Away from mains, at night, it lives on its battery: nine watts take what nine watts take."""
    unit = make_unit("no_charging", post=DARK_POST)
    before = unit.energy_wh
    await pass_time(unit, clock, 3600, step_s=60)
    assert states(unit)["supply"] == {"source": "battery"}
    assert states(unit)["battery"]["charging"] is False
    assert math.isclose(before - unit.energy_wh, 9.0, abs_tol=0.1)


async def test_the_sun_charges(make_unit: MakeUnit, clock: ManualClock) -> None:
    """At noon a unit without mains is carried by its panel, and its battery fills."""
    unit = make_unit(post=DARK_POST)
    clock.jump_wall(-(clock.wall_ns() // 10**9 % 86_400) + 12 * 3600)
    before = unit.energy_wh
    await pass_time(unit, clock, 1800, step_s=60)
    assert states(unit)["supply"] == {"source": "solar"}
    assert unit.energy_wh > before


async def test_flat(make_unit: MakeUnit, clock: ManualClock) -> None:
    """A flat battery warns, says goodbye, and then the unit is off and says nothing."""
    unit = make_unit("flat_battery")
    await pass_time(unit, clock, 1)
    assert _kinds(unit) == ["low_battery"]
    while unit.power is Power.ON:
        await pass_time(unit, clock, 30, step_s=2)
    assert _kinds(unit)[-1] == "shutdown"
    await pass_time(unit, clock, 10)
    assert unit.power is Power.OFF
    assert not unit.running
    energy = unit.energy_wh
    await pass_time(unit, clock, 600, step_s=60)
    assert unit.energy_wh == energy


async def test_charged_again(make_unit: MakeUnit, clock: ManualClock) -> None:
    """On mains again it starts with another boot."""
    unit = make_unit("flat_battery")
    first = unit.boot
    while unit.power is not Power.OFF:
        await pass_time(unit, clock, 30, step_s=2)
    unit.faults.flat_battery = False
    await pass_time(unit, clock, BOOT_S + 3)
    assert unit.running
    assert unit.boot != first


async def test_frost_is_what_ends_it(make_unit: MakeUnit, clock: ManualClock) -> None:
    """In hard frost a unit goes flat with energy in it that it would have had in summer."""
    unit = make_unit("no_charging", "warmer_by_c=-45", post=DARK_POST)
    while unit.power is not Power.OFF:
        await pass_time(unit, clock, 3600, step_s=60)
    assert unit.energy_wh > 0.2 * CAPACITY_WH


async def test_reboots(make_unit: MakeUnit, clock: ManualClock) -> None:
    """It says goodbye, is away for a moment, and is back with another boot, at another address, the same unit."""
    unit = make_unit()
    await pass_time(unit, clock, 2)
    before = (unit.boot, unit.host, unit.attaches)
    unit.reboot()
    assert _kinds(unit) == ["shutdown"]
    await pass_time(unit, clock, BOOT_S + 8)
    assert unit.power is Power.ON
    assert unit.boot != before[0]
    assert unit.host != before[1]
    assert unit.attaches == before[2] + 1


async def test_knocked(make_unit: MakeUnit, clock: ManualClock) -> None:
    """A knock is told with its strength and leaves it turned and leaning, where it was."""
    unit = make_unit()
    await pass_time(unit, clock, 2)
    at = unit.where.at
    unit.faults.knocked = True
    await pass_time(unit, clock, 1)
    assert [event.kind for event in unit.events] == ["shock"]
    assert unit.events[0].body["peak_g"] >= 3.0
    assert abs(unit.bearing_deg - unit.post.bearing_deg) >= 15.0
    assert states(unit)["tilt"]["pitch_deg"] < -4.0
    assert unit.where.at == at
    unit.faults.knocked = False
    await pass_time(unit, clock, 1)
    assert unit.bearing_deg == unit.post.bearing_deg


async def test_stolen(make_unit: MakeUnit, clock: ManualClock) -> None:
    """A theft is a knock, an open case and a move; its position can be followed until its little energy is used up."""
    unit = make_unit()
    await pass_time(unit, clock, 60)
    start, urn = unit.place, unit.urn
    unit.faults.stolen = True
    await pass_time(unit, clock, 1)
    assert set(_kinds(unit)) >= {"shock", "moved", "tamper"}
    assert states(unit)["case"] == {"open": True}
    assert states(unit)["supply"] == {"source": "battery"}
    await pass_time(unit, clock, 120)
    told = states(unit)["position"]
    assert distance_m(start, unit.place) > 60.0
    assert distance_m(unit.place, type(start)(told["latitude"], told["longitude"])) < 30.0
    await pass_time(unit, clock, 7200, step_s=30)
    assert unit.power is Power.OFF
    assert "shutdown" not in _kinds(unit)
    assert unit.urn == urn


async def test_found(make_unit: MakeUnit, clock: ManualClock) -> None:
    """Thrown away by the thief it lies where it is, and can be taken back to a post."""
    unit = make_unit("stolen")
    await pass_time(unit, clock, 60)
    unit.faults.stolen = False
    await pass_time(unit, clock, 2)
    lying = unit.where
    await pass_time(unit, clock, 30)
    assert unit.where == lying
    assert not unit.carried
    unit.deploy(unit.post)
    await pass_time(unit, clock, 900, step_s=5)
    assert unit.where.at == unit.post.at
    assert states(unit)["supply"] == {"source": "mains"}


async def test_deployed_elsewhere(make_unit: MakeUnit, clock: ManualClock) -> None:
    """Taken to another post it tells of the move, is in hand on the way, and stands there as that post has it."""
    unit = make_unit()
    await pass_time(unit, clock, 60)
    post = kerbside((300.0, -100.0), 45.0, mains=False)
    unit.deploy(post)
    await pass_time(unit, clock, 30)
    assert unit.carried
    assert _kinds(unit) == ["moved"]
    await pass_time(unit, clock, 900, step_s=5)
    assert not unit.carried
    assert (unit.where.at, unit.bearing_deg, unit.where.height_m) == (post.at, 45.0, post.height_m)
    assert states(unit)["supply"]["source"] in {"solar", "battery"}


async def test_it_stands_where_it_is_said_to_stand(make_unit: MakeUnit, clock: ManualClock) -> None:
    """At once, at exactly that point, on its mains, and with nothing told of a way there; also after a theft."""
    unit = make_unit("stolen")
    await pass_time(unit, clock, 60)
    unit.events.clear()
    unit.faults.stolen = False
    post = post_at((301.0, -104.0), 45.0)
    unit.stand(post)
    await pass_time(unit, clock, 2)
    assert not unit.carried
    assert (unit.where.at, unit.bearing_deg, unit.where.height_m) == ((301.0, -104.0), 45.0, 6.0)
    assert _kinds(unit) == []
    assert states(unit)["supply"] == {"source": "mains"}


@pytest.mark.parametrize(
    ("fault", "error_s"),
    [("clock_offset_s=-40", -40.0), ("clock_jump_s=3600", 3600.0), ("clock_drift_ppm=1000", 3.6)],
)
async def test_a_lying_clock(make_unit: MakeUnit, clock: ManualClock, fault: str, error_s: float) -> None:
    """An offset, a jump and an hour's drift show in the time it tells."""
    unit = make_unit(fault)
    await pass_time(unit, clock, 3600, step_s=60)
    assert math.isclose(unit.clock_error_s, error_s, rel_tol=1e-6)


async def test_its_time_is_utc(make_unit: MakeUnit) -> None:
    """Its clock is told as RFC 3339 in UTC."""
    assert make_unit().time() == "2026-09-21T14:13:20.000000Z"


async def test_addresses_change(make_unit: MakeUnit, clock: ManualClock) -> None:
    """With the knob it attaches anew every ten seconds, each time to another address."""
    unit = make_unit("new_address_s=10")
    hosts = []
    for _ in range(60):
        await pass_time(unit, clock, 1)
        hosts.append(unit.host)
    changes = sum(now != before for before, now in itertools.pairwise(hosts))
    assert changes == 5
    assert unit.attaches == 6


async def test_no_satellites(make_unit: MakeUnit, clock: ManualClock) -> None:
    """Without satellites no position is told, rather than an old one."""
    unit = make_unit()
    await pass_time(unit, clock, 60)
    unit.faults.no_gnss = True
    await pass_time(unit, clock, 1)
    assert "position" not in states(unit)


async def test_the_disk_fails(make_unit: MakeUnit, clock: ManualClock) -> None:
    """A disk with a fault says so and no longer fills."""
    unit = make_unit()
    await pass_time(unit, clock, 600, step_s=60)
    unit.faults.disk_fault = True
    before = states(unit)["disk"]["free_bytes"]
    await pass_time(unit, clock, 600, step_s=60)
    assert states(unit)["disk"] == {"free_bytes": before, "size_bytes": 256_000_000_000, "fault": True}


@pytest.mark.parametrize("knob", ["lost_link", "cut_link"])
async def test_linked(make_unit: MakeUnit, clock: ManualClock, knob: str) -> None:
    """Either way of losing the link leaves it unlinked, until it is turned off."""
    unit = make_unit()
    await pass_time(unit, clock, 1)
    assert unit.linked
    unit.faults.set(knob)
    assert not unit.linked
    unit.faults.set(f"{knob}=off")
    assert unit.linked


async def test_one_address_for_all(air: Air, clock: ManualClock) -> None:
    """Where its network gives out ports alone an attach is counted, and its host stays."""
    faults = UnitFaults(new_address_s=10.0)
    unit = Unit(1, seed=1, air=air, clock=clock, post=POST, faults=faults, fixed_host="192.0.2.7")
    await pass_time(unit, clock, 35)
    assert unit.attaches == 4
    assert unit.host == "192.0.2.7"


async def test_service_is_lost_out_of_town(make_unit: MakeUnit, clock: ManualClock) -> None:
    """Out of every cell's reach it is not linked and tells no signal; back in town it has attached anew."""
    unit = make_unit(post=Post(at=(40_000.0, 0.0), height_m=6.0, bearing_deg=0.0))
    await pass_time(unit, clock, 5)
    assert not unit.linked
    assert "signal" not in states(unit)
    assert unit.attaches == 0
    unit.post = POST
    await pass_time(unit, clock, 5)
    assert unit.linked
    assert unit.attaches == 1


@given(
    turns=st.lists(
        st.sampled_from(
            ["stolen", "knocked", "flat_battery", "no_charging", "lost_link", "case_open", "new_address_s=5"]
        ),
        max_size=6,
    ),
    step_s=st.floats(0.1, 20.0),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_happens(air: Air, turns: list[str], step_s: float) -> None:
    """Whatever befalls it: nobody jumps, energy never comes from nowhere, and attaches only grow."""

    async def live() -> None:
        clock = ManualClock()
        unit = Unit(1, seed=1, air=air, clock=clock, post=DARK_POST)
        clock.jump_wall(-(clock.wall_ns() // 10**9 % 86_400))  # midnight: no sun
        for turn in ("new_address_s=0", *turns):
            unit.faults.set(turn)
            for _ in range(4):
                at, energy_wh, attaches = unit.where.at, unit.battery.energy_wh, unit.attaches
                await clock.turn(step_s)
                unit.step()
                assert math.dist(at, unit.where.at) <= 8.0 * step_s + 1e-6
                assert unit.battery.energy_wh <= energy_wh
                assert unit.attaches >= attaches

    asyncio.run(live())
