"""Media 2 of the simulated camera, judged by zeep's strict parsing through onvif-zeep-async.

That library ships no description of Media 2, so the types of its answers stand here, written from the ONVIF
Media2 service specification (sections 5.2 to 5.6) on top of the library's onvif.xsd.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import onvif
import pytest
import pytest_asyncio
from onvif import ONVIFService
from onvif.settings import DEFAULT_SETTINGS

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.onvif import onvif_server
from kernel.clock import SystemClock
from kernel.ids import StreamName
from kernel.media import VideoCodec
from tests.unit.simulator_onvif.stand import StillFeed, a_device

NAMESPACE = "http://www.onvif.org/ver20/media/wsdl"
TT = "http://www.onvif.org/ver10/schema"
PROFILE = {"ProfileToken": "profile-main"}
SOURCE = {"ConfigurationToken": "source-configuration-1"}

TYPES = f"""
<xs:schema targetNamespace="{TT}" elementFormDefault="qualified">
  <xs:include schemaLocation="{Path(onvif.__file__).parent / "wsdl" / "onvif.xsd"}"/>
  <xs:complexType name="VideoRateControl2">
    <xs:sequence>
      <xs:element name="FrameRateLimit" type="xs:float"/>
      <xs:element name="BitrateLimit" type="xs:int"/>
    </xs:sequence>
    <xs:attribute name="ConstantBitRate" type="xs:boolean"/>
  </xs:complexType>
  <xs:complexType name="VideoEncoder2Configuration"><xs:complexContent><xs:extension base="tt:ConfigurationEntity">
    <xs:sequence>
      <xs:element name="Encoding" type="xs:string"/>
      <xs:element name="Resolution" type="tt:VideoResolution"/>
      <xs:element name="RateControl" type="tt:VideoRateControl2" minOccurs="0"/>
      <xs:element name="Multicast" type="tt:MulticastConfiguration" minOccurs="0"/>
      <xs:element name="Quality" type="xs:float"/>
    </xs:sequence>
    <xs:attribute name="GovLength" type="xs:int"/>
    <xs:attribute name="Profile" type="xs:string"/>
  </xs:extension></xs:complexContent></xs:complexType>
  <xs:complexType name="VideoEncoder2ConfigurationOptions">
    <xs:sequence>
      <xs:element name="Encoding" type="xs:string"/>
      <xs:element name="QualityRange" type="tt:FloatRange"/>
      <xs:element name="ResolutionsAvailable" type="tt:VideoResolution" maxOccurs="unbounded"/>
      <xs:element name="BitrateRange" type="tt:IntRange"/>
    </xs:sequence>
    <xs:attribute name="GovLengthRange" type="xs:string"/>
    <xs:attribute name="FrameRatesSupported" type="xs:string"/>
    <xs:attribute name="ProfilesSupported" type="xs:string"/>
    <xs:attribute name="ConstantBitRateSupported" type="xs:boolean"/>
  </xs:complexType>
  <xs:complexType name="AudioEncoder2Configuration"><xs:complexContent><xs:extension base="tt:ConfigurationEntity">
    <xs:sequence>
      <xs:element name="Encoding" type="xs:string"/>
      <xs:element name="Multicast" type="tt:MulticastConfiguration" minOccurs="0"/>
      <xs:element name="Bitrate" type="xs:int"/>
      <xs:element name="SampleRate" type="xs:int"/>
    </xs:sequence>
  </xs:extension></xs:complexContent></xs:complexType>
</xs:schema>
"""
OWN_TYPES = """
<xs:complexType name="ConfigurationSet"><xs:sequence>
  <xs:element name="VideoSource" type="tt:VideoSourceConfiguration" minOccurs="0"/>
  <xs:element name="AudioSource" type="tt:AudioSourceConfiguration" minOccurs="0"/>
  <xs:element name="VideoEncoder" type="tt:VideoEncoder2Configuration" minOccurs="0"/>
  <xs:element name="AudioEncoder" type="tt:AudioEncoder2Configuration" minOccurs="0"/>
  <xs:element name="PTZ" type="tt:PTZConfiguration" minOccurs="0"/>
  <xs:element name="Metadata" type="tt:MetadataConfiguration" minOccurs="0"/>
