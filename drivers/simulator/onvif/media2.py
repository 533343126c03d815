"""Media 2 (ONVIF Media2 service specification, ver20): profiles as sets of configurations, and H.265."""

from drivers.simulator.device import StreamSettings
from drivers.simulator.onvif import media_parts as parts
from drivers.simulator.onvif.addresses import told_rtsp_url, told_url
from drivers.simulator.onvif.markup import Element, el, find_all
from drivers.simulator.onvif.soap import Fault, Request, Service, operation

_PROTOCOLS = {"RtspUnicast", "RTSP", "RtspOverHttp"}


class Media2Service(Service):
    """The same fixed profiles, one to a stream."""

    prefix = "tr2"

    def _profile(self, stream: StreamSettings, kinds: set[str]) -> Element:
        device = self.device
        available = {
            "VideoSource": parts.video_source(device, "tr2:VideoSource"),
            "AudioSource": parts.audio_source(device, "tr2:AudioSource"),
            "VideoEncoder": parts.video_encoder2(stream, "tr2:VideoEncoder"),
            "AudioEncoder": parts.audio_encoder(device, "tr2:AudioEncoder", media2=True),
            "PTZ": parts.ptz(device, "tr2:PTZ"),
            "Metadata": parts.metadata(device, "tr2:Metadata"),
        }
        asked = [part for kind, part in available.items() if part and ("All" in kinds or kind in kinds)]
        name = el("tr2:Name", stream.name.value)
        return el(
            "tr2:Profiles", name, el("tr2:Configurations", asked) if asked else None, token=stream.token, fixed=True
        )

    @operation("GetProfiles")
    def get_profiles(self, request: Request) -> list[Element]:
        """Return profiles with the configurations of the kinds asked for; with none where none is."""
        kinds = {(kind.text or "").strip() for kind in find_all(request.body, "Type")}
        asked = [parts.stream_of_profile(request, "Token")] if request.text("Token") else self.device.streams.values()
        return [self._profile(stream, kinds) for stream in asked]

    @operation("CreateProfile")
    def create_profile(self) -> None:
        """Refuse: the profiles are fixed."""
        raise Fault("Action", "MaxNVTProfiles", reason="The profiles of this camera are fixed.", receiver=True)

    @operation("DeleteProfile")
    def delete_profile(self) -> None:
        """Refuse: the profiles are fixed."""
        raise Fault("Action", "DeletionOfFixedProfile", reason="The profiles of this camera are fixed.")

    def _streams(self, request: Request) -> list[StreamSettings]:
        """Return the streams that ConfigurationToken and ProfileToken, both optional, leave."""
        token = request.text("ConfigurationToken")
        if token:
            return [parts.stream_of_encoder(request, token)]
        if request.text("ProfileToken"):
            return [parts.stream_of_profile(request)]
        return list(self.device.streams.values())

    @operation("GetVideoEncoderConfigurations")
    def get_video_encoder_configurations(self, request: Request) -> list[Element]:
        """Return the encoders."""
        return [parts.video_encoder2(stream, "tr2:Configurations") for stream in self._streams(request)]

    @operation("GetVideoEncoderConfigurationOptions")
    def get_video_encoder_configuration_options(self, request: Request) -> list[Element]:
        """Return what the encoders can be set to, once for each coding."""
        codecs = dict.fromkeys(stream.codec for stream in self._streams(request))
        return [
            el(
                "tr2:Options",
                el("tt:Encoding", parts.ENCODINGS[codec]),
                el("tt:QualityRange", el("tt:Min", 1), el("tt:Max", 10)),
                [
                    el("tt:ResolutionsAvailable", el("tt:Width", width), el("tt:Height", height))
                    for width, height in parts.SIZES
                ],
                el("tt:BitrateRange", el("tt:Min", parts.BITRATE_RANGE[0]), el("tt:Max", parts.BITRATE_RANGE[1])),
                GovLengthRange=" ".join(map(str, parts.GOP_RANGE)),
                FrameRatesSupported=" ".join(map(str, parts.FRAME_RATES)),
                ProfilesSupported="Main",
                ConstantBitRateSupported=False,
            )
            for codec in codecs
        ]

    @operation("SetVideoEncoderConfiguration")
    def set_video_encoder_configuration(self, request: Request) -> None:
        """Set size, rate, bit rate and GOP."""
        parts.apply_encoder(request)

    @operation("GetVideoEncoderInstances")
    def get_video_encoder_instances(self, request: Request) -> Element:
        """Return how many streams it can encode at once."""
        parts.expect(request.need("ConfigurationToken"), parts.SOURCE_CONFIGURATION)
        codecs = [parts.ENCODINGS[stream.codec] for stream in self.device.streams.values()]
        counted = [
            el("tr2:Codec", el("tr2:Encoding", codec), el("tr2:Number", codecs.count(codec)))
            for codec in dict.fromkeys(codecs)
        ]
        return el("tr2:Info", counted, el("tr2:Total", len(codecs)))

    @operation("GetVideoSourceConfigurations")
    def get_video_source_configurations(self, request: Request) -> Element:
        """Return the one."""
        parts.expect(request.text("ConfigurationToken"), parts.SOURCE_CONFIGURATION)
        return parts.video_source(self.device, "tr2:Configurations")

    @operation("GetVideoSourceConfigurationOptions")
    def get_video_source_configuration_options(self) -> Element:
        """Return that the whole sensor is used."""
        return parts.source_options(self.device, "tr2:Options")

    @operation("GetVideoSourceModes")
    def get_video_source_modes(self) -> Element:
        """Return the one mode of the sensor."""
        width, height = parts.sensor_size(self.device)
        return el(
            "tr2:VideoSourceModes",
            el("tr2:MaxFramerate", max(parts.FRAME_RATES)),
            el("tr2:MaxResolution", el("tt:Width", width), el("tt:Height", height)),
            el("tr2:Encodings", " ".join(parts.ENCODINGS.values())),
            el("tr2:Reboot", False),
            token="mode-1",  # noqa: S106 - an ONVIF reference token
            Enabled=True,
        )

    @operation("GetAudioSourceConfigurations")
    def get_audio_source_configurations(self) -> Element | None:
        """Return the one, if there is a microphone."""
        return parts.audio_source(self.device, "tr2:Configurations")

    @operation("GetAudioEncoderConfigurations")
    def get_audio_encoder_configurations(self) -> Element | None:
        """Return the one, if there is a microphone."""
        return parts.audio_encoder(self.device, "tr2:Configurations", media2=True)

    @operation("GetAudioEncoderConfigurationOptions")
    def get_audio_encoder_configuration_options(self) -> Element | None:
        """Return the one way in which sound is coded."""
        if self.device.audio is None:
            return None
        lists = [el("tt:BitrateList", el("tt:Items", 64)), el("tt:SampleRateList", el("tt:Items", 8))]
        return el("tr2:Options", el("tt:Encoding", self.device.audio.value.upper()), lists)

    @operation("GetMetadataConfigurations")
    def get_metadata_configurations(self) -> Element:
        """Return the one."""
        return parts.metadata(self.device, "tr2:Configurations")

    @operation("GetMetadataConfigurationOptions")
    def get_metadata_configuration_options(self) -> Element:
        """Return that PTZ status can be told."""
        return parts.metadata_options("tr2:Options")

    @operation("GetAnalyticsConfigurations")
    def get_analytics_configurations(self, request: Request) -> None:
        """Return none."""

    @operation("GetStreamUri")
    def get_stream_uri(self, request: Request) -> Element:
        """Return where a profile's RTSP is."""
        stream = parts.stream_of_profile(request)
        protocol = request.need("Protocol")
        if protocol not in _PROTOCOLS:
            raise Fault("InvalidArgVal", "InvalidStreamSetup", reason=f"This camera does not stream by {protocol}.")
        return el("tr2:Uri", told_rtsp_url(self.device, request.host, stream))

    @operation("GetSnapshotUri")
    def get_snapshot_uri(self, request: Request) -> Element:
        """Return where a profile's stills are."""
        stream = parts.stream_of_profile(request)
        return el("tr2:Uri", told_url(self.device, request.host, f"/snapshot/{stream.token}"))

    @operation("SetSynchronizationPoint")
    def set_synchronization_point(self, request: Request) -> None:
        """Make the next picture a keyframe."""
        parts.request_keyframe(request, parts.stream_of_profile(request).name)

    @operation("GetOSDs")
    def get_osds(self, request: Request) -> None:
        """Return none: nothing is written into the picture but its strip."""

    @operation("GetMasks")
    def get_masks(self, request: Request) -> None:
        """Return none: nothing is hidden."""
