"""Remembers on which topics a broker keeps something of ours, over restarts: what is wanted no more is removed."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import structlog

log = structlog.get_logger()


class Memory:
    """A small file. Every method blocks."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._broker: str | None = None
        self._topics: frozenset[str] = frozenset()

    def read(self) -> tuple[str | None, frozenset[str]]:
        """Return which broker keeps something, and on which topics. A file that cannot be read says nothing."""
        try:
            said = json.loads(self._file.read_text(encoding="utf-8"))
            self._broker, self._topics = str(said["broker"]), frozenset(map(str, said["topics"]))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("outward.memory_unread", error=str(error))
        return self._broker, self._topics

    def write(self, broker: str, topics: Iterable[str]) -> None:
        """Remember; nothing is written where it is known already."""
        known = frozenset(topics)
        if (broker, known) == (self._broker, self._topics):
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._file.with_name(f".{self._file.name}.new")
        with beside.open("w", encoding="utf-8") as file:
            json.dump({"broker": broker, "topics": sorted(known)}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._file)
        self._broker, self._topics = broker, known
