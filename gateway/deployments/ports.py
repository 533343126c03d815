"""What deployments need of the rest of the house."""

from typing import Protocol

from kernel.geography import Place


class Estate(Protocol):
    """Has the cameras."""

    def has(self, urn: str) -> bool:
        """Return whether a device is enrolled."""
        ...

    async def put_up(self, urn: str, place: Place, street: str, bearing_deg: float | None, *, at_ns: int) -> None:
        """Have a device's cameras stand at a place since an instant; what held elsewhere is not taken to hold there."""
        ...

    async def take_down(self, urn: str, *, at_ns: int) -> None:
        """Have them stand nowhere since an instant."""
        ...

    async def unconfirmed(self, urn: str) -> tuple[str, ...]:
        """Return what of a device's cameras is of another place still, in words; empty where all of it holds here."""
        ...

    async def judge(self, urn: str) -> None:
        """See to it that they record if, and only if, they may."""
        ...
