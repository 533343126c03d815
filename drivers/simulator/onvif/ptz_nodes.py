"""What a head can do: nodes, configurations and their spaces (ONVIF PTZ service specification, sections 5.1 to 5.2)."""

from xml.etree import ElementTree as ET

from drivers.simulator.device import HeadModel, SimulatedDevice
from drivers.simulator.onvif import values
from drivers.simulator.onvif.capabilities import PRESETS_MAX, TOURS_MAX
from drivers.simulator.onvif.markup import Element, el, find
from drivers.simulator.onvif.soap import Fault, Request, Service, finite, invalid, operation

NODE = "ptz-node-1"
CONFIGURATION = "ptz-configuration-1"
TIMEOUT_RANGE_S = (0.1, 60.0)

_SPACES = "http://www.onvif.org/ver10/tptz"
PAN_TILT_POSITION = f"{_SPACES}/PanTiltSpaces/PositionGenericSpace"
PAN_TILT_DEGREES = f"{_SPACES}/PanTiltSpaces/SphericalPositionSpaceDegrees"
PAN_TILT_TRANSLATION = f"{_SPACES}/PanTiltSpaces/TranslationGenericSpace"
PAN_TILT_FOV = f"{_SPACES}/PanTiltSpaces/TranslationSpaceFov"
PAN_TILT_VELOCITY = f"{_SPACES}/PanTiltSpaces/VelocityGenericSpace"
PAN_TILT_SPEED = f"{_SPACES}/PanTiltSpaces/GenericSpeedSpace"
ZOOM_POSITION = f"{_SPACES}/ZoomSpaces/PositionGenericSpace"
ZOOM_TRANSLATION = f"{_SPACES}/ZoomSpaces/TranslationGenericSpace"
ZOOM_VELOCITY = f"{_SPACES}/ZoomSpaces/VelocityGenericSpace"
ZOOM_SPEED = f"{_SPACES}/ZoomSpaces/ZoomGenericSpeedSpace"


def _range(name: str, low: float, high: float) -> Element:
    return el(f"tt:{name}", el("tt:Min", low), el("tt:Max", high))


def _plane(name: str, uri: str, x: tuple[float, float] = (-1.0, 1.0), y: tuple[float, float] = (-1.0, 1.0)) -> Element:
    return el(f"tt:{name}", el("tt:URI", uri), _range("XRange", *x), _range("YRange", *y))


def _line(name: str, uri: str, low: float, high: float) -> Element:
    return el(f"tt:{name}", el("tt:URI", uri), _range("XRange", low, high))


def spaces(device: SimulatedDevice) -> list[Element]:
    """Return every space of the head, in the order of tt:PTZSpaces."""
    zoom = not device.faults.no_zoom
    listed = [
        _plane("AbsolutePanTiltPositionSpace", PAN_TILT_POSITION),
        _plane("AbsolutePanTiltPositionSpace", PAN_TILT_DEGREES, device.mount.pan_deg, device.mount.tilt_deg),
        _line("AbsoluteZoomPositionSpace", ZOOM_POSITION, 0.0, 1.0),
        _plane("RelativePanTiltTranslationSpace", PAN_TILT_TRANSLATION),
        _plane("RelativePanTiltTranslationSpace", PAN_TILT_FOV),
        _line("RelativeZoomTranslationSpace", ZOOM_TRANSLATION, -1.0, 1.0),
        _plane("ContinuousPanTiltVelocitySpace", PAN_TILT_VELOCITY),
        _line("ContinuousZoomVelocitySpace", ZOOM_VELOCITY, -1.0, 1.0),
        _line("PanTiltSpeedSpace", PAN_TILT_SPEED, 0.0, 1.0),
        _line("ZoomSpeedSpace", ZOOM_SPEED, 0.0, 1.0),
    ]
    return [space for space in listed if zoom or "Zoom" not in space.name]


def configuration(device: SimulatedDevice, name: str) -> Element:
    """Return the PTZConfiguration, as profiles carry it too."""
    zoom = not device.faults.no_zoom
    return el(
        name,
        el("tt:Name", "Head"),
        el("tt:UseCount", len(device.streams)),
        el("tt:NodeToken", NODE),
        el("tt:DefaultAbsolutePantTiltPositionSpace", PAN_TILT_POSITION),
        el("tt:DefaultAbsoluteZoomPositionSpace", ZOOM_POSITION) if zoom else None,
        el("tt:DefaultRelativePanTiltTranslationSpace", PAN_TILT_TRANSLATION),
        el("tt:DefaultRelativeZoomTranslationSpace", ZOOM_TRANSLATION) if zoom else None,
        el("tt:DefaultContinuousPanTiltVelocitySpace", PAN_TILT_VELOCITY),
        el("tt:DefaultContinuousZoomVelocitySpace", ZOOM_VELOCITY) if zoom else None,
        el(
            "tt:DefaultPTZSpeed",
            el("tt:PanTilt", x=1.0, y=1.0, space=PAN_TILT_SPEED),
            el("tt:Zoom", x=1.0, space=ZOOM_SPEED) if zoom else None,
        ),
        el("tt:DefaultPTZTimeout", values.duration(device.ptz_timeout_s)),
        el("tt:PanTiltLimits", _plane("Range", PAN_TILT_POSITION)),
        el("tt:ZoomLimits", _line("Range", ZOOM_POSITION, 0.0, 1.0)) if zoom else None,
        token=CONFIGURATION,
    )


