"""A rotation in a process of its own that kills itself at a moment of one's choice: ``DATA_DIR DATABASE MOMENT``."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from gateway.db.engine import open_database, sqlite_url
from gateway.db.sealed import SealedValue, SealedValues
from gateway.vault import Key, KeyFile
from gateway.vault.rotation import rotate

MOMENTS = ("before the new key", "new key written", "half re-sealed", "all re-sealed", "committed", "never")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class MortalFile(KeyFile):
    """Dies before or after its writings."""

    moment = ""
    writings = 0

    def write(self, keys: tuple[Key, ...]) -> None:
        """Write, unless it dies."""
        if self.moment == ("before the new key", "committed")[self.writings]:
            _die()
        super().write(keys)
        self.writings += 1
        if self.moment == "new key written":
            _die()


async def _rotate(data_dir: Path, url: str, moment: str) -> None:
    put, done = SealedValues.put, 0

    async def mortal_put(self: SealedValues, value: SealedValue, sealed: bytes) -> None:
        nonlocal done
        if moment == "half re-sealed" and done:
            _die()
        await put(self, value, sealed)
        done += 1
        if moment == "all re-sealed" and done == count:
            _die()

    async with open_database(url) as database:
        async with database.read() as connection:
            count = len([value async for value in SealedValues(connection).all()])
        SealedValues.put = mortal_put  # type: ignore[method-assign]
        keys = MortalFile(data_dir, credentials=None)
        keys.moment = moment
        await rotate(database, keys)


if __name__ == "__main__":
    asyncio.run(_rotate(Path(sys.argv[1]), sqlite_url(Path(sys.argv[2])), sys.argv[3]))
