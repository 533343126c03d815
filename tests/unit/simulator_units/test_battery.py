"""A battery holds what was put in, and frost takes its share."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.simulator.units.battery import Battery

watts = st.floats(0.0, 120.0)
warmth = st.floats(-25.0, 45.0)
steps = st.lists(st.tuples(st.floats(0.0, 3600.0), watts, watts, warmth), min_size=1, max_size=20)


@given(st.lists(st.tuples(st.floats(0.0, 3600.0), watts, warmth), min_size=1, max_size=20), st.floats(0.0, 720.0))
def test_energy_never_grows_without_charging(loads: list[tuple[float, float, float]], start_wh: float) -> None:
    """Whatever the load and the weather, with no charger the energy only falls."""
    battery = Battery(capacity_wh=720.0, energy_wh=start_wh)
    for duration_s, load_w, celsius in loads:
        before = battery.energy_wh
        battery.step(duration_s, load_w=load_w, charge_w=0.0, celsius=celsius)
        assert battery.energy_wh <= before


@given(steps, st.floats(0.0, 720.0))
def test_never_more_than_was_given(passed: list[tuple[float, float, float, float]], start_wh: float) -> None:
    """It gains at most what the charger gave beyond the load, and is never over full or below empty."""
    battery = Battery(capacity_wh=720.0, energy_wh=start_wh)
    for duration_s, load_w, charge_w, celsius in passed:
        before = battery.energy_wh
        battery.step(duration_s, load_w=load_w, charge_w=charge_w, celsius=celsius)
        assert battery.energy_wh - before <= max(0.0, charge_w - load_w) * duration_s / 3600.0 + 1e-9
        assert 0.0 <= battery.energy_wh <= battery.capacity_wh


@given(st.floats(0.0, 720.0), st.floats(-25.0, 45.0), watts)
def test_volts_are_those_of_four_cells(energy_wh: float, celsius: float, load_w: float) -> None:
    """The poles show something between an empty and a full battery, less under load."""
    battery = Battery(capacity_wh=720.0, energy_wh=energy_wh)
    at_rest = battery.volts(celsius)
    assert 10.4 <= at_rest <= 13.7
    battery.current_a = load_w / 12.8
    assert battery.volts(celsius) <= at_rest


def test_an_hour_of_ten_watts() -> None:
    """Ten watts for an hour take ten watt hours."""
    battery = Battery(capacity_wh=720.0, energy_wh=500.0)
    battery.step(3600.0, load_w=10.0, charge_w=0.0, celsius=20.0)
    assert math.isclose(battery.energy_wh, 490.0)


def test_frost_takes_a_third() -> None:
    """At -20 degrees a third of the energy cannot be had, and comes back with the warmth."""
    battery = Battery(capacity_wh=720.0, energy_wh=200.0)
    assert battery.flat(-20.0)
    assert not battery.flat(20.0)


@pytest.mark.parametrize(("celsius", "charges"), [(5.0, True), (-5.0, False)])
def test_no_charging_in_frost(celsius: float, charges: bool) -> None:  # noqa: FBT001 - a row of the table
    """Below freezing the charger carries the load and puts nothing in."""
    battery = Battery(capacity_wh=720.0, energy_wh=300.0)
    battery.step(3600.0, load_w=10.0, charge_w=60.0, celsius=celsius)
    assert (battery.energy_wh > 300.0) is charges
    assert battery.energy_wh >= 300.0
