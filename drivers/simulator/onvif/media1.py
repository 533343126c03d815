"""Media 1 (ONVIF Media service specification, ver10): what older clients ask."""

from drivers.simulator.happenings import SOURCE
from drivers.simulator.onvif import media_parts as parts
from drivers.simulator.onvif.addresses import told_rtsp_url, told_url
from drivers.simulator.onvif.markup import Element, el
from drivers.simulator.onvif.soap import Fault, Request, Service, operation


class Media1Service(Service):
    """Fixed profiles, one to a stream, whose encoders can be set."""

    prefix = "trt"

    def _profile(self, token: str, name: str) -> Element:
        device = self.device
        stream = next(stream for stream in device.streams.values() if stream.token == token)
        return el(
            name,
            el("tt:Name", stream.name.value),
            parts.video_source(device, "tt:VideoSourceConfiguration"),
            parts.audio_source(device, "tt:AudioSourceConfiguration"),
            parts.video_encoder1(stream, "tt:VideoEncoderConfiguration"),
            parts.audio_encoder(device, "tt:AudioEncoderConfiguration", media2=False),
            parts.ptz(device, "tt:PTZConfiguration"),
            parts.metadata(device, "tt:MetadataConfiguration"),
            token=token,
            fixed=True,
        )

    @operation("GetProfiles")
    def get_profiles(self) -> list[Element]:
        """Return every profile."""
        return [self._profile(stream.token, "trt:Profiles") for stream in self.device.streams.values()]

    @operation("GetProfile")
    def get_profile(self, request: Request) -> Element:
        """Return one profile."""
        return self._profile(parts.stream_of_profile(request).token, "trt:Profile")

    @operation("CreateProfile")
    def create_profile(self) -> None:
        """Refuse: the profiles are fixed."""
        raise Fault("Action", "MaxNVTProfiles", reason="The profiles of this camera are fixed.", receiver=True)

    @operation("DeleteProfile")
    def delete_profile(self) -> None:
        """Refuse: the profiles are fixed."""
        raise Fault("Action", "DeletionOfFixedProfile", reason="The profiles of this camera are fixed.")

    @operation("GetVideoSources")
    def get_video_sources(self) -> Element:
        """Return the one sensor."""
        width, height = parts.sensor_size(self.device)
        rate = max((stream.frame_rate for stream in self.device.streams.values()), default=0.0)
        size = el("tt:Resolution", el("tt:Width", width), el("tt:Height", height))
        return el("trt:VideoSources", el("tt:Framerate", rate), size, token=SOURCE)

    @operation("GetAudioSources")
    def get_audio_sources(self) -> Element | None:
        """Return the microphone, if there is one."""
        if self.device.audio is None:
            return None
        return el("trt:AudioSources", el("tt:Channels", 1), token=parts.AUDIO_SOURCE)

    @operation("GetAudioOutputs")
    def get_audio_outputs(self, request: Request) -> None:
        """Return none: it has no loudspeaker."""

    @operation("GetVideoSourceConfigurations")
    def get_video_source_configurations(self) -> Element:
        """Return the one."""
        return parts.video_source(self.device, "trt:Configurations")

    @operation("GetVideoSourceConfiguration")
    def get_video_source_configuration(self, request: Request) -> Element:
        """Return the one."""
        parts.expect(request.need("ConfigurationToken"), parts.SOURCE_CONFIGURATION)
        return parts.video_source(self.device, "trt:Configuration")

    @operation("GetVideoSourceConfigurationOptions")
    def get_video_source_configuration_options(self, request: Request) -> Element:
        """Return that the whole sensor is used."""
        parts.expect(request.text("ConfigurationToken"), parts.SOURCE_CONFIGURATION)
        return parts.source_options(self.device, "trt:Options")

    @operation("GetVideoEncoderConfigurations")
    def get_video_encoder_configurations(self) -> list[Element]:
        """Return the encoders that Media 1 can describe."""
        found = [parts.video_encoder1(stream, "trt:Configurations") for stream in self.device.streams.values()]
        return [configuration for configuration in found if configuration]

    @operation("GetCompatibleVideoEncoderConfigurations")
    def get_compatible_video_encoder_configurations(self, request: Request) -> Element | None:
        """Return the one encoder that a fixed profile has."""
        return parts.video_encoder1(parts.stream_of_profile(request), "trt:Configurations")

    @operation("GetVideoEncoderConfiguration")
    def get_video_encoder_configuration(self, request: Request) -> Element | None:
        """Return one."""
        stream = parts.stream_of_encoder(request, request.need("ConfigurationToken"))
        return parts.video_encoder1(stream, "trt:Configuration")

    @operation("GetVideoEncoderConfigurationOptions")
    def get_video_encoder_configuration_options(self, request: Request) -> Element:
        """Return what an encoder can be set to."""
        token = request.text("ConfigurationToken")
        if token:
            parts.stream_of_encoder(request, token)
        if request.text("ProfileToken"):
            parts.stream_of_profile(request)
        sizes = [
            el("tt:ResolutionsAvailable", el("tt:Width", width), el("tt:Height", height))
            for width, height in parts.SIZES
        ]
        return el(
            "trt:Options",
            el("tt:QualityRange", el("tt:Min", 1), el("tt:Max", 10)),
            el(
                "tt:H264",
                sizes,
                _range("tt:GovLengthRange", *parts.GOP_RANGE),
                _range("tt:FrameRateRange", int(min(parts.FRAME_RATES)), int(max(parts.FRAME_RATES))),
                _range("tt:EncodingIntervalRange", 1, 1),
                el("tt:H264ProfilesSupported", "Main"),
            ),
            el(
                "tt:Extension",
                el(
                    "tt:H264",
                    sizes,
                    _range("tt:GovLengthRange", *parts.GOP_RANGE),
                    _range("tt:FrameRateRange", int(min(parts.FRAME_RATES)), int(max(parts.FRAME_RATES))),
                    _range("tt:EncodingIntervalRange", 1, 1),
                    el("tt:H264ProfilesSupported", "Main"),
                    _range("tt:BitrateRange", *parts.BITRATE_RANGE),
                ),
            ),
        )

    @operation("SetVideoEncoderConfiguration")
    def set_video_encoder_configuration(self, request: Request) -> None:
        """Set size, rate, bit rate and GOP."""
        parts.apply_encoder(request)

    @operation("GetGuaranteedNumberOfVideoEncoderInstances")
    def get_guaranteed_number(self, request: Request) -> list[Element]:
        """Return how many streams it can encode at once."""
        parts.expect(request.need("ConfigurationToken"), parts.SOURCE_CONFIGURATION)
        return [el("trt:TotalNumber", len(self.device.streams)), el("trt:H264", len(self.device.streams))]

    @operation("GetAudioSourceConfigurations")
    def get_audio_source_configurations(self) -> Element | None:
        """Return the one, if there is a microphone."""
        return parts.audio_source(self.device, "trt:Configurations")

    @operation("GetAudioEncoderConfigurations")
    def get_audio_encoder_configurations(self) -> Element | None:
        """Return the one, if there is a microphone."""
        return parts.audio_encoder(self.device, "trt:Configurations", media2=False)

    @operation("GetAudioEncoderConfigurationOptions")
    def get_audio_encoder_configuration_options(self) -> Element:
        """Return the one way in which sound is coded."""
        lists = [el("tt:BitrateList", el("tt:Items", 64)), el("tt:SampleRateList", el("tt:Items", 8))]
        only = el("tt:Options", el("tt:Encoding", "G711"), lists) if self.device.audio else None
        return el("trt:Options", only)

    @operation("GetMetadataConfigurations")
    def get_metadata_configurations(self) -> Element:
        """Return the one."""
        return parts.metadata(self.device, "trt:Configurations")

    @operation("GetMetadataConfiguration")
    def get_metadata_configuration(self, request: Request) -> Element:
        """Return the one."""
        parts.expect(request.need("ConfigurationToken"), parts.METADATA)
        return parts.metadata(self.device, "trt:Configuration")

    @operation("GetMetadataConfigurationOptions")
    def get_metadata_configuration_options(self) -> Element:
        """Return that PTZ status can be told."""
        return parts.metadata_options("trt:Options")

    @operation("GetStreamUri")
    def get_stream_uri(self, request: Request) -> Element:
        """Return where a profile's RTSP is."""
        stream = parts.stream_of_profile(request)
        if request.need("StreamSetup/Stream") == "RTP-Multicast":
            raise Fault("InvalidArgVal", "InvalidStreamSetup", reason="This camera does not multicast.")
        return _uri(told_rtsp_url(self.device, request.host, stream))

    @operation("GetSnapshotUri")
    def get_snapshot_uri(self, request: Request) -> Element:
        """Return where a profile's stills are."""
        stream = parts.stream_of_profile(request)
        return _uri(told_url(self.device, request.host, f"/snapshot/{stream.token}"))

    @operation("SetSynchronizationPoint")
    def set_synchronization_point(self, request: Request) -> None:
        """Make the next picture a keyframe."""
        parts.request_keyframe(request, parts.stream_of_profile(request).name)

    @operation("GetOSDs")
    def get_osds(self, request: Request) -> None:
        """Return none: nothing is written into the picture but its strip."""


def _range(name: str, low: int, high: int) -> Element:
    return el(name, el("tt:Min", low), el("tt:Max", high))


def _uri(uri: str) -> Element:
    return el(
        "trt:MediaUri",
        el("tt:Uri", uri),
        el("tt:InvalidAfterConnect", False),
        el("tt:InvalidAfterReboot", False),
        el("tt:Timeout", "PT0S"),
    )
