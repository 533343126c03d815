"""What deployments need of the rest of the house."""

from typing import Protocol

from kernel.geography import Place


class Estate(Protocol):
    """Has the cameras."""

    def has(self, urn: str) -> bool:
        """Return whether a device is enrolled."""
        ...

    async def put_up(self, urn: str, place: Place, street: str, bearing_deg: float | None) -> None:
        """Have a device's cameras stand at a place from now on; nothing that held elsewhere is taken to hold there."""
        ...

    async def take_down(self, urn: str) -> None:
        """Have them stand nowhere."""
        ...

    async def judge(self, urn: str) -> None:
        """See to it that they record if, and only if, they may."""
        ...
