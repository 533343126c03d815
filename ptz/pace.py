"""How fast one head is found to be, and how long it takes to obey.

What a velocity means in degrees a second no camera tells. A new head is taken for a very fast one; seen to move
steadily, it is believed by and by; seen to be faster, at once.
"""

from collections import deque
from dataclasses import dataclass

from config.steering import SteeringSettings
from kernel.clock import NS_PER_S
from kernel.head import HeadAbilities, Position, Velocity

FASTEST_DEG_S = (300.0, 150.0)
"""What a head that was not seen to move may do, pan and tilt: no dome is faster by preset, few by stick."""
FASTEST_ZOOM_S = 0.8
SLOWEST = 0.02
"""Below this share of its range a second nothing is believed: such a look was too short, or the head hung."""
MARGIN = 1.25
BELIEF = 0.3
"""How much of a steady look is believed at once."""
STEADY_S = 0.6
ROUND_TRIPS = 3.0
"""A look is old by one when it is judged; the next look takes one, and the stop that follows another."""


@dataclass(frozen=True, slots=True)
class Look:
    """A position, and when it was asked for and told (monotonic)."""

    position: Position
    asked_ns: int
    told_ns: int


class Pace:
    """One head's, in generic units a second at full deflection: pan, tilt, zoom."""

    def __init__(self, settings: SteeringSettings) -> None:
        self._settings = settings
        self._gains: list[float] = []
        self._sent: deque[tuple[int, Velocity | None]] = deque(maxlen=40)
        self._took_s: deque[float] = deque(maxlen=12)

    def gains(self, abilities: HeadAbilities) -> tuple[float, ...]:
        """Return how far a second of full deflection may move it."""
        if not self._gains:
            spans = [abilities.pan_deg or (-180.0, 180.0), abilities.tilt_deg or (-90.0, 90.0)]
            self._gains = [
                2.0 * fastest / max(1.0, high - low) for fastest, (low, high) in zip(FASTEST_DEG_S, spans, strict=True)
            ]
            self._gains.append(FASTEST_ZOOM_S)
        return tuple(self._gains)

    def horizon_s(self, abilities: HeadAbilities) -> float:
        """Return how long a move may go on from the look it was judged by until what follows the next look holds."""
        own_s = self._settings.pulse_s if abilities.pulse else 0.0
        waits_s = self._settings.poll_bound_s + 1.0 / self._settings.rate_hz
        return waits_s + ROUND_TRIPS * max(self._took_s, default=0.0) + self._settings.coast_s + own_s

    @property
    def stopping_s(self) -> float:
        """Return how long a stop takes from now until the head stands."""
        return self.answer_s + self._settings.coast_s

    @property
    def answer_s(self) -> float:
        """Return how long the head took to answer lately, at most."""
        return max(self._took_s, default=0.0)

    def took(self, duration_s: float) -> None:
        """Note how long the head took to answer."""
        self._took_s.append(duration_s)

    def sent(self, velocity: Velocity | None, now_ns: int) -> None:
        """Note a move that was sent, or a stop; ``None`` for one at the head's own speed."""
        self._sent.append((now_ns, velocity))

    def learn(self, before: Look, after: Look, abilities: HeadAbilities, *, wraps: bool) -> None:
        """Learn from two looks, one after the other."""
        elapsed_s = (after.asked_ns - before.asked_ns) / NS_PER_S
        if elapsed_s < self._settings.poll_bound_s * 0.5:
            return
        coast_ns = round((self._settings.coast_s + max(self._took_s, default=0.0)) * NS_PER_S)
        recently = self.since(before.asked_ns - coast_ns)
        lately = self.since(before.asked_ns - round(STEADY_S * NS_PER_S))
        if None in recently:
            return
        gains = self.gains(abilities)
        for axis, moved in enumerate(travelled(before.position, after.position, wraps=wraps)):
            fastest = max((abs(_axis(one, axis)) for one in recently if one is not None), default=0.0)
            if fastest < 0.02:
                continue
            seen = abs(moved) / elapsed_s / fastest
            steady = {_axis(one, axis) if one is not None else None for one in lately}
            if seen > gains[axis]:
                self._gains[axis] = seen
            elif len(steady) == 1 and seen > SLOWEST and self._believable(abilities, after.position):
                self._gains[axis] += BELIEF * (min(gains[axis], seen * MARGIN) - gains[axis])

    def since(self, since_ns: int) -> list[Velocity | None]:
        """Return the velocities in force since an instant."""
        found: list[Velocity | None] = []
        for at_ns, velocity in reversed(self._sent):
            found.append(velocity)
            if at_ns <= since_ns:
                break
        return found

    @staticmethod
    def _believable(abilities: HeadAbilities, at: Position) -> bool:
        """Return whether slowness is the head's own: one that scales velocities by its zoom is faster when wide."""
        return not abilities.fov_velocity or at.zoom < 0.05


def travelled(before: Position, after: Position, *, wraps: bool) -> tuple[float, float, float]:
    """Return how far each axis went; a head that turns round without an end went the shorter way."""
    pan = after.pan - before.pan
    if wraps:
        pan = (pan + 1.0) % 2.0 - 1.0
    return pan, after.tilt - before.tilt, after.zoom - before.zoom


def _axis(velocity: Velocity, axis: int) -> float:
    return (velocity.pan, velocity.tilt, velocity.zoom)[axis]
