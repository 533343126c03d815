"""The simulated camera judged by onvif-zeep-async, strictly parsed, and by the schemas that it ships."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import onvif
import pytest
import pytest_asyncio
from lxml import etree
from onvif import ONVIFCamera, ONVIFService
from onvif.settings import DEFAULT_SETTINGS
from zeep import Plugin

from drivers.simulator import happenings
from drivers.simulator.device import SimulatedDevice
from drivers.simulator.onvif import onvif_server
from kernel.clock import SystemClock
from kernel.ids import StreamName
from kernel.media import VideoCodec
from tests.unit.simulator_onvif.stand import JPEG, StillFeed, a_device

WSDL = Path(onvif.__file__).parent / "wsdl"
XS = "{http://www.w3.org/2001/XMLSchema}"
PROFILE = {"ProfileToken": "profile-main"}
SOURCE = {"VideoSourceToken": "video-source-1"}
ENCODER = {"ConfigurationToken": "encoder-main"}
FOV = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/TranslationSpaceFov"


ONVIF = "http://www.onvif.org"
DESCRIBED_BY = {
    f"{ONVIF}/ver10/device/wsdl": "devicemgmt.wsdl",
    f"{ONVIF}/ver10/media/wsdl": "media.wsdl",
    f"{ONVIF}/ver20/ptz/wsdl": "ptz.wsdl",
    f"{ONVIF}/ver20/imaging/wsdl": "imaging.wsdl",
    f"{ONVIF}/ver10/deviceIO/wsdl": "deviceio.wsdl",
    f"{ONVIF}/ver10/events/wsdl": "events.wsdl",
    "http://docs.oasis-open.org/wsn/b-2": "events.wsdl",
}
"""Namespace of an answer -> the WSDL whose schema knows it."""


@cache
def schema_of(wsdl: str) -> etree.XMLSchema:
    """Return the compiled schema inside a WSDL."""
    path = str(WSDL / wsdl)
    (schema,) = etree.parse(path).getroot().iter(f"{XS}schema")
    return etree.XMLSchema(etree.ElementTree(etree.fromstring(etree.tostring(schema), base_url=path)))


class SchemaJudge(Plugin):
    """Holds the body of every answer against the schema that describes it."""

    def ingress(self, envelope: Any, http_headers: Any, operation: Any) -> Any:
        """Fail on an answer that is not valid."""
        (answer,) = envelope.find("{http://www.w3.org/2003/05/soap-envelope}Body")
        schema_of(DESCRIBED_BY[etree.QName(answer).namespace]).assertValid(etree.fromstring(etree.tostring(answer)))
        return envelope, http_headers


@pytest.fixture
def device() -> SimulatedDevice:
    """Return a camera with everything."""
    return a_device(SystemClock())


@pytest_asyncio.fixture
async def camera(device: SimulatedDevice, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ONVIFCamera]:
    """Return the library's client of it, strict, with its services found."""
    monkeypatch.setattr(DEFAULT_SETTINGS, "strict", True)
    async with onvif_server(device):
        client = ONVIFCamera(device.host, device.http_port, device.username, device.password, no_cache=True)
        await client.update_xaddrs()
        try:
            yield client
        finally:
            await client.close()


def judged(service: ONVIFService) -> ONVIFService:
    """Return ``service`` with a judge in its way."""
    service.zeep_client.plugins.append(SchemaJudge())
    return service


async def test_device_service(camera: ONVIFCamera, device: SimulatedDevice) -> None:
    """The device service answers validly and tells who it is."""
    service = judged(await camera.create_devicemgmt_service())
    information = await service.GetDeviceInformation()
    assert (information.Manufacturer, information.SerialNumber) == ("Sightline", "SIM-0007")
    assert device.urn == (await service.GetEndpointReference()).GUID
    assert "onvif://www.onvif.org/type/ptz" in [scope.ScopeItem for scope in await service.GetScopes()]
    assert (await service.GetHostname()).Name == "camera-7"
    assert (await service.GetNetworkInterfaces())[0].Info.HwAddress == "02:53:4c:00:00:07"
    assert {protocol.Name: protocol.Port[0] for protocol in await service.GetNetworkProtocols()} == {
        "HTTP": device.http_port,
        "RTSP": 8554,
    }
    assert [user.Username for user in await service.GetUsers()] == [device.username]
    assert await service.GetDiscoveryMode() == "Discoverable"
    assert await service.GetWsdlUrl()
    assert (await service.GetServiceCapabilities()).Security.HttpDigest
    assert len(await service.GetServices({"IncludeCapability": True})) == 7
    capabilities = await service.GetCapabilities({"Category": "All"})
    assert capabilities.PTZ.XAddr.endswith("/onvif/ptz_service")
    assert capabilities.Events.WSPullPointSupport


