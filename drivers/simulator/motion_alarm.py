"""Motion alarms from what is true in the town: somebody crosses the view, near enough and not behind a house."""

import math

import numpy as np

from drivers.simulator import happenings
from drivers.simulator.device import Aim, Mount, SimulatedDevice
from drivers.simulator.feed import aim_of
from drivers.simulator.picture.painter import actors_in_view, view_of
from drivers.simulator.picture.projection import Floats
from drivers.simulator.town.town import PLANE, Town
from kernel.clock import NS_PER_S
from kernel.geography import Place

REACH_M = 60.0
"""Farther away nobody is large enough to be told from noise."""
_HOLD_S = 2.0
"""An alarm lasts this long after the last movement."""
_SLOWEST_M_S = 0.4


class Sightlines:
    """Which points are hidden by buildings from one pole."""

    def __init__(self, town: Town, mount: Mount) -> None:
        self._eye = np.array(PLANE.to_metres(mount.place))
        near = [b for b in town.buildings if math.dist(b.centre, self._eye) < REACH_M + 40.0]
        corners = np.array([building.outline() for building in near]).reshape(-1, 4, 2)
        self._from = corners.reshape(-1, 2)
        self._to = np.roll(corners, -1, axis=1).reshape(-1, 2)

    def clear(self, points: Floats) -> list[bool]:
        """Return for each of (n, 2) points whether no wall crosses the line to it (poles are lower than roofs)."""

        def side(a: Floats, b: Floats, c: Floats) -> Floats:
            turn = (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
            return np.asarray(turn)

        eye, target = self._eye[None, None], points[:, None]
        start, end = self._from[None], self._to[None]
        crossed = (side(eye, target, start) * side(eye, target, end) < 0.0) & (
            side(start, end, eye) * side(start, end, target) < 0.0
        )
        return [not hidden for hidden in np.asarray(crossed.any(axis=1)).tolist()]


class MotionAlarm:
    """One camera's motion detector."""

    def __init__(self, town: Town, device: SimulatedDevice) -> None:
        self.on = False
        self._town = town
        self._device = device
        self._lines: tuple[Place, Sightlines] | None = None
        self._last_ns = 0

    def moving(self, aim: Aim, wall_ns: int) -> bool:
        """Return whether somebody moves in the view at a true instant."""
        view = view_of(self._device.mount, aim, 640, 360)
        movers = [
            actor
            for actor in actors_in_view(self._town, view, wall_ns, reach_m=REACH_M)
            if actor.speed_m_s > _SLOWEST_M_S
        ]
        if not movers:
            return False
        mount = self._device.mount
        if self._lines is None or self._lines[0] != mount.place:
            self._lines = (mount.place, Sightlines(self._town, mount))
        return any(self._lines[1].clear(np.array([(actor.x, actor.y) for actor in movers])))

    def look(self) -> None:
        """Look now; tell the device's subscribers where that changed. While the head turns everything would move."""
        aim = aim_of(self._device)
        if aim.moving:
            return
        now_ns = self._device.clock.monotonic_ns()
        if self.moving(aim, self._device.clock.wall_ns()):
            self._last_ns = now_ns
            if not self.on:
                self.on = True
                happenings.motion(self._device, on=True)
        elif self.on and now_ns - self._last_ns >= _HOLD_S * NS_PER_S:
            self.on = False
            happenings.motion(self._device, on=False)
