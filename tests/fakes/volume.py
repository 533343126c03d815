"""A disk with knobs for failure, under the recorder's real code."""

import os
import threading
from pathlib import Path

from recording.volume import Volume


class FaultyVolume(Volume):
    """Writes to the real file system until a knob is turned."""

    def __init__(self) -> None:
        self.fail_with: int | None = None
        """An errno that every write and flush meets."""
        self.writes_before_failure = 0
        self.stuck: threading.Event | None = None
        """Writes wait for it, as on a disk that hangs."""
        self.order: list[str] = []
        """What was done, in order."""
        self.free: tuple[int, int] | None = None

    def _meet_fault(self) -> None:
        if self.stuck is not None:
            self.stuck.wait(30)
        if self.fail_with is not None:
            if self.writes_before_failure:
                self.writes_before_failure -= 1
                return
            raise OSError(self.fail_with, os.strerror(self.fail_with))

    def write(self, descriptor: int, data: memoryview, offset: int) -> None:
        """Write, or fail."""
        self._meet_fault()
        self.order.append("write")
        super().write(descriptor, data, offset)

    def sync(self, descriptor: int) -> None:
        """Flush."""
        self.order.append("sync")
        super().sync(descriptor)

    def free_bytes(self, path: Path) -> tuple[int, int]:
        """Return what the knob says, if it says anything."""
        return self.free or super().free_bytes(path)