def check_profile(request: Request) -> None:
    """Check that the profile named by the request is one of ours: all of them carry the head.

    Raises:
        Fault: there is no such profile.
    """
    token = request.need("ProfileToken")
    if all(stream.token != token for stream in request.device.streams.values()):
        raise invalid(f"There is no profile {token}.", "NoProfile")


def speed_of(arguments: ET.Element) -> float:
    """Return the share of the greatest speed that a ``Speed`` among ``arguments`` asks for, 1 where it asks none.

    The head moves its axes at one share: the largest asked for.

    Raises:
        Fault: it is not made of numbers.
    """
    pan_tilt, zoom = find(arguments, "Speed/PanTilt"), find(arguments, "Speed/Zoom")
    told = [] if pan_tilt is None else [pan_tilt.get("x", "1"), pan_tilt.get("y", "1")]
    told += [] if zoom is None else [zoom.get("x", "1")]
    try:
        return max((abs(finite(share)) for share in told), default=0.0) or 1.0
    except ValueError:
        raise invalid("Speed is not made of numbers.", "InvalidSpeed") from None


class PtzNodeService(Service):
    """One node, one configuration."""

    prefix = "tptz"

    def __init__(self, device: SimulatedDevice, head: HeadModel) -> None:
        super().__init__(device)
        self._head = head

    def _node(self) -> Element:
        tours = el(
            "tt:SupportedPresetTour",
            el("tt:MaximumNumberOfPresetTours", TOURS_MAX),
            [el("tt:PTZPresetTourOperation", name) for name in ("Start", "Stop", "Pause")],
        )
        return el(
            "tptz:PTZNode",
            el("tt:Name", "Head"),
            el("tt:SupportedPTZSpaces", spaces(self.device)),
            el("tt:MaximumNumberOfPresets", PRESETS_MAX + self.device.faults.factory_presets),
            el("tt:HomeSupported", True),
            [el("tt:AuxiliaryCommands", command) for command in self.device.auxiliary],
            el("tt:Extension", tours),
            token=NODE,
            FixedHomePosition=False,
        )

    def _expect(self, token: str, known: str, subcode: str) -> None:
        if token != known:
            raise invalid(f"There is no {token}.", subcode)

    @operation("GetNodes")
    def get_nodes(self) -> Element:
        """Return the head."""
        return self._node()

    @operation("GetNode")
    def get_node(self, request: Request) -> Element:
        """Return the head."""
        self._expect(request.need("NodeToken"), NODE, "NoEntity")
        return self._node()

    @operation("GetConfigurations")
    def get_configurations(self) -> Element:
        """Return the configuration."""
        return configuration(self.device, "tptz:PTZConfiguration")

    @operation("GetCompatibleConfigurations")
    def get_compatible_configurations(self, request: Request) -> Element:
        """Return the configuration: it fits every profile."""
        check_profile(request)
        return configuration(self.device, "tptz:PTZConfiguration")

    @operation("GetConfiguration")
    def get_configuration(self, request: Request) -> Element:
        """Return the configuration."""
        self._expect(request.need("PTZConfigurationToken"), CONFIGURATION, "NoConfig")
        return configuration(self.device, "tptz:PTZConfiguration")

    @operation("GetConfigurationOptions")
    def get_configuration_options(self, request: Request) -> Element:
        """Return the spaces and how long a move may last."""
        self._expect(request.need("ConfigurationToken"), CONFIGURATION, "NoConfig")
        low, high = TIMEOUT_RANGE_S
        return el(
            "tptz:PTZConfigurationOptions",
            el("tt:Spaces", spaces(self.device)),
            el("tt:PTZTimeout", el("tt:Min", values.duration(low)), el("tt:Max", values.duration(high))),
        )

    @operation("SetConfiguration")
    def set_configuration(self, request: Request) -> None:
        """Set how long a move lasts that names no timeout."""
        given = request.find("PTZConfiguration")
        self._expect("" if given is None else given.get("token", ""), CONFIGURATION, "NoConfig")
        timeout_s = request.duration_s("PTZConfiguration/DefaultPTZTimeout")
        if timeout_s is not None:
            if not TIMEOUT_RANGE_S[0] <= timeout_s <= TIMEOUT_RANGE_S[1]:
                raise Fault("InvalidArgVal", "ConfigModify", reason="The timeout is outside what the options allow.")
            self.device.ptz_timeout_s = timeout_s
