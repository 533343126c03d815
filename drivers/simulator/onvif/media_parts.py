"""The configurations that a media profile is made of, as Media 1 and Media 2 both write them (onvif.xsd)."""

from drivers.simulator.device import SimulatedDevice, StreamSettings
from drivers.simulator.happenings import SOURCE
from drivers.simulator.onvif.markup import Element, el
from drivers.simulator.onvif.ptz_nodes import configuration as ptz_configuration
from drivers.simulator.onvif.soap import Fault, Request, invalid
from kernel.ids import StreamName
from kernel.media import VideoCodec

SOURCE_CONFIGURATION = "source-configuration-1"
AUDIO_SOURCE = "audio-source-1"
AUDIO_SOURCE_CONFIGURATION = "audio-source-configuration-1"
AUDIO_ENCODER = "audio-encoder-1"
METADATA = "metadata-1"
SIZES = ((1920, 1080), (1280, 720), (640, 360), (320, 180))
FRAME_RATES = (25, 15, 12.5, 10, 5, 1)
GOP_RANGE = (1, 250)
BITRATE_RANGE = (64, 16_000)
QUALITY = 5
ENCODINGS = {VideoCodec.H264: "H264", VideoCodec.H265: "H265"}
_SESSION_TIMEOUT = el("tt:SessionTimeout", "PT60S")


def encoder_token(stream: StreamSettings) -> str:
    """Return the token of a stream's encoder configuration."""
    return f"encoder-{stream.name.value}"


def stream_of_profile(request: Request, path: str = "ProfileToken") -> StreamSettings:
    """Return the stream whose profile is meant.

    Raises:
        Fault: there is no such profile.
    """
    token = request.need(path)
    for stream in request.device.streams.values():
        if stream.token == token:
            return stream
    raise invalid(f"There is no profile {token}.", "NoProfile")


def stream_of_encoder(request: Request, token: str) -> StreamSettings:
    """Return the stream whose encoder configuration is meant.

    Raises:
        Fault: there is no such configuration.
    """
    for stream in request.device.streams.values():
        if encoder_token(stream) == token:
            return stream
    raise invalid(f"There is no configuration {token}.", "NoConfig")


def expect(token: str, *known: str) -> None:
    """Check a configuration token.

    Raises:
        Fault: it is none of ``known``.
    """
    if token and token not in known:
        raise invalid(f"There is no configuration {token}.", "NoConfig")


def multicast() -> Element:
    """Return the multicast setting that onvif.xsd insists on: none."""
    address = el("tt:Address", el("tt:Type", "IPv4"), el("tt:IPv4Address", "0.0.0.0"))  # noqa: S104 - told, not bound
    return el("tt:Multicast", address, el("tt:Port", 0), el("tt:TTL", 0), el("tt:AutoStart", False))


def sensor_size(device: SimulatedDevice) -> tuple[int, int]:
    """Return the pixels of the sensor: all of what the options allow, more if a stream has more."""
    return max(SIZES[0], *((stream.width, stream.height) for stream in device.streams.values()))


def video_source(device: SimulatedDevice, name: str) -> Element:
    """Return the VideoSourceConfiguration."""
    width, height = sensor_size(device)
    return el(
        name,
        el("tt:Name", "Sensor"),
        el("tt:UseCount", len(device.streams)),
        el("tt:SourceToken", SOURCE),
        el("tt:Bounds", x=0, y=0, width=width, height=height),
        token=SOURCE_CONFIGURATION,
    )


def audio_source(device: SimulatedDevice, name: str) -> Element | None:
    """Return the AudioSourceConfiguration of a camera with a microphone."""
    if device.audio is None:
        return None
    return el(
        name,
        el("tt:Name", "Microphone"),
        el("tt:UseCount", len(device.streams)),
        el("tt:SourceToken", AUDIO_SOURCE),
        token=AUDIO_SOURCE_CONFIGURATION,
    )


def metadata(device: SimulatedDevice, name: str) -> Element:
    """Return the MetadataConfiguration: PTZ status and events."""
    return el(
        name,
        el("tt:Name", "Metadata"),
        el("tt:UseCount", len(device.streams)),
        el("tt:PTZStatus", el("tt:Status", True), el("tt:Position", True)),
        el("tt:Events"),
        el("tt:Analytics", False),
        multicast(),
        _SESSION_TIMEOUT,
        token=METADATA,
    )


def metadata_options(name: str) -> Element:
    """Return the MetadataConfigurationOptions."""
    supported = ("PanTiltStatusSupported", "ZoomStatusSupported", "PanTiltPositionSupported", "ZoomPositionSupported")
    return el(name, el("tt:PTZStatusFilterOptions", [el(f"tt:{flag}", True) for flag in supported]))