</xs:sequence></xs:complexType>
<xs:complexType name="MediaProfile">
  <xs:sequence>
    <xs:element name="Name" type="tt:Name"/>
    <xs:element name="Configurations" type="tr2:ConfigurationSet" minOccurs="0"/>
  </xs:sequence>
  <xs:attribute name="token" type="tt:ReferenceToken" use="required"/><xs:attribute name="fixed" type="xs:boolean"/>
</xs:complexType>
<xs:complexType name="EncoderInstance"><xs:sequence>
  <xs:element name="Encoding" type="xs:string"/><xs:element name="Number" type="xs:int"/>
</xs:sequence></xs:complexType>
<xs:complexType name="EncoderInstanceInfo"><xs:sequence>
  <xs:element name="Codec" type="tr2:EncoderInstance" minOccurs="0" maxOccurs="unbounded"/>
  <xs:element name="Total" type="xs:int"/>
</xs:sequence></xs:complexType>
<xs:complexType name="VideoSourceMode">
  <xs:sequence>
    <xs:element name="MaxFramerate" type="xs:float"/>
    <xs:element name="MaxResolution" type="tt:VideoResolution"/>
    <xs:element name="Encodings" type="xs:string"/>
    <xs:element name="Reboot" type="xs:boolean"/>
  </xs:sequence>
  <xs:attribute name="token" type="tt:ReferenceToken" use="required"/><xs:attribute name="Enabled" type="xs:boolean"/>
</xs:complexType>
<xs:complexType name="ProfileCapabilities">
  <xs:attribute name="MaximumNumberOfProfiles" type="xs:int"/>
  <xs:attribute name="ConfigurationsSupported" type="xs:string"/>
</xs:complexType>
<xs:complexType name="StreamingCapabilities">
  <xs:attribute name="RTSPStreaming" type="xs:boolean"/><xs:attribute name="RTPMulticast" type="xs:boolean"/>
  <xs:attribute name="RTP_RTSP_TCP" type="xs:boolean"/>
</xs:complexType>
<xs:complexType name="Capabilities2">
  <xs:sequence>
    <xs:element name="ProfileCapabilities" type="tr2:ProfileCapabilities"/>
    <xs:element name="StreamingCapabilities" type="tr2:StreamingCapabilities"/>
  </xs:sequence>
  <xs:attribute name="SnapshotUri" type="xs:boolean"/><xs:attribute name="Rotation" type="xs:boolean"/>
  <xs:attribute name="VideoSourceMode" type="xs:boolean"/><xs:attribute name="OSD" type="xs:boolean"/>
