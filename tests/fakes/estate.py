"""Cameras that deployments move, without a fleet."""

from kernel.geography import Place


class FakeEstate:
    """Satisfies ``gateway.deployments.ports.Estate``; remembers what it was told. ``fails`` is raised by every move."""

    def __init__(self, *urns: str) -> None:
        self.urns = set(urns)
        self.places: dict[str, Place | None] = {}
        self.judged: list[str] = []
        self.fails: Exception | None = None
        self.deaf: Exception | None = None
        """Raised instead of judging."""

    def has(self, urn: str) -> bool:
        """See ``Estate``."""
        return urn in self.urns

    async def put_up(self, urn: str, place: Place, street: str, bearing_deg: float | None) -> None:
        """See ``Estate``."""
        if self.fails is not None:
            raise self.fails
        self.places[urn] = place

    async def take_down(self, urn: str) -> None:
        """See ``Estate``."""
        if self.fails is not None:
            raise self.fails
        self.places[urn] = None

    async def judge(self, urn: str) -> None:
        """See ``Estate``."""
        if self.deaf is not None:
            raise self.deaf
        self.judged.append(urn)
