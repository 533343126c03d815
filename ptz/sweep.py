"""What a head may sweep until it can be told otherwise: from where it was seen, by what it does and is to do."""

from kernel.clock import NS_PER_S, Clock
from kernel.head import Position, Velocity
from ptz.bounds import Reach, Rule, aim_of, full_circle
from ptz.pace import Look, Pace
from ptz.ports import Head

Vector = tuple[float, float, float]
"""Pan, tilt, zoom, in generic units."""
Carried = tuple[Vector, Vector]
"""Least and greatest, by axis."""
STILL: Vector = (0.0, 0.0, 0.0)


class Sweep:
    """One head's."""

    def __init__(self, head: Head, pace: Pace, clock: Clock) -> None:
        self._head = head
        self._pace = pace
        self._clock = clock

    def met(self, rules: tuple[Rule, ...], one: Position, other: Position, margin_deg: float) -> tuple[Rule, ...]:
        """Return what is met somewhere between two positions."""
        start, end = aim_of(self._head.abilities, one), aim_of(self._head.abilities, other)
        if start is None or end is None:
            return rules
        reach = Reach.between(start, end)
        return tuple(rule for rule in rules if rule.met_by(reach, margin_deg))

    def travel(self, look: Look, velocity: Vector) -> Vector:
        """Return how far a velocity may carry the head before it can be told otherwise, in generic units.

        It takes hold only after what was sent before has had its time (:meth:`carried`).
        """
        waited_s = (self._clock.monotonic_ns() - look.asked_ns) / NS_PER_S + self._pace.answer_s
        horizon_s = max(self._pace.stopping_s, self._pace.horizon_s(self._head.abilities) - waited_s)
        pan, tilt, zoom = (
            one * gain * horizon_s for one, gain in zip(velocity, self._pace.gains(self._head.abilities), strict=True)
        )
        return pan, tilt, zoom

    def carried(self, look: Look) -> Carried:
        """Return how far what was sent before may still carry the head, each way, before another move takes hold."""
        before_ns = look.asked_ns - round(self._pace.stopping_s * NS_PER_S)
        recent = [along(one) for one in self._pace.since(before_ns) if one is not None] or [STILL]
        lasting_s = (self._clock.monotonic_ns() - look.asked_ns) / NS_PER_S + self._pace.stopping_s
        reaches = [gain * lasting_s for gain in self._pace.gains(self._head.abilities)]
        low = [min(0.0, *(one[axis] for one in recent)) * reaches[axis] for axis in range(3)]
        high = [max(0.0, *(one[axis] for one in recent)) * reaches[axis] for axis in range(3)]
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])

    def swept(self, at: Position, carried: Carried, way: Vector) -> tuple[Position, Position]:
        """Return the corners of everything that a move may sweep, with what the moves before it still do."""
        low, high = (
            [extreme(0.0, one) + past for one, past in zip(way, side, strict=True)]
            for extreme, side in ((min, carried[0]), (max, carried[1]))
        )
        return self.moved(at, (low[0], low[1], low[2])), self.moved(at, (high[0], high[1], high[2]))

    def moved(self, at: Position, way: Vector) -> Position:
        """Return where a way ends, within what the head can."""
        pan, tilt, zoom = at.pan + way[0], at.tilt + way[1], at.zoom + way[2]
        if not full_circle(self._head.abilities):
            pan = max(-1.0, min(1.0, pan))
        return Position(pan, max(-1.0, min(1.0, tilt)), max(0.0, min(1.0, zoom)))


def along(velocity: Velocity) -> Vector:
    """Return a velocity by its axes."""
    return velocity.pan, velocity.tilt, velocity.zoom


def with_axis(vector: Vector, axis: int, value: float) -> Vector:
    """Return a vector with another value along one axis."""
    pan, tilt, zoom = (value if one == axis else kept for one, kept in enumerate(vector))
    return pan, tilt, zoom
