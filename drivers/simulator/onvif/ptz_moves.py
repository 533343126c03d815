"""Moving a head (ONVIF PTZ service specification, section 5.3), with everything heads have been seen to do instead."""

import math
from dataclasses import dataclass

from drivers.simulator.device import HeadModel, SimulatedDevice
from drivers.simulator.head import position_at, view_position
from drivers.simulator.onvif import ptz_nodes as nodes
from drivers.simulator.onvif import values
from drivers.simulator.onvif.markup import Element, el, find
from drivers.simulator.onvif.ptz_nodes import check_profile, speed_of
from drivers.simulator.onvif.soap import Fault, Request, Service, invalid, operation
from drivers.simulator.onvif.system import auxiliary
from drivers.simulator.onvif.touring import Touring
from kernel.head import Axis, Position, Velocity

_PAN_TILT = frozenset({Axis.PAN, Axis.TILT})
_ZOOM = frozenset({Axis.ZOOM})
_FIXED_SPEED = 0.5
_PULSE_S = 0.1
"""How long a head turns that takes every timeout as zero."""
_UNTRUE = 1.7


@dataclass(frozen=True, slots=True)
class _Vector:
    """A tt:PTZVector or tt:PTZSpeed; a part left out is ``None``."""

    pan_tilt: tuple[float, float] | None
    pan_tilt_space: str
    zoom: float | None

    @property
    def axes(self) -> frozenset[Axis]:
        """Return the axes it speaks of."""
        return (_PAN_TILT if self.pan_tilt else frozenset()) | (_ZOOM if self.zoom is not None else frozenset())


