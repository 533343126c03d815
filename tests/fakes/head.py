"""A head on a turned clock, with the misbehaviour of real ones."""

from dataclasses import dataclass, field

from drivers.errors import CameraFaultError, CameraUnreachableError
from kernel.clock import NS_PER_S, Clock
from kernel.head import Axis, HeadAbilities, HeadStatus, Position, Preset, Velocity

FULL = HeadAbilities(
    axes=frozenset(Axis),
    absolute=True,
    relative=True,
    fov_relative=True,
    presets_max=8,
    home=True,
    auxiliary=("tt:Wiper|On",),
    pan_deg=(-180.0, 180.0),
    tilt_deg=(-90.0, 20.0),
    hfov_deg=(60.0, 4.0),
)


@dataclass(slots=True, kw_only=True)
class FakeHead:
    """Satisfies ``ptz.ports.Head``; turns a tenth of its range a second at full speed."""

    clock: Clock
    abilities: HeadAbilities = FULL
    delay_s: float = 0.0
    stop_unsupported: bool = False
    stop_ignored: bool = False
    zero_ignored: bool = False
    zero_refused: bool = False
    stuck_moving: bool = False
    status_fails: bool = False
    tells_position: bool = True
    silent: bool = False
    """Nothing answers, ever."""
    unreachable: bool = False
    """Every request fails at once."""
    requests: list[tuple[str, object]] = field(default_factory=list)
    in_flight: int = 0
    in_flight_max: int = 0
    velocity: Velocity = field(default_factory=Velocity)
    _position: Position = field(default_factory=Position)
    _at_ns: int = -1

    def now(self) -> Position:
        """Return where it points."""
        now_ns = self.clock.monotonic_ns()
        if self._at_ns >= 0:
            seconds = (now_ns - self._at_ns) / NS_PER_S * 0.1
            at, way = self._position, self.velocity
            self._position = Position(
                at.pan + way.pan * seconds, at.tilt + way.tilt * seconds, at.zoom + way.zoom * seconds
            )
        self._at_ns = now_ns
        return self._position

    def names(self) -> list[str]:
        """Return the requests that came, without the looks."""
        return [name for name, _ in self.requests if name != "status"]

    async def _request(self, name: str, argument: object = None) -> None:
        self.now()
        self.requests.append((name, argument))
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        try:
            if self.silent:
                await self.clock.sleep(3600.0)
            if self.unreachable:
                raise CameraUnreachableError("The camera does not answer.")
            if self.delay_s:
                await self.clock.sleep(self.delay_s)
        finally:
            self.in_flight -= 1

    async def move(self, velocity: Velocity, *, timeout_s: float) -> None:
        """ContinuousMove."""
        await self._request("zero" if velocity.still else "move", (velocity, timeout_s))
        if velocity.still and self.zero_refused:
            raise CameraFaultError("No zero.")
        self.now()
        if not (velocity.still and self.zero_ignored):
            self.velocity = velocity

    async def stop(self) -> None:
        """Stop."""
        await self._request("stop")
        if self.stop_unsupported:
            raise CameraFaultError("The camera knows no Stop.")
        self.now()
        if not self.stop_ignored:
            self.velocity = Velocity()

    async def status(self) -> HeadStatus:
        """GetStatus."""
        await self._request("status")
        if self.status_fails:
            raise CameraFaultError("No status now.")
        moving = self.stuck_moving or not self.velocity.still
        return HeadStatus(self.now() if self.tells_position else None, moving, self.clock.wall_ns())

    async def move_to(self, position: Position, *, speed: float | None = None) -> None:
        """AbsoluteMove, at once."""
        await self._request("move_to", position)
        self.velocity = Velocity()
        self._position = position

    async def move_by(self, translation: Position) -> None:
        """RelativeMove."""
        await self._request("move_by", translation)

    async def move_in_view(self, right: float, up: float) -> None:
        """RelativeMove in the FOV space."""
        await self._request("move_in_view", (right, up))
        self.velocity = Velocity()

    async def presets(self) -> list[Preset]:
        """GetPresets."""
        await self._request("presets")
        return [Preset("1", "Gate")]

    async def recall(self, token: str) -> None:
        """GotoPreset."""
        await self._request("recall", token)
        self.velocity = Velocity()

    async def store(self, name: str, token: str | None = None) -> Preset:
        """SetPreset, refused while moving."""
        await self._request("store", name)
        if not self.velocity.still:
            raise CameraFaultError("The head moves.")
        return Preset(token or "2", name, self.now())

    async def remove(self, token: str) -> None:
        """RemovePreset."""
        await self._request("remove", token)

    async def go_home(self) -> None:
        """GotoHomePosition."""
        await self._request("go_home")

    async def set_home(self) -> None:
        """SetHomePosition."""
        await self._request("set_home")

    async def auxiliary(self, command: str) -> None:
        """SendAuxiliaryCommand."""
        await self._request("auxiliary", command)
