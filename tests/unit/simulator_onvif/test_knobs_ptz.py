"""Knobs of the head: what it does instead of what it was told."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.head import Head
from kernel.head import Velocity
from tests.fakes.clock import ManualClock
from tests.unit.simulator_onvif.stand import PROFILE, Answer, Wire, a_device, addressing, on_the_wire, token

PAN = '<tt:PanTilt x="0.5" y="0"/>'
ZOOM = '<tt:Zoom x="0.5"/>'
STILL = '<tt:PanTilt x="0" y="0"/><tt:Zoom x="0"/>'


@pytest.fixture
def device(clock: ManualClock) -> SimulatedDevice:
    """Return a camera."""
    return a_device(clock)


@pytest_asyncio.fixture
async def wire(device: SimulatedDevice) -> AsyncIterator[Wire]:
    """Return a connection to it."""
    async with on_the_wire(device) as wire:
        yield wire


@pytest.fixture
def head(device: SimulatedDevice) -> Head:
    """Return its head."""
    assert isinstance(device.head, Head)
    return device.head


async def move(wire: Wire, velocity: str = PAN, lasting: str = "") -> Answer:
    """Send a ContinuousMove."""
    given = f"<p:Timeout>{lasting}</p:Timeout>" if lasting else ""
    return await wire.call("tptz", "ContinuousMove", f"{PROFILE}<p:Velocity>{velocity}</p:Velocity>{given}")


async def status(wire: Wire) -> dict[str, str]:
    """Return what GetStatus tells."""
    return (await wire.call("tptz", "GetStatus", PROFILE)).told


async def test_stuck_moving(wire: Wire, device: SimulatedDevice) -> None:
    """stuck_moving: MoveStatus says MOVING of a head that stands."""
    device.faults.stuck_moving = True
    assert (await status(wire))["PTZStatus/MoveStatus/PanTilt"] == "MOVING"


async def test_timeout_faults(wire: Wire, device: SimulatedDevice) -> None:
    """timeout_faults: a move with a timeout is refused, one without is done."""
    device.faults.timeout_faults = True
    assert (await move(wire, lasting="PT1S")).fault == ["InvalidArgVal", "TimeoutNotSupported"]
    assert (await move(wire)).status == 200


async def test_timeout_ignored(wire: Wire, device: SimulatedDevice, head: Head, clock: ManualClock) -> None:
    """timeout_ignored: the head turns on until it is stopped or at its end."""
    device.faults.timeout_ignored = True
    await move(wire, '<tt:PanTilt x="0.1" y="0"/>', lasting="PT1S")
    await clock.turn(8)
    assert head.velocity().pan == pytest.approx(0.1)


async def test_timeout_zero(wire: Wire, device: SimulatedDevice, head: Head, clock: ManualClock) -> None:
    """timeout_zero: the head gives a short turn and stands."""
    device.faults.timeout_zero = True
    await move(wire, lasting="PT10S")
    await clock.turn(1)
    assert not head.aim().moving
    assert 0.0 < head.aim().pan_deg < 10.0


async def test_stop_unsupported(wire: Wire, device: SimulatedDevice, head: Head, clock: ManualClock) -> None:
    """stop_unsupported: Stop faults and the head turns on."""
    device.faults.stop_unsupported = True
    await move(wire)
    assert (await wire.call("tptz", "Stop", PROFILE)).fault == ["ActionNotSupported"]
    await clock.turn(1)
    assert head.aim().moving


async def test_stop_ignored(wire: Wire, device: SimulatedDevice, head: Head, clock: ManualClock) -> None:
    """stop_ignored: Stop answers and the head turns on."""
    device.faults.stop_ignored = True
    await move(wire)
    assert (await wire.call("tptz", "Stop", PROFILE)).status == 200
    await clock.turn(1)
    assert head.aim().moving


async def test_zero_velocity_ignored(wire: Wire, device: SimulatedDevice, head: Head, clock: ManualClock) -> None:
    """zero_velocity_ignored: a move of zero velocity answers and the head turns on; Stop stops it."""
    device.faults.zero_velocity_ignored = True
    await move(wire)
    assert (await move(wire, STILL)).status == 200
    await clock.turn(1)
    assert head.aim().moving
    await wire.call("tptz", "Stop", PROFILE)
    await clock.turn(1)
    assert not head.aim().moving


async def test_fixed_speed(wire: Wire, device: SimulatedDevice, head: Head, clock: ManualClock) -> None:
    """fixed_speed: asked for a crawl or for all it has, the head turns at one speed."""
    device.faults.fixed_speed = True
    for asked in ("0.01", "-1"):
        await move(wire, f'<tt:PanTilt x="{asked}" y="0"/>')
        await clock.turn(1)
        assert abs(head.velocity().pan) == pytest.approx(0.5)
    await wire.call("tptz", "AbsoluteMove", f'{PROFILE}<p:Position><tt:PanTilt x="1" y="0"/></p:Position>')
    await clock.turn(0.6)
    assert head.velocity().pan == pytest.approx(0.5)


async def test_split_axes(wire: Wire, device: SimulatedDevice) -> None:
    """split_axes: pan, tilt and zoom in one request fault; one after the other they pass."""
    device.faults.split_axes = True
    assert (await move(wire, PAN + ZOOM)).fault == ["InvalidArgVal", "InvalidVelocity"]
    assert ((await move(wire, PAN)).status, (await move(wire, ZOOM)).status) == (200, 200)


async def test_no_zoom(wire: Wire, device: SimulatedDevice) -> None:
    """no_zoom: no zoom space, no zoom position, and a fault for who zooms all the same."""
    device.faults.no_zoom = True
    assert (await move(wire, PAN + ZOOM)).fault == ["InvalidArgVal", "SpaceNotSupported"]
    assert b"ZoomSpaces" not in (await wire.call("tptz", "GetNodes")).body
    assert b"ZoomSpaces" not in (await wire.call("tptz", "GetConfigurations")).body
    assert "PTZStatus/Position/Zoom@x" not in await status(wire)


async def test_fov_untrue(wire: Wire, device: SimulatedDevice, head: Head, clock: ManualClock) -> None:
    """fov_untrue: a move in the picture ends beside the point that was meant."""
    device.faults.fov_untrue = True
    await fov(wire, "0.5", "0")
    await clock.turn(5)
    assert head.aim().pan_deg > 25.0


async def fov(wire: Wire, right: str, up: str) -> Answer:
    """Send a RelativeMove in the field-of-view space."""
    space = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/TranslationSpaceFov"
    where = f'<p:Translation><tt:PanTilt x="{right}" y="{up}" space="{space}"/></p:Translation>'
    return await wire.call("tptz", "RelativeMove", PROFILE + where)


async def test_a_true_fov_move(wire: Wire, head: Head, clock: ManualClock) -> None:
    """Without that knob the point half way to the right edge comes to the middle."""
    await fov(wire, "0.5", "0")
    await clock.turn(5)
    # atan(0.5 * tan(62 / 2)) of a level camera.
    assert head.aim().pan_deg == pytest.approx(16.718, abs=0.01)


async def test_factory_presets(wire: Wire, device: SimulatedDevice, head: Head, clock: ManualClock) -> None:
    """factory_presets: the list is full of placeholders without a position; recalling one moves nothing."""
    device.faults.factory_presets = 300
    body = (await wire.call("tptz", "GetPresets", PROFILE)).body
    assert body.count(b"<tptz:Preset ") == 300
    assert b"PTZPosition" not in body
    answer = await wire.call("tptz", "GotoPreset", PROFILE + "<p:PresetToken>200</p:PresetToken>")
    assert (answer.status, head.aim().moving) == (200, False)
    stored = await wire.call("tptz", "SetPreset", PROFILE + "<p:PresetName>Gate</p:PresetName>")
    assert stored.told["PresetToken"] == "301"
    over = await wire.call("tptz", "SetPreset", PROFILE + "<p:PresetToken>5</p:PresetToken>")
    assert (over.told["PresetToken"], device.presets["5"].name) == ("5", "Preset 5")


async def test_setpreset_fails_moving(wire: Wire, device: SimulatedDevice, clock: ManualClock) -> None:
    """setpreset_fails_moving: SetPreset faults while the head moves, and not when it stands."""
    device.faults.setpreset_fails_moving = True
    await move(wire, lasting="PT1S")
    await clock.turn(0.5)
    assert (await wire.call("tptz", "SetPreset", PROFILE)).fault == ["Action", "MovingPTZ"]
    await clock.turn(5)
    assert (await wire.call("tptz", "SetPreset", PROFILE)).status == 200


async def test_addressing_breaks_ptz(wire: Wire, device: SimulatedDevice) -> None:
    """addressing_breaks_ptz: WS-Addressing headers make a PTZ call fault, and no other call."""
    device.faults.addressing_breaks_ptz = True
    headers = {"header": token(device) + addressing()}
    assert (await wire.call("tptz", "GetNodes", header=headers["header"])).fault == ["InvalidArgs"]
    assert (await wire.call("tds", "GetHostname", header=token(device) + addressing())).status == 200


async def test_minutes_as_seconds(wire: Wire, device: SimulatedDevice, head: Head, clock: ManualClock) -> None:
    """minutes_as_seconds: a move of PT1M lasts a second."""
    device.faults.minutes_as_seconds = True
    await move(wire, '<tt:PanTilt x="0.01" y="0"/>', lasting="PT1M")
    await clock.turn(1.5)
    assert head.velocity() == Velocity()
