"""Cameras that deployments move, without a fleet."""

from kernel.geography import Place


class FakeEstate:
    """Satisfies ``gateway.deployments.ports.Estate``; remembers what it was told. ``fails`` is raised by every move."""

    def __init__(self, *urns: str) -> None:
        self.urns = set(urns)
        self.places: dict[str, Place | None] = {}
        self.moved_ns: list[int] = []
        self.judged: list[str] = []
        self.void: tuple[str, ...] = ()
        """What is of another place still."""
        self.fails: Exception | None = None
        self.deaf: Exception | None = None
        """Raised instead of judging."""

    def has(self, urn: str) -> bool:
        """See ``Estate``."""
        return urn in self.urns

    async def put_up(self, urn: str, place: Place, street: str, bearing_deg: float | None, *, at_ns: int) -> None:
        """See ``Estate``."""
        if self.fails is not None:
            raise self.fails
        self.places[urn] = place
        self.moved_ns.append(at_ns)

    async def take_down(self, urn: str, *, at_ns: int) -> None:
        """See ``Estate``."""
        if self.fails is not None:
            raise self.fails
        self.places[urn] = None
        self.moved_ns.append(at_ns)

    async def unconfirmed(self, urn: str) -> tuple[str, ...]:
        """See ``Estate``."""
        assert urn in self.urns
        return self.void

    async def judge(self, urn: str) -> None:
        """See ``Estate``."""
        if self.deaf is not None:
            raise self.deaf
        self.judged.append(urn)
