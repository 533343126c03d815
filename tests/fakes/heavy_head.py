"""A head with weight: it takes its time to answer, to follow and to stand, and goes its way to a position."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from drivers.errors import CameraFaultError
from kernel.clock import NS_PER_S
from kernel.head import HeadStatus, Position, Preset, Velocity
from ptz.aiming import target_of
from tests.fakes.head import FakeHead

STEP_S = 0.01


@dataclass(slots=True, kw_only=True)
class HeavyHead(FakeHead):
    """Follows a velocity with a lag of the first order, and travels to a position at its greatest speed."""

    speed: Velocity = field(default_factory=lambda: Velocity(0.5, 0.5, 0.5))
    """Generic units a second at full deflection."""
    lag_s: float = 0.08
    told: Callable[[Position], None] = lambda _: None
    """Told of every position it goes through."""
    stored: dict[str, Position | None] = field(default_factory=dict)
    slips: float = 0.0
    """By how much pan it goes past what it is sent to: it lies about its presets."""
    refuses_positions: bool = False
    _speed_now: Velocity = field(default_factory=Velocity)
    _target: Position | None = None

    def now(self) -> Position:
        """Go on until now, and return where it points."""
        now_ns = self.clock.monotonic_ns()
        if self._at_ns < 0:
            self._at_ns = now_ns
        while self._at_ns + STEP_S * NS_PER_S <= now_ns:
            self._at_ns += round(STEP_S * NS_PER_S)
            self._step()
            self.told(self._position)
        return self._position

    def _step(self) -> None:
        if self._target is not None:
            to, at = self._target, self._position
            reach = (self.speed.pan * STEP_S, self.speed.tilt * STEP_S, self.speed.zoom * STEP_S)
            moves = [
                max(-one, min(one, end - start))
                for one, end, start in zip(reach, (to.pan, to.tilt, to.zoom), (at.pan, at.tilt, at.zoom), strict=True)
            ]
            self._position = Position(at.pan + moves[0], at.tilt + moves[1], at.zoom + moves[2])
            return
        wanted, now = self.velocity, self._speed_now
        share = min(1.0, STEP_S / self.lag_s)
        self._speed_now = Velocity(
            now.pan + (wanted.pan - now.pan) * share,
            now.tilt + (wanted.tilt - now.tilt) * share,
            now.zoom + (wanted.zoom - now.zoom) * share,
        )
        pan = self._position.pan + self._speed_now.pan * self.speed.pan * STEP_S
        tilt = self._position.tilt + self._speed_now.tilt * self.speed.tilt * STEP_S
        zoom = self._position.zoom + self._speed_now.zoom * self.speed.zoom * STEP_S
        pan = (pan + 1.0) % 2.0 - 1.0 if self.abilities.pan_deg == (-180.0, 180.0) else max(-1.0, min(1.0, pan))
        self._position = Position(pan, max(-1.0, min(1.0, tilt)), max(0.0, min(1.0, zoom)))

    def put(self, position: Position) -> None:
        """Stand there."""
        self.now()
        self._position, self._speed_now, self._target = position, Velocity(), None
        self.velocity = Velocity()

    def push(self, pan: float) -> None:
        """Turn it by hand."""
        self.now()
        self._position = replace(self._position, pan=self._position.pan + pan)

    def _go(self, position: Position) -> None:
        self.now()
        self.velocity = self._speed_now = Velocity()
        self._target = replace(position, pan=position.pan + self.slips)

    async def move(self, velocity: Velocity, *, timeout_s: float) -> None:
        """ContinuousMove."""
        await FakeHead.move(self, velocity, timeout_s=timeout_s)
        self._target = None

    async def stop(self) -> None:
        """Stop."""
        await FakeHead.stop(self)
        self._target = None

    async def status(self) -> HeadStatus:
        """GetStatus: as it was halfway through the request."""
        if not self.delay_s or self.status_fails or self.unreachable:
            return await FakeHead.status(self)
        await self.clock.sleep(self.delay_s / 2.0)
        return await self._told_late()

    async def _told_late(self) -> HeadStatus:
        position = self.now()
        await self.clock.sleep(self.delay_s / 2.0)
        self.requests.append(("status", None))
        return HeadStatus(position if self.tells_position else None, None, self.clock.wall_ns())

    async def move_to(self, position: Position, *, speed: float | None = None) -> None:
        """AbsoluteMove, at its speed."""
        await self._request("move_to", position)
        if self.refuses_positions:
            raise CameraFaultError("The camera goes to no position now.")
        self._go(position)

    async def move_in_view(self, right: float, up: float) -> None:
        """RelativeMove in the FOV space: true to the picture."""
        await self._request("move_in_view", (right, up))
        self._go(target_of(self.abilities, self.now(), right, up))

    async def presets(self) -> list[Preset]:
        """GetPresets."""
        await self._request("presets")
        return [Preset(token, token, position) for token, position in self.stored.items()]

    async def recall(self, token: str) -> None:
        """GotoPreset."""
        await self._request("recall", token)
        position = self.stored[token]
        if position is not None:
            self._go(position)
