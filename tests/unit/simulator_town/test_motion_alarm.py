"""Motion alarms tell what is true in the town."""

import math

import numpy as np

from drivers.simulator.device import DeviceEvent, SimulatedDevice
from drivers.simulator.happenings import CELL_MOTION, MOTION_ALARM
from drivers.simulator.motion_alarm import REACH_M, MotionAlarm, Sightlines
from drivers.simulator.town.town import Town
from tests.fakes.clock import ManualClock
from tests.unit.simulator_town.conftest import aim_at


def _listen(device: SimulatedDevice) -> list[DeviceEvent]:
    heard: list[DeviceEvent] = []
    device.listeners.append(heard.append)
    return heard


async def test_somebody_crosses_the_high_street(town: Town, device: SimulatedDevice, clock: ManualClock) -> None:
    """On a busy street motion is told once, on both topics, for as long as it lasts."""
    heard, alarm = _listen(device), MotionAlarm(town, device)
    for _ in range(8):
        alarm.look()
        await clock.turn(0.5)
    assert alarm.on
    assert [(event.topic, *event.data.values()) for event in heard] == [(MOTION_ALARM, "true"), (CELL_MOTION, "true")]


async def test_nobody_in_the_sky(town: Town, device: SimulatedDevice, clock: ManualClock) -> None:
    """Turned to where nobody can be, the alarm ends two seconds after the last movement."""
    heard, alarm = _listen(device), MotionAlarm(town, device)
    alarm.look()
    assert alarm.on
    device.mount = type(device.mount)(place=device.mount.place, bearing_deg=0.0, home_tilt_deg=60.0)
    await clock.turn(1.0)
    alarm.look()
    assert alarm.on
    await clock.turn(1.5)
    alarm.look()
    assert not alarm.on
    assert [event.data for event in heard[2:]] == [{"State": "false"}, {"IsMotion": "false"}]


async def test_a_turning_head_is_no_motion(town: Town, device: SimulatedDevice) -> None:
    """While the head turns the detector says nothing."""

    class Turning:
        def aim(self) -> object:
            return aim_at(moving=True)

    device.head = Turning()  # type: ignore[assignment]
    heard, alarm = _listen(device), MotionAlarm(town, device)
    alarm.look()
    assert not alarm.on
    assert not heard


def test_walls_hide(town: Town, device: SimulatedDevice) -> None:
    """A point across the street is seen, one behind the houses of the street is not."""
    lines = Sightlines(town, device.mount)
    x, y = town.sites(2)[1].at
    along, behind = (x - 30.0, y - 5.0), (x - 20.0, y - 45.0)
    assert lines.clear(np.array([along, behind])) == [True, False]
    assert math.dist(behind, (x, y)) < REACH_M
