"""A deployable unit and its camera are one thing: where the box goes, its camera goes."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from drivers.simulator.deployables import Deployable, mount_of, post_of
from drivers.simulator.device import DeviceEvent, EncodedUnit, SimulatedDevice
from drivers.simulator.feed import Camera
from drivers.simulator.happenings import TAMPER
from drivers.simulator.head import Head
from drivers.simulator.motion_alarm import MotionAlarm
from drivers.simulator.picture.painter import Painter
from drivers.simulator.town.town import Town
from drivers.simulator.units.movement import kerbside
from drivers.simulator.units.radio import Air
from drivers.simulator.units.unit import Unit
from kernel.geography import distance_m
from kernel.ids import StreamName
from tests.fakes.clock import ManualClock
from tests.unit.simulator_town.conftest import aim_at


class Wires:
    """Notes what power and network of a camera are told (``drivers.simulator.deployables.Wires``)."""

    def __init__(self) -> None:
        self.on: list[bool] = []
        self.hosts: list[str] = []

    def switch(self, *, on: bool) -> None:
        """Note it."""
        self.on.append(on)

    def move(self, host: str) -> None:
        """Note it."""
        self.hosts.append(host)


@pytest.fixture
def wires() -> Wires:
    """Return what the unit's camera is plugged into."""
    return Wires()


@pytest.fixture
def deployable(
    town: Town, clock: ManualClock, device: SimulatedDevice, pool: ThreadPoolExecutor, wires: Wires
) -> Deployable:
    """Return a unit at the second site of the town, with its camera and nothing that listens."""
    unit = Unit(1, seed=1, air=Air(town), clock=clock, post=post_of(town.sites(2)[1]))
    unit.step()
    device.mount = mount_of(unit, device.mount)
    made = Deployable(unit, device, wires)
    made.eye = Painter(town, device.mount)
    made.camera = Camera(device, made.eye, pool)
    return made


async def _pass(deployable: Deployable, clock: ManualClock, seconds: float, *, step_s: float = 1.0) -> None:
    for _ in range(round(seconds / step_s)):
        await clock.turn(step_s)
        deployable.step()


async def test_it_sees_from_its_new_place(deployable: Deployable, clock: ManualClock, town: Town) -> None:
    """Set up elsewhere, its picture is the one that a camera there would show, and is no longer the old one."""
    before = deployable.eye.paint(aim_at(), clock.wall_ns(), 160, 90)
    urn, serial = deployable.unit.urn, deployable.unit.serial
    post = kerbside((212.0, 60.0), 20.0)
    deployable.unit.deploy(post)
    await _pass(deployable, clock, 600, step_s=5)
    assert not deployable.unit.carried
    mount = deployable.device.mount
    assert mount.bearing_deg == 20.0
    assert distance_m(mount.place, deployable.unit.place) < 0.1
    after = deployable.eye.paint(aim_at(), clock.wall_ns(), 160, 90)
    assert np.array_equal(after, Painter(town, mount).paint(aim_at(), clock.wall_ns(), 160, 90))
    assert not np.array_equal(before, after)
    assert (deployable.unit.urn, deployable.unit.serial) == (urn, serial)


async def test_in_the_van_it_is_dark(deployable: Deployable, clock: ManualClock) -> None:
    """In hand it sees the inside of its bag and tells a tamper alarm; set up again, it sees."""
    heard: list[DeviceEvent] = []
    deployable.device.listeners.append(heard.append)
    deployable.unit.deploy(kerbside((212.0, 60.0), 20.0))
    await _pass(deployable, clock, 2)
    assert deployable.camera.covered
    await _pass(deployable, clock, 600, step_s=5)
    assert not deployable.camera.covered
    assert [event.data["State"] for event in heard if event.topic == TAMPER] == ["true", "false"]


async def test_knocked_it_looks_elsewhere(deployable: Deployable, clock: ManualClock) -> None:
    """A knock turns its picture and lets it lean, from the same place; set right, the picture is the old one."""
    before = deployable.eye.paint(aim_at(), clock.wall_ns(), 160, 90)
    at_first = deployable.device.mount
    deployable.unit.faults.knocked = True
    await _pass(deployable, clock, 1)
    mount = deployable.device.mount
    assert mount.place == at_first.place
    assert abs(mount.bearing_deg - at_first.bearing_deg) >= 15.0
    assert mount.lean_deg <= -5.0
    assert not np.array_equal(before, deployable.eye.paint(aim_at(), clock.wall_ns(), 160, 90))
    deployable.unit.faults.knocked = False
    await _pass(deployable, clock, 1)
    assert deployable.device.mount == at_first


