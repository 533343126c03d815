"""Media, imaging, DeviceIO and housekeeping: what goes in and what is refused."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from drivers.simulator.device import DeviceEvent, SimulatedDevice
from drivers.simulator.happenings import RELAY
from kernel.ids import StreamName
from kernel.media import VideoCodec
from tests.fakes.clock import ManualClock
from tests.unit.simulator_onvif.stand import PROFILE, StillFeed, Wire, a_device, on_the_wire

INVALID = "InvalidArgVal"
SOURCE = "<p:VideoSourceToken>video-source-1</p:VideoSourceToken>"
OTHER = "<p:ConfigurationToken>other</p:ConfigurationToken>"


@pytest.fixture
def device(clock: ManualClock) -> SimulatedDevice:
    """Return a camera."""
    return a_device(clock)


@pytest_asyncio.fixture
async def wire(device: SimulatedDevice) -> AsyncIterator[Wire]:
    """Return a connection to it."""
    async with on_the_wire(device) as wire:
        yield wire


def encoder(inner: str, *, which: str = "encoder-main", gop: str = "") -> str:
    """Return a Configuration argument."""
    attribute = f' GovLength="{gop}"' if gop else ""
    return f'<p:Configuration token="{which}"{attribute}>{inner}</p:Configuration>'


@pytest.mark.parametrize("prefix", ["trt", "tr2"])
async def test_an_encoder_is_set(wire: Wire, device: SimulatedDevice, prefix: str) -> None:
    """Either media service sets size and rates; what is left out stays."""
    size = "<tt:Resolution><tt:Width>640</tt:Width><tt:Height>360</tt:Height></tt:Resolution>"
    rate = "<tt:RateControl><tt:FrameRateLimit>5</tt:FrameRateLimit></tt:RateControl>"
    assert (await wire.call(prefix, "SetVideoEncoderConfiguration", encoder(size + rate, gop="10"))).status == 200
    stream = device.streams[StreamName.MAIN]
    assert (stream.width, stream.height, stream.frame_rate, stream.gop_frames) == (640, 360, 5.0, 10)
    assert stream.bitrate_kbit == 2000


async def test_media1_keeps_half_a_frame(wire: Wire, device: SimulatedDevice) -> None:
    """Media 1 says 12 for 12.5 frames a second; written back, 12.5 stays."""
    told = (await wire.call("trt", "GetVideoEncoderConfigurations")).told
    limit = told["Configurations/RateControl/FrameRateLimit"]
    rate = f"<tt:RateControl><tt:FrameRateLimit>{limit}</tt:FrameRateLimit></tt:RateControl>"
    await wire.call("trt", "SetVideoEncoderConfiguration", encoder(rate))
    assert device.streams[StreamName.MAIN].frame_rate == 12.5


@pytest.mark.parametrize(
    "inner",
    [
        "<tt:Resolution><tt:Width>123</tt:Width><tt:Height>45</tt:Height></tt:Resolution>",
        "<tt:RateControl><tt:FrameRateLimit>500</tt:FrameRateLimit></tt:RateControl>",
        "<tt:RateControl><tt:BitrateLimit>1</tt:BitrateLimit></tt:RateControl>",
        "<tt:H264><tt:GovLength>9999</tt:GovLength></tt:H264>",
        "<tt:Encoding>JPEG</tt:Encoding>",
    ],
)
async def test_what_the_options_do_not_allow_is_refused(wire: Wire, device: SimulatedDevice, inner: str) -> None:
    """Outside the options nothing is changed."""
    answer = await wire.call("trt", "SetVideoEncoderConfiguration", encoder(inner))
    assert answer.fault == [INVALID, "ConfigModify"]
    assert device.streams[StreamName.MAIN].width == 1280


@pytest.mark.parametrize(
    ("prefix", "name", "arguments", "fault"),
    [
        ("trt", "SetVideoEncoderConfiguration", encoder("", which="other"), [INVALID, "NoConfig"]),
        ("trt", "SetVideoEncoderConfiguration", "", [INVALID, "NoConfig"]),
        (
            "trt",
            "SetVideoEncoderConfiguration",
            encoder("<tt:Resolution><tt:Width>wide</tt:Width></tt:Resolution>"),
            [INVALID],
        ),
        ("trt", "GetProfile", "<p:ProfileToken>other</p:ProfileToken>", [INVALID, "NoProfile"]),
        ("trt", "GetVideoEncoderConfigurationOptions", OTHER, [INVALID, "NoConfig"]),
        ("trt", "GetVideoSourceConfiguration", OTHER, [INVALID, "NoConfig"]),
        ("trt", "CreateProfile", "<p:Name>x</p:Name>", ["Action", "MaxNVTProfiles"]),
        ("trt", "DeleteProfile", PROFILE, ["Action", "DeletionOfFixedProfile"]),
        ("tr2", "CreateProfile", "<p:Name>x</p:Name>", ["Action", "MaxNVTProfiles"]),
        ("tr2", "DeleteProfile", "<p:Token>profile-main</p:Token>", ["Action", "DeletionOfFixedProfile"]),
        ("tr2", "GetVideoEncoderInstances", OTHER, [INVALID, "NoConfig"]),
        (
            "trt",
            "GetStreamUri",
            "<p:StreamSetup><tt:Stream>RTP-Multicast</tt:Stream></p:StreamSetup>" + PROFILE,
            [INVALID, "InvalidStreamSetup"],
        ),
        (
            "tr2",
            "GetStreamUri",
            "<p:Protocol>RtspMulticast</p:Protocol>" + PROFILE,
            [INVALID, "InvalidStreamSetup"],
        ),
        (
            "tds",
            "SetRelayOutputState",
            "<p:RelayOutputToken>9</p:RelayOutputToken><p:LogicalState>active</p:LogicalState>",
            [INVALID, "RelayToken"],
        ),
        (
            "tds",
            "SetRelayOutputState",
            "<p:RelayOutputToken>relay-1</p:RelayOutputToken><p:LogicalState>maybe</p:LogicalState>",
            [INVALID],
        ),
        (
            "tmd",
            "SetRelayOutputSettings",
            '<p:RelayOutput token="9"><tt:Properties><tt:Mode>Bistable</tt:Mode></tt:Properties></p:RelayOutput>',
            [INVALID, "RelayToken"],
        ),
        (
            "tmd",
            "SetRelayOutputSettings",
            '<p:RelayOutput token="relay-1"><tt:Properties><tt:Mode>Other</tt:Mode></tt:Properties></p:RelayOutput>',
            [INVALID, "ModeError"],
        ),
        (
            "tds",
            "SetRelayOutputSettings",
            "<p:RelayOutputToken>9</p:RelayOutputToken>",
            [INVALID, "RelayToken"],
        ),
        ("tds", "SetSystemDateAndTime", "<p:DateTimeType>Sundial</p:DateTimeType>", [INVALID, "InvalidDateTime"]),
        (
            "tds",
            "SetSystemDateAndTime",
            (
                "<p:DateTimeType>Manual</p:DateTimeType><p:UTCDateTime>"
                "<tt:Time><tt:Hour>1</tt:Hour><tt:Minute>1</tt:Minute><tt:Second>1</tt:Second></tt:Time>"
                "<tt:Date><tt:Year>2026</tt:Year><tt:Month>13</tt:Month><tt:Day>1</tt:Day></tt:Date></p:UTCDateTime>"
            ),
            [INVALID, "InvalidDateTime"],
        ),
        ("timg", "GetOptions", "<p:VideoSourceToken>9</p:VideoSourceToken>", [INVALID, "NoSource"]),
        ("timg", "Move", SOURCE, [INVALID, "SettingsInvalid"]),
        (
            "timg",
            "Move",
            SOURCE + "<p:Focus><tt:Absolute><tt:Position>7</tt:Position></tt:Absolute></p:Focus>",
            [INVALID, "SettingsInvalid"],
        ),
        (
            "timg",
            "SetImagingSettings",
            SOURCE + "<p:ImagingSettings><tt:Brightness>700</tt:Brightness></p:ImagingSettings>",
            [INVALID, "SettingsInvalid"],
        ),
    ],
)
async def test_what_makes_no_sense_is_a_fault(
    wire: Wire, prefix: str, name: str, arguments: str, fault: list[str]
) -> None:
    """Each wrong argument has the subcodes that the specification gives it."""
    answer = await wire.call(prefix, name, arguments)
    assert answer.fault == fault
    assert answer.status in {400, 500}


async def test_media2_shows_what_is_asked_for(wire: Wire, device: SimulatedDevice) -> None:
    """Profiles come bare, with the kinds of configuration asked for, or whole; encoders by profile or by token."""
    assert b"tr2:Configurations" not in (await wire.call("tr2", "GetProfiles")).body
    some = (await wire.call("tr2", "GetProfiles", "<p:Token>profile-sub</p:Token><p:Type>VideoEncoder</p:Type>")).body
    assert b"encoder-sub" in some
    assert b"encoder-main" not in some
    assert b"PTZ" not in some.split(b"<env:Body>")[1]
    by_profile = await wire.call("tr2", "GetVideoEncoderConfigurations", PROFILE)
    assert by_profile.told["Configurations@token"] == "encoder-main"
    token = "<p:ConfigurationToken>encoder-sub</p:ConfigurationToken>"
    assert (await wire.call("tr2", "GetVideoEncoderConfigurations", token)).told[
        "Configurations@token"
    ] == "encoder-sub"
    await wire.call("tr2", "SetSynchronizationPoint", PROFILE)
    feed = device.feeds[StreamName.MAIN]
    assert isinstance(feed, StillFeed)
    assert feed.keyframes == 1


async def test_media2_tells_h265(clock: ManualClock) -> None:
    """H.265 is told by Media 2, with the exact frame rate."""
    async with on_the_wire(a_device(clock, codec=VideoCodec.H265)) as wire:
        told = (await wire.call("tr2", "GetVideoEncoderConfigurations")).told
        options = (await wire.call("tr2", "GetVideoEncoderConfigurationOptions")).told
        uri = (await wire.call("tr2", "GetStreamUri", "<p:Protocol>RTSP</p:Protocol>" + PROFILE)).told
    assert (told["Configurations/Encoding"], told["Configurations/RateControl/FrameRateLimit"]) == ("H265", "12.5")
    assert options["Options/Encoding"] == "H265"
    assert uri["Uri"] == "rtsp://127.0.0.1:8554/main"


async def test_a_keyframe_can_be_asked_of_a_stream_that_does_not_run(wire: Wire, device: SimulatedDevice) -> None:
    """Without a feed there is nothing to do, and no fault."""
    device.feeds.clear()
    assert (await wire.call("trt", "SetSynchronizationPoint", PROFILE)).status == 200


async def test_the_focus_moves(wire: Wire, device: SimulatedDevice, clock: ManualClock) -> None:
    """Absolute, relative and continuous moves end where they should; each turns autofocus off."""

    async def move(inner: str) -> None:
        device.autofocus = True
        assert (await wire.call("timg", "Move", f"{SOURCE}<p:Focus>{inner}</p:Focus>")).status == 200
        assert not device.autofocus

    async def where() -> tuple[float, str]:
        told = (await wire.call("timg", "GetStatus", SOURCE)).told
        return float(told["Status/FocusStatus20/Position"]), told["Status/FocusStatus20/MoveStatus"]

    await move("<tt:Absolute><tt:Position>0.9</tt:Position></tt:Absolute>")
    await clock.turn(5)
    assert await where() == (0.9, "IDLE")
    await move("<tt:Relative><tt:Distance>-0.4</tt:Distance><tt:Speed>0.5</tt:Speed></tt:Relative>")
    await clock.turn(5)
    assert await where() == (0.5, "IDLE")
    await move("<tt:Continuous><tt:Speed>1</tt:Speed></tt:Continuous>")
    await clock.turn(0.5)
    await wire.call("timg", "Stop", SOURCE)
    position, status = await where()
    assert status == "IDLE"
    assert 0.5 < position < 1.0
    await move("<tt:Continuous><tt:Speed>-1</tt:Speed></tt:Continuous>")
    await clock.turn(10)
    assert await where() == (0.0, "IDLE")
    assert device.focus == 0.0


@pytest.mark.parametrize(("mode", "night"), [("OFF", True), ("ON", False), ("AUTO", False)])
async def test_day_and_night(wire: Wire, device: SimulatedDevice, mode: str, *, night: bool) -> None:
    """The infrared filter out of the way is night; left to the camera it is day."""
    settings = f"<p:ImagingSettings><tt:IrCutFilter>{mode}</tt:IrCutFilter></p:ImagingSettings>"
    await wire.call("timg", "SetImagingSettings", SOURCE + settings)
    assert device.night is night
    read = (await wire.call("timg", "GetImagingSettings", SOURCE)).told
    assert read["ImagingSettings/IrCutFilter"] == mode


async def test_a_relay_tells_of_itself(wire: Wire, device: SimulatedDevice) -> None:
    """Switching a relay raises its event."""
    heard: list[DeviceEvent] = []
    device.listeners.append(heard.append)
    given = "<p:RelayOutputToken>relay-1</p:RelayOutputToken><p:LogicalState>active</p:LogicalState>"
    await wire.call("tds", "SetRelayOutputState", given)
    (event,) = heard
    assert (event.topic, event.source, event.data) == (RELAY, {"RelayToken": "relay-1"}, {"LogicalState": "active"})
    only = "<p:RelayOutputToken>relay-1</p:RelayOutputToken>"
    assert (await wire.call("tmd", "GetRelayOutputOptions", only)).told["RelayOutputOptions@token"] == "relay-1"
    mode = f"{only}<p:Properties><tt:Mode>Bistable</tt:Mode></p:Properties>"
    assert (await wire.call("tds", "SetRelayOutputSettings", mode)).status == 200


async def test_an_auxiliary_of_no_known_device_is_accepted(wire: Wire, device: SimulatedDevice) -> None:
    """A camera may advertise more than the simulator draws; the command is taken and changes nothing."""
    device.auxiliary = ("tt:Washer|On",)
    answer = await wire.call("tds", "SendAuxiliaryCommand", "<p:AuxiliaryCommand>tt:Washer|On</p:AuxiliaryCommand>")
    assert answer.told["AuxiliaryCommandResponse"] == "tt:Washer|On"
    assert not device.wiper
