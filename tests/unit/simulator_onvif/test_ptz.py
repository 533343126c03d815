"""The PTZ service when nothing is wrong with it, and with what it is asked."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.head import Head
from drivers.simulator.onvif import ptz_nodes as nodes
from kernel.head import Position, Preset
from tests.fakes.clock import ManualClock
from tests.unit.simulator_onvif.stand import PROFILE, Answer, Wire, a_device, on_the_wire

INVALID = "InvalidArgVal"


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


async def ptz(wire: Wire, name: str, arguments: str = "") -> Answer:
    """Call an operation on the main profile."""
    return await wire.call("tptz", name, PROFILE + arguments)


def at(what: str, inner: str) -> str:
    """Return an argument."""
    return f"<p:{what}>{inner}</p:{what}>"


def pan_tilt(x: float, y: float, space: str = "") -> str:
    """Return a tt:PanTilt."""
    return f'<tt:PanTilt x="{x}" y="{y}"{f" space={chr(34)}{space}{chr(34)}" if space else ""}/>'


async def test_a_move_ends_with_its_timeout(wire: Wire, head: Head, clock: ManualClock) -> None:
    """A move lasts as long as its timeout says, and then brakes."""
    await ptz(wire, "ContinuousMove", at("Velocity", pan_tilt(0.5, 0)) + at("Timeout", "PT2S"))
    await clock.turn(1.9)
    assert head.velocity().pan == pytest.approx(0.5)
    await clock.turn(0.5)
    assert not head.aim().moving


async def test_a_move_without_a_timeout_has_the_default(
    wire: Wire, device: SimulatedDevice, head: Head, clock: ManualClock
) -> None:
    """DefaultPTZTimeout ends it; SetConfiguration sets that."""
    configuration = (
        f'<p:PTZConfiguration token="{nodes.CONFIGURATION}"><tt:DefaultPTZTimeout>PT1S</tt:DefaultPTZTimeout>'
    )
    await ptz(wire, "SetConfiguration", configuration + "</p:PTZConfiguration>")
    await ptz(wire, "ContinuousMove", at("Velocity", pan_tilt(0.1, 0)))
    await clock.turn(1.5)
    assert (device.ptz_timeout_s, head.aim().moving) == (1.0, False)


async def test_an_axis_left_out_keeps_moving(wire: Wire, head: Head, clock: ManualClock) -> None:
    """A ContinuousMove of pan and tilt alone does not stop the zoom."""
    await ptz(wire, "ContinuousMove", at("Velocity", '<tt:Zoom x="0.2"/>'))
    await ptz(wire, "ContinuousMove", at("Velocity", pan_tilt(0.2, 0)))
    await clock.turn(1)
    assert (head.velocity().pan, head.velocity().zoom) == pytest.approx((0.2, 0.2))
    await ptz(wire, "Stop", at("PanTilt", "true") + at("Zoom", "false"))
    await clock.turn(1)
    assert (head.velocity().pan, head.velocity().zoom) == pytest.approx((0.0, 0.2))
    told = (await ptz(wire, "GetStatus")).told
    assert (told["PTZStatus/MoveStatus/PanTilt"], told["PTZStatus/MoveStatus/Zoom"]) == ("IDLE", "MOVING")


async def test_an_absolute_move_takes_degrees(wire: Wire, head: Head, clock: ManualClock) -> None:
    """In the spherical space a head goes to degrees."""
    await ptz(wire, "AbsoluteMove", at("Position", pan_tilt(-45, -10, nodes.PAN_TILT_DEGREES)))
    await clock.turn(5)
    assert (head.aim().pan_deg, head.aim().tilt_deg) == pytest.approx((-45.0, -10.0))
    await ptz(wire, "AbsoluteMove", at("Position", '<tt:Zoom x="0.5"/>') + at("Speed", '<tt:Zoom x="0.5"/>'))
    await clock.turn(5)
    assert (head.aim().pan_deg, head.aim().zoom) == pytest.approx((-45.0, 0.5))


async def test_a_relative_move_adds(wire: Wire, head: Head, clock: ManualClock) -> None:
    """Translations add to where the head is, and end at its limits."""
    before = head.position()
    await ptz(wire, "RelativeMove", at("Translation", pan_tilt(0.25, -0.25) + '<tt:Zoom x="0.3"/>'))
    await clock.turn(5)
    here = head.position()
    assert (here.pan, here.tilt, here.zoom) == pytest.approx((before.pan + 0.25, before.tilt - 0.25, 0.3))
    await ptz(wire, "RelativeMove", at("Translation", '<tt:Zoom x="1"/>'))
    await clock.turn(5)
    assert head.position().zoom == 1.0


async def test_home(wire: Wire, head: Head, clock: ManualClock) -> None:
    """The head returns to where home was set."""
    await ptz(wire, "AbsoluteMove", at("Position", pan_tilt(0.5, 0.5)))
    await clock.turn(5)
    await ptz(wire, "SetHomePosition")
    await ptz(wire, "AbsoluteMove", at("Position", pan_tilt(-0.5, 0)))
    await clock.turn(5)
    await ptz(wire, "GotoHomePosition")
    await clock.turn(5)
    assert head.position() == Position(0.5, 0.5, 0.0)


@pytest.mark.parametrize(
    ("name", "arguments", "subcode"),
    [
        ("ContinuousMove", "", "InvalidVelocity"),
        ("ContinuousMove", at("Velocity", pan_tilt(2, 0)), "InvalidVelocity"),
        ("ContinuousMove", at("Velocity", '<tt:PanTilt x="fast" y="0"/>'), "InvalidVelocity"),
        ("ContinuousMove", at("Velocity", pan_tilt(1, 0, "urn:space")), "SpaceNotSupported"),
        ("ContinuousMove", at("Velocity", pan_tilt(1, 0, nodes.ZOOM_VELOCITY)), "SpaceNotSupported"),
        ("ContinuousMove", at("Velocity", pan_tilt(1, 0)) + at("Timeout", "PT2H"), "TimeoutNotSupported"),
        ("AbsoluteMove", at("Position", '<tt:Zoom x="-0.5"/>'), "InvalidPosition"),
        ("AbsoluteMove", at("Position", pan_tilt(200, 0, nodes.PAN_TILT_DEGREES)), "InvalidPosition"),
        ("AbsoluteMove", at("Position", pan_tilt(0, 0)) + at("Speed", '<tt:Zoom x="?"/>'), "InvalidSpeed"),
        ("RelativeMove", at("Translation", pan_tilt(0, -3)), "InvalidTranslation"),
        ("SendAuxiliaryCommand", at("AuxiliaryData", "tt:Tea|On"), "AuxiliaryDataNotSupported"),
        ("GotoPreset", at("PresetToken", "9"), "NoToken"),
        ("RemovePreset", at("PresetToken", "9"), "NoToken"),
        ("SetPreset", at("PresetToken", "9"), "NoToken"),
        ("SetPreset", at("PresetName", "x" * 65), "InvalidPresetName"),
        ("GetNode", at("NodeToken", "other"), "NoEntity"),
        ("GetConfiguration", at("PTZConfigurationToken", "other"), "NoConfig"),
        ("GetConfigurationOptions", at("ConfigurationToken", "other"), "NoConfig"),
        ("SetConfiguration", "", "NoConfig"),
        (
            "SetConfiguration",
            (
                f'<p:PTZConfiguration token="{nodes.CONFIGURATION}"><tt:DefaultPTZTimeout>PT2H</tt:DefaultPTZTimeout>'
                "</p:PTZConfiguration>"
            ),
            "ConfigModify",
        ),
    ],
)
async def test_what_makes_no_sense_is_a_fault(wire: Wire, head: Head, name: str, arguments: str, subcode: str) -> None:
    """Each wrong argument has the subcode that the specification gives it, and nothing moves."""
    assert (await ptz(wire, name, arguments)).fault == [INVALID, subcode]
    assert not head.aim().moving


async def test_a_duration_that_is_none_is_a_fault(wire: Wire) -> None:
    """A timeout that cannot be read is refused."""
    answer = await ptz(wire, "ContinuousMove", at("Velocity", pan_tilt(1, 0)) + at("Timeout", "soon"))
    assert answer.fault == [INVALID]


@pytest.mark.parametrize("name", ["GetStatus", "Stop", "GetPresets", "GetPresetTours", "GotoHomePosition"])
async def test_an_unknown_profile_is_a_fault(wire: Wire, name: str) -> None:
    """ter:NoProfile; without a profile an argument is missing."""
    assert (await wire.call("tptz", name, "<p:ProfileToken>x</p:ProfileToken>")).fault == [INVALID, "NoProfile"]
    assert (await wire.call("tptz", name)).fault == [INVALID]


async def test_presets_are_kept(wire: Wire, device: SimulatedDevice, head: Head, clock: ManualClock) -> None:
    """A preset is stored under a new token, renamed in place, recalled at a speed, and its name is not given twice."""
    await ptz(wire, "AbsoluteMove", at("Position", pan_tilt(0.5, 0)))
    await clock.turn(5)
    stored = (await ptz(wire, "SetPreset", at("PresetName", "Gate"))).told["PresetToken"]
    assert (await ptz(wire, "SetPreset", at("PresetName", "Gate"))).fault == [INVALID, "PresetExist"]
    await ptz(wire, "AbsoluteMove", at("Position", pan_tilt(-0.5, 0)))
    await clock.turn(5)
    recall = at("PresetToken", stored) + at("Speed", pan_tilt(0.5, 0.1))
    await ptz(wire, "GotoPreset", recall)
    await clock.turn(0.5)
    assert head.velocity().pan == pytest.approx(0.5)
    await clock.turn(5)
    assert head.position().pan == 0.5
    await ptz(wire, "SetPreset", at("PresetToken", stored) + at("PresetName", "Yard"))
    assert [preset.name for preset in device.presets.values()] == ["Yard"]


async def test_the_list_of_presets_is_finite(wire: Wire, device: SimulatedDevice) -> None:
    """The 257th is refused."""
    device.presets = {str(n): Preset(str(n), f"P{n}", Position()) for n in range(256)}
    assert (await ptz(wire, "SetPreset")).fault == ["Action", "TooManyPresets"]