def source_options(device: SimulatedDevice, name: str) -> Element:
    """Return the VideoSourceConfigurationOptions: the whole sensor and nothing else."""
    width, height = sensor_size(device)
    fixed = {"XRange": 0, "YRange": 0, "WidthRange": width, "HeightRange": height}
    bounds = [el(f"tt:{part}", el("tt:Min", value), el("tt:Max", value)) for part, value in fixed.items()]
    return el(name, el("tt:BoundsRange", bounds), el("tt:VideoSourceTokensAvailable", SOURCE))


def audio_encoder(device: SimulatedDevice, name: str, *, media2: bool) -> Element | None:
    """Return the AudioEncoderConfiguration: G.711, whose name differs between the two services."""
    if device.audio is None:
        return None
    encoding = el("tt:Encoding", device.audio.value.upper() if media2 else "G711")
    rates = [el("tt:Bitrate", 64), el("tt:SampleRate", 8)]
    head = [el("tt:Name", "Sound"), el("tt:UseCount", len(device.streams)), encoding]
    if media2:
        return el(name, head, multicast(), rates, token=AUDIO_ENCODER)
    return el(name, head, rates, multicast(), _SESSION_TIMEOUT, token=AUDIO_ENCODER)


def video_encoder1(stream: StreamSettings, name: str) -> Element | None:
    """Return the VideoEncoderConfiguration of Media 1, which has no word for H.265."""
    if stream.codec is not VideoCodec.H264:
        return None
    return el(
        name,
        el("tt:Name", stream.name.value),
        el("tt:UseCount", 1),
        el("tt:Encoding", "H264"),
        el("tt:Resolution", el("tt:Width", stream.width), el("tt:Height", stream.height)),
        el("tt:Quality", QUALITY),
        el(
            "tt:RateControl",
            # An integer here; Media 2 alone can say 12.5.
            el("tt:FrameRateLimit", round(stream.frame_rate)),
            el("tt:EncodingInterval", 1),
            el("tt:BitrateLimit", stream.bitrate_kbit),
        ),
        el("tt:H264", el("tt:GovLength", stream.gop_frames), el("tt:H264Profile", "Main")),
        multicast(),
        _SESSION_TIMEOUT,
        token=encoder_token(stream),
    )


def video_encoder2(stream: StreamSettings, name: str) -> Element:
    """Return the VideoEncoder2Configuration of Media 2."""
    return el(
        name,
        el("tt:Name", stream.name.value),
        el("tt:UseCount", 1),
        el("tt:Encoding", ENCODINGS[stream.codec]),
        el("tt:Resolution", el("tt:Width", stream.width), el("tt:Height", stream.height)),
        el(
            "tt:RateControl",
            el("tt:FrameRateLimit", stream.frame_rate),
            el("tt:BitrateLimit", stream.bitrate_kbit),
            ConstantBitRate=False,
        ),
        multicast(),
        el("tt:Quality", QUALITY),
        token=encoder_token(stream),
        GovLength=stream.gop_frames,
        Profile="Main",
    )


def ptz(device: SimulatedDevice, name: str) -> Element | None:
    """Return the PTZConfiguration of a camera with a head."""
    return ptz_configuration(device, name) if device.head else None


def apply_encoder(request: Request) -> None:
    """Do SetVideoEncoderConfiguration of either service; the feed follows.

    Raises:
        Fault: a value is outside the options, or the coding would change.
    """
    configuration = request.find("Configuration")
    token = "" if configuration is None else configuration.get("token", "")
    stream = stream_of_encoder(request, token)
    old_rate = stream.frame_rate
    encoding = request.text("Configuration/Encoding", ENCODINGS[stream.codec])
    size = (
        int(request.number("Configuration/Resolution/Width", stream.width)),
        int(request.number("Configuration/Resolution/Height", stream.height)),
    )
    rate = request.number("Configuration/RateControl/FrameRateLimit", old_rate)
    bitrate = int(request.number("Configuration/RateControl/BitrateLimit", stream.bitrate_kbit))
    attribute = "" if configuration is None else configuration.get("GovLength", "")
    gop = (
        int(attribute)
        if attribute.isdecimal()
        else int(request.number("Configuration/H264/GovLength", stream.gop_frames))
    )
    allowed = {*SIZES, (stream.width, stream.height)}
    # Media 1 speaks of whole frames: what rounds to the present rate is the present rate.
    rate = old_rate if rate == round(old_rate) else rate
    ranges = (
        size in allowed,
        0 < rate <= max(*FRAME_RATES, old_rate),
        BITRATE_RANGE[0] <= bitrate <= BITRATE_RANGE[1],
        GOP_RANGE[0] <= gop <= GOP_RANGE[1],
        encoding == ENCODINGS[stream.codec],
    )
    if not all(ranges):
        raise Fault("InvalidArgVal", "ConfigModify", reason="The configuration is outside what the options allow.")
    stream.width, stream.height = size
    stream.frame_rate, stream.bitrate_kbit, stream.gop_frames = rate, bitrate, gop


def request_keyframe(request: Request, name: StreamName) -> None:
    """Make the next picture of a stream a keyframe."""
    feed = request.device.feeds.get(name)
    if feed is not None:
        feed.request_keyframe()
