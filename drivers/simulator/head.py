"""The mechanics of a pan/tilt/zoom head, free of backlash: where it points is an exact function of time.

Positions are kept in degrees (zoom in generic units) and shown in ONVIF's generic spaces too.
"""

import math

from drivers.simulator import motion
from drivers.simulator.device import ALL_AXES, Aim, Mount
from kernel.clock import NS_PER_S, Clock
from kernel.head import Axis, Position, Velocity

_ZOOM_RAMP_S = 0.25
"""A zoom motor is at full speed after this long."""
_SLOWEST = 0.01
"""Share of the greatest speed that a move to a position never falls below: a speed of 0 would never arrive."""


class _Motor:
    """One axis: its limits and the move it is in."""

    __slots__ = ("acceleration", "high", "low", "speed", "track")

    def __init__(self, limits: tuple[float, float], speed: float, acceleration: float, start: float) -> None:
        self.low, self.high = limits
        self.speed = speed
        self.acceleration = acceleration
        self.track = motion.rest(0.0, self.clamp(start))

    def clamp(self, position: float) -> float:
        return min(max(position, self.low), self.high)

    def at(self, now_s: float) -> tuple[float, float]:
        position, velocity = self.track.at(now_s)
        return self.clamp(position), velocity

    def drive(self, share: float, now_s: float, timeout_s: float | None) -> None:
        """Run towards the limit of that side, where it brakes by itself."""
        share = min(max(share, -1.0), 1.0)
        limit = self.high if share > 0.0 else self.low
        track = motion.reach(now_s, self.at(now_s), limit, abs(share) * self.speed, self.acceleration)
        self.track = track if timeout_s is None else track.until(now_s + timeout_s, self.acceleration)

    def go_to(self, target: float, now_s: float, share: float) -> None:
        speed = min(max(share, _SLOWEST), 1.0) * self.speed
        self.track = motion.reach(now_s, self.at(now_s), self.clamp(target), speed, self.acceleration)

    def halt(self, now_s: float) -> None:
        self.track = motion.brake(now_s, *self.at(now_s), self.acceleration)

    def from_generic(self, value: float, low: float) -> float:
        """Return the place in degrees or zoom of ``value`` in ``low``..1."""
        return self.low + (min(max(value, low), 1.0) - low) / (1.0 - low) * (self.high - self.low)


class Head:
    """Satisfies ``drivers.simulator.device.HeadModel``. Starts where its mount says it is at home."""

    def __init__(self, mount: Mount, clock: Clock) -> None:
        self._lens = mount.lens
        self._clock = clock
        self._origin_ns = clock.monotonic_ns()
        self._motors = {
            Axis.PAN: _Motor(mount.pan_deg, mount.speed_deg_s, mount.acceleration_deg_s2, mount.home_pan_deg),
            Axis.TILT: _Motor(mount.tilt_deg, mount.speed_deg_s, mount.acceleration_deg_s2, mount.home_tilt_deg),
            Axis.ZOOM: _Motor((0.0, 1.0), mount.zoom_per_s, mount.zoom_per_s / _ZOOM_RAMP_S, mount.home_zoom),
        }

    def aim(self) -> Aim:
        """Where it points at this instant."""
        now_s = self._now_s()
        pan, tilt, zoom = (motor.at(now_s)[0] for motor in self._motors.values())
        return Aim(pan, tilt, zoom, self._lens.hfov_deg(zoom), self.moving(ALL_AXES))

    def position(self) -> Position:
        """The same in generic position spaces."""
        aim = self.aim()
        pan, tilt = self._motors[Axis.PAN], self._motors[Axis.TILT]
        return Position(
            _generic(aim.pan_deg, (pan.low, pan.high)), _generic(aim.tilt_deg, (tilt.low, tilt.high)), aim.zoom
        )

    def moving(self, axes: frozenset[Axis]) -> bool:
        """Whether any of ``axes`` moves at this instant."""
        now_s = self._now_s()
        return any(self._motors[axis].track.moving(now_s) for axis in axes)

    def velocity(self) -> Velocity:
        """Return shares of the greatest speeds at this instant."""
        now_s = self._now_s()
        return Velocity(*(motor.at(now_s)[1] / motor.speed for motor in self._motors.values()))

    def drive(self, velocity: Velocity, *, timeout_s: float | None, axes: frozenset[Axis] = ALL_AXES) -> None:
        """Turn at this share of the greatest speeds until told otherwise or for ``timeout_s``."""
        now_s = self._now_s()
        for axis in axes:
            self._motors[axis].drive(getattr(velocity, axis.value), now_s, timeout_s)

    def halt(self, *, pan_tilt: bool = True, zoom: bool = True) -> None:
        """Brake to standstill."""
        now_s = self._now_s()
        for axis, motor in self._motors.items():
            if zoom if axis is Axis.ZOOM else pan_tilt:
                motor.halt(now_s)

    def go_to(self, position: Position, *, speed: float = 1.0, axes: frozenset[Axis] = ALL_AXES) -> None:
        """Move ``axes`` to a generic position and stand there."""
        now_s = self._now_s()
        for axis in axes:
            motor = self._motors[axis]
            low = 0.0 if axis is Axis.ZOOM else -1.0
            motor.go_to(motor.from_generic(getattr(position, axis.value), low), now_s, speed)

    def _now_s(self) -> float:
        return (self._clock.monotonic_ns() - self._origin_ns) / NS_PER_S


def point_in_view(aim: Aim, right: float, up: float, aspect: float) -> tuple[float, float]:
    """Return the (pan, tilt) degrees at which a point of the present picture lies in the middle.

    ``right`` and ``up`` are -1..+1 from the picture's middle to its edges, ``aspect`` is width by height. This is
    the perspective of a level camera: a point near the upper edge of a camera that looks steeply down is far round.
    """
    half = math.tan(math.radians(aim.hfov_deg) / 2.0)
    x, y = right * half, up * half / aspect
    tilt = math.radians(aim.tilt_deg)
    ahead = math.cos(tilt) - y * math.sin(tilt)
    height = math.sin(tilt) + y * math.cos(tilt)
    return (
        aim.pan_deg + math.degrees(math.atan2(x, ahead)),
        math.degrees(math.atan2(height, math.hypot(x, ahead))),
    )


def view_position(mount: Mount, aim: Aim, right: float, up: float, aspect: float) -> Position:
    """Return the generic position of :func:`point_in_view`, as near as the head's limits allow."""
    pan_deg, tilt_deg = point_in_view(aim, right, up, aspect)
    low, high = mount.pan_deg
    if not low <= pan_deg <= high:
        # The other way round may be within reach; else stop at the nearer end.
        pan_deg = next((turned for turned in (pan_deg - 360.0, pan_deg + 360.0) if low <= turned <= high), pan_deg)
    return position_at(mount, pan_deg, tilt_deg, aim.zoom)


def position_at(mount: Mount, pan_deg: float, tilt_deg: float, zoom: float) -> Position:
    """Return degrees as a generic position, cut off at the head's limits."""
    return Position(_generic(pan_deg, mount.pan_deg), _generic(tilt_deg, mount.tilt_deg), zoom)


def _generic(value: float, limits: tuple[float, float]) -> float:
    low, high = limits
    return min(max(-1.0 + 2.0 * (value - low) / (high - low), -1.0), 1.0)
