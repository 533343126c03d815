"""What steering needs of a head. A driver satisfies it by shape."""

from typing import Protocol

from kernel.head import HeadAbilities, HeadStatus, Position, Preset, Velocity


class Head(Protocol):
    """One head, as a driver offers it.

    Every method makes at most one request (and none is retried inside), raises ``kernel.errors.SightlineError``
    on failure, and expects its caller to have one request in flight.
    """

    @property
    def abilities(self) -> HeadAbilities:
        """What enrolment found."""
        ...

    async def move(self, velocity: Velocity, *, timeout_s: float) -> None:
        """ContinuousMove on all axes the head has. The driver knows whether to send the timeout."""
        ...

    async def stop(self) -> None:
        """Stop on all axes."""
        ...

    async def status(self) -> HeadStatus:
        """GetStatus."""
        ...

    async def move_to(self, position: Position, *, speed: float | None = None) -> None:
        """AbsoluteMove."""
        ...

    async def move_by(self, translation: Position) -> None:
        """RelativeMove in the generic translation space."""
        ...

    async def move_in_view(self, right: float, up: float) -> None:
        """RelativeMove in the FOV space: -1..+1 is half the picture's width or height from its centre."""
        ...

    async def presets(self) -> list[Preset]:
        """GetPresets, placeholders and slots that do other things hidden."""
        ...

    async def recall(self, token: str) -> None:
        """GotoPreset."""
        ...

    async def store(self, name: str, token: str | None = None) -> Preset:
        """SetPreset at the present position."""
        ...

    async def remove(self, token: str) -> None:
        """RemovePreset."""
        ...

    async def go_home(self) -> None:
        """GotoHomePosition."""
        ...

    async def set_home(self) -> None:
        """SetHomePosition."""
        ...

    async def auxiliary(self, command: str) -> None:
        """SendAuxiliaryCommand with one of the advertised strings."""
        ...