async def test_motion_is_told_where_it_stands(deployable: Deployable, clock: ManualClock, town: Town) -> None:
    """After a move its motion detector sees past other walls: those of its new place."""
    alarm = MotionAlarm(town, deployable.device)
    for _ in range(20):
        alarm.look()
        await clock.turn(1.0)
    assert alarm._lines is not None
    first = alarm._lines[0]
    deployable.device.mount = mount_of(deployable.unit, deployable.device.mount)
    deployable.unit.deploy(kerbside((-140.0, -10.0), 260.0))
    await _pass(deployable, clock, 900, step_s=5)
    for _ in range(40):
        alarm.look()
        await clock.turn(1.0)
    assert alarm._lines[0] != first
    assert alarm._lines[0] == deployable.device.mount.place


async def test_its_link_is_the_cameras_link(deployable: Deployable, clock: ManualClock) -> None:
    """While the unit's link is away its camera hangs too."""
    deployable.unit.faults.lost_link = True
    await _pass(deployable, clock, 1)
    assert deployable.device.faults.drop_link
    deployable.unit.faults.lost_link = False
    await _pass(deployable, clock, 1)
    assert not deployable.device.faults.drop_link


async def test_a_link_that_is_lost_while_it_is_off(deployable: Deployable, clock: ManualClock) -> None:
    """A unit that starts where there is no link has a camera that hangs."""
    deployable.unit.faults.flat_battery = True
    await _pass(deployable, clock, 300, step_s=5)
    assert not deployable.device.faults.drop_link
    deployable.unit.faults.lost_link = True
    deployable.unit.faults.flat_battery = False
    await _pass(deployable, clock, 60)
    assert deployable.device.faults.drop_link


async def test_a_knob_of_the_camera_is_left_alone(deployable: Deployable, clock: ManualClock) -> None:
    """A camera that hangs by its own fault hangs on, though the unit's link is well."""
    deployable.device.faults.drop_link = True
    await _pass(deployable, clock, 3)
    assert deployable.device.faults.drop_link


async def test_off_is_off(deployable: Deployable, clock: ManualClock, wires: Wires) -> None:
    """With a flat battery the camera's servers are off, and on again once it is charged."""
    deployable.unit.faults.flat_battery = True
    await _pass(deployable, clock, 300, step_s=5)
    assert wires.on[-1] is False
    deployable.unit.faults.flat_battery = False
    await _pass(deployable, clock, 60)
    assert wires.on[-1] is True


async def test_its_servers_follow_its_address(deployable: Deployable, clock: ManualClock, wires: Wires) -> None:
    """With each attach the camera's servers are told the new address, once; the unit tells their ports."""
    deployable.device.http_port, deployable.device.rtsp_port = 41_000, 41_001
    deployable.unit.faults.new_address_s = 10.0
    await _pass(deployable, clock, 35)
    assert len(wires.hosts) == 3
    assert wires.hosts[-1] == deployable.unit.host
    assert (deployable.unit.http_port, deployable.unit.rtsp_port) == (41_000, 41_001)


async def test_its_clock_is_the_cameras_clock(deployable: Deployable, clock: ManualClock) -> None:
    """A unit whose clock lies has a camera whose clock lies as much."""
    deployable.unit.faults.clock_offset_s = -90.0
    await _pass(deployable, clock, 1)
    assert deployable.device.wall_ns() - clock.wall_ns() == -90 * 10**9


async def test_pictures_cost_data(deployable: Deployable, clock: ManualClock) -> None:
    """Only while somebody looks its pictures count in what it sends, at the stream's rate; and then it draws more."""
    await _pass(deployable, clock, 10)
    assert deployable.unit.sent_bytes == 0
    feed = deployable.camera.feeds[StreamName.SUB]
    shown: list[EncodedUnit] = []
    detach = feed.attach(shown.append)
    await _pass(deployable, clock, 10)
    detach()
    assert deployable.unit.sent_bytes == feed.settings.bitrate_kbit * 125 * 10
    assert deployable.unit.streaming
    await _pass(deployable, clock, 1)
    assert not deployable.unit.streaming


async def test_a_thin_link(deployable: Deployable, clock: ManualClock) -> None:
    """Told to send as little as it can, its main stream is coded at the sub stream's rate, and afterwards as before."""
    streams = deployable.device.streams
    streams[StreamName.SUB].bitrate_kbit = 300
    before = streams[StreamName.MAIN].bitrate_kbit
    deployable.unit.thin = True
    await _pass(deployable, clock, 1)
    assert streams[StreamName.MAIN].bitrate_kbit == 300
    deployable.unit.thin = False
    await _pass(deployable, clock, 1)
    assert streams[StreamName.MAIN].bitrate_kbit == before


async def test_its_head_stays(deployable: Deployable, clock: ManualClock) -> None:
    """Its head is the same after a move: presets point where they pointed, which is elsewhere now."""
    deployable.device.head = Head(deployable.device.mount, clock)
    head = deployable.device.head
    deployable.unit.deploy(kerbside((212.0, 60.0), 20.0))
    await _pass(deployable, clock, 600, step_s=5)
    assert deployable.device.head is head
