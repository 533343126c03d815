"""Preset tours really run."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.head import Head
from drivers.simulator.onvif import onvif_server
from drivers.simulator.tours import Spot, Tour
from kernel.head import Position, Preset
from tests.fakes.clock import ManualClock
from tests.unit.simulator_onvif.stand import PROFILE, Answer, Wire, a_device, on_the_wire

LEFT, RIGHT = -0.1, 0.1
STAY_S = 10.0


@pytest.fixture
def device(clock: ManualClock) -> SimulatedDevice:
    """Return a camera with a tour of two presets and home."""
    device = a_device(clock)
    device.presets = {"1": Preset("1", "Left", Position(LEFT)), "2": Preset("2", "Right", Position(RIGHT))}
    spots = (Spot("1", 1.0, STAY_S), Spot("2", 1.0, STAY_S), Spot("", 1.0, STAY_S))
    device.tours["t"] = Tour("t", "Round", spots)
    return device


@pytest_asyncio.fixture
async def wire(device: SimulatedDevice) -> AsyncIterator[Wire]:
    """Return a connection to it."""
    async with on_the_wire(device) as wire:
        yield wire


def pan(device: SimulatedDevice) -> float:
    """Return where its head points."""
    assert isinstance(device.head, Head)
    return round(device.head.position().pan, 9)


async def operate(wire: Wire, what: str, tour: str = "t") -> Answer:
    """Operate the tour."""
    given = f"<p:PresetTourToken>{tour}</p:PresetTourToken><p:Operation>{what}</p:Operation>"
    return await wire.call("tptz", "OperatePresetTour", PROFILE + given)


async def seen(device: SimulatedDevice, clock: ManualClock, spots: int) -> list[float]:
    """Return where the head stands at each of so many spots: a journey takes less than half a stay."""
    told = []
    for _ in range(spots):
        await clock.turn(STAY_S / 2)
        told.append(pan(device))
        await clock.turn(STAY_S / 2 + 1.0)
    return told


async def test_it_goes_round_for_ever(wire: Wire, device: SimulatedDevice, clock: ManualClock) -> None:
    """Without a number of rounds it goes on after the last spot with the first."""
    await operate(wire, "Start")
    assert await seen(device, clock, 4) == [LEFT, RIGHT, 0.0, LEFT]
    assert device.tours["t"].state == "Touring"


async def test_it_ends_after_its_rounds(wire: Wire, device: SimulatedDevice, clock: ManualClock) -> None:
    """One round backward: the last spot first, and then it is idle."""
    device.tours["t"].rounds, device.tours["t"].backward = 1, True
    await operate(wire, "Start")
    assert await seen(device, clock, 3) == [0.0, RIGHT, LEFT]
    await clock.turn(STAY_S)
    assert device.tours["t"].state == "Idle"


async def test_a_pause_is_gone_on_from(wire: Wire, device: SimulatedDevice, clock: ManualClock) -> None:
    """Paused at the second spot, it starts again with the second."""
    await operate(wire, "Start")
    assert await seen(device, clock, 1) == [LEFT]
    await clock.turn(1.0)
    await operate(wire, "Pause")
    assert device.tours["t"].state == "Paused"
    await clock.turn(60)
    await operate(wire, "Start")
    assert await seen(device, clock, 1) == [RIGHT]


async def test_only_the_tour_that_runs_is_stopped(wire: Wire, device: SimulatedDevice, clock: ManualClock) -> None:
    """Pausing or stopping one that does not run leaves the one that does alone; starting it ends the other."""
    device.tours["u"] = Tour("u", "Other", (Spot("2", 1.0, STAY_S),))
    await operate(wire, "Start")
    await operate(wire, "Pause", "u")
    await operate(wire, "Stop", "u")
    assert [tour.state for tour in device.tours.values()] == ["Touring", "Idle"]
    await operate(wire, "Start", "u")
    assert [tour.state for tour in device.tours.values()] == ["Idle", "Touring"]
    await operate(wire, "Pause", "u")
    await operate(wire, "Stop", "u")
    assert [tour.state for tour in device.tours.values()] == ["Idle", "Idle"]


async def test_a_removed_preset_is_passed_over(wire: Wire, device: SimulatedDevice, clock: ManualClock) -> None:
    """The head stays where it is for the time of a spot that is no more, and a tour of no stay does not spin."""
    await operate(wire, "Start")
    del device.presets["2"]
    assert await seen(device, clock, 3) == [LEFT, LEFT, 0.0]
    device.presets.clear()
    device.tours["t"].spots = (Spot("1", 1.0, 0.0),)
    await operate(wire, "Start")
    await clock.turn(1.0)
    assert device.tours["t"].state == "Touring"


@pytest.mark.parametrize("order", ["Stop", "ContinuousMove"])
async def test_another_order_ends_it(wire: Wire, device: SimulatedDevice, clock: ManualClock, order: str) -> None:
    """A stop or a move by hand ends the tour, and the head stays where that left it."""
    await operate(wire, "Start")
    await clock.turn(STAY_S / 2)
    if order == "Stop":
        await operate(wire, "Stop")
    else:
        velocity = '<p:Velocity><tt:PanTilt x="0" y="0"/></p:Velocity>'
        await wire.call("tptz", "ContinuousMove", PROFILE + velocity)
    await clock.turn(60)
    assert (device.tours["t"].state, pan(device)) == ("Idle", LEFT)


async def test_auto_start(device: SimulatedDevice, clock: ManualClock) -> None:
    """A tour that starts by itself does so when the camera is switched on, and is idle when it is off."""
    device.tours["t"].auto_start = True
    async with onvif_server(device):
        await clock.turn(STAY_S / 2)
        assert (device.tours["t"].state, pan(device)) == ("Touring", LEFT)
    assert device.tours["t"].state == "Idle"


async def test_what_a_tour_cannot_be(wire: Wire, device: SimulatedDevice) -> None:
    """Unknown tours, empty tours, spots that are nowhere, and one tour too many are faults."""
    assert (await operate(wire, "Start", "other")).fault == ["InvalidArgVal", "NoToken"]
    assert (await operate(wire, "Sing")).fault == ["InvalidArgVal"]
    created = (await wire.call("tptz", "CreatePresetTour", PROFILE)).told["PresetTourToken"]
    assert (await operate(wire, "Start", created)).fault == ["Action", "ActivationFailed"]
    for spot in (
        "<tt:PresetDetail><tt:PresetToken>9</tt:PresetToken></tt:PresetDetail>",
        "<tt:PresetDetail/>",
        "<tt:PresetDetail><tt:Home>true</tt:Home></tt:PresetDetail><tt:StayTime>soon</tt:StayTime>",
        "<tt:PresetDetail><tt:Home>true</tt:Home></tt:PresetDetail><tt:StayTime>PT5H</tt:StayTime>",
    ):
        assert (await modify(wire, created, f"<tt:TourSpot>{spot}</tt:TourSpot>")).fault[1] == "InvalidPresetTour"
    home = "<tt:TourSpot><tt:PresetDetail><tt:Home>true</tt:Home></tt:PresetDetail></tt:TourSpot>"
    assert (await modify(wire, created, home * 33)).fault[1] == "InvalidPresetTour"
    device.tours = {str(n): Tour(str(n)) for n in range(8)}
    assert (await wire.call("tptz", "CreatePresetTour", PROFILE)).fault == ["Action", "TooManyPresetTours"]


async def modify(wire: Wire, tour: str, spots: str) -> Answer:
    """Set the spots of a tour."""
    given = f'<p:PresetTour token="{tour}"><tt:AutoStart>false</tt:AutoStart>{spots}</p:PresetTour>'
    return await wire.call("tptz", "ModifyPresetTour", PROFILE + given)


async def test_modifying_a_running_tour_ends_it(wire: Wire, device: SimulatedDevice, clock: ManualClock) -> None:
    """New spots are for the next start."""
    await operate(wire, "Start")
    speed = '<tt:Speed><tt:PanTilt x="0.5" y="0.5"/></tt:Speed>'
    spot = f"<tt:TourSpot><tt:PresetDetail><tt:PresetToken>2</tt:PresetToken></tt:PresetDetail>{speed}</tt:TourSpot>"
    assert (await modify(wire, "t", spot)).status == 200
    assert (device.tours["t"].state, device.tours["t"].spots) == ("Idle", (Spot("2", 0.5, 5.0),))
    options = (await wire.call("tptz", "GetPresetTourOptions", PROFILE)).told
    assert options["Options/TourSpot/PresetDetail/PresetToken"] == "2"
    removed = "<p:PresetTourToken>t</p:PresetTourToken>"
    assert (await wire.call("tptz", "GetPresetTourOptions", PROFILE + removed)).status == 200
    await wire.call("tptz", "RemovePresetTour", PROFILE + removed)
    assert not device.tours