class PtzMoveService(Service):
    """Moves, stop, status, home and auxiliary commands."""

    prefix = "tptz"

    def __init__(self, device: SimulatedDevice, head: HeadModel, touring: Touring) -> None:
        super().__init__(device)
        self._head = head
        self._touring = touring

    def _vector(self, request: Request, path: str, subcode: str, spaces: dict[str, str]) -> _Vector:
        """Return the argument at ``path``; ``spaces`` maps the spaces allowed to ``PanTilt`` or ``Zoom``.

        Raises:
            Fault: no axis, an axis or a space that the head lacks, a number out of range.
        """
        given = request.find(path)
        pan_tilt, zoom = (None, None) if given is None else (find(given, "PanTilt"), find(given, "Zoom"))
        if pan_tilt is None and zoom is None:
            raise invalid(f"{path} names no axis.", subcode)
        if request.faults.split_axes and pan_tilt is not None and zoom is not None:
            raise invalid("Pan, tilt and zoom cannot move together.", subcode)
        if request.faults.no_zoom and zoom is not None:
            raise invalid("This head has no zoom.", "SpaceNotSupported")
        for part, kind in ((pan_tilt, "PanTilt"), (zoom, "Zoom")):
            space = "" if part is None else part.get("space", "")
            if space and spaces.get(space) != kind:
                raise invalid(f"The head has no space {space} for this.", "SpaceNotSupported")
        try:
            return _Vector(
                None if pan_tilt is None else (float(pan_tilt.get("x", "")), float(pan_tilt.get("y", ""))),
                "" if pan_tilt is None else pan_tilt.get("space", ""),
                None if zoom is None else float(zoom.get("x", "")),
            )
        except ValueError:
            raise invalid(f"{path} is not made of numbers.", subcode) from None

    @staticmethod
    def _within(vector: _Vector, subcode: str, *, zoom_low: float = -1.0) -> None:
        """Refuse generic values out of range.

        Raises:
            Fault: one is.
        """
        pan_tilt_fits = all(-1.0 <= value <= 1.0 for value in vector.pan_tilt or ())
        if not pan_tilt_fits or not zoom_low <= (vector.zoom or 0.0) <= 1.0:
            raise invalid("A value is outside its space.", subcode)

    @operation("ContinuousMove")
    def continuous_move(self, request: Request) -> None:
        """Turn until told otherwise. An axis that is left out keeps doing what it does."""
        check_profile(request)
        known = {nodes.PAN_TILT_VELOCITY: "PanTilt", nodes.ZOOM_VELOCITY: "Zoom"}
        vector = self._vector(request, "Velocity", "InvalidVelocity", known)
        self._within(vector, "InvalidVelocity")
        timeout_s = self._timeout_s(request)
        pan, tilt = vector.pan_tilt or (0.0, 0.0)
        velocity = Velocity(pan, tilt, vector.zoom or 0.0)
        if velocity.still and request.faults.zero_velocity_ignored:
            return
        if request.faults.fixed_speed:
            velocity = Velocity(*(_fixed(share) for share in (velocity.pan, velocity.tilt, velocity.zoom)))
        self._touring.interrupt()
        self._head.drive(velocity, timeout_s=timeout_s, axes=vector.axes)

    def _timeout_s(self, request: Request) -> float | None:
        asked_s = request.duration_s("Timeout")
        if asked_s is None:
            return self.device.ptz_timeout_s
        if request.faults.timeout_faults:
            raise invalid("A timeout cannot be set.", "TimeoutNotSupported")
        if request.faults.timeout_ignored:
            return None
        if request.faults.timeout_zero:
            return _PULSE_S
        if not 0.0 <= asked_s <= nodes.TIMEOUT_RANGE_S[1]:
            raise invalid("The timeout is outside what the options allow.", "TimeoutNotSupported")
        return asked_s

    @operation("AbsoluteMove")
    def absolute_move(self, request: Request) -> None:
        """Go to a position, generic or in degrees."""
        check_profile(request)
        known = {nodes.PAN_TILT_POSITION: "PanTilt", nodes.PAN_TILT_DEGREES: "PanTilt", nodes.ZOOM_POSITION: "Zoom"}
        vector = self._vector(request, "Position", "InvalidPosition", known)
        here = self._head.position()
        zoom = here.zoom if vector.zoom is None else vector.zoom
        if vector.pan_tilt and vector.pan_tilt_space == nodes.PAN_TILT_DEGREES:
            (pan_low, pan_high), (tilt_low, tilt_high) = self.device.mount.pan_deg, self.device.mount.tilt_deg
            pan_deg, tilt_deg = vector.pan_tilt
            if not (pan_low <= pan_deg <= pan_high and tilt_low <= tilt_deg <= tilt_high and 0.0 <= zoom <= 1.0):
                raise invalid("A value is outside its space.", "InvalidPosition")
            target = position_at(self.device.mount, pan_deg, tilt_deg, zoom)
        else:
            self._within(vector, "InvalidPosition", zoom_low=0.0)
            pan, tilt = vector.pan_tilt or (here.pan, here.tilt)
            target = Position(pan, tilt, zoom)
        self._go(request, target, vector)

    @operation("RelativeMove")
    def relative_move(self, request: Request) -> None:
        """Go from here by a share of the range, or to a point of the present picture."""
        check_profile(request)
        known = {
            nodes.PAN_TILT_TRANSLATION: "PanTilt",
            nodes.PAN_TILT_FOV: "PanTilt",
            nodes.ZOOM_TRANSLATION: "Zoom",
        }
        vector = self._vector(request, "Translation", "InvalidTranslation", known)
        self._within(vector, "InvalidTranslation")
        aim, here = self._head.aim(), self._head.position()
        right, up = vector.pan_tilt or (0.0, 0.0)
        if vector.pan_tilt and vector.pan_tilt_space == nodes.PAN_TILT_FOV:
            wrong = _UNTRUE if request.faults.fov_untrue else 1.0
            target = view_position(self.device.mount, aim, right * wrong, up * wrong, self._aspect())
        else:
            target = Position(here.pan + right, here.tilt + up, here.zoom)
        self._go(request, Position(target.pan, target.tilt, here.zoom + (vector.zoom or 0.0)), vector)

    def _aspect(self) -> float:
        return next((stream.width / stream.height for stream in self.device.streams.values()), 16 / 9)

    def _go(self, request: Request, target: Position, vector: _Vector) -> None:
        speed = speed_of(request.body)
        self._touring.interrupt()
        self._head.go_to(target, speed=_FIXED_SPEED if request.faults.fixed_speed else speed, axes=vector.axes)

    @operation("Stop")
    def stop(self, request: Request) -> None:
        """Brake; all axes where none is named."""
        check_profile(request)
        if request.faults.stop_unsupported:
            raise Fault("ActionNotSupported", reason="Stop is not supported.", receiver=True)
        if request.faults.stop_ignored:
            return
        self._touring.interrupt()
        self._head.halt(
            pan_tilt=request.flag("PanTilt", default=True),
            zoom=request.flag("Zoom", default=True),
        )

    @operation("GetStatus")
    def get_status(self, request: Request) -> Element:
        """Return where it points and whether it moves."""
        check_profile(request)
        here = self._head.position()
        zoom = not request.faults.no_zoom

        def moving(axes: frozenset[Axis]) -> str:
            return "MOVING" if self._head.moving(axes) or request.faults.stuck_moving else "IDLE"

        return el(
            "tptz:PTZStatus",
            vector_element("tt:Position", here, zoom=zoom),
            el("tt:MoveStatus", el("tt:PanTilt", moving(_PAN_TILT)), el("tt:Zoom", moving(_ZOOM)) if zoom else None),
            el("tt:UtcTime", values.instant(self.device.wall_ns(), request.faults)),
        )

    @operation("GotoHomePosition")
    def goto_home_position(self, request: Request) -> None:
        """Go home."""
        check_profile(request)
        speed = speed_of(request.body)
        self._touring.interrupt()
        self._head.go_to(self.device.home, speed=speed)

    @operation("SetHomePosition")
    def set_home_position(self, request: Request) -> None:
        """Make this home."""
        check_profile(request)
        self.device.home = self._head.position()

    @operation("SendAuxiliaryCommand")
    def send_auxiliary_command(self, request: Request) -> Element:
        """Switch wiper or lamp."""
        check_profile(request)
        return el("tptz:AuxiliaryResponse", auxiliary(request, request.need("AuxiliaryData")))


def vector_element(name: str, position: Position, *, zoom: bool) -> Element:
    """Return a position as a tt:PTZVector."""
    return el(
        name,
        el("tt:PanTilt", x=position.pan, y=position.tilt, space=nodes.PAN_TILT_POSITION),
        el("tt:Zoom", x=position.zoom, space=nodes.ZOOM_POSITION) if zoom else None,
    )


def _fixed(share: float) -> float:
    """Return the one speed that the head has, in the direction of ``share``."""
    return math.copysign(_FIXED_SPEED, share) if share else 0.0