async def test_the_clock_can_be_set(camera: ONVIFCamera, device: SimulatedDevice) -> None:
    """SetSystemDateAndTime makes the camera's clock wrong by as much, and NTP makes it right."""
    service = judged(await camera.create_devicemgmt_service())
    when = {"Date": {"Year": 2030, "Month": 1, "Day": 2}, "Time": {"Hour": 3, "Minute": 4, "Second": 5}}
    await service.SetSystemDateAndTime({"DateTimeType": "Manual", "DaylightSavings": False, "UTCDateTime": when})
    told = (await service.GetSystemDateAndTime()).UTCDateTime
    assert (told.Date.Year, told.Date.Day, told.Time.Hour, told.Time.Minute) == (2030, 2, 3, 4)
    assert device.faults.clock_error_s > 0
    await service.SetSystemDateAndTime({"DateTimeType": "NTP", "DaylightSavings": False})
    assert device.faults.clock_error_s == 0


async def test_relays_auxiliaries_and_reboot(camera: ONVIFCamera, device: SimulatedDevice) -> None:
    """The device service switches relays and wipers, and reboots after it has answered."""
    rebooted = asyncio.Event()
    device.reboot = rebooted.set
    service = judged(await camera.create_devicemgmt_service())
    assert [relay.token for relay in await service.GetRelayOutputs()] == ["relay-1"]
    await service.SetRelayOutputState({"RelayOutputToken": "relay-1", "LogicalState": "active"})
    assert device.relays["relay-1"]
    await service.SendAuxiliaryCommand({"AuxiliaryCommand": "tt:Wiper|On"})
    await service.SendAuxiliaryCommand({"AuxiliaryCommand": "tt:IRLamp|On"})
    assert device.wiper
    assert device.infrared
    assert await service.SystemReboot()
    await asyncio.wait_for(rebooted.wait(), 40)


async def test_media_profiles_and_uris(camera: ONVIFCamera, device: SimulatedDevice) -> None:
    """Media 1 lists both profiles, their configurations and where to find their streams."""
    service = judged(await camera.create_media_service())
    main, sub = await service.GetProfiles()
    assert (main.token, sub.token) == ("profile-main", "profile-sub")
    assert main.VideoEncoderConfiguration.Resolution.Width == 1280
    assert main.PTZConfiguration.NodeToken == "ptz-node-1"
    assert (await service.GetProfile(PROFILE)).token == main.token
    setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    stream = await service.GetStreamUri({**PROFILE, "StreamSetup": setup})
    assert stream.Uri == "rtsp://127.0.0.1:8554/main"
    assert (await service.GetSnapshotUri(PROFILE)).Uri.endswith("/snapshot/profile-main")
    assert (await service.GetVideoSources())[0].Framerate == 12.5
    assert len(await service.GetAudioSources()) == 1
    assert await service.GetAudioOutputs() == []
    assert await service.GetOSDs() == []
    await service.SetSynchronizationPoint(PROFILE)
    feed = device.feeds[StreamName.MAIN]
    assert isinstance(feed, StillFeed)
    assert feed.keyframes == 1


