"""Focus, day and night (ONVIF Imaging service specification). Wipers are auxiliary commands."""

from drivers.simulator.device import SimulatedDevice
from drivers.simulator.happenings import SOURCE
from drivers.simulator.motion import Track, reach, rest
from drivers.simulator.onvif.markup import Element, el
from drivers.simulator.onvif.soap import Fault, Request, Service, invalid, operation
from kernel.clock import NS_PER_S

_MODES = {"ON": False, "OFF": True}
"""IrCutFilter: in the way by day, out of it by night."""
_PICTURE = {"Brightness": 50.0, "ColorSaturation": 50.0, "Contrast": 50.0, "Sharpness": 50.0}
_FOCUS_SPEED = 0.5
_FOCUS_RAMP = 5.0


class ImagingService(Service):
    """One sensor and its lens's focus motor."""

    prefix = "timg"

    def __init__(self, device: SimulatedDevice) -> None:
        super().__init__(device)
        self._picture = dict(_PICTURE)
        self._ir_cut = "OFF" if device.night else "ON"
        self._track: Track = rest(0.0, device.focus)

    def _now_s(self) -> float:
        return self.device.clock.monotonic_ns() / NS_PER_S

    def _focus(self) -> tuple[float, float]:
        position, velocity = self._track.at(self._now_s())
        self.device.focus = min(max(position, 0.0), 1.0)
        return self.device.focus, velocity

    def _check(self, request: Request) -> None:
        if request.need("VideoSourceToken") != SOURCE:
            raise invalid(f"There is no video source {request.need('VideoSourceToken')}.", "NoSource")

    @operation("GetImagingSettings")
    def get_imaging_settings(self, request: Request) -> Element:
        """Return the settings in force."""
        self._check(request)
        device = self.device
        values = {name: el(f"tt:{name}", value) for name, value in self._picture.items()}
        return el(
            "timg:ImagingSettings",
            values["Brightness"],
            values["ColorSaturation"],
            values["Contrast"],
            el(
                "tt:Focus",
                el("tt:AutoFocusMode", "AUTO" if device.autofocus else "MANUAL"),
                el("tt:DefaultSpeed", 1.0),
            ),
            el("tt:IrCutFilter", self._ir_cut),
            values["Sharpness"],
        )

    @operation("SetImagingSettings")
    def set_imaging_settings(self, request: Request) -> None:
        """Set those that are given."""
        self._check(request)
        picture = {name: request.number(f"ImagingSettings/{name}", present) for name, present in self._picture.items()}
        mode = request.text("ImagingSettings/IrCutFilter", self._ir_cut)
        focus = request.text("ImagingSettings/Focus/AutoFocusMode", "AUTO" if self.device.autofocus else "MANUAL")
        fits = all(0.0 <= value <= 100.0 for value in picture.values())
        if not fits or mode not in {*_MODES, "AUTO"} or focus not in {"AUTO", "MANUAL"}:
            raise Fault("InvalidArgVal", "SettingsInvalid", reason="A setting is outside what the options allow.")
        self._picture = picture
        self._ir_cut = mode
        # In the simulated borough it is always day: what is left to the camera stays by day.
        self.device.night = _MODES.get(mode, False)
        self.device.autofocus = focus == "AUTO"

    @operation("GetOptions")
    def get_options(self, request: Request) -> Element:
        """Return what can be set."""
        self._check(request)
        ranges = {name: _range(f"tt:{name}", 0.0, 100.0) for name in _PICTURE}
        return el(
            "timg:ImagingOptions",
            ranges["Brightness"],
            ranges["ColorSaturation"],
            ranges["Contrast"],
            el(
                "tt:Focus",
                [el("tt:AutoFocusModes", mode) for mode in ("AUTO", "MANUAL")],
                _range("tt:DefaultSpeed", 1, 1),
            ),
            [el("tt:IrCutFilterModes", mode) for mode in (*_MODES, "AUTO")],
            ranges["Sharpness"],
        )

    @operation("GetMoveOptions")
    def get_move_options(self, request: Request) -> Element:
        """Return how the focus can be moved."""
        self._check(request)
        return el(
            "timg:MoveOptions",
            el("tt:Absolute", _range("tt:Position", 0.0, 1.0), _range("tt:Speed", 0.0, 1.0)),
            el("tt:Relative", _range("tt:Distance", -1.0, 1.0), _range("tt:Speed", 0.0, 1.0)),
            el("tt:Continuous", _range("tt:Speed", -1.0, 1.0)),
        )

    @operation("Move")
    def move(self, request: Request) -> None:
        """Move the focus; that turns autofocus off, as it does on real cameras."""
        self._check(request)
        here, velocity = self._focus()
        if request.find("Focus/Absolute") is not None:
            target, speed = request.number("Focus/Absolute/Position", -1.0), request.number("Focus/Absolute/Speed", 1.0)
        elif request.find("Focus/Relative") is not None:
            target = here + request.number("Focus/Relative/Distance", 0.0)
            speed = request.number("Focus/Relative/Speed", 1.0)
        elif request.find("Focus/Continuous") is not None:
            share = request.number("Focus/Continuous/Speed", 0.0)
            target, speed = (1.0 if share > 0 else 0.0), abs(share)
        else:
            raise invalid("Focus names no way to move.", "SettingsInvalid")
        relative = request.find("Focus/Relative") is not None
        if not 0.0 <= speed <= 1.0 or not (relative or 0.0 <= target <= 1.0):
            raise Fault("InvalidArgVal", "SettingsInvalid", reason="The focus cannot go there.")
        self.device.autofocus = False
        target = min(max(target, 0.0), 1.0)
        self._track = reach(self._now_s(), (here, velocity), target, speed * _FOCUS_SPEED, _FOCUS_RAMP)

    @operation("Stop")
    def stop(self, request: Request) -> None:
        """Stop the focus."""
        self._check(request)
        self._track = rest(self._now_s(), self._focus()[0])

    @operation("GetStatus")
    def get_status(self, request: Request) -> Element:
        """Return where the focus is."""
        self._check(request)
        moving = "MOVING" if self._track.moving(self._now_s()) else "IDLE"
        focus = el("tt:FocusStatus20", el("tt:Position", self._focus()[0]), el("tt:MoveStatus", moving))
        return el("timg:Status", focus)


def _range(name: str, low: float, high: float) -> Element:
    return el(name, el("tt:Min", low), el("tt:Max", high))
