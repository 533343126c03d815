"""A door for partners' own systems that lets nobody in: it keeps what it was told."""

import asyncio
from collections.abc import Iterable

from gateway.sharing.outlets import Issued, Opening


class OutletDoor:
    """Satisfies ``gateway.sharing.outlets.Door``."""

    def __init__(self) -> None:
        self.open: dict[str, Opening] = {}
        self.loaded: tuple[Opening, ...] | None = None
        """What it was told at the start."""
        self.words: list[str] = []
        """What it was told since: ``put ID`` and ``remove ID``."""
        self.hearing = asyncio.Event()
        """Clear it, and it takes its time to hear."""
        self.hearing.set()

    def issue(self, path: str) -> Issued:
        """Make a credential anybody could guess."""
        return Issued(f"user-{path}", f"hush-{path}", f"hash-{path}")

    def load(self, openings: Iterable[Opening]) -> None:
        """Have exactly these."""
        self.loaded = tuple(openings)
        self.open = {one.id: one for one in self.loaded}

    async def put(self, opening: Opening) -> None:
        """Open one more, or change it."""
        self.open[opening.id] = opening
        self.words.append(f"put {opening.id}")
        await self.hearing.wait()

    async def remove(self, outlet_id: str) -> None:
        """Close one."""
        self.open.pop(outlet_id, None)
        self.words.append(f"remove {outlet_id}")
        await self.hearing.wait()