async def test_media_configurations_can_be_set(camera: ONVIFCamera, device: SimulatedDevice) -> None:
    """An encoder takes the size, rate, bit rate and GOP that its options allow."""
    service = judged(await camera.create_media_service())
    options = await service.GetVideoEncoderConfigurationOptions(ENCODER)
    assert (1920, 1080) in [(size.Width, size.Height) for size in options.H264.ResolutionsAvailable]
    configuration = await service.GetVideoEncoderConfiguration(ENCODER)
    configuration.Resolution.Width, configuration.Resolution.Height = 1920, 1080
    configuration.RateControl.FrameRateLimit, configuration.RateControl.BitrateLimit = 25, 6000
    configuration.H264.GovLength = 50
    await service.SetVideoEncoderConfiguration({"Configuration": configuration, "ForcePersistence": True})
    stream = device.streams[StreamName.MAIN]
    assert (stream.width, stream.height, stream.frame_rate) == (1920, 1080, 25)
    assert (stream.bitrate_kbit, stream.gop_frames) == (6000, 50)


async def test_media_lists_every_configuration(camera: ONVIFCamera) -> None:
    """Every kind of configuration, and its options, is listed validly."""
    service = judged(await camera.create_media_service())
    source = {"ConfigurationToken": "source-configuration-1"}
    assert len(await service.GetVideoSourceConfigurations()) == 1
    assert (await service.GetVideoSourceConfiguration(source)).Bounds.width == 1920
    assert (await service.GetVideoSourceConfigurationOptions(source)).BoundsRange.WidthRange.Max == 1920
    assert len(await service.GetVideoEncoderConfigurations()) == 2
    assert len(await service.GetCompatibleVideoEncoderConfigurations(PROFILE)) == 1
    assert (await service.GetGuaranteedNumberOfVideoEncoderInstances(source)).TotalNumber == 2
    assert len(await service.GetAudioSourceConfigurations()) == 1
    assert (await service.GetAudioEncoderConfigurations())[0].Encoding == "G711"
    assert len((await service.GetAudioEncoderConfigurationOptions({})).Options) == 1
    assert len(await service.GetMetadataConfigurations()) == 1
    assert (await service.GetMetadataConfiguration({"ConfigurationToken": "metadata-1"})).PTZStatus.Position
    assert (await service.GetMetadataConfigurationOptions({})).PTZStatusFilterOptions.PanTiltStatusSupported
    assert (await service.GetServiceCapabilities()).SnapshotUri


