"""One axis of a head: time-optimal moves under a speed and an acceleration, as exact functions of time.

A move is a handful of legs of constant acceleration. Nothing ticks: position and velocity at any instant are
read off the leg that holds then, so a slow process never bends the ground truth.
"""

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leg:
    """Constant acceleration from ``start_s`` on."""

    start_s: float
    position: float
    velocity: float
    acceleration: float

    def at(self, time_s: float) -> tuple[float, float]:
        """Return (position, velocity) at ``time_s``."""
        past = time_s - self.start_s
        return (
            self.position + self.velocity * past + self.acceleration * past * past / 2.0,
            self.velocity + self.acceleration * past,
        )


@dataclass(frozen=True, slots=True)
class Track:
    """A move: legs in order of time, the last one at rest."""

    legs: tuple[Leg, ...]

    def at(self, time_s: float) -> tuple[float, float]:
        """Return (position, velocity) at ``time_s``; before the first leg it stands at its start."""
        index = bisect_right(self.legs, time_s, key=lambda leg: leg.start_s)
        return self.legs[max(0, index - 1)].at(max(time_s, self.legs[0].start_s))

    def moving(self, time_s: float) -> bool:
        """Return whether the rest has not been reached."""
        return time_s < self.legs[-1].start_s

    def until(self, time_s: float, acceleration: float) -> "Track":
        """Return the same move, braking from ``time_s`` on."""
        if not self.moving(time_s):
            return self
        kept = tuple(leg for leg in self.legs if leg.start_s < time_s)
        return Track(kept + brake(time_s, *self.at(time_s), acceleration).legs)


def rest(time_s: float, position: float) -> Track:
    """Return standing still."""
    return Track((Leg(time_s, position, 0.0, 0.0),))


def brake(time_s: float, position: float, velocity: float, acceleration: float) -> Track:
    """Return the shortest way to standstill."""
    if velocity == 0.0:
        return rest(time_s, position)
    lasts_s = abs(velocity) / acceleration
    end = position + velocity * lasts_s / 2.0
    slowing = -acceleration if velocity > 0.0 else acceleration
    return Track((Leg(time_s, position, velocity, slowing), Leg(time_s + lasts_s, end, 0.0, 0.0)))


def reach(time_s: float, state: tuple[float, float], target: float, speed: float, acceleration: float) -> Track:
    """Return the fastest move from ``state`` (position, velocity) to rest at exactly ``target``.

    It never exceeds ``speed`` except while it brakes down to it. Where it is too fast to stop in time it brakes,
    overshoots and comes back.
    """
    position, velocity = state
    if speed <= 0.0:
        return brake(time_s, position, velocity, acceleration)
    standstill = position + velocity * abs(velocity) / (2.0 * acceleration)
    if standstill == target:
        return _ending_at(brake(time_s, position, velocity, acceleration), target)
    # Seen along the direction of the way that is left after the shortest stop, the case is always the same.
    sign = 1.0 if target > standstill else -1.0
    way, entry = sign * (target - position), sign * velocity
    peak = min(speed, max(0.0, acceleration * way + entry * entry / 2.0) ** 0.5)
    change_s = abs(peak - entry) / acceleration
    change = (entry + peak) / 2.0 * change_s
    slowing_s = peak / acceleration
    cruise_s = max(0.0, (way - change - peak * slowing_s / 2.0) / peak) if peak > 0.0 else 0.0
    legs: list[Leg] = []
    if change_s > 0.0:
        legs.append(Leg(time_s, position, velocity, sign * (acceleration if peak > entry else -acceleration)))
    if cruise_s > 0.0:
        legs.append(Leg(time_s + change_s, position + sign * change, sign * peak, 0.0))
    braking_from = target - sign * peak * slowing_s / 2.0
    legs.append(Leg(time_s + change_s + cruise_s, braking_from, sign * peak, -sign * acceleration))
    legs.append(Leg(time_s + change_s + cruise_s + slowing_s, target, 0.0, 0.0))
    return Track(tuple(legs))


def _ending_at(track: Track, target: float) -> Track:
    """Return ``track`` resting at ``target`` to the last bit."""
    return Track((*track.legs[:-1], Leg(track.legs[-1].start_s, target, 0.0, 0.0)))