</xs:complexType>
"""
BY_CONFIGURATION = "ConfigurationToken:tt:ReferenceToken? ProfileToken:tt:ReferenceToken?"
OPERATIONS = {
    "GetServiceCapabilities": ("", "Capabilities:tr2:Capabilities2"),
    "GetProfiles": ("Token:tt:ReferenceToken? Type:xs:string*", "Profiles:tr2:MediaProfile*"),
    "GetVideoEncoderConfigurations": (BY_CONFIGURATION, "Configurations:tt:VideoEncoder2Configuration*"),
    "GetVideoEncoderConfigurationOptions": (BY_CONFIGURATION, "Options:tt:VideoEncoder2ConfigurationOptions*"),
    "SetVideoEncoderConfiguration": ("Configuration:tt:VideoEncoder2Configuration", ""),
    "GetVideoEncoderInstances": ("ConfigurationToken:tt:ReferenceToken", "Info:tr2:EncoderInstanceInfo"),
    "GetVideoSourceConfigurations": (BY_CONFIGURATION, "Configurations:tt:VideoSourceConfiguration*"),
    "GetVideoSourceConfigurationOptions": (BY_CONFIGURATION, "Options:tt:VideoSourceConfigurationOptions"),
    "GetVideoSourceModes": ("VideoSourceToken:tt:ReferenceToken", "VideoSourceModes:tr2:VideoSourceMode*"),
    "GetAudioSourceConfigurations": (BY_CONFIGURATION, "Configurations:tt:AudioSourceConfiguration*"),
    "GetAudioEncoderConfigurations": (BY_CONFIGURATION, "Configurations:tt:AudioEncoder2Configuration*"),
    "GetAudioEncoderConfigurationOptions": (BY_CONFIGURATION, "Options:tt:AudioEncoderConfigurationOption*"),
    "GetMetadataConfigurations": (BY_CONFIGURATION, "Configurations:tt:MetadataConfiguration*"),
    "GetMetadataConfigurationOptions": (BY_CONFIGURATION, "Options:tt:MetadataConfigurationOptions"),
    "GetAnalyticsConfigurations": (BY_CONFIGURATION, "Configurations:tt:VideoAnalyticsConfiguration*"),
    "GetStreamUri": ("Protocol:xs:string ProfileToken:tt:ReferenceToken", "Uri:xs:anyURI"),
    "GetSnapshotUri": ("ProfileToken:tt:ReferenceToken", "Uri:xs:anyURI"),
    "SetSynchronizationPoint": ("ProfileToken:tt:ReferenceToken", ""),
    "GetOSDs": ("OSDToken:tt:ReferenceToken? ConfigurationToken:tt:ReferenceToken?", "OSDs:tt:OSDConfiguration*"),
    "GetMasks": ("Token:tt:ReferenceToken? ConfigurationToken:tt:ReferenceToken?", "Masks:xs:string*"),
}
"""Operation -> what goes in and what comes out, as ``name:type`` with ``?`` for optional and ``*`` for any number."""


def element(name: str, parts: str) -> str:
    """Return the schema of a message."""
    inner = ""
    for part in parts.split():
        child, _, kind = part.partition(":")
        times = {"?": 'minOccurs="0"', "*": 'minOccurs="0" maxOccurs="unbounded"'}.get(kind[-1], "")
        inner += f'<xs:element name="{child}" type="{kind.rstrip("?*")}" {times}/>'
    return f'<xs:element name="{name}"><xs:complexType><xs:sequence>{inner}</xs:sequence></xs:complexType></xs:element>'


def description() -> str:
    """Return the WSDL."""
    elements = messages = ports = bindings = ""
    for name, (asked, answered) in OPERATIONS.items():
        elements += element(name, asked) + element(f"{name}Response", answered)
        for message, content in ((f"{name}Request", name), (f"{name}Response", f"{name}Response")):
            part = f'<wsdl:part name="parameters" element="tr2:{content}"/>'
            messages += f'<wsdl:message name="{message}">{part}</wsdl:message>'
        way = f'<wsdl:input message="tr2:{name}Request"/><wsdl:output message="tr2:{name}Response"/>'
        ports += f'<wsdl:operation name="{name}">{way}</wsdl:operation>'
        literal = '<soap:body use="literal"/>'
        bindings += (
            f'<wsdl:operation name="{name}"><soap:operation soapAction="{NAMESPACE}/{name}"/>'
            f"<wsdl:input>{literal}</wsdl:input><wsdl:output>{literal}</wsdl:output></wsdl:operation>"
        )
    transport = '<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
    return (
        '<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" '
        'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:tt="{TT}" xmlns:tr2="{NAMESPACE}" targetNamespace="{NAMESPACE}"><wsdl:types>{TYPES}'
        f'<xs:schema targetNamespace="{NAMESPACE}" elementFormDefault="qualified"><xs:import namespace="{TT}"/>'
        f"{OWN_TYPES}{elements}</xs:schema></wsdl:types>{messages}"
        f'<wsdl:portType name="Media2">{ports}</wsdl:portType>'
        f'<wsdl:binding name="Media2Binding" type="tr2:Media2">{transport}{bindings}</wsdl:binding></wsdl:definitions>'
    )


@pytest.fixture(params=[VideoCodec.H264, VideoCodec.H265])
def device(request: pytest.FixtureRequest) -> SimulatedDevice:
    """Return a camera of either coding."""
    return a_device(SystemClock(), codec=request.param)


@pytest_asyncio.fixture
async def media2(
    device: SimulatedDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ONVIFService]:
    """Return the library's client of its Media 2 service, strict."""
    monkeypatch.setattr(DEFAULT_SETTINGS, "strict", True)
    wsdl = tmp_path / "media2.wsdl"
    await asyncio.to_thread(wsdl.write_text, description())
    async with onvif_server(device):
        service = ONVIFService(
            f"http://{device.host}:{device.http_port}/onvif/media2_service",
            device.username,
            device.password,
            str(wsdl),
            no_cache=True,
            binding_name=f"{{{NAMESPACE}}}Media2Binding",
        )
        await service.setup()
        try:
            yield service
        finally:
            await service.close()