async def test_media1_has_no_word_for_h265(monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera of H.265 streams shows Media 1 profiles without an encoder."""
    monkeypatch.setattr(DEFAULT_SETTINGS, "strict", True)
    device = a_device(SystemClock(), codec=VideoCodec.H265)
    async with onvif_server(device):
        client = ONVIFCamera(device.host, device.http_port, device.username, device.password, no_cache=True)
        await client.update_xaddrs()
        service = judged(await client.create_media_service())
        profiles = await service.GetProfiles()
        await client.close()
    assert [profile.VideoEncoderConfiguration for profile in profiles] == [None, None]


async def test_a_snapshot_is_fetched(camera: ONVIFCamera) -> None:
    """The library fetches a still with HTTP digest."""
    assert await camera.get_snapshot("profile-main") == JPEG


async def test_ptz_describes_its_head(camera: ONVIFCamera) -> None:
    """Nodes and configurations tell spaces, presets, tours and auxiliary commands."""
    service = judged(await camera.create_ptz_service())
    (node,) = await service.GetNodes()
    assert (await service.GetNode({"NodeToken": node.token})).HomeSupported
    assert FOV in [space.URI for space in node.SupportedPTZSpaces.RelativePanTiltTranslationSpace]
    degrees = [space for space in node.SupportedPTZSpaces.AbsolutePanTiltPositionSpace if "Degrees" in space.URI]
    assert (degrees[0].XRange.Min, degrees[0].XRange.Max) == (-170.0, 170.0)
    assert "tt:Wiper|On" in node.AuxiliaryCommands
    (configuration,) = await service.GetConfigurations()
    assert (await service.GetCompatibleConfigurations(PROFILE))[0].token == configuration.token
    options = await service.GetConfigurationOptions({"ConfigurationToken": configuration.token})
    assert options.PTZTimeout.Max == timedelta(seconds=60)
    configuration.DefaultPTZTimeout = timedelta(seconds=5)
    await service.SetConfiguration({"PTZConfiguration": configuration, "ForcePersistence": True})
    read = await service.GetConfiguration({"PTZConfigurationToken": configuration.token})
    assert read.DefaultPTZTimeout == timedelta(seconds=5)
    assert not (await service.GetServiceCapabilities()).EFlip


async def test_ptz_moves(camera: ONVIFCamera, device: SimulatedDevice) -> None:
    """Every kind of move is accepted and moves the head."""
    assert device.head is not None
    service = judged(await camera.create_ptz_service())
    velocity = {"PanTilt": {"x": 0.5, "y": -0.5}, "Zoom": {"x": 1.0}}
    await service.ContinuousMove({**PROFILE, "Velocity": velocity, "Timeout": timedelta(seconds=5)})
    status = await service.GetStatus(PROFILE)
    assert (status.MoveStatus.PanTilt, status.MoveStatus.Zoom) == ("MOVING", "MOVING")
    await service.Stop({**PROFILE, "PanTilt": True, "Zoom": True})
    await service.AbsoluteMove(
        {**PROFILE, "Position": {"PanTilt": {"x": 0.1, "y": 0.5}, "Zoom": {"x": 0.3}}, "Speed": {"Zoom": {"x": 1.0}}}
    )
    await service.RelativeMove({**PROFILE, "Translation": {"PanTilt": {"x": 0.1, "y": 0.1, "space": FOV}}})
    await service.SetHomePosition(PROFILE)
    await service.GotoHomePosition(PROFILE)
    assert await service.SendAuxiliaryCommand({**PROFILE, "AuxiliaryData": "tt:Wiper|On"}) == "tt:Wiper|On"
    assert [entry.name for entry in device.requests][-1] == "SendAuxiliaryCommand"
    moved = next(entry for entry in device.requests if entry.name == "ContinuousMove")
    assert float(moved.arguments["Velocity/PanTilt@x"]) == 0.5


async def test_ptz_presets_and_tours(camera: ONVIFCamera, device: SimulatedDevice) -> None:
    """Presets are stored, listed, recalled and removed; a tour over them runs."""
    service = judged(await camera.create_ptz_service())
    preset = await service.SetPreset({**PROFILE, "PresetName": "Gate & yard"})
    listed = await service.GetPresets(PROFILE)
    assert [(one.token, one.Name) for one in listed] == [(preset, "Gate & yard")]
    await service.GotoPreset({**PROFILE, "PresetToken": preset, "Speed": {"PanTilt": {"x": 1.0, "y": 1.0}}})
    tour = await service.CreatePresetTour(PROFILE)
    assert (await service.GetPresetTourOptions(PROFILE)).TourSpot.PresetDetail.PresetToken == [preset]
    spots = [{"PresetDetail": {"PresetToken": preset}, "StayTime": "PT1S"}, {"PresetDetail": {"Home": True}}]
    await service.ModifyPresetTour(
        {
            **PROFILE,
            "PresetTour": {
                "token": tour,
                "Name": "Round",
                "Status": {"State": "Idle"},
                "AutoStart": False,
                "StartingCondition": {"RecurringTime": 2, "Direction": "Forward"},
                "TourSpot": spots,
            },
        }
    )
    operate = {**PROFILE, "PresetTourToken": tour}
    await service.OperatePresetTour({**operate, "Operation": "Start"})
    running = await service.GetPresetTour(operate)
    assert (running.Name, running.Status.State, len(running.TourSpot)) == ("Round", "Touring", 2)
    await service.OperatePresetTour({**operate, "Operation": "Stop"})
    assert [one.Status.State for one in await service.GetPresetTours(PROFILE)] == ["Idle"]
    await service.RemovePresetTour(operate)
    await service.RemovePreset({**PROFILE, "PresetToken": preset})
    assert not device.presets
    assert not device.tours


async def test_imaging(camera: ONVIFCamera, device: SimulatedDevice) -> None:
    """Focus moves, autofocus and the day/night filter can be read and set."""
    service = judged(await camera.create_imaging_service())
    assert (await service.GetOptions(SOURCE)).IrCutFilterModes == ["ON", "OFF", "AUTO"]
    assert (await service.GetMoveOptions(SOURCE)).Continuous.Speed.Min == -1.0
    await service.Move({**SOURCE, "Focus": {"Absolute": {"Position": 0.9, "Speed": 1.0}}})
    assert (await service.GetStatus(SOURCE)).FocusStatus20.MoveStatus == "MOVING"
    assert (await service.GetImagingSettings(SOURCE)).Focus.AutoFocusMode == "MANUAL"
    await service.Stop(SOURCE)
    settings = {"IrCutFilter": "OFF", "Focus": {"AutoFocusMode": "AUTO"}, "Brightness": 60.0}
    await service.SetImagingSettings({**SOURCE, "ImagingSettings": settings})
    read = await service.GetImagingSettings(SOURCE)
    assert (read.IrCutFilter, read.Brightness) == ("OFF", 60.0)
    assert (device.night, device.autofocus) == (True, True)
    assert not (await service.GetServiceCapabilities()).ImageStabilization


async def test_deviceio(camera: ONVIFCamera, device: SimulatedDevice) -> None:
    """Relays, inputs and sources are listed, and a relay is switched and told as an event."""
    service = judged(await camera.create_deviceio_service())
    assert [relay.token for relay in await service.GetRelayOutputs()] == ["relay-1"]
    assert [one.token for one in await service.GetDigitalInputs()] == ["input-1"]
    assert [one.token for one in await service.GetVideoSources()] == ["video-source-1"]
    assert len(await service.GetAudioSources()) == 1
    assert await service.GetVideoOutputs() == []
    assert await service.GetSerialPorts() == []
    assert (await service.GetServiceCapabilities()).DigitalInputs == 1
    assert (await service.GetRelayOutputOptions({}))[0].Mode == ["Bistable"]
    properties = {"Mode": "Bistable", "DelayTime": timedelta(0), "IdleState": "open"}
    await service.SetRelayOutputSettings({"RelayOutput": {"token": "relay-1", "Properties": properties}})
    heard: list[str] = []
    device.listeners.append(lambda event: heard.append(event.topic))
    await service.SetRelayOutputState({"RelayOutputToken": "relay-1", "LogicalState": "active"})
    assert heard == [happenings.RELAY]


async def test_pullpoint(camera: ONVIFCamera, device: SimulatedDevice) -> None:
    """The library's PullPoint manager subscribes, hears the state, then a change, renews and unsubscribes."""
    events = judged(await camera.create_events_service())
    properties = await events.GetEventProperties()
    assert properties.FixedTopicSet
    assert (await events.GetServiceCapabilities()).WSPullPointSupport
    manager = await camera.create_pullpoint_manager(timedelta(seconds=60), lambda: None)
    service = judged(manager.get_service())
    first = await service.PullMessages({"Timeout": timedelta(seconds=1), "MessageLimit": 100})
    assert {message.Topic._value_1 for message in first.NotificationMessage} == {
        happenings.MOTION_ALARM,
        happenings.CELL_MOTION,
        happenings.TAMPER,
        happenings.DIGITAL_INPUT,
        happenings.RELAY,
    }
    pull = asyncio.create_task(service.PullMessages({"Timeout": timedelta(seconds=20), "MessageLimit": 1}))
    happenings.digital_input(device, "input-1", on=True)
    (message,) = (await pull).NotificationMessage
    content = message.Message._value_1
    assert (content.PropertyOperation, content.Data.SimpleItem[0].Value) == ("Changed", "true")
    await service.SetSynchronizationPoint()
    again = await service.PullMessages({"Timeout": timedelta(seconds=1), "MessageLimit": 100})
    assert len(again.NotificationMessage) == 5
    subscription = judged(await camera.create_subscription_service("PullPointSubscription"))
    renewed = await subscription.Renew({"TerminationTime": "PT120S"})
    assert timedelta(seconds=119) < renewed.TerminationTime - renewed.CurrentTime <= timedelta(seconds=120)
    await manager.shutdown()
