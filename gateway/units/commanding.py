"""What can be told to units, whatever carries it there."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Protocol


class Told(Protocol):
    """What a unit answered."""

    @property
    def id(self) -> str:
        """The command's number."""
        ...

    @property
    def ok(self) -> bool:
        """Whether it does it."""
        ...

    @property
    def error(self) -> str | None:
        """Why not, in its own word."""
        ...

    @property
    def time(self) -> datetime:
        """When it answered, by its clock."""
        ...


class Commander(Protocol):
    """Tells units something (``gateway.telemetry.commands``)."""

    def send(self, label: str, name: str, **values: str | int | None) -> Awaitable[Told]:
        """Tell a unit something and return its answer.

        Raises:
            UnitError: there is no such unit, or it is retired.
            SightlineError: it is not there, does not answer, or cannot be reached.
        """
        ...