async def test_profiles_hold_their_configurations(media2: ONVIFService, device: SimulatedDevice) -> None:
    """Whole profiles carry source, encoder, sound, head and metadata; bare ones only their names."""
    main, sub = await media2.GetProfiles({"Type": ["All"]})
    assert (main.token, sub.token, main.fixed) == ("profile-main", "profile-sub", True)
    encoder = main.Configurations.VideoEncoder
    assert encoder.Encoding == device.streams[StreamName.MAIN].codec.value.upper()
    assert (encoder.Resolution.Width, encoder.RateControl.FrameRateLimit, encoder.GovLength) == (1280, 12.5, 25)
    assert main.Configurations.PTZ.NodeToken == "ptz-node-1"
    assert main.Configurations.AudioEncoder.Encoding == "PCMU"
    assert main.Configurations.Metadata.PTZStatus.Position
    assert [profile.Configurations for profile in await media2.GetProfiles()] == [None, None]


async def test_encoders_can_be_read_and_set(media2: ONVIFService, device: SimulatedDevice) -> None:
    """What is read can be changed within the options and written back."""
    (configuration,) = await media2.GetVideoEncoderConfigurations({"ConfigurationToken": "encoder-main"})
    (options,) = await media2.GetVideoEncoderConfigurationOptions({"ConfigurationToken": "encoder-main"})
    size = options.ResolutionsAvailable[0]
    configuration.Resolution, configuration.GovLength = size, 100
    configuration.RateControl.FrameRateLimit = 25.0
    await media2.SetVideoEncoderConfiguration({"Configuration": configuration})
    stream = device.streams[StreamName.MAIN]
    assert (stream.width, stream.height, stream.frame_rate, stream.gop_frames) == (size.Width, size.Height, 25.0, 100)
    assert (await media2.GetVideoEncoderInstances(SOURCE)).Total == 2


async def test_every_configuration_is_listed(media2: ONVIFService) -> None:
    """Sources, sound, metadata, modes, and empty lists of what it has not."""
    assert (await media2.GetVideoSourceConfigurations())[0].SourceToken == "video-source-1"
    assert (await media2.GetVideoSourceConfigurationOptions(SOURCE)).BoundsRange.WidthRange.Max == 1920
    assert (await media2.GetVideoSourceModes({"VideoSourceToken": "video-source-1"}))[0].MaxFramerate == 25.0
    assert len(await media2.GetAudioSourceConfigurations()) == 1
    assert (await media2.GetAudioEncoderConfigurations())[0].Bitrate == 64
    assert len(await media2.GetMetadataConfigurations()) == 1
    assert (await media2.GetMetadataConfigurationOptions()).PTZStatusFilterOptions.ZoomStatusSupported
    for nothing in ("GetAnalyticsConfigurations", "GetOSDs", "GetMasks"):
        assert await getattr(media2, nothing)() == []
    capabilities = await media2.GetServiceCapabilities()
    assert capabilities.StreamingCapabilities.RTSPStreaming
    assert "PTZ" in capabilities.ProfileCapabilities.ConfigurationsSupported.split()


async def test_streams_and_snapshots_have_addresses(media2: ONVIFService, device: SimulatedDevice) -> None:
    """A profile tells where its RTSP and its stills are, and gives a keyframe when asked."""
    assert await media2.GetStreamUri({**PROFILE, "Protocol": "RTSP"}) == "rtsp://127.0.0.1:8554/main"
    assert (await media2.GetSnapshotUri(PROFILE)).endswith("/snapshot/profile-main")
    await media2.SetSynchronizationPoint(PROFILE)
    feed = device.feeds[StreamName.MAIN]
    assert isinstance(feed, StillFeed)
    assert feed.keyframes == 1
